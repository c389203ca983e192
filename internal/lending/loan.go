package lending

import "time"

// LoanStatus is where a loan stands, one set for all providers.
type LoanStatus string

// The loan statuses.
const (
	LoanSubmitting     LoanStatus = "SUBMITTING"      // we are sending the application
	LoanOutcomeUnknown LoanStatus = "OUTCOME_UNKNOWN" // it is not known whether the provider has it
	LoanPendingReview  LoanStatus = "PENDING_REVIEW"
	LoanKYCPending     LoanStatus = "KYC_PENDING"
	LoanOffered        LoanStatus = "OFFERED"
	LoanOfferAccepted  LoanStatus = "OFFER_ACCEPTED"
	LoanApproved       LoanStatus = "APPROVED"
	LoanDisbursing     LoanStatus = "DISBURSING" // the provider took the order to pay out
	LoanDisbursed      LoanStatus = "DISBURSED"
	LoanActive         LoanStatus = "ACTIVE" // paid out, and at least one repayment came in
	LoanRepaid         LoanStatus = "REPAID"
	LoanRejected       LoanStatus = "REJECTED"
	LoanCancelled      LoanStatus = "CANCELLED"
	LoanExpired        LoanStatus = "EXPIRED"
	LoanFailed         LoanStatus = "FAILED"
	LoanDefaulted      LoanStatus = "DEFAULTED"
	LoanUnknown        LoanStatus = "UNKNOWN" // a word of the provider that we do not know
)

var loanRanks = map[LoanStatus]int{
	LoanSubmitting: 1, LoanOutcomeUnknown: 2, LoanUnknown: 3, LoanPendingReview: 10, LoanKYCPending: 11,
	LoanOffered: 20, LoanOfferAccepted: 25, LoanApproved: 30, LoanDisbursing: 35, LoanDisbursed: 40,
	LoanActive: 45, LoanRepaid: 60, LoanRejected: 90, LoanCancelled: 91, LoanExpired: 92, LoanFailed: 93,
	LoanDefaulted: 94,
}

// Valid reports whether s is a known status.
func (s LoanStatus) Valid() bool { return loanRanks[s] != 0 && s != LoanUnknown }

// Rank orders the statuses: state moves to the higher rank, whatever order the news comes in.
func (s LoanStatus) Rank() int { return loanRanks[s] }

// PaidOut reports whether the money has left: only then is anything outstanding.
func (s LoanStatus) PaidOut() bool {
	switch s {
	case LoanDisbursed, LoanActive, LoanRepaid, LoanDefaulted:
		return true
	}
	return false
}

// Open reports whether the loan still has a way to go: neither repaid nor ended otherwise.
func (s LoanStatus) Open() bool { return s.Rank() < LoanRepaid.Rank() }

// Ended reports whether the loan ended without being paid out or repaid.
func (s LoanStatus) Ended() bool { return s.Rank() >= LoanRejected.Rank() }

// Advance is the status after the news that the loan is in next. Rank decides, so the order in which
// news arrives does not matter. conflict is true where the two cannot both be: a payout and a failure
// or refusal. Then the payout stands, whichever came first, so that money that may have left is not
// forgotten, and somebody has to look.
func (s LoanStatus) Advance(next LoanStatus) (status LoanStatus, conflict bool) {
	if next == "" || next == s {
		return s, false
	}
	beforePayout := func(x LoanStatus) bool { return x.Ended() && x != LoanDefaulted }
	switch {
	case s.PaidOut() && beforePayout(next):
		return s, true
	case beforePayout(s) && next.PaidOut():
		return next, true
	}
	if next.Rank() > s.Rank() {
		return next, false
	}
	return s, false
}

// LoanPurpose is what a loan is for.
type LoanPurpose string

// The purposes, by the names of Carbon's list (seed 003, Request Body).
const (
	WorkingCapital     LoanPurpose = "WORKING_CAPITAL"
	ExpansionAndGrowth LoanPurpose = "EXPANSION_AND_GROWTH"
	EquipmentPurchase  LoanPurpose = "EQUIPMENT_PURCHASE"
	InventoryMgt       LoanPurpose = "INVENTORY_MGT"
	DebtFinancing      LoanPurpose = "DEBT_FINANCING"
	StartupCapital     LoanPurpose = "STARTUP_CAPITAL"
	PurposeOthers      LoanPurpose = "OTHERS"
	PurposeUnknown     LoanPurpose = "UNKNOWN"
)

// Valid reports whether p is a known purpose.
func (p LoanPurpose) Valid() bool {
	switch p {
	case WorkingCapital, ExpansionAndGrowth, EquipmentPurchase, InventoryMgt, DebtFinancing, StartupCapital,
		PurposeOthers:
		return true
	}
	return false
}

// BankAccount is where money is paid to. AccountNumber is a personal identifier.
type BankAccount struct {
	Private
	AccountName   string `json:"accountName"`
	AccountNumber string `json:"accountNumber"`
	BankCode      string `json:"bankCode,omitempty"` // Nigeria: the bank's CBN code, "058"
	IFSC          string `json:"ifsc,omitempty"`     // India: the branch's code
	BankName      string `json:"bankName,omitempty"`
	BranchName    string `json:"branchName,omitempty"`
}

// Loan is money lent or applied for. Totals and instalments are the provider's; Outstanding and Overdue
// are ours, from its totals, its schedule and the payments that we know of.
type Loan struct {
	Private
	ID                    LoanID
	CustomerID            CustomerID
	Provider              Provider
	ExternalID            string // the provider's id
	Reference             string // ours at the provider: Carbon's reference, Kredmint's invoice number
	ProductID             string
	SupplierID            string // Kredmint: who is paid
	Status                LoanStatus
	ProviderStatus        string
	Purpose               LoanPurpose
	ProviderPurpose       string
	Principal             Money
	InterestRate          *Decimal // per cent, on the provider's own terms
	TotalInterest         *Money
	TotalRepayment        *Money
	Installment           *Money
	Paid                  Money // what completed payments add up to
	Outstanding           Money // 0 before the payout
	Overdue               Money // what was due before today and is not paid
	Tenure                Tenure
	DisbursedOn           Date
	DisbursementReference string
	// Conflict says that the provider told two things that cannot both be; somebody has to look.
	Conflict      bool
	FailureReason string
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Installment is one due payment of a loan's schedule.
type Installment struct {
	DueOn  Date
	Amount Money
}

// maxInstallments bounds a schedule, whatever tenure a provider tells: fifty years of months.
const maxInstallments = 600

// Schedule is when a loan's repayment falls due: installments of the provider's amount, one each 30 days
// (or month, for a tenure in months) from the payout, the last one taking what is left. Without an
// installment or a total all is due at the end of the tenure; without a tenure there is no schedule.
func (l *Loan) Schedule() []Installment {
	if l.Tenure.Value <= 0 || l.DisbursedOn.IsZero() {
		return nil
	}
	total := l.Principal
	if l.TotalRepayment != nil {
		total = *l.TotalRepayment
	}
	end := l.Tenure.After(l.DisbursedOn)
	if l.Installment == nil || l.Installment.Sign() <= 0 {
		return []Installment{{DueOn: end, Amount: total}}
	}
	var plan []Installment
	left := total.Minor()
	for n := 1; left > 0; n++ {
		due := l.DisbursedOn.AddDays(30 * n)
		if l.Tenure.Unit == Months {
			due = l.DisbursedOn.AddMonths(n)
		}
		amount := min(left, l.Installment.Minor())
		if !due.Before(end) || n == maxInstallments {
			due, amount = end, left
		}
		plan = append(plan, Installment{DueOn: due, Amount: NewMoney(amount, total.Currency())})
		left -= amount
	}
	return plan
}

// TimeRange is from From (inclusive) to To (exclusive); a zero end is open.
type TimeRange struct {
	From time.Time
	To   time.Time
}

// MoneyRange is from Min to Max, both inclusive; a nil end is open. It keeps amounts of the bounds'
// currency alone.
type MoneyRange struct {
	Min *Money
	Max *Money
}

// LoanFilter narrows a list of loans. Each empty field does not narrow.
type LoanFilter struct {
	Providers  []Provider
	Status     []LoanStatus
	CustomerID CustomerID
	CreatedAt  TimeRange
	Principal  MoneyRange
	// Overdue keeps loans that have (true) or have not (false) an amount overdue.
	Overdue *bool
	// Conflict keeps loans with (true) or without (false) contradictory news.
	Conflict *bool
}

// LoanOrderField is what a list of loans is ordered by.
type LoanOrderField string

// The orders of loans.
const (
	ByCreatedAt LoanOrderField = "CREATED_AT"
	ByUpdatedAt LoanOrderField = "UPDATED_AT"
	ByPrincipal LoanOrderField = "PRINCIPAL" // in minor units, whatever the currency
)

// Valid reports whether f is a known order.
func (f LoanOrderField) Valid() bool {
	return f == ByCreatedAt || f == ByUpdatedAt || f == ByPrincipal
}

// LoanOrder is an order of loans; ties are broken by id.
type LoanOrder struct {
	Field      LoanOrderField
	Descending bool
}

// LoanTotals are sums over many loans of one currency.
type LoanTotals struct {
	Currency    Currency
	Count       int
	Principal   Money
	Outstanding Money
	Overdue     Money
}

// Exposure is what one customer owes in one currency, over all providers.
type Exposure struct {
	Currency        Currency
	ActiveLoanCount int
	Outstanding     Money
	Overdue         Money
}

// PaymentStatus is where a payment stands.
type PaymentStatus string

// The payment statuses.
const (
	PaymentPending        PaymentStatus = "PENDING"
	PaymentOutcomeUnknown PaymentStatus = "OUTCOME_UNKNOWN"
	PaymentCompleted      PaymentStatus = "COMPLETED"
	PaymentFailed         PaymentStatus = "FAILED"
	PaymentUnknown        PaymentStatus = "UNKNOWN"
)

// Valid reports whether s is a known status.
func (s PaymentStatus) Valid() bool {
	switch s {
	case PaymentPending, PaymentOutcomeUnknown, PaymentCompleted, PaymentFailed:
		return true
	}
	return false
}

// PaymentMethod is how a payment was made.
type PaymentMethod string

// The payment methods.
const (
	BankTransfer  PaymentMethod = "BANK_TRANSFER"
	CardPayment   PaymentMethod = "CARD"
	CashPayment   PaymentMethod = "CASH"
	DirectDebit   PaymentMethod = "DIRECT_DEBIT"
	MobileMoney   PaymentMethod = "MOBILE_MONEY"
	MethodUnknown PaymentMethod = "UNKNOWN"
)

// Valid reports whether m is a known method.
func (m PaymentMethod) Valid() bool {
	switch m {
	case BankTransfer, CardPayment, CashPayment, DirectDebit, MobileMoney:
		return true
	}
	return false
}

// Allocation is what a payment was used for; each part may be absent.
type Allocation struct {
	Principal *Money `json:"principal,omitempty"`
	Interest  *Money `json:"interest,omitempty"`
	Fees      *Money `json:"fees,omitempty"`
	Penalties *Money `json:"penalties,omitempty"`
}

// Payment is money that came back on a loan.
type Payment struct {
	ID             PaymentID
	LoanID         LoanID
	CustomerID     CustomerID
	Provider       Provider
	ExternalID     string
	Status         PaymentStatus
	ProviderStatus string
	Amount         Money
	Allocation     *Allocation
	Method         PaymentMethod
	Reference      string
	PaidOn         Date
	CreatedAt      time.Time
	UpdatedAt      time.Time
}
