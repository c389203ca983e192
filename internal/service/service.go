package service

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// Reader answers many keys of one kind of read at a provider, with the age of each answer. The cached
// decorator is one.
type Reader[V any] interface {
	// Read gives one answer for each key, in their order.
	Read(ctx context.Context, keys []string, want lending.Freshness) []lending.Fetched[V]
	// Evict forgets what is kept for the keys, on all replicas.
	Evict(ctx context.Context, keys ...string)
}

// Readers are the reads that go through the cache. One that is nil is not offered by any provider.
type Readers struct {
	Profiles    Reader[lending.Profile]
	CreditLines Reader[lending.CreditLine]
	Suppliers   Reader[[]lending.Supplier]
}

// Publisher is told that the event log has grown, so that readers look at once instead of at their next
// poll. A hint that is lost costs time, never an event.
type Publisher interface {
	Publish()
}

// Settings are the limits of the service. The zero value of each is replaced by its default.
type Settings struct {
	lending.Private
	// ReadDeadline bounds what one request waits for providers' reads.
	ReadDeadline time.Duration
	// WriteDeadline bounds one action at a provider. It starts when the action is written down.
	WriteDeadline time.Duration
	// ReplayWait is how long a repeated key waits for the first one's answer.
	ReplayWait time.Duration
	// ReportPollAfter is when an ordered report whose push did not come is first asked for.
	ReportPollAfter time.Duration
	// ReportMaxAge is when a stored report counts as stale in summaries.
	ReportMaxAge time.Duration
	// EventRetention is how long events are kept for readers that come back.
	EventRetention time.Duration
	// WebhookSecret signs what Kredete sends to the addresses that are registered here.
	WebhookSecret string
	// TokenKey signs the tokens that bind a report to its order.
	TokenKey []byte
	// AllowPrivateWebhooks lets webhooks be registered on private addresses over plain HTTP: for the
	// embedded sandbox alone.
	AllowPrivateWebhooks bool
}

func (s *Settings) setDefaults() {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&s.ReadDeadline, 2 * time.Second},
		{&s.WriteDeadline, 8 * time.Second},
		{&s.ReplayWait, 3 * time.Second},
		{&s.ReportPollAfter, 5 * time.Minute},
		{&s.ReportMaxAge, 90 * 24 * time.Hour},
		{&s.EventRetention, 90 * 24 * time.Hour},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
}

// Links knows who customers are at the providers.
type Links interface {
	Identities(ctx context.Context, customers []lending.CustomerID) (map[lending.CustomerID][]lending.Identity, error)
}

// Config is what the service is made of.
type Config struct {
	Store Store
	// Links are where reads look up who customers are, while the store cannot be reached too; the store itself
	// where nil. Actions always look into the store.
	Links     Links
	Providers []*provider.Provider // the configured ones
	Readers   Readers
	Health    *Health
	Circuits  provider.Circuits // nil where nothing guards the calls of providers
	Board     HealthBoard       // nil where this replica is alone
	// HealthChanged is told of each change of a provider's status as this replica sees it; it must not block. May be nil.
	HealthChanged func(name lending.Provider, from, to HealthStatus)

	Publisher Publisher
	Clock     func() time.Time
	Logger    *slog.Logger
	Settings  Settings
}

// Service holds the use cases.
type Service struct {
	store     Store
	links     Links
	providers map[lending.Provider]*provider.Provider
	readers   Readers
	health    *Health
	publisher Publisher
	now       func() time.Time
	log       *slog.Logger
	settings  Settings
	owner     string // names this process in leases

	circuits      provider.Circuits
	board         HealthBoard
	healthChanged func(name lending.Provider, from, to HealthStatus)
	probes        probes
	watch         healthWatch
	webhooks      newestWebhooks

	wake       chan struct{} // the inbox has something
	background sync.WaitGroup
	stop       context.CancelFunc
	stopped    context.Context
	started    sync.Once
}

// New makes the service. Nothing runs before [Service.Start].
func New(c Config) *Service {
	c.Settings.setDefaults()
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		store: c.Store, providers: map[lending.Provider]*provider.Provider{}, readers: c.Readers,
		health: c.Health, publisher: c.Publisher, log: c.Logger, settings: c.Settings,
		now:   func() time.Time { return c.Clock().UTC().Truncate(time.Microsecond) },
		owner: uuid.NewString(), wake: make(chan struct{}, 1),
		circuits: c.Circuits, board: c.Board, healthChanged: c.HealthChanged,
		probes: probes{last: map[lending.Provider]*probing{}}, watch: healthWatch{followers: map[*func()]bool{}},
	}
	if s.links = c.Links; s.links == nil {
		s.links = c.Store
	}
	s.stopped, s.stop = context.WithCancel(provider.InBackground(context.Background()))
	for _, p := range c.Providers {
		s.providers[p.Name] = p
	}
	return s
}

// Start runs the background parts: the inbox, the completer of operations, the poller of reports, the pruner of
// the event log, the sealer of records and the rounds of the providers' health.
func (s *Service) Start() {
	s.started.Do(func() {
		s.background.Go(s.runInbox)
		s.background.Go(s.runCompleter)
		s.background.Go(s.runReportPoller)
		s.background.Go(s.runEventPruner)
		s.background.Go(s.runSealer)
		s.background.Go(s.runHealth)
	})
}

// Stop ends the background parts and waits for them and for the actions under way, or for ctx.
func (s *Service) Stop(ctx context.Context) error {
	s.stop()
	done := make(chan struct{})
	go func() {
		s.background.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Provider finds a configured provider; PROVIDER_DISABLED when it is not.
func (s *Service) Provider(name lending.Provider) (*provider.Provider, error) {
	if p := s.providers[name]; p != nil {
		return p, nil
	}
	return nil, &lending.Error{
		Kind: lending.KindProviderDisabled, Provider: name, Outcome: lending.NotExecuted,
		Message: name.Title() + " is not configured on this service.",
	}
}

// newID is a fresh id; ids made later sort later.
func newID[T ~string]() T {
	return T(uuid.Must(uuid.NewV7()).String())
}

// sign is a keyed hash of parts, for tokens that come back to us.
func (s *Service) sign(parts ...string) []byte {
	mac := hmac.New(sha256.New, s.settings.TokenKey)
	for _, part := range parts {
		mac.Write([]byte{byte(len(part) >> 8), byte(len(part))})
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)[:16]
}

// published tells the readers of the event log to look.
func (s *Service) published() {
	if s.publisher != nil {
		s.publisher.Publish()
	}
}
