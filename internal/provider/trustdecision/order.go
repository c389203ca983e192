package trustdecision

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

const (
	// maxExtension is the most that ext may take, in bytes: "no more than 1KB".
	maxExtension = 1024
	// maxWait bounds what the bureau may ask us to wait.
	maxWait = time.Minute
)

// credentials go into a body where the settings say so; else both are empty, and left out.
type credentials struct {
	PartnerCode string `json:"partner_code,omitempty"`
	PartnerKey  string `json:"partner_key,omitempty"`
}

// orderBody is seed 001, STEP 1, Request Parameter.
type orderBody struct {
	credentials
	IDNumber    string    `json:"id_number"`
	IDType      string    `json:"id_type"`
	Country     string    `json:"country"`
	PhoneNumber string    `json:"phone_number"`
	Name        string    `json:"name"`
	Ext         *orderExt `json:"ext,omitempty"`
}

// orderExt is what comes back with the report.
type orderExt struct {
	Token string `json:"token"`
}

// fetchBody is seed 001, Backup Synchronous Query, Request Parameter.
type fetchBody struct {
	credentials
	SequenceID string `json:"sequence_id"`
}

// OrderReport orders a report. It is billed, and the bureau does not dedupe: whatever leaves open
// whether the order was taken is OUTCOME_UNKNOWN, and the push with the order's token settles it.
func (b *bureau) OrderReport(ctx context.Context, order provider.ReportOrder) (provider.ReportReceipt, error) {
	body, err := b.orderBody(order)
	if err != nil {
		return provider.ReportReceipt{}, err
	}
	a, err := b.ask(ctx, b.queries, ordering, body)
	if err != nil {
		return provider.ReportReceipt{}, err
	}
	sequence := a.sequence()
	if sequence == "" {
		err := errors.New("the order was taken, but its sequence_id cannot be read")
		return provider.ReportReceipt{}, provider.Garbled(lending.TrustDecision, provider.Write, err)
	}
	return provider.ReportReceipt{ExternalID: sequence}, nil
}

// FetchReport asks for an ordered report by its sequence_id, for when the push did not come.
func (b *bureau) FetchReport(ctx context.Context, externalID string) (provider.ReportNotice, error) {
	if wire.ID(wire.Text(externalID), longestSequence) == "" {
		e := lending.NotFound("credit report")
		e.Provider = lending.TrustDecision
		return provider.ReportNotice{}, e
	}
	a, err := b.ask(ctx, b.backup, fetching, fetchBody{credentials: b.bodyCredentials(), SequenceID: externalID})
	if err != nil {
		return provider.ReportNotice{}, err
	}
	if told := string(a.SequenceID); told != "" && told != externalID {
		err := errors.New("the answer is for another sequence_id")
		return provider.ReportNotice{}, provider.Garbled(lending.TrustDecision, provider.Read, err)
	}
	notice, err := b.notice(a)
	if err != nil {
		return provider.ReportNotice{}, err
	}
	if notice.Status == lending.ReportUnknown {
		err := errors.New("the answer's result is not one that the page names")
		return provider.ReportNotice{}, provider.Garbled(lending.TrustDecision, provider.Read, err)
	}
	notice.ExternalID = externalID
	return notice, nil
}

// orderBody checks what cannot possibly work before anything is sent.
func (b *bureau) orderBody(order provider.ReportOrder) (orderBody, error) {
	body := orderBody{
		credentials: b.bodyCredentials(),
		IDNumber:    order.BVN,
		IDType:      "bvn",
		Country:     "NG",
		Name:        strings.TrimSpace(order.Name),
	}
	var problems []lending.Problem
	refuse := func(field, message string) {
		problems = append(problems, lending.Problem{
			Kind: lending.KindValidation, Message: message, Field: []string{"input", field},
		})
	}
	if !isBVN(order.BVN) {
		refuse("bvn", "A bank verification number has 11 digits.")
	}
	if body.Name == "" {
		refuse("name", "TrustDecision needs the name.")
	}
	var ok bool
	if body.PhoneNumber, ok = nationalPhone(order.Phone, b.cfg.PhoneStyle); !ok {
		refuse("phone", "TrustDecision needs a Nigerian phone number (+234…).")
	}
	if len(problems) > 0 {
		e := lending.Invalid(problems...)
		e.Provider = lending.TrustDecision
		return orderBody{}, e
	}
	if order.Token != "" {
		body.Ext = &orderExt{Token: order.Token}
	}
	return body, checkExtension(body.Ext)
}

// checkExtension keeps ext within the bureau's limit. A token over it is a fault of ours, not the user's.
func checkExtension(ext *orderExt) error {
	if ext == nil {
		return nil
	}
	raw, err := encode(ext)
	if err == nil && len(raw) <= maxExtension {
		return nil
	}
	return &lending.Error{
		Kind: lending.KindInternal, Provider: lending.TrustDecision, Outcome: lending.NotExecuted,
		Err: errors.New("the order's token does not fit into ext"),
	}
}

// nationalPhone writes an E.164 number of Nigeria without its country code.
func nationalPhone(e164 string, style PhoneStyle) (string, bool) {
	national, nigerian := strings.CutPrefix(e164, "+234")
	national = strings.TrimPrefix(national, "0") // written by habit, and part of no number
	if !nigerian || len(national) < 7 || len(national) > 10 || !isDigits(national) {
		return "", false
	}
	if style == Trunk0 {
		national = "0" + national
	}
	return national, true
}

func isBVN(text string) bool { return len(text) == 11 && isDigits(text) }

func isDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

func (b *bureau) bodyCredentials() credentials {
	if b.cfg.CredentialsIn != InBody {
		return credentials{}
	}
	return credentials{PartnerCode: b.cfg.PartnerCode, PartnerKey: b.cfg.PartnerKey}
}

// ask posts body with our credentials, and gives the answer where its code is success. A code that the
// page lists decides under any HTTP status; the HTTP status decides where there is no such code.
func (b *bureau) ask(ctx context.Context, client *restclient.Client, c call, body any) (answer, error) {
	request, err := b.request(body)
	if err != nil {
		return answer{}, err
	}
	response, err := client.Do(ctx, request)
	if err != nil {
		return answer{}, provider.TransportFailure(lending.TrustDecision, c.class, err)
	}
	a, unreadable := readAnswer(response.Body)
	if unreadable == nil && a.code() == codeSuccess {
		return a, nil
	}
	if e := c.failure(a); e != nil {
		return answer{}, e
	}
	var e *lending.Error
	switch {
	case response.Status < 200 || response.Status > 299:
		wait := restclient.RetryAfter(response.Header, b.clock(), maxWait)
		e = provider.StatusFailure(lending.TrustDecision, c.class, response.Status, wait)
	case unreadable != nil:
		e = provider.Garbled(lending.TrustDecision, c.class, unreadable)
	default:
		e = provider.Garbled(lending.TrustDecision, c.class, errors.New(c.name+": a code that the page does not list"))
	}
	e.ProviderCode, e.RequestID = a.codeText(), a.sequence()
	return answer{}, e
}

func (b *bureau) request(body any) (restclient.Request, error) {
	raw, err := encode(body)
	if err != nil { // cannot be: the bodies are plain text fields
		return restclient.Request{}, &lending.Error{
			Kind: lending.KindInternal, Provider: lending.TrustDecision, Outcome: lending.NotExecuted, Err: err,
		}
	}
	request := restclient.Request{Method: http.MethodPost, ContentType: "application/json", Body: raw}
	switch b.cfg.CredentialsIn {
	case InQuery:
		request.Query = url.Values{"partner_code": {b.cfg.PartnerCode}, "partner_key": {b.cfg.PartnerKey}}
	case InHeaders:
		request.Header = http.Header{}
		request.Header.Set("partner_code", b.cfg.PartnerCode)
		request.Header.Set("partner_key", b.cfg.PartnerKey)
	}
	return request, nil
}

// Ping asks the backup address's host for anything, without our credentials: nothing is ordered, and
// nothing billed. Any answer but a server's failure counts as alive.
func (b *bureau) Ping(ctx context.Context) error {
	if err := b.backup.Ping(ctx); err != nil {
		return provider.TransportFailure(lending.TrustDecision, provider.Read, err)
	}
	return nil
}
