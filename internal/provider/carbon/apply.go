package carbon

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

// Apply applies for a loan. Repeating it with the same reference and terms is safe. An application that
// Check refuses is not sent.
func (l *lender) Apply(ctx context.Context, application provider.LoanApplication) (provider.LoanResult, error) {
	if problems := l.Check(application); len(problems) > 0 {
		e := lending.Invalid(problems...)
		e.Provider = lending.Carbon
		return provider.LoanResult{}, e
	}
	raw, err := json.Marshal(bodyOf(application))
	if err != nil { // cannot be: text and integers
		return provider.LoanResult{}, &lending.Error{
			Kind: lending.KindInternal, Provider: lending.Carbon, Outcome: lending.NotExecuted, Err: err,
		}
	}
	response, err := l.client.Do(ctx, restclient.Request{
		Method: http.MethodPost, Path: "/v1/loans/apply",
		Header: l.header, ContentType: "application/json", Body: raw,
	})
	if err != nil {
		return provider.LoanResult{}, provider.TransportFailure(lending.Carbon, provider.DedupedWrite, err)
	}
	if response.Status < 200 || response.Status > 299 {
		return provider.LoanResult{}, refusal(response, l.clock())
	}
	result, err := l.result(response, application.Reference)
	if err != nil {
		return provider.LoanResult{}, provider.Garbled(lending.Carbon, provider.DedupedWrite, err)
	}
	return result, nil
}

// answer is what Carbon answers an application with. The seed says no more than "object"; the public page
// has {"status":"success","data":{"application_id":…,"status":"PENDING"}}. The application is read where
// it is found: in data, or beside it.
type answer struct {
	Data wire.Object[wireApplication] `json:"data"`
	wireApplication
}

type wireApplication struct {
	ApplicationID wire.Text   `json:"application_id"`
	ID            wire.Text   `json:"id"`
	LoanID        wire.Text   `json:"loan_id"`
	Status        wire.Text   `json:"status"`
	CustomerID    wire.Text   `json:"customer_id"`
	Amount        wire.Number `json:"amount"` // kobo
	Currency      wire.Text   `json:"currency"`
	Months        wire.Count  `json:"repayment_period"`
	Purpose       wire.Text   `json:"loan_purpose"`
	Reference     wire.Text   `json:"reference"`
	CreatedAt     wire.Text   `json:"created_at"`
	UpdatedAt     wire.Text   `json:"updated_at"`
}

// The reasons for which an answer is not understood.
var (
	errNoID           = errors.New("the answer holds no id of the application")
	errFailedSuccess  = errors.New("a success that calls itself a failure")
	errOtherReference = errors.New("the answer is for another reference")
	errAmount         = errors.New("the answer's amount is not one in whole kobo of NGN")
)

// envelopeWords are what stands in the status beside data: of the call, not of the application.
var envelopeWords = map[string]bool{"success": true, "ok": true, "true": true, "200": true, "201": true}

// application is the part of the answer that tells of the application.
func (a answer) application() (wireApplication, error) {
	switch wire.Keyword(a.Status) {
	case "error", "fail", "failed", "failure", "false":
		return wireApplication{}, errFailedSuccess
	}
	if data := a.Data.Value; data != nil && data.id() != "" {
		return *data, nil
	}
	if envelopeWords[wire.Keyword(a.Status)] {
		a.Status = ""
	}
	if a.id() == "" {
		return wireApplication{}, errNoID
	}
	return a.wireApplication, nil
}

// id is the application's id, where it has the shape of one.
func (w wireApplication) id() string {
	for _, text := range []wire.Text{w.ApplicationID, w.ID, w.LoanID} {
		if id := string(text); id != "" {
			if len(id) > 128 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
				return ""
			}
			return id
		}
	}
	return ""
}

// result is the application as Carbon told it. Answer 200 is for a reference that it knew.
func (l *lender) result(response *restclient.Response, reference string) (provider.LoanResult, error) {
	var a answer
	if err := wire.Decode(response.Body, &a); err != nil {
		return provider.LoanResult{}, err
	}
	w, err := a.application()
	if err != nil {
		return provider.LoanResult{}, err
	}
	if w.Reference != "" && string(w.Reference) != reference {
		return provider.LoanResult{}, errOtherReference
	}
	result := provider.LoanResult{
		Loan: lending.Loan{
			Provider: lending.Carbon, ExternalID: w.id(), Reference: reference,
			Status: l.status(w.Status), ProviderStatus: string(w.Status),
			CreatedAt: timeOf(w.CreatedAt), UpdatedAt: timeOf(w.UpdatedAt),
		},
		Existing: response.Status == http.StatusOK,
	}
	return result, l.tell(&result, w)
}

// tell fills in the terms that the answer named, and lists them.
func (l *lender) tell(result *provider.LoanResult, w wireApplication) error {
	loan := &result.Loan
	if w.Amount.IsSet() || w.Amount.Malformed() {
		principal, err := wire.MinorMoney(w.Amount, lending.NGN)
		if err != nil || principal.Sign() <= 0 || w.Currency != "" && wire.Keyword(w.Currency) != "ngn" {
			return errAmount
		}
		loan.Principal = *principal
		result.Told = append(result.Told, "principal")
	}
	if months := w.Months.Int(); months != nil && *months > 0 {
		loan.Tenure = lending.Tenure{Value: *months, Unit: lending.Months}
		result.Told = append(result.Told, "tenure")
	}
	if w.Purpose != "" {
		loan.Purpose, loan.ProviderPurpose = l.purpose(w.Purpose), string(w.Purpose)
		result.Told = append(result.Told, "purpose")
	}
	if w.CustomerID != "" {
		result.CustomerExternalID = string(w.CustomerID)
		result.Told = append(result.Told, "customer")
	}
	return nil
}

// statuses are PENDING, which the apply page's example has, and the words of Carbon's other pages.
var statuses = map[string]lending.LoanStatus{
	"pending":               lending.LoanPendingReview,
	"kyc_processing":        lending.LoanKYCPending,
	"has_offer":             lending.LoanOffered,
	"offer_accepted":        lending.LoanOfferAccepted,
	"offer_declined":        lending.LoanCancelled,
	"offer_expired":         lending.LoanExpired,
	"declined":              lending.LoanRejected,
	"disbursement_approved": lending.LoanDisbursing,
	"disbursed":             lending.LoanDisbursed,
}

// status is the application's. Without a word of Carbon's it is under review: Carbon has it.
func (l *lender) status(word wire.Text) lending.LoanStatus {
	key := wire.Keyword(word)
	if key == "" {
		return lending.LoanPendingReview
	}
	if status, ok := statuses[key]; ok {
		return status
	}
	l.odd.Word("status", string(word))
	return lending.LoanUnknown
}

func (l *lender) purpose(word wire.Text) lending.LoanPurpose {
	if purpose := lending.LoanPurpose(strings.ToUpper(string(word))); purpose.Valid() {
		return purpose
	}
	l.odd.Word("loan_purpose", string(word))
	return lending.PurposeUnknown
}

// timeOf reads a time as Carbon writes it elsewhere, "2026-01-19T10:30:45.048+0000", or by RFC 3339.
func timeOf(text wire.Text) time.Time {
	if at, err := time.Parse("2006-01-02T15:04:05-0700", string(text)); err == nil {
		return at.UTC()
	}
	return wire.Timestamp(text)
}
