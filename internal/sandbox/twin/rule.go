package twin

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind is a way to misbehave.
type Kind string

// The faults of an answer over HTTP. Those marked * take after_effect: the request is carried out, and only
// the answer is as described.
const (
	Delay           Kind = "delay"             // * the request (or its answer) waits for Rule.Delay
	Hang            Kind = "hang"              // * no answer until the client goes away
	CutBeforeEffect Kind = "cut_before_effect" // the connection is closed, nothing is carried out
	CutAfterEffect  Kind = "cut_after_effect"  // it is carried out, and the connection closed without an answer
	HalfBody        Kind = "half_body"         // it is carried out; the answer breaks off in the middle
	Status          Kind = "status"            // * Rule.Status, with Rule.Body or the provider's error shape
	RateLimited     Kind = "rate_limited"      // 429 with the provider's headers
	HTML            Kind = "html"              // * 502 and a page of HTML
	Garbage         Kind = "garbage"           // * 200 and bytes that are no JSON
)

// The faults of webhooks. Rule.Match.Event chooses among them.
const (
	Duplicate      Kind = "duplicate"       // delivered twice
	Reorder        Kind = "reorder"         // delivered after the next one, or when flushed
	WrongSignature Kind = "wrong_signature" // delivered with a signature that does not fit
	Drop           Kind = "drop"            // never delivered
	Late           Kind = "late"            // delivered after Rule.Delay; the others go before
)

func (k Kind) ofRequest() bool {
	switch k {
	case Delay, Hang, CutBeforeEffect, CutAfterEffect, HalfBody, Status, RateLimited, HTML, Garbage:
		return true
	}
	return false
}

func (k Kind) ofWebhook() bool {
	switch k {
	case Duplicate, Reorder, WrongSignature, Drop, Late:
		return true
	}
	return false
}

// Match says to what a rule applies. An empty field fits everything.
type Match struct {
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`  // beginning of the path
	Event  string `json:"event,omitempty"` // beginning of a webhook's event, for faults of webhooks
}

// Duration is a time span that JSON writes as "250ms".
type Duration time.Duration

// MarshalText writes the form that time.ParseDuration reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText is time.ParseDuration.
func (d *Duration) UnmarshalText(text []byte) error {
	span, err := time.ParseDuration(string(text))
	*d = Duration(span)
	return err
}

// Rule is one misbehaviour. Of several rules that fit, the oldest applies.
type Rule struct {
	ID          int               `json:"id"` // given when it is added
	Match       Match             `json:"match"`
	Kind        Kind              `json:"kind"`
	Skip        int               `json:"skip,omitempty"`  // how many fitting requests to leave alone first
	Times       int               `json:"times,omitempty"` // how often it applies; 0 for until it is cleared
	Delay       Duration          `json:"delay,omitempty"`
	Status      int               `json:"status,omitempty"` // 400 to 599
	Body        string            `json:"body,omitempty"`   // sent as it is
	Header      map[string]string `json:"header,omitempty"` // beside those of the answer
	AfterEffect bool              `json:"after_effect,omitempty"`
}

// ErrRule says that a rule makes no sense; the text around it says why.
var ErrRule = errors.New("no rule")

func (r *Rule) check() error {
	switch {
	case !r.Kind.ofRequest() && !r.Kind.ofWebhook():
		return fmt.Errorf("%w: unknown kind", ErrRule)
	case r.Kind == Status && (r.Status < 400 || r.Status > 599):
		return fmt.Errorf("%w: status is not from 400 to 599", ErrRule)
	case (r.Kind == Delay || r.Kind == Late) && r.Delay <= 0:
		return fmt.Errorf("%w: delay is missing", ErrRule)
	case r.AfterEffect && (r.Kind == CutBeforeEffect || r.Kind == RateLimited || r.Kind.ofWebhook()):
		return fmt.Errorf("%w: after_effect does not go with this kind", ErrRule)
	case r.Times < 0 || r.Skip < 0:
		return fmt.Errorf("%w: times and skip count from 0", ErrRule)
	}
	return nil
}

// Faults are the rules in force.
type Faults struct {
	mu    sync.Mutex
	rules []Rule
	lastI int
}

// Add puts a rule in force and returns it with its id; [ErrRule] for one that makes no sense.
func (f *Faults) Add(r Rule) (Rule, error) {
	if err := r.check(); err != nil {
		return Rule{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lastI++
	r.ID = f.lastI
	f.rules = append(f.rules, r)
	return r, nil
}

// List is the rules in force, oldest first. Times is how often each still applies.
func (f *Faults) List() []Rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Rule{}, f.rules...)
}

// Clear lifts all rules.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = nil
}

func (f *Faults) forRequest(r *http.Request) (Rule, bool) {
	return f.take(func(rule *Rule) bool {
		return rule.Kind.ofRequest() && (rule.Match.Method == "" || rule.Match.Method == r.Method) &&
			strings.HasPrefix(r.URL.Path, rule.Match.Path)
	})
}

func (f *Faults) forWebhook(event string) (Rule, bool) {
	return f.take(func(rule *Rule) bool {
		return rule.Kind.ofWebhook() && strings.HasPrefix(event, rule.Match.Event)
	})
}

// take is the oldest rule that fits, with one of its times used up.
func (f *Faults) take(fits func(*Rule) bool) (Rule, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n := range f.rules {
		rule := &f.rules[n]
		if !fits(rule) {
			continue
		}
		if rule.Skip > 0 {
			rule.Skip--
			continue
		}
		taken := *rule
		if rule.Times--; rule.Times == 0 {
			f.rules = slices.Delete(f.rules, n, n+1)
		} else if rule.Times < 0 {
			rule.Times = 0
		}
		return taken, true
	}
	return Rule{}, false
}
