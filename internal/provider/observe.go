package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Observation is one finished call of a provider.
type Observation struct {
	Provider  lending.Provider
	Operation string // the call's name: "Profile", "Disburse"
	Class     Class
	Began     time.Time
	Took      time.Duration
	Err       *lending.Error // nil for a success
}

// Observer is told of every finished call. It must not block.
type Observer interface {
	Observe(o Observation)
}

// Limits are how long calls may take.
type Limits struct {
	Read  time.Duration // profiles, credit lines, lists, queries
	Write time.Duration // whatever may change something; also score and report orders
}

// Observe wraps every capability of p: each call has a deadline, is reported to the observer, and fails
// with a *lending.Error of a closed kind whatever the driver does, panics included.
func Observe(p *Provider, limits Limits, observer Observer) *Provider {
	w := &watched{next: p, limits: limits, observer: observer}
	out := &Provider{Name: p.Name, SignUp: p.SignUp, WebhookReceiver: p.WebhookReceiver, Recovery: p.Recovery}
	if p.Profiles != nil {
		out.Profiles = w
	}
	if p.ProfileList != nil {
		out.ProfileList = w
	}
	if p.Customers != nil {
		out.Customers = w
	}
	if p.CreditLines != nil {
		out.CreditLines = w
	}
	if p.Applications != nil {
		out.Applications = w
	}
	if p.Decisions != nil {
		out.Decisions = w
	}
	if p.Payments != nil {
		out.Payments = w
	}
	if p.Scores != nil {
		out.Scores = w
	}
	if p.Confirmations != nil {
		out.Confirmations = w
	}
	if p.Reports != nil {
		out.Reports = w
	}
	if p.Suppliers != nil {
		out.Suppliers = w
	}
	if p.Invoices != nil {
		out.Invoices = w
	}
	if p.Documents != nil {
		out.Documents = w
	}
	if p.Registrations != nil {
		out.Registrations = w
	}
	if p.Pinger != nil {
		out.Pinger = w
	}
	return out
}

// watched implements every capability by the wrapped provider's.
type watched struct {
	next     *Provider
	limits   Limits
	observer Observer
}

// call runs one call of the driver under its deadline and reports it.
func call[T any](ctx context.Context, w *watched, operation string, class Class, do func(ctx context.Context) (T, error)) (result T, err error) {
	limit := w.limits.Write
	if class == Read {
		limit = w.limits.Read
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic in the driver: %v", cause)
		}
		failure := w.failure(err, class)
		if failure != nil {
			err = failure
		}
		w.observer.Observe(Observation{
			Provider: w.next.Name, Operation: operation, Class: class, Began: began, Took: time.Since(began), Err: failure,
		})
	}()
	return do(ctx)
}

// failure is err as an error of a closed kind that names the provider; nil for nil.
func (w *watched) failure(err error, class Class) *lending.Error {
	e := lending.AsError(err)
	if e == nil {
		return nil
	}
	if e.Provider == "" {
		named := *e
		named.Provider = w.next.Name
		e = &named
	}
	if e.Kind == lending.KindInternal && class != Read {
		return lost(e, class, true)
	}
	return e
}

func (w *watched) Profile(ctx context.Context, externalID string) (lending.Profile, error) {
	return call(ctx, w, "Profile", Read, func(ctx context.Context) (lending.Profile, error) {
		return w.next.Profiles.Profile(ctx, externalID)
	})
}

func (w *watched) ListProfiles(ctx context.Context, query ProfileQuery) (ProfilePage, error) {
	return call(ctx, w, "ListProfiles", Read, func(ctx context.Context) (ProfilePage, error) {
		return w.next.ProfileList.ListProfiles(ctx, query)
	})
}

func (w *watched) CreateCustomer(ctx context.Context, customer NewCustomer) (lending.Profile, error) {
	return call(ctx, w, "CreateCustomer", Write, func(ctx context.Context) (lending.Profile, error) {
		return w.next.Customers.CreateCustomer(ctx, customer)
	})
}

func (w *watched) CreditLine(ctx context.Context, username string) (lending.CreditLine, error) {
	return call(ctx, w, "CreditLine", Read, func(ctx context.Context) (lending.CreditLine, error) {
		return w.next.CreditLines.CreditLine(ctx, username)
	})
}

func (w *watched) Check(application LoanApplication) []lending.Problem {
	return w.next.Applications.Check(application)
}

func (w *watched) Apply(ctx context.Context, application LoanApplication) (LoanResult, error) {
	class := Write
	if w.next.Recovery[lending.OpApplyForLoan] == RecoverByRepeating {
		class = DedupedWrite
	}
	return call(ctx, w, "Apply", class, func(ctx context.Context) (LoanResult, error) {
		return w.next.Applications.Apply(ctx, application)
	})
}

func (w *watched) Approve(ctx context.Context, loanExternalID string) (LoanResult, error) {
	return call(ctx, w, "Approve", Write, func(ctx context.Context) (LoanResult, error) {
		return w.next.Decisions.Approve(ctx, loanExternalID)
	})
}

func (w *watched) Reject(ctx context.Context, loanExternalID, reason string) (LoanResult, error) {
	return call(ctx, w, "Reject", Write, func(ctx context.Context) (LoanResult, error) {
		return w.next.Decisions.Reject(ctx, loanExternalID, reason)
	})
}

func (w *watched) Disburse(ctx context.Context, loanExternalID string) (LoanResult, error) {
	return call(ctx, w, "Disburse", Write, func(ctx context.Context) (LoanResult, error) {
		return w.next.Decisions.Disburse(ctx, loanExternalID)
	})
}

func (w *watched) RecordPayment(ctx context.Context, payment NewPayment) (lending.Payment, error) {
	return call(ctx, w, "RecordPayment", Write, func(ctx context.Context) (lending.Payment, error) {
		return w.next.Payments.RecordPayment(ctx, payment)
	})
}

func (w *watched) RequestScore(ctx context.Context, request ScoreRequest) (ScoreResult, error) {
	return call(ctx, w, "RequestScore", Write, func(ctx context.Context) (ScoreResult, error) {
		return w.next.Scores.RequestScore(ctx, request)
	})
}

func (w *watched) ConfirmScore(ctx context.Context, confirmation ScoreConfirmation) (ScoreResult, error) {
	return call(ctx, w, "ConfirmScore", Write, func(ctx context.Context) (ScoreResult, error) {
		return w.next.Confirmations.ConfirmScore(ctx, confirmation)
	})
}

func (w *watched) QueryScore(ctx context.Context, reference string) (ScoreResult, error) {
	return call(ctx, w, "QueryScore", Read, func(ctx context.Context) (ScoreResult, error) {
		return w.next.Confirmations.QueryScore(ctx, reference)
	})
}

func (w *watched) OrderReport(ctx context.Context, order ReportOrder) (ReportReceipt, error) {
	return call(ctx, w, "OrderReport", Write, func(ctx context.Context) (ReportReceipt, error) {
		return w.next.Reports.OrderReport(ctx, order)
	})
}

func (w *watched) FetchReport(ctx context.Context, externalID string) (ReportNotice, error) {
	return call(ctx, w, "FetchReport", Read, func(ctx context.Context) (ReportNotice, error) {
		return w.next.Reports.FetchReport(ctx, externalID)
	})
}

func (w *watched) CreateSupplier(ctx context.Context, supplier NewSupplier) (lending.Supplier, error) {
	return call(ctx, w, "CreateSupplier", Write, func(ctx context.Context) (lending.Supplier, error) {
		return w.next.Suppliers.CreateSupplier(ctx, supplier)
	})
}

func (w *watched) Suppliers(ctx context.Context, username string) ([]lending.Supplier, error) {
	return call(ctx, w, "Suppliers", Read, func(ctx context.Context) ([]lending.Supplier, error) {
		return w.next.Suppliers.Suppliers(ctx, username)
	})
}

func (w *watched) PayInvoice(ctx context.Context, invoice Invoice) (InvoiceResult, error) {
	return call(ctx, w, "PayInvoice", Write, func(ctx context.Context) (InvoiceResult, error) {
		return w.next.Invoices.PayInvoice(ctx, invoice)
	})
}

func (w *watched) UploadDocument(ctx context.Context, upload Upload) (lending.Document, error) {
	return call(ctx, w, "UploadDocument", Write, func(ctx context.Context) (lending.Document, error) {
		return w.next.Documents.UploadDocument(ctx, upload)
	})
}

func (w *watched) RegisterWebhook(ctx context.Context, registration Registration) (lending.Webhook, error) {
	return call(ctx, w, "RegisterWebhook", Write, func(ctx context.Context) (lending.Webhook, error) {
		return w.next.Registrations.RegisterWebhook(ctx, registration)
	})
}

func (w *watched) Ping(ctx context.Context) error {
	_, err := call(ctx, w, "Ping", Read, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, w.next.Pinger.Ping(ctx)
	})
	return err
}

// RateLimit is what the provider last said of its limit; ok is false where it never did.
func (w *watched) RateLimit() (limit, remaining int, resetsAt time.Time, ok bool) {
	if limited, is := w.next.Pinger.(interface {
		RateLimit() (limit, remaining int, resetsAt time.Time, ok bool)
	}); is {
		return limited.RateLimit()
	}
	return 0, 0, time.Time{}, false
}
