package onepipe_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/creditgraph/creditgraph/internal/sandbox/onepipe"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The credentials of the tests, and vectors under them that were computed apart from this package.
const (
	secret = "test_client_secret"
	// requestRef is signed with requestSignature: MD5 of "REQ-0001;test_client_secret".
	requestRef       = "REQ-0001"
	requestSignature = "53b8e3ae8e8902bb9ed5aafc32028acb"

	otpUTF8      = "kD1O0f3SC38="                                 // 123456
	otpUTF16     = "xptVQ4pYTxveKXIszcLO0w=="                     // 123456
	accountUTF8  = "TX3Dx+9yT7UBm5eO5pAeTQ=="                     // 1234567890;058
	accountUTF16 = "xptVQ4pYTxtq31QKxS7Q1nkTrfXids1vJlsb7yHHnXE=" // 1234567890;058
)

// envelope is an answer as the seed shows it, read apart from the twin.
type envelope struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Data    struct {
		Code     string          `json:"provider_response_code"`
		Provider string          `json:"provider"`
		Errors   json.RawMessage `json:"errors"`
		Error    json.RawMessage `json:"error"`
		Response json.RawMessage `json:"provider_response"`
	} `json:"data"`
}

type bench struct {
	t      *testing.T
	world  *world.World
	client *http.Client
	url    string
}

func setup(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, world: world.New(7, 200)}
	stand := onepipe.New(onepipe.Options{World: b.world, APIKey: "op_key", ClientSecret: secret})
	server := httptest.NewServer(stand.Handler())
	b.url, b.client = server.URL, server.Client()
	t.Cleanup(func() {
		stand.Stop()
		server.Close()
	})
	return b
}

// ref is the customer_ref of person i.
func (b *bench) ref(i int) string { return b.world.Person(i).CustomerRef }

func (b *bench) send(path, body string, header map[string]string) (int, []byte) {
	b.t.Helper()
	request, err := http.NewRequest(http.MethodPost, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatalf("POST %s: %v", path, err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response.StatusCode, raw
}

func signed() map[string]string {
	return map[string]string{"Authorization": "Bearer op_key", "Signature": requestSignature}
}

// call posts with good credentials and wants HTTP 200.
func (b *bench) call(path, body string) envelope {
	b.t.Helper()
	status, raw := b.send("/v2/transact"+path, body, signed())
	if status != http.StatusOK {
		b.t.Fatalf("POST %s: HTTP %d %s", path, status, raw)
	}
	return decode[envelope](b.t, raw)
}

// transact is the seed's request for a customer, with an auth object.
func transactBody(ref, customer, auth string) string {
	return fmt.Sprintf(`{
"request_ref":%q, "request_type":"get_credit_score", "auth": %s,
"transaction": {
"mock_mode": "live", "transaction_ref": %q, "transaction_desc": "A random transaction",
"transaction_ref_parent": null, "amount": 0,
"customer":{"customer_ref": %q, "firstname": "Uju", "surname": "Usmanu", "email": "ujuusmanu@example.com",
 "mobile_no": "234802343132"},
"meta":{"a_key":"a_meta_value_1", "another_key":"a_meta_value_2"},
"details": null}}`, requestRef, auth, ref, customer)
}

const noAuth = `{"type": null, "secure": null, "auth_provider": "Beeceptor", "route_mode": null}`

func (b *bench) transact(ref string, person int) envelope {
	b.t.Helper()
	return b.call("", transactBody(ref, b.ref(person), noAuth))
}

func (b *bench) validate(ref, auth, details string) envelope {
	b.t.Helper()
	return b.call("/validate", fmt.Sprintf(`{"request_ref":%q,"request_type":"get_credit_score","auth":%s,`+
		`"transaction":{"transaction_ref":%q,"details":%s}}`, requestRef, auth, ref, details))
}

func secure(text string) string { return `{"secure":"` + text + `","auth_provider":"Beeceptor"}` }

func (b *bench) query(ref string) envelope {
	b.t.Helper()
	return b.call("/query", fmt.Sprintf(`{"request_ref":%q,"request_type":"get_credit_score",`+
		`"transaction":{"transaction_ref":%q}}`, requestRef, ref))
}

// effects is the operations of the effects so far, and the log as it was written.
func (b *bench) effects() (operations []string, log string) {
	b.t.Helper()
	response, err := b.client.Get(b.url + "/__sandbox/effects")
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range decode[struct {
		Effects []twin.Effect `json:"effects"`
	}](b.t, raw).Effects {
		operations = append(operations, e.Operation)
	}
	return operations, string(raw)
}

func decode[T any](t *testing.T, raw []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("no JSON of this form: %v: %.200s", err, raw)
	}
	return v
}
