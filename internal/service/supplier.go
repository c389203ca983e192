package service

import (
	"context"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// newSupplier is the canonical form of a supplier to be made.
type newSupplier struct {
	CustomerID lending.CustomerID   `json:"customerId"`
	Supplier   provider.NewSupplier `json:"supplier"`
}

// CreateSupplier makes a supplier of a customer.
func (s *Service) CreateSupplier(ctx context.Context, caller Caller, in CreateSupplierInput) (*Result, error) {
	var c checks
	c.key(in.IdempotencyKey)
	customer := parseID[lending.CustomerID](&c, "customerId", lending.CustomerNode, in.CustomerID)
	c.text("name", in.Name, true, 200)
	c.digits("mobile", strings.TrimPrefix(in.Mobile, "+"), 5, 15)
	c.email("email", in.Email, false)
	c.text("taxId", in.TaxID, false, 64)
	c.supplierAccount(in.BankAccount)
	if in.TaxID != "" && !gstinShape.MatchString(in.TaxID) {
		c.warn("taxId", "A GSTIN has 15 characters of a fixed form; this one looks otherwise.")
	}
	if in.Provider == "" {
		in.Provider = s.only(func(p *provider.Provider) bool { return p.Suppliers != nil }, lending.Kredmint)
	}
	p, username, err := s.actor(ctx, &c, in.Provider, customer, func(p *provider.Provider) bool { return p.Suppliers != nil })
	if err != nil {
		return nil, err
	}
	if c.failed() {
		return c.result(), nil
	}
	b := in.BankAccount
	canonical := newSupplier{CustomerID: customer, Supplier: provider.NewSupplier{
		Username: username, Name: in.Name, Mobile: in.Mobile, Email: in.Email, TaxID: in.TaxID,
		Account: lending.BankAccount{AccountName: b.AccountHolderName, AccountNumber: b.AccountNumber, IFSC: b.IFSC, BankName: b.BankName, BranchName: b.BranchName},
	}}
	op, err := s.begin(caller, in.IdempotencyKey, lending.OpCreateSupplier, in.Provider, canonical)
	if err != nil {
		return nil, err
	}
	op.CustomerID, op.Warnings = customer, c.warnings
	return s.perform(ctx, action{op: op, send: func(ctx context.Context) (answer, error) {
		told, err := p.Suppliers.CreateSupplier(ctx, canonical.Supplier)
		if err != nil {
			return answer{}, err
		}
		return s.createdSupplier(op, username, told), nil
	}})
}

// createdSupplier takes over a supplier that the provider made, or that was found in its list.
func (s *Service) createdSupplier(op *lending.Operation, username string, told lending.Supplier) answer {
	told.CustomerID = op.CustomerID
	op.EntityID = told.ExternalID
	return answer{
		status: lending.OpSucceeded, result: Result{Supplier: &told},
		events: []*lending.Event{s.event(lending.EventSupplierCreated, op)},
		evict: func(ctx context.Context) {
			if s.readers.Suppliers != nil {
				s.readers.Suppliers.Evict(ctx, username)
			}
		},
	}
}

// supplierAccount checks an Indian bank account. The provider's own examples break the rules of IFSC, so
// those only warn.
func (c *checks) supplierAccount(b SupplierAccountInput) {
	c.text("bankAccount.accountHolderName", b.AccountHolderName, true, 200)
	c.digits("bankAccount.accountNumber", b.AccountNumber, 4, 34)
	c.text("bankAccount.ifsc", b.IFSC, true, 20)
	c.text("bankAccount.bankName", b.BankName, true, 100)
	c.text("bankAccount.branchName", b.BranchName, true, 100)
	if b.IFSC != "" && !ifscShape.MatchString(b.IFSC) {
		c.warn("bankAccount.ifsc", "An IFSC has 11 characters of a fixed form; this one looks otherwise.")
	}
}

// invoice is the canonical form of an invoice to be paid.
type invoice struct {
	CustomerID lending.CustomerID `json:"customerId"`
	Invoice    provider.Invoice   `json:"invoice"`
}

// PayInvoice pays a supplier's invoice out of the customer's credit line: a loan like the others, named by
// its invoice number. A number counts once for each customer, whatever the idempotency key.
func (s *Service) PayInvoice(ctx context.Context, caller Caller, in PayInvoiceInput) (*Result, error) {
	var c checks
	c.key(in.IdempotencyKey)
	customer := parseID[lending.CustomerID](&c, "customerId", lending.CustomerNode, in.CustomerID)
	amount := c.money("amount", in.Amount)
	if in.Amount.Currency.Valid() && in.Amount.Currency != lending.INR {
		c.refuse("amount.currency", "Invoices are paid in INR.")
	}
	c.text("invoiceNumber", in.InvoiceNumber, true, 64)
	if in.PaymentDate.IsZero() {
		c.refuse("paymentDate", "Give the day of the payment.")
	}
	supplierID := s.checkInvoiceLinks(&c, customer, in)
	if in.Provider == "" {
		in.Provider = s.only(func(p *provider.Provider) bool { return p.Invoices != nil }, lending.Kredmint)
	}
	p, username, err := s.actor(ctx, &c, in.Provider, customer, func(p *provider.Provider) bool { return p.Invoices != nil })
	if err != nil {
		return nil, err
	}
	if c.failed() {
		return c.result(), nil
	}
	canonical := invoice{CustomerID: customer, Invoice: provider.Invoice{
		Username: username, SupplierID: supplierID, InvoiceNumber: in.InvoiceNumber, Amount: amount,
		PaymentDate: in.PaymentDate, InvoicePDF: in.InvoicePDF,
	}}
	if r := in.ReturnURLs; r != nil {
		canonical.Invoice.SuccessURL, canonical.Invoice.FailureURL, canonical.Invoice.BackURL = r.Success, r.Failure, r.Back
	}
	op, err := s.begin(caller, in.IdempotencyKey, lending.OpPayInvoice, in.Provider, canonical)
	if err != nil {
		return nil, err
	}
	op.CustomerID, op.LoanID, op.Warnings = customer, newID[lending.LoanID](), c.warnings
	op.Target = "invoice:" + string(customer) + ":" + in.InvoiceNumber
	if repeated, err := s.repeated(ctx, op); repeated != nil || err != nil {
		return repeated, err
	}
	earlier, err := s.earlierInvoice(ctx, &c, op.Provider, canonical)
	if err != nil {
		return nil, err
	}
	if c.failed() {
		return c.result(), nil
	}
	return s.perform(ctx, s.payingInvoice(op, p, canonical, earlier))
}

// earlierInvoice is the loan of an invoice that failed or was cancelled before, nil where there is none; it is
// refused in c when the invoice is paid or being paid.
func (s *Service) earlierInvoice(ctx context.Context, c *checks, name lending.Provider, canonical invoice) (*lending.Loan, error) {
	known, err := s.store.LoanByReference(ctx, name, canonical.CustomerID, canonical.Invoice.InvoiceNumber)
	if lending.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if known.Status != lending.LoanFailed && known.Status != lending.LoanCancelled {
		c.conflict("invoiceNumber", "This invoice is already paid, or being paid.")
	}
	return known, nil
}

// checkInvoiceLinks checks the addresses of an invoice and reads the supplier's id.
func (s *Service) checkInvoiceLinks(c *checks, customer lending.CustomerID, in PayInvoiceInput) string {
	if in.InvoicePDF != "" {
		c.link("invoicePdf", in.InvoicePDF, false)
	}
	if r := in.ReturnURLs; r != nil {
		for path, link := range map[string]string{"success": r.Success, "failure": r.Failure, "back": r.Back} {
			if link != "" {
				c.link("returnUrls."+path, link, false)
			}
		}
	}
	if in.SupplierID == "" {
		return ""
	}
	if in.InvoicePDF == "" {
		c.refuse("invoicePdf", "The provider needs the invoice's address when a supplier is paid.")
	}
	owner, supplierID, ok := lending.ParseSupplierID(in.SupplierID)
	if !ok || customer != "" && owner != customer {
		c.refuse("supplierId", "Give the id of one of this customer's suppliers, as this graph gave it.")
	}
	return supplierID
}

func (s *Service) payingInvoice(op *lending.Operation, p *provider.Provider, canonical invoice, earlier *lending.Loan) action {
	in := canonical.Invoice
	zero := lending.NewMoney(0, in.Amount.Currency())
	loan := &lending.Loan{
		ID: op.LoanID, CustomerID: canonical.CustomerID, Provider: op.Provider, Reference: in.InvoiceNumber,
		SupplierID: in.SupplierID, Principal: in.Amount, CreatedAt: s.now(), Paid: zero, Outstanding: zero, Overdue: zero,
	}
	again := func() {
		if earlier != nil { // it failed or was cancelled: the same invoice is tried again
			loan.ID, loan.CreatedAt, op.LoanID = earlier.ID, earlier.CreatedAt, earlier.ID
		}
	}
	again()
	reopen := func(ctx context.Context, status lending.LoanStatus) error {
		again()
		loan.Status, loan.UpdatedAt = status, s.now()
		return s.store.SaveLoan(ctx, loan)
	}
	return action{
		op: op,
		send: func(ctx context.Context) (answer, error) {
			// Looked at again under the operation's target: somebody may have paid it since.
			var c checks
			var err error
			if earlier, err = s.earlierInvoice(ctx, &c, op.Provider, canonical); err != nil {
				return answer{}, unsent(err)
			}
			if c.failed() {
				return answer{}, c.refusal()
			}
			if earlier != nil {
				// Before anything is sent, so that news of this attempt is not taken for news of the one that failed.
				if err := reopen(ctx, lending.LoanSubmitting); err != nil {
					return answer{}, unsent(err)
				}
			}
			told, err := p.Invoices.PayInvoice(ctx, in)
			if err != nil {
				return answer{}, err
			}
			loan.Status = lending.LoanPendingReview
			event := s.event(lending.EventLoanCreated, op)
			return answer{
				status: lending.OpSucceeded, result: Result{Loan: loan, RedirectURL: told.RedirectURL},
				save: func(ctx context.Context) error {
					defer func() { event.LoanID = op.LoanID }() // a webhook's row may have become the loan
					return s.saveLoan(ctx, op, loan)
				},
				events: []*lending.Event{event},
				evict: func(ctx context.Context) {
					if s.readers.CreditLines != nil {
						s.readers.CreditLines.Evict(ctx, in.Username)
					}
				},
			}, nil
		},
		unknown: func(ctx context.Context) error {
			known, err := s.findLoan(ctx, loan)
			if err != nil {
				return err
			}
			if known != nil && known.Status.Ended() && !known.UpdatedAt.After(op.RequestedAt) {
				earlier = known // what ended before this attempt is no proof of it
				return reopen(ctx, lending.LoanOutcomeUnknown)
			}
			loan.Status = lending.LoanOutcomeUnknown
			return s.saveLoan(ctx, op, loan)
		},
		refused: func(ctx context.Context) error { return s.restoreInvoice(ctx, earlier) },
	}
}

// restoreInvoice puts the loan of an invoice back to where an earlier attempt ended, when the next one was
// certainly not carried out.
func (s *Service) restoreInvoice(ctx context.Context, earlier *lending.Loan) error {
	if earlier == nil {
		return nil
	}
	current, err := s.loan(ctx, earlier.ID)
	if err != nil || current.Status != lending.LoanSubmitting {
		return err
	}
	earlier.UpdatedAt = s.now()
	return s.store.SaveLoan(ctx, earlier)
}
