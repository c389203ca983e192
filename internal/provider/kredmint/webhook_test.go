package kredmint_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/kredmint"
)

func request(body string) provider.WebhookRequest {
	return provider.WebhookRequest{
		Method: http.MethodPost, Header: http.Header{"Authorization": {webhookAuthorization}}, Body: []byte(body),
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*provider.WebhookRequest)
		status int
	}{
		"agreed":         {func(*provider.WebhookRequest) {}, 0},
		"no header":      {func(r *provider.WebhookRequest) { r.Header = http.Header{} }, http.StatusUnauthorized},
		"nil header":     {func(r *provider.WebhookRequest) { r.Header = nil }, http.StatusUnauthorized},
		"empty":          {func(r *provider.WebhookRequest) { r.Header["Authorization"] = []string{""} }, http.StatusUnauthorized},
		"wrong":          {func(r *provider.WebhookRequest) { r.Header["Authorization"] = []string{"Basic d2ViaG9vaw="} }, http.StatusUnauthorized},
		"another case":   {func(r *provider.WebhookRequest) { r.Header["Authorization"] = []string{"basic d2ViaG9vaw=="} }, http.StatusUnauthorized},
		"our own to it":  {func(r *provider.WebhookRequest) { r.Header["Authorization"] = []string{authorization} }, http.StatusUnauthorized},
		"twice":          {func(r *provider.WebhookRequest) { r.Header.Add("Authorization", webhookAuthorization) }, http.StatusUnauthorized},
		"right and more": {func(r *provider.WebhookRequest) { r.Header.Add("Authorization", "Basic x") }, http.StatusUnauthorized},
		"a GET":          {func(r *provider.WebhookRequest) { r.Method = http.MethodGet }, http.StatusMethodNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(seed(t, "webhook_paid.json"))
			test.change(&r)
			receipt, err := stub("").WebhookReceiver.Verify(r)
			refused, is := errors.AsType[*provider.UnverifiedError](err)
			if test.status == 0 {
				if err != nil || receipt.DedupeKey == "" {
					t.Errorf("receipt %v, error %v", receipt, err)
				}
				return
			}
			if !is || refused.Status != test.status || receipt != (provider.Receipt{}) {
				t.Errorf("receipt %v, error %v, want status %d", receipt, err, test.status)
			}
		})
	}
}

func TestVerifyRefusesAllWithoutAnAgreedValue(t *testing.T) {
	t.Parallel()
	cfg := config("http://kredmint.invalid")
	cfg.WebhookAuthorization = ""
	p, err := kredmint.New(cfg, kredmint.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range []http.Header{{}, {"Authorization": {""}}, {"Authorization": {webhookAuthorization}}} {
		r := request(seed(t, "webhook_paid.json"))
		r.Header = header
		if _, err := p.WebhookReceiver.Verify(r); err == nil {
			t.Errorf("let in with %v", header)
		}
	}
}

// body is a webhook of an invoice, with fields changed.
func body(changes map[string]any) string {
	payload := map[string]any{
		"id": "IN-787", "username": "9599170579", "invoiceNumber": "543354123253", "paymentDate": 1716864267785,
		"amount": 1000, "transactionId": nil, "status": "Initiated", "utr": nil, "reason": nil,
	}
	envelope := map[string]any{"payload": payload, "type": "INVOICE", "timestamp": 1716865119200}
	for name, value := range changes {
		if name == "type" || name == "timestamp" || name == "payload" {
			envelope[name] = value
			continue
		}
		payload[name] = value
	}
	encoded, err := json.Marshal(envelope)
	if err != nil {
		panic(err) // the values of these tests can be encoded
	}
	return string(encoded)
}

func key(t fataler, body string) string {
	receipt, err := stub("").WebhookReceiver.Verify(request(body))
	if err != nil {
		t.Fatal(err)
	}
	return receipt.DedupeKey
}

func TestDedupeKey(t *testing.T) {
	t.Parallel()
	first := key(t, body(nil))
	for name, changes := range map[string]map[string]any{
		"sent later":      {"timestamp": 1716865119999},
		"another case":    {"status": "INITIATED"},
		"the same amount": {"amount": json.Number("1000.00")},
	} {
		if key(t, body(changes)) != first {
			t.Errorf("%s: news, want the same", name)
		}
	}
	seen := map[string]string{first: "the first"}
	for name, changes := range map[string]map[string]any{
		"another status":                    {"status": "Paid"},
		"another invoice":                   {"id": "IN-788"},
		"a transaction id":                  {"transactionId": "abc"},
		"a UTR of the same text":            {"utr": "abc"},
		"a reason of the same text":         {"reason": "abc"},
		"another type":                      {"type": "PAYMENT"},
		"no id":                             {"id": nil},
		"no id, another number":             {"id": nil, "invoiceNumber": "1"},
		"no id, another customer":           {"id": nil, "username": "9599170570"},
		"an undocumented type":              {"type": "USER"},
		"an undocumented type, sent later":  {"type": "USER", "timestamp": 1716865119999},
		"neither id nor number":             {"id": nil, "invoiceNumber": nil},
		"neither id nor number, other news": {"id": nil, "invoiceNumber": nil, "status": "Paid"},
	} {
		k := key(t, body(changes))
		if other, taken := seen[k]; taken {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[k] = name
	}
}

// Whatever the parts are, the same news has one key, and parts do not run together.
func TestDedupeKeyProperties(t *testing.T) {
	t.Parallel()
	part := rapid.StringMatching(`[a-c:|0-9]{1,4}`)
	rapid.Check(t, func(t *rapid.T) {
		draw := func() map[string]any {
			return map[string]any{"id": part.Draw(t, "id"), "transactionId": part.Draw(t, "transaction"), "utr": part.Draw(t, "utr"), "reason": part.Draw(t, "reason")}
		}
		a, b := draw(), draw()
		if same := cmp.Equal(a, b); same != (key(t, body(a)) == key(t, body(b))) {
			t.Fatalf("%v and %v: same %t", a, b, same)
		}
	})
}

// seedNotice is what one of the seed's webhooks tells, without the payload for the event log.
func seedNotice(status lending.LoanStatus, word, reference, reason string, paid lending.Date) provider.Notice {
	return provider.Notice{
		Type: lending.EventInvoiceStatusChanged, ProviderType: "INVOICE", CustomerExternalID: "9599170579",
		OccurredAt: time.Date(2024, 5, 28, 2, 58, 39, 200_000_000, time.UTC),
		Loan: &provider.LoanNotice{
			Loan: lending.Loan{
				Provider: lending.Kredmint, ExternalID: "IN-787", Reference: "543354123253", Status: status, ProviderStatus: word,
				Principal: lending.MustMoney("1000", lending.INR), DisbursementReference: reference, DisbursedOn: paid,
				FailureReason: reason,
			},
			CustomerExternalID: "9599170579", FailureReason: reason,
		},
	}
}

func TestTranslateTheSeed(t *testing.T) {
	t.Parallel()
	notice := func(status lending.LoanStatus, word, reference, reason string, paid lending.Date, payload string) provider.Notice {
		n := seedNotice(status, word, reference, reason, paid)
		n.Payload = []byte(payload)
		return n
	}
	const payload = `{"type":"INVOICE","id":"IN-787","invoiceNumber":"543354123253","status":"`
	const amount = `","amount":{"minorUnits":"100000","currency":"INR"}`
	for name, want := range map[string]provider.Notice{
		"webhook_initiated.json": notice(lending.LoanPendingReview, "Initiated", "", "", lending.Date{}, payload+"Initiated"+amount+"}"),
		"webhook_paid.json": notice(lending.LoanDisbursed, "Paid", "dsfgkgsfd", "", lending.NewDate(2024, 5, 28),
			payload+"Paid"+amount+`,"disbursementReference":"dsfgkgsfd"}`),
		"webhook_failed.json": notice(lending.LoanFailed, "Failed", "", "invalid amount or date provided", lending.Date{}, payload+"Failed"+amount+"}"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := stub("").WebhookReceiver.Translate([]byte(seed(t, name)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, compareMoney); diff != "" {
				t.Errorf("notice (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTranslateStatuses(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]lending.LoanStatus{
		"Initiated": lending.LoanPendingReview, "Verified": lending.LoanPendingReview, "Approved": lending.LoanApproved,
		"Paid": lending.LoanDisbursed, "Completed": lending.LoanDisbursed, "Failed": lending.LoanFailed,
		"Cancelled": lending.LoanCancelled, " PAID ": lending.LoanDisbursed, "Settled": lending.LoanUnknown,
		"Paid out": lending.LoanUnknown,
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			got, err := stub("").WebhookReceiver.Translate([]byte(body(map[string]any{"status": word})))
			if err != nil {
				t.Fatal(err)
			}
			if loan := got.Loan.Loan; loan.Status != want || loan.ProviderStatus != strings.TrimSpace(word) {
				t.Errorf("status %s (%q), want %s", loan.Status, loan.ProviderStatus, want)
			}
		})
	}
}

func TestTranslateDetails(t *testing.T) {
	t.Parallel()
	const hidden = "Kredmint gave a reason that is not shown here."
	for name, test := range map[string]struct {
		changes map[string]any
		want    func(lending.Loan) bool
	}{
		"the bank's reference goes first": {map[string]any{"utr": "UTR1", "transactionId": "T1"}, func(l lending.Loan) bool { return l.DisbursementReference == "UTR1" }},
		"paise":                           {map[string]any{"amount": "1,000.05"}, func(l lending.Loan) bool { return l.Principal.Minor() == 100_005 }},
		"an amount that is not told":      {map[string]any{"amount": nil}, func(l lending.Loan) bool { return l.Principal == lending.Money{} }},
		"a day in India":                  {map[string]any{"status": "Paid", "paymentDate": 1716921000000}, func(l lending.Loan) bool { return l.DisbursedOn == lending.NewDate(2024, 5, 29) }},
		"a day that we sent":              {map[string]any{"status": "Paid", "paymentDate": 1778371200000}, func(l lending.Loan) bool { return l.DisbursedOn == lending.NewDate(2026, 5, 10) }},
		"a day in seconds":                {map[string]any{"status": "Paid", "paymentDate": 1234567890}, func(l lending.Loan) bool { return l.DisbursedOn == lending.NewDate(2009, 2, 14) }},
		"a day that is none":              {map[string]any{"status": "Paid", "paymentDate": "tomorrow"}, func(l lending.Loan) bool { return l.DisbursedOn.IsZero() }},
		"a reason with a number":          {map[string]any{"status": "Failed", "reason": "9599170579 is blocked"}, func(l lending.Loan) bool { return l.FailureReason == hidden }},
		"a reason with a spaced number":   {map[string]any{"status": "Failed", "reason": "call 95991 70579"}, func(l lending.Loan) bool { return l.FailureReason == hidden }},
		"a reason with an e-mail":         {map[string]any{"status": "Failed", "reason": "ask ops@kredmint.test"}, func(l lending.Loan) bool { return l.FailureReason == hidden }},
		"a reason with an address":        {map[string]any{"status": "Failed", "reason": "see https://example.com/x?token=1"}, func(l lending.Loan) bool { return l.FailureReason == hidden }},
		"an endless reason":               {map[string]any{"status": "Failed", "reason": strings.Repeat("no ", 100)}, func(l lending.Loan) bool { return l.FailureReason == hidden }},
		"no id":                           {map[string]any{"id": nil}, func(l lending.Loan) bool { return l.ExternalID == "" && l.Reference == "543354123253" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := stub("").WebhookReceiver.Translate([]byte(body(test.changes)))
			if err != nil {
				t.Fatal(err)
			}
			if !test.want(got.Loan.Loan) {
				t.Errorf("loan %+v", got.Loan.Loan)
			}
			if text := string(got.Payload); strings.Contains(text, "9599170579") || strings.Contains(text, "reason") {
				t.Errorf("personal data or free text in the payload: %s", text)
			}
		})
	}
}

// Only INVOICE has a schema: what the others say changes nothing, and is not shown.
func TestTranslateOtherTypes(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]lending.EventType{
		"PAYMENT": lending.EventPayment, "PAYMENT_SETTLEMENT": lending.EventPaymentSettlement, "NACH": lending.EventNACH,
		"USER": lending.EventUser, "payment": lending.EventPayment, "REFUND": lending.EventUnknown,
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			got, err := stub("").WebhookReceiver.Translate([]byte(body(map[string]any{"type": word, "pan": "ABCDE1234F"})))
			if err != nil {
				t.Fatal(err)
			}
			want := provider.Notice{
				Type: want, ProviderType: word, OccurredAt: time.Date(2024, 5, 28, 2, 58, 39, 200_000_000, time.UTC),
				CustomerExternalID: "9599170579", Payload: []byte(`{"type":"` + word + `"}`),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("notice (-want +got):\n%s", diff)
			}
		})
	}
	got, err := stub("").WebhookReceiver.Translate([]byte(`{"type":"NACH","payload":[1,2]}`))
	if err != nil || got.Type != lending.EventNACH || !got.OccurredAt.IsZero() {
		t.Errorf("a payload of another shape: %v %v", got, err)
	}
}

func TestTranslateRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":               "",
		"no JSON":               "username=9599170579",
		"a list":                `[{"type":"INVOICE"}]`,
		"no type":               `{"payload":{}}`,
		"no payload":            `{"type":"INVOICE"}`,
		"neither id nor number": body(map[string]any{"id": nil, "invoiceNumber": nil}),
		"no status":             body(map[string]any{"status": nil}),
		"a part of a paisa":     body(map[string]any{"amount": json.Number("1000.001")}),
		"no amount":             body(map[string]any{"amount": "thousand"}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := stub("").WebhookReceiver.Translate([]byte(text))
			if lending.KindOf(err) != lending.KindUpstreamProtocol {
				t.Fatalf("error %v, want UPSTREAM_PROTOCOL", err)
			}
			if strings.Contains(lending.AsError(err).Detail(), "9599170579") {
				t.Errorf("the body is in the error: %s", lending.AsError(err).Detail())
			}
		})
	}
}

// A body is stored and read again after it was verified: neither step may write to it.
func TestBodiesStayAsTheyCame(t *testing.T) {
	t.Parallel()
	text := `{"type":"INVOICE","payload":[{"id":"IN-787","status":"Paid"},{"id":"IN-788","status":"Paid"}]}`
	r := request(text)
	w := stub("").WebhookReceiver
	if _, err := w.Verify(r); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Translate(r.Body); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, string(r.Body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestAcknowledge(t *testing.T) {
	t.Parallel()
	w := stub("").WebhookReceiver
	want := provider.Acknowledgement{Status: http.StatusOK, ContentType: "application/json", Body: []byte("{}")}
	if diff := cmp.Diff(want, w.Acknowledge(nil)); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
	want.Status = http.StatusServiceUnavailable
	if diff := cmp.Diff(want, w.Acknowledge(errors.New("store is down"))); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
}
