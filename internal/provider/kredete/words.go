package kredete

import (
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// Kredete's words. Only pending_kyc … blocked, not_started, pending_review, completed, low, positive,
// neutral and the events are documented (seed 000); the others are the plain words for what our own
// values mean. A word that is not here is UNKNOWN, never a success.
var (
	customerWords = map[string]lending.CustomerStatus{
		"pending_kyc": lending.CustomerPendingKYC, "active": lending.CustomerActive,
		"suspended": lending.CustomerSuspended, "blocked": lending.CustomerBlocked,
	}
	kycWords = map[string]lending.KYCStatus{
		"not_started": lending.KYCNotStarted, "in_progress": lending.KYCInProgress,
		"pending": lending.KYCInProgress, "processing": lending.KYCInProgress,
		"verified": lending.KYCVerified, "failed": lending.KYCFailed, "rejected": lending.KYCFailed,
	}
	loanWords = map[string]lending.LoanStatus{
		"pending_review": lending.LoanPendingReview, "approved": lending.LoanApproved,
		"rejected": lending.LoanRejected, "disbursing": lending.LoanDisbursing,
		"disbursed": lending.LoanDisbursed, "active": lending.LoanActive, "repaid": lending.LoanRepaid,
		"cancelled": lending.LoanCancelled, "expired": lending.LoanExpired, "failed": lending.LoanFailed,
		"defaulted": lending.LoanDefaulted,
	}
	purposeWords = map[string]lending.LoanPurpose{
		"business_expansion": lending.ExpansionAndGrowth, "expansion_and_growth": lending.ExpansionAndGrowth,
		"working_capital": lending.WorkingCapital, "equipment_purchase": lending.EquipmentPurchase,
		"inventory_mgt": lending.InventoryMgt, "debt_financing": lending.DebtFinancing,
		"startup_capital": lending.StartupCapital, "others": lending.PurposeOthers,
	}
	paymentWords = map[string]lending.PaymentStatus{
		"completed": lending.PaymentCompleted, "pending": lending.PaymentPending,
		"processing": lending.PaymentPending, "failed": lending.PaymentFailed,
	}
	methodWords = map[string]lending.PaymentMethod{
		"bank_transfer": lending.BankTransfer, "card": lending.CardPayment, "cash": lending.CashPayment,
		"direct_debit": lending.DirectDebit, "mobile_money": lending.MobileMoney,
	}
	riskWords = map[string]lending.RiskCategory{
		"low": lending.RiskLow, "medium": lending.RiskMedium, "high": lending.RiskHigh,
	}
	impactWords = map[string]lending.Impact{
		"positive": lending.ImpactPositive, "neutral": lending.ImpactNeutral, "negative": lending.ImpactNegative,
	}
	eventWords = map[string]lending.EventType{
		"loan.created": lending.EventLoanCreated, "loan.approved": lending.EventLoanApproved,
		"loan.disbursed": lending.EventLoanDisbursed, "loan.repayment": lending.EventLoanRepayment,
		"customer.kyc_verified": lending.EventCustomerKYCVerified, "payment.received": lending.EventPaymentReceived,
	}
)

// eventWord is Kredete's word for an event; "" where it has none.
func eventWord(event lending.EventType) string {
	for word, known := range eventWords {
		if known == event {
			return word
		}
	}
	return ""
}

// wordFor is Kredete's word for a value of ours: its name in lower case, and nothing for a value that
// says nothing.
func wordFor[T interface {
	~string
	Valid() bool
}](value T) string {
	if !value.Valid() {
		return ""
	}
	return strings.ToLower(string(value))
}

// purposeFor is what Kredete is told a loan is for: the applicant's own words where there are any.
func purposeFor(purpose lending.LoanPurpose, note string) string {
	if note != "" {
		return note
	}
	if purpose == lending.ExpansionAndGrowth {
		return "business_expansion" // seed 000, Create Loan Application
	}
	return wordFor(purpose)
}

// lookup finds a word in a table: "" for no word, the set's unknown value for one that is not there.
func lookup[T ~string](odd *wire.Oddities, field string, table map[string]T, unknown T, word wire.Text) T {
	if word == "" {
		return ""
	}
	if value, ok := table[wire.Keyword(word)]; ok {
		return value
	}
	odd.Word(field, word.String())
	return unknown
}
