package service_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// fake is a provider whose answers a test writes: a call without a function gives the zero value. It keeps
// the names of its calls in their order.
type fake struct {
	name lending.Provider

	profile        func(id string) (lending.Profile, error)
	listProfiles   func(q provider.ProfileQuery) (provider.ProfilePage, error)
	createCustomer func(c provider.NewCustomer) (lending.Profile, error)
	creditLine     func(username string) (lending.CreditLine, error)
	check          func(a provider.LoanApplication) []lending.Problem
	apply          func(ctx context.Context, a provider.LoanApplication) (provider.LoanResult, error)
	decide         func(ctx context.Context, verb, id string) (provider.LoanResult, error)
	recordPayment  func(p provider.NewPayment) (lending.Payment, error)
	requestScore   func(r provider.ScoreRequest) (provider.ScoreResult, error)
	confirmScore   func(c provider.ScoreConfirmation) (provider.ScoreResult, error)
	queryScore     func(reference string) (provider.ScoreResult, error)
	orderReport    func(o provider.ReportOrder) (provider.ReportReceipt, error)
	fetchReport    func(id string) (provider.ReportNotice, error)
	createSupplier func(s provider.NewSupplier) (lending.Supplier, error)
	suppliers      func(username string) ([]lending.Supplier, error)
	payInvoice     func(i provider.Invoice) (provider.InvoiceResult, error)
	upload         func(u provider.Upload) (lending.Document, error)
	register       func(r provider.Registration) (lending.Webhook, error)
	ping           func(ctx context.Context) error
	translate      func(body []byte) (provider.Notice, error)

	mu      sync.Mutex
	calls   []string
	notices map[string]provider.Notice
}

func (f *fake) note(call string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call)
}

// called counts the calls of a name.
func (f *fake) called(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if c == call {
			n++
		}
	}
	return n
}

// answered is what a scripted function answers, or the zero value without one.
func answered[A, V any](do func(A) (V, error), argument A) (V, error) {
	if do == nil {
		var zero V
		return zero, nil
	}
	return do(argument)
}

func (f *fake) Profile(_ context.Context, id string) (lending.Profile, error) {
	f.note("Profile")
	return answered(f.profile, id)
}

func (f *fake) ListProfiles(_ context.Context, q provider.ProfileQuery) (provider.ProfilePage, error) {
	f.note("ListProfiles")
	return answered(f.listProfiles, q)
}

func (f *fake) CreateCustomer(_ context.Context, c provider.NewCustomer) (lending.Profile, error) {
	f.note("CreateCustomer")
	if f.createCustomer == nil {
		return lending.Profile{ExternalID: "cust-" + c.Email, Status: lending.CustomerPendingKYC, KYCStatus: lending.KYCNotStarted}, nil
	}
	return f.createCustomer(c)
}

func (f *fake) CreditLine(_ context.Context, username string) (lending.CreditLine, error) {
	f.note("CreditLine")
	return answered(f.creditLine, username)
}

func (f *fake) SignUpURL(username string) string { return "https://sign.up/" + username }

func (f *fake) Check(a provider.LoanApplication) []lending.Problem {
	if f.check == nil {
		return nil
	}
	return f.check(a)
}

func (f *fake) Apply(ctx context.Context, a provider.LoanApplication) (provider.LoanResult, error) {
	f.note("Apply")
	if f.apply == nil {
		return provider.LoanResult{Loan: lending.Loan{ExternalID: "ext-" + a.Reference, Status: lending.LoanPendingReview, ProviderStatus: "pending_review"}}, nil
	}
	return f.apply(ctx, a)
}

func (f *fake) decided(ctx context.Context, verb, id string) (provider.LoanResult, error) {
	f.note(verb)
	if f.decide == nil {
		return provider.LoanResult{}, nil
	}
	return f.decide(ctx, verb, id)
}

func (f *fake) Approve(ctx context.Context, id string) (provider.LoanResult, error) {
	return f.decided(ctx, "Approve", id)
}

func (f *fake) Reject(ctx context.Context, id, _ string) (provider.LoanResult, error) {
	return f.decided(ctx, "Reject", id)
}

func (f *fake) Disburse(ctx context.Context, id string) (provider.LoanResult, error) {
	return f.decided(ctx, "Disburse", id)
}

func (f *fake) RecordPayment(_ context.Context, p provider.NewPayment) (lending.Payment, error) {
	f.note("RecordPayment")
	if f.recordPayment == nil {
		return lending.Payment{ExternalID: "pmt-" + p.Reference, Status: lending.PaymentCompleted, ProviderStatus: "completed", Amount: p.Amount}, nil
	}
	return f.recordPayment(p)
}

func (f *fake) RequestScore(_ context.Context, r provider.ScoreRequest) (provider.ScoreResult, error) {
	f.note("RequestScore")
	return answered(f.requestScore, r)
}

func (f *fake) ConfirmScore(_ context.Context, c provider.ScoreConfirmation) (provider.ScoreResult, error) {
	f.note("ConfirmScore")
	return answered(f.confirmScore, c)
}

func (f *fake) QueryScore(_ context.Context, reference string) (provider.ScoreResult, error) {
	f.note("QueryScore")
	return answered(f.queryScore, reference)
}

func (f *fake) OrderReport(_ context.Context, o provider.ReportOrder) (provider.ReportReceipt, error) {
	f.note("OrderReport")
	return answered(f.orderReport, o)
}

func (f *fake) FetchReport(_ context.Context, id string) (provider.ReportNotice, error) {
	f.note("FetchReport")
	return answered(f.fetchReport, id)
}

func (f *fake) CreateSupplier(_ context.Context, s provider.NewSupplier) (lending.Supplier, error) {
	f.note("CreateSupplier")
	if f.createSupplier == nil {
		return lending.Supplier{Provider: f.name, ExternalID: "SUPB-" + s.Name, Name: s.Name, Mobile: s.Mobile, TaxID: s.TaxID, Status: lending.SupplierPending}, nil
	}
	return f.createSupplier(s)
}

func (f *fake) Suppliers(_ context.Context, username string) ([]lending.Supplier, error) {
	f.note("Suppliers")
	return answered(f.suppliers, username)
}

func (f *fake) PayInvoice(_ context.Context, i provider.Invoice) (provider.InvoiceResult, error) {
	f.note("PayInvoice")
	return answered(f.payInvoice, i)
}

func (f *fake) UploadDocument(_ context.Context, u provider.Upload) (lending.Document, error) {
	f.note("UploadDocument")
	if f.upload != nil {
		return f.upload(u)
	}
	content, err := io.ReadAll(u.Content)
	return lending.Document{ExternalID: fmt.Sprintf("UDOC-%d", len(content)), Name: u.Name}, err
}

func (f *fake) RegisterWebhook(_ context.Context, r provider.Registration) (lending.Webhook, error) {
	f.note("RegisterWebhook")
	return answered(f.register, r)
}

func (f *fake) Ping(ctx context.Context) error {
	f.note("Ping")
	if f.ping == nil {
		return nil
	}
	return f.ping(ctx)
}

// tell makes a body stand for news.
func (f *fake) tell(body string, notice provider.Notice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.notices == nil {
		f.notices = map[string]provider.Notice{}
	}
	f.notices[body] = notice
}

// Verify takes what carries the header Signature: good. The dedupe key is the header Key, or the body.
func (f *fake) Verify(r provider.WebhookRequest) (provider.Receipt, error) {
	if r.Header.Get("Signature") != "good" {
		return provider.Receipt{}, &provider.UnverifiedError{Status: 401, Reason: "wrong signature"}
	}
	key := r.Header.Get("Key")
	if key == "" {
		key = string(r.Body)
	}
	return provider.Receipt{DedupeKey: key, Nonce: r.Header.Get("Nonce")}, nil
}

func (f *fake) Translate(body []byte) (provider.Notice, error) {
	if f.translate != nil {
		return f.translate(body)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	notice, known := f.notices[string(body)]
	if !known {
		return provider.Notice{}, provider.Garbled(f.name, provider.Read, errors.New("no news"))
	}
	if notice.Loan != nil { // what a driver gives is nobody else's
		notice.Loan = new(*notice.Loan)
	}
	return notice, nil
}

func (f *fake) Acknowledge(failed error) provider.Acknowledgement {
	if failed != nil {
		return provider.Acknowledgement{Status: 503, Body: []byte("again")}
	}
	return provider.Acknowledgement{Status: 200, Body: []byte("ok")}
}

// offers is the provider of a fake with the capabilities and the recovery that the real one has.
func (f *fake) offers() *provider.Provider {
	p := &provider.Provider{Name: f.name, Pinger: f}
	recovery := func(kind lending.OperationKind, how provider.Recovery) {
		p.Recovery = map[lending.OperationKind]provider.Recovery{kind: how}
	}
	switch f.name {
	case lending.Kredete:
		p.Profiles, p.ProfileList, p.Customers, p.Applications, p.Decisions = f, f, f, f, f
		p.Payments, p.Scores, p.Registrations, p.WebhookReceiver = f, f, f, f
		recovery(lending.OpCreateCustomer, provider.RecoverByListing)
	case lending.TrustDecision:
		p.Reports, p.WebhookReceiver = f, f
	case lending.Kredmint:
		p.CreditLines, p.SignUp, p.Suppliers, p.Invoices, p.Documents, p.WebhookReceiver = f, f, f, f, f, f
		recovery(lending.OpCreateSupplier, provider.RecoverByListing)
	case lending.Carbon:
		p.Applications = f
		recovery(lending.OpApplyForLoan, provider.RecoverByRepeating)
	case lending.OnePipe:
		p.Scores, p.Confirmations = f, f
		recovery(lending.OpRequestCreditScore, provider.RecoverByQuery)
	}
	return p
}

// reads is a reader without a cache: it answers what a test put there, and keeps what was evicted.
type reads[V any] struct {
	mu      sync.Mutex
	answers map[string]lending.Fetched[V]
	wanted  []lending.Freshness
	evicted []string
	wait    time.Duration
}

func (r *reads[V]) Read(ctx context.Context, keys []string, want lending.Freshness) []lending.Fetched[V] {
	if r.wait > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(r.wait):
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wanted = append(r.wanted, want)
	out := make([]lending.Fetched[V], len(keys))
	for i, key := range keys {
		answer, there := r.answers[key]
		if !there {
			answer = lending.Fetched[V]{Status: lending.SourceNone, Err: lending.NotFound("record")}
		}
		if err := ctx.Err(); err != nil {
			answer = lending.Fetched[V]{Status: lending.SourceUnavailable, Err: &lending.Error{Kind: lending.KindTimeout, Err: err}}
		}
		out[i] = answer
	}
	return out
}

func (r *reads[V]) Evict(_ context.Context, keys ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.evicted = append(r.evicted, keys...)
}

func (r *reads[V]) put(key string, answer lending.Fetched[V]) {
	if r.answers == nil {
		r.answers = map[string]lending.Fetched[V]{}
	}
	r.answers[key] = answer
}

// gone reports whether a key was evicted.
func (r *reads[V]) gone(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.evicted, key)
}

// The ways in which a call fails.
var (
	errLost     = &lending.Error{Kind: lending.KindOutcomeUnknown, Outcome: lending.OutcomeUnknown, Err: errors.New("cut: secret-token-9f")}
	errLater    = &lending.Error{Kind: lending.KindTimeout, Outcome: lending.OutcomeUnknown, Retryable: true, Err: errors.New("timeout")}
	errRefused  = &lending.Error{Kind: lending.KindUpstreamUnavailable, Outcome: lending.NotExecuted, Retryable: true, Err: errors.New("connection refused")}
	errRejected = &lending.Error{Kind: lending.KindUpstreamRejected, Outcome: lending.NotExecuted, Err: errors.New("no")}
)

// at is an error as the driver of a provider gives it.
func at(name lending.Provider, e *lending.Error) error {
	told := *e
	told.Provider = name
	return &told
}
