package onepipe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

const (
	transactPath = "/transact"
	validatePath = "/transact/validate"
	queryPath    = "/transact/query"
)

// maxRetryAfter is the longest that OnePipe may ask us to wait.
const maxRetryAfter = time.Minute

// RequestScore orders a score, which is billed and may text the customer. After a lost answer
// [client.QueryScore] tells what became of it; it is never sent again under another reference.
func (c *client) RequestScore(ctx context.Context, request provider.ScoreRequest) (provider.ScoreResult, error) {
	if request.Reference == "" {
		return provider.ScoreResult{}, internal(errors.New("a score request without a reference"))
	}
	if request.CustomerExternalID == "" {
		return provider.ScoreResult{}, invalid(mend("OnePipe knows no such customer yet. Link the customer first.", "customerId"))
	}
	auth, err := c.authorize(request.Account)
	if err != nil {
		return provider.ScoreResult{}, err
	}
	return c.call(ctx, provider.Write, transactPath, body{
		RequestType: scoreType, Auth: auth, Transaction: c.scoreTransaction(request),
	})
}

// ConfirmScore sends what the customer answered to a prompt. It is sent once: whether a wrong OTP may be
// tried again is for the caller to decide.
func (c *client) ConfirmScore(ctx context.Context, confirmation provider.ScoreConfirmation) (provider.ScoreResult, error) {
	if confirmation.Reference == "" {
		return provider.ScoreResult{}, internal(errors.New("a confirmation without a reference"))
	}
	if confirmation.Secret == "" {
		return provider.ScoreResult{}, invalid(mend("Give the code that the customer received.", "otp"))
	}
	auth, key := c.answer(confirmation)
	return c.call(ctx, provider.Write, validatePath, body{
		RequestType: c.ValidateRequestType, Auth: auth, Transaction: key,
	})
}

// QueryScore asks how a request stands. NOT_FOUND means that OnePipe never got it.
func (c *client) QueryScore(ctx context.Context, reference string) (provider.ScoreResult, error) {
	if reference == "" {
		return provider.ScoreResult{}, internal(errors.New("a query without a reference"))
	}
	return c.call(ctx, provider.Read, queryPath, body{RequestType: scoreType, Transaction: transactionKey{Ref: reference}})
}

// call sends one request under a new request_ref and reads its answer.
func (c *client) call(ctx context.Context, class provider.Class, path string, request body) (provider.ScoreResult, error) {
	ref, err := c.newRef()
	if err != nil {
		return provider.ScoreResult{}, err
	}
	request.RequestRef = ref
	encoded, err := json.Marshal(request)
	if err != nil {
		return provider.ScoreResult{}, internal(fmt.Errorf("encode a request: %w", err))
	}
	answer, err := c.http.Do(ctx, restclient.Request{
		Method: http.MethodPost, Path: path, ContentType: "application/json", Body: encoded,
		Header: http.Header{
			"Authorization": {"Bearer " + c.APIKey},
			"Signature":     {sign(ref, c.ClientSecret)},
		},
	})
	if err != nil {
		return provider.ScoreResult{}, provider.TransportFailure(lending.OnePipe, class, err)
	}
	return c.open(class, path, answer)
}

// statusFailure is the error for an HTTP status that is no answer to the question.
func (r *reader) statusFailure(class provider.Class, answer *restclient.Response) *lending.Error {
	wait := restclient.RetryAfter(answer.Header, r.clock(), maxRetryAfter)
	return provider.StatusFailure(lending.OnePipe, class, answer.Status, wait)
}
