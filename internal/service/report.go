package service

import (
	"context"
	"crypto/hmac"
	"encoding/hex"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// reportOrder is the canonical form of an order for a report.
type reportOrder struct {
	CustomerID lending.CustomerID `json:"customerId"`
	Consent    *lending.Consent   `json:"consent"`
}

// OrderCreditReport orders a report, which is billed and comes later: the operation is AWAITING_PROVIDER
// until then. A second order for a customer whose report is on its way is refused.
func (s *Service) OrderCreditReport(ctx context.Context, caller Caller, in OrderCreditReportInput) (*Result, error) {
	var c checks
	c.key(in.IdempotencyKey)
	canonical := reportOrder{CustomerID: parseID[lending.CustomerID](&c, "customerId", lending.CustomerNode, in.CustomerID), Consent: in.Consent}
	c.consent(in.Consent, s)
	p, bvn, err := s.actor(ctx, &c, in.Provider, canonical.CustomerID, func(p *provider.Provider) bool { return p.Reports != nil })
	if err != nil {
		return nil, err
	}
	if c.failed() {
		return c.result(), nil
	}
	op, err := s.begin(caller, in.IdempotencyKey, lending.OpOrderCreditReport, in.Provider, canonical)
	if err != nil {
		return nil, err
	}
	op.CustomerID, op.EntityID = canonical.CustomerID, newID[string]()
	op.Target = "report:" + string(in.Provider) + ":" + string(canonical.CustomerID)
	op.Reference = s.reportToken(op.ID)
	known, err := s.store.Customers(ctx, []lending.CustomerID{canonical.CustomerID})
	if err != nil {
		return nil, err
	}
	customer := known[canonical.CustomerID]
	if customer == nil {
		return nil, lending.NotFound("customer")
	}
	report := &lending.CreditReport{
		ID: lending.ReportID(op.EntityID), CustomerID: customer.ID, Provider: in.Provider,
		Status: lending.ReportOrdered, OrderedAt: s.now(),
	}
	return s.perform(ctx, action{
		op: op,
		send: func(ctx context.Context) (answer, error) {
			receipt, err := p.Reports.OrderReport(ctx, provider.ReportOrder{BVN: bvn, Name: customer.FullName(), Phone: customer.Phone, Token: op.Reference})
			if err != nil {
				return answer{}, err
			}
			report.ExternalID = receipt.ExternalID
			got := answer{status: lending.OpAwaitingProvider, result: Result{Report: report}}
			got.save = func(ctx context.Context) error { return s.saveOrder(ctx, op, report) }
			got.events = []*lending.Event{s.event(lending.EventCreditReportOrdered, op, func(e *lending.Event) { e.ReportID = report.ID })}
			return got, nil
		},
		unknown: func(ctx context.Context) error {
			report.Status = lending.ReportOutcomeUnknown
			return s.saveOrder(ctx, op, report)
		},
	})
}

// saveOrder writes what an order came to. The report itself may have been faster than the order's answer:
// then it stays, and the operation is settled with it.
func (s *Service) saveOrder(ctx context.Context, op *lending.Operation, report *lending.CreditReport) error {
	found, err := s.store.Reports(ctx, []lending.ReportID{report.ID})
	if err != nil {
		return err
	}
	if known := found[report.ID]; known != nil {
		if known.ExternalID == "" {
			known.ExternalID = report.ExternalID
		}
		*report = *known
	}
	if report.Status == lending.ReportReady || report.Status == lending.ReportNoRecord {
		op.Status, op.Failure, op.SettledAt = lending.OpSucceeded, nil, s.now()
	}
	return s.store.SaveReport(ctx, report)
}

// reportToken is what an order is known by when its report comes back: the operation's id with our
// signature, because the bureau's own signature does not cover the body that it sends.
func (s *Service) reportToken(id lending.OperationID) string {
	return string(id) + "." + hex.EncodeToString(s.sign("report", string(id)))
}

// orderOf is the operation that a token names; false for a token that is not ours.
func (s *Service) orderOf(token string) (lending.OperationID, bool) {
	id, signature, _ := strings.Cut(token, ".")
	given, err := hex.DecodeString(signature)
	if err != nil || !hmac.Equal(given, s.sign("report", id)) {
		return "", false
	}
	return lending.OperationID(id), true
}

// applyReport takes over a bureau's answer, by push or by query. A report is accepted only for an order
// of ours: by the token that we gave, or, when we asked for it ourselves, by the bureau's id.
func (s *Service) applyReport(ctx context.Context, name lending.Provider, source lending.EventSource, notice *provider.ReportNotice, event *lending.Event) error {
	report, op, err := s.reportFor(ctx, name, source, notice)
	if err != nil {
		return err
	}
	event.CustomerID, event.ReportID, event.OperationID = report.CustomerID, report.ID, op.ID
	if report.ExternalID == "" {
		report.ExternalID = notice.ExternalID
	}
	if !moveReport(report, notice, s.now()) {
		return nil
	}
	if err := s.compareSubject(ctx, report); err != nil {
		return err
	}
	if err := s.store.SaveReport(ctx, report); err != nil {
		return err
	}
	if op.Status.Settled() || report.Status.Waiting() {
		return nil
	}
	op.Status, op.Failure, op.SettledAt, op.UpdatedAt = lending.OpSucceeded, nil, s.now(), s.now()
	if report.Status == lending.ReportFailed || report.Status == lending.ReportExpired {
		op.Status, op.Failure = lending.OpFailed, report.Failure
	}
	op.NextCheckAt = time.Time{}
	if err := rememberReport(op, report); err != nil {
		return err
	}
	if err := s.store.TakeOperation(ctx, op); err != nil {
		return err
	}
	return s.store.AppendEvents(ctx, s.operationEvent(op))
}

// rememberReport keeps a report as the answer of an order that has none: it was faster than the order's own
// answer, or that answer was lost.
func rememberReport(op *lending.Operation, report *lending.CreditReport) error {
	kept, err := recall(op)
	if err != nil || kept.Report != nil {
		return err
	}
	kept.Report = report
	return remember(op, kept)
}

// compareSubject marks a report that names another BVN than the one it was ordered for. It is kept, as the
// bureau's own examples do the same (seed 001), and somebody has to look.
func (s *Service) compareSubject(ctx context.Context, report *lending.CreditReport) error {
	if report.Content == nil || report.Content.BVN == "" {
		return nil
	}
	identities, err := s.identitiesByProvider(ctx, []lending.CustomerID{report.CustomerID})
	if err != nil {
		return err
	}
	if ordered := identities[report.CustomerID][report.Provider]; ordered != "" && ordered != report.Content.BVN {
		report.Conflict = true
		s.log.WarnContext(ctx, "a report names another BVN than the one it was ordered for", "report", report.ID, "provider", report.Provider)
	}
	return nil
}

// reportFor finds the order that an answer belongs to, with its report; the report is made when the
// answer was faster than our own record of the order.
func (s *Service) reportFor(ctx context.Context, name lending.Provider, source lending.EventSource, notice *provider.ReportNotice) (*lending.CreditReport, *lending.Operation, error) {
	id, ours := s.orderOf(notice.Token)
	if !ours && source == lending.FromWebhook {
		return nil, nil, &lending.Error{Kind: lending.KindForbidden, Provider: name, Outcome: lending.NotExecuted, Message: "The report does not belong to an order of this service."}
	}
	var report *lending.CreditReport
	if !ours {
		known, err := s.store.ReportByExternalID(ctx, name, notice.ExternalID)
		if err != nil {
			return nil, nil, err
		}
		report = known
		op, err := s.operationOfReport(ctx, report)
		return report, op, err
	}
	op, err := s.operation(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	found, err := s.store.Reports(ctx, []lending.ReportID{lending.ReportID(op.EntityID)})
	if err != nil {
		return nil, nil, err
	}
	if report = found[lending.ReportID(op.EntityID)]; report == nil {
		report = &lending.CreditReport{
			ID: lending.ReportID(op.EntityID), CustomerID: op.CustomerID, Provider: name,
			Status: lending.ReportOrdered, OrderedAt: op.RequestedAt,
		}
	}
	if report.ExternalID != "" && notice.ExternalID != "" && report.ExternalID != notice.ExternalID {
		return nil, nil, &lending.Error{Kind: lending.KindConflict, Provider: name, Outcome: lending.NotExecuted, Message: "The report carries the token of another order."}
	}
	return report, op, nil
}

// operationOfReport finds the order of a report that we asked for by the bureau's id.
func (s *Service) operationOfReport(ctx context.Context, report *lending.CreditReport) (*lending.Operation, error) {
	open, err := s.store.OpenOperations(ctx, []lending.CustomerID{report.CustomerID})
	if err != nil {
		return nil, err
	}
	for _, op := range open[report.CustomerID] {
		if op.EntityID == string(report.ID) {
			return op, nil
		}
	}
	return &lending.Operation{Status: lending.OpSucceeded}, nil // settled before: nothing is left to settle
}

// moveReport takes over an answer and reports whether it changed anything. A hit stays whatever comes
// later; a hit after NO_RECORD is a correction; NO_RECORD after a hit is a conflict.
func moveReport(report *lending.CreditReport, notice *provider.ReportNotice, now time.Time) bool {
	switch {
	case report.Status == lending.ReportReady && notice.Status == lending.ReportNoRecord:
		changed := !report.Conflict
		report.Conflict = true
		return changed
	case report.Status == lending.ReportReady:
		return false
	case report.Status == lending.ReportNoRecord && notice.Status != lending.ReportReady:
		return false
	case notice.Status.Waiting() || notice.Status == "" || notice.Status == report.Status:
		return false
	}
	report.Status, report.Content, report.Failure, report.ReceivedAt = notice.Status, notice.Content, notice.Failure, now
	return true
}

// pollSteps are how long after an order the backup query is tried, when no push came (providers.md §2.4:
// at least twelve times within 24 hours, then hourly until 48).
var pollSteps = func() []time.Duration {
	steps := []time.Duration{
		5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute,
	}
	for h := 1; h <= 48; h++ {
		steps = append(steps, time.Duration(h)*time.Hour)
	}
	return steps
}()

// reportWindow is how long after an order its report can be had (seed 001, code 9080). One that could not be
// fetched until then never will be: it stands in the way of no further order.
const reportWindow = 48 * time.Hour

// pollTick is how often the poller looks for reports that are due.
const pollTick = 30 * time.Second

// pollBatch is how many waiting reports are read at a time.
const pollBatch = 200

// runReportPoller asks for reports whose push did not come, until the service stops.
func (s *Service) runReportPoller() {
	asked := map[lending.ReportID]time.Time{}
	s.every(pollTick, func(ctx context.Context) error { return s.pollReports(ctx, asked) })
}

// pollReports asks for each waiting report that is due since it was last asked for.
func (s *Service) pollReports(ctx context.Context, asked map[lending.ReportID]time.Time) error {
	for name, p := range s.providers {
		if p.Reports == nil {
			continue
		}
		orderedBefore := s.now().Add(-s.settings.ReportPollAfter)
		var last *lending.CreditReport
		for ctx.Err() == nil {
			waiting, err := s.store.WaitingReports(ctx, name, orderedBefore, last, pollBatch)
			if err != nil {
				return eventually("list waiting reports", err)
			}
			for _, report := range waiting {
				last = new(*report)
				s.pollReport(ctx, p, report, asked)
			}
			if len(waiting) < pollBatch {
				break
			}
		}
	}
	return nil
}

// pollReport asks for one waiting report, if it is due.
func (s *Service) pollReport(ctx context.Context, p *provider.Provider, report *lending.CreditReport, asked map[lending.ReportID]time.Time) {
	if ctx.Err() != nil || !s.pollDue(report, asked[report.ID]) {
		return
	}
	asked[report.ID] = s.now()
	if err := s.fetchReport(ctx, p, report); err != nil {
		s.log.WarnContext(ctx, "an ordered report could not be fetched", "report", report.ID, "provider", p.Name, "kind", lending.KindOf(err))
	}
	if !report.Status.Waiting() {
		delete(asked, report.ID)
	}
}

// pollDue reports whether a step of the schedule has passed since a report was last asked for.
func (s *Service) pollDue(report *lending.CreditReport, last time.Time) bool {
	age := s.now().Sub(report.OrderedAt)
	for _, step := range pollSteps {
		step = step - 5*time.Minute + s.settings.ReportPollAfter
		if at := report.OrderedAt.Add(step); step <= age && at.After(last) {
			return true
		}
	}
	return false
}

// fetchReport asks the bureau for an ordered report and takes over what it says.
func (s *Service) fetchReport(ctx context.Context, p *provider.Provider, report *lending.CreditReport) error {
	notice, err := p.Reports.FetchReport(ctx, report.ExternalID)
	switch kind := lending.KindOf(err); {
	case kind == lending.KindReportWindowExpired, err != nil && s.now().Sub(report.OrderedAt) >= reportWindow:
		gone := &lending.Error{Kind: lending.KindReportWindowExpired, Provider: p.Name, Err: err}
		notice = provider.ReportNotice{Status: lending.ReportExpired, Failure: lending.FailureOf(gone)}
	case kind == lending.KindInProgress:
		return nil
	case err != nil:
		return err
	}
	notice.ExternalID = report.ExternalID
	event := s.noticeEvent(p.Name, lending.FromPoll, &provider.Notice{Type: reportEvent(notice.Status)})
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		found, err := s.store.Reports(ctx, []lending.ReportID{report.ID})
		if current := found[report.ID]; err != nil || current == nil || !current.Status.Waiting() {
			return err // a push, or another replica, was faster: there is nothing to tell
		}
		if err := s.applyReport(ctx, p.Name, lending.FromPoll, &notice, event); err != nil {
			return err
		}
		return s.store.AppendEvents(ctx, event)
	})
	if err != nil {
		return err
	}
	report.Status = notice.Status
	s.published()
	return nil
}

// reportEvent is the event that a report's status is told by.
func reportEvent(status lending.ReportStatus) lending.EventType {
	switch status {
	case lending.ReportReady:
		return lending.EventCreditReportReady
	case lending.ReportNoRecord:
		return lending.EventCreditReportNoRecord
	}
	return lending.EventCreditReportFailed
}
