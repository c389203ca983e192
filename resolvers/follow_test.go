package resolvers_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// follow opens a subscription and gives what each of its events holds; "" at the end.
func (b *bench) follow(query string, scopes ...auth.Scope) func() string {
	b.Helper()
	listening := httptest.NewServer(b.handler)
	r := b.request(query, nil, scopes...)
	r.RequestURI = ""
	var err error
	r.URL, err = r.URL.Parse(listening.URL + "/graphql")
	b.must(err)
	r.Header.Set("Accept", "text/event-stream")
	response, err := listening.Client().Do(r)
	b.must(err)
	b.Cleanup(func() {
		_ = response.Body.Close() // nobody reads on
		listening.Client().CloseIdleConnections()
		listening.CloseClientConnections()
		listening.Close()
	})
	if response.StatusCode != http.StatusOK {
		b.Fatalf("answered %d", response.StatusCode)
	}
	lines := bufio.NewScanner(response.Body)
	return func() string {
		for lines.Scan() {
			if data, found := strings.CutPrefix(lines.Text(), "data: "); found {
				return data
			}
		}
		return ""
	}
}

// happens writes an event about a loan and an operation into the log, and tells those who follow it.
func (b *bench) happens(loan lending.LoanID, operation lending.OperationID) {
	b.Helper()
	b.must(b.store.AppendEvents(b.Context(), &lending.Event{
		ID: lending.EventID(fmt.Sprint(loan, operation, time.Now().UnixNano())), Type: lending.EventLoanDisbursed, Provider: lending.Kredete,
		Source: lending.FromWebhook, LoanID: loan, OperationID: operation, OccurredAt: time.Now(), ReceivedAt: time.Now(),
	}))
	b.hub.Publish()
}

func TestALoanIsShownNowAndWheneverItChanged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.customer("c1")
	loan, other := b.loan("l1", "c1"), b.loan("l2", "c1")
	next := b.follow(fmt.Sprintf(`subscription { loanUpdated(id: %q) { id status customer { firstName } } }`, loan.NodeID()))
	if got := next(); !strings.Contains(got, `"APPROVED"`) || !strings.Contains(got, `"Ada"`) {
		t.Fatalf("at first: %s", got)
	}
	b.happens(other.ID, "")
	loan.Status = lending.LoanDisbursed
	b.must(b.store.SaveLoan(t.Context(), loan))
	b.happens(loan.ID, "")
	if got := next(); !strings.Contains(got, `"DISBURSED"`) || !strings.Contains(got, loan.NodeID()) {
		t.Errorf("then: %s", got)
	}
}

func TestAnOperationIsShownNow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.operation("o1", func(*lending.Operation) {})
	next := b.follow(fmt.Sprintf(`subscription { operationUpdated(id: %q) { id status } }`, id))
	if got := next(); !strings.Contains(got, `"SUCCEEDED"`) {
		t.Errorf("at first: %s", got)
	}
}

func TestWhatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := lending.GlobalID[string](lending.LoanNode, "nothing")
	for name, test := range map[string]struct {
		query string
		scope auth.Scope
		code  string
	}{
		"a loan that is not there": {fmt.Sprintf(`subscription { loanUpdated(id: %q) { id } }`, id), auth.ReadLoans, "NOT_FOUND"},
		"an id that is none":       {`subscription { operationUpdated(id: "abc") { id } }`, auth.ReadLoans, "NOT_FOUND"},
		"a cursor that is none":    {`subscription { events(after: "abc") { cursor } }`, auth.ReadEvents, "VALIDATION"},
		"a filter that is none":    {`subscription { events(filter: {loanId: "abc"}) { cursor } }`, auth.ReadEvents, "VALIDATION"},
		"another's events":         {`subscription { events { cursor } }`, auth.ReadLoans, "FORBIDDEN"},
		"a provider that is none":  {`subscription { providerHealth(providers: [CARBON, UNKNOWN]) { id } }`, auth.ReadLoans, "VALIDATION"},
		"another's loans":          {fmt.Sprintf(`subscription { loanUpdated(id: %q) { id } }`, id), auth.ReadEvents, "FORBIDDEN"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := b.in(t).follow(test.query, test.scope)(); !strings.Contains(got, test.code) {
				t.Errorf("answered %s, want %s", got, test.code)
			}
		})
	}
}

func TestProvidersAreFollowedAsTheyAreRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	next := b.follow(`subscription { providerHealth(providers: [CARBON, ONE_PIPE]) { id name status sharedBy } }`, auth.ReadLoans)
	want := b.ask(`{ providers { id name status sharedBy } }`, nil, auth.ReadLoans).text
	got := next()
	if strings.Count(got, `"name"`) != 2 {
		t.Errorf("told %s", got)
	}
	for _, name := range []string{"Carbon", "OnePipe"} {
		i := strings.Index(got, `"name":"`+name)
		if i < 0 || !strings.Contains(want, got[i:i+strings.Index(got[i:], "}")]) {
			t.Errorf("followed: %s; read: %s", got, want)
		}
	}
}
