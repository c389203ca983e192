package carbon_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/carbon"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "carbon-key"

// example is the body of seed 003's examples.
const example = `{"customer_id":"1732ca47-42b2-4990-a65d-c369e934eed3","amount":2000000,"repayment_period":3,
"loan_purpose":"INVENTORY_MGT","reference":"MERCH_REF_001"}`

type api struct {
	*carbon.Twin
	world  *world.World
	server *httptest.Server
}

func setup(t *testing.T) *api {
	t.Helper()
	a := &api{world: world.New(1, 200)}
	a.Twin = carbon.New(carbon.Options{
		World: a.world, APIKey: key, Clock: func() time.Time { return world.DefaultEpoch },
	})
	a.server = httptest.NewServer(a.Handler())
	t.Cleanup(func() {
		a.Stop()
		a.server.Close()
	})
	return a
}

type answer struct {
	Status, Message string
	Data            *struct {
		ID              string      `json:"id"`
		CustomerID      string      `json:"customer_id"`
		Reference       string      `json:"reference"`
		Amount          json.Number `json:"amount"`
		RepaymentPeriod json.Number `json:"repayment_period"`
		LoanPurpose     string      `json:"loan_purpose"`
		Status          string      `json:"status"`
		CreatedAt       string      `json:"created_at"`
	}
}

func (a *api) post(t *testing.T, path, body string, headers map[string]string) (int, answer, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := a.server.Client().Do(request)
	if err != nil {
		return 0, answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, answer{}, err
	}
	var read answer
	if len(text) > 0 {
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return response.StatusCode, read, nil
}

func (a *api) apply(t *testing.T, body string) (int, answer) {
	t.Helper()
	status, got, err := a.post(t, "/v1/loans/apply", body, map[string]string{"x-carbon-key": key})
	if err != nil {
		t.Fatal(err)
	}
	return status, got
}

func TestAnApplicationIsCreatedOnce(t *testing.T) {
	t.Parallel()
	a := setup(t)
	status, first := a.apply(t, example)
	if status != 201 || first.Status != "success" || len(first.Data.ID) != 36 {
		t.Fatalf("%d %+v", status, first)
	}
	data := *first.Data
	data.ID = ""
	want := data
	want.CustomerID, want.Reference = "1732ca47-42b2-4990-a65d-c369e934eed3", "MERCH_REF_001"
	want.Amount, want.RepaymentPeriod, want.LoanPurpose = "2000000", "3", "INVENTORY_MGT"
	want.Status, want.CreatedAt = "PENDING", "2026-04-16T10:30:00Z"
	if diff := cmp.Diff(want, data); diff != "" {
		t.Errorf("application (-want +got):\n%s", diff)
	}
	for _, body := range []string{
		example, strings.Replace(example, "2000000", "400000", 1), strings.Replace(example, "1732ca47", "00000000", 1),
		`{"reference":"MERCH_REF_001"}`,
	} {
		status, again := a.apply(t, body)
		if diff := cmp.Diff(first.Data, again.Data); status != 200 || diff != "" {
			t.Errorf("repeated as %s: %d\n%s", body, status, diff)
		}
	}
	effects := a.Core().Effects.List("loan.apply")
	if len(effects) != 1 || effects[0].Key != "MERCH_REF_001" || effects[0].EntityID != first.Data.ID {
		t.Errorf("effects: %+v", effects)
	}
	if _, other := a.apply(t, strings.Replace(example, "001", "002", 1)); other.Data.ID == first.Data.ID {
		t.Error("two applications have one id")
	}
}

func TestOneReferenceAtTheSameTimeIsOneApplication(t *testing.T) {
	t.Parallel()
	a := setup(t)
	var work sync.WaitGroup
	var mu sync.Mutex
	counts, ids := map[int]int{}, map[string]bool{}
	for range 16 {
		work.Go(func() {
			status, got, err := a.post(t, "/v1/loans/apply", example, map[string]string{"x-carbon-key": key})
			mu.Lock()
			defer mu.Unlock()
			if err != nil || got.Data == nil {
				t.Errorf("%d %+v %v", status, got, err)
				return
			}
			counts[status]++
			ids[got.Data.ID] = true
		})
	}
	work.Wait()
	if counts[201] != 1 || counts[200] != 15 || len(ids) != 1 {
		t.Errorf("statuses %v, %d ids", counts, len(ids))
	}
}

func TestWhatIsRefusedAndWithWhichWords(t *testing.T) {
	t.Parallel()
	a := setup(t)
	change := func(from, to string) string {
		if !strings.Contains(example, from) {
			t.Fatalf("the example does not contain %s", from)
		}
		return strings.Replace(example, from, to, 1)
	}
	const low, range6 = "minimum loan amount is 300000 kobo", "repayment_period must be between 1 and 6 months"
	const purpose = "loan_purpose must be one of: WORKING_CAPITAL, EXPANSION_AND_GROWTH, EQUIPMENT_PURCHASE, " +
		"INVENTORY_MGT, DEBT_FINANCING, STARTUP_CAPITAL, OTHERS"
	tests := []struct {
		name, body string
		status     int
		message    string
	}{
		{"no customer", change(`1732ca47-42b2-4990-a65d-c369e934eed3`, ``), 400, "customer_id is required"},
		{"unknown customer", change(`1732ca47`, `1732ca48`), 400, "Customer not found"},
		{"not a UUID", change(`1732ca47-42b2-4990-a65d-c369e934eed3`, `me`), 400, "Customer not found"},
		{"too little", change(`2000000`, `299999`), 400, low},
		{"less than nothing", change(`2000000`, `-2000000`), 400, low},
		{"no amount", change(`"amount":2000000,`, ``), 400, low},
		{"part of a kobo", change(`2000000`, `2000000.5`), 400, "amount must be a whole number of kobo"},
		{"no month", change(`:3`, `:0`), 400, range6},
		{"too many months", change(`:3`, `:7`), 400, range6},
		{"part of a month", change(`:3`, `:1.5`), 400, range6},
		{"no period", change(`"repayment_period":3,`, ``), 400, range6},
		{"another purpose", change(`INVENTORY_MGT`, `HOLIDAYS`), 400, purpose},
		{"a purpose in small letters", change(`INVENTORY_MGT`, `inventory_mgt`), 400, purpose},
		{"no reference", change(`MERCH_REF_001`, ``), 400, "reference is required"},
		{"a long reference", change(`MERCH_REF_001`, strings.Repeat("é", 101)), 400, "reference must be 100 characters or less"},
		{"unknown field", change(`{`, `{"colour":"red",`), 400, "colour is unknown or of another type"},
		{"no number", change(`2000000`, `true`), 400, "amount is unknown or of another type"},
		{"no JSON", "amount=3", 400, "request body must be a JSON object"},
		{"no KYC", change(`1732ca47-42b2-4990-a65d-c369e934eed3`, a.world.Person(5).CarbonID), 422, "Customer KYC must be verified before applying for a loan"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, got := a.apply(t, test.body)
			if status != test.status || got.Message != test.message || got.Status != "error" || got.Data != nil {
				t.Errorf("%d %+v, want %d %s", status, got, test.status, test.message)
			}
		})
	}
	if effects := a.Core().Effects.List(""); len(effects) != 0 {
		t.Errorf("refused calls had effects: %v", effects)
	}
	for _, body := range []string{
		change(`2000000`, `300000`), strings.Replace(change(`MERCH_REF_001`, strings.Repeat("é", 100)), `:3`, `:6`, 1),
	} {
		if status, got := a.apply(t, body); status != 201 {
			t.Errorf("at the limit: %d %s", status, got.Message)
		}
	}
}

func TestACustomerWhomCarbonDoesNotKnowIsNotFound(t *testing.T) {
	t.Parallel()
	a := setup(t)
	everybody := world.New(1, 300)
	for i := range everybody.Size() {
		p := everybody.Person(i)
		if i < a.world.Size() || !p.Linked(lending.Carbon) {
			continue
		}
		if _, got := a.apply(t, strings.Replace(example, "1732ca47-42b2-4990-a65d-c369e934eed3", p.CarbonID, 1)); got.Message != "Customer not found" {
			t.Errorf("person %d of another world: %+v", i, got)
		}
	}
}

func TestVerifiedCustomersMayApply(t *testing.T) {
	t.Parallel()
	a := setup(t)
	pending := a.world.Person(5).CarbonID
	if status, _, err := a.post(t, "/__sandbox/customers/"+strings.ToUpper(pending)+"/verify-kyc", "", nil); status != 204 {
		t.Fatalf("%d %v", status, err)
	}
	if status, got := a.apply(t, strings.Replace(example, "1732ca47-42b2-4990-a65d-c369e934eed3", pending, 1)); status != 201 {
		t.Errorf("%d %s", status, got.Message)
	}
	if status, _, _ := a.post(t, "/__sandbox/customers/nobody/verify-kyc", "", nil); status != 404 {
		t.Errorf("nobody was verified: %d", status)
	}
}

func TestTheKeyIsWanted(t *testing.T) {
	t.Parallel()
	a := setup(t)
	tests := []struct {
		name    string
		headers map[string]string
		status  int
	}{
		{"none", nil, 401},
		{"wrong", map[string]string{"x-carbon-key": "x"}, 401},
		{"only in apikey", map[string]string{"apikey": key}, 401},
		{"different in apikey", map[string]string{"x-carbon-key": key, "apikey": "x"}, 401},
		{"in both", map[string]string{"x-carbon-key": key, "apikey": key}, 201},
		{"right", map[string]string{"X-Carbon-Key": key}, 200},
	}
	for _, test := range tests {
		status, got, err := a.post(t, "/v1/loans/apply", example, test.headers)
		if err != nil || status != test.status || (status == 401) != (got.Status == "error") {
			t.Errorf("%s: %d %+v %v, want %d", test.name, status, got, err, test.status)
		}
	}
	if status, got, err := a.post(t, "/v1/loans", example, nil); status != 404 || got.Status != "error" {
		t.Errorf("another path: %d %+v %v", status, got, err)
	}
}

func TestAnApplicationThatWasCutOffIsFoundByItsReference(t *testing.T) {
	t.Parallel()
	for kind, effects := range map[twin.Kind]int{twin.CutBeforeEffect: 0, twin.CutAfterEffect: 1} {
		a := setup(t)
		if _, err := a.Core().Faults.Add(twin.Rule{Kind: kind, Times: 1}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := a.post(t, "/v1/loans/apply", example, map[string]string{"x-carbon-key": key}); err == nil {
			t.Fatalf("%s: the call was answered", kind)
		}
		if got := len(a.Core().Effects.List("loan.apply")); got != effects {
			t.Errorf("%s: %d effects, want %d", kind, got, effects)
		}
		status, again := a.apply(t, example)
		if want := 201 - effects; status != want || again.Data.Reference != "MERCH_REF_001" {
			t.Errorf("%s: repeated with %d, want %d", kind, status, want)
		}
		if got := a.Core().Effects.List("loan.apply"); len(got) != 1 || got[0].EntityID != again.Data.ID {
			t.Errorf("%s: effects %+v", kind, got)
		}
	}
}
