package trustdecision

import (
	"fmt"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// bvnDigits is how long a bank verification number is.
const bvnDigits = 11

// subject reads the person, as far as the bureau tells.
func (r *reading) subject(person wirePerson) lending.ReportSubject {
	s := person.Subject.Or()
	return lending.ReportSubject{
		Name:           told(s.Name),
		DateOfBirth:    r.dateOfBirth(s),
		Gender:         r.gender(s.Gender),
		Nationality:    told(s.Nationality),
		Address:        told(s.Address),
		Phone:          e164(told(s.Phone)),
		Identification: r.identifications(person.Identifications),
	}
}

// dateOfBirth prefers the form YYYY-MM-DD over DD-mon-YYYY; the bureau tells both.
func (r *reading) dateOfBirth(s wireSubject) lending.Date {
	const field = "subject.dateOfBirth"
	iso, named := parseDate(s.DateOfBirthISO), parseDate(s.DateOfBirth)
	switch {
	case iso.IsZero() && named.IsZero():
		if told(s.DateOfBirthISO) != "" || told(s.DateOfBirth) != "" {
			r.warn(field, "not a date that can be read")
		}
	case iso.IsZero():
		return named
	case !named.IsZero() && named != iso:
		r.warn(field, "told in two ways that differ")
	}
	return iso
}

func (r *reading) gender(text wire.Text) lending.Gender {
	switch word := wire.Keyword(told(text)); word {
	case "":
		return ""
	case "male", "m":
		return lending.Male
	case "female", "f":
		return lending.Female
	case "other":
		return lending.GenderOther
	default:
		r.odd.Word("gender", word)
		return lending.GenderUnknown
	}
}

func (r *reading) identifications(list wire.List[wireIdentification]) (out []lending.Identification) {
	r.skipped("subject.identification", list.Skipped)
	for i, row := range list.Items {
		number := told(row.Number)
		if number == "" {
			continue
		}
		kind := r.identificationType(row.Type)
		if kind == lending.BVN {
			number = r.padded(fmt.Sprintf("subject.identification[%d].number", i), row.Number)
		}
		if number != "" {
			out = append(out, lending.Identification{Type: kind, Number: number})
		}
	}
	return out
}

// identificationTypes are the bureau's words; the page names the BVN, passport and driver's licence.
var identificationTypes = map[string]lending.IdentificationType{
	"bank verification number":       lending.BVN,
	"bvn":                            lending.BVN,
	"passport":                       lending.Passport,
	"passport number":                lending.Passport,
	"international passport":         lending.Passport,
	"driver's license":               lending.DriversLicence,
	"drivers license":                lending.DriversLicence,
	"driver license":                 lending.DriversLicence,
	"driver's licence":               lending.DriversLicence,
	"drivers licence":                lending.DriversLicence,
	"driving licence":                lending.DriversLicence,
	"national identification number": lending.NIN,
	"national identity number":       lending.NIN,
	"nin":                            lending.NIN,
	"voter's card":                   lending.VotersCard,
	"voters card":                    lending.VotersCard,
}

func (r *reading) identificationType(text wire.Text) lending.IdentificationType {
	word := wire.Keyword(told(text))
	if kind, ok := identificationTypes[word]; ok {
		return kind
	}
	if word != "" {
		r.odd.Word("id_type", strings.ReplaceAll(word, " ", "_"))
	}
	return lending.IdentificationUnknown
}

// bvn is the number that the report names, compared with the one among the subject's documents: there it
// is text, and has kept its zeros.
func (r *reading) bvn(number wire.Text, documents []lending.Identification) string {
	bvn := ""
	if told(number) != "" {
		bvn = r.padded("bvn", number)
	}
	for _, document := range documents {
		switch {
		case document.Type != lending.BVN || document.Number == bvn:
		case bvn == "":
			bvn = document.Number
		default:
			r.warn("bvn", "differs from the one among the subject's identification")
		}
	}
	return bvn
}

// padded puts back the leading zeros that a number loses in JSON.
func (r *reading) padded(field string, text wire.Text) string {
	digits := string(text)
	if !isDigits(digits) {
		digits = ""
		if d, ok := wire.NumberOf(string(text)).Decimal(); ok {
			digits = d.Normalize().String()
		}
	}
	if !isDigits(digits) || len(digits) > bvnDigits {
		r.warn(field, "not a number of 11 digits")
		return ""
	}
	return strings.Repeat("0", bvnDigits-len(digits)) + digits
}

// e164 writes a Nigerian number with its country code; what is none stays as it was told.
func e164(phone string) string {
	digits := strings.NewReplacer(" ", "", "-", "").Replace(phone)
	digits = strings.TrimPrefix(digits, "+")
	if rest, ok := strings.CutPrefix(digits, "234"); ok && len(rest) == 10 {
		digits = rest
	} else if rest, ok := strings.CutPrefix(digits, "0"); ok && len(rest) == 10 {
		digits = rest
	}
	if len(digits) == 10 && isDigits(digits) {
		return "+234" + digits
	}
	return phone
}
