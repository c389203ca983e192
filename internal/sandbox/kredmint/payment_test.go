package kredmint_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestAPaymentOfAnInvoice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mobile := b.mobile(0)
	before := b.profile(mobile)
	shown := b.eligibility(payment(mobile, "543354123253", "1000"))
	for _, field := range []string{"availableCreditLimit", "creditLimit", "totalOutstanding", "state"} {
		if shown[field] != before[field] {
			t.Errorf("the answer shows %s %v, before it was %v", field, shown[field], before[field])
		}
	}
	available := fmt.Sprint(before["availableCreditLimit"])
	if shown["landingType"] != "INVOICE" || shown["title"] != "Pay by kred Mint." ||
		shown["subTitle"] != "Available Credit Rs "+strings.TrimSuffix(available, ".0") {
		t.Errorf("answer %v", shown)
	}
	var statuses []string
	for _, h := range b.delivered() {
		statuses = append(statuses, h.status())
		if h.authorization != hookCredentials {
			t.Errorf("Authorization %q", h.authorization)
		}
	}
	if want := []string{"Initiated", "Verified", "Approved", "Paid", "Completed"}; !slices.Equal(statuses, want) {
		t.Fatalf("webhooks %v, want %v", statuses, want)
	}
	want := map[string]any{
		"payload": map[string]any{
			"id": "IN-787", "username": mobile, "invoiceNumber": "543354123253", "paymentDate": json.Number("1713814546794"),
			"amount": json.Number("1000.0"), "transactionId": nil, "status": "Initiated", "utr": nil, "reason": nil,
		},
		"type": "INVOICE", "timestamp": json.Number("1776416400000"),
	}
	hooks := b.delivered()
	if diff := cmp.Diff(want, hooks[0].body); diff != "" {
		t.Error(diff)
	}
	paid, completed := hooks[3].payload(), hooks[4].payload()
	transaction, _ := paid["transactionId"].(string)
	if !regexp.MustCompile(`^[a-z]{9}$`).MatchString(transaction) || paid["utr"] != nil || completed["utr"] == nil ||
		completed["transactionId"] != transaction {
		t.Errorf("paid %v, completed %v", paid, completed)
	}
	for i, amount := range map[int]int64{0: -1000_00, 1: 1000_00} {
		field := []string{"availableCreditLimit", "totalOutstanding"}[i]
		then, now := rupees(t, before[field]), rupees(t, b.profile(mobile)[field])
		if now-then != amount {
			t.Errorf("%s went from %d to %d paise", field, then, now)
		}
	}
}

func rupees(t *testing.T, v any) int64 {
	t.Helper()
	digits, _ := v.(json.Number)
	m, err := lending.ParseMoney(string(digits), lending.INR)
	if err != nil {
		t.Fatal(err)
	}
	return m.Minor()
}

func TestPaymentsThatComeToNothing(t *testing.T) {
	t.Parallel()
	for amount, test := range map[string]struct{ last, reason string }{
		"1000.13": {"Failed", "invalid amount or date provided"},
		"1000.14": {"Cancelled", "cancelled by the user"},
	} {
		t.Run(test.last, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			before := b.profile(b.mobile(0))["availableCreditLimit"]
			b.eligibility(payment(b.mobile(0), "INV-1", amount))
			hooks := b.delivered()
			last := hooks[len(hooks)-1].payload()
			if len(hooks) != 3 || last["status"] != test.last || last["reason"] != test.reason || last["transactionId"] != nil {
				t.Errorf("%d webhooks, the last %v", len(hooks), last)
			}
			if hooks[1].payload()["reason"] != nil {
				t.Errorf("a reason before its time: %v", hooks[1])
			}
			if after := b.profile(b.mobile(0))["availableCreditLimit"]; after != before {
				t.Errorf("the limit went from %v to %v", before, after)
			}
		})
	}
}

func TestPaymentsThatAreNotTaken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	available := b.profile(b.mobile(0))["availableCreditLimit"]
	over := lending.NewMoney(rupees(t, available)+1, lending.INR).Literal()
	for name, test := range map[string]struct{ body, why string }{
		"over the limit":        {payment(b.mobile(0), "INV-1", over), "Insufficient credit limit"},
		"an unfinished sign-up": {payment(b.mobile(10), "INV-1", "1"), "User profile is incomplete"},
		"a stranger":            {payment("9599170579", "INV-1", "1"), "User profile is incomplete"},
	} {
		status, envelope := b.post("/user/eligibility", test.body)
		if status != http.StatusOK || envelope["error"] != test.why || envelope["payload"] != nil {
			t.Errorf("%s: HTTP %d %v", name, status, envelope)
		}
	}
	if hooks, effects := b.delivered(), b.effects("invoice.pay"); len(hooks) != 0 || len(effects) != 0 {
		t.Errorf("%d webhooks and %d effects", len(hooks), len(effects))
	}
	all := lending.NewMoney(rupees(t, available), lending.INR).Literal()
	b.eligibility(payment(b.mobile(0), "INV-1", all))
	if got := b.profile(b.mobile(0))["availableCreditLimit"]; got != json.Number("0.0") {
		t.Errorf("after all was spent %v is left", got)
	}
}

func TestThePaymentOfASupplier(t *testing.T) {
	t.Parallel()
	b := setup(t)
	pay := func(username, supplier string) (int, map[string]any) {
		body := strings.Replace(payment(username, "INV-1", "10"), "{", `{"supplierId":"`+supplier+`",`, 1)
		return b.post("/user/eligibility", body)
	}
	theirs := b.suppliers(b.mobile(0))[0]["id"].(string)
	if status, envelope := pay(b.mobile(0), theirs); status != http.StatusOK || envelope["error"] != nil {
		t.Errorf("HTTP %d %v", status, envelope)
	}
	if status, _ := pay(b.mobile(4), theirs); status != http.StatusNotFound {
		t.Errorf("somebody else's supplier: HTTP %d", status)
	}
	if got := b.effects("invoice.pay"); len(got) != 1 {
		t.Errorf("effects %v", got)
	}
}

func TestTheSameInvoiceAgainIsPaidAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	start := rupees(t, b.profile(b.mobile(0))["availableCreditLimit"])
	for range 2 {
		b.eligibility(payment(b.mobile(0), "INV-1", "100"))
	}
	b.eligibility(payment(b.mobile(4), "INV-1", "100"))
	var ids []string
	for _, e := range b.effects("invoice.pay") {
		if e.Key != "INV-1" {
			t.Errorf("effect %+v", e)
		}
		ids = append(ids, e.EntityID)
	}
	if !slices.Equal(ids, []string{"IN-787", "IN-787", "IN-788"}) {
		t.Errorf("invoices %v", ids)
	}
	if got := rupees(t, b.profile(b.mobile(0))["availableCreditLimit"]); start-got != 200_00 {
		t.Errorf("%d paise went from the limit", start-got)
	}
	if got := len(b.delivered()); got != 15 {
		t.Errorf("%d webhooks of three payments", got)
	}
}

func TestAnyWayToWriteANumberIsTheSameUser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.eligibility(payment(b.mobile(0), "INV-1", "100"))
	const field = "availableCreditLimit"
	if one, other := b.profile(b.mobile(0))[field], b.profile("91" + b.mobile(0))[field]; one != other {
		t.Errorf("%v and %v", one, other)
	}
}

func TestASignUpCanBeEnded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := `{"username":"` + b.mobile(10) + `","creditLimit":100000}`
	if got := b.admin("/__sandbox/users", body); got != http.StatusNoContent {
		t.Fatalf("HTTP %d", got)
	}
	got := b.profile(b.mobile(10))
	if got["state"] != "Active" || got["availableCreditLimit"] != json.Number("100000.0") {
		t.Errorf("profile %v", got)
	}
}

func TestAPaymentWhoseAnswerIsCutIsCarriedOut(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]int{"cut_before_effect": 0, "cut_after_effect": 1, "half_body": 1} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.admin("/__sandbox/faults", `{"kind":"`+kind+`","match":{"path":"/user/eligibility"},"times":1}`)
			request, err := http.NewRequest(http.MethodPost, b.url+"/user/eligibility",
				strings.NewReader(payment(b.mobile(0), "INV-1", "100")))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", credentials)
			if response, err := b.client.Do(request); err == nil {
				_, err = new(bytes.Buffer).ReadFrom(response.Body)
				response.Body.Close()
				if err == nil {
					t.Fatalf("a whole answer: HTTP %d", response.StatusCode)
				}
			}
			if got := b.effects("invoice.pay"); len(got) != want {
				t.Errorf("effects %v, want %d", got, want)
			}
		})
	}
}
