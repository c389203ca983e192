// Package webhook is the door for the providers' news: POST /webhooks/{provider}. It limits, has the
// request verified and stored, and acknowledges; what the news changes is applied behind.
package webhook

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// MaxBody is the largest webhook that is taken, in bytes.
const MaxBody = 2 << 20

// Receiver takes in one webhook; the service does.
type Receiver interface {
	ReceiveWebhook(ctx context.Context, name lending.Provider, request provider.WebhookRequest) (provider.Acknowledgement, error)
}

// Handler serves /webhooks/{provider}. The path's last part has to be the path value "provider".
func Handler(receiver Receiver, clock func() time.Time, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := bySlug(r.PathValue("provider"))
		if name == "" {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "Send a POST.", http.StatusMethodNotAllowed)
			return
		}
		// A parameter that cannot be read must not pass for one that is not there.
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			http.Error(w, "The address's parameters cannot be read.", http.StatusBadRequest)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			http.Error(w, "The body is too large.", http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			http.Error(w, "The body could not be read.", http.StatusBadRequest)
			return
		}
		ack, err := receiver.ReceiveWebhook(r.Context(), name, provider.WebhookRequest{
			Method: r.Method, Header: r.Header, Query: query, Body: body, ReceivedAt: clock(),
		})
		if err != nil {
			refuse(w, r, logger, name, err)
			return
		}
		if ack.ContentType != "" {
			w.Header().Set("Content-Type", ack.ContentType)
		}
		w.WriteHeader(ack.Status)
		_, _ = w.Write(ack.Body) // it is stored: whether the provider reads our answer is its own affair
	})
}

// refuse answers a webhook that is not taken.
func refuse(w http.ResponseWriter, r *http.Request, logger *slog.Logger, name lending.Provider, err error) {
	if unverified, ok := errors.AsType[*provider.UnverifiedError](err); ok {
		http.Error(w, unverified.Reason, unverified.Status)
		return
	}
	switch lending.KindOf(err) {
	case lending.KindNotFound:
		http.NotFound(w, r)
	case lending.KindProviderDisabled:
		http.Error(w, "This provider is not configured here.", http.StatusNotFound)
	default:
		logger.ErrorContext(r.Context(), "a webhook failed", "provider", name, "error", lending.AsError(err).Detail())
		http.Error(w, "Try again later.", http.StatusServiceUnavailable)
	}
}

func bySlug(slug string) lending.Provider {
	for _, p := range lending.Providers() {
		if p.Slug() == slug {
			return p
		}
	}
	return ""
}
