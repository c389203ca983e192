package provider

import (
	"context"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Call is one call of a provider on its way.
type Call struct {
	Provider  lending.Provider
	Operation string // the call's name: "Profile", "Disburse"
	Class     Class
}

// Interceptor stands around calls of a provider: it decides whether, when and how often next is called, and
// what comes back of it. What an earlier next returned beside its error is forgotten when it is called again.
// The calls of next must not overlap.
type Interceptor func(ctx context.Context, call Call, next func(ctx context.Context) error) error

// Intercept puts an interceptor around every call of p. What needs no call passes by it: checks of input,
// addresses, webhooks that came in.
func Intercept(p *Provider, around Interceptor) *Provider {
	w := &wrapped{next: p, around: around}
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

// wrapped implements every capability by the wrapped provider's.
type wrapped struct {
	next   *Provider
	around Interceptor
}

// call takes one call of the driver through the interceptor.
func call[T any](ctx context.Context, w *wrapped, operation string, class Class, do func(ctx context.Context) (T, error)) (T, error) {
	var result T
	err := w.around(ctx, Call{Provider: w.next.Name, Operation: operation, Class: class}, func(ctx context.Context) (err error) {
		result, err = do(ctx)
		return err
	})
	return result, err
}

func (w *wrapped) Profile(ctx context.Context, externalID string) (lending.Profile, error) {
	return call(ctx, w, "Profile", Read, func(ctx context.Context) (lending.Profile, error) {
		return w.next.Profiles.Profile(ctx, externalID)
	})
}

func (w *wrapped) ListProfiles(ctx context.Context, query ProfileQuery) (ProfilePage, error) {
	return call(ctx, w, "ListProfiles", Read, func(ctx context.Context) (ProfilePage, error) {
		return w.next.ProfileList.ListProfiles(ctx, query)
	})
}

func (w *wrapped) CreateCustomer(ctx context.Context, customer NewCustomer) (lending.Profile, error) {
	return call(ctx, w, "CreateCustomer", Write, func(ctx context.Context) (lending.Profile, error) {
		return w.next.Customers.CreateCustomer(ctx, customer)
	})
}

func (w *wrapped) CreditLine(ctx context.Context, username string) (lending.CreditLine, error) {
	return call(ctx, w, "CreditLine", Read, func(ctx context.Context) (lending.CreditLine, error) {
		return w.next.CreditLines.CreditLine(ctx, username)
	})
}

func (w *wrapped) Check(application LoanApplication) []lending.Problem {
	return w.next.Applications.Check(application)
}

func (w *wrapped) Apply(ctx context.Context, application LoanApplication) (LoanResult, error) {
	class := Write
	if w.next.Recovery[lending.OpApplyForLoan] == RecoverByRepeating {
		class = DedupedWrite
	}
	return call(ctx, w, "Apply", class, func(ctx context.Context) (LoanResult, error) {
		return w.next.Applications.Apply(ctx, application)
	})
}

func (w *wrapped) Approve(ctx context.Context, loanExternalID string) (LoanResult, error) {
	return call(ctx, w, "Approve", Write, func(ctx context.Context) (LoanResult, error) {
		return w.next.Decisions.Approve(ctx, loanExternalID)
	})
}

func (w *wrapped) Reject(ctx context.Context, loanExternalID, reason string) (LoanResult, error) {
	return call(ctx, w, "Reject", Write, func(ctx context.Context) (LoanResult, error) {
		return w.next.Decisions.Reject(ctx, loanExternalID, reason)
	})
}

func (w *wrapped) Disburse(ctx context.Context, loanExternalID string) (LoanResult, error) {
	return call(ctx, w, "Disburse", Write, func(ctx context.Context) (LoanResult, error) {
		return w.next.Decisions.Disburse(ctx, loanExternalID)
	})
}

func (w *wrapped) RecordPayment(ctx context.Context, payment NewPayment) (lending.Payment, error) {
	return call(ctx, w, "RecordPayment", Write, func(ctx context.Context) (lending.Payment, error) {
		return w.next.Payments.RecordPayment(ctx, payment)
	})
}

func (w *wrapped) RequestScore(ctx context.Context, request ScoreRequest) (ScoreResult, error) {
	return call(ctx, w, "RequestScore", Write, func(ctx context.Context) (ScoreResult, error) {
		return w.next.Scores.RequestScore(ctx, request)
	})
}

func (w *wrapped) ConfirmScore(ctx context.Context, confirmation ScoreConfirmation) (ScoreResult, error) {
	return call(ctx, w, "ConfirmScore", Write, func(ctx context.Context) (ScoreResult, error) {
		return w.next.Confirmations.ConfirmScore(ctx, confirmation)
	})
}

func (w *wrapped) QueryScore(ctx context.Context, reference string) (ScoreResult, error) {
	return call(ctx, w, "QueryScore", Read, func(ctx context.Context) (ScoreResult, error) {
		return w.next.Confirmations.QueryScore(ctx, reference)
	})
}

func (w *wrapped) OrderReport(ctx context.Context, order ReportOrder) (ReportReceipt, error) {
	return call(ctx, w, "OrderReport", Write, func(ctx context.Context) (ReportReceipt, error) {
		return w.next.Reports.OrderReport(ctx, order)
	})
}

func (w *wrapped) FetchReport(ctx context.Context, externalID string) (ReportNotice, error) {
	return call(ctx, w, "FetchReport", Read, func(ctx context.Context) (ReportNotice, error) {
		return w.next.Reports.FetchReport(ctx, externalID)
	})
}

func (w *wrapped) CreateSupplier(ctx context.Context, supplier NewSupplier) (lending.Supplier, error) {
	return call(ctx, w, "CreateSupplier", Write, func(ctx context.Context) (lending.Supplier, error) {
		return w.next.Suppliers.CreateSupplier(ctx, supplier)
	})
}

func (w *wrapped) Suppliers(ctx context.Context, username string) ([]lending.Supplier, error) {
	return call(ctx, w, "Suppliers", Read, func(ctx context.Context) ([]lending.Supplier, error) {
		return w.next.Suppliers.Suppliers(ctx, username)
	})
}

func (w *wrapped) PayInvoice(ctx context.Context, invoice Invoice) (InvoiceResult, error) {
	return call(ctx, w, "PayInvoice", Write, func(ctx context.Context) (InvoiceResult, error) {
		return w.next.Invoices.PayInvoice(ctx, invoice)
	})
}

func (w *wrapped) UploadDocument(ctx context.Context, upload Upload) (lending.Document, error) {
	return call(ctx, w, "UploadDocument", Write, func(ctx context.Context) (lending.Document, error) {
		return w.next.Documents.UploadDocument(ctx, upload)
	})
}

func (w *wrapped) RegisterWebhook(ctx context.Context, registration Registration) (lending.Webhook, error) {
	return call(ctx, w, "RegisterWebhook", Write, func(ctx context.Context) (lending.Webhook, error) {
		return w.next.Registrations.RegisterWebhook(ctx, registration)
	})
}

func (w *wrapped) Ping(ctx context.Context) error {
	_, err := call(ctx, w, "Ping", Read, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, w.next.Pinger.Ping(ctx)
	})
	return err
}

// RateLimit is what the provider last said of its limit; ok is false where it never did.
func (w *wrapped) RateLimit() (limit, remaining int, resetsAt time.Time, ok bool) {
	if limited, is := w.next.Pinger.(interface {
		RateLimit() (limit, remaining int, resetsAt time.Time, ok bool)
	}); is {
		return limited.RateLimit()
	}
	return 0, 0, time.Time{}, false
}
