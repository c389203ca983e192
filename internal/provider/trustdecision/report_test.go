package trustdecision_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestBVNIsMended(t *testing.T) {
	t.Parallel()
	const differs = "bvn: differs from the one among the subject's identification"
	for name, test := range map[string]struct {
		number, document string
		want             string
		warnings         []string
	}{
		"number":                     {`22366507571`, `""`, "22366507571", nil},
		"number that lost its zeros": {`223665075`, `"00223665075"`, "00223665075", nil},
		"number with an exponent":    {`2.2366507571e10`, `""`, "22366507571", nil},
		"text":                       {`"02236650757"`, `""`, "02236650757", nil},
		"only among the documents":   {`"na"`, `"22366507571"`, "22366507571", nil},
		"two that differ":            {`22366507571`, `"22366507572"`, "22366507571", []string{differs}},
		"masked":                     {`"223****7571"`, `""`, "", []string{"bvn: not a number of 11 digits"}},
		"too long":                   {`223665075711`, `""`, "", []string{"bvn: not a number of 11 digits"}},
		"a fraction":                 {`2236650757.5`, `""`, "", []string{"bvn: not a number of 11 digits"}},
		"none":                       {`null`, `null`, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content := contentOf(t, fmt.Sprintf(`{"report_detail_bvn":{"cir_number":"w-1","bvn_number":%s},
				"conscomm_details":{"conscomm_details_id":{"identifier_number":%s,"id_type":"BVN"}}}`, test.number, test.document))
			if content.BVN != test.want {
				t.Errorf("BVN %q, want %q", content.BVN, test.want)
			}
			if diff := cmp.Diff(test.warnings, content.Warnings); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAmounts(t *testing.T) {
	t.Parallel()
	kobo := func(n int64) *lending.Money { return new(lending.NewMoney(n, lending.NGN)) }
	const unreadable = "facilitiesByProduct[0].overdue: not an amount that can be read"
	for amount, test := range map[string]struct {
		want     *lending.Money
		warnings []string
	}{
		`"139,691"`:                    {kobo(13_969_100), nil},
		`"1,39,691"`:                   {kobo(13_969_100), nil},
		`"139691.50"`:                  {kobo(13_969_150), nil},
		`139691.5`:                     {kobo(13_969_150), nil},
		`"0"`:                          {kobo(0), nil},
		`" 12 "`:                       {kobo(1200), nil},
		`1e3`:                          {kobo(100_000), nil},
		`"-"`:                          {nil, nil},
		`"na"`:                         {nil, nil},
		`"Not Available"`:              {nil, nil},
		`""`:                           {nil, nil},
		`null`:                         {nil, nil},
		`{}`:                           {nil, nil},
		`"13,9691"`:                    {nil, []string{unreadable}},
		`"1.005"`:                      {nil, []string{unreadable}},
		`"99999999999999999999"`:       {nil, []string{unreadable}},
		`"about 5000 for A. Akubueze"`: {nil, []string{unreadable}},
	} {
		t.Run(amount, func(t *testing.T) {
			t.Parallel()
			content := contentOf(t, `{"classification_prod_type":{"currency":"ngn","amount_overdue":`+amount+`}}`)
			if diff := cmp.Diff(test.want, content.FacilitiesByProduct[0].Overdue, compareValues); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.warnings, content.Warnings); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAmountsKeepEveryDigit(t *testing.T) {
	t.Parallel()
	d := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		amount := lending.NewMoney(rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(rt, "kobo"), lending.NGN)
		text := amount.Literal()
		if rapid.Bool().Draw(rt, "grouped") {
			text = group(text)
		}
		body := `{"code":200,"result":"hit","data":{"classification_ins_type":[{"currency":"NGN","outstanding_balance":"` + text + `"}]}}`
		notice, err := d.WebhookReceiver.Translate([]byte(body))
		if err != nil {
			rt.Fatal(err)
		}
		content := notice.Report.Content
		if got := content.FacilitiesByInstitution[0].Outstanding; got == nil || *got != amount {
			rt.Fatalf("%s became %v (%v)", text, got, content.Warnings)
		}
	})
}

// group puts a comma before each three digits of a number's whole part.
func group(text string) string {
	sign, rest := "", text
	if strings.HasPrefix(text, "-") {
		sign, rest = "-", text[1:]
	}
	whole, fraction, point := strings.Cut(rest, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		whole += "." + fraction
	}
	return sign + whole
}

func TestCurrencies(t *testing.T) {
	t.Parallel()
	for word, test := range map[string]struct {
		want     lending.Currency
		amount   *lending.Money
		warnings []string
	}{
		"ngn": {lending.NGN, new(lending.NewMoney(500, lending.NGN)), nil},
		"Usd": {"USD", new(lending.NewMoney(500, "USD")), nil},
		"na":  {lending.NGN, new(lending.NewMoney(500, lending.NGN)), []string{"facilitiesByProduct[0].currency: not told; taken to be NGN"}},
		"cowries": {"XXX", nil, []string{
			"facilitiesByProduct[0].currency: not a currency that is known",
			"facilitiesByProduct[0].sanctioned: left out, as its currency is not known",
		}},
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			content := contentOf(t, `{"classification_prod_type":[{"currency":"`+word+`","sanctioned_amount":"5"}]}`)
			row := content.FacilitiesByProduct[0]
			if row.Currency != test.want {
				t.Errorf("currency %q, want %q", row.Currency, test.want)
			}
			if diff := cmp.Diff(test.amount, row.Sanctioned, compareValues); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.warnings, content.Warnings); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEnquiriesAreKeptAsTheyCome(t *testing.T) {
	t.Parallel()
	content := contentOf(t, `{"inquiry_history_details":[
		{"sno":"10","facility_type":"overdraft","inquiry_date":"17-Sept-2022","institution_type":"micro lenders"},
		{"sno":11,"facility_type":"overdraft","inquiry_date":"7-SEP-2022","institution_type":"na"},
		"odd", {"sno":"12","inquiry_date":"31-feb-2022"}, {"inquiry_date":"2022-09-17"}]}`)
	september := lending.NewDate(2022, time.September, 17)
	want := []lending.Enquiry{
		{FacilityType: "overdraft", InstitutionType: "micro lenders", EnquiredOn: september, SerialNumber: "10"},
		{FacilityType: "overdraft", EnquiredOn: lending.NewDate(2022, time.September, 7), SerialNumber: "11"},
		{SerialNumber: "12"},
		{EnquiredOn: september},
	}
	if diff := cmp.Diff(want, content.Enquiries); diff != "" {
		t.Error(diff)
	}
	warnings := []string{"enquiries: rows that could not be read: 1", "enquiries[2].enquiredOn: not a date that can be read"}
	if diff := cmp.Diff(warnings, content.Warnings); diff != "" {
		t.Error(diff)
	}
}

func TestTotalRowIsLifted(t *testing.T) {
	t.Parallel()
	content := contentOf(t, `{"inquiry_product":[{"product_type":" Total ","total":"1,024"},
		{"product_type":"overdraft","micro":6,"bank":"-1","other":"many","nbfc":2147483648},{"product_type":"total","total":1}]}`)
	want := lending.ReportContent{
		EnquiriesByProduct: []lending.ProductEnquiries{{ProductType: "overdraft", Microfinance: new(6)}},
		TotalEnquiries:     &lending.ProductEnquiries{ProductType: "Total", Total: new(1024)},
		Warnings: []string{
			"enquiriesByProduct[1].bank: not a count that can be read",
			"enquiriesByProduct[1].nonBank: not a count that can be read",
			"enquiriesByProduct[1].other: not a count that can be read",
			"totalEnquiries: told more than once; the first is shown",
		},
	}
	if diff := cmp.Diff(want, *content, compareValues); diff != "" {
		t.Error(diff)
	}
}

func TestSubject(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		details  string
		want     lending.ReportSubject
		warnings []string
	}{
		"nested, as objects": {
			`"conscomm_details":{"conscomm_details_subject":{"name":"a","gender":"F","phone_no1":"09026061222"}}`,
			lending.ReportSubject{Name: "a", Gender: lending.Female, Phone: "+2349026061222"},
			nil,
		},
		"nested, as lists": {
			`"conscomm_details":[{"conscomm_details_subject":[{"name":"a","phone_no1":2349026061222}]}]`,
			lending.ReportSubject{Name: "a", Phone: "+2349026061222"},
			nil,
		},
		"flat": {
			`"conscomm_details_subject":{"name":"a"},"conscomm_details_id":{"identifier_number":"A123","id_type":"passport"}`,
			lending.ReportSubject{Name: "a", Identification: []lending.Identification{{Type: lending.Passport, Number: "A123"}}},
			nil,
		},
		"a birthday in words alone": {
			`"conscomm_details_subject":{"date_of_birth":"5-jun-1999"}`,
			lending.ReportSubject{DateOfBirth: lending.NewDate(1999, time.June, 5)},
			nil,
		},
		"birthdays that differ": {
			`"conscomm_details_subject":{"date_of_birth":"5-jun-1999","date_of_birth_m":"1999-06-06"}`,
			lending.ReportSubject{DateOfBirth: lending.NewDate(1999, time.June, 6)},
			[]string{"subject.dateOfBirth: told in two ways that differ"},
		},
		"a birthday of two digits": {
			`"conscomm_details_subject":{"date_of_birth":"5-jun-99","phone_no1":"ask.mother","gender":"na"}`,
			lending.ReportSubject{Phone: "ask.mother"},
			[]string{"subject.dateOfBirth: not a date that can be read"},
		},
		"documents of all kinds": {
			`"conscomm_details_id":[{"identifier_number":"D1","id_type":"Driver's License"},
			 {"identifier_number":"N1","id_type":"nin"},{"identifier_number":"na","id_type":"nin"},
			 {"identifier_number":"T1","id_type":"tax card"},{"identifier_number":"22x","id_type":"bvn"}]`,
			lending.ReportSubject{Identification: []lending.Identification{
				{Type: lending.DriversLicence, Number: "D1"},
				{Type: lending.NIN, Number: "N1"},
				{Type: lending.IdentificationUnknown, Number: "T1"},
			}},
			[]string{"subject.identification[4].number: not a number of 11 digits"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content := contentOf(t, `{"report_detail_bvn":{"cir_number":"w-1"},`+test.details+`}`)
			if diff := cmp.Diff(test.want, content.Subject); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.warnings, content.Warnings); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestScoresAreReadOrLeftOut(t *testing.T) {
	t.Parallel()
	content := contentOf(t, `{"report_detail_bvn":{"search_confidence_score":"85.5 %","report_order_date":"soon"},
		"conscomm_details_subject":{"name":"a","application_viability_score":"612.50"}}`)
	want := lending.ReportContent{
		SearchConfidence: new(lending.MustDecimal("0.855")), ViabilityScore: new(lending.MustDecimal("612.5")),
		Subject:  lending.ReportSubject{Name: "a"},
		Warnings: []string{"orderedOn: not a date that can be read"},
	}
	if diff := cmp.Diff(want, *content, compareValues); diff != "" {
		t.Error(diff)
	}
	content = contentOf(t, `{"report_detail_bvn":{"cir_number":"w-1","search_confidence_score":"sure"},
		"conscomm_details_subject":{"application_viability_score":"high"}}`)
	warnings := []string{"searchConfidence: not a percentage that can be read", "viabilityScore: not a number that can be read"}
	if diff := cmp.Diff(warnings, content.Warnings); diff != "" {
		t.Error(diff)
	}
}

func TestWarningsAreBounded(t *testing.T) {
	t.Parallel()
	row := `{"inquiry_date":"never"},`
	content := contentOf(t, `{"inquiry_history_details":[`+strings.Repeat(row, 500)+`{}]}`)
	if n := len(content.Warnings); n != 101 || len(content.Enquiries) != 501 {
		t.Errorf("%d warnings for %d enquiries", n, len(content.Enquiries))
	}
}
