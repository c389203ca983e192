package service_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/service"
)

// application is a good application of a customer at Kredete, with changes.
func application(customer lending.CustomerID, changes ...func(*service.ApplyForLoanInput)) service.ApplyForLoanInput {
	in := service.ApplyForLoanInput{
		IdempotencyKey: "apply-1", CustomerID: gid(customer), Provider: lending.Kredete, ProductID: "prod_1",
		Principal: money("500000", lending.NGN), Tenure: lending.Tenure{Value: 90, Unit: lending.Days},
		Purpose:             lending.WorkingCapital,
		DisbursementAccount: &lending.BankAccount{AccountName: "Ada Obi", AccountNumber: "0000014579", BankCode: "011"},
	}
	for _, change := range changes {
		change(&in)
	}
	return in
}

func atCarbon(in *service.ApplyForLoanInput) {
	in.Provider, in.DisbursementAccount = lending.Carbon, nil
}

func keyed(key string) func(*service.ApplyForLoanInput) {
	return func(in *service.ApplyForLoanInput) { in.IdempotencyKey = key }
}

func TestApplyingMakesALoan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer("KREDETE", "cust-1")
	var told provider.LoanApplication
	b.kredete.apply = func(_ context.Context, a provider.LoanApplication) (provider.LoanResult, error) {
		told = a
		return provider.LoanResult{Loan: lending.Loan{
			ExternalID: "loan_5t", Status: lending.LoanPendingReview, ProviderStatus: "pending_review",
			TotalRepayment: new(naira("537500")), Installment: new(naira("179166.67")), InterestRate: new(lending.MustDecimal("2.5")),
		}}, nil
	}
	result := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer)))
	b.status(result, lending.OpSucceeded)
	b.wants(result)
	if told.CustomerExternalID != "cust-1" || told.Reference != "apply-1" || told.Principal != naira("500000") {
		t.Errorf("the provider was told %+v", told)
	}
	loans := b.loansOf(customer)
	if len(loans) != 1 {
		t.Fatalf("%d loans", len(loans))
	}
	same(b, *loans[0], *result.Loan)
	if l := loans[0]; l.ExternalID != "loan_5t" || l.Status != lending.LoanPendingReview || *l.Installment != naira("179166.67") {
		t.Errorf("the loan is %+v", l)
	}
	same(b, b.events(), []lending.EventType{lending.EventLoanCreated})
	if e := b.eventLog()[0]; e.LoanID != loans[0].ID || e.CustomerID != customer || e.OperationID != result.Operation.ID {
		t.Errorf("the event is of %s, %s, %s", e.LoanID, e.CustomerID, e.OperationID)
	}
	if b.hints.n.Load() == 0 {
		t.Error("the readers of the log were not told to look")
	}
}

func TestEverythingWrongWithAnApplicationIsToldAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	linked, unlinked := b.customer(everywhere("1")...), b.customer()
	b.kredete.check = func(provider.LoanApplication) []lending.Problem {
		return []lending.Problem{{Kind: lending.KindValidation, Message: "Kredete lends 10,000 NGN or more.", Field: []string{"input", "principal"}}}
	}
	b.carbon.check = func(provider.LoanApplication) []lending.Problem {
		return []lending.Problem{{Kind: lending.KindValidation, Message: "Give 1 to 6 months.", Field: []string{"input", "tenure"}}}
	}
	for name, test := range map[string]struct {
		change func(*service.ApplyForLoanInput)
		want   []string
	}{
		"nothing given": {
			func(in *service.ApplyForLoanInput) { *in = service.ApplyForLoanInput{} },
			[]string{"idempotencyKey", "customerId", "principal.currency", "tenure.value", "tenure.unit", "purpose", "provider"},
		},
		"a key with a space, no amount, an account of letters": {
			func(in *service.ApplyForLoanInput) {
				in.IdempotencyKey, in.Principal = "a key", money("0", lending.NGN)
				in.DisbursementAccount = &lending.BankAccount{AccountNumber: "12345abcde", BankCode: "1"}
			},
			[]string{"idempotencyKey", "principal.amount", "disbursementAccount.accountNumber", "disbursementAccount.bankCode", "disbursementAccount.accountName"},
		},
		"too many decimal places": {
			func(in *service.ApplyForLoanInput) { in.Principal = money("500000.001", lending.NGN) }, []string{"principal.amount"},
		},
		"a negative amount": {
			func(in *service.ApplyForLoanInput) { in.Principal = money("-1", lending.NGN) }, []string{"principal.amount"},
		},
		"an unknown currency": {
			func(in *service.ApplyForLoanInput) { in.Principal.Currency = "XXQ" }, []string{"principal.currency"},
		},
		"a key of 101 characters": {
			func(in *service.ApplyForLoanInput) { in.IdempotencyKey = strings.Repeat("k", 101) }, []string{"idempotencyKey", "principal"},
		},
		"control characters": {
			func(in *service.ApplyForLoanInput) { in.PurposeNote, in.Reference = "a\x00b", "a\nb" }, []string{"purposeNote", "reference", "principal"},
		},
		"the id of a loan": {
			func(in *service.ApplyForLoanInput) { in.CustomerID = lending.GlobalID(lending.LoanNode, linked) }, []string{"customerId", "principal"},
		},
		"an id that is none": {
			func(in *service.ApplyForLoanInput) { in.CustomerID = string(linked) }, []string{"customerId", "principal"},
		},
		"nobody": {
			func(in *service.ApplyForLoanInput) { in.CustomerID = gid("nobody") }, []string{"NOT_FOUND customerId"},
		},
		"a customer who is not linked": {
			func(in *service.ApplyForLoanInput) { in.CustomerID = gid(unlinked) }, []string{"customerId"},
		},
		"a provider that lends nothing": {
			func(in *service.ApplyForLoanInput) { in.Provider = lending.OnePipe }, []string{"provider"},
		},
		"what Kredete refuses": {func(*service.ApplyForLoanInput) {}, []string{"principal"}},
		"what Carbon refuses":  {atCarbon, []string{"tenure"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			result := b.done(b.service.ApplyForLoan(b.ctx, caller, application(linked, test.change)))
			b.wants(result, test.want...)
			if result.Operation != nil || b.kredete.called("Apply")+b.carbon.called("Apply") != 0 {
				t.Error("something was begun all the same")
			}
		})
	}
}

func TestAProviderThatIsNotConfiguredIsNamed(t *testing.T) {
	t.Parallel()
	b := setup(t, without(lending.Carbon))
	customer := b.customer("CARBON", "carb-1")
	result := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer, atCarbon)))
	b.wants(result, "PROVIDER_DISABLED provider")
}

func TestOddFormatsOfTheProvidersOwnExamplesOnlyWarn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	result := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer, func(in *service.ApplyForLoanInput) {
		in.DisbursementAccount = &lending.BankAccount{AccountName: "Ada Obi", AccountNumber: "1234567890", BankCode: "058"}
	})))
	b.status(result, lending.OpSucceeded)
	same(b, fields(result.Warnings), []string{"disbursementAccount.accountNumber"})
	supplier := b.done(b.service.CreateSupplier(b.ctx, caller, supplierOf(customer, func(in *service.CreateSupplierInput) {
		in.BankAccount.IFSC, in.TaxID, in.Mobile = "ICIC00000012", "GST123", "798289227432"
	})))
	b.status(supplier, lending.OpSucceeded)
	same(b, fields(supplier.Warnings), []string{"bankAccount.ifsc", "taxId"}, cmpopts.SortSlices(func(a, b string) bool { return a < b }))
	made := b.done(b.service.CreateCustomer(b.ctx, caller, newcomer(func(in *service.CreateCustomerInput) { in.Phone = "+23480123" })))
	b.wants(made)
	same(b, fields(made.Warnings), []string{"phone"})

	b.carbon.check = nil
	account := func(in *service.ApplyForLoanInput) {
		atCarbon(in)
		in.IdempotencyKey = "carbon"
		in.DisbursementAccount = &lending.BankAccount{AccountName: "Ada Obi", AccountNumber: "0000014579", BankCode: "011"}
	}
	carbon := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer, account)))
	same(b, fields(carbon.Warnings), []string{"disbursementAccount"})
}

func TestAReferenceIsForOneApplication(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	withReference := func(in *service.ApplyForLoanInput) { atCarbon(in); in.Reference = "REF-1" }
	b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer, withReference)))
	again := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer, withReference, keyed("apply-2"))))
	if got := fields(again.Problems); len(got) != 1 || !strings.HasPrefix(got[0], "CONFLICT") {
		t.Errorf("problems: %v", got)
	}
	if n := b.carbon.called("Apply"); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

func TestAnApplicationThatCertainlyWasNotSentFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer("KREDETE", "cust-1")
	b.kredete.apply = func(context.Context, provider.LoanApplication) (provider.LoanResult, error) {
		return provider.LoanResult{}, at(lending.Kredete, errRefused)
	}
	result := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer)))
	b.status(result, lending.OpFailed)
	if f := result.Operation.Failure; f == nil || f.Kind != lending.KindUpstreamUnavailable || !f.Retryable {
		t.Errorf("the failure is %+v", f)
	}
	if n := len(b.loansOf(customer)); n != 0 {
		t.Errorf("%d loans were kept", n)
	}
	b.kredete.apply = nil
	replayed := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer)))
	if replayed.Operation.Status != lending.OpFailed || b.kredete.called("Apply") != 1 {
		t.Error("a failed key was sent again")
	}
	b.status(b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer, keyed("apply-2")))), lending.OpSucceeded)
}

func TestWhatAProviderRefusesIsAProblemOfTheInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer("KREDETE", "cust-1")
	for key, test := range map[string]struct {
		err  *lending.Error
		want string
	}{
		"kyc":      {&lending.Error{Kind: lending.KindKYCRequired, Outcome: lending.NotExecuted}, "KYC_REQUIRED "},
		"rejected": {errRejected, "UPSTREAM_REJECTED "},
		"field": {lending.Invalid(lending.Problem{
			Kind: lending.KindValidation, Message: "The phone number is not one.", Field: []string{"input", "phone"},
		}), "customerId"},
	} {
		t.Run(key, func(t *testing.T) {
			b := b.in(t)
			b.kredete.apply = func(context.Context, provider.LoanApplication) (provider.LoanResult, error) {
				return provider.LoanResult{}, at(lending.Kredete, test.err)
			}
			result := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer, keyed(key))))
			b.status(result, lending.OpFailed)
			if got := fields(result.Problems); len(got) != 1 || !strings.HasPrefix(got[0], test.want) {
				t.Errorf("problems: %v, want %q", got, test.want)
			}
			replayed := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer, keyed(key))))
			same(b, replayed.Problems, result.Problems)
		})
	}
}

func TestAnOutcomeThatCannotBeKnownIsWrittenDownAsSuch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer("KREDETE", "cust-1")
	for key, err := range map[string]*lending.Error{"lost": errLost, "late": errLater} {
		b.kredete.apply = func(context.Context, provider.LoanApplication) (provider.LoanResult, error) {
			return provider.LoanResult{}, at(lending.Kredete, err)
		}
		result := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer, keyed(key))))
		b.status(result, lending.OpOutcomeUnknown)
		if f := result.Operation.Failure; f.Kind != lending.KindOutcomeUnknown || f.Retryable {
			t.Errorf("%s: the failure is %+v", key, f)
		}
		loan := b.theLoan(result.Operation.LoanID)
		if loan.Status != lending.LoanOutcomeUnknown || loan.Principal != naira("500000") || loan.Reference != key {
			t.Errorf("%s: the loan is %+v", key, loan)
		}
		b.clock.pass(time.Hour)
		b.must(b.service.Complete(b.ctx))
		b.status(b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer, keyed(key)))), lending.OpOutcomeUnknown)
	}
	if n := b.kredete.called("Apply"); n != 2 {
		t.Errorf("sent %d times, want each once", n)
	}
	for _, e := range b.eventLog() {
		if e.Type == lending.EventLoanCreated {
			t.Error("a loan that may not exist was announced")
		}
	}
	if strings.Contains(b.log.String(), "+2348012345678") {
		t.Error("the log holds a phone number")
	}
}

func TestCarbonsExistingApplicationIsTakenOverOnlyWhenItIsOurs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer := b.customer(everywhere("1")...)
	ours := func() provider.LoanResult {
		return provider.LoanResult{
			Existing: true, CustomerExternalID: "carb-1", Told: []string{"principal", "tenure", "purpose", "customer"},
			Loan: lending.Loan{
				ExternalID: "app-1", Principal: naira("500000"), Tenure: lending.Tenure{Value: 90, Unit: lending.Days},
				Purpose: lending.WorkingCapital, Status: lending.LoanPendingReview,
			},
		}
	}
	for name, test := range map[string]struct {
		change func(*provider.LoanResult)
		want   lending.OperationStatus
	}{
		"the same terms":            {func(*provider.LoanResult) {}, lending.OpSucceeded},
		"another principal":         {func(r *provider.LoanResult) { r.Loan.Principal = naira("500000.01") }, lending.OpFailed},
		"another tenure":            {func(r *provider.LoanResult) { r.Loan.Tenure.Value = 60 }, lending.OpFailed},
		"another purpose":           {func(r *provider.LoanResult) { r.Loan.Purpose = lending.PurposeOthers }, lending.OpFailed},
		"another customer":          {func(r *provider.LoanResult) { r.CustomerExternalID = "carb-2" }, lending.OpFailed},
		"terms that were not told":  {func(r *provider.LoanResult) { r.Told, r.Loan.Principal = nil, lending.Money{} }, lending.OpSucceeded},
		"a first answer, no matter": {func(r *provider.LoanResult) { r.Existing, r.Loan.Tenure.Value = false, 60 }, lending.OpSucceeded},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			b.carbon.apply = func(context.Context, provider.LoanApplication) (provider.LoanResult, error) {
				r := ours()
				test.change(&r)
				r.Loan.ExternalID = name
				return r, nil
			}
			result := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer, atCarbon, keyed(strings.ReplaceAll(name, " ", "-")))))
			b.status(result, test.want)
			if test.want == lending.OpFailed {
				if got := fields(result.Problems); len(got) != 1 || !strings.HasPrefix(got[0], "CONFLICT") {
					t.Errorf("problems: %v", got)
				}
			} else if result.Loan.Principal != naira("500000") {
				t.Errorf("the principal is %s", result.Loan.Principal)
			}
		})
	}
}

func TestNewsThatIsFasterThanALostAnswerSettlesTheApplication(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		news []string
		want lending.OperationStatus
	}{
		"one loan of that principal":  {[]string{"500000"}, lending.OpSucceeded},
		"a loan of another principal": {[]string{"400000"}, lending.OpOutcomeUnknown},
		"two that it may be":          {[]string{"500000", "500000"}, lending.OpOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			customer := b.customer("KREDETE", "cust-1")
			b.kredete.apply = func(context.Context, provider.LoanApplication) (provider.LoanResult, error) {
				for i, principal := range test.news {
					body := fmt.Sprint("created ", i)
					b.kredete.tell(body, provider.Notice{Type: lending.EventLoanCreated, OccurredAt: b.clock.Now(), Loan: &provider.LoanNotice{
						CustomerExternalID: "cust-1",
						Loan:               lending.Loan{ExternalID: fmt.Sprint("loan_", i), Status: lending.LoanPendingReview, Principal: naira(principal)},
					}})
					b.deliver(b.kredete, body)
				}
				return provider.LoanResult{}, at(lending.Kredete, errLost)
			}
			result := b.done(b.service.ApplyForLoan(b.ctx, caller, application(customer)))
			b.status(result, test.want)
			loans := b.loansOf(customer)
			if test.want == lending.OpOutcomeUnknown {
				if len(loans) != len(test.news)+1 {
					t.Errorf("%d loans", len(loans))
				}
				return
			}
			if len(loans) != 1 || result.Loan == nil || result.Loan.ID != loans[0].ID || loans[0].Reference != "apply-1" || loans[0].ExternalID != "loan_0" {
				t.Errorf("%d loans, the first %+v; answered %+v", len(loans), loans[0], result.Loan)
			}
			last := b.eventLog()[len(b.eventLog())-1]
			if last.Type != lending.EventOperationUpdated || !strings.Contains(string(last.Payload), "SUCCEEDED") {
				t.Errorf("the last event is %s %s", last.Type, last.Payload)
			}
		})
	}
}
