package onepipe_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestACustomerIsAskedForAnOTP(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, raw := b.send("/v2/transact", transactBody("T-1", b.ref(0), noAuth), signed())
	phone := strings.TrimPrefix(b.world.Person(0).Phone, "+")
	want := `{"status":"WaitingForOTP","message":"Please enter the OTP sent to ` + phone[:7] + `****` + phone[11:] + `",` +
		`"data":{"provider_response_code":"900T0","provider":"Beeceptor","errors":null,"error":null,` +
		`"provider_response":null}}`
	if diff := cmp.Diff(decode[any](t, []byte(want)), decode[any](t, raw)); diff != "" {
		t.Error(diff)
	}
	if got, _ := b.effects(); !cmp.Equal(got, []string{"score.request", "otp.send"}) {
		t.Errorf("effects %v", got)
	}
}

func TestTheScoreOfACustomerWithoutOTP(t *testing.T) {
	t.Parallel()
	b := setup(t)
	person := b.world.Person(11)
	got := b.transact("T-1", 11)
	if got.Status != "Successful" || got.Message != "Transaction processed successfully" || got.Data.Code != "00" ||
		got.Data.Provider != "Beeceptor" || string(got.Data.Errors) != "null" || string(got.Data.Error) != "null" {
		t.Errorf("answer %+v", got)
	}
	response := decode[map[string]json.RawMessage](t, got.Data.Response)
	for field, want := range map[string]int{
		"loans_score": person.OnePipeScore, "scale_min": 0, "scale_max": 10,
		"offer_amount": 20_000 * (person.OnePipeScore + 1), "confidence": 45 + 5*person.OnePipeScore,
	} {
		if n := decode[int](t, response[field]); n != want {
			t.Errorf("%s is %d, want %d", field, n, want)
		}
	}
	if !regexp.MustCompile(`^"\d{30}"$`).Match(response["reference"]) {
		t.Errorf("reference %s", response["reference"])
	}
	if len(response) != 7 || len(decode[map[string]string](t, response["meta"])) == 0 {
		t.Errorf("provider_response %v", response)
	}
	if effects, _ := b.effects(); !cmp.Equal(effects, []string{"score.request"}) {
		t.Errorf("effects %v", effects)
	}
}

// A score of 9 is what the seed's example is about.
func TestTheExampleOfferFollowsFromTheExampleScore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range b.world.Size() {
		person := b.world.Person(i)
		if person.OnePipeScore != 9 || person.CustomerRef == "" || i%5 == 3 || person.KYCStatus == lending.KYCFailed {
			continue
		}
		b.send("/__sandbox/otp-override", `{"on":true}`, nil)
		var got struct {
			Offer      int `json:"offer_amount"`
			Confidence int `json:"confidence"`
		}
		if err := json.Unmarshal(b.transact("T-9", i).Data.Response, &got); err != nil {
			t.Fatal(err)
		}
		if got.Offer != 200000 || got.Confidence != 90 {
			t.Errorf("a score of 9 has %+v", got)
		}
		return
	}
	t.Fatal("nobody has a score of 9")
}

func TestTheOTPIsTakenWhereverItStands(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, test := range map[string]struct{ auth, details string }{
		"encrypted":           {secure(otpUTF8), "null"},
		"encrypted as UTF-16": {secure(otpUTF16), "null"},
		"plain":               {secure("123456"), "null"},
		"in details":          {noAuth, `{"otp":"123456"}`},
	} {
		t.Run(name, func(t *testing.T) {
			asked := b.transact(name, 0)
			got := b.validate(name, test.auth, test.details)
			if asked.Status != "WaitingForOTP" || got.Status != "Successful" {
				t.Fatalf("asked %+v, got %+v", asked, got)
			}
			if diff := cmp.Diff(got, b.query(name)); diff != "" {
				t.Errorf("the query tells another story: %s", diff)
			}
			if again := b.validate(name, test.auth, test.details); !cmp.Equal(got, again) {
				t.Errorf("validated again: %+v", again)
			}
		})
	}
	effects, _ := b.effects()
	released := 0
	for _, operation := range effects {
		if operation == "score.release" {
			released++
		}
	}
	if released != 4 {
		t.Errorf("%d scores released by four transactions: %v", released, effects)
	}
}

func TestTheThirdWrongOTPFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	prompt := b.transact("T-1", 0).Message
	if got := b.validate("T-1", noAuth, "null"); got.Status != "WaitingForOTP" {
		t.Errorf("without an OTP: %+v", got)
	}
	for range 2 {
		got := b.validate("T-1", secure("000000"), "null")
		if got.Status != "WaitingForOTP" || got.Data.Code != "900T0" || !strings.HasSuffix(got.Message, prompt) {
			t.Fatalf("a wrong OTP: %+v", got)
		}
	}
	if got := b.validate("T-1", secure("000000"), "null"); got.Status != "Failed" {
		t.Errorf("the third: %+v", got)
	}
	if got := b.validate("T-1", secure("123456"), "null"); got.Status != "Failed" {
		t.Errorf("the right one afterwards: %+v", got)
	}
}

func TestSomeAreAskedForInformation(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"given as meta":   `"transaction":{"transaction_ref":"T-1","meta":{"date_of_birth":"1990-01-02"}}`,
		"given as secure": `"auth":{"secure":"1990-01-02"},"transaction":{"transaction_ref":"T-1"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			if got := b.transact("T-1", 13); got.Status != "PendingValidation" || string(got.Data.Response) != "null" {
				t.Fatalf("answer %+v", got)
			}
			if got := b.validate("T-1", noAuth, "null"); got.Status != "PendingValidation" {
				t.Errorf("without anything: %+v", got)
			}
			if got := b.call("/validate", `{"request_ref":"REQ-0001",`+body+`}`); got.Status != "Successful" {
				t.Errorf("with the information: %+v", got)
			}
		})
	}
}

func TestTheOverrideCanBeSet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.send("/__sandbox/otp-override", `{"on":true,"customer_ref":"`+b.ref(0)+`"}`, nil)
	if got := b.transact("T-1", 0); got.Status != "Successful" {
		t.Errorf("set for one: %+v", got)
	}
	if got := b.transact("T-2", 7); got.Status != "WaitingForOTP" {
		t.Errorf("set for another: %+v", got)
	}
	b.send("/__sandbox/otp-override", `{"on":false}`, nil)
	if got := b.transact("T-3", 11); got.Status != "WaitingForOTP" {
		t.Errorf("lifted for all: %+v", got)
	}
	if got := b.transact("T-4", 0); got.Status != "Successful" {
		t.Errorf("lifted for all, but set for this one: %+v", got)
	}
}

func TestRequestsThatFail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	changed := func(ref, old, now string) string {
		return strings.Replace(transactBody(ref, b.ref(0), noAuth), old, now, 1)
	}
	for name, test := range map[string]struct{ body, code string }{
		"a stranger":                    {transactBody("T-1", "C-9", noAuth), "CUSTOMER_NOT_FOUND"},
		"somebody without data":         {transactBody("T-2", b.ref(8), noAuth), "NO_DATA"},
		"another service":               {changed("T-3", "get_credit_score", "collect"), "INVALID_REQUEST"},
		"no transaction_ref":            {transactBody("", b.ref(0), noAuth), "INVALID_REQUEST"},
		"no customer_ref":               {transactBody("T-4", "", noAuth), "INVALID_REQUEST"},
		"details":                       {changed("T-5", `"details": null`, `"details": {}`), "INVALID_REQUEST"},
		"an unknown kind of auth":       {transactBody("T-6", b.ref(0), `{"type":"cash"}`), "INVALID_REQUEST"},
		"secure that is no ciphertext":  {transactBody("T-7", b.ref(0), `{"type":"card","secure":"4111"}`), "INVALID_REQUEST"},
		"secure under another's secret": {transactBody("T-8", b.ref(0), `{"type":"card","secure":"AAAAAAAAAAA="}`), "INVALID_REQUEST"},
	} {
		t.Run(name, func(t *testing.T) {
			got := b.call("", test.body)
			if got.Status != "Failed" || got.Data.Code != test.code || got.Message == "" ||
				string(got.Data.Error) == "null" || string(got.Data.Errors) == "null" {
				t.Errorf("got %+v, want %s", got, test.code)
			}
		})
	}
	if got, _ := b.effects(); !cmp.Equal(got, []string{"score.request", "score.request"}) {
		t.Errorf("effects %v: only the first two were looked up", got)
	}
	for name, got := range map[string]envelope{
		"query": b.query("T-99"), "validate": b.validate("T-99", secure("123456"), "null"),
	} {
		if got.Status != "Failed" || got.Data.Code != "TRANSACTION_NOT_FOUND" {
			t.Errorf("%s of an unknown ref: %+v", name, got)
		}
	}
}

func TestARefIsUsedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.transact("T-1", 0)
	before, _ := b.effects()
	if got := b.transact("T-1", 11); got.Status != "Failed" || got.Data.Code != "DUPLICATE_TRANSACTION_REF" {
		t.Errorf("the second: %+v", got)
	}
	if diff := cmp.Diff(first, b.query("T-1")); diff != "" {
		t.Errorf("the first one changed: %s", diff)
	}
	if after, _ := b.effects(); !cmp.Equal(before, after) {
		t.Errorf("the second had an effect: %v", after)
	}
}

func TestAccountsAreDecryptedAndHidden(t *testing.T) {
	t.Parallel()
	for name, sealed := range map[string]string{"UTF-8": accountUTF8, "UTF-16LE": accountUTF16} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			got := b.call("", transactBody("T-1", b.ref(0), `{"type":"bank.account","secure":"`+sealed+`"}`))
			if got.Status != "WaitingForOTP" {
				t.Fatalf("answer %+v", got)
			}
			if _, log := b.effects(); !strings.Contains(log, `"******7890;058"`) || strings.Contains(log, "1234567890") {
				t.Errorf("effects %s", log)
			}
		})
	}
}

func TestCallersHaveToBeWhoTheySay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, header := range map[string]map[string]string{
		"nobody":          {},
		"another key":     {"Authorization": "Bearer other", "Signature": requestSignature},
		"a bare key":      {"Authorization": "op_key", "Signature": requestSignature},
		"no signature":    {"Authorization": "Bearer op_key"},
		"wrong signature": {"Authorization": "Bearer op_key", "Signature": strings.Repeat("0", 32)},
	} {
		for _, path := range []string{"", "/validate", "/query"} {
			status, raw := b.send("/v2/transact"+path, transactBody("T-1", b.ref(0), noAuth), header)
			if got := decode[envelope](t, raw); status != http.StatusUnauthorized || got.Status != "Failed" {
				t.Errorf("%s at %q: HTTP %d %s", name, path, status, raw)
			}
		}
	}
	if got, _ := b.effects(); len(got) != 0 {
		t.Errorf("effects %v", got)
	}
}

func TestBodiesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	commented := strings.Replace(transactBody("T-1", b.ref(0), noAuth), `"live",`, `"live", //as in the seed`, 1)
	unknown := strings.Replace(transactBody("T-1", b.ref(0), noAuth), `"amount"`, `"fee":1,"amount"`, 1)
	for _, body := range []string{commented, unknown, ""} {
		if status, raw := b.send("/v2/transact", body, signed()); status != http.StatusBadRequest {
			t.Errorf("HTTP %d %s for %s", status, raw, body)
		}
	}
}

func TestATransactionWhoseAnswerIsLostCanBeQueried(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{"cut_after_effect": "WaitingForOTP", "cut_before_effect": "Failed"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.send("/__sandbox/faults", `{"kind":"`+kind+`","match":{"path":"/v2/transact"},"times":1}`, nil)
			body := strings.NewReader(transactBody("T-1", b.ref(0), noAuth))
			request, err := http.NewRequest(http.MethodPost, b.url+"/v2/transact", body)
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range signed() {
				request.Header.Set(name, value)
			}
			if response, err := b.client.Do(request); err == nil {
				response.Body.Close()
				t.Fatalf("HTTP %d instead of a cut", response.StatusCode)
			}
			if got := b.query("T-1"); got.Status != want {
				t.Errorf("query %+v, want %s", got, want)
			}
		})
	}
}

func TestAFaultyStatusHasTheProvidersShape(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.send("/__sandbox/faults", `{"kind":"status","status":503,"times":1}`, nil)
	status, raw := b.send("/v2/transact/query", "{}", signed())
	if got := decode[envelope](t, raw); status != http.StatusServiceUnavailable || got.Status != "Failed" {
		t.Errorf("HTTP %d %s", status, raw)
	}
}
