package lending

// Term is the tenure, nil where it is not told.
func (l *Loan) Term() *Tenure {
	if l.Tenure == (Tenure{}) {
		return nil
	}
	return new(l.Tenure)
}

// RecommendedDays is the recommended tenure in days, nil where it is not told.
func (s *CreditScore) RecommendedDays() *int {
	if s.RecommendedTenureDays == 0 {
		return nil
	}
	return new(s.RecommendedTenureDays)
}

// content is what the report says; empty until it is READY.
func (r *CreditReport) content() ReportContent {
	if r.Content == nil {
		return ReportContent{}
	}
	return *r.Content
}

// ReportNumber is the bureau's number of the report, "" until it is READY.
func (r *CreditReport) ReportNumber() string { return r.content().ReportNumber }

// OrderedOn is the bureau's date of the report, which may be older than the order.
func (r *CreditReport) OrderedOn() Date { return r.content().OrderedOn }

// Institution is who is named as having asked.
func (r *CreditReport) Institution() string { return r.content().Institution }

// BVN is the bank verification number that the report is about. It is a personal identifier.
func (r *CreditReport) BVN() string { return r.content().BVN }

// SearchConfidence is how well the person found matches the one asked for, from 0 to 1.
func (r *CreditReport) SearchConfidence() *Decimal { return r.content().SearchConfidence }

// ViabilityScore is the bureau's own score, on its own scale.
func (r *CreditReport) ViabilityScore() *Decimal { return r.content().ViabilityScore }

// Subject is the person whom the report is about, nil until it is READY.
func (r *CreditReport) Subject() *ReportSubject {
	if r.Content == nil {
		return nil
	}
	return &r.Content.Subject
}

// EnquiriesByProduct counts who asked about the person, by product.
func (r *CreditReport) EnquiriesByProduct() []ProductEnquiries { return r.content().EnquiriesByProduct }

// TotalEnquiries is the bureau's own total row, nil where there is none.
func (r *CreditReport) TotalEnquiries() *ProductEnquiries { return r.content().TotalEnquiries }

// FacilitiesByProduct sums up the person's facilities, by product and currency.
func (r *CreditReport) FacilitiesByProduct() []ProductFacilities {
	return r.content().FacilitiesByProduct
}

// FacilitiesByInstitution sums up the person's facilities, by type of institution and currency.
func (r *CreditReport) FacilitiesByInstitution() []InstitutionFacilities {
	return r.content().FacilitiesByInstitution
}

// EnquiryList is each time that somebody asked about the person, in the bureau's order.
func (r *CreditReport) EnquiryList() []Enquiry { return r.content().Enquiries }

// Warnings names the fields that could not be read.
func (r *CreditReport) Warnings() []string { return r.content().Warnings }
