package kredete_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/kredete"
)

// The documentation's webhook on one line, and its signature with the secret "your-webhook-secret",
// computed by other means than this driver's.
const (
	vectorBody = `{"id":"evt_2xK9mN3pQ7vR","type":"loan.disbursed","created_at":"2026-04-17T09:00:00Z","data":` +
		`{"loan_id":"loan_5tY8kL2mN9pQ","customer_id":"cust_2xK9mN3pQ7vR","amount":500000,"currency":"NGN",` +
		`"disbursement_reference":"DISB-2026041700001"}}`
	vectorSignature = "a10e66ca8c7bc4e47b37e7909699f75c7d1774c44425aa34dde6b538cc6d734f"
)

func receiver(t *testing.T, options ...option) provider.WebhookReceiver {
	t.Helper()
	return newDriver(t, "https://kredete.test/v2", options...).WebhookReceiver
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	const wrong = "0000000000000000000000000000000000000000000000000000000000000000"
	for _, c := range []struct {
		name    string
		headers []string // name, value, name, value …
		status  int      // 0 for accepted
	}{
		{"the vector", []string{"X-Kredete-Signature", vectorSignature}, 0},
		{"another header", []string{"X-Webhook-Signature", vectorSignature}, 0},
		{"a third header", []string{"x-signature", vectorSignature}, 0},
		{"with its algorithm", []string{"X-Signature", "sha256=" + vectorSignature}, 0},
		{"in upper case", []string{"X-Signature", "SHA256=" + strings.ToUpper(vectorSignature)}, 0},
		{"the same one twice", []string{"X-Signature", vectorSignature, "X-Kredete-Signature", "sha256=" + vectorSignature}, 0},
		{"the same one twice in one header", []string{"X-Signature", vectorSignature, "X-Signature", vectorSignature}, 401},
		{"none", nil, 401},
		{"an empty one", []string{"X-Signature", ""}, 401},
		{"a wrong one", []string{"X-Signature", wrong}, 401},
		{"a right and a wrong one", []string{"X-Signature", vectorSignature, "X-Webhook-Signature", wrong}, 401},
		{"two in one header", []string{"X-Signature", vectorSignature, "X-Signature", wrong}, 401},
		{"no hexadecimal", []string{"X-Signature", "ohm" + vectorSignature}, 401},
		{"half of it", []string{"X-Signature", vectorSignature[:32]}, 401},
		{"a header that is not ours", []string{"Signature", vectorSignature}, 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			for i := 0; i < len(c.headers); i += 2 {
				h.Add(c.headers[i], c.headers[i+1])
			}
			receipt, err := receiver(t).Verify(provider.WebhookRequest{
				Method: http.MethodPost, Header: h, Body: []byte(vectorBody), ReceivedAt: now,
			})
			checkVerdict(t, err, c.status)
			if c.status == 0 && receipt != (provider.Receipt{DedupeKey: "evt_2xK9mN3pQ7vR"}) {
				t.Errorf("receipt = %+v", receipt)
			}
		})
	}
}

func checkVerdict(t *testing.T, err error, status int) {
	t.Helper()
	refused, ok := errors.AsType[*provider.UnverifiedError](err)
	switch {
	case status == 0 && err != nil:
		t.Errorf("refused: %v", err)
	case status != 0 && (!ok || refused.Status != status):
		t.Errorf("verdict = %v, want status %d", err, status)
	}
}

func TestConfiguredSignatureHeader(t *testing.T) {
	t.Parallel()
	r := receiver(t, func(c *kredete.Config, _ *kredete.Deps) { c.SignatureHeaders = []string{"X-Proof"} })
	_, err := r.Verify(signed("X-Proof", vectorSignature, []byte(vectorBody)))
	checkVerdict(t, err, 0)
	_, err = r.Verify(signed("X-Kredete-Signature", vectorSignature, []byte(vectorBody)))
	checkVerdict(t, err, http.StatusUnauthorized)
}

func TestWithoutASecretNothingIsAccepted(t *testing.T) {
	t.Parallel()
	r := receiver(t, func(c *kredete.Config, _ *kredete.Deps) { c.WebhookSecret = "" })
	// What HMAC with an empty key gives, which anybody can compute.
	_, err := r.Verify(signed("X-Signature", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", nil))
	checkVerdict(t, err, http.StatusUnauthorized)
}

func TestMethodsOfWebhooks(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPut, ""} {
		request := signed("X-Signature", vectorSignature, []byte(vectorBody))
		request.Method = method
		_, err := receiver(t).Verify(request)
		checkVerdict(t, err, http.StatusMethodNotAllowed)
	}
}

func TestTimesOfWebhooks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, at string
		status   int
	}{
		{"years late", "2020-01-01T00:00:00Z", 0},
		{"five minutes ahead", now.Add(5 * time.Minute).Format(time.RFC3339), 0},
		{"more than that", now.Add(5*time.Minute + time.Second).Format(time.RFC3339), 400},
		{"no time", "soon", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			body := fmt.Appendf(nil, `{"id":"evt_1","created_at":%q}`, c.at)
			request := signed("X-Signature", signature(body), body)
			_, err := receiver(t).Verify(request)
			checkVerdict(t, err, c.status)
			request.ReceivedAt = time.Time{} // the driver's own clock
			_, err = receiver(t).Verify(request)
			checkVerdict(t, err, c.status)
		})
	}
}

func TestDedupeKeys(t *testing.T) {
	t.Parallel()
	key := func(body string) string {
		t.Helper()
		receipt, err := receiver(t).Verify(signed("X-Signature", signature([]byte(body)), []byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		return receipt.DedupeKey
	}
	if got := key(`{"id":"evt_1"}`); got != "evt_1" {
		t.Errorf("key = %q", got)
	}
	if key(`{"id":"evt_1"}`) != key(`{"id":"evt_1","type":"loan.created"}`) {
		t.Error("one event has two keys")
	}
	for _, body := range []string{`{}`, `not JSON`, `{"id":"a b"}`, `{"id":"` + strings.Repeat("x", 129) + `"}`, `{"id":{}}`} {
		got := key(body)
		if !strings.HasPrefix(got, "sha256:") || len(got) != 71 || got == key(body+" ") {
			t.Errorf("key of %.40s = %q", body, got)
		}
	}
}

func TestAcknowledgements(t *testing.T) {
	t.Parallel()
	if a := receiver(t).Acknowledge(nil); a.Status != http.StatusOK || a.ContentType != "application/json" {
		t.Errorf("received: %+v", a)
	}
	if a := receiver(t).Acknowledge(errors.New("SECRET")); a.Status != http.StatusServiceUnavailable || bytes.Contains(a.Body, []byte("SECRET")) {
		t.Errorf("failed: %+v", a)
	}
}

// told is a notice in a line, to compare what matters.
func told(n provider.Notice) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	add("%s %s", n.Type, n.CustomerExternalID)
	if n.KYCStatus != "" {
		add("kyc %s", n.KYCStatus)
	}
	if n.Loan != nil {
		l := n.Loan.Loan
		add("loan %s %s %s %s", l.ExternalID, l.Status, l.ProviderStatus, l.Principal)
	}
	if n.Payment != nil {
		p := n.Payment.Payment
		add("payment %s %s of %s: %s %s", p.ExternalID, p.Reference, n.Payment.LoanExternalID, p.Status, p.Amount)
	}
	return strings.Join(parts, " | ")
}

func TestTranslate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, kind, data, want string }{
		{
			"created, fields side by side", "loan.created", `{"loan_id":"loan_1","customer_id":"cust_1","amount":500000,"currency":"NGN"}`,
			"LOAN_CREATED cust_1 | loan loan_1 PENDING_REVIEW loan.created 500000.00 NGN",
		},
		{
			"created, the loan itself", "loan.created", `{"id":"loan_1","customer_id":"cust_1","amount":"500000","status":"pending_review"}`,
			"LOAN_CREATED cust_1 | loan loan_1 PENDING_REVIEW pending_review 500000.00 NGN",
		},
		{
			"created, under its name", "loan.created", `{"loan":{"id":"loan_1","customer_id":"cust_1","amount":1}}`,
			"LOAN_CREATED cust_1 | loan loan_1 PENDING_REVIEW loan.created 1.00 NGN",
		},
		{"approved, no amount", "loan.approved", `{"loan_id":"loan_1"}`, "LOAN_APPROVED  | loan loan_1 APPROVED loan.approved 0.00 "},
		{
			"approved, whatever its status says", "Loan.Approved", `{"loan_id":"loan_1","status":"pending_review"}`,
			"LOAN_APPROVED  | loan loan_1 APPROVED pending_review 0.00 ",
		},
		{
			"disbursed, an amount that cannot be read", "loan.disbursed", `{"loan_id":"loan_1","amount":"a lot","currency":"?"}`,
			"LOAN_DISBURSED  | loan loan_1 DISBURSED loan.disbursed 0.00 ",
		},
		{"disbursed, data as a list", "loan.disbursed", `[{"loan_id":"loan_1"}]`, "LOAN_DISBURSED  | loan loan_1 DISBURSED loan.disbursed 0.00 "},
		{
			"repayment, no payment to know it by", "loan.repayment", `{"loan_id":"loan_1","amount":5}`,
			"LOAN_REPAYMENT  | loan loan_1 ACTIVE loan.repayment 0.00 ",
		},
		{
			"repayment, a payment's id", "loan.repayment", `{"loan_id":"loan_1","payment_id":"pmt_1","amount":5,"customer_id":"cust_1"}`,
			"LOAN_REPAYMENT cust_1 | loan loan_1 ACTIVE loan.repayment 0.00  | payment pmt_1  of loan_1: COMPLETED 5.00 NGN",
		},
		{
			"repayment, the payment itself", "loan.repayment", `{"id":"pmt_1","loan_id":"loan_1","amount":5,"status":"completed"}`,
			"LOAN_REPAYMENT  | loan loan_1 ACTIVE loan.repayment 0.00  | payment pmt_1  of loan_1: COMPLETED 5.00 NGN",
		},
		{"repayment, the loan itself", "loan.repayment", `{"id":"loan_1","amount":500000}`, "LOAN_REPAYMENT  | loan loan_1 ACTIVE loan.repayment 0.00 "},
		{
			"repayment, both under their names", "loan.repayment", `{"loan":{"id":"loan_1"},"payment":{"id":"pmt_1","amount":5,"customer_id":"cust_1"}}`,
			"LOAN_REPAYMENT cust_1 | loan loan_1 ACTIVE loan.repayment 0.00  | payment pmt_1  of loan_1: COMPLETED 5.00 NGN",
		},
		{
			"repayment, a payment without its loan", "loan.repayment", `{"id":"pmt_1","amount":5}`,
			"LOAN_REPAYMENT  | payment pmt_1  of : COMPLETED 5.00 NGN",
		},
		{
			"repayment by reference", "loan.repayment", `{"loan_id":"loan_1","payment_reference":"TRF-1","amount":5}`,
			"LOAN_REPAYMENT  | loan loan_1 ACTIVE loan.repayment 0.00  | payment  TRF-1 of loan_1: COMPLETED 5.00 NGN",
		},
		{
			"payment, as its answer", "payment.received", string(seed(t, "payment.json")),
			"PAYMENT_RECEIVED cust_2xK9mN3pQ7vR | payment pmt_7rU2kM8nP4qS  of loan_5tY8kL2mN9pQ: COMPLETED 179167.00 NGN",
		},
		{
			"payment, under its name", "payment.received", `{"payment":{"id":"pmt_1","loan_id":"loan_1","amount":"5.50","reference":"R"}}`,
			"PAYMENT_RECEIVED  | payment pmt_1 R of loan_1: COMPLETED 5.50 NGN",
		},
		{
			"payment, that failed", "payment.received", `{"payment_id":"pmt_1","loan_id":"loan_1","amount":5,"status":"failed"}`,
			"PAYMENT_RECEIVED  | payment pmt_1  of loan_1: FAILED 5.00 NGN",
		},
		{
			"payment, a word that nobody knows", "payment.received", `{"payment_id":"pmt_1","amount":5,"status":"bounced"}`,
			"PAYMENT_RECEIVED  | payment pmt_1  of : UNKNOWN 5.00 NGN",
		},
		{"verified, by customer_id", "customer.kyc_verified", `{"customer_id":"cust_1"}`, "CUSTOMER_KYC_VERIFIED cust_1 | kyc VERIFIED"},
		{"verified, the customer itself", "customer.kyc_verified", `{"id":"cust_1","kyc_status":"verified"}`, "CUSTOMER_KYC_VERIFIED cust_1 | kyc VERIFIED"},
		{"verified, under its name", "customer.kyc_verified", `{"customer":{"id":"cust_1"}}`, "CUSTOMER_KYC_VERIFIED cust_1 | kyc VERIFIED"},
		{"a type that is not documented", "loan.rejected", `{"loan_id":"loan_1","customer_id":"cust_1","status":"rejected"}`, "UNKNOWN cust_1"},
		{"a type without data", "ping", `null`, "UNKNOWN "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			body := fmt.Sprintf(`{"id":"evt_1","type":%q,"created_at":"2026-04-17T09:00:00Z","data":%s}`, c.kind, c.data)
			notice, err := receiver(t).Translate([]byte(body))
			if err != nil {
				t.Fatalf("%v (%s)", err, lending.AsError(err).Detail())
			}
			if got := told(notice); got != c.want {
				t.Errorf("told %q, want %q", got, c.want)
			}
			if notice.ProviderType != c.kind || notice.ExternalEventID != "evt_1" || notice.OccurredAt.IsZero() {
				t.Errorf("notice = %+v", notice)
			}
			if notice.Loan != nil && (notice.Type == lending.EventLoanDisbursed) == notice.Loan.Loan.DisbursedOn.IsZero() {
				t.Errorf("disbursed on %q", notice.Loan.Loan.DisbursedOn)
			}
		})
	}
}

func TestWebhooksThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no JSON":                       `loan.created`,
		"a list":                        `[]`,
		"no type":                       `{"id":"evt_1","data":{}}`,
		"a loan without an id":          `{"type":"loan.created","data":{"amount":5}}`,
		"a repayment of nothing":        `{"type":"loan.repayment","data":{"amount":5}}`,
		"a payment without an amount":   `{"type":"payment.received","data":{"payment_id":"pmt_1"}}`,
		"a payment of a kobo's part":    `{"type":"payment.received","data":{"payment_id":"pmt_1","amount":0.001}}`,
		"a payment of nothing":          `{"type":"payment.received","data":{"payment_id":"pmt_1","amount":0}}`,
		"a payment below zero":          `{"type":"payment.received","data":{"payment_id":"pmt_1","amount":-5}}`,
		"a payment in no currency":      `{"type":"payment.received","data":{"payment_id":"pmt_1","amount":5,"currency":"coins"}}`,
		"a verification of nobody":      `{"type":"customer.kyc_verified","data":{}}`,
		"an inexact identified payment": `{"type":"loan.repayment","data":{"loan_id":"loan_1","payment_id":"pmt_1","amount":"x"}}`,
	} {
		_, err := receiver(t).Translate([]byte(body))
		e := lending.AsError(err)
		if e == nil || e.Kind != lending.KindUpstreamProtocol || e.Provider != lending.Kredete || e.Outcome != lending.NotExecuted {
			t.Errorf("%s: %+v, want UPSTREAM_PROTOCOL", name, e)
		}
	}
}

func TestPayloadsHoldNothingPersonal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, want string }{
		{vectorBody, `{"eventId":"evt_2xK9mN3pQ7vR","loanId":"loan_5tY8kL2mN9pQ","amount":{"minorUnits":"50000000","currency":"NGN"},` +
			`"status":"DISBURSED","disbursementReference":"DISB-2026041700001"}`},
		{
			`{"id":"evt_1","type":"payment.received","data":{"id":"pmt_1","loan_id":"loan_1","customer_id":"cust_1","amount":5,
			"payment_reference":"from Adewale 08012345678","customer":{"id":"cust_1","phone":"+2348012345678"}}}`,
			`{"eventId":"evt_1","loanId":"loan_1","paymentId":"pmt_1","amount":{"minorUnits":"500","currency":"NGN"},"status":"COMPLETED"}`,
		},
		{`{"id":"from Adewale","type":"customer.kyc_verified","data":{"customer_id":"cust_1","email":"a@b.test"}}`, `{}`},
		{`{"id":"evt_1","type":"other","data":{"secret":"x"}}`, `{"eventId":"evt_1"}`},
	} {
		notice, err := receiver(t).Translate([]byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, string(notice.Payload)); diff != "" {
			t.Errorf("payload (-want +got):\n%s", diff)
		}
	}
}
