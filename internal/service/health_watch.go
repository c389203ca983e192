package service

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

const (
	watchTick = time.Second
	// watchPace is how often figures that move all the time are told.
	watchPace = 5 * time.Second
	// watchProbeAge is how old the last call may be before a provider that is watched is asked for a sign of life.
	watchProbeAge = 15 * time.Second
)

// healthWatch looks at the providers for all who follow them: once for the process, and not at all while nobody does.
type healthWatch struct {
	mu        sync.Mutex
	followers map[*func()]bool
	end       context.CancelFunc // of the watch under way; nil without one
	latest    []ProviderHealth   // none until the watch has looked
	told      map[lending.Provider]*toldHealth
	version   int64
}

// toldHealth is how a provider was when followers were last told.
type toldHealth struct {
	health  ProviderHealth
	at      time.Time
	version int64
}

// FollowedHealth is the health of some providers, for one who follows it.
type FollowedHealth struct {
	service *Service
	names   []lending.Provider
}

// FollowHealth is the health of providers to follow; of all where none is named. Nothing is watched until it is
// joined.
func (s *Service) FollowHealth(names []lending.Provider) *FollowedHealth {
	return &FollowedHealth{service: s, names: names}
}

func (f *FollowedHealth) has(name lending.Provider) bool {
	return len(f.names) == 0 || slices.Contains(f.names, name)
}

// Join begins to watch, if nobody does yet. notify is called at each change, and must not block. leave is safe to call
// twice.
func (f *FollowedHealth) Join(notify func()) (leave func()) {
	w := &f.service.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	w.followers[&notify] = true
	if w.end == nil {
		f.service.beginWatch()
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.followers, &notify)
		if len(w.followers) == 0 && w.end != nil {
			w.end()
			w.end, w.latest, w.told = nil, nil, nil
		}
	}
}

// Version grows whenever there is something to tell; 0 before anything is known.
func (f *FollowedHealth) Version() (version int64) {
	w := &f.service.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, told := range w.told {
		if f.has(name) {
			version = max(version, told.version)
		}
	}
	return version
}

// Now is how the providers do, as the watch last saw them.
func (f *FollowedHealth) Now(ctx context.Context) []ProviderHealth {
	w := &f.service.watch
	w.mu.Lock()
	all := w.latest
	w.mu.Unlock()
	if all == nil { // nobody watches any more
		all = f.service.judged(ctx, f.service.othersHealth(ctx))
	}
	var list []ProviderHealth
	for _, h := range all {
		if f.has(h.Provider) {
			list = append(list, h)
		}
	}
	return list
}

// beginWatch watches until the last follower leaves or the service stops. The caller holds the lock.
func (s *Service) beginWatch() {
	if s.stopped.Err() != nil {
		return
	}
	ctx, end := context.WithCancel(s.stopped)
	s.watch.end = end
	s.background.Go(func() {
		tick := time.NewTicker(watchTick)
		defer tick.Stop()
		for ctx.Err() == nil {
			s.lookAtHealth(ctx)
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	})
}

// lookAtHealth looks once. It does not wait for probes: what they find is seen in the next look.
func (s *Service) lookAtHealth(ctx context.Context) {
	others := s.othersHealth(ctx)
	s.probeIdle(append(slices.Clone(others), s.measured()), watchProbeAge)
	all := s.judged(ctx, others)
	w := &s.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() != nil {
		return // another watch may have begun
	}
	w.latest = all
	if !w.take(all, s.now()) {
		return
	}
	for notify := range w.followers {
		(*notify)()
	}
}

// take keeps what is worth telling; true where there is anything.
func (w *healthWatch) take(all []ProviderHealth, now time.Time) bool {
	changed := false
	if w.told == nil {
		w.told = map[lending.Provider]*toldHealth{}
	}
	for _, h := range all {
		was := w.told[h.Provider]
		if was != nil && !turned(&was.health, &h) && (now.Sub(was.at) < watchPace || !moved(&was.health, &h)) {
			continue
		}
		if !changed {
			w.version++
			changed = true
		}
		w.told[h.Provider] = &toldHealth{health: h, at: now, version: w.version}
	}
	return changed
}

// turned reports whether something changed that somebody wants to know at once.
func turned(a, b *ProviderHealth) bool {
	return a.Status != b.Status || a.Circuit != b.Circuit || problemOf(a) != problemOf(b) || limitLevel(a.RateLimit) != limitLevel(b.RateLimit)
}

func problemOf(h *ProviderHealth) lending.ErrorKind {
	if h.Problem == nil {
		return ""
	}
	return h.Problem.Kind
}

// limitLevel is how much is left of a limit, as coarsely as it matters: plenty, less than half, a fifth, a
// twentieth, nothing.
func limitLevel(l *RateLimit) int {
	switch {
	case l == nil:
		return -1
	case l.Remaining <= 0:
		return 4
	case l.Remaining*20 <= l.Limit:
		return 3
	case l.Remaining*5 <= l.Limit:
		return 2
	case l.Remaining*2 <= l.Limit:
		return 1
	}
	return 0
}

// moved reports whether figures are visibly others.
func moved(a, b *ProviderHealth) bool {
	return apart(a.P50, b.P50) || apart(a.P99, b.P99) || rateOf(a) != rateOf(b) ||
		(a.LastFailure == nil) != (b.LastFailure == nil) || a.LastFailure != nil && *a.LastFailure != *b.LastFailure ||
		!a.LastWebhookAt.Equal(b.LastWebhookAt) || a.SharedBy != b.SharedBy || a.LastCallAt.IsZero() != b.LastCallAt.IsZero()
}

// apart reports whether latencies are more than a tenth of the longer one apart.
func apart(a, b time.Duration) bool { return 10*(a-b).Abs() > max(a, b) }

// rateOf is the error rate down to hundredths; "" where there is none.
func rateOf(h *ProviderHealth) string {
	if h.ErrorRate == nil {
		return ""
	}
	return h.ErrorRate.String()[:len("0.00")]
}
