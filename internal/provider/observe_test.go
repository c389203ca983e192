package provider_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// seen is an observer that keeps what it is told.
type seen struct {
	mu  sync.Mutex
	all []provider.Observation
}

func (s *seen) Observe(o provider.Observation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, o)
}

func (s *seen) last() provider.Observation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[len(s.all)-1]
}

// driver does in every call what do says.
type driver struct {
	do func(ctx context.Context) error
}

func (d driver) Profile(ctx context.Context, _ string) (lending.Profile, error) {
	return lending.Profile{}, d.do(ctx)
}

func (d driver) ListProfiles(ctx context.Context, _ provider.ProfileQuery) (provider.ProfilePage, error) {
	return provider.ProfilePage{}, d.do(ctx)
}

func (d driver) CreateCustomer(ctx context.Context, _ provider.NewCustomer) (lending.Profile, error) {
	return lending.Profile{}, d.do(ctx)
}

func (d driver) CreditLine(ctx context.Context, _ string) (lending.CreditLine, error) {
	return lending.CreditLine{}, d.do(ctx)
}

func (d driver) Check(provider.LoanApplication) []lending.Problem {
	return []lending.Problem{{Message: "checked"}}
}

func (d driver) Apply(ctx context.Context, _ provider.LoanApplication) (provider.LoanResult, error) {
	return provider.LoanResult{}, d.do(ctx)
}

func (d driver) Approve(ctx context.Context, _ string) (provider.LoanResult, error) {
	return provider.LoanResult{}, d.do(ctx)
}

func (d driver) Reject(ctx context.Context, _, _ string) (provider.LoanResult, error) {
	return provider.LoanResult{}, d.do(ctx)
}

func (d driver) Disburse(ctx context.Context, _ string) (provider.LoanResult, error) {
	return provider.LoanResult{}, d.do(ctx)
}

func (d driver) RecordPayment(ctx context.Context, _ provider.NewPayment) (lending.Payment, error) {
	return lending.Payment{}, d.do(ctx)
}

func (d driver) RequestScore(ctx context.Context, _ provider.ScoreRequest) (provider.ScoreResult, error) {
	return provider.ScoreResult{}, d.do(ctx)
}

func (d driver) ConfirmScore(ctx context.Context, _ provider.ScoreConfirmation) (provider.ScoreResult, error) {
	return provider.ScoreResult{}, d.do(ctx)
}

func (d driver) QueryScore(ctx context.Context, _ string) (provider.ScoreResult, error) {
	return provider.ScoreResult{}, d.do(ctx)
}

func (d driver) OrderReport(ctx context.Context, _ provider.ReportOrder) (provider.ReportReceipt, error) {
	return provider.ReportReceipt{}, d.do(ctx)
}

func (d driver) FetchReport(ctx context.Context, _ string) (provider.ReportNotice, error) {
	return provider.ReportNotice{}, d.do(ctx)
}

func (d driver) CreateSupplier(ctx context.Context, _ provider.NewSupplier) (lending.Supplier, error) {
	return lending.Supplier{}, d.do(ctx)
}

func (d driver) Suppliers(ctx context.Context, _ string) ([]lending.Supplier, error) {
	return nil, d.do(ctx)
}

func (d driver) PayInvoice(ctx context.Context, _ provider.Invoice) (provider.InvoiceResult, error) {
	return provider.InvoiceResult{}, d.do(ctx)
}

func (d driver) UploadDocument(ctx context.Context, _ provider.Upload) (lending.Document, error) {
	return lending.Document{}, d.do(ctx)
}

func (d driver) RegisterWebhook(ctx context.Context, _ provider.Registration) (lending.Webhook, error) {
	return lending.Webhook{}, d.do(ctx)
}
func (d driver) Ping(ctx context.Context) error { return d.do(ctx) }

func (d driver) RateLimit() (limit, remaining int, resetsAt time.Time, ok bool) {
	return 60, 59, time.Unix(1713254460, 0), true
}

func whole(d driver) *provider.Provider {
	return &provider.Provider{
		Name: lending.Kredete, Profiles: d, ProfileList: d, Customers: d, CreditLines: d, Applications: d, Decisions: d,
		Payments: d, Scores: d, Confirmations: d, Reports: d, Suppliers: d, Invoices: d, Documents: d, Registrations: d, Pinger: d,
	}
}

type callOf struct {
	class provider.Class
	run   func(ctx context.Context, p *provider.Provider) error
}

// second is the error of a call's two results.
func second[T any](_ T, err error) error { return err }

// calls are all calls of the port by name, with what each may do at the provider.
func calls() map[string]callOf {
	return map[string]callOf{
		"Profile": {provider.Read, func(ctx context.Context, p *provider.Provider) error { return second(p.Profiles.Profile(ctx, "x")) }},
		"ListProfiles": {provider.Read, func(ctx context.Context, p *provider.Provider) error {
			return second(p.ProfileList.ListProfiles(ctx, provider.ProfileQuery{}))
		}},
		"CreateCustomer": {provider.Write, func(ctx context.Context, p *provider.Provider) error {
			return second(p.Customers.CreateCustomer(ctx, provider.NewCustomer{}))
		}},
		"CreditLine": {provider.Read, func(ctx context.Context, p *provider.Provider) error {
			return second(p.CreditLines.CreditLine(ctx, "x"))
		}},
		"Apply": {provider.Write, func(ctx context.Context, p *provider.Provider) error {
			return second(p.Applications.Apply(ctx, provider.LoanApplication{}))
		}},
		"Approve":  {provider.Write, func(ctx context.Context, p *provider.Provider) error { return second(p.Decisions.Approve(ctx, "x")) }},
		"Reject":   {provider.Write, func(ctx context.Context, p *provider.Provider) error { return second(p.Decisions.Reject(ctx, "x", "")) }},
		"Disburse": {provider.Write, func(ctx context.Context, p *provider.Provider) error { return second(p.Decisions.Disburse(ctx, "x")) }},
		"RecordPayment": {provider.Write, func(ctx context.Context, p *provider.Provider) error {
			return second(p.Payments.RecordPayment(ctx, provider.NewPayment{}))
		}},
		"RequestScore": {provider.Write, func(ctx context.Context, p *provider.Provider) error {
			return second(p.Scores.RequestScore(ctx, provider.ScoreRequest{}))
		}},
		"ConfirmScore": {provider.Write, func(ctx context.Context, p *provider.Provider) error {
			return second(p.Confirmations.ConfirmScore(ctx, provider.ScoreConfirmation{}))
		}},
		"QueryScore": {provider.Read, func(ctx context.Context, p *provider.Provider) error {
			return second(p.Confirmations.QueryScore(ctx, "x"))
		}},
		"OrderReport": {provider.Write, func(ctx context.Context, p *provider.Provider) error {
			return second(p.Reports.OrderReport(ctx, provider.ReportOrder{}))
		}},
		"FetchReport": {provider.Read, func(ctx context.Context, p *provider.Provider) error { return second(p.Reports.FetchReport(ctx, "x")) }},
		"CreateSupplier": {provider.Write, func(ctx context.Context, p *provider.Provider) error {
			return second(p.Suppliers.CreateSupplier(ctx, provider.NewSupplier{}))
		}},
		"Suppliers": {provider.Read, func(ctx context.Context, p *provider.Provider) error { return second(p.Suppliers.Suppliers(ctx, "x")) }},
		"PayInvoice": {provider.Write, func(ctx context.Context, p *provider.Provider) error {
			return second(p.Invoices.PayInvoice(ctx, provider.Invoice{}))
		}},
		"UploadDocument": {provider.Write, func(ctx context.Context, p *provider.Provider) error {
			return second(p.Documents.UploadDocument(ctx, provider.Upload{}))
		}},
		"RegisterWebhook": {provider.Write, func(ctx context.Context, p *provider.Provider) error {
			return second(p.Registrations.RegisterWebhook(ctx, provider.Registration{}))
		}},
		"Ping": {provider.Read, func(ctx context.Context, p *provider.Provider) error { return p.Pinger.Ping(ctx) }},
	}
}

func TestEveryCallIsBoundedAndReported(t *testing.T) {
	t.Parallel()
	for name, call := range calls() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				watch := &seen{}
				p := provider.Observe(whole(driver{func(ctx context.Context) error {
					<-ctx.Done()
					return &lending.Error{Kind: lending.KindTimeout, Outcome: lending.NotExecuted, Err: ctx.Err()}
				}}), provider.Limits{Read: 2 * time.Second, Write: 15 * time.Second}, watch)
				limit := 2 * time.Second
				if call.class != provider.Read {
					limit = 15 * time.Second
				}
				began := time.Now()
				err := call.run(t.Context(), p)
				if took := time.Since(began); took != limit {
					t.Errorf("it took %s, want %s", took, limit)
				}
				o := watch.last()
				if o.Provider != lending.Kredete || o.Operation != name || o.Class != call.class || o.Took != limit || !o.Began.Equal(began) || o.Err != err || len(watch.all) != 1 {
					t.Errorf("reported: %+v, the error %v", o, err)
				}
			})
		})
	}
}

func TestASuccessIsReportedAsOne(t *testing.T) {
	t.Parallel()
	watch := &seen{}
	p := provider.Observe(whole(driver{func(context.Context) error { return nil }}), provider.Limits{Read: time.Minute, Write: time.Minute}, watch)
	for name, call := range calls() {
		if err := call.run(t.Context(), p); err != nil || watch.last().Err != nil || watch.last().Operation != name {
			t.Errorf("%s: %v, reported %+v", name, err, watch.last())
		}
	}
	if got := p.Applications.Check(provider.LoanApplication{}); len(got) != 1 || len(watch.all) != len(calls()) {
		t.Errorf("the check says %v, and %d calls were reported", got, len(watch.all))
	}
}

func TestWhateverADriverDoesTheErrorHasAKind(t *testing.T) {
	t.Parallel()
	refused := &lending.Error{Kind: lending.KindUpstreamRejected, Outcome: lending.NotExecuted}
	for name, test := range map[string]struct {
		do                 func(context.Context) error
		read, write, dedup [2]string // kind and outcome
		retry              bool      // of a deduped write
	}{
		"a panic": {
			func(context.Context) error { panic("secret-9f: index out of range") },
			[2]string{"INTERNAL", "UNKNOWN"},
			[2]string{"OUTCOME_UNKNOWN", "UNKNOWN"},
			[2]string{"INTERNAL", "UNKNOWN"},
			true,
		},
		"a plain error": {
			func(context.Context) error { return errors.New("secret-9f: " + io.ErrUnexpectedEOF.Error()) },
			[2]string{"INTERNAL", "UNKNOWN"},
			[2]string{"OUTCOME_UNKNOWN", "UNKNOWN"},
			[2]string{"INTERNAL", "UNKNOWN"},
			true,
		},
		"an error of its kind": {
			func(context.Context) error { return refused },
			[2]string{"UPSTREAM_REJECTED", "NOT_EXECUTED"},
			[2]string{"UPSTREAM_REJECTED", "NOT_EXECUTED"},
			[2]string{"UPSTREAM_REJECTED", "NOT_EXECUTED"},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			watch := &seen{}
			limits := provider.Limits{Read: time.Minute, Write: time.Minute}
			plain := provider.Observe(whole(driver{test.do}), limits, watch)
			dedupes := whole(driver{test.do})
			dedupes.Recovery = map[lending.OperationKind]provider.Recovery{lending.OpApplyForLoan: provider.RecoverByRepeating}
			deduped := provider.Observe(dedupes, limits, watch)
			for what, check := range map[string]struct {
				err  error
				want [2]string
			}{
				"read":          {calls()["Profile"].run(t.Context(), plain), test.read},
				"write":         {calls()["Disburse"].run(t.Context(), plain), test.write},
				"deduped write": {calls()["Apply"].run(t.Context(), deduped), test.dedup},
			} {
				e, ok := check.err.(*lending.Error)
				if !ok {
					t.Fatalf("%s: %T", what, check.err)
				}
				if got := [2]string{string(e.Kind), string(e.Outcome)}; got != check.want || e.Provider != lending.Kredete {
					t.Errorf("%s: %v at %q, want %v", what, got, e.Provider, check.want)
				}
				if strings.Contains(e.Error(), "secret-9f") {
					t.Errorf("%s: the public text is %q", what, e.Error())
				}
				if what == "deduped write" && e.Retryable != test.retry {
					t.Errorf("retryable: %t", e.Retryable)
				}
			}
			if refused.Provider != "" {
				t.Error("the driver's own error was changed")
			}
		})
	}
}

func TestWhatAProviderCannotBeAskedForStaysSo(t *testing.T) {
	t.Parallel()
	limits := provider.Limits{Read: time.Minute, Write: time.Minute}
	full := whole(driver{func(context.Context) error { return nil }})
	full.Recovery = map[lending.OperationKind]provider.Recovery{lending.OpApplyForLoan: provider.RecoverByQuery}
	for _, p := range []*provider.Provider{full, {Name: lending.OnePipe}} {
		wrapped := provider.Observe(p, limits, &seen{})
		before, after := reflect.ValueOf(*p), reflect.ValueOf(*wrapped)
		for i := range before.NumField() {
			if before.Field(i).IsZero() != after.Field(i).IsZero() {
				t.Errorf("%s: %s", p.Name, before.Type().Field(i).Name)
			}
		}
		if diff := cmp.Diff(p.Capabilities(), wrapped.Capabilities()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p.Name, diff)
		}
	}
	limited := provider.Observe(full, limits, &seen{}).Pinger.(interface {
		RateLimit() (limit, remaining int, resetsAt time.Time, ok bool)
	})
	if limit, remaining, _, ok := limited.RateLimit(); !ok || limit != 60 || remaining != 59 {
		t.Errorf("the rate limit is %d, %d, %t", limit, remaining, ok)
	}
}
