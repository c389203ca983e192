package carbon

import (
	"regexp"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// The limits of seed 003, Request Body.
const (
	minKobo      = 300_000 // ₦3,000, inclusive: "Minimum: 300000"
	minMonths    = 1
	maxMonths    = 6
	maxReference = 100 // characters
	daysPerMonth = 30
)

// maxKobo is the largest whole number that every JSON reader takes exactly (2^53 - 1).
const maxKobo = 1<<53 - 1

// body is seed 003, Request Body. Its numbers are integers, so that they are written digit by digit.
type body struct {
	CustomerID      string `json:"customer_id"`
	Amount          int64  `json:"amount"`           // kobo
	RepaymentPeriod int    `json:"repayment_period"` // months
	LoanPurpose     string `json:"loan_purpose"`
	Reference       string `json:"reference"`
}

func bodyOf(application provider.LoanApplication) body {
	months, _ := monthsOf(application.Tenure)
	return body{
		CustomerID:      application.CustomerExternalID,
		Amount:          application.Principal.Minor(),
		RepaymentPeriod: months,
		LoanPurpose:     string(application.Purpose),
		Reference:       application.Reference,
	}
}

// monthsOf is a tenure in months. Days count where they are whole months of 30 days.
func monthsOf(tenure lending.Tenure) (months int, ok bool) {
	switch tenure.Unit {
	case lending.Months:
		return tenure.Value, true
	case lending.Days:
		return tenure.Value / daysPerMonth, tenure.Value%daysPerMonth == 0
	}
	return 0, false
}

var uuidShape = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// Check says what Carbon would refuse for certain: the rules of its page, which it answers with 400.
func (l *lender) Check(application provider.LoanApplication) []lending.Problem {
	var problems []lending.Problem
	refuse := func(field, message string) { problems = append(problems, problem(field, message)) }
	if !uuidShape.MatchString(application.CustomerExternalID) {
		refuse("customerId", "The customer has to be linked to a Carbon customer id, which is a UUID.")
	}
	if message := principalProblem(application.Principal); message != "" {
		refuse("principal", message)
	}
	if message := tenureProblem(application.Tenure); message != "" {
		refuse("tenure", message)
	}
	if !application.Purpose.Valid() {
		refuse("purpose", "Carbon needs one of the purposes of its list.")
	}
	if message := referenceProblem(application.Reference); message != "" {
		refuse("idempotencyKey", message)
	}
	return problems
}

func problem(field, message string) lending.Problem {
	return lending.Problem{Kind: lending.KindValidation, Message: message, Field: []string{"input", field}}
}

func principalProblem(principal lending.Money) string {
	switch {
	case principal.Currency() != lending.NGN:
		return "Carbon lends in NGN alone."
	case principal.Minor() < minKobo:
		return "Carbon lends 3000 NGN or more."
	case principal.Minor() > maxKobo:
		return "Carbon cannot take an amount as large as this."
	}
	return ""
}

func tenureProblem(tenure lending.Tenure) string {
	months, ok := monthsOf(tenure)
	if !ok {
		return "Carbon lends for whole months: give MONTH, or DAY in multiples of 30."
	}
	if months < minMonths || months > maxMonths {
		return "Carbon lends for 1 to 6 months."
	}
	return ""
}

// referenceProblem holds references to ASCII: whether Carbon counts characters or bytes is not known.
func referenceProblem(reference string) string {
	switch {
	case reference == "":
		return "Carbon needs a reference."
	case strings.ContainsFunc(reference, func(r rune) bool { return r < ' ' || r > '~' }):
		return "Carbon's reference has to be of printable ASCII."
	case len(reference) > maxReference:
		return "Carbon's reference has 100 characters or less."
	}
	return ""
}
