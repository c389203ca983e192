package server_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestWhoFollowsTheSameInTheSameWaySharesAFeed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.flood(1, 3, 1)
	one, two := b.store.EventCursor(1), b.store.EventCursor(2)
	const filtered = `subscription($after: String, $types: [EventType!]) { events(after: $after, filter: {types: $types}) { cursor } }`
	const spread = `subscription($after: String) { ...F } fragment F on Subscription { here: events(after: $after) { cursor } }`
	const twice = `subscription($after: String) { events(after: $after) { event { customer { events(after: $ after) { pageInfo { hasNextPage } } } } } }`
	const named = `subscription A { events { cursor } } subscription B { events { event { id } } }`
	type asked struct {
		query     string
		variables string
	}
	kinds := func(after, kind string) string { return fmt.Sprintf(`{"after":%q,"types":[%q]}`, after, kind) }
	begins := func(after string) string { return fmt.Sprintf(`{"after":%q}`, after) }
	for name, test := range map[string]struct {
		list  []asked
		feeds int
	}{
		"another beginning":                  {[]asked{{followEvents, begins(one)}, {followEvents, begins(two)}, {followEvents, `{}`}}, 1},
		"another beginning, in a fragment":   {[]asked{{spread, begins(one)}, {spread, begins(two)}}, 1},
		"another filter in a variable":       {[]asked{{filtered, kinds(one, "NACH_EVENT")}, {filtered, kinds(one, "UNKNOWN")}, {filtered, kinds(two, "UNKNOWN")}}, 2},
		"another filter in the query":        {[]asked{{`subscription { events(filter: {types: [UNKNOWN]}) { cursor } }`, `{}`}, {`subscription { events(filter: {types: [NACH_EVENT]}) { cursor } }`, `{}`}}, 2},
		"another alias":                      {[]asked{{`subscription { a: events { cursor } }`, `{}`}, {`subscription { b: events { cursor } }`, `{}`}}, 2},
		"a beginning that is also used else": {[]asked{{twice, begins(one)}, {twice, begins(two)}}, 2},
		"another operation of a document":    {[]asked{{named, `{}","operationName":"A`}, {named, `{}","operationName":"B`}}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			p := b.connect()
			for i, a := range test.list {
				variables, operation, _ := strings.Cut(a.variables, `","operationName":"`)
				b.begun(func() {
					p.say(fmt.Sprintf(`{"id":"%d","type":"subscribe","payload":{"query":%q,"variables":%s,"operationName":%q}}`, i, a.query, variables, operation))
				})
			}
			if feeds := b.handler.Feeds().Len(); feeds != test.feeds {
				t.Errorf("%d feeds, want %d", feeds, test.feeds)
			}
			if err := p.conn.CloseNow(); err != nil {
				t.Error(err)
			}
			eventually(t, "all feeds end", func() bool { return b.handler.Feeds().Len() == 0 })
		})
	}
}

func TestWhoMaySeeLessIsToldLess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.approved("loan-1")
	const query = `subscription { events { cursor event { loan { id } } } }`
	all, few, alike := b.connect(), b.open(), b.open()
	few.init(b.token(auth.ReadEvents, auth.ReadPII))
	alike.init(b.token(auth.ReadPII, auth.ReadEvents)) // the same, told in another order
	for _, p := range []*peer{all, few, alike} {
		b.begun(func() { p.ask("1", query, nil) })
	}
	if feeds := b.handler.Feeds().Len(); feeds != 2 {
		t.Errorf("%d feeds", feeds)
	}
	b.aboutLoan("e1", loan)
	if got := string(all.hear().Payload); !strings.Contains(got, lending.GlobalID(lending.LoanNode, loan)) || strings.Contains(got, "FORBIDDEN") {
		t.Errorf("heard %s", got)
	}
	for _, p := range []*peer{few, alike} {
		if got := string(p.hear().Payload); strings.Contains(got, lending.GlobalID(lending.LoanNode, loan)) || !strings.Contains(got, "FORBIDDEN") {
			t.Errorf("heard %s", got)
		}
	}
}

// aboutLoan writes an event about a loan into the log.
func (b *bench) aboutLoan(id lending.EventID, loan lending.LoanID) {
	b.Helper()
	err := b.store.AppendEvents(b.Context(), &lending.Event{
		ID: id, Type: lending.EventLoanApproved, ProviderType: string(id), Provider: lending.Kredete, Source: lending.FromWebhook,
		LoanID: loan, OccurredAt: time.Now(), ReceivedAt: time.Now(),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.hub.Publish()
}

func TestWhileOurRecordsAreAwayAnEventWaits(t *testing.T) {
	t.Parallel()
	const query = `subscription { events { cursor event { providerType loan { status } } } }`
	for name, follow := range map[string]func(b *bench) (heard func() string){
		"over a websocket": func(b *bench) func() string {
			p := b.connect()
			p.ask("1", query, nil)
			return func() string { return string(p.hear().Payload) }
		},
		"in a stream": func(b *bench) func() string {
			s := b.follow(b.get(query, ""))
			return func() string { return s.hear().data }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			loan := b.approved("loan-1")
			var away atomic.Bool
			var failed atomic.Int32
			b.records.loans = func() error {
				if away.Load() {
					failed.Add(1)
					return &lending.Error{Kind: lending.KindUnavailable, Outcome: lending.NotExecuted, Retryable: true, Err: context.DeadlineExceeded}
				}
				return nil
			}
			var hear func() string
			b.begun(func() { hear = follow(b) })
			away.Store(true)
			b.aboutLoan("e1", loan)
			began := time.Now()
			eventually(t, "it is tried again and again", func() bool { return failed.Load() >= 5 })
			if took := time.Since(began); took < 2*time.Second {
				t.Errorf("it was tried 5 times in %s", took)
			}
			away.Store(false) // which nobody says
			for _, id := range []string{"e1", "e2"} {
				if id == "e2" {
					b.aboutLoan("e2", loan)
				}
				if got := hear(); !strings.Contains(got, `"APPROVED"`) || !strings.Contains(got, id) {
					t.Errorf("heard %s", got)
				}
			}
		})
	}
}

// An event whose rendering panics is told as an error; those behind it come as ever.
func TestAnEventThatCannotBeRenderedStopsNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	loan := b.approved("loan-1")
	var broken atomic.Bool
	b.records.loans = func() error {
		if broken.Load() {
			panic("a bug")
		}
		return nil
	}
	p := b.connect()
	b.begun(func() { p.ask("1", `subscription { events { cursor event { providerType loan { status } } } }`, nil) })
	broken.Store(true)
	b.aboutLoan("e1", loan)
	if got := p.hear(); got.Type != "next" || !strings.Contains(string(got.Payload), "INTERNAL") {
		t.Errorf("heard %s", got)
	}
	broken.Store(false)
	b.aboutLoan("e2", loan)
	if got := p.hear(); !strings.Contains(string(got.Payload), `"APPROVED"`) {
		t.Errorf("heard %s", got)
	}
}
