package kredete_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/kredete"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// listener keeps the webhooks whose signature is right, and refuses the others.
type listener struct {
	*httptest.Server
	mu      sync.Mutex
	events  []map[string]any
	refused int
}

func listen(t *testing.T, secret string) *listener {
	t.Helper()
	l := &listener{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		l.mu.Lock()
		defer l.mu.Unlock()
		if hex.EncodeToString(mac.Sum(nil)) != r.Header.Get("X-Kredete-Signature") {
			l.refused++
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		l.events = append(l.events, decode(t, string(body)))
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) heard() []map[string]any {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]map[string]any{}, l.events...)
}

func (l *listener) types() (types []string) {
	for _, e := range l.heard() {
		types = append(types, e["type"].(string))
	}
	return types
}

func (a *api) flush(t *testing.T) {
	t.Helper()
	a.must(t, 200, "POST", "/__sandbox/webhooks/flush", "")
}

func TestEverythingDoneIsToldInSignedWebhooks(t *testing.T) {
	t.Parallel()
	a, l := setup(t), listen(t, "your-webhook-secret")
	hook := a.must(t, 201, "POST", "/v2/webhooks", `{"url":"`+l.URL+`/webhooks/kredete","events":["loan.created",
"loan.approved","loan.disbursed","loan.repayment","customer.kyc_verified","payment.received"],
"secret":"your-webhook-secret","active":true}`)
	if _, told := hook["secret"]; told || hook["active"] != true {
		t.Errorf("the registration is answered with %v", hook)
	}
	created := a.must(t, 201, "POST", "/v2/loans", loanExample)
	loan := created["id"].(string)
	a.must(t, 200, "POST", "/v2/loans/"+loan+"/approve", "")
	a.must(t, 200, "POST", "/v2/loans/"+loan+"/disburse", "")
	payment := a.must(t, 201, "POST", "/v2/payments", `{"loan_id":"`+loan+`","amount":179167,"currency":"NGN",
"payment_method":"bank_transfer","payment_reference":"TRF-20260516-001"}`)
	pending := a.world.Person(5).KredeteID
	a.must(t, 200, "POST", "/__sandbox/customers/"+pending+"/verify-kyc", "")
	a.flush(t)

	want := []string{
		"loan.created", "loan.approved", "loan.disbursed", "payment.received", "loan.repayment",
		"customer.kyc_verified",
	}
	if diff := cmp.Diff(want, l.types()); diff != "" {
		t.Fatalf("events (-want +got):\n%s", diff)
	}
	events := l.heard()
	if diff := cmp.Diff(created, events[0]["data"]); diff != "" {
		t.Errorf("loan.created has other data than the answer:\n%s", diff)
	}
	id(t, events[2], "evt_")
	same(t, "loan.disbursed", events[2], `{"id":"evt_…","type":"loan.disbursed","created_at":"2026-04-16T10:30:00Z",
"data":{"loan_id":"`+loan+`","customer_id":"cust_2xK9mN3pQ7vR","amount":500000,"currency":"NGN",
"disbursement_reference":"DISB-2026041600001"}}`)
	for _, event := range events[3:5] {
		if diff := cmp.Diff(payment, event["data"]); diff != "" {
			t.Errorf("%s has other data than the answer:\n%s", event["type"], diff)
		}
	}
	same(t, "customer.kyc_verified", events[5]["data"].(map[string]any), `{"customer_id":"`+pending+`",
"kyc_status":"verified","verified_at":"2026-04-16T10:30:00Z"}`)
}

func TestOnlyWhatWasAskedForIsTold(t *testing.T) {
	t.Parallel()
	a, some, none := setup(t), listen(t, "s"), listen(t, "s")
	a.must(t, 201, "POST", "/v2/webhooks", `{"url":"`+some.URL+`","events":["loan.approved"],"secret":"s","active":true}`)
	a.must(t, 201, "POST", "/v2/webhooks", `{"url":"`+none.URL+`","events":["loan.approved"],"secret":"s","active":false}`)
	loan := a.must(t, 201, "POST", "/v2/loans", loanExample)["id"].(string)
	a.must(t, 200, "POST", "/v2/loans/"+loan+"/approve", "")
	a.flush(t)
	if got := some.types(); len(got) != 1 || got[0] != "loan.approved" {
		t.Errorf("told: %v", got)
	}
	if got := none.types(); len(got) != 0 {
		t.Errorf("an inactive address was told %v", got)
	}
}

func TestAForgedSignatureDoesNotVerify(t *testing.T) {
	t.Parallel()
	a, l := setup(t), listen(t, "s")
	a.Subscribe(l.URL, "s")
	if _, err := a.Core().Faults.Add(twin.Rule{Kind: twin.WrongSignature, Times: 1}); err != nil {
		t.Fatal(err)
	}
	a.must(t, 201, "POST", "/v2/loans", loanExample)
	a.must(t, 201, "POST", "/v2/loans", loanExample)
	a.flush(t)
	if got := len(l.heard()); got != 1 || l.refused != 2 {
		t.Errorf("%d heard, %d tries refused; want 1 and 2", got, l.refused)
	}
}

func TestThePastIsToldInOrderAndKnownAfterwards(t *testing.T) {
	t.Parallel()
	a, l := setup(t), listen(t, "s")
	a.Subscribe(l.URL, "s")
	a.must(t, 202, "POST", "/__sandbox/replay-history", `{"limit":7}`)
	a.flush(t)
	first := l.heard()
	loans := map[string]bool{}
	last, about := "", ""
	for _, event := range first {
		data := event["data"].(map[string]any)
		loan, _ := data["loan_id"].(string)
		if event["type"] == "loan.created" {
			loan = data["id"].(string)
			if data["status"] != "pending_review" {
				t.Errorf("a loan was created as %v", data["status"])
			}
		}
		if loan != about {
			last, about = "", loan
		}
		at := event["created_at"].(string)
		if at < last || at > world.DefaultEpoch.Format(time.RFC3339) {
			t.Errorf("%s of %s at %s, after one at %s", event["type"], loan, at, last)
		}
		last, loans[loan] = at, true
	}
	if len(loans) != 7 || !loans[a.world.Loans(0)[0].ID] {
		t.Errorf("%d loans were told of, want 7", len(loans))
	}
	a.must(t, 202, "POST", "/__sandbox/replay-history", `{"limit":7}`)
	a.flush(t)
	if diff := cmp.Diff(first, l.heard()[len(first):]); diff != "" {
		t.Errorf("a second replay differs:\n%s", diff)
	}
	a.must(t, 400, "POST", "/v2/loans/"+a.world.Loans(0)[0].ID+"/approve", "")
	a.must(t, 400, "POST", "/__sandbox/replay-history", `{"limit":"all"}`)
}

func TestThePastsPaymentsAddUp(t *testing.T) {
	t.Parallel()
	a, l := setup(t), listen(t, "s")
	a.Subscribe(l.URL, "s")
	a.Replay(0)
	a.flush(t)
	owed, ids := map[string]int64{}, map[string]bool{}
	for _, event := range l.heard() {
		ids[event["id"].(string)] = true
		data := event["data"].(map[string]any)
		switch event["type"] {
		case "loan.created":
			owed[data["id"].(string)] = kobo(t, data["total_repayment"])
		case "payment.received":
			parts := data["allocation"].(map[string]any)
			if kobo(t, parts["principal"])+kobo(t, parts["interest"]) != kobo(t, data["amount"]) {
				t.Errorf("the parts of %v do not add up", data)
			}
			owed[data["loan_id"].(string)] -= kobo(t, data["amount"])
		}
	}
	if len(ids) != len(l.heard()) {
		t.Errorf("%d events have %d ids", len(l.heard()), len(ids))
	}
	for i := range a.world.Size() {
		for _, past := range a.world.Loans(i) {
			left, told := owed[past.ID]
			if !told || (left == 0) != (past.Status() == lending.LoanRepaid) || left < 0 {
				t.Errorf("%s is %s with %d kobo left (told: %v)", past.ID, past.Status(), left, told)
			}
		}
	}
}

func kobo(t *testing.T, number any) int64 {
	t.Helper()
	m, err := lending.ParseMoney(number.(interface{ String() string }).String(), lending.NGN)
	if err != nil {
		t.Fatal(err)
	}
	return m.Minor()
}

func TestTokensAndIDsDoNotComeFromTheClock(t *testing.T) {
	t.Parallel()
	one, two := setup(t), setup(t)
	a, b := one.must(t, 201, "POST", "/v2/loans", loanExample), two.must(t, 201, "POST", "/v2/loans", loanExample)
	if a["id"] != b["id"] || one.token != two.token || strings.Contains(one.token, "secret") {
		t.Errorf("two runs differ: %v and %v", a["id"], b["id"])
	}
	if len(kredete.Events()) != 6 {
		t.Error("there are six events")
	}
}
