package auth

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestTheAddressOfAClient(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, test := range map[string]struct {
		remote    string
		forwarded []string
		want      string
	}{
		"nobody in between":              {"203.0.113.7:1", nil, "203.0.113.7"},
		"who is no proxy says so":        {"203.0.113.7:1", []string{"198.51.100.1"}, "203.0.113.7"},
		"a proxy":                        {"10.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		"a proxy that says nothing":      {"10.0.0.1:1", nil, "10.0.0.1"},
		"what the client made up":        {"10.0.0.1:1", []string{"192.0.2.9, 198.51.100.1"}, "198.51.100.1"},
		"two proxies":                    {"10.0.0.1:1", []string{"192.0.2.9, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		"headers one after another":      {"10.0.0.1:1", []string{"192.0.2.9", "198.51.100.1", "10.0.0.2"}, "198.51.100.1"},
		"proxies alone":                  {"10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"an address that cannot be read": {"10.0.0.1:1", []string{"198.51.100.1, unknown, 10.0.0.2"}, "10.0.0.2"},
		"a port":                         {"10.0.0.1:1", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		"IPv6":                           {"[fd00::1]:1", []string{"2001:db8:0:1::2"}, "2001:db8:0:1::/64"},
		"IPv6 with a port":               {"[fd00::1]:1", []string{"[2001:db8:0:1::2]:4711"}, "2001:db8:0:1::/64"},
		"IPv6 in brackets":               {"[fd00::1]:1", []string{"[2001:db8:0:1::2]"}, "2001:db8:0:1::/64"},
		"IPv4 within IPv6":               {"[::ffff:10.0.0.1]:1", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		"a zone":                         {"[fe80::1%eth0]:1", nil, "fe80::/64"},
		"no address":                     {"@", []string{"198.51.100.1"}, "invalid IP"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = test.remote
		for _, line := range test.forwarded {
			r.Header.Add("X-Forwarded-For", line)
		}
		if got := network(clientAddress(proxies, r)); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
