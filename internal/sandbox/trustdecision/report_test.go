package trustdecision_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// hitData is the data of the report on a BVN, as pushed.
func (b *bench) hitData(bvn string) json.RawMessage {
	b.t.Helper()
	id := b.order(bvn).SequenceID
	for _, p := range b.delivered() {
		if string(p.body["sequence_id"]) == `"`+id+`"` {
			return p.body["data"]
		}
	}
	b.t.Fatalf("no push for %s", id)
	return nil
}

// rows is a report read without regard to what fields it should have.
type rows = []map[string]string

type reportShape struct {
	Header       map[string]any `json:"report_detail_bvn"`
	Enquiries    rows           `json:"inquiry_product"`
	Products     rows           `json:"classification_prod_type"`
	History      rows           `json:"inquiry_history_details"`
	Institutions rows           `json:"classification_ins_type"`
	Subject      struct {
		IDs    rows              `json:"conscomm_details_id"`
		Person map[string]string `json:"conscomm_details_subject"`
	} `json:"conscomm_details"`
}

func TestTheExampleNumberHasTheExampleReport(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("example_report.json")
	if err != nil {
		t.Fatal(err)
	}
	got := setup(t).hitData("22366507571")
	if diff := cmp.Diff(decode[any](t, want), decode[any](t, got)); diff != "" {
		t.Error(diff)
	}
}

// Every made-up report has the fields of the example and no others, in the example's forms.
func TestMadeUpReportsHaveTheFormOfTheExample(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("example_report.json")
	if err != nil {
		t.Fatal(err)
	}
	example := decode[reportShape](t, raw)
	b := setup(t)
	for i, kind := range map[int]world.BureauRecord{
		0: world.BureauClean, 3: world.BureauOverdue, 6: world.BureauOverdue, 11: world.BureauThin, 12: world.BureauClean,
	} {
		person := b.world.Person(i)
		if person.Bureau != kind {
			t.Fatalf("person %d is %s", i, person.Bureau)
		}
		data := b.hitData(person.BVN)
		if lower := strings.ToLower(string(data)); string(data) != lower {
			t.Errorf("person %d: not in lower case: %s", i, data)
		}
		report := decode[reportShape](t, data)
		sameFields(t, example.Header, report.Header)
		sameFields(t, example.Subject.Person, report.Subject.Person)
		for part, pair := range map[string][2]rows{
			"inquiry_product":          {example.Enquiries, report.Enquiries},
			"classification_prod_type": {example.Products, report.Products},
			"inquiry_history_details":  {example.History, report.History},
			"classification_ins_type":  {example.Institutions, report.Institutions},
			"conscomm_details_id":      {example.Subject.IDs, report.Subject.IDs},
		} {
			if pair[1] == nil {
				t.Errorf("person %d: %s is null or missing", i, part)
			}
			for _, row := range pair[1] {
				sameFields(t, pair[0][0], row)
			}
		}
		if got := !strings.Contains(string(data), `"bvn_number":`+person.BVN); got {
			t.Errorf("person %d: bvn_number is not the number %s", i, person.BVN)
		}
		if (kind == world.BureauThin) != (len(report.Products) == 0) {
			t.Errorf("person %d, %s: %d facilities", i, kind, len(report.Products))
		}
		checkSums(t, report, kind == world.BureauOverdue)
	}
}

func sameFields[V any](t *testing.T, want, got map[string]V) {
	t.Helper()
	for name := range want {
		if _, there := got[name]; !there {
			t.Errorf("%s is missing", name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d fields, want %d: %v", len(got), len(want), got)
	}
}

// checkSums holds the parts of a report against each other.
func checkSums(t *testing.T, r reportShape, overdue bool) {
	t.Helper()
	for _, pair := range [][2]string{
		{"sanctioned_amount", "approved_credit_sanctioned"},
		{"total_outstanding_balance", "oustanding_balance"},
		{"amount_overdue", "amount_overdue"},
		{"no_of_accounts", "no_of_accounts"},
	} {
		if byProduct, byInstitution := sum(t, r.Products, pair[0]), sum(t, r.Institutions, pair[1]); byProduct != byInstitution {
			t.Errorf("%s: %d by product, %d by institution", pair[0], byProduct, byInstitution)
		}
	}
	if got := sum(t, r.Products, "amount_overdue") > 0; got != overdue {
		t.Errorf("something is overdue: %t", got)
	}
	for _, row := range r.Products {
		if (row["recent_overdue_date"] == "na") == (sum(t, rows{row}, "amount_overdue") > 0) {
			t.Errorf("amount and date do not agree: %v", row)
		}
	}
	last := len(r.Enquiries) - 1
	if r.Enquiries[last]["product_type"] != "total" {
		t.Fatalf("the last row is %v", r.Enquiries[last])
	}
	for _, column := range []string{"bank", "micro", "mortgage", "nbfc", "other", "total"} {
		if sum(t, r.Enquiries[:last], column) != sum(t, r.Enquiries[last:], column) {
			t.Errorf("the total of %s is not the sum of the rows: %v", column, r.Enquiries)
		}
	}
	for i, row := range r.History {
		if row["sno"] != strconv.Itoa(i+1) {
			t.Errorf("row %d has the sno %q", i, row["sno"])
		}
		if i > 0 && enquiredOn(t, r.History[i-1]).Before(enquiredOn(t, row)) {
			t.Errorf("row %d is newer than the one before", i)
		}
	}
}

func enquiredOn(t *testing.T, row map[string]string) time.Time {
	t.Helper()
	on, err := time.Parse("02-Jan-2006", row["inquiry_date"])
	if err != nil {
		t.Fatal(err)
	}
	return on
}

var groupedForm = regexp.MustCompile(`^\d{1,3}(,\d{3})*$`)

// sum adds a column of grouped amounts or of counts.
func sum(t *testing.T, of rows, column string) int {
	t.Helper()
	total := 0
	for _, row := range of {
		n, err := strconv.Atoi(strings.ReplaceAll(row[column], ",", ""))
		if err != nil {
			t.Fatalf("%s is %q", column, row[column])
		}
		if !groupedForm.MatchString(row[column]) {
			t.Errorf("%s is %q: thousands are not grouped", column, row[column])
		}
		total += n
	}
	return total
}

func TestAReportIsAboutThePersonWhoWasAskedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	person := b.world.Person(0)
	report := decode[reportShape](t, b.hitData(person.BVN))
	born := person.DateOfBirth.Time()
	for field, want := range map[string]string{
		"name":            strings.ToLower(person.FullName()),
		"phone_no1":       strings.TrimPrefix(person.Phone, "+234"),
		"date_of_birth_m": born.Format("2006-01-02"),
		"date_of_birth":   strings.ToLower(born.Format("02-Jan-2006")),
		"gender":          "male",
		"nationality":     "nigeria",
	} {
		if got := report.Subject.Person[field]; got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	if viability, err := strconv.Atoi(report.Subject.Person["application_viability_score"]); err != nil || viability > 100 {
		t.Errorf("application_viability_score %q of a clean record", report.Subject.Person["application_viability_score"])
	}
	want := map[string]any{
		"report_order_date": "17-apr-2026", "cir_number": "w-2370756505/2026", "search_confidence_score": "60%",
		"institution_name": "sandbox finance limited", "bvn_number": report.Header["bvn_number"],
	}
	if diff := cmp.Diff(want, report.Header); diff != "" {
		t.Error(diff)
	}
}

func TestTheNameOfTheOrderDecidesTheConfidence(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, want := range map[string]string{
		"Adewale Okonkwo": "100%", "OKONKWO, adewale": "80%", "Okonkwo Adewale": "100%", "Someone Else": "60%",
	} {
		id := b.call("/query", strings.Replace(exampleOrder, "Amlodd Adisa", name, 1)).SequenceID
		_, raw := b.post("/backup"+partner, `{"sequence_id":"`+id+`"}`)
		got := decode[struct{ Data reportShape }](t, raw).Data.Header["search_confidence_score"]
		if got != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
}

func TestReportsAreTheSameEachTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bvn := b.world.Person(3).BVN
	if first, second := b.hitData(bvn), b.hitData(bvn); string(first) != string(second) {
		t.Errorf("two reports of one day differ:\n%s\n%s", first, second)
	}
}

func TestSomeReportsDifferFromMost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	indian := decode[reportShape](t, b.hitData(b.world.Person(12).BVN)).Subject
	if got := indian.Person["nationality"]; got != "india" {
		t.Errorf("nationality %q", got)
	}
	overdue := decode[reportShape](t, b.hitData(b.world.Person(3).BVN)).Subject
	if got := overdue.Person["application_viability_score"]; got != "na" {
		t.Errorf("application_viability_score %q of somebody who owes", got)
	}
	if len(overdue.IDs) != 2 || overdue.IDs[1]["id_type"] != "passport" {
		t.Errorf("documents %v", overdue.IDs)
	}
}
