package service

import (
	"context"
	"errors"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

const (
	inboxTick     = 2 * time.Second // how often the inbox is looked at without a hint
	inboxBatch    = 50
	inboxAttempts = 8 // then a delivery is set aside
)

// ReceiveWebhook takes in one webhook: verified, stored, and only then acknowledged. A delivery that is
// there already is acknowledged again and changes nothing. What it tells is applied behind.
func (s *Service) ReceiveWebhook(ctx context.Context, name lending.Provider, request provider.WebhookRequest) (provider.Acknowledgement, error) {
	p, err := s.Provider(name)
	if err != nil {
		return provider.Acknowledgement{}, err
	}
	if p.WebhookReceiver == nil {
		return provider.Acknowledgement{}, lending.NotFound("webhook address")
	}
	receipt, err := p.WebhookReceiver.Verify(request)
	if err != nil {
		s.log.WarnContext(ctx, "a webhook was refused", "provider", name, "reason", err.Error())
		return provider.Acknowledgement{}, err
	}
	now := s.now()
	added, err := s.store.PutDelivery(ctx, &Delivery{
		ID: newID[string](), Provider: name, DedupeKey: receipt.DedupeKey, Nonce: receipt.Nonce, Body: request.Body,
		ReceivedAt: now, State: DeliveryReceived, NextTryAt: now, UpdatedAt: now,
	})
	switch {
	case lending.KindOf(err) == lending.KindConflict:
		s.log.ErrorContext(ctx, "a webhook repeats another's proof with another body: a forgery", "provider", name)
		return provider.Acknowledgement{}, &provider.UnverifiedError{Status: 403, Reason: "this proof was used for another body"}
	case err != nil:
		s.log.ErrorContext(ctx, "a webhook could not be stored", "provider", name, "error", lending.AsError(err).Detail())
		return p.WebhookReceiver.Acknowledge(err), nil
	}
	failpoint("delivery-stored", nil)
	if added {
		s.hint()
	}
	return p.WebhookReceiver.Acknowledge(nil), nil
}

// hint wakes the inbox; one that is awake needs none.
func (s *Service) hint() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// runInbox applies what was received, until the service stops.
func (s *Service) runInbox() {
	tick := time.NewTicker(inboxTick)
	defer tick.Stop()
	for {
		if err := s.drainInbox(s.stopped); err != nil && s.stopped.Err() == nil {
			s.log.WarnContext(s.stopped, "the inbox could not be read", "error", lending.AsError(err).Detail())
		}
		select {
		case <-s.stopped.Done():
			return
		case <-s.wake:
		case <-tick.C:
		}
	}
}

// drainInbox applies deliveries until none is due.
func (s *Service) drainInbox(ctx context.Context) error {
	for ctx.Err() == nil {
		now := s.now()
		batch, err := s.store.ClaimDeliveries(ctx, now, now.Add(inboxLease), inboxBatch)
		if err != nil || len(batch) == 0 {
			return eventually("claim deliveries", err)
		}
		for _, delivery := range batch {
			if err := s.deliver(ctx, delivery); err != nil {
				return err
			}
			s.published()
		}
	}
	return nil
}

// deliver applies one delivery: state, event and the delivery's own end in one transaction. One that
// cannot be applied is tried again later, and in the end set aside: it never blocks the others.
func (s *Service) deliver(ctx context.Context, delivery *Delivery) error {
	err := s.applyDelivery(ctx, delivery)
	if err == nil || ctx.Err() != nil {
		return nil
	}
	if errors.Is(err, ErrLeaseLost) { // it took longer than its claim, and another process has it
		s.log.WarnContext(ctx, "a webhook was left to another process", "provider", delivery.Provider, "delivery", delivery.ID)
		return nil
	}
	claim, now := delivery.NextTryAt, s.now()
	if !ours(err) {
		delivery.Attempts++
	}
	delivery.UpdatedAt, delivery.LastError = now, string(lending.KindOf(err))
	delivery.NextTryAt = now.Add(min(time.Second<<min(delivery.Attempts, 10), 10*time.Minute))
	if delivery.Attempts >= inboxAttempts || !worthRepeating(err) {
		delivery.State = DeliverySetAside
	}
	s.log.WarnContext(ctx, "a webhook could not be applied", "provider", delivery.Provider, "delivery", delivery.ID,
		"attempt", delivery.Attempts, "state", delivery.State, "error", lending.AsError(err).Detail())
	err = s.store.SettleDelivery(ctx, delivery, claim)
	if errors.Is(err, ErrLeaseLost) {
		return nil
	}
	return err
}

// worthRepeating reports whether another try may go better: what a body says does not change, what we know
// and whether our database answers does.
func worthRepeating(err error) bool {
	switch lending.KindOf(err) {
	case lending.KindUpstreamProtocol, lending.KindForbidden:
		return false
	}
	return true
}

// ours reports whether an error is about our own database being away or slow. That says nothing of the news, so
// it is never a reason to set it aside.
func ours(err error) bool {
	kind := lending.KindOf(err)
	return kind == lending.KindUnavailable || kind == lending.KindTimeout
}

func (s *Service) applyDelivery(ctx context.Context, delivery *Delivery) error {
	claim := delivery.NextTryAt
	p, err := s.Provider(delivery.Provider)
	if err != nil {
		return err
	}
	notice, err := translate(p, delivery.Body)
	if err != nil {
		return err
	}
	event := s.deliveredEvent(delivery, &notice)
	var evict func(ctx context.Context)
	err = s.store.InTx(ctx, func(ctx context.Context) (err error) {
		applied, err := s.applyNotice(ctx, delivery.Provider, &notice, event)
		if err != nil {
			return err
		}
		evict = applied.evict
		delivery.State, delivery.UpdatedAt, delivery.LastError, delivery.Awaits = DeliveryApplied, s.now(), "", applied.awaits
		if applied.awaits != "" {
			delivery.State = DeliveryHeld
		}
		if err := s.store.SettleDelivery(ctx, delivery, claim); err != nil {
			return err
		}
		failpoint("delivery-applied", nil)
		if err := s.store.AppendEvents(ctx, event); err != nil {
			return err
		}
		return s.meet(ctx, delivery, &notice)
	})
	if err != nil {
		delivery.State, delivery.Awaits = DeliveryReceived, ""
		return err
	}
	if evict != nil {
		evict(ctx)
	}
	return nil
}

// translate puts a delivery into our words. A driver that breaks over it costs that delivery and no other:
// the process would meet it again after each start.
func translate(p *provider.Provider, body []byte) (notice provider.Notice, err error) {
	if p.WebhookReceiver == nil {
		return notice, &lending.Error{Kind: lending.KindProviderDisabled, Provider: p.Name, Outcome: lending.NotExecuted}
	}
	defer func() {
		if cause := recover(); cause != nil {
			err = &lending.Error{Kind: lending.KindUpstreamProtocol, Provider: p.Name, Outcome: lending.NotExecuted, Err: errors.New("panic in the driver")}
		}
	}()
	return p.WebhookReceiver.Translate(body)
}

// deliveredEvent is the event of a delivery's news.
func (s *Service) deliveredEvent(delivery *Delivery, notice *provider.Notice) *lending.Event {
	event := s.noticeEvent(delivery.Provider, lending.FromWebhook, notice)
	event.ReceivedAt = delivery.ReceivedAt
	if event.OccurredAt.IsZero() {
		event.OccurredAt = delivery.ReceivedAt
	}
	return event
}

// noticeEvent is the event of a provider's news.
func (s *Service) noticeEvent(name lending.Provider, source lending.EventSource, notice *provider.Notice) *lending.Event {
	now := s.now()
	e := &lending.Event{
		ID: newID[lending.EventID](), Type: notice.Type, ProviderType: notice.ProviderType, Provider: name,
		Source: source, OccurredAt: notice.OccurredAt.UTC(), ReceivedAt: now, Payload: notice.Payload,
	}
	if source == lending.FromPoll {
		e.OccurredAt = now
	}
	return e
}

// applied is what came of a provider's news.
type applied struct {
	// evict forgets what the cache holds of what the news is about, after the commit; nil for nothing.
	evict func(ctx context.Context)
	// awaits is the provider's id of the loan that the news is about, where that loan is not known.
	awaits string
}

// applyNotice changes what a provider's news is about, and ties the event to it.
func (s *Service) applyNotice(ctx context.Context, name lending.Provider, notice *provider.Notice, event *lending.Event) (done applied, err error) {
	external := notice.CustomerExternalID
	if notice.Loan != nil && external == "" {
		external = notice.Loan.CustomerExternalID
	}
	if notice.Payment != nil && external == "" {
		external = notice.Payment.CustomerExternalID
	}
	if external != "" {
		if event.CustomerID, err = s.customerBehind(ctx, name, external); err != nil {
			return applied{}, err
		}
		done.evict = s.evictCustomer(name, external)
	}
	if notice.KYCStatus != "" && event.CustomerID != "" {
		if err := s.verifyCustomer(ctx, event.CustomerID, notice.KYCStatus); err != nil {
			return applied{}, err
		}
	}
	if notice.Loan != nil {
		known, err := s.applyLoan(ctx, name, notice, event)
		if err != nil {
			return applied{}, err
		}
		if !known {
			done.awaits = notice.Loan.Loan.ExternalID
		}
	}
	if notice.Payment != nil {
		known, err := s.applyPayment(ctx, name, notice.Payment, event)
		if err != nil {
			return applied{}, err
		}
		if !known {
			done.awaits = notice.Payment.LoanExternalID
		}
	}
	if notice.Report != nil {
		if err := s.applyReport(ctx, name, lending.FromWebhook, notice.Report, event); err != nil {
			return applied{}, err
		}
	}
	return done, nil
}

// customerBehind finds the customer whom a provider's news names. News of somebody whom we do not know is
// kept as an event without a customer.
func (s *Service) customerBehind(ctx context.Context, name lending.Provider, externalID string) (lending.CustomerID, error) {
	id, err := s.store.CustomerByIdentity(ctx, name, externalID)
	if lending.IsNotFound(err) {
		return "", nil
	}
	return id, err
}

func (s *Service) evictCustomer(name lending.Provider, externalID string) func(ctx context.Context) {
	return func(ctx context.Context) {
		switch {
		case name == lending.Kredete && s.readers.Profiles != nil:
			s.readers.Profiles.Evict(ctx, externalID)
		case name == lending.Kredmint && s.readers.CreditLines != nil:
			s.readers.CreditLines.Evict(ctx, externalID)
		}
	}
}

// verifyCustomer takes over how far the check of a customer's identity has come.
func (s *Service) verifyCustomer(ctx context.Context, id lending.CustomerID, status lending.KYCStatus) error {
	found, err := s.store.Customers(ctx, []lending.CustomerID{id})
	if err != nil || found[id] == nil || found[id].KYCStatus == status {
		return err
	}
	customer := found[id]
	customer.KYCStatus, customer.UpdatedAt = status, s.now()
	return s.store.SaveCustomer(ctx, customer)
}

// applyLoan brings a loan up to date with a provider's news. A loan that is not known yet is made: it is
// one that was applied for elsewhere, or whose application's answer has not come yet. known is false where
// that cannot be done: nobody whom we know, or nothing to lend.
func (s *Service) applyLoan(ctx context.Context, name lending.Provider, notice *provider.Notice, event *lending.Event) (known bool, err error) {
	told := notice.Loan.Loan
	told.Provider, told.CustomerID = name, event.CustomerID
	if told.FailureReason == "" {
		told.FailureReason = notice.Loan.FailureReason
	}
	if told.Status.PaidOut() && told.DisbursedOn.IsZero() {
		told.DisbursedOn = lending.DateOf(event.OccurredAt)
	}
	if told.CreatedAt.IsZero() {
		told.CreatedAt = event.OccurredAt // at the latest; our own application came before
	}
	loan, err := s.findLoan(ctx, &told)
	if err != nil {
		return false, err
	}
	if loan == nil {
		if loan, err = s.awaitedLoan(ctx, &told, event); err != nil {
			return false, err
		}
	}
	if loan == nil {
		if told.CustomerID == "" || told.Principal.Sign() == 0 {
			return false, nil
		}
		zero := lending.NewMoney(0, told.Principal.Currency())
		loan = &lending.Loan{ID: newID[lending.LoanID](), CustomerID: told.CustomerID, Provider: name, Paid: zero, Outstanding: zero, Overdue: zero}
	}
	if mergeNews(loan, &told, notice.Loan.After) {
		s.log.WarnContext(ctx, "contradictory news of a loan", "loan", loan.ID, "provider", name, "status", loan.Status, "told", told.Status)
	}
	loan.UpdatedAt = s.now()
	if err := s.store.SaveLoan(ctx, loan); err != nil {
		return false, err
	}
	event.LoanID, event.CustomerID = loan.ID, loan.CustomerID
	return true, s.proveOperation(ctx, loan, event)
}

// applyPayment takes over a payment. The two events by which a provider may tell of one repayment are one
// payment, by its id or its reference. known is false where its loan is not known.
func (s *Service) applyPayment(ctx context.Context, name lending.Provider, notice *provider.PaymentNotice, event *lending.Event) (known bool, err error) {
	told := notice.Payment
	told.Provider = name
	loan, err := s.store.LoanByExternalID(ctx, name, notice.LoanExternalID)
	if lending.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	told.LoanID, told.CustomerID = loan.ID, loan.CustomerID
	event.LoanID, event.CustomerID = loan.ID, loan.CustomerID
	p, err := s.findPayment(ctx, &told)
	if err != nil {
		return false, err
	}
	if p == nil {
		if p, err = s.awaitedPayment(ctx, &told); err != nil {
			return false, err
		}
	}
	if p == nil {
		if told.ExternalID == "" && told.Reference == "" {
			return true, nil // nothing tells it from another: counting it could count money twice
		}
		p = &lending.Payment{ID: newID[lending.PaymentID](), LoanID: loan.ID, CustomerID: loan.CustomerID, Provider: name, CreatedAt: event.OccurredAt}
	}
	mergePayment(p, &told)
	if p.PaidOn.IsZero() {
		p.PaidOn = lending.DateOf(event.OccurredAt)
	}
	event.PaymentID = p.ID
	if err := s.writePayment(ctx, p); err != nil {
		return false, err
	}
	return true, s.provePayment(ctx, p, event)
}
