package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// actChanged is an input with one value replaced; path is below the input, with dots.
func actChanged(input actFields, path string, value any) actFields {
	changed := maps.Clone(input)
	name, rest, nested := strings.Cut(path, ".")
	if !nested {
		changed[name] = value
		return changed
	}
	inner, _ := input[name].(actFields)
	changed[name] = actChanged(inner, rest, value)
	return changed
}

// actMistake is one wrong value, and the fields at which the user is told of it.
type actMistake struct {
	path  string
	value any
	at    []string // paths below the input; path itself where empty
}

func actMistakes() map[string][]actMistake {
	future := time.Now().AddDate(0, 0, 3).UTC()
	day := future.Format(time.DateOnly)
	nobody := lending.GlobalID(lending.CustomerNode, "nobody")
	wrongKind := lending.GlobalID(lending.LoanNode, "x")
	long := strings.Repeat("x", 3000)
	key := []actMistake{
		{"idempotencyKey", "", nil},
		{"idempotencyKey", "with space", nil},
		{"idempotencyKey", strings.Repeat("k", 101), nil},
		{"idempotencyKey", "ключ", nil},
	}
	customer := []actMistake{{"customerId", nobody, nil}, {"customerId", wrongKind, nil}, {"customerId", "§", nil}}
	loan := []actMistake{{"loanId", nobody, nil}, {"loanId", lending.GlobalID(lending.LoanNode, "none"), nil}, {"loanId", "", nil}}
	return map[string][]actMistake{
		"applyForLoan": slices.Concat(key, customer, []actMistake{
			{"principal.amount", "0", nil},
			{"principal.amount", "-5", nil},
			{"principal.amount", "1000.001", nil},
			{"tenure.value", 0, nil},
			{"tenure.value", -90, nil},
			{"tenure.value", 4000, nil},
			{"reference", strings.Repeat("r", 101), nil},
			{"provider", "ONE_PIPE", nil},
			{"disbursementAccount.accountNumber", "12345", nil},
			{"disbursementAccount.accountNumber", "12345678ab", nil},
			{"disbursementAccount.bankCode", "5", nil},
			{"disbursementAccount.accountName", "", nil},
		}),
		"approveLoan":  slices.Concat(key, loan),
		"rejectLoan":   slices.Concat(key, loan, []actMistake{{"reason", long, nil}}),
		"disburseLoan": slices.Concat(key, loan),
		"recordPayment": slices.Concat(key, loan, []actMistake{
			{"amount.amount", "0", nil},
			{"amount.amount", "-1", nil},
			{"amount.amount", "0.001", nil},
			{"amount.currency", "INR", nil},
			{"reference", "", nil},
			{"reference", long, nil},
			{"paidOn", day, nil},
		}),
		"requestCreditScore": slices.Concat(key, customer, []actMistake{
			{"loanAmount.amount", "0", nil},
			{"loanAmount", nil, nil},
			{"tenure", nil, []string{"loanAmount"}},
			{"tenure.value", 0, nil},
			{"provider", "CARBON", nil},
			{"authorization", actFields{"bankAccount": actFields{"accountNumber": "12", "bankCode": "058"}}, []string{"authorization.bankAccount.accountNumber"}},
		}),
		"orderCreditReport": slices.Concat(key, customer, []actMistake{
			{"consent", nil, nil}, {"consent.grantedAt", future.Format(time.RFC3339), nil}, {"provider", "KREDETE", nil},
		}),
		"createCustomer": slices.Concat(key, []actMistake{
			{"firstName", " ", nil},
			{"lastName", "", nil},
			{"email", "nobody", nil},
			{"dateOfBirth", day, nil},
			{"nationality", "Nigeria", nil},
			{"identification.number", "123", nil},
			{"address.country", "ng", nil},
			{"employment.monthlyIncome.amount", "-1", nil},
			{"provider", "CARBON", nil},
		}),
		"createSupplier": slices.Concat(key, customer, []actMistake{
			{"name", "", nil},
			{"mobile", "12ab", nil},
			{"email", "nobody", nil},
			{"bankAccount.accountNumber", "1", nil},
			{"bankAccount.ifsc", "", nil},
			{"bankAccount.bankName", "", nil},
			{"bankAccount.branchName", "", nil},
			{"bankAccount.accountHolderName", "", nil},
		}),
		"payInvoice": slices.Concat(key, customer, []actMistake{
			{"amount.amount", "0", nil},
			{"amount.currency", "NGN", nil},
			{"invoiceNumber", "", nil},
			{"paymentDate", nil, nil},
			{"invoicePdf", "javascript:alert(1)", nil},
			{"supplierId", nobody, []string{"invoicePdf", "supplierId"}},
			{"returnUrls", actFields{"success": "http://example.com", "back": "x"}, []string{"returnUrls.back", "returnUrls.success"}},
		}),
		"uploadDocument": slices.Concat(key, customer, []actMistake{{"invoiceNumber", "", nil}, {"provider", "CARBON", nil}}),
		"registerWebhook": slices.Concat(key, []actMistake{
			{"url", "ftp://example.com", nil}, {"url", "https://user:pass@example.com", nil}, {"events", []string{}, nil}, {"provider", "CARBON", nil},
		}),
	}
}

// TestBadInputs sends each mistake by itself. Each is told with its field, and nothing is sent or kept.
func TestBadInputs(t *testing.T) {
	t.Parallel()
	w := actStart(t)
	loan := w.loanAt("mistakes", 1)
	good := map[string]actRequest{
		"applyForLoan": w.applyRequest("k", 2), "approveLoan": w.loanRequest("approveLoan", "k", loan),
		"rejectLoan": w.loanRequest("rejectLoan", "k", loan), "disburseLoan": w.loanRequest("disburseLoan", "k", loan),
		"recordPayment": w.paymentRequest("k", w.loanAt("mistakes-paid", 3, "approve", "disburse"), "TRF-k"), "requestCreditScore": w.kredeteScoreRequest("k", 1),
		"orderCreditReport": w.reportRequest("k", 0), "createCustomer": w.customerRequest("k", 1),
		"createSupplier": w.supplierRequest("k", 1), "payInvoice": w.invoiceRequest("k", "INV-k", ""),
		"uploadDocument": w.uploadRequest("k", "INVOICE", "INV-k"), "registerWebhook": w.webhookRequest("k", 1),
	}
	w.settle()
	calls := map[lending.Provider]map[string]int{}
	for _, p := range lending.Providers() {
		calls[p] = w.allCalls(p)
	}
	kept := len(w.history().Operations)
	for mutation, mistakes := range actMistakes() {
		for _, m := range mistakes {
			t.Run(mutation+"/"+m.path, func(t *testing.T) { w.on(t).refuses(good[mutation], m) })
		}
	}
	for _, p := range lending.Providers() {
		if diff := cmp.Diff(calls[p], w.allCalls(p)); diff != "" {
			t.Errorf("calls of %s (-before +after):\n%s", p, diff)
		}
	}
	if n := len(w.history().Operations); n != kept {
		t.Errorf("%d operations, before %d", n, kept)
	}
	w.check()
}

// refuses checks that a request with one mistake is refused at exactly its fields.
func (w *actWorld) refuses(request actRequest, m actMistake) {
	w.t.Helper()
	request.input = actChanged(request.input, m.path, m.value)
	answer := w.ask(request)
	var at []string
	for _, e := range answer.UserErrors {
		if e.Message == "" || len(e.Field) == 0 || e.Field[0] != "input" {
			w.t.Errorf("a problem without its place or sentence: %v", e)
			continue
		}
		at = append(at, strings.Join(e.Field[1:], "."))
	}
	want := m.at
	if want == nil {
		want = []string{m.path}
	}
	slices.Sort(at)
	if diff := cmp.Diff(want, at); diff != "" || answer.Operation != nil {
		w.t.Errorf("with %s = %v: %s %v\n%s", m.path, m.value, answer.raw, answer.errors, diff)
	}
}

// TestAllMistakesAtOnce: the user is told of everything that is wrong in one answer.
func TestAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	w := actStart(t)
	answer := w.ask(w.applyRequest("", 1).with(actFields{
		"principal": actMoney("0", lending.NGN), "tenure": actFields{"value": 0, "unit": "DAY"},
		"disbursementAccount": actFields{"bankCode": "5", "accountNumber": "1", "accountName": ""},
	}))
	var at []string
	for _, e := range answer.UserErrors {
		at = append(at, strings.Join(e.Field[1:], "."))
	}
	slices.Sort(at)
	want := []string{"disbursementAccount.accountName", "disbursementAccount.accountNumber", "disbursementAccount.bankCode", "idempotencyKey", "principal.amount", "tenure.value"}
	if diff := cmp.Diff(want, at); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}
