package trustdecision_test

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
	"github.com/creditgraph/creditgraph/internal/provider/trustdecision"
)

// seedOrder is the order of seed 001's request example.
func seedOrder() provider.ReportOrder {
	return provider.ReportOrder{BVN: "22370756505", Name: "Amlodd Adisa", Phone: "+2349981234567"}
}

const accepted = `{"code":200,"message":"success","sequence_id":"` + sequence + `"}`

// compact is JSON without the spaces between its tokens; the examples have none within.
func compact(body []byte) string {
	return strings.NewReplacer("\n", "", `": "`, `":"`, `", "`, `","`).Replace(string(body))
}

func TestOrderIsTheSeedsRequest(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.answers(http.StatusOK, accepted)
	receipt, err := d.Reports.OrderReport(t.Context(), seedOrder())
	if err != nil {
		t.Fatal(err)
	}
	if receipt.ExternalID != sequence {
		t.Errorf("sequence_id %q", receipt.ExternalID)
	}
	request := d.only(t)
	if request.method != http.MethodPost || request.path != "/ng/credit/query" {
		t.Errorf("asked %s %s", request.method, request.path)
	}
	if got := request.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	if diff := cmp.Diff(compact(seed(t, "order_request.json")), request.body); diff != "" {
		t.Error(diff)
	}
}

func TestOrderCarriesItsToken(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.answers(http.StatusOK, accepted)
	order := seedOrder()
	order.Name, order.Token = "  Ada & Obi <Ng>  ", "v1.token"
	if _, err := d.Reports.OrderReport(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	want := `{"id_number":"22370756505","id_type":"bvn","country":"NG","phone_number":"9981234567",` +
		`"name":"Ada & Obi <Ng>","ext":{"token":"v1.token"}}`
	if diff := cmp.Diff(want, d.only(t).body); diff != "" {
		t.Error(diff)
	}
}

func TestCredentialsGoWhereTheSettingSays(t *testing.T) {
	t.Parallel()
	const inBody = `"partner_code":"td_partner","partner_key":"td_partner_key"`
	for placement, want := range map[trustdecision.Placement][3]bool{
		trustdecision.InQuery:   {true, false, false},
		trustdecision.InBody:    {false, true, false},
		trustdecision.InHeaders: {false, false, true},
	} {
		t.Run(string(placement), func(t *testing.T) {
			t.Parallel()
			d := setup(t, func(c *trustdecision.Config) { c.CredentialsIn = placement })
			d.answers(http.StatusOK, accepted)
			if _, err := d.Reports.OrderReport(t.Context(), seedOrder()); err != nil {
				t.Fatal(err)
			}
			d.answers(http.StatusOK, `{"code":200,"result":"no_record"}`)
			if _, err := d.Reports.FetchReport(t.Context(), sequence); err != nil {
				t.Fatal(err)
			}
			for _, request := range d.asked {
				got := [3]bool{
					request.query.Get("partner_code") == partnerCode && request.query.Get("partner_key") == partnerKey,
					strings.Contains(request.body, inBody),
					request.header.Get("partner_code") == partnerCode && request.header.Get("partner_key") == partnerKey,
				}
				if got != want {
					t.Errorf("%s: query, body, headers: %v, want %v", request.path, got, want)
				}
			}
		})
	}
}

func TestPhoneIsWrittenWithoutCountryCode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		style       trustdecision.PhoneStyle
		phone, want string
	}{
		{trustdecision.National10, "+2348012345678", "8012345678"},
		{trustdecision.National10, "+23408012345678", "8012345678"},
		{trustdecision.Trunk0, "+2348012345678", "08012345678"},
		{trustdecision.Trunk0, "+23408012345678", "08012345678"},
	} {
		t.Run(fmt.Sprint(test.style, test.phone), func(t *testing.T) {
			t.Parallel()
			d := setup(t, func(c *trustdecision.Config) { c.PhoneStyle = test.style })
			d.answers(http.StatusOK, accepted)
			order := seedOrder()
			order.Phone = test.phone
			if _, err := d.Reports.OrderReport(t.Context(), order); err != nil {
				t.Fatal(err)
			}
			if body := d.only(t).body; !strings.Contains(body, `"phone_number":"`+test.want+`"`) {
				t.Errorf("sent %s", body)
			}
		})
	}
}

func TestOrderThatCannotWorkIsNotSent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*provider.ReportOrder)
		field  string
	}{
		"short BVN":         {func(o *provider.ReportOrder) { o.BVN = "2237075650" }, "bvn"},
		"BVN with letter":   {func(o *provider.ReportOrder) { o.BVN = "2237075650X" }, "bvn"},
		"no BVN":            {func(o *provider.ReportOrder) { o.BVN = "" }, "bvn"},
		"no name":           {func(o *provider.ReportOrder) { o.Name = " \t" }, "name"},
		"no phone":          {func(o *provider.ReportOrder) { o.Phone = "" }, "phone"},
		"phone from abroad": {func(o *provider.ReportOrder) { o.Phone = "+919887206895" }, "phone"},
		"phone with text":   {func(o *provider.ReportOrder) { o.Phone = "+234801234567x" }, "phone"},
		"phone too long":    {func(o *provider.ReportOrder) { o.Phone = "+23480123456789" }, "phone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := setup(t)
			order := seedOrder()
			test.change(&order)
			_, err := d.Reports.OrderReport(t.Context(), order)
			e := lending.AsError(err)
			if e == nil || e.Kind != lending.KindValidation || e.Outcome != lending.NotExecuted || e.Retryable {
				t.Fatalf("error %+v", e)
			}
			if len(e.Problems) != 1 || !cmp.Equal(e.Problems[0].Field, []string{"input", test.field}) {
				t.Errorf("problems %+v", e.Problems)
			}
			if len(d.asked) != 0 {
				t.Error("the order was sent")
			}
		})
	}
}

func TestTokenOverTheLimitIsNotSent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		// {"token":"…"} takes 12 bytes beside the token
		n := rapid.IntRange(1000, 1030).Draw(rt, "length")
		d := setup(t)
		d.answers(http.StatusOK, accepted)
		order := seedOrder()
		order.Token = strings.Repeat("t", n)
		_, err := d.Reports.OrderReport(t.Context(), order)
		if fits := n+12 <= 1024; fits != (err == nil) {
			rt.Fatalf("token of %d bytes: error %v", n, err)
		}
		if err != nil && (lending.KindOf(err) != lending.KindInternal || len(d.asked) != 0) {
			rt.Fatalf("kind %s after %d requests", lending.KindOf(err), len(d.asked))
		}
	})
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
	if e.Provider != lending.TrustDecision {
		t.Errorf("provider %q", e.Provider)
	}
	for _, secret := range []string{partnerKey, accessSecret, "22370756505", "9981234567", "Amlodd"} {
		if strings.Contains(e.Error(), secret) || strings.Contains(e.Detail(), secret) {
			t.Errorf("the error tells %q", secret)
		}
	}
	return outcome{e.Kind, e.Outcome, e.Retryable, e.ProviderCode}
}

func TestOrderFailures(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		want   outcome
	}{
		"300 not purchased or not effective": {200, `{"code":300}`, outcome{lending.KindProviderDisabled, lending.NotExecuted, false, "300"}},
		"301 not purchased":                  {200, `{"code":301}`, outcome{lending.KindProviderDisabled, lending.NotExecuted, false, "301"}},
		"302 suspended":                      {200, `{"code":"302"}`, outcome{lending.KindProviderDisabled, lending.NotExecuted, false, "302"}},
		"303 no balance":                     {200, `{"code":303}`, outcome{lending.KindBalanceExhausted, lending.NotExecuted, false, "303"}},
		"304 expired":                        {200, `{"code":304.0}`, outcome{lending.KindProviderDisabled, lending.NotExecuted, false, "304"}},
		"9060 empty":                         {200, `{"code":9060,"message":"name empty"}`, outcome{lending.KindValidation, lending.NotExecuted, false, "9060"}},
		"9061 in HTTP 400":                   {400, `{"code":9061,"message":"id_number error"}`, outcome{lending.KindValidation, lending.NotExecuted, false, "9061"}},
		"9061 for our credentials":           {200, `{"code":9061,"message":"partner_key error"}`, outcome{lending.KindUpstreamAuth, lending.NotExecuted, false, "9061"}},
		"9500 may have been taken":           {200, `{"code":9500,"sequence_id":"s-1"}`, outcome{lending.KindOutcomeUnknown, lending.OutcomeUnknown, false, "9500"}},
		"9500 in HTTP 500":                   {500, `{"code":9500}`, outcome{lending.KindOutcomeUnknown, lending.OutcomeUnknown, false, "9500"}},
		"303 in HTTP 500":                    {500, `{"code":303}`, outcome{lending.KindBalanceExhausted, lending.NotExecuted, false, "303"}},
		"a backup query's code":              {200, `{"code":9083}`, outcome{lending.KindOutcomeUnknown, lending.OutcomeUnknown, false, "9083"}},
		"a code of nobody":                   {200, `{"code":"E-77"}`, outcome{lending.KindOutcomeUnknown, lending.OutcomeUnknown, false, "E-77"}},
		"a code that is text":                {200, `{"code":"call 0800 123"}`, outcome{lending.KindOutcomeUnknown, lending.OutcomeUnknown, false, ""}},
		"a code that may be a BVN":           {200, `{"code":22370756505}`, outcome{lending.KindOutcomeUnknown, lending.OutcomeUnknown, false, ""}},
		"no code":                            {200, `{"sequence_id":"s-1"}`, outcome{lending.KindOutcomeUnknown, lending.OutcomeUnknown, false, ""}},
		"success without sequence_id":        {200, `{"code":200}`, outcome{lending.KindOutcomeUnknown, lending.OutcomeUnknown, false, ""}},
		"success with odd sequence_id":       {200, `{"code":200,"sequence_id":"a b"}`, outcome{lending.KindOutcomeUnknown, lending.OutcomeUnknown, false, ""}},
		"nothing":                            {200, ``, outcome{lending.KindOutcomeUnknown, lending.OutcomeUnknown, false, ""}},
		"HTML":                               {200, `<html>Amlodd 22370756505</html>`, outcome{lending.KindOutcomeUnknown, lending.OutcomeUnknown, false, ""}},
		"a list":                             {200, `[{"code":200}]`, outcome{lending.KindOutcomeUnknown, lending.OutcomeUnknown, false, ""}},
		"HTTP 502 in HTML":                   {502, `<html>`, outcome{lending.KindOutcomeUnknown, lending.OutcomeUnknown, false, ""}},
		"HTTP 401":                           {401, `{}`, outcome{lending.KindUpstreamAuth, lending.NotExecuted, false, ""}},
		"HTTP 403":                           {403, `no`, outcome{lending.KindUpstreamForbidden, lending.NotExecuted, false, ""}},
		"HTTP 429":                           {429, `{"code":429}`, outcome{lending.KindRateLimited, lending.NotExecuted, true, "429"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := setup(t)
			d.answers(test.status, test.body)
			_, err := d.Reports.OrderReport(t.Context(), seedOrder())
			if diff := cmp.Diff(test.want, outcomeOf(t, err)); diff != "" {
				t.Error(diff)
			}
			d.only(t) // nothing is ever sent twice
		})
	}
}

func TestSuccessCodeCountsUnderAnyHTTPStatus(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.answers(http.StatusInternalServerError, accepted)
	receipt, err := d.Reports.OrderReport(t.Context(), seedOrder())
	if err != nil || receipt.ExternalID != sequence {
		t.Errorf("receipt %+v, error %v", receipt, err)
	}
}

func TestRefusedParameterIsNamedAsOurs(t *testing.T) {
	t.Parallel()
	problem := func(field, message string) []lending.Problem {
		return []lending.Problem{{Kind: lending.KindValidation, Message: message, Field: []string{"input", field}}}
	}
	for message, want := range map[string][]lending.Problem{
		"id_number empty":                problem("bvn", "TrustDecision needs the bank verification number."),
		"{id_number} error":              problem("bvn", "TrustDecision does not accept the bank verification number."),
		"Phone_Number error: 9981234567": problem("phone", "TrustDecision does not accept the phone number."),
		"name empty":                     problem("name", "TrustDecision needs the name."),
		"country error":                  nil,
		"something is wrong":             nil,
		"":                               nil,
	} {
		t.Run(message, func(t *testing.T) {
			t.Parallel()
			d := setup(t)
			d.answers(http.StatusOK, fmt.Sprintf(`{"code":9061,"message":%q}`, message))
			_, err := d.Reports.OrderReport(t.Context(), seedOrder())
			if diff := cmp.Diff(want, lending.AsError(err).Problems); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFailureKeepsTheBureausIdOfTheRequest(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.answers(http.StatusOK, `{"code":9500,"sequence_id":"`+sequence+`"}`)
	_, err := d.Reports.OrderReport(t.Context(), seedOrder())
	if got := lending.AsError(err).RequestID; got != sequence {
		t.Errorf("request id %q", got)
	}
}

func TestWaitIsTakenFromTheAnswer(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.answer = func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	}
	_, err := d.Reports.OrderReport(t.Context(), seedOrder())
	if got := lending.AsError(err).RetryAfter; got != 7*time.Second {
		t.Errorf("wait %v", got)
	}
}

func TestLostAnswerToAnOrderIsUnknown(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.answer = func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	_, err := d.Reports.OrderReport(t.Context(), seedOrder())
	want := outcome{lending.KindOutcomeUnknown, lending.OutcomeUnknown, false, ""}
	if diff := cmp.Diff(want, outcomeOf(t, err)); diff != "" {
		t.Error(diff)
	}
	d.only(t)
}

func TestOrderThatNeverLeftCanBeRepeated(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.server.Close()
	_, err := d.Reports.OrderReport(t.Context(), seedOrder())
	want := outcome{lending.KindUpstreamUnavailable, lending.NotExecuted, true, ""}
	if diff := cmp.Diff(want, outcomeOf(t, err)); diff != "" {
		t.Error(diff)
	}
}

func TestCancelledOrderIsNotSent(t *testing.T) {
	t.Parallel()
	d := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.Reports.OrderReport(ctx, seedOrder())
	if got := outcomeOf(t, err); got.Outcome != lending.NotExecuted || len(d.asked) != 0 {
		t.Errorf("outcome %+v after %d requests", got, len(d.asked))
	}
}
