package lending_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// validity is the check of one closed set, by a word.
func validity[T interface {
	~string
	Valid() bool
}](words ...T) func() (known []string, valid func(string) bool) {
	return func() ([]string, func(string) bool) {
		var known []string
		for _, word := range words {
			known = append(known, string(word))
		}
		return known, func(word string) bool { return T(word).Valid() }
	}
}

func TestClosedSetsHoldTheirWordsAlone(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func() ([]string, func(string) bool){
		"gender":              validity(lending.Female, lending.Male, lending.GenderOther),
		"customer status":     validity(lending.CustomerPendingKYC, lending.CustomerActive, lending.CustomerSuspended, lending.CustomerBlocked),
		"KYC status":          validity(lending.KYCNotStarted, lending.KYCInProgress, lending.KYCVerified, lending.KYCFailed),
		"employment":          validity(lending.Employed, lending.SelfEmployed, lending.Unemployed, lending.Student, lending.Retired),
		"identification":      validity(lending.NIN, lending.BVN, lending.Passport, lending.DriversLicence, lending.VotersCard, lending.PAN, lending.Aadhaar),
		"credit line":         validity(lending.LineIncomplete, lending.LineActive),
		"tenure unit":         validity(lending.Days, lending.Months),
		"purpose":             validity(lending.WorkingCapital, lending.ExpansionAndGrowth, lending.EquipmentPurchase, lending.InventoryMgt, lending.DebtFinancing, lending.StartupCapital, lending.PurposeOthers),
		"loan order":          validity(lending.ByCreatedAt, lending.ByUpdatedAt, lending.ByPrincipal),
		"payment status":      validity(lending.PaymentPending, lending.PaymentOutcomeUnknown, lending.PaymentCompleted, lending.PaymentFailed),
		"payment method":      validity(lending.BankTransfer, lending.CardPayment, lending.CashPayment, lending.DirectDebit, lending.MobileMoney),
		"operation status":    validity(lending.OpInProgress, lending.OpAwaitingOTP, lending.OpAwaitingInfo, lending.OpAwaitingProvider, lending.OpOutcomeUnknown, lending.OpSucceeded, lending.OpFailed),
		"consent":             validity(lending.ConsentApp, lending.ConsentWeb, lending.ConsentUSSD, lending.ConsentBranch, lending.ConsentPhone, lending.ConsentPaper),
		"provider":            validity(lending.Providers()...),
		"report status":       validity(lending.ReportOrdered, lending.ReportOutcomeUnknown, lending.ReportReady, lending.ReportNoRecord, lending.ReportExpired, lending.ReportFailed),
		"score band":          validity(lending.BandExcellent, lending.BandGood, lending.BandFair, lending.BandPoor, lending.BandVeryPoor),
		"risk":                validity(lending.RiskLow, lending.RiskMedium, lending.RiskHigh),
		"impact":              validity(lending.ImpactPositive, lending.ImpactNeutral, lending.ImpactNegative),
		"source status":       validity(lending.SourceFresh, lending.SourceCached, lending.SourceStale, lending.SourcePending, lending.SourceNone, lending.SourceNotLinked, lending.SourceUnavailable),
		"supplier status":     validity(lending.SupplierPending),
		"document kind":       validity(lending.InvoiceDocument, lending.FinancialDataDocument),
		"event source":        validity(lending.FromAPI, lending.FromWebhook, lending.FromPoll),
		"outcome of an error": validity(lending.NotExecuted, lending.Executed),
		"error kind":          validity(errorKinds...),
		"event type": validity(
			lending.EventCustomerCreated, lending.EventCustomerLinked, lending.EventCustomerKYCVerified,
			lending.EventLoanCreated, lending.EventLoanApproved, lending.EventLoanRejected, lending.EventLoanDisbursing,
			lending.EventLoanDisbursed, lending.EventLoanRepayment, lending.EventPaymentReceived,
			lending.EventCreditScoreReady, lending.EventCreditReportOrdered, lending.EventCreditReportReady,
			lending.EventCreditReportNoRecord, lending.EventCreditReportFailed, lending.EventSupplierCreated,
			lending.EventInvoiceStatusChanged, lending.EventDocumentUploaded, lending.EventWebhookRegistered,
			lending.EventPayment, lending.EventPaymentSettlement, lending.EventNACH, lending.EventUser,
			lending.EventOperationUpdated,
		),
		"operation kind": validity(
			lending.OpCreateCustomer, lending.OpApplyForLoan, lending.OpApproveLoan, lending.OpRejectLoan,
			lending.OpDisburseLoan, lending.OpRecordPayment, lending.OpRequestCreditScore, lending.OpOrderCreditReport,
			lending.OpCreateSupplier, lending.OpPayInvoice, lending.OpUploadDocument, lending.OpRegisterWebhook,
		),
		"capability": validity(
			lending.CanReadProfiles, lending.CanCreateCustomers, lending.CanReadCreditLines, lending.CanApplyForLoans,
			lending.CanDecideLoans, lending.CanRecordPayments, lending.CanScore, lending.CanConfirmScores,
			lending.CanReport, lending.CanManageSuppliers, lending.CanPayInvoices, lending.CanStoreDocuments,
			lending.CanRegisterWebhooks, lending.CanSendWebhooks,
		),
	} {
		known, valid := set()
		for _, word := range known {
			if !valid(word) {
				t.Errorf("%s: %s is not known", name, word)
			}
		}
		for _, word := range []string{"", "UNKNOWN", "unknown", known[0] + "X", " " + known[0]} {
			if word == string(lending.OutcomeUnknown) && name == "outcome of an error" {
				continue // here UNKNOWN is what is said
			}
			if valid(word) {
				t.Errorf("%s: %q is taken for a word of it", name, word)
			}
		}
	}
}

func TestProvidersHaveNames(t *testing.T) {
	t.Parallel()
	slugs := map[string]bool{}
	for _, p := range lending.Providers() {
		if p.Title() == "" || p.Slug() == "unknown" || slugs[p.Slug()] {
			t.Errorf("%s is %q, %q", p, p.Title(), p.Slug())
		}
		slugs[p.Slug()] = true
	}
	if lending.ProviderUnknown.Title() != "" || lending.ProviderUnknown.Slug() != "unknown" {
		t.Error("an unknown provider has a name")
	}
}

func TestWhatMovesMoneyAndWhatIsSettled(t *testing.T) {
	t.Parallel()
	for kind, want := range map[lending.OperationKind]bool{
		lending.OpDisburseLoan: true, lending.OpRecordPayment: true, lending.OpPayInvoice: true,
		lending.OpApplyForLoan: false, lending.OpApproveLoan: false, lending.OpOrderCreditReport: false, lending.OpUnknown: false,
	} {
		if kind.MovesMoney() != want {
			t.Errorf("%s moves money: %t", kind, kind.MovesMoney())
		}
	}
	for status, want := range map[lending.OperationStatus]bool{
		lending.OpSucceeded: true, lending.OpFailed: true, lending.OpOutcomeUnknown: false, lending.OpInProgress: false,
	} {
		if status.Settled() != want {
			t.Errorf("%s is settled: %t", status, status.Settled())
		}
	}
	for status, want := range map[lending.ReportStatus]bool{
		lending.ReportOrdered: true, lending.ReportOutcomeUnknown: true, lending.ReportReady: false, lending.ReportExpired: false,
	} {
		if status.Waiting() != want {
			t.Errorf("%s is waited for: %t", status, status.Waiting())
		}
	}
}

func TestNamesOfPeople(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]lending.Customer{
		"Ada Obi": {FirstName: "Ada", LastName: "Obi"}, "Ada": {FirstName: "Ada"}, "Obi": {LastName: "Obi"}, "": {},
	} {
		if got := c.FullName(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestPageRequests(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		page     lending.PageRequest
		size     int
		backward bool
	}{
		{lending.PageRequest{First: 10, After: "c"}, 10, false},
		{lending.PageRequest{Last: 5, Before: "c"}, 5, true},
	} {
		if test.page.Size() != test.size || test.page.Backward() != test.backward {
			t.Errorf("%+v is of %d, backward %t", test.page, test.page.Size(), test.page.Backward())
		}
	}
}

func TestAFilterOfEventsNarrowsByEachField(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		providers := rapid.SliceOf(rapid.SampledFrom(lending.Providers()))
		types := rapid.SampledFrom([]lending.EventType{lending.EventLoanCreated, lending.EventLoanApproved, lending.EventUnknown})
		id := rapid.SampledFrom([]string{"", "a", "b"})
		f := lending.EventFilter{
			Providers: providers.Draw(t, "providers"), Types: rapid.SliceOf(types).Draw(t, "types"),
			CustomerID: lending.CustomerID(id.Draw(t, "customer")), LoanID: lending.LoanID(id.Draw(t, "loan")),
			OperationID: lending.OperationID(id.Draw(t, "operation")),
		}
		e := &lending.Event{
			Provider: rapid.SampledFrom(lending.Providers()).Draw(t, "provider"), Type: types.Draw(t, "type"),
			CustomerID: lending.CustomerID(id.Draw(t, "its customer")), LoanID: lending.LoanID(id.Draw(t, "its loan")),
			OperationID: lending.OperationID(id.Draw(t, "its operation")),
		}
		want := (len(f.Providers) == 0 || slices.Contains(f.Providers, e.Provider)) &&
			(len(f.Types) == 0 || slices.Contains(f.Types, e.Type)) &&
			(f.CustomerID == "" || f.CustomerID == e.CustomerID) && (f.LoanID == "" || f.LoanID == e.LoanID) &&
			(f.OperationID == "" || f.OperationID == e.OperationID)
		if f.Matches(e) != want || !(lending.EventFilter{}).Matches(e) {
			t.Fatalf("%+v and %+v: %t", f, e, f.Matches(e))
		}
	})
}
