package resilient

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/bulkhead"
)

// errFull says that too many calls are under way, and that too many wait already or the wait was in vain.
var errFull = errors.New("resilient: the bulkhead is full")

// slots bound how many calls are under way at a time. As many may wait. What runs in the background has a quarter of
// them at most, waiting ones included, so that it starves nobody whom somebody waits for.
type slots struct {
	size    int64
	all     bulkhead.Bulkhead[any]
	quiet   bulkhead.Bulkhead[any] // of those in the background
	waiting atomic.Int64
}

func newSlots(size int) *slots {
	return &slots{size: int64(size), all: bulkhead.New[any](uint(size)), quiet: bulkhead.New[any](uint(max(size/4, 1)))}
}

// enter takes a slot, waiting for one no longer than patience: errFull where there is none, or ctx's error. leave
// gives it back.
func (s *slots) enter(ctx context.Context, background bool, patience time.Duration) (leave func(), err error) {
	if background {
		if err := acquire(ctx, s.quiet, patience); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				s.quiet.ReleasePermit()
			}
		}()
	}
	if !s.all.TryAcquirePermit() {
		if err := s.wait(ctx, patience); err != nil {
			return nil, err
		}
	}
	return func() {
		s.all.ReleasePermit()
		if background {
			s.quiet.ReleasePermit()
		}
	}, nil
}

// wait is for a slot, unless there are as many who wait as there are slots.
func (s *slots) wait(ctx context.Context, patience time.Duration) error {
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > s.size {
		return errFull
	}
	return acquire(ctx, s.all, patience)
}

func acquire(ctx context.Context, from bulkhead.Bulkhead[any], patience time.Duration) error {
	err := from.AcquirePermitWithMaxWait(ctx, max(patience, 0))
	if errors.Is(err, bulkhead.ErrFull) {
		return errFull
	}
	return err
}
