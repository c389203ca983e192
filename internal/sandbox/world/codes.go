package world

import (
	"fmt"
	"strconv"
	"strings"
)

// The ids of the seeds' own examples. They belong to person 0, so that the examples of the documentation
// work in the sandbox as they stand.
const (
	exampleKredeteID = "cust_2xK9mN3pQ7vR"                    // seed 000, Create Customer
	exampleCarbonID  = "1732ca47-42b2-4990-a65d-c369e934eed3" // seed 003, Body
	exampleBVN       = 370_756_505                            // seed 001, Request Example: 22370756505 without the 22
	exampleMobile    = "9887206895"                           // seed 002, Request Body
	firstCustomerRef = 1001                                   // C-1001
)

// mobilePrefixes begin Nigerian mobile numbers behind +234; seven digits follow. indianPrefixes begin
// Indian ones; eight digits follow. No number of one list can be taken for one of the other.
var (
	nigerianPrefixes = [...]string{
		"803", "806", "703", "706", "813", "816", "810", "814", "903", "906",
		"805", "807", "815", "705", "802", "808", "812", "701", "708", "902",
	}
	indianPrefixes = [...]string{"98", "99", "97", "96", "95", "94", "93", "88", "87", "86", "78", "77"}
)

const (
	ninSpace      = 90_000_000_000 // 11 digits, the first not 0
	bvnSpace      = 1_000_000_000  // 11 digits that begin with 22
	nigerianSpace = uint64(len(nigerianPrefixes)) * 10_000_000
	indianSpace   = uint64(len(indianPrefixes)) * 100_000_000
	uuidSpace     = 1 << 60
	perPerson     = 64 // loans, or payments of a loan, that a number has room for
)

// code is a permutation in which index 0 and the index that would have had the value first have changed
// places.
type code struct {
	permutation
	first uint64
}

func newCode(key, size, first uint64) code { return code{newPermutation(key, size), first} }

func (c *code) at(n uint64) uint64 {
	v := c.permutation.at(n)
	switch {
	case n == 0:
		return c.first
	case v == c.first:
		return c.permutation.at(0)
	}
	return v
}

func (c *code) of(v uint64) uint64 {
	n := c.permutation.of(v)
	switch {
	case v == c.first:
		return 0
	case n == 0:
		return c.permutation.of(c.first)
	}
	return n
}

// codes turn numbers of people, loans and payments into ids and back.
type codes struct {
	kredete, loan, payment, carbon, nin, nigerian permutation
	bvn, indian                                   code
	check                                         uint64 // key of the part of a UUID that carries no number
}

func newCodes(seed uint64) codes {
	d := dice{state: mix(seed + uint64(aspectKeys))}
	first := parseNumber(indianPrefixes[:], exampleMobile, 8)
	return codes{
		kredete:  newPermutation(d.next(), 0),
		loan:     newPermutation(d.next(), 0),
		payment:  newPermutation(d.next(), 0),
		carbon:   newPermutation(d.next(), uuidSpace),
		nin:      newPermutation(d.next(), ninSpace),
		nigerian: newPermutation(d.next(), nigerianSpace),
		bvn:      newCode(d.next(), bvnSpace, exampleBVN),
		indian:   newCode(d.next(), indianSpace, first),
		check:    d.next(),
	}
}

func (c *codes) kredeteID(i int) string {
	if i == 0 {
		return exampleKredeteID
	}
	return "cust_" + Token(c.kredete.at(uint64(i)))
}

func (c *codes) ofKredeteID(id string) (uint64, bool) {
	if id == exampleKredeteID {
		return 0, true
	}
	n, ok := unprefix(&c.kredete, "cust_", id)
	return n, ok && n != 0
}

func (c *codes) carbonID(i int) string {
	if i == 0 {
		return exampleCarbonID
	}
	v := c.carbon.at(uint64(i))
	low := mix(v^c.check)&(1<<62-1) | 1<<63
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", v>>28, v>>12&0xffff, v&0xfff, low>>48, low&(1<<48-1))
}

func (c *codes) ofCarbonID(id string) (uint64, bool) {
	if id == exampleCarbonID {
		return 0, true
	}
	hex := strings.ReplaceAll(id, "-", "")
	if len(id) != 36 || len(hex) != 32 || hex[12] != '4' {
		return 0, false
	}
	v, err := strconv.ParseUint(hex[:12]+hex[13:16], 16, 64)
	if err != nil {
		return 0, false
	}
	return c.carbon.of(v), true
}

func (c *codes) bvnOf(i int) string { return fmt.Sprintf("22%09d", c.bvn.at(uint64(i))) }

func (c *codes) ofBVN(bvn string) (uint64, bool) {
	digits, ok := strings.CutPrefix(bvn, "22")
	if !ok || len(digits) != 9 {
		return 0, false
	}
	v, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0, false
	}
	return c.bvn.of(v), true
}

func (c *codes) ninOf(i int) string {
	return strconv.FormatUint(10_000_000_000+c.nin.at(uint64(i)), 10)
}

func (c *codes) nigerianMobile(i int) string {
	return formatNumber(nigerianPrefixes[:], c.nigerian.at(uint64(i)), 7)
}

func (c *codes) indianMobile(i int) string {
	return formatNumber(indianPrefixes[:], c.indian.at(uint64(i)), 8)
}

// ofMobile takes a national number of ten digits.
func (c *codes) ofMobile(national string) (uint64, bool) {
	if v := parseNumber(nigerianPrefixes[:], national, 7); v < nigerianSpace {
		return c.nigerian.of(v), true
	}
	if v := parseNumber(indianPrefixes[:], national, 8); v < indianSpace {
		return c.indian.of(v), true
	}
	return 0, false
}

// formatNumber writes v as one of the prefixes and a number of digits.
func formatNumber(prefixes []string, v uint64, digits int) string {
	space := pow10(digits)
	return fmt.Sprintf("%s%0*d", prefixes[v/space], digits, v%space)
}

// parseNumber turns formatNumber around; what is no such number gives a value beyond every space.
func parseNumber(prefixes []string, text string, digits int) uint64 {
	for n, prefix := range prefixes {
		rest, ok := strings.CutPrefix(text, prefix)
		if !ok || len(rest) != digits {
			continue
		}
		if v, err := strconv.ParseUint(rest, 10, 64); err == nil {
			return uint64(n)*pow10(digits) + v
		}
	}
	return 1<<64 - 1
}

func pow10(n int) uint64 {
	p := uint64(1)
	for range n {
		p *= 10
	}
	return p
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Token writes a number in the form of the ids of seed 000: twelve letters and digits. Different numbers
// have different tokens.
func Token(n uint64) string {
	var text [12]byte
	text[0] = base62[mix(n)%62] // eleven digits hold all numbers; the first would always be 0
	for k := len(text) - 1; k > 0; k-- {
		text[k] = base62[n%62]
		n /= 62
	}
	return string(text[:])
}

// parseToken turns Token around.
func parseToken(text string) (uint64, bool) {
	if len(text) != 12 {
		return 0, false
	}
	var n uint64
	for k := 1; k < len(text); k++ {
		digit := strings.IndexByte(base62, text[k])
		if digit < 0 {
			return 0, false
		}
		n = n*62 + uint64(digit)
	}
	return n, Token(n) == text
}

func unprefix(p *permutation, prefix, id string) (uint64, bool) {
	token, ok := strings.CutPrefix(id, prefix)
	if !ok {
		return 0, false
	}
	v, ok := parseToken(token)
	return p.of(v), ok
}
