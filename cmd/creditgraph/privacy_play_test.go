package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
)

// played is a client who sends personal data wherever it can be given, and what it was told.
type played struct {
	*program
	t        *testing.T
	ids      map[string]string // for the placeholders of the examples
	told     []string
	sent     map[string]bool // operations of the examples
	streamed *logbook
	replica  *logbook // what the other replica logged
	watch    *redisWatch
}

// answers are all that came back.
func (p *played) answers() map[string]string { return list(p.told) }

// playCanaries sends everything that takes in personal data.
func (p *program) playCanaries(t *testing.T, seen *visited) *played {
	t.Helper()
	person := p.sandbox.World.Person(0)
	c := &played{
		program: p, t: t, ids: map[string]string{"customer": p.person(t, 0)}, sent: map[string]bool{},
		streamed: &logbook{}, watch: watchRedis(t, string(p.settings.RedisURL)),
	}
	stop := c.follow()
	c.customers(person.BVN, person.KredmintMobile, person.CustomerRef, person.CarbonID)
	c.loans()
	c.scoresAndReports()
	c.suppliers()
	c.reads()
	c.refused()
	c.otherTransports()
	c.webhooks()
	c.failing(seen)
	c.resolve()
	c.polled(seen)
	if err := p.quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop()
	for _, mutation := range mutationsOfTheContract(t) {
		if !c.sent[mutation] {
			t.Errorf("%s was not sent: what is done with its input is not looked at", mutation)
		}
	}
	return c
}

// mutationsOfTheContract are the mutations that the examples have.
func mutationsOfTheContract(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(examples, "*.graphql"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseQuery(&ast.Source{Name: file, Input: string(text)})
		if err != nil {
			t.Fatal(err)
		}
		for _, operation := range parsed.Operations {
			if operation.Operation == ast.Mutation {
				names = append(names, operation.Name)
			}
		}
	}
	if len(names) < 14 {
		t.Fatalf("only these mutations are in the examples: %v", names)
	}
	return names
}

// say sends an operation with the variables of an example, changed, and keeps the answer.
func (p *played) say(operation, example string, change map[string]any) *answer {
	p.t.Helper()
	vars := variables(p.t, example, p.ids)
	if in, ok := vars["input"].(map[string]any); ok {
		maps.Copy(in, change)
	} else {
		maps.Copy(vars, change)
	}
	return p.keep(operation, p.ask(p.t, operation, vars))
}

func (p *played) keep(operation string, a *answer) *answer {
	p.sent[operation] = true
	p.told = append(p.told, a.text)
	return a
}

func account(number string) map[string]any {
	return map[string]any{"bankCode": "058", "accountNumber": number, "accountName": "Canary"}
}

// authorized is a bank account that the customer lets us ask about.
func authorized(number string) map[string]any {
	return map[string]any{"bankAccount": map[string]any{"accountNumber": number, "bankCode": "058"}}
}

func supplierAccount() map[string]any {
	return map[string]any{
		"accountHolderName": "Canary", "accountNumber": canarySupplierAccount, "ifsc": "ICIC00000012", "bankName": "ICICI", "branchName": "Okhala",
	}
}

func taxID() string { return "29" + canaryPAN + "1Z5" }

func (p *played) customers(bvn, mobile, ref, carbon string) {
	p.t.Helper()
	made := p.say("CreateCustomer", "CreateCustomer", map[string]any{
		"email": canaryEmail, "phone": canaryPhone, "identification": map[string]any{"type": "NIN", "number": canaryNIN},
	})
	made.want(p.t, "createCustomer.operation.status", "SUCCEEDED")
	p.say("LinkCustomer", "LinkCustomer (bureau)", map[string]any{
		"customerId": made.textAt("createCustomer.customer.id"), "externalId": canaryBVN,
	}).mustBeClean(p.t, "linking the made customer")
	for _, link := range [][2]string{{"TRUST_DECISION", bvn}, {"KREDMINT", mobile}, {"ONE_PIPE", ref}, {"CARBON", carbon}} {
		p.say("LinkCustomer", "LinkCustomer", map[string]any{"provider": link[0], "externalId": link[1]}).mustBeClean(p.t, "linking at "+link[0])
	}
}

func (p *played) loans() {
	p.t.Helper()
	lent := map[string]any{"disbursementAccount": account(canaryAccount)}
	applied := p.say("ApplyForLoan", "ApplyForLoan", lent)
	applied.want(p.t, "applyForLoan.operation.status", "SUCCEEDED")
	p.ids["loan"] = applied.textAt("applyForLoan.loan.id")
	p.say("ApproveLoan", "ApproveLoan", nil)
	p.say("DisburseLoan", "DisburseLoan", nil)
	p.say("RecordPayment", "RecordPayment", nil)
	rejected := p.say("ApplyForLoan", "ApplyForLoan", map[string]any{"idempotencyKey": "to-be-rejected", "disbursementAccount": account(canaryAccount)})
	p.say("RejectLoan", "RejectLoan", map[string]any{
		"loanId": rejected.textAt("applyForLoan.loan.id"), "reason": "No answer at " + canaryPhone + " or " + canaryEmail,
	})
	p.say("ApplyForLoan", "ApplyForLoan (Carbon)", nil)
}

func (p *played) scoresAndReports() {
	p.t.Helper()
	p.say("RequestCreditScore", "RequestCreditScore", nil)
	scored := p.say("RequestCreditScore", "RequestCreditScore (OnePipe)", map[string]any{"authorization": authorized(canaryAccount)})
	p.ids["operation"] = scored.textAt("requestCreditScore.operation.id")
	p.say("ConfirmCreditScore", "ConfirmCreditScore", map[string]any{"otp": canaryOTP}).want(p.t, "confirmCreditScore.operation.status", "AWAITING_OTP")
	p.say("ConfirmCreditScore", "ConfirmCreditScore", nil).want(p.t, "confirmCreditScore.operation.status", "SUCCEEDED")
	p.say("OrderCreditReport", "OrderCreditReport", nil).want(p.t, "orderCreditReport.operation.status", "AWAITING_PROVIDER")
	p.readyReport(p.ids["customer"])
}

// readyReport waits until a customer's report is there.
func (p *played) readyReport(customer string) {
	p.t.Helper()
	eventually(p.t, "the report is there", func() bool {
		return strings.Contains(p.ask(p.t, "CustomerProfile", map[string]any{"id": customer}).text, `"READY"`)
	})
}

func (p *played) suppliers() {
	p.t.Helper()
	made := p.say("CreateSupplier", "CreateSupplier", map[string]any{
		"mobile": canaryMobile, "email": canarySupplierEmail, "taxId": taxID(), "bankAccount": supplierAccount(),
	})
	made.want(p.t, "createSupplier.operation.status", "SUCCEEDED")
	p.ids["supplier"] = made.textAt("createSupplier.supplier.id")
	p.say("PayInvoice", "PayInvoice", nil).want(p.t, "payInvoice.operation.status", "SUCCEEDED")
	vars := variables(p.t, "UploadDocument (financial data)", p.ids)
	input(vars)["password"] = canaryPassword
	p.keep("UploadDocument", p.upload(p.t, "UploadDocument", vars, "statement.pdf", []byte("%PDF-1.4\n%%EOF\n")))
	p.say("RegisterWebhook", "RegisterWebhook", nil)
}

// reads asks for all there is, with personal data in full too, of which the answers are not looked at.
func (p *played) reads() {
	p.t.Helper()
	all := func() {
		for _, read := range []string{"CustomerProfile", "CustomerCreditSummary", "Anything"} {
			p.keep(read, p.ask(p.t, read, map[string]any{"id": p.ids["customer"]}))
		}
		for _, read := range []string{"CustomersTable", "Operations", "EventLog", "Portfolio"} {
			p.keep(read, p.ask(p.t, read, map[string]any{"first": 50}))
		}
		for _, search := range []string{canaryPhone, canaryEmail} {
			found := p.ask(p.t, "CustomersTable", map[string]any{"first": 5, "filter": map[string]any{"search": search}})
			if n := len(found.list("customers.edges")); n != 1 {
				p.t.Errorf("a search finds %d customers: %s", n, found.text)
			}
			p.keep("CustomersTable", found)
		}
		p.keep("", p.query(p.t, `{ auditRecords(first: 100) { edges { node { clientId requestId action operationName fields customerId errorCode } } } }`, nil))
	}
	masked, before := p.token, len(p.told)
	p.token = p.tokenWithout(p.t)
	all()
	if len(leaking(map[string]string{"": canaryEmail}, strings.Join(p.told[before:], ""))) == 0 {
		p.t.Error("a token that may see personal data sees none: the masked answers prove nothing")
	}
	p.token, p.told = masked, p.told[:before]
	all()
}

// bad sends what has to be refused.
func (p *played) bad(operation, example string, change map[string]any) {
	p.t.Helper()
	change["idempotencyKey"] = fmt.Sprintf("bad-%d", len(p.told))
	if a := p.say(operation, example, change); len(a.Errors) == 0 && !strings.Contains(a.text, `"field":[`) {
		p.t.Errorf("%s was not refused: %s", operation, a.text)
	}
}

// refused sends personal values where they are not taken.
func (p *played) refused() {
	p.t.Helper()
	p.bad("CreateCustomer", "CreateCustomer", map[string]any{"email": canaryEmail + " " + canaryNIN, "phone": canaryPhone})
	p.bad("CreateCustomer", "CreateCustomer", map[string]any{"phone": canaryPhone + canaryAccount})
	p.bad("CreateCustomer", "CreateCustomer", map[string]any{"identification": map[string]any{"type": "NIN", "number": canaryNIN + "x"}})
	p.bad("CreateCustomer", "CreateCustomer", map[string]any{"gender": canaryEmail, "dateOfBirth": canaryPhone, "unknown": canaryBVN})
	p.bad("ApplyForLoan", "ApplyForLoan", map[string]any{"customerId": canaryPhone, "disbursementAccount": account(canaryAccount + "x")})
	p.bad("RequestCreditScore", "RequestCreditScore (OnePipe)", map[string]any{"authorization": authorized(canaryAccount + "x")})
	p.bad("CreateSupplier", "CreateSupplier", map[string]any{"mobile": canaryMobile + "x", "taxId": canaryPAN, "email": canarySupplierEmail + " "})
	p.say("LinkCustomer", "LinkCustomer (bureau)", map[string]any{"externalId": canaryBVN}) // another customer has it
	p.say("ConfirmCreditScore", "ConfirmCreditScore", map[string]any{"otp": canaryOTP + "x"})
	for _, value := range []string{canaryPhone, canaryEmail} {
		p.say("CustomersTable", "CustomersTable", map[string]any{"after": value})
		p.keep("CustomerProfile", p.ask(p.t, "CustomerProfile", map[string]any{"id": value}))
		p.say("CustomersTable", "CustomersTable", map[string]any{"filter": map[string]any{"search": strings.Repeat(value+" ", 9)}})
	}
}

// failing has each provider fail with what it was sent in its answer, for everything that is sent to one.
func (p *played) failing(seen *visited) {
	p.t.Helper()
	other, before := p.person(p.t, 1), len(p.told)
	for i, e := range echoes() {
		seen.answerWith(&e)
		key := func(what string) string { return fmt.Sprintf("%s-while-failing-%d", what, i) }
		p.say("CreateCustomer", "CreateCustomer", map[string]any{
			"idempotencyKey": key("customer"), "email": canaryEmail, "phone": canaryPhone, "identification": map[string]any{"type": "BVN", "number": canaryBVN},
		})
		p.say("ApplyForLoan", "ApplyForLoan", map[string]any{"idempotencyKey": key("loan"), "disbursementAccount": account(canaryAccount)})
		p.say("ApplyForLoan", "ApplyForLoan (Carbon)", map[string]any{"idempotencyKey": key("Carbon")})
		p.say("RequestCreditScore", "RequestCreditScore", map[string]any{"idempotencyKey": key("score")})
		p.say("RequestCreditScore", "RequestCreditScore (OnePipe)", map[string]any{"idempotencyKey": key("lookup"), "authorization": authorized(canaryAccount)})
		p.say("OrderCreditReport", "OrderCreditReport", map[string]any{"idempotencyKey": key("report")})
		p.say("CreateSupplier", "CreateSupplier", map[string]any{
			"idempotencyKey": key("supplier"), "mobile": canaryMobile, "email": canarySupplierEmail, "taxId": taxID(), "bankAccount": supplierAccount(),
		})
		p.say("PayInvoice", "PayInvoice", map[string]any{"idempotencyKey": key("invoice"), "invoiceNumber": fmt.Sprint("failing-", i)})
		p.say("RecordPayment", "RecordPayment", map[string]any{"idempotencyKey": key("payment"), "reference": fmt.Sprint("failing-", i)})
		for _, id := range []string{p.ids["customer"], other} {
			fresh := map[string]any{"id": id, "freshness": map[string]any{"maxAge": "PT0S", "allowStale": i%2 == 0}}
			p.keep("CustomerCreditSummary", p.ask(p.t, "CustomerCreditSummary", fresh))
		}
		p.keep("ProviderHealth", p.ask(p.t, "ProviderHealth", nil))
	}
	seen.answerWith(nil)
	for _, told := range p.told[before:] {
		if strings.Contains(told, `"field":["input","idempotencyKey"]`) {
			p.t.Error("it was refused before a provider was asked:", told)
		}
	}
}

// resolve settles by hand what failed without an outcome, with a proof that is personal.
func (p *played) resolve() {
	p.t.Helper()
	unknown := p.ask(p.t, "Operations", map[string]any{"first": 100, "filter": map[string]any{"status": []string{"OUTCOME_UNKNOWN"}}})
	found := p.keep("Operations", unknown).list("operations.edges")
	if len(found) == 0 {
		p.t.Fatal("nothing failed without an outcome:", unknown.text)
	}
	for _, edge := range found {
		p.say("ResolveOperation", "ResolveOperation", map[string]any{
			"operationId": at(edge, "node.id"), "outcome": "FAILED", "externalId": nil, "evidence": "Told by " + canaryEmail + ", " + canaryPhone + ", OTP " + canaryOTP,
		})
	}
}

// polled orders a report whose push never comes. Another replica asks for it: it does so when it starts, and later
// only now and then.
func (p *played) polled(seen *visited) {
	p.t.Helper()
	i := 1
	for p.sandbox.World.Person(i).BVN == "" { // not everybody has one
		i++
	}
	p.ids["customer"] = p.person(p.t, i)
	p.say("LinkCustomer", "LinkCustomer", map[string]any{
		"provider": "TRUST_DECISION", "externalId": p.sandbox.World.Person(i).BVN,
	}).mustBeClean(p.t, "linking")
	p.fault(p.t, lending.TrustDecision, map[string]any{"kind": "drop"})
	p.say("OrderCreditReport", "OrderCreditReport", map[string]any{"idempotencyKey": "a-report-to-ask-for"}).
		want(p.t, "orderCreditReport.operation.status", "AWAITING_PROVIDER")
	replica, err := launch(context.WithoutCancel(p.t.Context()), p.t.TempDir(), setup{redis: string(p.settings.RedisURL), real: seen.settings, adjust: func(c *config.Config) {
		c.DatabaseURL, c.DataKey, c.ReportPollAfter = p.settings.DatabaseURL, p.settings.DataKey, p.settings.ReportPollAfter
	}})
	if err != nil {
		p.t.Fatal("the replica did not start:", err)
	}
	defer func() {
		if err := replica.end(); err != nil {
			p.t.Error("the replica did not stop well:", err)
		}
	}()
	p.replica = replica.log
	eventually(p.t, "the report is asked for", func() bool {
		return !strings.Contains(replica.ask(p.t, "CustomerProfile", map[string]any{"id": p.ids["customer"]}).text, `"ORDERED"`)
	})
	p.heal(p.t, lending.TrustDecision)
	p.keep("CustomerProfile", p.ask(p.t, "CustomerProfile", map[string]any{"id": p.ids["customer"]}))
}
