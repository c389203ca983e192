package onepipe

import (
	"cmp"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

// reader puts OnePipe's answers into our words, and tells the log of what it does not know.
type reader struct {
	odd       *wire.Oddities
	clock     func() time.Time
	offerUnit OfferUnit
}

// envelope is what every answer comes in (seed 004, Response). Errors at the top are what known clients
// meet besides those in the data.
type envelope struct {
	Status  wire.Text            `json:"status"`
	Message wire.Text            `json:"message"`
	Data    wire.Object[data]    `json:"data"`
	Errors  wire.List[mistake]   `json:"errors"`
	Error   wire.Object[mistake] `json:"error"`
	Code    wire.Text            `json:"code"`
}

type data struct {
	Code             wire.Text             `json:"provider_response_code"`
	Errors           wire.List[mistake]    `json:"errors"`
	Error            wire.Object[mistake]  `json:"error"`
	ProviderResponse wire.Object[response] `json:"provider_response"`
}

// mistake is an error of OnePipe's. Its message is not read: it may quote the customer.
type mistake struct {
	Code    wire.Text `json:"code"`
	Message wire.Text `json:"message"`
}

// response is the score. meta, which is an object, a list, or one with a name twice, is not read.
type response struct {
	LoansScore  wire.Number `json:"loans_score"`
	ScaleMin    wire.Number `json:"scale_min"`
	ScaleMax    wire.Number `json:"scale_max"`
	OfferAmount wire.Number `json:"offer_amount"`
	Confidence  wire.Text   `json:"confidence"` // per cent
	Reference   wire.Text   `json:"reference"`
}

// open reads an answer. What the known clients see for a refusal is HTTP 400 with an envelope like that
// of a success, so an envelope under a status of that kind is read like one.
func (r *reader) open(class provider.Class, path string, answer *restclient.Response) (provider.ScoreResult, error) {
	success := answer.Status >= 200 && answer.Status <= 299
	var e envelope
	err := wire.Decode(answer.Body, &e)
	switch {
	case path == queryPath && err == nil && e.unknownTransaction():
		return provider.ScoreResult{}, &lending.Error{
			Provider: lending.OnePipe, Kind: lending.KindNotFound, Outcome: lending.NotExecuted,
			ProviderCode: e.code(), Err: errors.New("the transaction is not known"),
		}
	case !success && (!refusal(answer.Status) || err != nil || e.Status == ""):
		failure := r.statusFailure(class, answer)
		failure.ProviderCode = e.code()
		return provider.ScoreResult{}, failure
	case err != nil:
		return provider.ScoreResult{}, provider.Garbled(lending.OnePipe, class, err)
	}
	return r.result(class, e)
}

// refusal reports whether an HTTP status may come with an envelope that tells more than the status.
func refusal(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusPaymentRequired, http.StatusConflict, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// result reads the status of an envelope. A word that nobody knows is no success: the request is taken to
// be under way, and a query tells later.
func (r *reader) result(class provider.Class, e envelope) (provider.ScoreResult, error) {
	result := provider.ScoreResult{ProviderStatus: wire.Short(e.Status)}
	switch wire.Keyword(e.Status) {
	case "successful", "success":
		score, err := r.score(e)
		if err != nil {
			return provider.ScoreResult{}, err
		}
		result.State, result.Score = provider.ScoreCompleted, score
	case "waitingforotp":
		result.State = provider.ScoreOTPRequired
		result.Prompt = prompt(e.Message, "Please enter the code that was sent to the customer.")
	case "pendingvalidation":
		result.State = provider.ScoreInfoRequired
		result.Prompt = prompt(e.Message, "Please enter what the provider asked the customer for.")
	case "processing", "pending":
		result.State = provider.ScorePending
	case "failed":
		return provider.ScoreResult{}, &lending.Error{
			Provider: lending.OnePipe, Kind: lending.KindUpstreamRejected, Outcome: lending.NotExecuted,
			ProviderCode: e.code(), Err: errors.New("the request failed at the provider"),
		}
	case "":
		return provider.ScoreResult{}, provider.Garbled(lending.OnePipe, class, errors.New("an answer without a status"))
	default:
		r.odd.Word("status", result.ProviderStatus)
		result.State = provider.ScorePending
	}
	return result, nil
}

// prompt is what OnePipe asks the customer for, in its own words; fallback stands in for words that are not
// fit to be shown.
func prompt(message wire.Text, fallback string) string { return cmp.Or(wire.Prompt(message), fallback) }

// score reads a score. A success without one was carried out all the same, and billed: asking again would
// not help.
func (r *reader) score(e envelope) (*lending.CreditScore, error) {
	told := e.Data.Or().ProviderResponse.Or()
	value, ok := told.LoansScore.Decimal()
	if !ok {
		return nil, &lending.Error{
			Provider: lending.OnePipe, Kind: lending.KindUpstreamProtocol, Outcome: lending.Executed,
			Err: errors.New("a success without a score"),
		}
	}
	score := &lending.CreditScore{
		Provider: lending.OnePipe, ExternalID: wire.Short(told.Reference), Value: *value,
		Confidence: r.confidence(told.Confidence), RecommendedLimit: r.offer(told.OfferAmount), ScoredAt: r.clock().UTC(),
	}
	low, hasLow := told.ScaleMin.Decimal()
	high, hasHigh := told.ScaleMax.Decimal()
	if hasLow && hasHigh {
		score.Scale = &lending.ScoreScale{Min: *low, Max: *high}
	}
	score.Rate()
	return score, nil
}

// confidence is a percentage as a fraction. Without a sign it is one too: 1 is one per cent.
func (r *reader) confidence(percentage wire.Text) *lending.Decimal {
	number := wire.NumberOf(strings.TrimSuffix(percentage.String(), "%"))
	d, ok := number.Decimal()
	if !ok {
		return nil
	}
	fraction, err := d.Percent()
	if err != nil || fraction.Sign() < 0 || fraction.Cmp(lending.NewDecimal(1, 0)) > 0 {
		r.odd.Value("not a percentage", "confidence")
		return nil
	}
	return &fraction
}

// offer is the most that the provider would lend, in the unit of the settings. One that cannot be held
// exactly is left out: it must not cost the score.
func (r *reader) offer(n wire.Number) *lending.Money {
	read := wire.MinorMoney
	if r.offerUnit == Major {
		read = wire.MajorMoney
	}
	offer, err := read(n, lending.NGN)
	if err != nil || offer != nil && offer.Sign() < 0 {
		r.odd.Value("not an amount", "offer_amount")
		return nil
	}
	return offer
}

// code is the first code that is fit to be shown: of an error, else of the provider's response.
func (e *envelope) code() string {
	d := e.Data.Or()
	candidates := []wire.Text{d.Error.Or().Code, e.Error.Or().Code}
	for _, m := range append(d.Errors.Items, e.Errors.Items...) {
		candidates = append(candidates, m.Code)
	}
	return wire.Code(append(candidates, d.Code, e.Code)...)
}

// unknown is how a sentence says that there is no such transaction. It has to name the transaction: that
// a customer is not found is a refusal, after which nothing may be ordered a second time.
var unknown = regexp.MustCompile(`(?i)transaction|reference|\bref\b`)

// unknownTransaction reports whether a refusal says that there is no such transaction. How OnePipe says it
// is not documented.
func (e *envelope) unknownTransaction() bool {
	if wire.Keyword(e.Status) != "failed" {
		return false
	}
	d := e.Data.Or()
	for _, text := range []wire.Text{e.Message, d.Error.Or().Message, e.Error.Or().Message} {
		lower := strings.ToLower(text.String())
		missing := strings.Contains(lower, "not found") || strings.Contains(lower, "not exist") || strings.Contains(lower, "unknown")
		if missing && unknown.MatchString(lower) && !strings.Contains(lower, "customer") {
			return true
		}
	}
	return false
}
