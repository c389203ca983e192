package lending

import "time"

// ReportStatus is where an ordered credit report stands.
type ReportStatus string

// The report statuses.
const (
	ReportOrdered        ReportStatus = "ORDERED"
	ReportOutcomeUnknown ReportStatus = "OUTCOME_UNKNOWN" // it is not known whether the bureau took the order
	ReportReady          ReportStatus = "READY"
	ReportNoRecord       ReportStatus = "NO_RECORD" // the bureau knows nothing of this person
	ReportExpired        ReportStatus = "EXPIRED"   // it was never fetched, and can no longer be
	ReportFailed         ReportStatus = "FAILED"
	ReportUnknown        ReportStatus = "UNKNOWN"
)

// Valid reports whether s is a known status.
func (s ReportStatus) Valid() bool {
	switch s {
	case ReportOrdered, ReportOutcomeUnknown, ReportReady, ReportNoRecord, ReportExpired, ReportFailed:
		return true
	}
	return false
}

// Waiting reports whether an answer may still come.
func (s ReportStatus) Waiting() bool { return s == ReportOrdered || s == ReportOutcomeUnknown }

// CreditReport is a bureau's report on a customer, from the order on.
type CreditReport struct {
	ID         ReportID
	CustomerID CustomerID
	Provider   Provider
	ExternalID string // TrustDecision's sequence_id; "" until the order's answer is known
	Status     ReportStatus
	OrderedAt  time.Time
	ReceivedAt time.Time
	Content    *ReportContent // nil until READY
	Failure    *Failure       // set for FAILED and EXPIRED
	// Conflict says that a later answer contradicted the one that is shown.
	Conflict bool
}

// ReportContent is what a report says (seed 001, Parameters and Description of data). It is personal
// throughout: encrypted at rest.
type ReportContent struct {
	Private
	ReportNumber     string   `json:"reportNumber"`
	OrderedOn        Date     `json:"orderedOn,omitzero"` // the bureau's own date, which may be older than our order
	Institution      string   `json:"institution,omitempty"`
	BVN              string   `json:"bvn,omitempty"`
	SearchConfidence *Decimal `json:"searchConfidence,omitempty"` // 0 to 1: how well the subject matched
	ViabilityScore   *Decimal `json:"viabilityScore,omitempty"`

	Subject                 ReportSubject           `json:"subject"`
	EnquiriesByProduct      []ProductEnquiries      `json:"enquiriesByProduct,omitempty"`
	TotalEnquiries          *ProductEnquiries       `json:"totalEnquiries,omitempty"` // the bureau's own total row
	FacilitiesByProduct     []ProductFacilities     `json:"facilitiesByProduct,omitempty"`
	FacilitiesByInstitution []InstitutionFacilities `json:"facilitiesByInstitution,omitempty"`
	Enquiries               []Enquiry               `json:"enquiries,omitempty"` // in the bureau's order
	Warnings                []string                `json:"warnings,omitempty"`  // fields that could not be read
}

// ReportSubject is the person whom the report is about.
type ReportSubject struct {
	Private
	Name           string           `json:"name,omitempty"`
	DateOfBirth    Date             `json:"dateOfBirth,omitzero"`
	Gender         Gender           `json:"gender,omitempty"`
	Nationality    string           `json:"nationality,omitempty"`
	Address        string           `json:"address,omitempty"`
	Phone          string           `json:"phone,omitempty"`
	Identification []Identification `json:"identification,omitempty"`
}

// ProductEnquiries counts who asked about the person, for one product. A nil count was not told.
type ProductEnquiries struct {
	ProductType  string `json:"productType"`
	Bank         *int   `json:"bank,omitempty"`
	Microfinance *int   `json:"microfinance,omitempty"`
	Mortgage     *int   `json:"mortgage,omitempty"`
	NonBank      *int   `json:"nonBank,omitempty"`
	Other        *int   `json:"other,omitempty"`
	Total        *int   `json:"total,omitempty"`
}

// ProductFacilities sums up the person's facilities of one product type.
type ProductFacilities struct {
	ProductType         string   `json:"productType"`
	Currency            Currency `json:"currency"`
	AccountCount        *int     `json:"accountCount,omitempty"` // within 24 months
	AccountsLast6Months *int     `json:"accountsLast6Months,omitempty"`
	Sanctioned          *Money   `json:"sanctioned,omitempty"`
	Outstanding         *Money   `json:"outstanding,omitempty"`
	Overdue             *Money   `json:"overdue,omitempty"`
	LastOverdueOn       Date     `json:"lastOverdueOn,omitzero"`
}

// InstitutionFacilities sums up the person's facilities at one type of institution.
type InstitutionFacilities struct {
	InstitutionType string   `json:"institutionType"`
	Currency        Currency `json:"currency"`
	AccountCount    *int     `json:"accountCount,omitempty"`
	Sanctioned      *Money   `json:"sanctioned,omitempty"`
	Outstanding     *Money   `json:"outstanding,omitempty"`
	Overdue         *Money   `json:"overdue,omitempty"`
}

// Enquiry is one time somebody asked the bureau about the person.
type Enquiry struct {
	FacilityType    string `json:"facilityType"`
	InstitutionType string `json:"institutionType"`
	EnquiredOn      Date   `json:"enquiredOn,omitzero"`
	SerialNumber    string `json:"serialNumber,omitempty"`
}

// BureauSummary is a report in a few figures, one currency each.
type BureauSummary struct {
	ReportID     ReportID
	ReportNumber string
	OrderedOn    Date
	ReceivedAt   time.Time
	// OpenFacilities counts the facilities over all product types and currencies.
	OpenFacilities *int
	// TotalOutstanding and AmountOverdue are sums in the currency of most facilities; amounts of another
	// currency are left out of them, as sums over currencies mean nothing.
	TotalOutstanding *Money
	AmountOverdue    *Money
	// EnquiriesLast12Months is the bureau's own total.
	EnquiriesLast12Months *int
}

// Summarize puts a READY report into a few figures; nil for a report without content.
func (r *CreditReport) Summarize() *BureauSummary {
	if r == nil || r.Content == nil {
		return nil
	}
	c := r.Content
	s := &BureauSummary{
		ReportID: r.ID, ReportNumber: c.ReportNumber, OrderedOn: c.OrderedOn, ReceivedAt: r.ReceivedAt,
	}
	if c.TotalEnquiries != nil {
		s.EnquiriesLast12Months = c.TotalEnquiries.Total
	}
	currency := c.mainCurrency()
	for _, row := range c.FacilitiesByProduct {
		if row.AccountCount != nil {
			s.OpenFacilities = new(deref(s.OpenFacilities) + *row.AccountCount)
		}
		if row.Currency == currency {
			s.TotalOutstanding = sum(s.TotalOutstanding, row.Outstanding)
			s.AmountOverdue = sum(s.AmountOverdue, row.Overdue)
		}
	}
	return s
}

// mainCurrency is the currency of most facilities; the first of equals.
func (c *ReportContent) mainCurrency() Currency {
	counts := map[Currency]int{}
	var best Currency
	for _, row := range c.FacilitiesByProduct {
		counts[row.Currency] += max(1, deref(row.AccountCount))
		if best == "" || counts[row.Currency] > counts[best] {
			best = row.Currency
		}
	}
	return best
}

// sum adds amounts of one currency, where nil is not told. An overflow leaves the total as it was.
func sum(total, more *Money) *Money {
	if total == nil || more == nil {
		if total == nil {
			return more
		}
		return total
	}
	if added, err := total.Add(*more); err == nil {
		return &added
	}
	return total
}

func deref(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}
