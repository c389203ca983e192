package trustdecision_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/sandbox/trustdecision"
)

// The seed's "Request Example For Push Notifications".
const exampleOrder = `{
"id_number": "22370756505",
"id_type": "bvn",
"country": "NG",
"phone_number": "9981234567",
"name": "Amlodd Adisa"
}`

func TestTheExampleOrderIsTaken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := b.call("/query", exampleOrder), b.call("/query", exampleOrder)
	if first.Code != 200 || first.Message != "Success" {
		t.Errorf("answer %+v, want code 200", first)
	}
	if !regexp.MustCompile(`^\d{16}i\d{15}$`).MatchString(first.SequenceID) {
		t.Errorf("sequence_id %q is not in the seed's form", first.SequenceID)
	}
	if first.SequenceID == second.SequenceID {
		t.Errorf("two orders have the sequence_id %s", first.SequenceID)
	}
	if got := len(b.effects()); got != 2 {
		t.Errorf("%d effects of two orders", got)
	}
}

func TestOrdersAreChecked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, test := range map[string]struct {
		old, new string
		code     int
		message  string
	}{
		"an empty number":          {`"22370756505"`, `""`, 9060, "id_number empty"},
		"a short number":           {`"22370756505"`, `"223"`, 9061, "id_number error"},
		"letters in a number":      {`"22370756505"`, `"2237075650x"`, 9061, "id_number error"},
		"a number that is no text": {`"22370756505"`, `22370756505`, 9061, "id_number error"},
		"an absent type":           {`"id_type": "bvn",`, ``, 9060, "id_type empty"},
		"another type":             {`"bvn"`, `"nin"`, 9061, "id_type error"},
		"an empty country":         {`"NG"`, `""`, 9060, "country empty"},
		"another country":          {`"NG"`, `"IN"`, 9061, "country error"},
		"an empty phone":           {`"9981234567"`, `""`, 9060, "phone_number empty"},
		"a phone with a plus":      {`"9981234567"`, `"+2349981234567"`, 9061, "phone_number error"},
		"an empty name":            {`"Amlodd Adisa"`, `""`, 9060, "name empty"},
		"an ext that is a text":    {`"name"`, `"ext":"x","name"`, 9061, "ext error"},
		"an ext over 1 KB":         {`"name"`, `"ext":{"a":"` + strings.Repeat("x", 1020) + `"},"name"`, 9061, "ext error"},
		"an unknown field":         {`"name"`, `"bvn":"1","name"`, 9061, "bvn error"},
		"no JSON":                  {`{`, `<`, 9061, "body error"},
	} {
		t.Run(name, func(t *testing.T) {
			got := b.call("/query", strings.Replace(exampleOrder, test.old, test.new, 1))
			if got.Code != test.code || got.Message != test.message || got.SequenceID == "" {
				t.Errorf("got %+v, want %d %q", got, test.code, test.message)
			}
		})
	}
	if got := b.effects(); len(got) != 0 {
		t.Errorf("refused orders had effects: %v", got)
	}
}

func TestAnExtOfOneKilobyteIsTaken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ext := `{"a":"` + strings.Repeat("x", 1024-len(`{"a":""}`)) + `"}`
	if got := b.call("/query", strings.Replace(exampleOrder, `"name"`, `"ext":`+ext+`,"name"`, 1)); got.Code != 200 {
		t.Errorf("answer %+v", got)
	}
}

func TestThePartnerHasToBeKnown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	withBody := strings.Replace(exampleOrder, "{", `{"partner_code":"td_partner","partner_key":"td_key",`, 1)
	for name, test := range map[string]struct {
		query, body, message string
		code                 int
	}{
		"in the query": {partner, exampleOrder, "Success", 200},
		"in the body":  {"", withBody, "Success", 200},
		"no code":      {"?partner_key=td_key", exampleOrder, "partner_code empty", 9060},
		"wrong code":   {"?partner_code=x&partner_key=td_key", exampleOrder, "partner_code error", 9061},
		"no key":       {"?partner_code=td_partner", exampleOrder, "partner_key empty", 9060},
		"wrong key":    {"?partner_code=td_partner&partner_key=x", exampleOrder, "partner_key error", 9061},
	} {
		t.Run(name, func(t *testing.T) {
			_, raw := b.post("/query"+test.query, test.body)
			if got := decode[reply](t, raw); got.Code != test.code || got.Message != test.message {
				t.Errorf("got %+v, want %d %q", got, test.code, test.message)
			}
		})
	}
}

func TestThePartnerMayStandInHeaders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	request, err := http.NewRequest(http.MethodPost, b.url+"/query", strings.NewReader(exampleOrder))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("partner_code", "td_partner")
	request.Header.Set("partner_key", "td_key")
	response, err := b.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if len(b.effects()) != 1 {
		t.Error("the order was not taken")
	}
}

func TestAnAccountThatIsNotInOrderRefusesOrders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	messages := map[int]string{}
	for _, code := range []string{"300", "301", "302", "303", "304", "9500"} {
		if status, body := b.post("/__sandbox/account", `{"code":`+code+`}`); status != http.StatusNoContent {
			t.Fatalf("code %s: %d %s", code, status, body)
		}
		got := b.order("22370756505")
		messages[got.Code] = got.Message
	}
	want := map[int]string{
		300: "Service not purchased or not effective", 301: "Service not purchased",
		302: "Service has been suspend", 303: "Not enough balance", 304: "Service expired", 9500: "Internal error",
	}
	if diff := cmp.Diff(want, messages); diff != "" {
		t.Error(diff)
	}
	if got := b.effects(); len(got) != 0 {
		t.Errorf("refused orders had effects: %v", got)
	}
	b.post("/__sandbox/account", `{}`)
	if got := b.order("22370756505"); got.Code != 200 {
		t.Errorf("after the reset: %+v", got)
	}
	if status, _ := b.post("/__sandbox/account", `{"code":200}`); status != http.StatusBadRequest {
		t.Errorf("a code that means nothing was taken: HTTP %d", status)
	}
}

func TestTheBackupQueryTellsWhatThePushTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.order("22370756505").SequenceID
	pushed := b.delivered()
	if len(pushed) != 1 {
		t.Fatalf("%d pushes", len(pushed))
	}
	_, raw := b.post("/backup"+partner, `{"sequence_id":"`+id+`"}`)
	if diff := cmp.Diff(decode[any](t, pushed[0].raw), decode[any](t, raw)); diff != "" {
		t.Errorf("push and backup differ (-push +backup):\n%s", diff)
	}
}

func TestTheBackupQueryRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *trustdecision.Options) { o.Delay, o.WebhookURL = time.Minute, "" })
	id := b.order("22370756505").SequenceID
	check := func(name string, got reply, code int, message string) {
		t.Helper()
		if got.Code != code || got.Message != message || got.SequenceID == "" || got.Result != "" {
			t.Errorf("%s: got %+v, want %d %q", name, got, code, message)
		}
	}
	check("while the report is made", b.backup(id), 9084, "Work in progress")
	check("without an id", b.backup(""), 9060, "sequence_id empty")
	check("an unknown id", b.backup("1699272744735016i303341798930550"), 9061, "sequence_id error")
	b.advance(time.Minute)
	if got := b.backup(id); got.Code != 200 || got.Result != "hit" || got.SequenceID != id {
		t.Errorf("when it is there: %+v", got)
	}
	b.post("/__sandbox/account", `{"backup_code":9083}`)
	check("by a fault", b.backup(id), 9083, "There was an error occurred, please try again")
	b.post("/__sandbox/account", `{}`)
	b.advance(24*time.Hour - time.Minute)
	if got := b.backup(id); got.Result != "hit" {
		t.Errorf("after 24 hours: %+v", got)
	}
	b.advance(time.Second)
	check("after more than 24 hours", b.backup(id), 9080, "Only queries within 48 hours are available.")
}

func TestAnOrderWhoseAnswerIsCutIsCarriedOut(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		kind   string
		pushes int
	}{
		"before the effect": {"cut_before_effect", 0},
		"after the effect":  {"cut_after_effect", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.fault(`{"kind":"` + test.kind + `","match":{"method":"POST","path":"/query"},"times":1}`)
			response, err := b.client.Post(b.url+"/query"+partner, "application/json", strings.NewReader(exampleOrder))
			if err == nil {
				response.Body.Close()
				t.Fatalf("the order was answered with HTTP %d", response.StatusCode)
			}
			if got := len(b.delivered()); got != test.pushes || len(b.effects()) != test.pushes {
				t.Errorf("%d pushes and %d effects, want %d", got, len(b.effects()), test.pushes)
			}
		})
	}
}

func TestAFaultyStatusHasTheProvidersShape(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fault(`{"kind":"status","status":503,"times":1}`)
	status, raw := b.post("/query"+partner, exampleOrder)
	if got := decode[reply](t, raw); status != http.StatusServiceUnavailable || got.Code != 9500 {
		t.Errorf("HTTP %d, %+v", status, got)
	}
}
