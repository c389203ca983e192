package carbon_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

var compareValues = cmp.Comparer(func(a, b lending.Money) bool { return a == b })

func TestApplicationIsTheSeedsRequest(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.answers(http.StatusCreated, string(example(t, "created.json")))
	if _, err := d.Applications.Apply(t.Context(), application()); err != nil {
		t.Fatal(err)
	}
	request := d.only(t)
	if request.method != http.MethodPost || request.path != "/baas/api/v1/loans/apply" {
		t.Errorf("asked %s %s", request.method, request.path)
	}
	for _, name := range []string{"x-carbon-key", "apikey"} {
		if got := request.header.Get(name); got != apiKey {
			t.Errorf("%s is %q: both headers carry the key", name, got)
		}
	}
	if got := request.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	if diff := cmp.Diff(string(bytes.TrimSpace(example(t, "request.json"))), request.body); diff != "" {
		t.Error(diff)
	}
}

func TestDaysAreSentAsMonths(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.answers(http.StatusCreated, string(example(t, "created.json")))
	a := application()
	a.Tenure = lending.Tenure{Value: 90, Unit: lending.Days}
	if _, err := d.Applications.Apply(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(bytes.TrimSpace(example(t, "request.json"))), d.only(t).body); diff != "" {
		t.Error(diff)
	}
}

// TestAmountsKeepEveryDigit sends an amount in kobo and reads it back from an answer.
func TestAmountsKeepEveryDigit(t *testing.T) {
	t.Parallel()
	d := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		kobo := rapid.Int64Range(300_000, 1<<53-1).Draw(rt, "kobo")
		form := rapid.SampledFrom([]string{"%d", `"%d"`, "%d.0", `"%d.00"`}).Draw(rt, "form")
		d.answers(http.StatusOK, fmt.Sprintf(`{"data":{"id":"a-1","amount":`+form+`}}`, kobo))
		a := application()
		a.Principal = lending.NewMoney(kobo, lending.NGN)
		result, err := d.Applications.Apply(t.Context(), a)
		if err != nil {
			rt.Fatal(err)
		}
		if result.Loan.Principal != a.Principal {
			rt.Fatalf("%d kobo came back as %v", kobo, result.Loan.Principal)
		}
		sent := d.asked[len(d.asked)-1].body
		if !strings.Contains(sent, fmt.Sprintf(`"amount":%d,`, kobo)) {
			rt.Fatalf("%d kobo were sent as %s", kobo, sent)
		}
	})
}

func TestCreatedApplication(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.answers(http.StatusCreated, string(example(t, "created.json")))
	got, err := d.Applications.Apply(t.Context(), application())
	if err != nil {
		t.Fatal(err)
	}
	want := provider.LoanResult{Loan: lending.Loan{
		Provider: lending.Carbon, ExternalID: applicationID, Reference: "MERCH_REF_001",
		Status: lending.LoanPendingReview, ProviderStatus: "PENDING",
	}}
	if diff := cmp.Diff(want, got, compareValues); diff != "" {
		t.Error(diff)
	}
}

func TestKnownReferenceTellsTheTermsThatCarbonHas(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.answers(http.StatusOK, string(example(t, "existing.json")))
	got, err := d.Applications.Apply(t.Context(), application())
	if err != nil {
		t.Fatal(err)
	}
	want := provider.LoanResult{
		Loan: lending.Loan{
			Provider: lending.Carbon, ExternalID: applicationID, Reference: "MERCH_REF_001",
			Status: lending.LoanOffered, ProviderStatus: "HAS_OFFER",
			Principal: lending.MustMoney("25000", lending.NGN),
			Tenure:    lending.Tenure{Value: 4, Unit: lending.Months},
			Purpose:   lending.WorkingCapital, ProviderPurpose: "WORKING_CAPITAL",
			CreatedAt: time.Date(2026, time.January, 19, 10, 30, 45, 48e6, time.UTC),
		},
		CustomerExternalID: customerID, Existing: true,
		Told: []string{"principal", "tenure", "purpose", "customer"},
	}
	if diff := cmp.Diff(want, got, compareValues); diff != "" {
		t.Error(diff)
	}
}

func TestApplicationIsFoundWhereverItStands(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"data":{"application_id":"a-1","id":"b-1"}}`:                     "a-1 PENDING_REVIEW ",
		`{"data":{"id":7}}`:                                                "7 PENDING_REVIEW ",
		`{"data":[{"id":"a-1","status":"declined"}]}`:                      "a-1 REJECTED declined",
		`{"id":"a-1","status":"PENDING","data":{}}`:                        "a-1 PENDING_REVIEW PENDING",
		`{"status":"success","loan_id":"l-1"}`:                             "l-1 PENDING_REVIEW ",
		`{"status":true,"id":"a-1","data":null}`:                           "a-1 PENDING_REVIEW ",
		`{"status":"success","data":{"id":"a-1","status":{"x":1}}}`:        "a-1 PENDING_REVIEW ",
		`{"data":{"id":"a-1","reference":"MERCH_REF_001","status":"new"}}`: "a-1 UNKNOWN new",
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			d := setup(t)
			d.answers(http.StatusCreated, body)
			got, err := d.Applications.Apply(t.Context(), application())
			if err != nil {
				t.Fatal(err)
			}
			if text := fmt.Sprintf("%s %s %s", got.Loan.ExternalID, got.Loan.Status, got.Loan.ProviderStatus); text != want {
				t.Errorf("read as %q, want %q", text, want)
			}
		})
	}
}

func TestEveryPublicStatus(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]lending.LoanStatus{
		"PENDING": lending.LoanPendingReview, "KYC_PROCESSING": lending.LoanKYCPending, "HAS_OFFER": lending.LoanOffered,
		"OFFER_ACCEPTED": lending.LoanOfferAccepted, "OFFER_DECLINED": lending.LoanCancelled,
		"OFFER_EXPIRED": lending.LoanExpired, "DECLINED": lending.LoanRejected,
		"DISBURSEMENT_APPROVED": lending.LoanDisbursing, "DISBURSED": lending.LoanDisbursed,
		" disbursed ": lending.LoanDisbursed, "APPROVED?": lending.LoanUnknown,
	} {
		d := setup(t)
		d.answers(http.StatusOK, fmt.Sprintf(`{"data":{"id":"a-1","status":%q}}`, word))
		got, err := d.Applications.Apply(t.Context(), application())
		if err != nil || got.Loan.Status != want || got.Loan.ProviderStatus != strings.TrimSpace(word) {
			t.Errorf("%s became %s (%v), want %s", word, got.Loan.Status, err, want)
		}
	}
}

func TestOddTermsAreNotTold(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.answers(http.StatusOK, `{"data":{"id":"a-1","amount":"na","repayment_period":"soon","loan_purpose":"FARMING","created_at":"19/01/2026"}}`)
	got, err := d.Applications.Apply(t.Context(), application())
	if err != nil {
		t.Fatal(err)
	}
	want := provider.LoanResult{
		Loan: lending.Loan{
			Provider: lending.Carbon, ExternalID: "a-1", Reference: "MERCH_REF_001", Status: lending.LoanPendingReview,
			Purpose: lending.PurposeUnknown, ProviderPurpose: "FARMING",
		},
		Existing: true, Told: []string{"purpose"},
	}
	if diff := cmp.Diff(want, got, compareValues); diff != "" {
		t.Error(diff)
	}
}

// TestAnswerThatCannotBeTrusted: the application may be there, and is asked for again by its reference.
func TestAnswerThatCannotBeTrusted(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":                ``,
		"a page":                 `<html>MERCH_REF_001</html>`,
		"an empty object":        `{}`,
		"no id":                  `{"status":"success","data":{"status":"PENDING"}}`,
		"an id of two words":     `{"data":{"id":"a 1"}}`,
		"an id without end":      `{"data":{"id":"` + strings.Repeat("a", 129) + `"}}`,
		"a failure":              `{"status":"error","data":{"id":"a-1"}}`,
		"another reference":      `{"data":{"id":"a-1","reference":"MERCH_REF_002"}}`,
		"half a kobo":            `{"data":{"id":"a-1","amount":2000000.5}}`,
		"an amount in words":     `{"data":{"id":"a-1","amount":"two million"}}`,
		"an amount in a list":    `{"data":{"id":"a-1","amount":[2000000]}}`,
		"an amount below zero":   `{"data":{"id":"a-1","amount":-2000000}}`,
		"an amount of nothing":   `{"data":{"id":"a-1","amount":0}}`,
		"an amount of no bounds": `{"data":{"id":"a-1","amount":1e30}}`,
		"an amount in dollars":   `{"data":{"id":"a-1","amount":2000000,"currency":"USD"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := setup(t)
			d.answers(http.StatusCreated, body)
			_, err := d.Applications.Apply(t.Context(), application())
			want := outcome{lending.KindUpstreamProtocol, lending.OutcomeUnknown, true, ""}
			if diff := cmp.Diff(want, outcomeOf(t, err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// outcome is the public part of a failure.
type outcome struct {
	Kind      lending.ErrorKind
	Outcome   lending.Outcome
	Retryable bool
	Code      string
}

func outcomeOf(t *testing.T, err error) outcome {
	t.Helper()
	e := lending.AsError(err)
	if e == nil {
		t.Fatal("no error")
	}
	if e.Provider != lending.Carbon {
		t.Errorf("provider %q", e.Provider)
	}
	for _, secret := range []string{apiKey, customerID, "MERCH_REF"} {
		if strings.Contains(e.Error(), secret) || strings.Contains(e.Detail(), secret) {
			t.Errorf("the error tells %q", secret)
		}
	}
	return outcome{e.Kind, e.Outcome, e.Retryable, e.ProviderCode}
}

func TestTheSeedsRefusals(t *testing.T) {
	t.Parallel()
	var messages map[string]int
	if err := json.Unmarshal(example(t, "errors.json"), &messages); err != nil {
		t.Fatal(err)
	}
	type refused struct {
		kind  lending.ErrorKind
		field string
	}
	wants := map[string]refused{
		"customer_id is required":            {lending.KindValidation, "customerId"},
		"Customer not found":                 {lending.KindNotFound, "customerId"},
		"minimum loan amount is 300000 kobo": {lending.KindValidation, "principal"},
		"repayment_period must be":           {lending.KindValidation, "tenure"},
		"loan_purpose must be":               {lending.KindValidation, "purpose"},
		"reference must be":                  {lending.KindValidation, "idempotencyKey"},
		"Customer KYC must be":               {lending.KindKYCRequired, "customerId"},
	}
	forms := []string{`{"message":%q}`, `{"error":%q}`, `{"message":"Bad Request","error":{"message":%q}}`, `{"message":[%q],"error":"Bad Request"}`}
	for message, status := range messages {
		for start, want := range wants {
			if !strings.HasPrefix(message, start) {
				continue
			}
			for _, form := range forms {
				t.Run(message+form, func(t *testing.T) {
					t.Parallel()
					d := setup(t)
					d.answers(status, fmt.Sprintf(form, message))
					_, err := d.Applications.Apply(t.Context(), application())
					if diff := cmp.Diff(outcome{want.kind, lending.NotExecuted, false, ""}, outcomeOf(t, err)); diff != "" {
						t.Error(diff)
					}
					e := lending.AsError(err)
					if len(e.Problems) != 1 || e.Problems[0].Kind != want.kind || !cmp.Equal(e.Problems[0].Field, []string{"input", want.field}) {
						t.Errorf("problems %+v", e.Problems)
					}
					if strings.Contains(e.Error()+e.Problems[0].Message, message) {
						t.Errorf("Carbon's words are passed on: %q", e.Problems[0].Message)
					}
				})
			}
		}
	}
	if len(messages) != len(wants) {
		t.Errorf("%d messages, %d of them expected", len(messages), len(wants))
	}
}

func TestOtherRefusals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		want   outcome
	}{
		"400 of another message": {400, `{"message":"see 08012345678"}`, outcome{lending.KindValidation, lending.NotExecuted, false, ""}},
		"400 in HTML":            {400, `<html>`, outcome{lending.KindValidation, lending.NotExecuted, false, ""}},
		"401":                    {401, `{"code":"bad_key"}`, outcome{lending.KindUpstreamAuth, lending.NotExecuted, false, "bad_key"}},
		"402":                    {402, `{}`, outcome{lending.KindUpstreamRejected, lending.NotExecuted, false, ""}},
		"403":                    {403, `{"error":{"code":"E-9"}}`, outcome{lending.KindUpstreamForbidden, lending.NotExecuted, false, "E-9"}},
		"404":                    {404, ``, outcome{lending.KindNotFound, lending.NotExecuted, false, ""}},
		"422 without a message":  {422, `{}`, outcome{lending.KindKYCRequired, lending.NotExecuted, false, ""}},
		"422 about other things": {422, `{"message":"loan book closed"}`, outcome{lending.KindValidation, lending.NotExecuted, false, ""}},
		"429":                    {429, `{}`, outcome{lending.KindRateLimited, lending.NotExecuted, true, ""}},
		"500":                    {500, `{"message":"Customer not found"}`, outcome{lending.KindUpstreamUnavailable, lending.OutcomeUnknown, true, ""}},
		"502 in HTML":            {502, `<html>`, outcome{lending.KindUpstreamUnavailable, lending.OutcomeUnknown, true, ""}},
		"302":                    {302, ``, outcome{lending.KindUpstreamProtocol, lending.OutcomeUnknown, true, ""}},
		"code that is a text":    {401, `{"code":"call 0801"}`, outcome{lending.KindUpstreamAuth, lending.NotExecuted, false, ""}},
		"code that is a number":  {401, `{"code":"08012345678"}`, outcome{lending.KindUpstreamAuth, lending.NotExecuted, false, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := setup(t)
			d.answers(test.status, test.body)
			_, err := d.Applications.Apply(t.Context(), application())
			if diff := cmp.Diff(test.want, outcomeOf(t, err)); diff != "" {
				t.Error(diff)
			}
			d.only(t)
		})
	}
}

func TestWaitIsTakenFromTheAnswer(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{"7": 7 * time.Second, "86400": time.Minute, "soon": 0} {
		d := setup(t)
		d.answer = func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, err := d.Applications.Apply(t.Context(), application())
		if got := lending.AsError(err).RetryAfter; got != want {
			t.Errorf("Retry-After %s: wait %v, want %v", header, got, want)
		}
	}
}

func TestLostAnswerMayBeAskedForAgain(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.answer = func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	_, err := d.Applications.Apply(t.Context(), application())
	want := outcome{lending.KindUpstreamUnavailable, lending.OutcomeUnknown, true, ""}
	if diff := cmp.Diff(want, outcomeOf(t, err)); diff != "" {
		t.Error(diff)
	}
	d.only(t)
}

func TestUnknownWordsAreLoggedOnceAndNeverPersonal(t *testing.T) {
	t.Parallel()
	d := setup(t)
	for range 3 {
		for _, word := range []string{"ON_HOLD", "call Ada 08012345678"} {
			d.answers(http.StatusOK, fmt.Sprintf(`{"data":{"id":"a-1","status":%q}}`, word))
			if _, err := d.Applications.Apply(t.Context(), application()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if log := d.log.String(); strings.Count(log, "\n") != 2 || !strings.Contains(log, "word=ON_HOLD") || strings.Contains(log, "Ada") {
		t.Errorf("logged:\n%s", log)
	}
}

// FuzzApply: no answer makes the driver panic; a result has an id and a known status, and a failure tells
// a closed kind.
func FuzzApply(f *testing.F) {
	for _, name := range []string{"created.json", "existing.json", "errors.json", "request.json"} {
		for _, status := range []int{200, 201, 400, 422, 500} {
			f.Add(status, example(f, name))
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		p := newDriver(t, canned{status: 100 + (status%500+500)%500, body: body})
		result, err := p.Applications.Apply(t.Context(), application())
		if err != nil {
			if e := lending.AsError(err); !e.Kind.Valid() || e.Kind == lending.KindInternal || !e.Outcome.Valid() {
				t.Fatalf("error %+v", e)
			}
			return
		}
		if result.Loan.ExternalID == "" || !result.Loan.Status.Valid() && result.Loan.Status != lending.LoanUnknown {
			t.Fatalf("loan %+v", result.Loan)
		}
	})
}
