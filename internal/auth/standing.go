package auth

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/creditgraph/creditgraph/internal/lending"
)

const (
	// standingAge is how old what is known of a client may be, where nothing else is said.
	standingAge = 3 * time.Second
	// standingRetry is how soon a client is looked up again that could not be.
	standingRetry = time.Second
	// standingGrace is how long known clients are served while the database is away.
	standingGrace = 10 * time.Minute
	// standingTimeout bounds one look at the database.
	standingTimeout = time.Second
	// maxStandings bounds how many clients are remembered.
	maxStandings = 4096
)

// standings know whether clients of the built-in endpoint are still welcome: their tokens outlive them.
type standings struct {
	clients ClientFinder
	age     time.Duration // how old what is known may be
	now     func() time.Time
	log     *slog.Logger
	known   *lru.Cache[[sha256.Size]byte, *standing]
}

// standing is what is known of one client.
type standing struct {
	reading sync.Mutex // held by who looks at the database

	mu      sync.Mutex
	welcome bool
	at      time.Time // when that was so; zero before the first look
	again   time.Time // when to look again
}

func newStandings(c GateConfig) *standings {
	s := &standings{clients: c.Clients, age: c.StandingAge, now: c.Clock, log: c.Logger, known: newLRU[*standing](maxStandings)}
	if s.age == 0 {
		s.age = standingAge
	}
	return s
}

// check is nil for a client who is welcome, UNAUTHENTICATED for one who is not, and UNAVAILABLE while that cannot be
// known.
func (s *standings) check(ctx context.Context, id string) error {
	of := s.of(id)
	now := s.now()
	switch {
	case !of.isDue(now):
	case of.counts(now):
		if of.reading.TryLock() { // the others go by what is known
			s.read(ctx, id, of)
			of.reading.Unlock()
		}
	default:
		of.reading.Lock()
		if of.isDue(now) {
			s.read(ctx, id, of)
		}
		of.reading.Unlock()
	}
	switch {
	case !of.counts(now):
		return &lending.Error{
			Kind: lending.KindUnavailable, Outcome: lending.NotExecuted, Retryable: true,
			Message: "Tokens cannot be checked at the moment: the service's own records do not answer. Try again later.",
		}
	case !of.isWelcome():
		return &lending.Error{Kind: lending.KindUnauthenticated, Outcome: lending.NotExecuted, Message: "The client of this token is revoked."}
	}
	return nil
}

// of is what is known of a client.
func (s *standings) of(id string) *standing {
	key := sha256.Sum256([]byte(id))
	if of, known := s.known.Get(key); known {
		return of
	}
	fresh := &standing{}
	if other, met, _ := s.known.PeekOrAdd(key, fresh); met {
		return other
	}
	return fresh
}

// read looks a client up, also for those who come later: the first may hang up.
func (s *standings) read(ctx context.Context, id string, of *standing) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), standingTimeout)
	defer cancel()
	client, err := s.clients.Client(ctx, id)
	now := s.now()
	of.mu.Lock()
	defer of.mu.Unlock()
	if err != nil && !lending.IsNotFound(err) {
		s.log.WarnContext(ctx, "a client cannot be looked up; it is served by what is known of it", "error", lending.AsError(err).Detail())
		of.again = now.Add(standingRetry)
		return
	}
	of.welcome, of.at, of.again = err == nil && !client.Revoked, now, now.Add(s.age)
}

func (s *standing) isWelcome() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.welcome
}

// isDue reports whether it is time to look again.
func (s *standing) isDue(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !now.Before(s.again)
}

// counts reports whether what is known may count. Nobody who was revoked is ever welcome again.
func (s *standing) counts(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.at.IsZero() && (!s.welcome || now.Sub(s.at) <= standingGrace)
}
