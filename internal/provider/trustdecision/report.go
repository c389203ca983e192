package trustdecision

import (
	"fmt"
	"regexp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// wireReport is seed 001, Parameters and Description of data, with every scalar as text: the bureau
// writes numbers as strings, grouped strings and numbers. The table's heading "conscomm_details -
// conscomm_details_id" may mean that the parts also come flat.
type wireReport struct {
	Detail       wire.Object[wireDetail]         `json:"report_detail_bvn"`
	Enquiries    wire.List[wireProductEnquiries] `json:"inquiry_product"`
	Products     wire.List[wireProduct]          `json:"classification_prod_type"`
	History      wire.List[wireEnquiry]          `json:"inquiry_history_details"`
	Institutions wire.List[wireInstitution]      `json:"classification_ins_type"`
	Person       wire.Object[wirePerson]         `json:"conscomm_details"`
	wirePerson
}

type wireDetail struct {
	Number           wire.Text `json:"cir_number"`
	OrderedOn        wire.Text `json:"report_order_date"`
	Institution      wire.Text `json:"institution_name"`
	BVN              wire.Text `json:"bvn_number"` // a number: leading zeros are lost
	SearchConfidence wire.Text `json:"search_confidence_score"`
}

type wireProductEnquiries struct {
	ProductType  wire.Text `json:"product_type"`
	Bank         wire.Text `json:"bank"`
	Microfinance wire.Text `json:"micro"`
	Mortgage     wire.Text `json:"mortgage"`
	NonBank      wire.Text `json:"nbfc"`
	Other        wire.Text `json:"other"`
	Total        wire.Text `json:"total"`
}

type wireProduct struct {
	Currency      wire.Text `json:"currency"`
	ProductType   wire.Text `json:"product_type"`
	LastOverdueOn wire.Text `json:"recent_overdue_date"`
	LastSixMonths wire.Text `json:"no_acc_last_six_mon"`
	Accounts      wire.Text `json:"no_of_accounts"`
	Sanctioned    wire.Text `json:"sanctioned_amount"`
	Outstanding   wire.Text `json:"total_outstanding_balance"`
	Overdue       wire.Text `json:"amount_overdue"`
}

type wireInstitution struct {
	Currency        wire.Text `json:"currency"`
	InstitutionType wire.Text `json:"institution_type"`
	Accounts        wire.Text `json:"no_of_accounts"`
	Sanctioned      wire.Text `json:"approved_credit_sanctioned"`
	Outstanding     wire.Text `json:"oustanding_balance"`  // the page's spelling
	OutstandingTwo  wire.Text `json:"outstanding_balance"` // should the bureau mend it
	Overdue         wire.Text `json:"amount_overdue"`
}

type wireEnquiry struct {
	InstitutionType wire.Text `json:"institution_type"`
	SerialNumber    wire.Text `json:"sno"`
	FacilityType    wire.Text `json:"facility_type"`
	EnquiredOn      wire.Text `json:"inquiry_date"`
}

type wirePerson struct {
	Identifications wire.List[wireIdentification] `json:"conscomm_details_id"`
	Subject         wire.Object[wireSubject]      `json:"conscomm_details_subject"`
}

type wireIdentification struct {
	Number wire.Text `json:"identifier_number"`
	Type   wire.Text `json:"id_type"`
}

type wireSubject struct {
	Nationality    wire.Text `json:"nationality"`
	Address        wire.Text `json:"address"`
	Viability      wire.Text `json:"application_viability_score"`
	DateOfBirth    wire.Text `json:"date_of_birth"`
	DateOfBirthISO wire.Text `json:"date_of_birth_m"`
	Gender         wire.Text `json:"gender"`
	Name           wire.Text `json:"name"`
	Phone          wire.Text `json:"phone_no1"`
}

var reportNumberShape = regexp.MustCompile(`^[A-Za-z0-9/_.-]{1,64}$`)

// totalRow is the product type of the row that sums up the others. It counts about twelve months, so it
// need not equal the enquiries that are listed.
const totalRow = "total"

// content is a report in our words; nil where there is nothing in it.
func (b *bureau) content(data *wireReport) *lending.ReportContent {
	if data == nil {
		return nil
	}
	r := &reading{odd: b.odd}
	detail, person := data.Detail.Or(), data.person()
	c := &lending.ReportContent{
		ReportNumber:     told(detail.Number),
		OrderedOn:        r.date("orderedOn", detail.OrderedOn),
		Institution:      told(detail.Institution),
		SearchConfidence: r.percent("searchConfidence", detail.SearchConfidence),
		ViabilityScore:   r.decimal("viabilityScore", person.Subject.Or().Viability),
		Subject:          r.subject(person),
	}
	c.BVN = r.bvn(detail.BVN, c.Subject.Identification)
	r.enquiriesByProduct(c, data.Enquiries)
	c.FacilitiesByProduct = rows(r, "facilitiesByProduct", data.Products, r.product)
	c.FacilitiesByInstitution = rows(r, "facilitiesByInstitution", data.Institutions, r.institution)
	c.Enquiries = rows(r, "enquiries", data.History, r.enquiry)
	if isEmpty(c) {
		return nil
	}
	c.Warnings = r.warnings
	return c
}

// person is the subject's part, nested or flat.
func (w *wireReport) person() wirePerson {
	person := w.Person.Or()
	if len(person.Identifications.Items) == 0 {
		person.Identifications = w.Identifications
	}
	if person.Subject.Value == nil {
		person.Subject = w.Subject
	}
	return person
}

func isEmpty(c *lending.ReportContent) bool {
	return c.ReportNumber == "" && c.BVN == "" && c.Subject.Name == "" && len(c.Subject.Identification) == 0 &&
		c.TotalEnquiries == nil && len(c.EnquiriesByProduct) == 0 && len(c.FacilitiesByProduct) == 0 &&
		len(c.FacilitiesByInstitution) == 0 && len(c.Enquiries) == 0
}

// rows reads a list in the bureau's order, and tells how many rows could not be read. Rows that look
// alike are kept: two enquiries of one day are two.
func rows[W, T any](r *reading, field string, list wire.List[W], read func(string, W) T) []T {
	r.skipped(field, list.Skipped)
	var out []T
	for i, row := range list.Items {
		out = append(out, read(fmt.Sprintf("%s[%d]", field, i), row))
	}
	return out
}

func (r *reading) product(at string, row wireProduct) lending.ProductFacilities {
	currency := r.currency(at+".currency", row.Currency)
	return lending.ProductFacilities{
		ProductType:         told(row.ProductType),
		Currency:            currency,
		AccountCount:        r.count(at+".accountCount", row.Accounts),
		AccountsLast6Months: r.count(at+".accountsLast6Months", row.LastSixMonths),
		Sanctioned:          r.money(at+".sanctioned", row.Sanctioned, currency),
		Outstanding:         r.money(at+".outstanding", row.Outstanding, currency),
		Overdue:             r.money(at+".overdue", row.Overdue, currency),
		LastOverdueOn:       r.date(at+".lastOverdueOn", row.LastOverdueOn),
	}
}

func (r *reading) institution(at string, row wireInstitution) lending.InstitutionFacilities {
	currency := r.currency(at+".currency", row.Currency)
	outstanding := row.Outstanding
	if told(outstanding) == "" {
		outstanding = row.OutstandingTwo
	}
	return lending.InstitutionFacilities{
		InstitutionType: told(row.InstitutionType),
		Currency:        currency,
		AccountCount:    r.count(at+".accountCount", row.Accounts),
		Sanctioned:      r.money(at+".sanctioned", row.Sanctioned, currency),
		Outstanding:     r.money(at+".outstanding", outstanding, currency),
		Overdue:         r.money(at+".overdue", row.Overdue, currency),
	}
}

func (r *reading) enquiry(at string, row wireEnquiry) lending.Enquiry {
	return lending.Enquiry{
		FacilityType:    told(row.FacilityType),
		InstitutionType: told(row.InstitutionType),
		EnquiredOn:      r.date(at+".enquiredOn", row.EnquiredOn),
		SerialNumber:    told(row.SerialNumber),
	}
}

// enquiriesByProduct lifts the total out of the rows, where it stands like a product.
func (r *reading) enquiriesByProduct(c *lending.ReportContent, list wire.List[wireProductEnquiries]) {
	for _, row := range rows(r, "enquiriesByProduct", list, r.productEnquiries) {
		switch {
		case wire.Keyword(row.ProductType) != totalRow:
			c.EnquiriesByProduct = append(c.EnquiriesByProduct, row)
		case c.TotalEnquiries == nil:
			c.TotalEnquiries = &row
		default:
			r.warn("totalEnquiries", "told more than once; the first is shown")
		}
	}
}

func (r *reading) productEnquiries(at string, row wireProductEnquiries) lending.ProductEnquiries {
	return lending.ProductEnquiries{
		ProductType:  told(row.ProductType),
		Bank:         r.count(at+".bank", row.Bank),
		Microfinance: r.count(at+".microfinance", row.Microfinance),
		Mortgage:     r.count(at+".mortgage", row.Mortgage),
		NonBank:      r.count(at+".nonBank", row.NonBank),
		Other:        r.count(at+".other", row.Other),
		Total:        r.count(at+".total", row.Total),
	}
}
