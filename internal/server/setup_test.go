package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/event"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/server"
	"github.com/creditgraph/creditgraph/internal/service"
	"github.com/creditgraph/creditgraph/internal/store"
	"github.com/creditgraph/creditgraph/internal/telemetry"
	"github.com/creditgraph/creditgraph/resolvers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lender is a provider that decides on loans, takes payments and documents, and counts what moves money.
type lender struct {
	mu    sync.Mutex
	moved int
}

func (l *lender) Approve(context.Context, string) (provider.LoanResult, error) {
	return provider.LoanResult{}, nil
}

func (l *lender) Reject(context.Context, string, string) (provider.LoanResult, error) {
	return provider.LoanResult{}, nil
}

func (l *lender) Disburse(context.Context, string) (provider.LoanResult, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moved++
	return provider.LoanResult{}, nil
}

func (l *lender) UploadDocument(_ context.Context, u provider.Upload) (lending.Document, error) {
	content, err := io.ReadAll(u.Content)
	return lending.Document{ExternalID: "UDOC-1", Name: u.Name + " " + string(content)}, err
}

// records is the store, with loans that fail as a test says, and may be out of order.
type records struct {
	service.Store
	listLoans func() error
	loans     func() error
	down      error
}

func (r *records) ListLoans(ctx context.Context, f lending.LoanFilter, o lending.LoanOrder, p lending.PageRequest) (lending.Page[*lending.Loan], error) {
	if r.listLoans != nil {
		if err := r.listLoans(); err != nil {
			return lending.Page[*lending.Loan]{}, err
		}
	}
	return r.Store.ListLoans(ctx, f, o, p)
}

func (r *records) Loans(ctx context.Context, ids []lending.LoanID) (map[lending.LoanID]*lending.Loan, error) {
	if r.loans != nil {
		if err := r.loans(); err != nil {
			return nil, err
		}
	}
	return r.Store.Loans(ctx, ids)
}

// logbook is what was logged.
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

// bench is a server on a port of its own, over the real store.
type bench struct {
	testing.TB
	url     string
	handler *server.Server
	client  *http.Client
	store   *store.Store
	records *records
	lender  *lender
	hub     *event.Hub
	health  *service.Health
	issuer  *auth.Issuer
	log     *logbook
	logger  *slog.Logger
}

func setup(t testing.TB) *bench {
	t.Helper()
	return setupWith(t, func(*server.Config) {})
}

// setupWithin is setup with other limits of websockets and streams.
func setupWithin(t testing.TB, limits server.SocketLimits) *bench {
	t.Helper()
	return setupWith(t, func(c *server.Config) { *c = server.Within(*c, limits) })
}

// setupWith is a bench whose server is configured in another way.
func setupWith(t testing.TB, change func(*server.Config)) *bench {
	t.Helper()
	return setupWatched(t, change)
}

// setupWatched is setupWith over a store with options.
func setupWatched(t testing.TB, change func(*server.Config), options ...store.Option) *bench {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{
		URL: "sqlite:" + filepath.Join(t.TempDir(), "records.db"), DataKey: bytes.Repeat([]byte{7}, 32),
	}, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(lending.AsError(err).Detail())
	}
	b := &bench{TB: t, store: db, records: &records{Store: db}, lender: &lender{}, log: &logbook{}}
	logger := slog.New(telemetry.NewLogHandler(slog.NewTextHandler(b.log, nil)))
	b.hub = event.NewHub(db, time.Second, logger)
	b.hub.Start()
	t.Cleanup(b.hub.Stop)
	b.health = service.NewHealth(time.Now)
	use := service.New(service.Config{
		Store: b.records, Health: b.health, Publisher: b.hub, Clock: time.Now, Logger: logger,
		Providers: []*provider.Provider{{Name: lending.Kredete, Decisions: b.lender}, {Name: lending.Kredmint, Documents: b.lender}},
		Settings:  service.Settings{TokenKey: []byte("key")},
	})
	t.Cleanup(func() {
		if err := use.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	root := resolvers.New(resolvers.Config{Service: use, Store: b.records, Cursors: db, Audit: db})
	if b.issuer, err = auth.NewIssuer([]byte("data key"), time.Now); err != nil {
		t.Fatal(err)
	}
	b.logger = logger
	configured := server.Config{
		Resolvers: root, Source: root.Source(), Issuer: b.issuer, Clients: nobody{}, Webhooks: use, Events: b.hub, Cursors: db,
		Ready: func(context.Context) error { return b.records.down }, Clock: time.Now, Logger: logger,
	}
	change(&configured)
	b.handler = server.New(configured)
	listening := httptest.NewServer(b.handler)
	b.url, b.client = listening.URL, listening.Client()
	t.Cleanup(func() {
		if err := b.handler.Drain(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		b.client.CloseIdleConnections()
		listening.Close()
	})
	return b
}

// in is the bench of a test within a test.
func (b *bench) in(t *testing.T) *bench {
	inner := *b
	inner.TB = t
	return &inner
}

type nobody struct{}

func (nobody) Client(context.Context, string) (auth.Client, error) {
	return auth.Client{}, lending.NotFound("client")
}

// token is one with scopes; with all of them where none is named.
func (b *bench) token(scopes ...auth.Scope) string {
	b.Helper()
	if len(scopes) == 0 {
		scopes = auth.Scopes()
	}
	token, err := b.issuer.Issue("web", scopes, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	return token
}

// request is a query on its way to /graphql, for a token with all scopes.
func (b *bench) request(query string, variables map[string]any) *http.Request {
	b.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		b.Fatal(err)
	}
	return b.post(bytes.NewReader(body))
}

func (b *bench) post(body io.Reader) *http.Request {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, b.url+"/graphql", body)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+b.token())
	return r
}

// failure is one error of an answer.
type failure struct {
	Message    string
	Path       []any
	Extensions map[string]any
}

// answer is what came back.
type answer struct {
	status     int
	header     http.Header
	text       string
	Data       map[string]any
	Errors     []failure
	Extensions map[string]any
}

func (b *bench) send(r *http.Request) answer {
	b.Helper()
	response, err := b.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		b.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, text: string(text)}
	if strings.Contains(response.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(text, &a); err != nil {
			b.Fatalf("%v: %s", err, text)
		}
	}
	return a
}

func (b *bench) ask(query string, variables map[string]any) answer {
	b.Helper()
	return b.send(b.request(query, variables))
}

// code is the code of an answer's only error; "" for none.
func (a answer) code() string {
	switch len(a.Errors) {
	case 0:
		return ""
	case 1:
		code, _ := a.Errors[0].Extensions["code"].(string)
		return code
	}
	return "several"
}

// approved saves a customer and a loan of theirs that can be paid out.
func (b *bench) approved(id lending.LoanID) lending.LoanID {
	b.Helper()
	zero := lending.NewMoney(0, lending.NGN)
	customer := &lending.Customer{ID: "c-" + lending.CustomerID(id), FirstName: "Ada", CreatedAt: time.Now()}
	if err := b.store.SaveCustomer(b.Context(), customer); err != nil {
		b.Fatal(err)
	}
	loan := &lending.Loan{
		ID: id, CustomerID: customer.ID, Provider: lending.Kredete, ExternalID: "x-" + string(id), Status: lending.LoanApproved,
		Principal: lending.MustMoney("500000", lending.NGN), Paid: zero, Outstanding: zero, Overdue: zero, CreatedAt: time.Now(),
	}
	if err := b.store.SaveLoan(b.Context(), loan); err != nil {
		b.Fatal(err)
	}
	return id
}

func (l *logbook) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}
