package kredmint_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The seed's request for a new supplier, odd IFSC and mobile included.
const exampleSupplier = `{
"username": "9599170579",
"accountHolderName": "Devratna Arya 1",
"accountNumber": "12345432",
"ifsc": "ICIC00000012",
"bankName": "ICICI",
"branchName": "Okhala",
"gstin": "GST123",
"supplierName": "Devratna Arya 1",
"mobile": "798289227432",
"email": "supplier1@example.com"
}`

// suppliers lists a user's suppliers.
func (b *bench) suppliers(username string) []map[string]any {
	b.t.Helper()
	status, raw := b.send(http.MethodGet, "/account/supplier?username="+username, nil, nil)
	var envelope struct {
		Payload []map[string]any `json:"payload"`
	}
	if err := json.Unmarshal(raw, &envelope); err != nil || status != http.StatusOK || envelope.Payload == nil {
		b.t.Fatalf("HTTP %d %s", status, raw)
	}
	return envelope.Payload
}

func TestASupplierIsMadeAndListed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if got := b.suppliers("9599170579"); len(got) != 0 {
		t.Fatalf("a stranger has %v", got)
	}
	status, envelope := b.post("/account/supplier", exampleSupplier)
	stamp := json.Number("1776416400000")
	want := map[string]any{
		"payload": map[string]any{
			"id": "SUPB-123", "lenderId": "639b1fd3802a930379de2128", "creationDate": stamp, "lastModifiedDate": stamp,
			"userId": "USR-300000", "mobile": "798289227432", "gstin": "GST123", "supplierName": "Devratna Arya 1",
			"supplierBankId": "BNK-275", "status": "Initiated", "email": "supplier1@example.com",
			"partnerInvoice": false, "seqPrefix": "SUPB-",
		},
		"sum": json.Number("0.0"), "timestamp": stamp, "error": nil,
	}
	if diff := cmp.Diff(want, envelope); diff != "" || status != http.StatusOK {
		t.Errorf("HTTP %d %s", status, diff)
	}
	b.post("/account/supplier", exampleSupplier)
	var ids []any
	for _, s := range b.suppliers("9599170579") {
		ids = append(ids, s["id"])
	}
	if !slices.Equal(ids, []any{"SUPB-123", "SUPB-124"}) {
		t.Errorf("suppliers %v", ids)
	}
	if got := b.effects("supplier.create"); len(got) != 2 || got[0].EntityID != "SUPB-123" || got[0].Key != "USR-300000" {
		t.Errorf("effects %v", got)
	}
}

func TestPeopleHaveSuppliersFromTheStart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	counts, ids := map[int]bool{}, map[any]bool{}
	for i := range b.world.Size() {
		if b.mobile(i) == "" {
			continue
		}
		first := b.suppliers(b.mobile(i))
		counts[len(first)] = true
		for _, s := range first {
			if ids[s["id"]] {
				t.Errorf("two suppliers have the id %v", s["id"])
			}
			ids[s["id"]] = true
		}
	}
	if diff := cmp.Diff(map[int]bool{0: true, 1: true, 2: true, 3: true}, counts); diff != "" {
		t.Error(diff)
	}
	if got := b.suppliers(b.mobile(0)); len(got) != 2 || !cmp.Equal(got, setup(t).suppliers(b.mobile(0))) {
		t.Errorf("the showcase has %v, or others in another run", got)
	}
}

func TestMandatoryFieldsOfASupplier(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var fields map[string]string
	if err := json.Unmarshal([]byte(exampleSupplier), &fields); err != nil {
		t.Fatal(err)
	}
	for field := range fields {
		with := map[string]string{}
		for name, value := range fields {
			with[name] = value
		}
		delete(with, field)
		body, err := json.Marshal(with)
		if err != nil {
			t.Fatal(err)
		}
		want := http.StatusBadRequest
		if field == "gstin" || field == "email" {
			want = http.StatusOK
		}
		status, envelope := b.post("/account/supplier", string(body))
		text, _ := envelope["error"].(string)
		if status != want || want != http.StatusOK && !strings.HasSuffix(text, ": "+field) {
			t.Errorf("without %s: HTTP %d %v", field, status, envelope)
		}
	}
	if status, _ := b.send(http.MethodGet, "/account/supplier", nil, nil); status != http.StatusBadRequest {
		t.Errorf("a list of nobody's: HTTP %d", status)
	}
}
