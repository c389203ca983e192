package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// The requests that these tests send. key is the idempotency key; n makes a request another one.

func actMoney(amount string, currency lending.Currency) actFields {
	return actFields{"amount": amount, "currency": string(currency)}
}

// actPrincipal is an amount that no other n has, so that the news of two loans cannot be taken for each other.
func actPrincipal(n int) string { return strconv.Itoa(100_000 + 1_000*n) }

func (w *actWorld) applyRequest(key string, n int) actRequest {
	p, customer := w.person(0)
	return actRequest{mutation: "applyForLoan", subject: p.KredeteID, input: actFields{
		"idempotencyKey": key, "customerId": customer, "provider": "KREDETE", "productId": "prod_personal_loan",
		"principal": actMoney(actPrincipal(n), lending.NGN), "tenure": actFields{"value": 90, "unit": "DAY"},
		"purpose":             "EXPANSION_AND_GROWTH",
		"disbursementAccount": actFields{"bankCode": "058", "accountNumber": "1234567890", "accountName": p.FullName()},
	}}
}

func (w *actWorld) carbonRequest(key string, n int) actRequest {
	_, customer := w.person(0)
	return actRequest{mutation: "applyForLoan", input: actFields{
		"idempotencyKey": key, "customerId": customer, "provider": "CARBON", "purpose": "INVENTORY_MGT",
		"principal": actMoney(actPrincipal(n), lending.NGN), "tenure": actFields{"value": 3, "unit": "MONTH"},
	}}
}

// actLoan is a loan by its ids.
type actLoan struct{ id, external string }

// loanAt applies for a loan at Kredete and takes it as far as the steps say: "approve", "disburse".
func (w *actWorld) loanAt(key string, n int, steps ...string) actLoan {
	w.t.Helper()
	answer := w.send(w.applyRequest(key+"-apply", n))
	if answer.status() != lending.OpSucceeded {
		w.t.Fatalf("apply: %s %v", answer.raw, answer.errors)
	}
	loan := actLoan{id: answer.Loan.ID, external: answer.Loan.ExternalID}
	for _, step := range steps {
		if answer = w.send(w.loanRequest(step+"Loan", key+"-"+step, loan)); answer.status() != lending.OpSucceeded {
			w.t.Fatalf("%s: %s %v", step, answer.raw, answer.errors)
		}
	}
	return loan
}

// loanRequest is a decision on a loan.
func (w *actWorld) loanRequest(mutation, key string, loan actLoan) actRequest {
	input := actFields{"idempotencyKey": key, "loanId": loan.id}
	if mutation == "rejectLoan" {
		input["reason"] = "Income not verified"
	}
	return actRequest{mutation: mutation, subject: loan.external, input: input}
}

func (w *actWorld) paymentRequest(key string, loan actLoan, reference string) actRequest {
	return actRequest{mutation: "recordPayment", subject: reference, input: actFields{
		"idempotencyKey": key, "loanId": loan.id, "amount": actMoney("1000.50", lending.NGN), "method": "BANK_TRANSFER",
		"reference": reference, "paidOn": time.Now().UTC().Format(time.DateOnly),
	}}
}

func (w *actWorld) kredeteScoreRequest(key string, n int) actRequest {
	p, customer := w.person(0)
	return actRequest{mutation: "requestCreditScore", subject: p.KredeteID, input: actFields{
		"idempotencyKey": key, "customerId": customer, "provider": "KREDETE", "loanAmount": actMoney(actPrincipal(n), lending.NGN),
		"tenure": actFields{"value": 90, "unit": "DAY"},
	}}
}

func actConsent() actFields {
	return actFields{"grantedAt": time.Now().UTC().Add(-time.Minute).Format(time.RFC3339), "channel": "APP"}
}

// onePipeRequest is for a customer who has to give a one-time password.
func (w *actWorld) onePipeRequest(key string) actRequest {
	_, customer := w.person(0)
	return actRequest{mutation: "requestCreditScore", input: actFields{
		"idempotencyKey": key, "customerId": customer, "provider": "ONE_PIPE", "consent": actConsent(),
	}}
}

func (w *actWorld) reportRequest(key string, i int) actRequest {
	_, customer := w.person(i)
	return actRequest{mutation: "orderCreditReport", input: actFields{
		"idempotencyKey": key, "customerId": customer, "provider": "TRUST_DECISION", "consent": actConsent(),
	}}
}

func (w *actWorld) customerRequest(key string, n int) actRequest {
	return actRequest{mutation: "createCustomer", input: actFields{
		"idempotencyKey": key, "firstName": "Chidinma", "lastName": "Eze", "email": fmt.Sprintf("chidinma.eze.%d@example.com", n),
		"phone": fmt.Sprintf("+234801234%04d", n), "dateOfBirth": "1991-02-03", "gender": "FEMALE", "nationality": "NG",
		"identification": actFields{"type": "NIN", "number": "12345678901", "expiresOn": "2031-12-31"},
		"address":        actFields{"street": "15 Marina", "city": "Lagos", "state": "Lagos", "country": "NG", "postalCode": "101233"},
		"employment":     actFields{"status": "EMPLOYED", "employer": "ABC Ltd", "jobTitle": "Engineer", "monthlyIncome": actMoney("850000", lending.NGN), "since": "2018-03-01"},
	}}
}

func (w *actWorld) supplierRequest(key string, n int) actRequest {
	_, customer := w.person(0)
	return actRequest{mutation: "createSupplier", input: actFields{
		"idempotencyKey": key, "customerId": customer, "name": fmt.Sprintf("Arya Traders %d", n), "mobile": fmt.Sprintf("798289%04d", n),
		"email": "supplier@example.com", "taxId": "27AAPFU0939F1ZV", "bankAccount": actFields{
			"accountHolderName": "Devratna Arya", "accountNumber": "12345432", "ifsc": "ICIC0000001", "bankName": "ICICI", "branchName": "Okhla",
		},
	}}
}

// invoiceRequest is the anchor flow; with a supplier's id it is the supplier flow.
func (w *actWorld) invoiceRequest(key, number, supplier string) actRequest {
	_, customer := w.person(0)
	r := actRequest{mutation: "payInvoice", subject: number, input: actFields{
		"idempotencyKey": key, "customerId": customer, "invoiceNumber": number, "amount": actMoney("100.00", lending.INR),
		"paymentDate": "2026-11-30",
	}}
	if supplier != "" {
		r.input["supplierId"], r.input["invoicePdf"] = supplier, "https://example.com/invoice.pdf"
	}
	return r
}

// supplier is one of the customer's suppliers, as the graph names it.
func (w *actWorld) supplier() string {
	w.t.Helper()
	answer := w.send(w.supplierRequest("a-supplier", 9999))
	if answer.Supplier == nil {
		w.t.Fatalf("supplier: %s %v", answer.raw, answer.errors)
	}
	return answer.Supplier.ID
}

func (w *actWorld) uploadRequest(key, kind, number string) actRequest {
	_, customer := w.person(0)
	r := actRequest{mutation: "uploadDocument", file: []byte("%PDF-1.7 " + key), name: "statement.pdf", input: actFields{
		"idempotencyKey": key, "customerId": customer, "kind": kind, "file": nil,
	}}
	r.meaning = kind + number + key
	if number != "" {
		r.input["invoiceNumber"] = number
	}
	return r
}

func (w *actWorld) webhookRequest(key string, n int) actRequest {
	return actRequest{mutation: "registerWebhook", input: actFields{
		"idempotencyKey": key, "provider": "KREDETE", "url": fmt.Sprintf("http://127.0.0.1:9/hook/%d", n),
		"events": []string{"CUSTOMER_KYC_VERIFIED"}, "active": true,
	}}
}
