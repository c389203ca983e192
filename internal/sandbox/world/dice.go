package world

// aspect names one property of a person, so that drawing more for one leaves the others as they were.
type aspect uint64

const (
	aspectLinks aspect = iota + 1
	aspectStanding
	aspectNation
	aspectName
	aspectContact
	aspectBirth
	aspectAddress
	aspectEmployment
	aspectJoined
	aspectBureau
	aspectScore
	aspectLine
	aspectLoans
	aspectKeys
)

// dice is a stream of numbers that depends on its start alone (splitmix64, which needs no memory).
type dice struct{ state uint64 }

func (w *World) roll(i int, what aspect) dice {
	return dice{state: mix(mix(w.seed+uint64(what)) + uint64(i))}
}

func (d *dice) next() uint64 {
	d.state += golden
	return mix(d.state)
}

// below is a number from 0 to n-1.
func (d *dice) below(n int) int { return int(d.next() % uint64(n)) }

// between is a number from low to high, both possible.
func (d *dice) between(low, high int) int { return low + d.below(high-low+1) }

func (d *dice) chance(percent int) bool { return d.below(100) < percent }

// pick is one of a list.
func pick[T any](d *dice, from []T) T { return from[d.below(len(from))] }

const golden = 0x9e3779b97f4a7c15

// mix is the finalizer of splitmix64: a bijection of the 64-bit numbers whose every bit depends on all.
func mix(z uint64) uint64 {
	z += golden
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
