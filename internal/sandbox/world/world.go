// Package world is the made-up population of the sandbox: the people whom the provider twins know.
//
// Nobody is kept. A person is computed from the world's seed and the person's number alone, whenever
// somebody asks, so a world of 100,000 people costs as little memory as one of twenty. The ids by which
// providers know a person are the number itself behind a keyed permutation; a look-up turns the permutation
// around and needs no index.
//
// Everybody is a customer of Kredete, whose list of customers is where an import begins. The other links
// are as [World.Linked] tells. The first people are a fixed cast, see [World.Person].
package world

import (
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// The number of people in a world: what New makes of a size that is not over zero, and the most it makes.
const (
	DefaultSize = 200
	MaxSize     = 100_000
)

// DefaultEpoch is the present of a world that was given no other: the date of the examples in seed 000.
var DefaultEpoch = time.Date(2026, time.April, 16, 10, 30, 0, 0, time.UTC)

// World is a population. It never changes and may be used from many goroutines at once.
type World struct {
	seed  uint64
	size  int
	epoch time.Time
	codes codes
}

// New is the world of a seed with size people, at [DefaultEpoch]. A size of zero or less is [DefaultSize],
// one over [MaxSize] is MaxSize.
func New(seed int64, size int) *World { return NewAt(seed, size, DefaultEpoch) }

// NewAt is New with another present: what happened to people happened in the two years before epoch, and
// who owes something owes it then. Only epoch's whole seconds count.
func NewAt(seed int64, size int, epoch time.Time) *World {
	if size <= 0 {
		size = DefaultSize
	}
	w := &World{seed: uint64(seed), size: min(size, MaxSize), epoch: epoch.UTC().Truncate(time.Second)}
	w.codes = newCodes(w.seed)
	return w
}

// Size is how many people there are; they are numbered from 0.
func (w *World) Size() int { return w.size }

// Epoch is the world's present.
func (w *World) Epoch() time.Time { return w.epoch }

// links is a set of providers, as bits in the order of lending.Providers.
type links uint8

const everyProvider links = 1<<5 - 1

func linkTo(p lending.Provider) links {
	switch p {
	case lending.Kredete:
		return 1
	case lending.TrustDecision:
		return 2
	case lending.Kredmint:
		return 4
	case lending.Carbon:
		return 8
	case lending.OnePipe:
		return 16
	}
	return 0
}

// Linked reports whether the provider knows person i: all know about 15 % of the people, Kredete knows
// everybody, and about a tenth are known to Kredete alone.
func (w *World) Linked(i int, p lending.Provider) bool {
	return w.has(i) && w.links(i)&linkTo(p) != 0
}

func (w *World) has(i int) bool { return i >= 0 && i < w.size }

func (w *World) links(i int) links {
	if role, ok := castRole(i); ok {
		return role.links
	}
	d := w.roll(i, aspectLinks)
	only := linkTo(lending.Kredete)
	switch kind := d.below(100); {
	case kind < 15:
		return everyProvider
	case kind < 25:
		return only
	}
	if w.nationality(i) == indian {
		if d.chance(80) {
			return only | linkTo(lending.Kredmint)
		}
		return only
	}
	set := only
	for _, p := range []lending.Provider{lending.TrustDecision, lending.Carbon, lending.OnePipe} {
		if d.chance(55) {
			set |= linkTo(p)
		}
	}
	return set
}

// Standing is how Kredete sees person i; it costs less than the whole [Person].
func (w *World) Standing(i int) (lending.CustomerStatus, lending.KYCStatus) {
	if role, ok := castRole(i); ok {
		return role.status, role.kyc
	}
	d := w.roll(i, aspectStanding)
	switch kind := d.below(100); {
	case kind < 80:
		return lending.CustomerActive, lending.KYCVerified
	case kind < 86:
		return lending.CustomerPendingKYC, lending.KYCNotStarted
	case kind < 90:
		return lending.CustomerPendingKYC, lending.KYCInProgress
	case kind < 92:
		return lending.CustomerPendingKYC, lending.KYCFailed
	case kind < 97:
		return lending.CustomerSuspended, lending.KYCVerified
	}
	return lending.CustomerBlocked, lending.KYCVerified
}

type nationality uint8

const (
	nigerian nationality = iota
	indian
)

func (w *World) nationality(i int) nationality {
	if role, ok := castRole(i); ok {
		return role.nation
	}
	d := w.roll(i, aspectNation)
	if d.chance(25) {
		return indian
	}
	return nigerian
}
