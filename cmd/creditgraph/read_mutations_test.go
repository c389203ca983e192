package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// TestTheExamplesMutations sends each mutation of the examples, with the examples' own variables.
func TestTheExamplesMutations(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, postgres bool) {
		p := boot(t, setup{customers: 2, postgres: postgres})
		ids := map[string]string{"customer": p.person(t, 0)}
		t.Run("customers", func(t *testing.T) { p.sendCustomers(t, ids) })
		t.Run("loans", func(t *testing.T) { p.sendLoans(t, ids) })
		t.Run("scores and reports", func(t *testing.T) { p.sendOrders(t, ids) })
		t.Run("suppliers, invoices and documents", func(t *testing.T) { p.sendInvoices(t, ids) })
		t.Run("webhooks", func(t *testing.T) { p.sendRegistration(t, ids) })
		t.Run("operators", func(t *testing.T) { p.settleByHand(t, ids) })
	})
}

func (p *program) sendCustomers(t *testing.T, ids map[string]string) {
	a := p.mustAsk(t, "CreateCustomer", variables(t, "CreateCustomer", ids))
	a.want(t, "createCustomer.operation.status", "SUCCEEDED")
	a.want(t, "createCustomer.operation.kind", "CREATE_CUSTOMER")
	a.want(t, "createCustomer.customer.identities.0.provider", "KREDETE")
	again := p.mustAsk(t, "CreateCustomer", variables(t, "CreateCustomer", ids))
	again.want(t, "createCustomer.operation.replayed", true)
	again.want(t, "createCustomer.customer.id", a.at("createCustomer.customer.id"))
	if made := p.effects(t, lending.Kredete, "customer.create"); len(made) != 1 {
		t.Errorf("one key made %d customers", len(made))
	}
	profile := p.mustAsk(t, "CustomerProfile", map[string]any{"id": a.at("createCustomer.customer.id")})
	profile.want(t, "customer.lastName", "Okonkwo")
	profile.want(t, "customer.employment.monthlyIncome.amount", "850000.00")
	for _, example := range []string{"LinkCustomer", "LinkCustomer (bureau)", "LinkCustomer (Kredmint)", "LinkCustomer (OnePipe)"} {
		a := p.mustAsk(t, "LinkCustomer", variables(t, example, ids))
		if links := a.list("linkCustomer.customer.identities"); len(links) != 5 {
			t.Errorf("%s: the showcase is linked to %d providers, want 5", example, len(links))
		}
	}
	stolen := variables(t, "LinkCustomer", map[string]string{"customer": a.textAt("createCustomer.customer.id")})
	if a := p.ask(t, "LinkCustomer", stolen); len(a.list("linkCustomer.userErrors")) == 0 {
		t.Errorf("another customer took over the showcase's identity: %s", a.text)
	}
}

func (p *program) sendLoans(t *testing.T, ids map[string]string) {
	a := p.mustAsk(t, "ApplyForLoan", variables(t, "ApplyForLoan", ids))
	a.want(t, "applyForLoan.operation.status", "SUCCEEDED")
	a.want(t, "applyForLoan.loan.principal.minorUnits", "50000000")
	a.want(t, "applyForLoan.loan.installment.amount", "179167.00")
	loan := map[string]string{"loan": a.textAt("applyForLoan.loan.id")}
	p.mustAsk(t, "ApproveLoan", variables(t, "ApproveLoan", loan)).want(t, "approveLoan.loan.status", "APPROVED")
	p.mustAsk(t, "DisburseLoan", variables(t, "DisburseLoan", loan)).want(t, "disburseLoan.operation.kind", "DISBURSE_LOAN")
	p.awaitLoan(t, loan["loan"], "DISBURSED")
	a = p.mustAsk(t, "RecordPayment", variables(t, "RecordPayment", loan))
	a.want(t, "recordPayment.payment.status", "COMPLETED")
	a.want(t, "recordPayment.payment.amount.amount", "179167.00")
	a.want(t, "recordPayment.payment.allocation.interest.amount", "12500.00")
	p.awaitLoan(t, loan["loan"], "ACTIVE")

	refused := variables(t, "ApplyForLoan", ids)
	input(refused)["idempotencyKey"] = "k-2b"
	loan["loan"] = p.mustAsk(t, "ApplyForLoan", refused).textAt("applyForLoan.loan.id")
	p.mustAsk(t, "RejectLoan", variables(t, "RejectLoan", loan)).want(t, "rejectLoan.loan.status", "REJECTED")

	a = p.mustAsk(t, "ApplyForLoan", variables(t, "ApplyForLoan (Carbon)", ids))
	a.want(t, "applyForLoan.loan.provider", "CARBON")
	a.want(t, "applyForLoan.loan.reference", "MERCH_REF_001")
	a.want(t, "applyForLoan.loan.status", "PENDING_REVIEW")
}

// awaitLoan waits until webhooks have brought a loan to a status.
func (p *program) awaitLoan(t *testing.T, id, status string) {
	t.Helper()
	eventually(t, "the loan is "+status, func() bool {
		return p.mustAsk(t, "Anything", map[string]any{"id": id}).at("node.status") == status
	})
}

func (p *program) sendOrders(t *testing.T, ids map[string]string) {
	a := p.mustAsk(t, "RequestCreditScore", variables(t, "RequestCreditScore", ids))
	a.want(t, "requestCreditScore.operation.status", "SUCCEEDED")
	a.want(t, "requestCreditScore.score.value", "720")
	a.want(t, "requestCreditScore.score.normalized", "0.7636")
	a.want(t, "requestCreditScore.score.band", "GOOD")

	a = p.mustAsk(t, "RequestCreditScore", variables(t, "RequestCreditScore (OnePipe)", ids))
	if a.at("requestCreditScore.operation.status") == "AWAITING_OTP" {
		if a.textAt("requestCreditScore.operation.prompt") == "" {
			t.Error("nobody is told what to ask the customer for")
		}
		ids["operation"] = a.textAt("requestCreditScore.operation.id")
		a = p.mustAsk(t, "ConfirmCreditScore", variables(t, "ConfirmCreditScore", ids))
		a.want(t, "confirmCreditScore.operation.status", "SUCCEEDED")
		a.want(t, "confirmCreditScore.score.value", "8")
	} else {
		t.Errorf("OnePipe did not ask for a one-time password: %s", a.text)
	}

	a = p.mustAsk(t, "OrderCreditReport", variables(t, "OrderCreditReport", ids))
	a.want(t, "orderCreditReport.report.provider", "TRUST_DECISION")
	report := a.textAt("orderCreditReport.report.id")
	eventually(t, "the report is pushed", func() bool {
		for _, edge := range p.mustAsk(t, "CustomerProfile", map[string]any{"id": ids["customer"]}).list("customer.creditReports.edges") {
			if at(edge, "node.id") == report && at(edge, "node.status") == "READY" {
				return at(edge, "node.facilitiesByProduct.0.currency") == "NGN"
			}
		}
		return false
	})
}

func (p *program) sendInvoices(t *testing.T, ids map[string]string) {
	a := p.mustAsk(t, "CreateSupplier", variables(t, "CreateSupplier", ids))
	a.want(t, "createSupplier.supplier.name", "Devratna Arya")
	ids["supplier"] = a.textAt("createSupplier.supplier.id")
	if listed := p.mustAsk(t, "CustomerProfile", map[string]any{"id": ids["customer"]}).list("customer.suppliers"); len(listed) == 0 {
		t.Error("the supplier is not listed")
	}
	a = p.mustAsk(t, "PayInvoice", variables(t, "PayInvoice", ids))
	a.want(t, "payInvoice.loan.provider", "KREDMINT")
	a.want(t, "payInvoice.loan.reference", "5435323121")
	a.want(t, "payInvoice.loan.principal.amount", "1000.00")
	a.want(t, "payInvoice.loan.principal.currency", "INR")
	p.awaitLoan(t, a.textAt("payInvoice.loan.id"), "DISBURSED")
	for _, example := range []string{"UploadDocument", "UploadDocument (financial data)"} {
		a := p.upload(t, "UploadDocument", variables(t, example, ids), "document.pdf", []byte("%PDF-1.4\n1 0 obj\nendobj\n%%EOF\n"))
		a.mustBeClean(t, example)
		a.want(t, "uploadDocument.operation.status", "SUCCEEDED")
		a.want(t, "uploadDocument.document.kind", input(variables(t, example, ids))["kind"])
		if a.textAt("uploadDocument.document.url") == "" {
			t.Errorf("%s: the document has no address: %s", example, a.text)
		}
	}
}

func (p *program) sendRegistration(t *testing.T, ids map[string]string) {
	a := p.mustAsk(t, "RegisterWebhook", variables(t, "RegisterWebhook", ids))
	a.want(t, "registerWebhook.operation.status", "SUCCEEDED")
	a.want(t, "registerWebhook.webhook.url", "https://your-server.com/webhooks/kredete")
	a.want(t, "registerWebhook.webhook.active", true)
	if events := a.list("registerWebhook.webhook.events"); len(events) != 6 {
		t.Errorf("the webhook tells of %v", events)
	}
}

// settleByHand lets an application get lost on the way back, and settles it as an operator does.
func (p *program) settleByHand(t *testing.T, ids map[string]string) {
	p.fault(t, lending.Kredete, map[string]any{
		"kind": "cut_after_effect", "times": 1, "match": map[string]any{"method": http.MethodPost, "path": "/v2/loans"},
	})
	p.fault(t, lending.Kredete, map[string]any{"kind": "drop", "match": map[string]any{"event": "loan."}})
	defer p.heal(t, lending.Kredete)
	vars := variables(t, "ApplyForLoan", ids)
	input(vars)["idempotencyKey"] = "k-lost"
	a := p.ask(t, "ApplyForLoan", vars)
	a.want(t, "applyForLoan.operation.status", "OUTCOME_UNKNOWN")
	if len(a.Errors) != 1 || a.Errors[0].Extensions.Code != "OUTCOME_UNKNOWN" || a.Errors[0].Extensions.Provider != "KREDETE" {
		t.Errorf("errors are %v, want one of Kredete that says that the outcome is unknown", a.Errors)
	}
	ids["operation"] = a.textAt("applyForLoan.operation.id")
	a = p.mustAsk(t, "ResolveOperation", variables(t, "ResolveOperation", ids))
	a.want(t, "resolveOperation.operation.status", "SUCCEEDED")
	if settled, err := time.Parse(time.RFC3339, a.textAt("resolveOperation.operation.settledAt")); err != nil || time.Since(settled) > time.Minute {
		t.Errorf("it was settled at %v", a.at("resolveOperation.operation.settledAt"))
	}
}
