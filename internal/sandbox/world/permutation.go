package world

// permutation is a keyed bijection of the numbers below size, both ways in constant time: a Feistel network
// over the next power of four, walked again while the result is not below size.
type permutation struct {
	size uint64 // 0 stands for 2^64
	half uint   // bits in each half of the network
	keys [4]uint64
}

func newPermutation(key, size uint64) permutation {
	p := permutation{size: size, half: 32}
	if size != 0 {
		for p.half = 1; uint64(1)<<(2*p.half) < size && p.half < 32; {
			p.half++
		}
	}
	for n := range p.keys {
		p.keys[n] = mix(key + uint64(n))
	}
	return p
}

// at is where the permutation puts n, which has to be below size.
func (p *permutation) at(n uint64) uint64 {
	for n = p.forth(n); !p.inside(n); {
		n = p.forth(n)
	}
	return n
}

// of turns at around.
func (p *permutation) of(v uint64) uint64 {
	for v = p.back(v); !p.inside(v); {
		v = p.back(v)
	}
	return v
}

func (p *permutation) inside(n uint64) bool { return p.size == 0 || n < p.size }

func (p *permutation) forth(n uint64) uint64 {
	left, right := p.split(n)
	for _, key := range p.keys {
		left, right = right, left^p.round(right, key)
	}
	return left<<p.half | right
}

func (p *permutation) back(n uint64) uint64 {
	left, right := p.split(n)
	for k := len(p.keys) - 1; k >= 0; k-- {
		left, right = right^p.round(left, p.keys[k]), left
	}
	return left<<p.half | right
}

func (p *permutation) split(n uint64) (left, right uint64) { return n >> p.half, n & p.mask() }

func (p *permutation) round(n, key uint64) uint64 { return mix(n^key) & p.mask() }

func (p *permutation) mask() uint64 { return 1<<p.half - 1 }
