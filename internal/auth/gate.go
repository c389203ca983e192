package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// maxWelcomed bounds how many credentials are remembered as good.
const maxWelcomed = 16384

// Verifier checks bearer tokens.
type Verifier interface {
	// Verify is who a token stands for. The error is UNAUTHENTICATED, with a reason for people, when the token
	// is not good, and UNAVAILABLE while that cannot be known.
	Verify(token string) (*Principal, error)
}

// recognizer knows at a glance which tokens it may have issued, for a hundredth of what verifying one takes. What it
// recognizes has to be verified all the same.
type recognizer interface{ Recognizes(token string) bool }

// GateConfig is what a gate is made of.
type GateConfig struct {
	Verifier Verifier
	// Clients are those of the built-in endpoint, who may be revoked; that is not looked at where nil.
	Clients ClientFinder
	// StandingAge is how old what is known of a client may be, 3 seconds where 0. A connection that stays is looked at
	// as often, and so ends within twice of that after its client was revoked.
	StandingAge time.Duration
	Clock       func() time.Time
	Logger      *slog.Logger
}

// Gate lets in who brings a good token. It refuses addresses from which too much came that was not good, before it
// spends anything on what they send; what was good before is verified all the same, since behind one address there
// may be many people.
type Gate struct {
	verifier  Verifier
	standings *standings // nil where nobody can be revoked
	failures  *throttle  // by address
	welcomed  *lru.Cache[[sha256.Size]byte, struct{}]
}

// NewGate makes a gate.
func NewGate(c GateConfig) *Gate {
	g := &Gate{
		verifier: c.Verifier, failures: newThrottle(c.Clock, freeAddressFailures, addressPause, maxAddresses), welcomed: newLRU[struct{}](maxWelcomed),
	}
	if c.Clients != nil {
		g.standings = newStandings(c)
	}
	return g
}

// Admit is who a token stands for. The error is UNAUTHENTICATED where the token is not good, RATE_LIMITED where it was
// not looked at because too many from the same address were not, and UNAVAILABLE while nobody can know.
func (g *Gate) Admit(ctx context.Context, token string) (*Principal, error) {
	if err := g.refusal(ctx, token); err != nil {
		return nil, err
	}
	principal, err := g.verifier.Verify(token)
	if err == nil {
		err = g.Standing(ctx, principal)
	}
	switch {
	case err == nil:
		g.welcome(token)
		return principal, nil
	case lending.KindOf(err) == lending.KindUnauthenticated:
		g.failed(ctx, token)
	}
	return nil, err
}

// failed counts a failure of credentials, which may have been good before.
func (g *Gate) failed(ctx context.Context, credentials string) {
	g.Failed(ctx)
	g.welcomed.Remove(sha256.Sum256([]byte(credentials)))
}

// refusal is why a token is not looked at; nil when it is.
func (g *Gate) refusal(ctx context.Context, token string) error {
	wait := g.wait(ctx)
	if wait == 0 || len(token) <= maxToken && (g.wasWelcome(token) || g.recognizes(token)) {
		return nil
	}
	return tooManyFailures(wait)
}

func (g *Gate) recognizes(token string) bool {
	r, ok := g.verifier.(recognizer)
	return ok && r.Recognizes(token)
}

// tooManyFailures is how an address is refused.
func tooManyFailures(wait time.Duration) error {
	return &lending.Error{
		Kind: lending.KindRateLimited, Outcome: lending.NotExecuted, Retryable: true, RetryAfter: wait,
		Message: "Too many requests without a good token came from this address. Try again later.",
	}
}

// Failed counts a failure to authenticate against the address that ctx comes from.
func (g *Gate) Failed(ctx context.Context) { g.failures.failed(addressOf(ctx)) }

// wait is how long the address that ctx comes from has to wait; 0 when it need not.
func (g *Gate) wait(ctx context.Context) time.Duration { return g.failures.wait(addressOf(ctx)) }

// welcome remembers credentials as good, by their hash.
func (g *Gate) welcome(credentials string) {
	g.welcomed.Add(sha256.Sum256([]byte(credentials)), struct{}{})
}

func (g *Gate) wasWelcome(credentials string) bool {
	_, known := g.welcomed.Get(sha256.Sum256([]byte(credentials)))
	return known
}

// Standing is nil while the client that a token was given to is welcome, which is known for some seconds. The error is
// UNAUTHENTICATED for one that was revoked, and UNAVAILABLE while nobody can know.
func (g *Gate) Standing(ctx context.Context, p *Principal) error {
	if g.standings == nil || !isClientID(p.ClientID) { // not made by `creditgraph client create`
		return nil
	}
	return g.standings.check(ctx, p.ClientID)
}

// Watch looks again and again whether the client of a connection that stays is still welcome, until ctx ends. end is
// called once, when it is not or when that cannot be known for too long.
func (g *Gate) Watch(ctx context.Context, p *Principal, end func(err error)) {
	if g.standings == nil || p == nil || !isClientID(p.ClientID) {
		return
	}
	var look *time.Timer
	look = time.AfterFunc(math.MaxInt64, func() { // no goroutine waits
		if ctx.Err() != nil {
			return
		}
		if err := g.Standing(ctx, p); err != nil {
			end(err)
			return
		}
		look.Reset(g.standings.age)
	})
	look.Reset(g.standings.age)
	context.AfterFunc(ctx, func() { look.Stop() })
}

// Authenticate lets requests through that carry a good bearer token, and answers the others 401, 429 or 503.
func (g *Gate) Authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, err := g.asker(r)
		if err != nil {
			refuse(w, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(With(r.Context(), principal)))
	})
}

// errNoToken is the failure to bring a token.
var errNoToken = errors.New("no token")

// asker is whom a request's header stands for.
func (g *Gate) asker(r *http.Request) (*Principal, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token != "" && strings.EqualFold(scheme, "Bearer") {
		return g.Admit(r.Context(), strings.TrimSpace(token))
	}
	if wait := g.wait(r.Context()); wait > 0 {
		return nil, tooManyFailures(wait)
	}
	g.Failed(r.Context())
	return nil, &lending.Error{
		Kind: lending.KindUnauthenticated, Outcome: lending.NotExecuted, Message: "Send a bearer token in the Authorization header.", Err: errNoToken,
	}
}

// refuse answers a request that was not let in.
func refuse(w http.ResponseWriter, err error) {
	failure := lending.AsError(err)
	status := http.StatusUnauthorized
	switch failure.Kind {
	case lending.KindUnavailable:
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "10")
	case lending.KindRateLimited:
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", seconds(failure.RetryAfter))
	default:
		challenge := `Bearer realm="creditgraph"`
		if !errors.Is(err, errNoToken) {
			challenge += `, error="invalid_token"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	writeFailure(w, status, failure.Kind, failure.Error())
}

// seconds are whole ones, and never too few.
func seconds(wait time.Duration) string { return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))) }
