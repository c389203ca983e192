package lending_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestAReportWithoutContentSaysNothing(t *testing.T) {
	t.Parallel()
	r := &lending.CreditReport{Status: lending.ReportOrdered}
	if r.ReportNumber() != "" || !r.OrderedOn().IsZero() || r.Institution() != "" || r.BVN() != "" ||
		r.SearchConfidence() != nil || r.ViabilityScore() != nil || r.Subject() != nil ||
		r.EnquiriesByProduct() != nil || r.TotalEnquiries() != nil || r.FacilitiesByProduct() != nil ||
		r.FacilitiesByInstitution() != nil || r.EnquiryList() != nil || r.Warnings() != nil {
		t.Error("a report that is not READY says something")
	}
}

func TestAReportSaysWhatItsContentHas(t *testing.T) {
	t.Parallel()
	confidence, viability := lending.NewDecimal(97, 2), lending.NewDecimal(640, 0)
	c := lending.ReportContent{
		ReportNumber: "N1", OrderedOn: lending.NewDate(2026, 5, 1), Institution: "Bank", BVN: "22370756505",
		SearchConfidence: &confidence, ViabilityScore: &viability, Subject: lending.ReportSubject{Name: "Ada"},
		EnquiriesByProduct:      []lending.ProductEnquiries{{ProductType: "Loan"}},
		TotalEnquiries:          &lending.ProductEnquiries{ProductType: "Total"},
		FacilitiesByProduct:     []lending.ProductFacilities{{ProductType: "Overdraft"}},
		FacilitiesByInstitution: []lending.InstitutionFacilities{{InstitutionType: "Bank"}},
		Enquiries:               []lending.Enquiry{{FacilityType: "Loan"}}, Warnings: []string{"total_1"},
	}
	r := &lending.CreditReport{Content: &c}
	got := lending.ReportContent{
		ReportNumber: r.ReportNumber(), OrderedOn: r.OrderedOn(), Institution: r.Institution(), BVN: r.BVN(),
		SearchConfidence: r.SearchConfidence(), ViabilityScore: r.ViabilityScore(), Subject: *r.Subject(),
		EnquiriesByProduct: r.EnquiriesByProduct(), TotalEnquiries: r.TotalEnquiries(),
		FacilitiesByProduct: r.FacilitiesByProduct(), FacilitiesByInstitution: r.FacilitiesByInstitution(),
		Enquiries: r.EnquiryList(), Warnings: r.Warnings(),
	}
	same := cmp.Comparer(func(a, b lending.Decimal) bool { return a == b })
	if diff := cmp.Diff(c, got, same); diff != "" {
		t.Errorf("the views differ from the content (-want +got):\n%s", diff)
	}
}

func TestWhatIsNotToldIsNil(t *testing.T) {
	t.Parallel()
	if term := (&lending.Loan{}).Term(); term != nil {
		t.Errorf("a loan without a tenure has the term %v", *term)
	}
	if days := (&lending.CreditScore{}).RecommendedDays(); days != nil {
		t.Errorf("a score without a recommended tenure has %d days", *days)
	}
	tenure := lending.Tenure{Value: 3, Unit: lending.Months}
	if term := (&lending.Loan{Tenure: tenure}).Term(); term == nil || *term != tenure {
		t.Errorf("a loan over 3 months has the term %v", term)
	}
	if days := (&lending.CreditScore{RecommendedTenureDays: 90}).RecommendedDays(); days == nil || *days != 90 {
		t.Errorf("a score that recommends 90 days has %v", days)
	}
}

func TestEachKindOfNodeIsFoundByItsID(t *testing.T) {
	t.Parallel()
	nodes := map[lending.NodeKind]interface{ NodeID() string }{
		lending.CustomerNode:  &lending.Customer{ID: "1"},
		lending.LoanNode:      &lending.Loan{ID: "1"},
		lending.PaymentNode:   &lending.Payment{ID: "1"},
		lending.ScoreNode:     &lending.CreditScore{ID: "1"},
		lending.ReportNode:    &lending.CreditReport{ID: "1"},
		lending.DocumentNode:  &lending.Document{ID: "1"},
		lending.WebhookNode:   &lending.Webhook{ID: "1"},
		lending.OperationNode: &lending.Operation{ID: "1"},
		lending.EventNode:     &lending.Event{ID: "1"},
	}
	for kind, node := range nodes {
		if got, id, err := lending.ParseGlobalID(node.NodeID()); got != kind || id != "1" || err != nil {
			t.Errorf("the id of a %s reads as %s %q %v", kind, got, id, err)
		}
	}
	supplier := &lending.Supplier{CustomerID: "c", Provider: lending.Kredmint, ExternalID: "SUP:7/8"}
	if customer, external, ok := lending.ParseSupplierID(supplier.NodeID()); customer != "c" || external != "SUP:7/8" || !ok {
		t.Errorf("the id of a supplier reads as %q %q %v", customer, external, ok)
	}
}
