package kredete

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// The statuses of a loan. Seed 000 shows the first; the others follow the names of its calls and events.
const (
	pendingReview = "pending_review"
	approved      = "approved"
	rejected      = "rejected"
	disbursed     = "disbursed"
	active        = "active"
	repaid        = "repaid"
)

// loan is a loan's state.
type loan struct {
	id, customerID, productID string
	days                      int
	terms                     terms
	status                    string
	createdAt                 time.Time
	paid, paidInterest        int64 // kobo
}

// wireLoan is what the API tells of a loan (seed 000, Create Loan Application, Response).
type wireLoan struct {
	ID             string      `json:"id"`
	CustomerID     string      `json:"customer_id"`
	ProductID      string      `json:"product_id"`
	Amount         json.Number `json:"amount"`
	Currency       string      `json:"currency"`
	TenureDays     int         `json:"tenure_days"`
	InterestRate   json.Number `json:"interest_rate"`
	TotalInterest  json.Number `json:"total_interest"`
	TotalRepayment json.Number `json:"total_repayment"`
	MonthlyPayment json.Number `json:"monthly_payment"`
	Status         string      `json:"status"`
	CreatedAt      time.Time   `json:"created_at"`
}

func (l *loan) wire() wireLoan {
	return wireLoan{
		ID: l.id, CustomerID: l.customerID, ProductID: l.productID,
		Amount: amount(l.terms.principal), Currency: "NGN", TenureDays: l.days, InterestRate: interestRate,
		TotalInterest: amount(l.terms.interest), TotalRepayment: amount(l.terms.total),
		MonthlyPayment: amount(l.terms.installment), Status: l.status, CreatedAt: l.createdAt,
	}
}

// amount writes kobo as naira, as the API does: 17916700 is 179167.
func amount(kobo int64) json.Number {
	return json.Number(lending.NewMoney(kobo, lending.NGN).Literal())
}

// newLoan is the body of Create Loan Application.
type newLoan struct {
	CustomerID          string      `json:"customer_id"`
	ProductID           string      `json:"product_id"`
	Amount              json.Number `json:"amount"`
	Currency            string      `json:"currency"`
	TenureDays          int         `json:"tenure_days"`
	Purpose             string      `json:"purpose"`
	DisbursementAccount *struct {
		BankCode      string `json:"bank_code"`
		AccountNumber string `json:"account_number"`
		AccountName   string `json:"account_name"`
	} `json:"disbursement_account"`
}

var (
	bankCode      = regexp.MustCompile(`^[0-9]{3,9}$`)
	accountNumber = regexp.MustCompile(`^[0-9]{10}$`)
)

// check also reads the amount.
func (n *newLoan) check() (lending.Money, checks) {
	var c checks
	c.required("customer_id", n.CustomerID)
	c.required("product_id", n.ProductID)
	principal, err := lending.ParseMoney(string(n.Amount), lending.NGN)
	c.that(err == nil, "amount", "amount must be an amount in naira")
	if err == nil {
		c.that(principal.Minor() >= minimumAmount, "amount",
			"Amount must be greater than minimum loan amount of 10000")
		c.that(principal.Minor() <= maximumAmount, "amount",
			"Amount must not be greater than maximum loan amount of 100000000")
	}
	c.that(n.Currency == "NGN", "currency", "currency must be NGN")
	c.that(n.TenureDays >= 1 && n.TenureDays <= maximumTenureDays, "tenure_days", "tenure_days must be 1 to 1095")
	if account := n.DisbursementAccount; account != nil {
		c.that(bankCode.MatchString(account.BankCode), "disbursement_account.bank_code", "bank_code must be digits")
		c.that(accountNumber.MatchString(account.AccountNumber), "disbursement_account.account_number",
			"account_number must be 10 digits")
		c.required("disbursement_account.account_name", account.AccountName)
	}
	return principal, c
}

func (t *Twin) createLoan(w http.ResponseWriter, r *http.Request) {
	var asked newLoan
	body, ok := t.read(w, r, &asked)
	if !ok {
		return
	}
	principal, problems := asked.check()
	if len(problems) > 0 {
		t.fail(w, http.StatusBadRequest, problems)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.customer(asked.CustomerID); !ok {
		t.refuse(w, r, http.StatusNotFound)
		return
	}
	made := &loan{
		id: t.ids.Next("loan_"), customerID: asked.CustomerID, productID: asked.ProductID,
		days: asked.TenureDays, terms: termsOf(principal, asked.TenureDays), status: pendingReview,
		createdAt: t.now(),
	}
	t.loans[made.id] = made
	t.core.Effects.Record(twin.Effect{
		Operation: "loan.create", Key: made.customerID, EntityID: made.id, Fingerprint: twin.Fingerprint(body),
	})
	t.publish("loan.created", made.id, made.wire())
	twin.WriteJSON(w, http.StatusCreated, made.wire())
}

// loan finds a loan, made here or of the world's past. The lock is held.
func (t *Twin) loan(id string) (*loan, bool) {
	if found, ok := t.loans[id]; ok {
		return found, true
	}
	person, past, ok := t.world.LoanByID(id)
	if !ok {
		return nil, false
	}
	found := loanOf(&person, &past)
	for n := range past.Payments {
		found.pay(found.installment(n))
	}
	t.loans[id] = found
	return found, true
}

// loanOf is a loan of the past as it stood before anything was paid.
func loanOf(p *world.Person, past *world.Loan) *loan {
	status := pendingReview
	switch {
	case !past.RejectedAt.IsZero():
		status = rejected
	case !past.DisbursedAt.IsZero():
		status = disbursed
	case !past.ApprovedAt.IsZero():
		status = approved
	}
	return &loan{
		id: past.ID, customerID: p.KredeteID, productID: past.ProductID, days: past.TenureDays,
		terms: termsOf(past.Principal, past.TenureDays), status: status, createdAt: past.CreatedAt,
	}
}

// installment is the amount of installment n, 0 being the first: the last one is what the others left.
func (l *loan) installment(n int) int64 {
	return min(l.terms.installment, l.terms.total-int64(n)*l.terms.installment)
}

// pay counts a payment that is not over what is left.
func (l *loan) pay(kobo int64) (principal, interest int64) {
	principal, interest = l.terms.split(l.paid, l.paidInterest, kobo)
	l.paid, l.paidInterest = l.paid+kobo, l.paidInterest+interest
	l.status = active
	if l.paid == l.terms.total {
		l.status = repaid
	}
	return principal, interest
}

func (t *Twin) approveLoan(w http.ResponseWriter, r *http.Request) {
	t.step(w, r, pendingReview, approved, "loan.approve", func(l *loan) {
		t.publish("loan.approved", l.id, noticeOf(l, ""))
	})
}

// rejectLoan tells nobody: there is no such event among seed 000's.
func (t *Twin) rejectLoan(w http.ResponseWriter, r *http.Request) {
	t.step(w, r, pendingReview, rejected, "loan.reject", func(*loan) {})
}

func (t *Twin) disburseLoan(w http.ResponseWriter, r *http.Request) {
	t.step(w, r, approved, disbursed, "loan.disburse", func(l *loan) {
		t.disbursements++
		t.publish("loan.disbursed", l.id, noticeOf(l, disbursementReference(t.now(), t.disbursements)))
	})
}

// step takes a loan from one status to the next; after runs with the lock held.
func (t *Twin) step(w http.ResponseWriter, r *http.Request, from, to, operation string, after func(*loan)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.loan(r.PathValue("id"))
	if !ok {
		t.refuse(w, r, http.StatusNotFound)
		return
	}
	if found.status != from {
		t.fail(w, http.StatusBadRequest, []detail{{"status", "Loan is " + found.status + " and not " + from}})
		return
	}
	found.status = to
	t.core.Effects.Record(twin.Effect{Operation: operation, Key: found.id, EntityID: found.id})
	after(found)
	twin.WriteJSON(w, http.StatusOK, found.wire())
}

// notice is the data of loan.disbursed (seed 000, Webhook Payload Example) and loan.approved.
type notice struct {
	LoanID                string      `json:"loan_id"`
	CustomerID            string      `json:"customer_id"`
	Amount                json.Number `json:"amount"`
	Currency              string      `json:"currency"`
	DisbursementReference string      `json:"disbursement_reference,omitempty"`
}

func noticeOf(l *loan, reference string) notice {
	return notice{l.id, l.customerID, amount(l.terms.principal), "NGN", reference}
}

// disbursementReference has the form of DISB-2026041700001.
func disbursementReference(at time.Time, number int) string {
	return fmt.Sprintf("DISB-%s%05d", at.Format("20060102"), number)
}
