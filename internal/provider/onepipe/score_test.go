package onepipe_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/onepipe"
)

// seedScore is the score of the seed.
func seedScore() *lending.CreditScore {
	return &lending.CreditScore{
		Provider: lending.OnePipe, ExternalID: "000022200225154318222333334432", Value: lending.MustDecimal("9"),
		Scale:      &lending.ScoreScale{Min: lending.MustDecimal("0"), Max: lending.MustDecimal("10")},
		Normalized: new(lending.MustDecimal("0.9000")), Band: lending.BandExcellent,
		Confidence:       new(lending.MustDecimal("0.9")),
		RecommendedLimit: new(lending.MustMoney("2000.00", lending.NGN)), ScoredAt: now,
	}
}

func TestAnswersOfTheSeed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]provider.ScoreResult{
		"successful.json": {State: provider.ScoreCompleted, Score: seedScore(), ProviderStatus: "Successful"},
		"waiting_for_otp.json": {
			State: provider.ScoreOTPRequired, Prompt: "Please enter the OTP sent to 2348022****08", ProviderStatus: "WaitingForOTP",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := setup(t, http.StatusOK, file(t, name))
			requested, err := o.Scores.RequestScore(t.Context(), scoreRequest())
			if err != nil {
				t.Fatal(err)
			}
			queried, err := o.Confirmations.QueryScore(t.Context(), reference)
			if err != nil {
				t.Fatal(err)
			}
			for _, got := range []provider.ScoreResult{requested, queried} {
				if diff := cmp.Diff(want, got, compare); diff != "" {
					t.Errorf("result (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	const otp, info = "Please enter the code that was sent to the customer.", "Please enter what the provider asked the customer for."
	for name, test := range map[string]struct {
		status, message string
		state           provider.ScoreState
		prompt          string
		warned          bool
	}{
		"another case":          {" WAITINGFOROTP ", "Enter it", provider.ScoreOTPRequired, "Enter it", false},
		"a prompt without text": {"WaitingForOTP", "", provider.ScoreOTPRequired, otp, false},
		"a whole number":        {"WaitingForOTP", "Sent to 2348023431320", provider.ScoreOTPRequired, "Sent to ***********20", false},
		"a spaced number":       {"WaitingForOTP", "Sent to 0802 343 1320", provider.ScoreOTPRequired, "Sent to ***********20", false},
		"an e-mail":             {"WaitingForOTP", "Sent to usmanu@example.com", provider.ScoreOTPRequired, otp, false},
		"an address":            {"WaitingForOTP", "See https://example.com/otp", provider.ScoreOTPRequired, otp, false},
		"an endless prompt":     {"WaitingForOTP", strings.Repeat("Enter ", 50), provider.ScoreOTPRequired, otp, false},
		"control characters":    {"WaitingForOTP", "Enter\\u001b[31m it", provider.ScoreOTPRequired, "Enter[31m it", false},
		"more to be told":       {"PendingValidation", "Date of birth?", provider.ScoreInfoRequired, "Date of birth?", false},
		"more, without text":    {"PendingValidation", "", provider.ScoreInfoRequired, info, false},
		"processing":            {"Processing", "x", provider.ScorePending, "", false},
		"pending":               {"Pending", "x", provider.ScorePending, "", false},
		"a word nobody knows":   {"Succeeded", "x", provider.ScorePending, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := setup(t, http.StatusOK, fmt.Sprintf(`{"status":"%s","message":"%s","data":{"provider_response":{"loans_score":9}}}`, test.status, test.message))
			got, err := o.Confirmations.QueryScore(t.Context(), reference)
			if err != nil {
				t.Fatal(err)
			}
			want := provider.ScoreResult{State: test.state, Prompt: test.prompt, ProviderStatus: strings.TrimSpace(test.status)}
			if diff := cmp.Diff(want, got, compare); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if warned := strings.Contains(o.Log.String(), "unknown word"); warned != test.warned {
				t.Errorf("warned %t, want %t: %s", warned, test.warned, o.Log)
			}
		})
	}
}

func TestUnknownWordIsLoggedOnce(t *testing.T) {
	t.Parallel()
	o := setup(t, http.StatusOK, `{"status":"Succeeded"}`)
	for range 3 {
		if _, err := o.Confirmations.QueryScore(t.Context(), reference); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Count(o.Log.String(), "word=Succeeded"); got != 1 {
		t.Errorf("%d warnings, want one:\n%s", got, o.Log)
	}
}

// response is a success with a provider's response.
func response(fields string) string {
	return `{"status":"Successful","data":{"provider_response_code":"00","provider_response":` + fields + `}}`
}

func TestScoresAreReadExactly(t *testing.T) {
	t.Parallel()
	decimal := func(text string) *lending.Decimal { return new(lending.MustDecimal(text)) }
	scale := func(low, high string) *lending.ScoreScale {
		return &lending.ScoreScale{Min: lending.MustDecimal(low), Max: lending.MustDecimal(high)}
	}
	for name, test := range map[string]struct {
		body string
		want lending.CreditScore
	}{
		"a score alone": {
			response(`{"loans_score":"7.25"}`), lending.CreditScore{Value: *decimal("7.25"), Band: lending.BandUnknown},
		},
		"zero is a score": {
			response(`{"loans_score":0,"scale_min":0,"scale_max":10}`),
			lending.CreditScore{Value: *decimal("0"), Scale: scale("0", "10"), Normalized: decimal("0.0000"), Band: lending.BandVeryPoor},
		},
		"an inverted scale": {
			response(`{"loans_score":9,"scale_min":10,"scale_max":0}`),
			lending.CreditScore{Value: *decimal("9"), Scale: scale("10", "0"), Band: lending.BandUnknown},
		},
		"a scale of one point": {
			response(`{"loans_score":9,"scale_min":9,"scale_max":9}`),
			lending.CreditScore{Value: *decimal("9"), Scale: scale("9", "9"), Band: lending.BandUnknown},
		},
		"half a scale": {
			response(`{"loans_score":9,"scale_max":10}`), lending.CreditScore{Value: *decimal("9"), Band: lending.BandUnknown},
		},
		"beyond the scale": {
			response(`{"loans_score":11,"scale_min":0,"scale_max":10}`),
			lending.CreditScore{Value: *decimal("11"), Scale: scale("0", "10"), Band: lending.BandUnknown},
		},
		"a confidence with a sign": {
			response(`{"loans_score":9,"confidence":"85.5 %"}`),
			lending.CreditScore{Value: *decimal("9"), Confidence: decimal("0.855"), Band: lending.BandUnknown},
		},
		"one per cent": {
			response(`{"loans_score":9,"confidence":1}`),
			lending.CreditScore{Value: *decimal("9"), Confidence: decimal("0.01"), Band: lending.BandUnknown},
		},
		"a confidence beyond all": {
			response(`{"loans_score":9,"confidence":101}`), lending.CreditScore{Value: *decimal("9"), Band: lending.BandUnknown},
		},
		"a part of a kobo": {
			response(`{"loans_score":9,"offer_amount":100.5}`), lending.CreditScore{Value: *decimal("9"), Band: lending.BandUnknown},
		},
		"a negative offer": {
			response(`{"loans_score":9,"offer_amount":-1}`), lending.CreditScore{Value: *decimal("9"), Band: lending.BandUnknown},
		},
		"no offer": {
			response(`{"loans_score":9,"offer_amount":"na"}`), lending.CreditScore{Value: *decimal("9"), Band: lending.BandUnknown},
		},
		"a list for the response": {
			response(`[{"loans_score":9,"reference":12}]`), lending.CreditScore{Value: *decimal("9"), ExternalID: "12", Band: lending.BandUnknown},
		},
		"meta as a list": {
			response(`{"loans_score":9,"meta":[{"k":1},2,null]}`), lending.CreditScore{Value: *decimal("9"), Band: lending.BandUnknown},
		},
		"a name twice in meta": {
			response(`{"loans_score":9,"meta":{"k":1,"k":[2]}}`), lending.CreditScore{Value: *decimal("9"), Band: lending.BandUnknown},
		},
		"success by its other name, under a 400": {
			strings.Replace(response(`{"loans_score":9}`), "Successful", "success", 1), lending.CreditScore{Value: *decimal("9"), Band: lending.BandUnknown},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status := http.StatusOK
			if strings.Contains(name, "400") {
				status = http.StatusBadRequest
			}
			o := setup(t, status, test.body)
			got, err := o.Scores.RequestScore(t.Context(), scoreRequest())
			if err != nil {
				t.Fatal(err)
			}
			test.want.Provider, test.want.ScoredAt = lending.OnePipe, now
			if diff := cmp.Diff(&test.want, got.Score, compare); diff != "" {
				t.Errorf("score (-want +got):\n%s", diff)
			}
		})
	}
}

// It was carried out and billed: asking once more would not give more.
func TestSuccessWithoutAScore(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no data":        `{"status":"Successful"}`,
		"null":           response(`null`),
		"empty":          response(`{}`),
		"an empty list":  response(`[]`),
		"an empty text":  response(`""`),
		"not a number":   response(`{"loans_score":"good"}`),
		"beyond numbers": response(`{"loans_score":1e40}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := setup(t, http.StatusOK, body)
			_, err := o.Scores.RequestScore(t.Context(), scoreRequest())
			got := lending.AsError(err)
			if got == nil || got.Kind != lending.KindUpstreamProtocol || got.Outcome != lending.Executed || got.Retryable {
				t.Errorf("error %#v, want UPSTREAM_PROTOCOL that was carried out", err)
			}
		})
	}
}

// The digits on the wire are the digits of the offer, in either unit.
func TestOfferIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := lending.NewMoney(rapid.Int64Range(0, 9_007_199_254_740_991).Draw(t, "kobo"), lending.NGN)
		for unit, literal := range map[onepipe.OfferUnit]string{onepipe.Minor: want.MinorUnits(), onepipe.Major: want.Amount()} {
			p := stub(response(`{"loans_score":9,"offer_amount":`+literal+`}`), unit)
			got, err := p.Confirmations.QueryScore(t.Context(), reference)
			if err != nil || got.Score.RecommendedLimit == nil || *got.Score.RecommendedLimit != want {
				t.Fatalf("%s in %s units came in as %v (%v)", literal, unit, got.Score, err)
			}
		}
	})
}

func TestFailed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		code   string
	}{
		"with an error":              {http.StatusOK, file(t, "failed.json"), "E104"},
		"as the known clients see":   {http.StatusBadRequest, `{"status":"Failed","message":"x","data":{"provider_response_code":"01"}}`, "01"},
		"unprocessable":              {http.StatusUnprocessableEntity, `{"status":"failed","data":{"errors":[{"code":"E7"}]}}`, "E7"},
		"an error at the top":        {http.StatusOK, `{"status":"Failed","error":{"code":"E8"}}`, "E8"},
		"errors at the top":          {http.StatusOK, `{"status":"Failed","errors":{"code":9}}`, "9"},
		"a number that is personal":  {http.StatusOK, `{"status":"Failed","data":{"error":{"code":"2348023431320"},"provider_response_code":"05"}}`, "05"},
		"a sentence instead of code": {http.StatusOK, `{"status":"Failed","data":{"error":{"code":"customer declined"}}}`, ""},
		"no data":                    {http.StatusOK, `{"status":"Failed","data":null}`, ""},
		"a customer who is unknown":  {http.StatusOK, `{"status":"Failed","message":"Customer reference not found"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := setup(t, test.status, test.body)
			for _, err := range everyCall(t.Context(), o.Provider) {
				got := lending.AsError(err)
				if got == nil || got.Kind != lending.KindUpstreamRejected || got.ProviderCode != test.code || got.Outcome != lending.NotExecuted || got.Retryable {
					t.Fatalf("error %#v, want UPSTREAM_REJECTED with code %q", err, test.code)
				}
				if text := got.Error() + got.Detail(); strings.Contains(text, "2348023431320") || strings.Contains(text, "declined") {
					t.Errorf("the provider's words are in the error: %s", text)
				}
			}
		})
	}
}

// everyCall makes each of the calls and gives their errors.
func everyCall(ctx context.Context, p *provider.Provider) []error {
	_, requested := p.Scores.RequestScore(ctx, scoreRequest())
	_, confirmed := p.Confirmations.ConfirmScore(ctx, provider.ScoreConfirmation{Reference: reference, Secret: "123456"})
	_, queried := p.Confirmations.QueryScore(ctx, reference)
	return []error{requested, confirmed, queried}
}

func TestQueryOfAnUnknownReference(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		want   lending.ErrorKind
	}{
		"404":                             {http.StatusNotFound, "", lending.KindNotFound},
		"404 with an envelope":            {http.StatusNotFound, `{"status":"Failed","message":"nope"}`, lending.KindNotFound},
		"a message":                       {http.StatusOK, `{"status":"Failed","message":"Transaction not found"}`, lending.KindNotFound},
		"an error under a 400":            {http.StatusBadRequest, `{"status":"Failed","data":{"error":{"code":"01","message":"transaction_ref does not exist"}}}`, lending.KindNotFound},
		"a customer is another thing":     {http.StatusOK, `{"status":"Failed","message":"Customer not found for transaction"}`, lending.KindUpstreamRejected},
		"some record is another thing":    {http.StatusOK, `{"status":"Failed","message":"Record not found"}`, lending.KindUpstreamRejected},
		"a success that speaks of it":     {http.StatusOK, `{"status":"Pending","message":"transaction not found yet"}`, ""},
		"a server that fails is no proof": {http.StatusBadGateway, "<html>404 not found</html>", lending.KindUpstreamUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := setup(t, test.status, test.body)
			_, err := o.Confirmations.QueryScore(t.Context(), reference)
			if got := lending.KindOf(err); got != test.want {
				t.Errorf("kind %q, want %q", got, test.want)
			}
		})
	}
}

// Only a query may say that a transaction is not there: elsewhere it is a refusal like others.
func TestUnknownTransactionElsewhereIsARefusal(t *testing.T) {
	t.Parallel()
	o := setup(t, http.StatusOK, `{"status":"Failed","message":"Transaction not found"}`)
	_, err := o.Scores.RequestScore(t.Context(), scoreRequest())
	if lending.KindOf(err) != lending.KindUpstreamRejected {
		t.Errorf("error %v", err)
	}
}

// A 400 that tells no status is a refusal of the input, with whatever code there is.
func TestBadRequestWithoutAStatus(t *testing.T) {
	t.Parallel()
	o := setup(t, http.StatusBadRequest, `{"code":"01"}`)
	for _, err := range everyCall(t.Context(), o.Provider) {
		if got := lending.AsError(err); got == nil || got.Kind != lending.KindValidation || got.ProviderCode != "01" {
			t.Errorf("error %#v", err)
		}
	}
}

func TestStatusTable(t *testing.T) {
	t.Parallel()
	for status, want := range map[int][3]lending.ErrorKind{
		http.StatusBadRequest:          {lending.KindValidation, lending.KindValidation, lending.KindValidation},
		http.StatusUnauthorized:        {lending.KindUpstreamAuth, lending.KindUpstreamAuth, lending.KindUpstreamAuth},
		http.StatusForbidden:           {lending.KindUpstreamForbidden, lending.KindUpstreamForbidden, lending.KindUpstreamForbidden},
		http.StatusTooManyRequests:     {lending.KindRateLimited, lending.KindRateLimited, lending.KindRateLimited},
		http.StatusInternalServerError: {lending.KindOutcomeUnknown, lending.KindOutcomeUnknown, lending.KindUpstreamUnavailable},
		http.StatusGatewayTimeout:      {lending.KindOutcomeUnknown, lending.KindOutcomeUnknown, lending.KindUpstreamUnavailable},
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			o := setupFunc(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "86400")
				w.WriteHeader(status)
			})
			for i, err := range everyCall(t.Context(), o.Provider) {
				if got := lending.AsError(err); got == nil || got.Kind != want[i] || got.RetryAfter > time.Minute {
					t.Errorf("call %d: %#v, want %s", i, err, want[i])
				}
			}
			if calls := len(o.Calls()); calls != 3 {
				t.Errorf("%d calls, want 3: nothing is repeated", calls)
			}
		})
	}
}

func TestGarbledAnswers(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing": "", "a page": "<html>2348023431320</html>", "half": file(t, "successful.json")[:60], "null": "null",
		"an empty object": "{}", "no status": `{"data":{"provider_response":{"loans_score":9}}}`, "comments": "{\"status\":\"Successful\" // a score\n}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := setup(t, http.StatusOK, body)
			want := []lending.ErrorKind{lending.KindOutcomeUnknown, lending.KindOutcomeUnknown, lending.KindUpstreamProtocol}
			for i, err := range everyCall(t.Context(), o.Provider) {
				if lending.KindOf(err) != want[i] {
					t.Errorf("call %d: %v, want %s", i, err, want[i])
				}
				if text := lending.AsError(err).Detail(); strings.Contains(text, "2348023431320") {
					t.Errorf("the body is in the error: %s", text)
				}
			}
		})
	}
}
