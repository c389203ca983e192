package service

import (
	"context"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// newCustomer is the canonical form of a customer to be made.
type newCustomer struct {
	provider.NewCustomer
}

// CreateCustomer makes a customer at the provider that keeps customers, and links them there.
func (s *Service) CreateCustomer(ctx context.Context, caller Caller, in CreateCustomerInput) (*Result, error) {
	var c checks
	c.key(in.IdempotencyKey)
	if in.Provider == "" {
		in.Provider = s.only(func(p *provider.Provider) bool { return p.Customers != nil }, lending.Kredete)
	}
	canonical := newCustomer{s.checkCustomer(&c, in)}
	p, _, err := s.actor(ctx, &c, in.Provider, "", func(p *provider.Provider) bool { return p.Customers != nil })
	if err != nil {
		return nil, err
	}
	if c.failed() {
		return c.result(), nil
	}
	op, err := s.begin(caller, in.IdempotencyKey, lending.OpCreateCustomer, in.Provider, canonical)
	if err != nil {
		return nil, err
	}
	op.EntityID, op.Warnings = newID[string](), c.warnings
	return s.perform(ctx, action{op: op, send: func(ctx context.Context) (answer, error) {
		profile, err := p.Customers.CreateCustomer(ctx, canonical.NewCustomer)
		if err != nil {
			return answer{}, err
		}
		return s.createdCustomer(op, canonical.NewCustomer, profile), nil
	}})
}

// createdCustomer takes over what the provider answered. Its answer leaves out most of what it was told,
// so what we keep is the request, overlaid by the answer (seed 000, Create Customer).
func (s *Service) createdCustomer(op *lending.Operation, told provider.NewCustomer, profile lending.Profile) answer {
	customer := &lending.Customer{
		ID: lending.CustomerID(op.EntityID), FirstName: told.FirstName, LastName: told.LastName, Email: told.Email,
		Phone: told.Phone, DateOfBirth: told.DateOfBirth, Gender: told.Gender, Nationality: told.Nationality,
		Address: told.Address, Employment: told.Employment, Identification: told.Identification, CreatedAt: s.now(),
	}
	Overlay(customer, profile)
	got := answer{status: lending.OpSucceeded, result: Result{Customer: customer}}
	event := s.event(lending.EventCustomerCreated, op)
	got.save = func(ctx context.Context) error {
		known, err := s.store.CustomerByIdentity(ctx, op.Provider, profile.ExternalID)
		if err != nil && !lending.IsNotFound(err) {
			return err
		}
		if known != "" {
			customer.ID = known // an import was faster than our own record
		}
		customer.UpdatedAt = s.now()
		op.CustomerID, op.EntityID = customer.ID, string(customer.ID)
		event.CustomerID = customer.ID
		if err := s.store.SaveCustomer(ctx, customer); err != nil {
			return err
		}
		return s.store.Link(ctx, lending.Identity{CustomerID: customer.ID, Provider: op.Provider, ExternalID: profile.ExternalID, LinkedAt: s.now()})
	}
	got.events = []*lending.Event{event}
	return got
}

// Overlay puts a provider's profile over what we know of a customer: the provider knows better what it
// tells, and nothing that it leaves out is lost.
func Overlay(customer *lending.Customer, profile lending.Profile) {
	for _, f := range []struct {
		mine *string
		told string
	}{
		{&customer.FirstName, profile.FirstName},
		{&customer.LastName, profile.LastName},
		{&customer.Email, profile.Email},
		{&customer.Phone, profile.Phone},
	} {
		if f.told != "" {
			*f.mine = f.told
		}
	}
	if profile.Status != "" {
		customer.Status, customer.ProviderStatus = profile.Status, profile.ProviderStatus
	}
	if profile.KYCStatus != "" {
		customer.KYCStatus = profile.KYCStatus
	}
	if !profile.CreatedAt.IsZero() {
		customer.CreatedAt = profile.CreatedAt
	}
}

// checkCustomer reads a new customer.
func (s *Service) checkCustomer(c *checks, in CreateCustomerInput) provider.NewCustomer {
	c.text("firstName", in.FirstName, true, 100)
	c.text("lastName", in.LastName, true, 100)
	c.email("email", in.Email, true)
	c.phone("phone", in.Phone)
	c.country("nationality", in.Nationality)
	today := lending.DateOf(s.now())
	if !in.DateOfBirth.IsZero() && !in.DateOfBirth.Before(today) {
		c.refuse("dateOfBirth", "The day lies in the future.")
	}
	out := provider.NewCustomer{
		FirstName: strings.TrimSpace(in.FirstName), LastName: strings.TrimSpace(in.LastName), Email: in.Email,
		Phone: in.Phone, DateOfBirth: in.DateOfBirth, Gender: in.Gender, Nationality: in.Nationality, Address: in.Address,
	}
	if in.Gender != "" && !in.Gender.Valid() {
		c.refuse("gender", "Choose one of the genders, or leave it out.")
	}
	if a := in.Address; a != nil {
		c.country("address.country", a.Country)
		for path, value := range map[string]string{"street": a.Street, "city": a.City, "state": a.State, "postalCode": a.PostalCode} {
			c.text("address."+path, value, false, 200)
		}
	}
	if id := in.Identification; id != nil {
		c.identification(id)
		out.Identification = &lending.Identification{Type: id.Type, Number: id.Number, ExpiresOn: id.ExpiresOn}
	}
	if e := in.Employment; e != nil {
		c.text("employment.employer", e.Employer, false, 200)
		c.text("employment.jobTitle", e.JobTitle, false, 200)
		out.Employment = &lending.Employment{Status: e.Status, Employer: e.Employer, JobTitle: e.JobTitle, Since: e.Since}
		if e.MonthlyIncome != nil {
			out.Employment.MonthlyIncome = new(c.money("employment.monthlyIncome", *e.MonthlyIncome))
		}
	}
	return out
}

// identification checks an identity document: 11 digits for the Nigerian numbers, anything printable else.
func (c *checks) identification(id *IdentificationInput) {
	switch {
	case !id.Type.Valid():
		c.refuse("identification.type", "Choose one of the documents.")
	case id.Type == lending.NIN || id.Type == lending.BVN:
		c.digits("identification.number", id.Number, 11, 11)
	default:
		c.text("identification.number", id.Number, true, 64)
	}
}

// only is the one configured provider that offers something, or fallback when there is none or several.
func (s *Service) only(offers func(*provider.Provider) bool, fallback lending.Provider) lending.Provider {
	var found []lending.Provider
	for _, name := range lending.Providers() {
		if p := s.providers[name]; p != nil && offers(p) {
			found = append(found, name)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return fallback
}

// LinkCustomer ties a customer to who they are at a provider. Nothing is asked of the provider.
func (s *Service) LinkCustomer(ctx context.Context, caller Caller, in LinkCustomerInput) (*Result, error) {
	var c checks
	id := parseID[lending.CustomerID](&c, "customerId", lending.CustomerNode, in.CustomerID)
	c.known("provider", in.Provider)
	in.ExternalID = strings.TrimSpace(in.ExternalID)
	c.text("externalId", in.ExternalID, true, 100)
	if in.Provider == lending.TrustDecision && in.ExternalID != "" {
		c.digits("externalId", in.ExternalID, 11, 11)
	}
	if in.Provider == lending.Kredmint && in.ExternalID != "" {
		// Its news names customers by the ten digits of their mobile number, whatever the number was linked as.
		if digits, indian := strings.CutPrefix(in.ExternalID, "+91"); indian && len(digits) == 10 {
			in.ExternalID = digits
		}
		c.digits("externalId", strings.TrimPrefix(in.ExternalID, "+"), 5, 15)
	}
	if c.failed() {
		return c.result(), nil
	}
	known, err := s.store.Customers(ctx, []lending.CustomerID{id})
	if err != nil {
		return nil, err
	}
	customer := known[id]
	if customer == nil {
		return &Result{Problems: []lending.Problem{{Kind: lending.KindNotFound, Message: "There is no such customer.", Field: fieldPath("customerId")}}}, nil
	}
	now := s.now()
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		if err := s.store.Link(ctx, lending.Identity{CustomerID: id, Provider: in.Provider, ExternalID: in.ExternalID, LinkedAt: now}); err != nil {
			return err
		}
		return s.store.AppendEvents(ctx, &lending.Event{
			ID: newID[lending.EventID](), Type: lending.EventCustomerLinked, Provider: in.Provider, Source: lending.FromAPI,
			CustomerID: id, OccurredAt: now, ReceivedAt: now,
		})
	})
	if e := lending.AsError(err); e != nil && e.Kind == lending.KindConflict {
		return &Result{Problems: []lending.Problem{{Kind: lending.KindConflict, Message: "Another customer is linked to this id at the provider.", Field: fieldPath("externalId")}}}, nil
	}
	if err != nil {
		return nil, err
	}
	s.published()
	return &Result{Customer: customer, At: now}, nil
}

// View gives customers as the providers know them today. Where the profile differs from our records, they
// are brought up to date behind the answer, so that lists and filters follow.
func (s *Service) View(customers []*lending.Customer, profiles map[lending.CustomerID]lending.Fetched[lending.Profile]) []*lending.Customer {
	views := make([]*lending.Customer, len(customers))
	var changed []ImportedCustomer
	for i, customer := range customers {
		views[i] = customer
		profile := profiles[customer.ID]
		if !profile.Has() {
			continue
		}
		view := *customer
		Overlay(&view, profile.Value)
		views[i] = &view
		if profile.Status != lending.SourceStale && differs(&view, customer) {
			changed = append(changed, ImportedCustomer{Customer: view, ExternalID: profile.Value.ExternalID})
		}
	}
	if len(changed) > 0 && s.stopped.Err() == nil {
		s.background.Go(func() { s.refreshRecords(changed) })
	}
	return views
}

func differs(a, b *lending.Customer) bool {
	return a.FirstName != b.FirstName || a.LastName != b.LastName || a.Email != b.Email || a.Phone != b.Phone ||
		a.Status != b.Status || a.KYCStatus != b.KYCStatus
}

// refreshRecords writes profiles that differ from our records.
func (s *Service) refreshRecords(changed []ImportedCustomer) {
	ctx, cancel := context.WithTimeout(s.stopped, 10*time.Second)
	defer cancel()
	if _, err := s.store.ImportCustomers(ctx, lending.Kredete, changed); err != nil {
		s.log.WarnContext(ctx, "profiles could not be written to the records", "count", len(changed), "error", lending.AsError(err).Detail())
	}
}

// importPage is how many customers one page of an import asks for: the most that the provider gives.
const importPage = 100

// ImportCustomers takes over all customers that a provider lists. progress is told after each page how
// many were read so far, of how many (-1 where the provider does not tell). It can be repeated: customers
// who are known already are brought up to date.
func (s *Service) ImportCustomers(ctx context.Context, name lending.Provider, progress func(read, total int)) (added int, err error) {
	p, err := s.Provider(name)
	if err != nil {
		return 0, err
	}
	if p.ProfileList == nil {
		return 0, &lending.Error{Kind: lending.KindValidation, Provider: name, Outcome: lending.NotExecuted, Message: name.Title() + " does not list its customers."}
	}
	read := 0
	for number := 1; ; number++ {
		page, err := patiently(ctx, func() (provider.ProfilePage, error) {
			return p.ProfileList.ListProfiles(ctx, provider.ProfileQuery{Page: number, Limit: importPage})
		})
		if err != nil {
			return added, err
		}
		batch := make([]ImportedCustomer, len(page.Profiles))
		for i, profile := range page.Profiles {
			batch[i] = ImportedCustomer{ExternalID: profile.ExternalID, Customer: lending.Customer{ID: newID[lending.CustomerID](), CreatedAt: s.now()}}
			Overlay(&batch[i].Customer, profile)
		}
		n, err := s.store.ImportCustomers(ctx, name, batch)
		if err != nil {
			return added, err
		}
		added, read = added+n, read+len(batch)
		if progress != nil {
			progress(read, page.Total)
		}
		if !page.HasMore || len(batch) == 0 {
			return added, nil
		}
	}
}

// patiently repeats a read that the provider put off, when and as long as it says so, and one that failed
// for the moment a few times.
func patiently[T any](ctx context.Context, read func() (T, error)) (T, error) {
	for attempt := 1; ; attempt++ {
		value, err := read()
		e := lending.AsError(err)
		if e == nil || !e.Retryable || e.Kind != lending.KindRateLimited && attempt >= 5 {
			return value, err
		}
		pause := time.NewTimer(max(e.RetryAfter, min(time.Duration(attempt)*200*time.Millisecond, 5*time.Second)))
		select {
		case <-ctx.Done():
			pause.Stop()
			return value, err
		case <-pause.C:
		}
	}
}
