package twin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Delivery is one webhook on its way.
type Delivery struct {
	Event string // what rules match: "loan.disbursed"
	Key   string // what it is about, for the log
	URL   string
	Body  []byte // JSON
	// After holds the delivery back for so long; others go before it.
	After time.Duration
	// Sign makes the request a genuine one just before each try: headers, or a query of URL. Where valid is
	// false it has to be one that a receiver must refuse.
	Sign func(r *http.Request, body []byte, valid bool)
	// Accepted reports whether the receiver took it; any 2xx where nil.
	Accepted func(status int, body []byte) bool

	decided bool // a rule was looked for already
	forged  bool
	again   bool // a duplicate is due
}

// SenderOptions say how webhooks are delivered. Each may be left out.
type SenderOptions struct {
	// Attempts is how often a webhook is tried; 4 where 0.
	Attempts int
	// Backoff is how long to wait before a retry, 1 being the first; from 200 ms, doubling, where nil.
	Backoff func(retry int) time.Duration
	// Wait lets time pass until the context ends; with a real timer where nil.
	Wait func(context.Context, time.Duration) error
	// Allow reports whether webhooks may go to an address. Where nil only this machine is allowed, so that
	// made-up events never reach a stranger's server.
	Allow func(*url.URL) bool
	// Timeout limits each try; 10 s where 0.
	Timeout time.Duration
}

// Stats counts what became of the webhooks.
type Stats struct {
	Delivered int `json:"delivered"` // accepted by the receiver, duplicates counted
	Failed    int `json:"failed"`    // given up after all tries
	Retried   int `json:"retried"`   // tries after the first
	Dropped   int `json:"dropped"`   // by a rule, or for their address
}

// Sender delivers webhooks one after the other, in the order in which they were given. Its goroutine lives
// only while there is something to deliver.
type Sender struct {
	options SenderOptions
	faults  *Faults
	logger  *slog.Logger
	client  *http.Client
	ctx     context.Context
	cancel  context.CancelFunc
	work    sync.WaitGroup

	mu      sync.Mutex
	queue   []func() (Delivery, bool)
	front   []Delivery // go before the queue
	held    []Delivery // out of order by a rule, until another one is delivered
	later   int        // deliveries whose time has not come
	running bool
	flushes []chan struct{}
	stats   Stats
}

// ErrStopped says that the twin was stopped.
var ErrStopped = errors.New("the twin is stopped")

func newSender(o SenderOptions, faults *Faults, logger *slog.Logger) *Sender {
	if o.Attempts == 0 {
		o.Attempts = 4
	}
	if o.Backoff == nil {
		o.Backoff = func(retry int) time.Duration { return 200 * time.Millisecond << min(retry-1, 5) }
	}
	if o.Wait == nil {
		o.Wait = waitReal
	}
	if o.Allow == nil {
		o.Allow = onThisMachine
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Sender{options: o, faults: faults, logger: logger, ctx: ctx, cancel: cancel, client: &http.Client{
		Timeout:       o.Timeout,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func waitReal(ctx context.Context, span time.Duration) error {
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func onThisMachine(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// Send delivers a webhook after those that are waiting. After Stop it does nothing.
func (s *Sender) Send(d Delivery) {
	given := false
	s.SendEach(func() (Delivery, bool) {
		if given {
			return Delivery{}, false
		}
		given = true
		return d, true
	})
}

// SendEach delivers what next gives, one after the other, until next reports false: for series too long to
// be held. next is called from the sender's goroutine.
func (s *Sender) SendEach(next func() (Delivery, bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	s.queue = append(s.queue, next)
	s.wake()
}

// wake starts the goroutine unless it runs or the sender is stopped. The lock is held.
func (s *Sender) wake() {
	if !s.running && s.ctx.Err() == nil {
		s.running = true
		s.work.Go(s.run)
	}
}

// Flush waits until every webhook is delivered or given up. What a rule held back goes out at once; what has
// its time goes out at that time. It fails when ctx or the sender ends.
func (s *Sender) Flush(ctx context.Context) error {
	s.mu.Lock()
	if s.ctx.Err() != nil {
		s.mu.Unlock()
		return ErrStopped
	}
	if s.idle() && len(s.held) == 0 {
		s.mu.Unlock()
		return nil
	}
	done := make(chan struct{})
	s.flushes = append(s.flushes, done)
	s.wake()
	s.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ctx.Done():
		return ErrStopped
	}
}

// Stats is what became of the webhooks so far.
func (s *Sender) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Stop ends all deliveries and waits for the one at hand. What was not delivered is lost. It is safe to call
// twice.
func (s *Sender) Stop() {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.work.Wait()
	s.client.CloseIdleConnections()
}

func (s *Sender) idle() bool {
	return !s.running && len(s.queue) == 0 && len(s.front) == 0 && s.later == 0
}

func (s *Sender) run() {
	for s.ctx.Err() == nil {
		d, found := s.pop()
		if !found {
			return
		}
		s.handle(d)
	}
}

// pop is the next delivery; without one the goroutine ends.
func (s *Sender) pop() (Delivery, bool) {
	for {
		s.mu.Lock()
		if len(s.front) == 0 && len(s.queue) == 0 && len(s.flushes) > 0 {
			s.front, s.held = s.held, nil
		}
		if len(s.front) > 0 {
			d := s.front[0]
			s.front = s.front[1:]
			s.mu.Unlock()
			return d, true
		}
		if len(s.queue) == 0 {
			s.running = false
			s.settle()
			s.mu.Unlock()
			return Delivery{}, false
		}
		next := s.queue[0]
		s.mu.Unlock()
		if d, ok := next(); ok {
			return d, true
		}
		s.mu.Lock()
		s.queue = s.queue[1:]
		s.mu.Unlock()
	}
}

// settle tells those who wait for a flush that it is done, where it is. The lock is held.
func (s *Sender) settle() {
	if !s.idle() {
		return
	}
	for _, done := range s.flushes {
		close(done)
	}
	s.flushes = nil
}

// handle delivers d, or does with it what a rule wants.
func (s *Sender) handle(d Delivery) {
	if d.After > 0 {
		s.postpone(d, d.After)
		return
	}
	if !d.decided {
		d.decided = true
		if rule, found := s.faults.forWebhook(d.Event); found && !s.distort(&d, rule) {
			return
		}
	}
	s.deliver(d)
	if d.again {
		s.deliver(d)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.front, s.held = append(s.held, s.front...), nil
}

// distort applies a rule to d; false where d is not to be delivered now.
func (s *Sender) distort(d *Delivery, rule Rule) bool {
	switch rule.Kind {
	case Duplicate:
		d.again = true
	case WrongSignature:
		d.forged = true
	case Drop:
		s.count(func(stats *Stats) { stats.Dropped++ })
		return false
	case Late:
		s.postpone(*d, time.Duration(rule.Delay))
		return false
	case Reorder:
		s.mu.Lock()
		s.held = append(s.held, *d)
		s.mu.Unlock()
		return false
	}
	return true
}

// postpone brings d back after a while, before all that waits then.
func (s *Sender) postpone(d Delivery, span time.Duration) {
	d.After = 0
	s.mu.Lock()
	defer s.mu.Unlock()
	s.later++
	s.work.Go(func() {
		if s.options.Wait(s.ctx, span) != nil {
			return // stopped
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.later--
		s.front = append(s.front, d)
		s.wake()
	})
}

func (s *Sender) deliver(d Delivery) {
	target, err := url.Parse(d.URL)
	if err != nil || !s.options.Allow(target) {
		s.logger.Warn("webhook not delivered: its address is not allowed", "event", d.Event, "about", d.Key)
		s.count(func(stats *Stats) { stats.Dropped++ })
		return
	}
	for attempt := range s.options.Attempts {
		if attempt > 0 {
			if s.options.Wait(s.ctx, s.options.Backoff(attempt)) != nil {
				return
			}
			s.count(func(stats *Stats) { stats.Retried++ })
		}
		if s.try(d) {
			s.count(func(stats *Stats) { stats.Delivered++ })
			return
		}
	}
	s.logger.Warn("webhook given up", "event", d.Event, "about", d.Key, "attempts", s.options.Attempts)
	s.count(func(stats *Stats) { stats.Failed++ })
}

func (s *Sender) try(d Delivery) bool {
	request, err := http.NewRequestWithContext(s.ctx, http.MethodPost, d.URL, bytes.NewReader(d.Body))
	if err != nil {
		return false
	}
	request.Header.Set("Content-Type", "application/json")
	if d.Sign != nil {
		d.Sign(request, d.Body, !d.forged)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return false
	}
	if d.Accepted != nil {
		return d.Accepted(response.StatusCode, body)
	}
	return response.StatusCode/100 == 2
}

func (s *Sender) count(change func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.stats)
}
