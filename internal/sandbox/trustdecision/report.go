package trustdecision

import (
	_ "embed" // the seed's own report
	"encoding/json"
	"strconv"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// exampleReport is the data of the seed's "Hit situation", in the seed's own digits and order of fields.
//
//go:embed example_report.json
var exampleReport []byte

// exampleBVN is whom the seed's own report is about.
const exampleBVN = "22366507571"

// The seed's report, in its order of parts. Every scalar but bvn_number is a text in lower case, as in the
// "Hit situation" example.
type (
	report struct {
		Header       header           `json:"report_detail_bvn"`
		Enquiries    []productRow     `json:"inquiry_product"`
		Products     []facilityRow    `json:"classification_prod_type"`
		History      []historyRow     `json:"inquiry_history_details"`
		Institutions []institutionRow `json:"classification_ins_type"`
		Subject      subjectPart      `json:"conscomm_details"`
	}
	header struct {
		OrderDate   string      `json:"report_order_date"`
		Confidence  string      `json:"search_confidence_score"`
		Number      string      `json:"cir_number"`
		Institution string      `json:"institution_name"`
		BVN         json.Number `json:"bvn_number"` // a number in the example, though an identifier
	}
	productRow struct {
		Other    string `json:"other"`
		Total    string `json:"total"`
		Product  string `json:"product_type"`
		Bank     string `json:"bank"`
		NonBank  string `json:"nbfc"`
		Mortgage string `json:"mortgage"`
		Micro    string `json:"micro"`
	}
	facilityRow struct {
		Currency    string `json:"currency"`
		Product     string `json:"product_type"`
		LastOverdue string `json:"recent_overdue_date"`
		SixMonths   string `json:"no_acc_last_six_mon"`
		Overdue     string `json:"amount_overdue"`
		Sanctioned  string `json:"sanctioned_amount"`
		Accounts    string `json:"no_of_accounts"`
		Outstanding string `json:"total_outstanding_balance"`
	}
	historyRow struct {
		Institution string `json:"institution_type"`
		Serial      string `json:"sno"`
		Facility    string `json:"facility_type"`
		Date        string `json:"inquiry_date"`
	}
	institutionRow struct {
		Currency    string `json:"currency"`
		Institution string `json:"institution_type"`
		Overdue     string `json:"amount_overdue"`
		Outstanding string `json:"oustanding_balance"` // spelled so in the seed
		Sanctioned  string `json:"approved_credit_sanctioned"`
		Accounts    string `json:"no_of_accounts"`
	}
	subjectPart struct {
		Identifiers []identifierRow `json:"conscomm_details_id"`
		Person      personPart      `json:"conscomm_details_subject"`
	}
	identifierRow struct {
		Number string `json:"identifier_number"`
		Type   string `json:"id_type"`
	}
	personPart struct {
		Nationality string `json:"nationality"`
		Viability   string `json:"application_viability_score"`
		Address     string `json:"address"`
		BornISO     string `json:"date_of_birth_m"`
		Gender      string `json:"gender"`
		Phone       string `json:"phone_no1"`
		Born        string `json:"date_of_birth"`
		Name        string `json:"name"`
	}
)

// reportOn is the report on a person, ordered under a name on a day. It depends on these alone, so that
// the push and the backup query tell the same.
func reportOn(p *world.Person, orderedName, institution string, on lending.Date) report {
	record := recordOf(p, on)
	return report{
		Header: header{
			OrderDate:   longDate(on),
			Confidence:  confidence(p, orderedName),
			Number:      "w-" + p.BVN[1:] + "/" + strconv.Itoa(on.Year),
			Institution: institution,
			BVN:         json.Number(p.BVN),
		},
		Enquiries:    productRows(record.enquiries, on),
		Products:     facilityRows(record.facilities, on),
		History:      historyRows(record.enquiries),
		Institutions: institutionRows(record.facilities),
		Subject:      subjectOf(p),
	}
}

func subjectOf(p *world.Person) subjectPart {
	part := subjectPart{
		Identifiers: []identifierRow{{Number: p.BVN, Type: "bank verification number"}},
		Person: personPart{
			Nationality: "nigeria",
			Viability:   "na",
			Address:     address(p.Address),
			BornISO:     p.DateOfBirth.String(),
			Born:        longDate(p.DateOfBirth),
			Gender:      strings.ToLower(string(p.Gender)),
			Phone:       localPhone(p.Phone),
			Name:        strings.ToLower(p.FullName()),
		},
	}
	if p.Nationality == "IN" {
		part.Person.Nationality = "india"
	}
	if p.Bureau == world.BureauClean {
		part.Person.Viability = strconv.Itoa((p.KredeteScore - 300) * 100 / 550)
	}
	if p.Index%4 == 3 {
		number := "a0" + p.BVN[len(p.BVN)-7:]
		part.Identifiers = append(part.Identifiers, identifierRow{Number: number, Type: "passport"})
	}
	return part
}

// address runs street, city, state and country together, as the example does.
func address(a lending.Address) string {
	return strings.ToLower(strings.Join([]string{a.Street, a.City, a.Country, a.State}, " ")) + " "
}

// localPhone is the number without country code, in ten digits like the example's 9026061222.
func localPhone(e164 string) string {
	if len(e164) < 10 {
		return e164
	}
	return e164[len(e164)-10:]
}

// confidence is how well the name of the order fits: the whole name, a part of it, or the number alone.
func confidence(p *world.Person, orderedName string) string {
	ordered := strings.Fields(strings.ToLower(orderedName))
	matched := 0
	for _, part := range strings.Fields(strings.ToLower(p.FullName())) {
		for _, word := range ordered {
			if word == part {
				matched++
				break
			}
		}
	}
	return [...]string{"60%", "80%", "100%"}[min(matched, 2)]
}

// longDate is DD-Mon-YYYY in lower case ("24-aug-2023"), "na" for no date.
func longDate(d lending.Date) string {
	if d.IsZero() {
		return "na"
	}
	return strings.ToLower(d.Time().Format("02-Jan-2006"))
}

// grouped writes whole major units with commas between thousands: "139,691". The made-up amounts have no
// minor units left over.
func grouped(minor int64) string {
	digits := strconv.FormatInt(minor/100, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
