package service

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// checks collects what is wrong, and what only looks odd, with one input: all of it at once, each with its
// field. What cannot work is refused; the formats of the providers' own examples never are.
type checks struct {
	problems []lending.Problem
	warnings []lending.Problem
}

// refuse adds a problem. path is below "input", with dots: "principal.amount".
func (c *checks) refuse(path, format string, args ...any) {
	c.problems = append(c.problems, lending.Problem{
		Kind: lending.KindValidation, Message: fmt.Sprintf(format, args...), Field: fieldPath(path),
	})
}

// warn adds something that is accepted although it looks odd.
func (c *checks) warn(path, format string, args ...any) {
	c.warnings = append(c.warnings, lending.Problem{
		Kind: lending.KindValidation, Message: fmt.Sprintf(format, args...), Field: fieldPath(path),
	})
}

func fieldPath(path string) []string {
	return append([]string{"input"}, strings.Split(path, ".")...)
}

// add takes over what a provider would refuse, but for fields that are refused already.
func (c *checks) add(problems []lending.Problem) {
	known := slices.Clone(c.problems)
	for _, problem := range problems {
		if !slices.ContainsFunc(known, func(k lending.Problem) bool { return samePart(k.Field, problem.Field) }) {
			c.problems = append(c.problems, problem)
		}
	}
}

// samePart reports whether two paths lead to the same field, or one into the other.
func samePart(a, b []string) bool {
	n := min(len(a), len(b))
	return n > 1 && slices.Equal(a[:n], b[:n])
}

// failed reports whether anything was refused.
func (c *checks) failed() bool { return len(c.problems) > 0 }

// result is the answer to an input that was refused.
func (c *checks) result() *Result {
	return &Result{Problems: c.problems, Warnings: c.warnings}
}

// key checks an idempotency key: 1 to 100 printable ASCII characters, as it may become a reference at a
// provider.
func (c *checks) key(key string) {
	switch {
	case key == "":
		c.refuse("idempotencyKey", "Give a key that is unique to this request, such as a UUID, and repeat it when you retry.")
	case len(key) > maxKey || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
		c.refuse("idempotencyKey", "A key has 1 to %d ASCII characters without spaces.", maxKey)
	}
}

// text checks free text: there, where it is required, not longer than most characters, and printable.
func (c *checks) text(path, value string, required bool, most int) {
	switch {
	case required && strings.TrimSpace(value) == "":
		c.refuse(path, "This is required.")
	case utf8.RuneCountInString(value) > most:
		c.refuse(path, "At most %d characters.", most)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		c.refuse(path, "Control characters are not allowed.")
	}
}

// digits checks text of digits alone.
func (c *checks) digits(path, value string, least, most int) {
	if n := len(value); n < least || n > most || strings.Trim(value, "0123456789") != "" {
		if least == most {
			c.refuse(path, "Give exactly %d digits.", least)
			return
		}
		c.refuse(path, "Give %d to %d digits and nothing else.", least, most)
	}
}

// money reads an amount: positive, with no more decimal places than its currency has.
func (c *checks) money(path string, in MoneyInput) lending.Money {
	if !in.Currency.Valid() {
		c.refuse(path+".currency", "Give an ISO 4217 code such as NGN or INR.")
		return lending.Money{}
	}
	m, err := lending.ParseMoney(in.Amount.String(), in.Currency)
	if err != nil {
		c.refuse(path+".amount", "%s has %d decimal places, and amounts stay under 90 trillion.", in.Currency, in.Currency.Digits())
		return lending.NewMoney(0, in.Currency) // the currency is in order, and is not to be complained of
	}
	if m.Sign() <= 0 {
		c.refuse(path+".amount", "The amount has to be over zero.")
	}
	return m
}

// tenure checks a tenure.
func (c *checks) tenure(path string, t lending.Tenure) {
	if t.Value < 1 || t.Value > 3650 {
		c.refuse(path+".value", "Give a whole number from 1 to 3650.")
	}
	if !t.Unit.Valid() {
		c.refuse(path+".unit", "Give DAY or MONTH.")
	}
}

// known checks that a provider is named.
func (c *checks) known(path string, name lending.Provider) {
	if !name.Valid() {
		c.refuse(path, "Name one of the providers.")
	}
}

// consent checks the evidence that a customer agreed to be looked up.
func (c *checks) consent(consent *lending.Consent, s *Service) {
	switch {
	case consent == nil || consent.GrantedAt.IsZero():
		c.refuse("consent", "This provider needs the customer's consent: say when and where it was given.")
	case consent.GrantedAt.After(s.now()):
		c.refuse("consent.grantedAt", "The consent lies in the future.")
	case !consent.Channel.Valid():
		c.refuse("consent.channel", "Say where the customer agreed.")
	}
}

// link checks an address: https, or http where insecure is allowed.
func (c *checks) link(path, text string, insecure bool) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || len(text) > 2000 || u.Scheme != "https" && (u.Scheme != "http" || !insecure) {
		c.refuse(path, "Give an absolute https address without a user name.")
	}
}

// publicLink checks an address that a provider will call: https, and no name or number of a private, local
// or reserved place, however it is written.
func (c *checks) publicLink(path, text string) {
	before := len(c.problems)
	c.link(path, text, false)
	if len(c.problems) > before {
		return
	}
	u, err := url.Parse(text)
	if err != nil {
		return // link has told
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if !publicHost(host) || !goodPort(u.Port()) {
		c.refuse(path, "The address has to be a public host name that the provider can reach.")
	}
}

// goodPort reports whether a port is one, or is left to the scheme.
func goodPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && port > 0
}

var numericHost = regexp.MustCompile(`^(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*$`)

// publicHost reports whether a host is on the public internet by its looks. Numbers that are not plain
// dotted quads (octal, hexadecimal, one long number) are refused: only tricks are written so.
func publicHost(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return publicAddr(addr)
	}
	if numericHost.MatchString(host) || strings.Contains(host, "%") || !strings.Contains(host, ".") || len(host) > 253 {
		return false
	}
	for _, label := range strings.Split(host, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool {
			return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
		}) {
			return false
		}
	}
	for _, suffix := range []string{"localhost", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa", "localdomain", "metadata.goog"} {
		if host == suffix || strings.HasSuffix(host, "."+suffix) {
			return false
		}
	}
	for _, wildcard := range []string{"nip.io", "sslip.io", "xip.io", "localtest.me", "lvh.me"} {
		if host == wildcard || strings.HasSuffix(host, "."+wildcard) {
			return false // public names that answer with any private address
		}
	}
	return true
}

// reserved are the ranges beyond those that netip knows that are no places on the public internet.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("3fff::/20"), netip.MustParsePrefix("192.88.99.0/24"),
}

// globalIPv6 is where all addresses of the public internet are: what is not in it is special in some way.
var globalIPv6 = netip.MustParsePrefix("2000::/3")

// publicAddr reports whether an address is a global unicast one.
func publicAddr(addr netip.Addr) bool {
	if addr.Zone() != "" {
		return false
	}
	addr = addr.Unmap()
	if addr.Is6() && !globalIPv6.Contains(addr) {
		return false
	}
	if !addr.IsGlobalUnicast() || addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() {
		return false
	}
	return !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(addr) })
}

var (
	ifscShape  = regexp.MustCompile(`^[A-Z]{4}0[A-Z0-9]{6}$`)
	gstinShape = regexp.MustCompile(`^[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]$`)
	phoneShape = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	emailShape = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s.]+$`)
)

// phone checks a telephone number in E.164 form.
func (c *checks) phone(path, value string) {
	if !phoneShape.MatchString(value) {
		c.refuse(path, "Give the number in international form, such as +2348012345678.")
		return
	}
	if strings.HasPrefix(value, "+234") && len(value) != len("+2348012345678") {
		c.warn(path, "Nigerian numbers have ten digits behind +234.")
	}
}

// email checks an e-mail address roughly: that it has the parts of one.
func (c *checks) email(path, value string, required bool) {
	if value == "" && !required {
		return
	}
	if len(value) > 254 || !emailShape.MatchString(value) {
		c.refuse(path, "Give an e-mail address.")
	}
}

// country checks an ISO 3166-1 alpha-2 code by its shape.
func (c *checks) country(path, value string) {
	if value != "" && (len(value) != 2 || strings.ToUpper(value) != value || strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		c.refuse(path, "Give a two-letter country code such as NG.")
	}
}

// nigerianAccount checks a Nigerian bank account: a number that fails its check digit is only odd, as the
// providers' own examples do.
func (c *checks) nigerianAccount(path string, account *lending.BankAccount) {
	c.digits(path+".accountNumber", account.AccountNumber, 10, 10)
	c.digits(path+".bankCode", account.BankCode, 3, 6)
	c.text(path+".accountName", account.AccountName, true, 200)
	if len(account.BankCode) == 3 && len(account.AccountNumber) == 10 && !validNUBAN(account.BankCode, account.AccountNumber) {
		c.warn(path+".accountNumber", "The account number's check digit does not fit the bank.")
	}
}

// validNUBAN reports whether an account number's last digit is its check digit (CBN's NUBAN scheme).
func validNUBAN(bank, account string) bool {
	digits := bank + account[:9]
	sum := 0
	for i, weight := range [12]int{3, 7, 3, 3, 7, 3, 3, 7, 3, 3, 7, 3} {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
		sum += weight * int(digits[i]-'0')
	}
	return int(account[9]-'0') == (10-sum%10)%10
}

// parseID reads a global id of a kind; a wrong one is refused.
func parseID[T ~string](c *checks, path string, kind lending.NodeKind, text string) T {
	id, err := lending.ParseID[T](kind, text)
	if err != nil {
		c.refuse(path, "Give the id of a %s, as this graph gave it.", strings.ToLower(string(kind)))
	}
	return id
}
