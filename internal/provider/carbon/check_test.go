package carbon_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

func TestCheckTakesWhatCarbonTakes(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*provider.LoanApplication){
		"the seed's example":        func(*provider.LoanApplication) {},
		"the minimum itself":        func(a *provider.LoanApplication) { a.Principal = lending.MustMoney("3000", lending.NGN) },
		"one month":                 func(a *provider.LoanApplication) { a.Tenure.Value = 1 },
		"six months":                func(a *provider.LoanApplication) { a.Tenure.Value = 6 },
		"30 days":                   func(a *provider.LoanApplication) { a.Tenure = lending.Tenure{Value: 30, Unit: lending.Days} },
		"180 days":                  func(a *provider.LoanApplication) { a.Tenure = lending.Tenure{Value: 180, Unit: lending.Days} },
		"a UUID in capitals":        func(a *provider.LoanApplication) { a.CustomerExternalID = strings.ToUpper(customerID) },
		"a reference of 100":        func(a *provider.LoanApplication) { a.Reference = strings.Repeat("r", 100) },
		"another purpose":           func(a *provider.LoanApplication) { a.Purpose = lending.PurposeOthers },
		"an account that it drops":  func(a *provider.LoanApplication) { a.DisbursementAccount = &lending.BankAccount{BankCode: "058"} },
		"a product that it ignores": func(a *provider.LoanApplication) { a.ProductID = "prod_personal_loan" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := application()
			change(&a)
			if problems := setup(t).Applications.Check(a); len(problems) != 0 {
				t.Errorf("problems %+v", problems)
			}
		})
	}
}

func TestCheckRefusesWhatCarbonRefuses(t *testing.T) {
	t.Parallel()
	principal := func(minor int64, currency lending.Currency) func(*provider.LoanApplication) {
		return func(a *provider.LoanApplication) { a.Principal = lending.NewMoney(minor, currency) }
	}
	tenure := func(value int, unit lending.TenureUnit) func(*provider.LoanApplication) {
		return func(a *provider.LoanApplication) { a.Tenure = lending.Tenure{Value: value, Unit: unit} }
	}
	reference := func(text string) func(*provider.LoanApplication) {
		return func(a *provider.LoanApplication) { a.Reference = text }
	}
	const months, whole = "Carbon lends for 1 to 6 months.", "Carbon lends for whole months: give MONTH, or DAY in multiples of 30."
	for name, test := range map[string]struct {
		change         func(*provider.LoanApplication)
		field, message string
	}{
		"one kobo below the minimum": {principal(299_999, lending.NGN), "principal", "Carbon lends 3000 NGN or more."},
		"nothing":                    {principal(0, lending.NGN), "principal", "Carbon lends 3000 NGN or more."},
		"less than nothing":          {principal(-300_000, lending.NGN), "principal", "Carbon lends 3000 NGN or more."},
		"rupees":                     {principal(300_000, lending.INR), "principal", "Carbon lends in NGN alone."},
		"more than JSON holds":       {principal(1<<53, lending.NGN), "principal", "Carbon cannot take an amount as large as this."},
		"no months":                  {tenure(0, lending.Months), "tenure", months},
		"seven months":               {tenure(7, lending.Months), "tenure", months},
		"less than a month":          {tenure(-30, lending.Days), "tenure", months},
		"210 days":                   {tenure(210, lending.Days), "tenure", months},
		"45 days":                    {tenure(45, lending.Days), "tenure", whole},
		"no unit":                    {tenure(3, ""), "tenure", whole},
		"no purpose":                 {func(a *provider.LoanApplication) { a.Purpose = "" }, "purpose", "Carbon needs one of the purposes of its list."},
		"an unknown purpose": {func(a *provider.LoanApplication) {
			a.Purpose, a.PurposeNote = lending.PurposeUnknown, "new shop"
		}, "purpose", "Carbon needs one of the purposes of its list."},
		"no reference":          {reference(""), "idempotencyKey", "Carbon needs a reference."},
		"reference of 101":      {reference(strings.Repeat("r", 101)), "idempotencyKey", "Carbon's reference has 100 characters or less."},
		"reference in Cyrillic": {reference("заявка"), "idempotencyKey", "Carbon's reference has to be of printable ASCII."},
		"reference in lines":    {reference("a\nb"), "idempotencyKey", "Carbon's reference has to be of printable ASCII."},
		"a customer of Kredete": {
			func(a *provider.LoanApplication) { a.CustomerExternalID = "cust_2xK9mN3pQ7vR" }, "customerId",
			"The customer has to be linked to a Carbon customer id, which is a UUID.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := setup(t)
			a := application()
			test.change(&a)
			want := []lending.Problem{{Kind: lending.KindValidation, Message: test.message, Field: []string{"input", test.field}}}
			if diff := cmp.Diff(want, d.Applications.Check(a)); diff != "" {
				t.Error(diff)
			}
			_, err := d.Applications.Apply(t.Context(), a)
			e := lending.AsError(err)
			if e == nil || e.Kind != lending.KindValidation || e.Outcome != lending.NotExecuted || e.Provider != lending.Carbon {
				t.Errorf("error %+v", e)
			}
			if len(d.asked) != 0 {
				t.Error("the application was sent")
			}
		})
	}
}

func TestCheckTellsEveryProblem(t *testing.T) {
	t.Parallel()
	if problems := setup(t).Applications.Check(provider.LoanApplication{}); len(problems) != 5 {
		t.Errorf("problems %+v", problems)
	}
}

// TestDaysAreMonthsOfThirty: whole months pass in either unit, and no other days do.
func TestDaysAreMonthsOfThirty(t *testing.T) {
	t.Parallel()
	d := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		a := application()
		days := rapid.IntRange(-400, 400).Draw(rt, "days")
		a.Tenure = lending.Tenure{Value: days, Unit: lending.Days}
		want := days%30 == 0 && days >= 30 && days <= 180
		if got := len(d.Applications.Check(a)) == 0; got != want {
			rt.Fatalf("%d days: accepted %v, want %v", days, got, want)
		}
	})
}
