package service_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
	"github.com/creditgraph/creditgraph/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// migrated is a database with its schema and nothing in it, as a file's content: each test starts from a copy,
// because making one takes longer than most tests.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "creditgraph-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "records.db")
	records, err := store.Open(context.Background(), config(file, time.Now))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(records.Migrate(context.Background()), records.Close()); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(file)
	return content, errors.Join(err, os.RemoveAll(dir))
})

func config(file string, clock func() time.Time) store.Config {
	return store.Config{URL: "sqlite:" + file, DataKey: bytes.Repeat([]byte{7}, 32), Clock: clock}
}

// clock shows the time that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// logbook is what was logged; it may be written to from any goroutine.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

type hints struct{ n atomic.Int64 }

func (h *hints) Publish() { h.n.Add(1) }

// bench is a service over five fake providers and the real store on SQLite.
type bench struct {
	*testing.T
	ctx     context.Context
	clock   *clock
	store   *store.Store
	service *service.Service
	health  *service.Health
	log     *logbook
	hints   *hints

	kredete, bureau, kredmint, carbon, onepipe *fake

	profiles  *reads[lending.Profile]
	lines     *reads[lending.CreditLine]
	suppliers *reads[[]lending.Supplier]

	ids *atomic.Int64
	// dying says that the process is about to end: its answers reach nobody, and may be errors.
	dying bool
}

// today is the first day of every test, 16 April 2026, at noon.
func today() time.Time { return time.Date(2026, 4, 16, 12, 0, 0, 0, time.UTC) }

// setup makes a bench; change may alter what the service is made of.
func setup(t *testing.T, change ...func(*service.Config)) *bench {
	t.Helper()
	c := &clock{now: today()}
	content, err := migrated()
	if err != nil {
		t.Fatal(lending.AsError(err).Detail())
	}
	file := filepath.Join(t.TempDir(), "records.db")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	records, err := store.Open(t.Context(), config(file, c.Now))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := records.Close(); err != nil {
			t.Error(err)
		}
	})
	b := newBench(t, records, c)
	b.serve(change...)
	return b
}

func newBench(t *testing.T, records *store.Store, c *clock) *bench {
	b := &bench{
		T: t, ctx: t.Context(), clock: c, store: records, log: &logbook{}, hints: &hints{}, ids: &atomic.Int64{},
		kredete: &fake{name: lending.Kredete}, bureau: &fake{name: lending.TrustDecision},
		kredmint: &fake{name: lending.Kredmint}, carbon: &fake{name: lending.Carbon}, onepipe: &fake{name: lending.OnePipe},
		profiles: &reads[lending.Profile]{}, lines: &reads[lending.CreditLine]{}, suppliers: &reads[[]lending.Supplier]{},
	}
	t.Cleanup(func() {
		if told := personal(b.log.String()); len(told) > 0 {
			t.Errorf("the log tells personal data, %q:\n%s", told, b.log)
		}
	})
	return b
}

// personal are the personal values of these tests that stand in a text: parts of the phone numbers, e-mail addresses,
// identifiers and accounts which they give customers.
func personal(text string) (found []string) {
	for _, value := range []string{"@example.com", "801234567", "98765432", "223707565", "12345678901", "1234567890", "0000014579"} {
		if strings.Contains(text, value) {
			found = append(found, value)
		}
	}
	return found
}

// serve makes a service, as another process on the same records would.
func (b *bench) serve(change ...func(*service.Config)) {
	b.health = service.NewHealth(b.clock.Now)
	parts := service.Config{
		Store: b.store, Health: b.health, Publisher: b.hints, Clock: b.clock.Now,
		Logger:  slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Readers: service.Readers{Profiles: b.profiles, CreditLines: b.lines, Suppliers: b.suppliers},
		Settings: service.Settings{
			TokenKey: []byte("token key"), WebhookSecret: "shared",
			ReplayWait: time.Millisecond, // who waits longer says so
		},
	}
	for _, f := range []*fake{b.kredete, b.bureau, b.kredmint, b.carbon, b.onepipe} {
		parts.Providers = append(parts.Providers, f.offers())
	}
	for _, c := range change {
		c(&parts)
	}
	b.service = service.New(parts)
}

// without takes a provider out of the configuration.
func without(name lending.Provider) func(*service.Config) {
	return func(c *service.Config) {
		var kept []*provider.Provider
		for _, p := range c.Providers {
			if p.Name != name {
				kept = append(kept, p)
			}
		}
		c.Providers = kept
	}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("unexpected error: %v: %s", err, lending.AsError(err).Detail())
	}
}

// done gives the result of an action that must not be an error.
func (b *bench) done(result *service.Result, err error) *service.Result {
	b.Helper()
	if b.dying {
		return result
	}
	b.must(err)
	return result
}

// id makes an id or key that no other on this bench is equal to.
func (b *bench) id(kind string) string {
	return kind + "-" + strconv.FormatInt(b.ids.Add(1), 10)
}

// customer saves a customer, linked at providers: pairs of provider and id.
func (b *bench) customer(links ...string) lending.CustomerID {
	b.Helper()
	c := &lending.Customer{
		ID: lending.CustomerID(b.id("customer")), FirstName: "Ada", LastName: "Obi", Phone: "+2348012345678",
		Email: "ada@example.com", Status: lending.CustomerActive, CreatedAt: b.clock.Now(), UpdatedAt: b.clock.Now(),
	}
	b.must(b.store.SaveCustomer(b.ctx, c))
	for i := 0; i < len(links); i += 2 {
		b.must(b.store.Link(b.ctx, lending.Identity{
			CustomerID: c.ID, Provider: lending.Provider(links[i]), ExternalID: links[i+1], LinkedAt: b.clock.Now(),
		}))
	}
	return c.ID
}

// everywhere are links of one customer at all providers, with ids that end in a suffix.
func everywhere(suffix string) []string {
	return []string{
		"KREDETE", "cust-" + suffix, "TRUST_DECISION", "2237075650" + suffix[len(suffix)-1:], "KREDMINT", "987654321" + suffix[len(suffix)-1:],
		"CARBON", "carb-" + suffix, "ONE_PIPE", "ref-" + suffix,
	}
}

// loan saves a loan of Kredete's of 500,000 NGN, repayable with 537,500, with changes.
func (b *bench) loan(customer lending.CustomerID, status lending.LoanStatus, changes ...func(*lending.Loan)) lending.LoanID {
	b.Helper()
	l := &lending.Loan{
		ID: lending.LoanID(b.id("loan")), CustomerID: customer, Provider: lending.Kredete, ExternalID: b.id("loan_x"),
		Status: status, ProviderStatus: strings.ToLower(string(status)), Principal: naira("500000"),
		TotalRepayment: new(naira("537500")), Tenure: lending.Tenure{Value: 90, Unit: lending.Days},
		Paid: naira("0"), Outstanding: naira("0"), Overdue: naira("0"), CreatedAt: b.clock.Now(), UpdatedAt: b.clock.Now(),
	}
	if status.PaidOut() {
		l.DisbursedOn = lending.DateOf(b.clock.Now())
	}
	for _, change := range changes {
		change(l)
	}
	b.must(b.store.SaveLoan(b.ctx, l))
	return l.ID
}

func (b *bench) theLoan(id lending.LoanID) *lending.Loan {
	b.Helper()
	found, err := b.store.Loans(b.ctx, []lending.LoanID{id})
	b.must(err)
	if found[id] == nil {
		b.Fatalf("there is no loan %s", id)
	}
	return found[id]
}

func (b *bench) loansOf(id lending.CustomerID) []*lending.Loan {
	b.Helper()
	pages, err := b.store.LoansOf(b.ctx, []lending.CustomerID{id}, lending.PageRequest{First: 100})
	b.must(err)
	return nodes(pages[id])
}

func (b *bench) paymentsOf(id lending.LoanID) []*lending.Payment {
	b.Helper()
	pages, err := b.store.PaymentsOfLoans(b.ctx, []lending.LoanID{id}, lending.PageRequest{First: 100})
	b.must(err)
	return nodes(pages[id])
}

func (b *bench) reportsOf(id lending.CustomerID) []*lending.CreditReport {
	b.Helper()
	pages, err := b.store.ReportsOf(b.ctx, []lending.CustomerID{id}, lending.PageRequest{First: 100})
	b.must(err)
	return nodes(pages[id])
}

func (b *bench) theOperation(id lending.OperationID) *lending.Operation {
	b.Helper()
	found, err := b.store.Operations(b.ctx, []lending.OperationID{id})
	b.must(err)
	if found[id] == nil {
		b.Fatalf("there is no operation %s", id)
	}
	return found[id]
}

// events are the types of all events so far, in the order of the log, less those of operations.
func (b *bench) events() []lending.EventType {
	b.Helper()
	var types []lending.EventType
	for _, e := range b.eventLog() {
		if e.Type != lending.EventOperationUpdated {
			types = append(types, e.Type)
		}
	}
	return types
}

func (b *bench) eventLog() []*lending.Event {
	b.Helper()
	all, err := b.store.EventsAfter(b.ctx, 0, 1000)
	b.must(err)
	return all
}

func nodes[T any](page lending.Page[T]) []T {
	var list []T
	for _, edge := range page.Edges {
		list = append(list, edge.Node)
	}
	return list
}

// deliver sends a webhook and applies it.
func (b *bench) deliver(f *fake, body string, header ...string) {
	b.Helper()
	if ack := b.receive(f, body, header...); ack.Status != http.StatusOK {
		b.Fatalf("answered %d", ack.Status)
	}
	b.must(b.service.Drain(b.ctx))
}

func (b *bench) receive(f *fake, body string, header ...string) provider.Acknowledgement {
	b.Helper()
	ack, err := b.service.ReceiveWebhook(b.ctx, f.name, request(body, header...))
	b.must(err)
	return ack
}

func request(body string, header ...string) provider.WebhookRequest {
	h := http.Header{"Signature": {"good"}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return provider.WebhookRequest{Method: http.MethodPost, Header: h, Body: []byte(body), ReceivedAt: today()}
}

// read is what a document's content is read as.
func read(text string) io.ReadSeeker { return strings.NewReader(text) }

// in is the bench within a subtest.
func (b *bench) in(t *testing.T) *bench {
	inner := *b
	inner.T, inner.ctx = t, t.Context()
	return &inner
}

// inBubble is setup within a synctest bubble: the clock is the bubble's own, so that the time passes which
// the test sleeps.
func inBubble(t *testing.T, change ...func(*service.Config)) *bench {
	t.Helper()
	time.Sleep(time.Until(today()))
	b := setup(t, append([]func(*service.Config){func(c *service.Config) { c.Clock = time.Now }}, change...)...)
	return b
}
