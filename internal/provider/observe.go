package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// Observation is one finished call of a provider.
type Observation struct {
	Provider  lending.Provider
	Operation string // the call's name: "Profile", "Disburse"
	Class     Class
	Began     time.Time
	Took      time.Duration
	Err       *lending.Error // nil for a success
}

// Observer is told of every finished call. It must not block.
type Observer interface {
	Observe(o Observation)
}

// Limits are how long calls may take.
type Limits struct {
	Read  time.Duration // profiles, credit lines, lists, queries
	Write time.Duration // whatever may change something; also score and report orders
}

// Observe wraps every capability of p: each call has a deadline, is reported to the observer, and fails
// with a *lending.Error of a closed kind whatever the driver does, panics included.
func Observe(p *Provider, limits Limits, observer Observer) *Provider {
	return Intercept(p, func(ctx context.Context, call Call, next func(ctx context.Context) error) error {
		return observed(ctx, call, limits, observer, next)
	})
}

// observed makes one call under its deadline and reports it.
func observed(ctx context.Context, call Call, limits Limits, observer Observer, next func(ctx context.Context) error) (err error) {
	limit := limits.Write
	if call.Class == Read {
		limit = limits.Read
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic in the driver: %v", cause)
		}
		failed := failure(call, err)
		if failed != nil {
			err = failed
		}
		observer.Observe(Observation{
			Provider: call.Provider, Operation: call.Operation, Class: call.Class, Began: began, Took: time.Since(began), Err: failed,
		})
	}()
	return next(ctx)
}

// failure is err as an error of a closed kind that names the provider; nil for nil.
func failure(call Call, err error) *lending.Error {
	e := lending.AsError(err)
	if e == nil {
		return nil
	}
	if e.Provider == "" {
		named := *e
		named.Provider = call.Provider
		e = &named
	}
	if e.Kind == lending.KindInternal && call.Class != Read {
		return lost(e, call.Class, true)
	}
	return e
}
