package restclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// ErrFailing says that a host answered a ping with a server's failure.
var ErrFailing = errors.New("the host answers that it fails")

// Ping asks the host of the base URL, without the URL's path, for nothing in particular and as nobody: no
// credentials are sent, nothing is ordered, nothing billed. Any answer below 500 shows that it is there. An
// error is [ErrFailing] or a [*TransportError].
func (c *Client) Ping(ctx context.Context) error {
	host := *c
	host.base = c.origin
	answer, err := host.Do(ctx, Request{Method: http.MethodGet})
	if err != nil {
		return err
	}
	if answer.Status >= http.StatusInternalServerError {
		return fmt.Errorf("%w: HTTP status %s", ErrFailing, http.StatusText(answer.Status))
	}
	return nil
}
