package service_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// newcomer is a good new customer, with changes.
func newcomer(changes ...func(*service.CreateCustomerInput)) service.CreateCustomerInput {
	in := service.CreateCustomerInput{
		IdempotencyKey: "customer-1", FirstName: "Ada", LastName: "Obi", Email: "ada@example.com", Phone: "+2348012345678",
	}
	for _, change := range changes {
		change(&in)
	}
	return in
}

func TestACustomerIsMadeAndLinked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	full := newcomer(func(in *service.CreateCustomerInput) {
		in.FirstName, in.DateOfBirth, in.Gender, in.Nationality = " Ada ", lending.NewDate(1990, 5, 17), lending.Female, "NG"
		in.Identification = &service.IdentificationInput{Type: lending.NIN, Number: "12345678901"}
		in.Address = &lending.Address{City: "Lagos", Country: "NG"}
		in.Employment = &service.EmploymentInput{Status: lending.Employed, MonthlyIncome: new(money("500000.00", lending.NGN))}
	})
	result := b.done(b.service.CreateCustomer(b.ctx, caller, full))
	b.status(result, lending.OpSucceeded)
	found, err := b.store.Customers(b.ctx, []lending.CustomerID{result.Customer.ID})
	b.must(err)
	kept := found[result.Customer.ID]
	same(b, kept, result.Customer)
	if kept.FirstName != "Ada" || kept.KYCStatus != lending.KYCNotStarted || kept.Identification.Number != "12345678901" || *kept.Employment.MonthlyIncome != naira("500000") {
		t.Errorf("the customer is %+v", kept)
	}
	if id, err := b.store.CustomerByIdentity(b.ctx, lending.Kredete, "cust-ada@example.com"); err != nil || id != kept.ID {
		t.Errorf("linked to %q: %v", id, err)
	}
	if op := b.theOperation(result.Operation.ID); op.CustomerID != kept.ID || op.EntityID != string(kept.ID) {
		t.Errorf("the operation is of %q, %q", op.CustomerID, op.EntityID)
	}
	again := b.done(b.service.CreateCustomer(b.ctx, caller, full))
	same(b, *again, *result, cmpopts.IgnoreFields(lending.Operation{}, "Replayed"))
	if log := b.log.String(); strings.Contains(log, "12345678901") || strings.Contains(log, "+2348012345678") {
		t.Error("the log holds personal data")
	}
}

func TestACustomerWhomAnImportMadeFirstIsTheSame(t *testing.T) {
	t.Parallel()
	b := setup(t)
	known := b.customer("KREDETE", "cust-ada@example.com")
	result := b.done(b.service.CreateCustomer(b.ctx, caller, newcomer()))
	if result.Customer.ID != known {
		t.Errorf("made %s beside %s", result.Customer.ID, known)
	}
}

func TestWhatIsWrongWithACustomer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, test := range map[string]struct {
		change func(*service.CreateCustomerInput)
		want   []string
	}{
		"nothing given": {
			func(in *service.CreateCustomerInput) { *in = service.CreateCustomerInput{} },
			[]string{"idempotencyKey", "firstName", "lastName", "email", "phone"},
		},
		"everything odd": {
			func(in *service.CreateCustomerInput) {
				in.FirstName, in.Email, in.Phone, in.Nationality = "A\x07da", "ada@", "08012345678", "Nigeria"
				in.DateOfBirth, in.Gender = lending.NewDate(2026, 4, 16), "X"
				in.Address = &lending.Address{Country: "ng", Street: strings.Repeat("s", 201)}
				in.Identification = &service.IdentificationInput{Type: lending.NIN, Number: "1234567890"}
				in.Employment = &service.EmploymentInput{Employer: "\x00", MonthlyIncome: new(money("1.001", lending.NGN))}
			},
			[]string{
				"firstName", "email", "phone", "nationality", "dateOfBirth", "gender", "address.country", "address.street",
				"identification.number", "employment.employer", "employment.monthlyIncome.amount",
			},
		},
		"an unknown document": {
			func(in *service.CreateCustomerInput) {
				in.Identification = &service.IdentificationInput{Type: "LIBRARY_CARD", Number: "1"}
			},
			[]string{"identification.type"},
		},
		"a provider that keeps none": {func(in *service.CreateCustomerInput) { in.Provider = lending.Carbon }, []string{"provider"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			b.wants(b.done(b.service.CreateCustomer(b.ctx, caller, newcomer(test.change))), test.want...)
		})
	}
}

func TestACustomerIsLinked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	customer, other := b.customer(), b.customer("CARBON", "carb-9")
	link := func(name lending.Provider, id string) *service.Result {
		return b.done(b.service.LinkCustomer(b.ctx, caller, service.LinkCustomerInput{CustomerID: gid(customer), Provider: name, ExternalID: id}))
	}
	for name, id := range map[lending.Provider]string{
		lending.Kredete: "cust_1", lending.TrustDecision: "22370756505", lending.Kredmint: " 9876543210 ", lending.Carbon: "carb-1", lending.OnePipe: "ref-1",
	} {
		b.wants(link(name, id))
		if found, err := b.store.CustomerByIdentity(b.ctx, name, strings.TrimSpace(id)); err != nil || found != customer {
			t.Errorf("%s: %q, %v", name, found, err)
		}
	}
	b.wants(link(lending.Kredmint, "+919876543210"))
	if found, err := b.store.CustomerByIdentity(b.ctx, lending.Kredmint, "9876543210"); err != nil || found != customer {
		t.Errorf("linked by the international number, Kredmint's news finds %q: %v", found, err)
	}
	b.wants(link(lending.Carbon, "carb-9"), "CONFLICT externalId")
	b.wants(link(lending.TrustDecision, "2237075650"), "externalId")
	b.wants(link(lending.Kredmint, "ravi"), "externalId")
	b.wants(link("", ""), "provider", "externalId")
	b.wants(b.done(b.service.LinkCustomer(b.ctx, caller, service.LinkCustomerInput{CustomerID: gid("x"), Provider: lending.Carbon, ExternalID: "y"})), "NOT_FOUND customerId")
	if id, err := b.store.CustomerByIdentity(b.ctx, lending.Carbon, "carb-9"); err != nil || id != other {
		t.Errorf("carb-9 is %q, %v", id, err)
	}
	if n := len(b.events()); n != 6 {
		t.Errorf("%d events", n)
	}
}

func TestAViewShowsTheProfileAndTheRecordsFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := inBubble(t)
		id := b.customer("KREDETE", "cust-1")
		find := func() *lending.Customer {
			found, err := b.store.Customers(b.ctx, []lending.CustomerID{id})
			b.must(err)
			return found[id]
		}
		profile := lending.Profile{ExternalID: "cust-1", FirstName: "Adaeze", Status: lending.CustomerSuspended, ProviderStatus: "suspended", KYCStatus: lending.KYCVerified}
		for _, test := range []struct {
			status  lending.SourceStatus
			follows bool
		}{{lending.SourceStale, false}, {lending.SourceFresh, true}} {
			status, follows := test.status, test.follows
			view := b.service.View([]*lending.Customer{find()}, map[lending.CustomerID]lending.Fetched[lending.Profile]{id: {Value: profile, Status: status}})[0]
			if view.FirstName != "Adaeze" || view.LastName != "Obi" || view.Status != lending.CustomerSuspended {
				t.Errorf("%s: the view is %+v", status, view)
			}
			synctest.Wait() // for what goes on behind
			if got := find(); (got.FirstName == "Adaeze" && got.KYCStatus == lending.KYCVerified) != follows {
				t.Errorf("%s: the records have %s", status, got.FirstName)
			}
		}
	})
}
