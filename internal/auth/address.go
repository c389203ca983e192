package auth

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

type addressKey struct{}

// Addressed tells what follows from which address a request came. What proxies say in X-Forwarded-For counts as far
// as they are trusted: anybody may send that header.
func Addressed(trusted []netip.Prefix, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := network(clientAddress(trusted, r))
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), addressKey{}, from)))
	})
}

// addressOf is the network that a request came from; "" where nobody knows.
func addressOf(ctx context.Context) string {
	from, _ := ctx.Value(addressKey{}).(string)
	return from
}

// clientAddress is the last address on the way here that is no trusted proxy's. What stands before an address that
// cannot be read may be anybody's.
func clientAddress(trusted []netip.Prefix, r *http.Request) netip.Addr {
	at, ok := readAddress(r.RemoteAddr)
	if !ok {
		return netip.Addr{}
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !isWithin(trusted, at) {
			return at
		}
		before, ok := readAddress(strings.TrimSpace(hop))
		if !ok {
			return at
		}
		at = before
	}
	return at
}

func isWithin(networks []netip.Prefix, address netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(address) })
}

// readAddress reads an address that may have a port.
func readAddress(text string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		address = withPort.Addr()
	}
	return address.Unmap().WithZone(""), true
}

// network is what one client has of addresses: one of IPv4, and 2^64 of IPv6.
func network(address netip.Addr) string {
	if !address.Is6() {
		return address.String()
	}
	prefix, err := address.Prefix(64)
	if err != nil {
		return address.String()
	}
	return prefix.String()
}
