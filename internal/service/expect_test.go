package service_test

import (
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// status checks where an operation stands, in what was answered and in the records.
func (b *bench) status(result *service.Result, want lending.OperationStatus) {
	b.Helper()
	if result.Operation == nil {
		b.Fatalf("there is no operation: %+v", result.Problems)
	}
	if got := result.Operation.Status; got != want {
		b.Fatalf("the operation is %s, want %s: %+v", got, want, result.Operation.Failure)
	}
	b.stands(result, want)
}

// stands checks where the operation of a result stands by now.
func (b *bench) stands(result *service.Result, want lending.OperationStatus) {
	b.Helper()
	if op := b.theOperation(result.Operation.ID); op.Status != want || op.Status.Settled() == op.SettledAt.IsZero() {
		b.Fatalf("the recorded operation is %s, settled %s; want %s", op.Status, op.SettledAt, want)
	}
}

// fields are the paths of problems: "loanId", "principal.amount", behind their code where that is not
// VALIDATION.
func fields(problems []lending.Problem) []string {
	var list []string
	for _, p := range problems {
		path := strings.TrimPrefix(strings.Join(p.Field, "."), "input.")
		if p.Kind != lending.KindValidation {
			path = string(p.Kind) + " " + path
		}
		if p.Message == "" {
			path += " (without a message)"
		}
		list = append(list, path)
	}
	return list
}

// wants checks what a result complains of.
func (b *bench) wants(result *service.Result, want ...string) {
	b.Helper()
	sorted := cmpopts.SortSlices(func(a, b string) bool { return a < b })
	if diff := cmp.Diff(want, fields(result.Problems), sorted, cmpopts.EquateEmpty()); diff != "" {
		b.Fatalf("problems (-want +got):\n%s", diff)
	}
}

// same checks that two values are equal to the digit.
func same[T any](b *bench, got, want T, more ...cmp.Option) {
	b.Helper()
	options := append([]cmp.Option{cmp.AllowUnexported(lending.Money{}, lending.Decimal{}), cmpopts.EquateEmpty()}, more...)
	if diff := cmp.Diff(want, got, options...); diff != "" {
		b.Fatalf("(-want +got):\n%s", diff)
	}
}

func naira(amount string) lending.Money  { return lending.MustMoney(amount, lending.NGN) }
func rupees(amount string) lending.Money { return lending.MustMoney(amount, lending.INR) }

// money is an amount as clients send it.
func money(amount string, currency lending.Currency) service.MoneyInput {
	return service.MoneyInput{Amount: lending.MustDecimal(amount), Currency: currency}
}

var caller = service.Caller{ClientID: "client-1"}

func gid(id lending.CustomerID) string    { return lending.GlobalID(lending.CustomerNode, id) }
func loanGID(id lending.LoanID) string    { return lending.GlobalID(lending.LoanNode, id) }
func opGID(id lending.OperationID) string { return lending.GlobalID(lending.OperationNode, id) }
