package kredete

import (
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// minimumPrincipal is the least that Kredete lends (seed 000, Error Response Format). "Greater than the
// minimum of 10000" leaves open whether 10,000 itself will do; it is let through, for Kredete to decide.
var minimumPrincipal = lending.NewMoney(1_000_000, lending.NGN)

// Check says what Kredete would refuse for certain.
func (c *client) Check(a provider.LoanApplication) []lending.Problem {
	var found problems
	found.add(strings.TrimSpace(a.ProductID) == "", "Name the loan product: Kredete needs it.", "productId")
	found.principal(a.Principal)
	switch {
	case a.Tenure.Value < 1:
		found.add(true, "Give a tenure of at least one day.", "tenure")
	default:
		found.add(!a.Tenure.Unit.Valid(), "Give the tenure in days or months.", "tenure", "unit")
	}
	found.account(a.DisbursementAccount)
	return found
}

type problems []lending.Problem

func (p *problems) add(wrong bool, message string, field ...string) {
	if wrong {
		*p = append(*p, lending.Problem{
			Kind: lending.KindValidation, Message: message, Field: append([]string{"input"}, field...),
		})
	}
}

func (p *problems) principal(m lending.Money) {
	p.add(!isCurrencyShape(m.Currency()), "Give the currency as three letters.", "principal", "currency")
	below := m.Currency() == minimumPrincipal.Currency() && m.Minor() < minimumPrincipal.Minor()
	switch {
	case below:
		p.add(true, "Kredete lends 10,000 NGN or more.", "principal")
	default:
		p.add(m.Sign() <= 0, "Give an amount over zero.", "principal")
	}
}

func (p *problems) account(a *lending.BankAccount) {
	const field = "disbursementAccount"
	if a == nil {
		p.add(true, "Name the bank account that the loan is paid to.", field)
		return
	}
	p.add(a.BankCode == "", "Give the bank's code.", field, "bankCode")
	p.add(!isDigits(a.AccountNumber), "Give the account number in digits.", field, "accountNumber")
	p.add(strings.TrimSpace(a.AccountName) == "", "Give the name of the account's holder.", field, "accountName")
}

func isCurrencyShape(currency lending.Currency) bool {
	return len(currency) == 3 && strings.Trim(string(currency), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func isDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }
