package trustdecision

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// The words of seed 001, Response Parameters For Push Notifications.
const (
	resultHit      = "hit"
	resultNoRecord = "no_record"
	resultError    = "error"
)

var errNoContent = errors.New("a hit without a report that can be read")

// notice puts an answer to an order into our words. A result that the page does not name, or one that
// its code contradicts, is UNKNOWN: it never counts as a report. An error is UPSTREAM_PROTOCOL.
func (b *bureau) notice(a answer) (provider.ReportNotice, error) {
	n := provider.ReportNotice{ExternalID: a.sequence(), Token: a.token(), Status: lending.ReportUnknown}
	result := wire.Keyword(a.Result)
	switch {
	case result == resultError || a.code() == codeInternal:
		n.Status, n.Failure = lending.ReportFailed, a.failed()
	case a.Code != "" && a.code() != codeSuccess:
		b.odd.Word("code", a.codeText())
	case result == resultHit:
		content := b.content(a.Data.Value)
		if content == nil {
			return provider.ReportNotice{}, provider.Garbled(lending.TrustDecision, provider.Read, errNoContent)
		}
		n.Status, n.Content = lending.ReportReady, content
	case result == resultNoRecord:
		n.Status = lending.ReportNoRecord
	default:
		b.odd.Word("result", result)
	}
	return n, nil
}

// failed is why there is no report. The bureau asks to try again after 9500, which is another order.
func (a answer) failed() *lending.Failure {
	if a.code() == codeInternal {
		return &lending.Failure{
			Kind: lending.KindUpstreamUnavailable, Retryable: true, ProviderCode: a.codeText(),
			Message: "TrustDecision could not make the report. Order it again later.",
		}
	}
	return &lending.Failure{
		Kind: lending.KindUpstreamRejected, ProviderCode: a.codeText(),
		Message: "TrustDecision could not make the report.",
	}
}

// payload is what the event log keeps of an answer: nothing of the person.
type payload struct {
	Result       string `json:"result,omitempty"`
	Code         string `json:"code,omitempty"`
	SequenceID   string `json:"sequenceId,omitempty"`
	ReportNumber string `json:"reportNumber,omitempty"`
	Products     int    `json:"facilityProducts"`
	Institutions int    `json:"facilityInstitutions"`
	Enquiries    int    `json:"enquiries"`
	Warnings     int    `json:"warnings"`
}

// Translate reads a push. One whose result we do not know is a notice of type UNKNOWN without a report,
// so that nothing is decided by it.
func (b *bureau) Translate(body []byte) (provider.Notice, error) {
	a, err := readAnswer(body)
	if err != nil {
		return provider.Notice{}, provider.Garbled(lending.TrustDecision, provider.Read, err)
	}
	report, err := b.notice(a)
	if err != nil {
		return provider.Notice{}, err
	}
	raw, err := json.Marshal(payloadOf(a, report))
	if err != nil {
		return provider.Notice{}, fmt.Errorf("event payload: %w", err)
	}
	n := provider.Notice{
		Type: eventOf(report.Status), ProviderType: wire.Word(a.Result), ExternalEventID: dedupeKey(a, body), Report: &report, Payload: raw,
	}
	if n.Type == lending.EventUnknown {
		n.Report = nil
	}
	return n, nil
}

func eventOf(status lending.ReportStatus) lending.EventType {
	switch status {
	case lending.ReportReady:
		return lending.EventCreditReportReady
	case lending.ReportNoRecord:
		return lending.EventCreditReportNoRecord
	case lending.ReportFailed:
		return lending.EventCreditReportFailed
	}
	return lending.EventUnknown
}

func payloadOf(a answer, report provider.ReportNotice) payload {
	p := payload{Result: wire.Word(a.Result), Code: a.codeText(), SequenceID: report.ExternalID}
	if c := report.Content; c != nil {
		if reportNumberShape.MatchString(c.ReportNumber) {
			p.ReportNumber = c.ReportNumber
		}
		p.Products, p.Institutions = len(c.FacilitiesByProduct), len(c.FacilitiesByInstitution)
		p.Enquiries, p.Warnings = len(c.Enquiries), len(c.Warnings)
	}
	return p
}
