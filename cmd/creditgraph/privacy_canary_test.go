package main

import (
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox"
)

const (
	canaryNIN             = "71713434717"
	canaryAccount         = "9090817263"
	canarySupplierAccount = "707081726354"
	canaryPAN             = "CANRY1234F"
	canaryOTP             = "5409163728"
	canaryNumber          = "8099917171" // of the phone number, without the country's code
	canaryPhone           = "+234" + canaryNumber
	canaryEmail           = "canary.person@canary.example"
	canaryMobile          = "7999081726"
	canarySupplierEmail   = "canary.supplier@canary.example"
	canaryPassword        = "canary-password-of-a-file"
	canaryBVN             = "22918273645"
)

// canaryVariable names a server of Redis that the test may write to beside miniredis.
const canaryRedisVariable = "CREDITGRAPH_TEST_REDIS"

// canaries are personal values and secrets that could be nothing else, by what they are. They go in wherever a
// client or a provider can give such a value.
func canaries(p *program) map[string]string {
	all := map[string]string{
		"NIN": canaryNIN, "account number": canaryAccount, "supplier's account number": canarySupplierAccount,
		"PAN": canaryPAN, "OTP": canaryOTP, "phone number": canaryNumber, "e-mail address": canaryEmail, "supplier's mobile number": canaryMobile,
		"supplier's e-mail address": canarySupplierEmail, "password of a file": canaryPassword, "BVN": canaryBVN,
		"token": p.token, "data key": testKey,
	}
	for i := range p.sandbox.World.Size() {
		person := p.sandbox.World.Person(i)
		who := " of person " + string(rune('0'+i))
		all["BVN"+who], all["NIN"+who], all["e-mail address"+who] = person.BVN, person.NIN, person.Email
		all["phone number"+who], all["mobile number at Kredmint"+who] = person.Phone[len(person.Phone)-10:], person.KredmintMobile
	}
	for _, setting := range p.sandbox.Settings() {
		for _, word := range []string{"SECRET", "KEY", "TOKEN", "AUTHORIZATION"} {
			if strings.Contains(setting[0], word) && len(setting[1]) > 8 {
				all[setting[0]] = setting[1]
			}
		}
	}
	for what, value := range all {
		if value == "" { // not everybody has everything
			delete(all, what)
		}
	}
	return all
}

// TestPersonalDataIsFoundNowhere plays everything that takes in personal data, well and badly, and then looks
// for it in every place that is not meant for it.
func TestPersonalDataIsFoundNowhere(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, postgres bool) {
		t.Run("miniredis", func(t *testing.T) {
			t.Parallel()
			searchEverySink(t, postgres, "redis://"+miniredis.RunT(t).Addr())
		})
		if address := os.Getenv(canaryRedisVariable); address != "" {
			t.Run("real", func(t *testing.T) {
				t.Parallel()
				searchEverySink(t, postgres, address)
			})
		}
	})
}

func searchEverySink(t *testing.T, postgres bool, redis string) {
	p, seen := canaryProgram(t, postgres, redis)
	played := p.playCanaries(t, seen)
	if err := p.quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range p.sinks(played, seen) {
		contents := s.read(t)
		if len(contents) == 0 {
			t.Errorf("%s holds nothing at all: the test looks in the wrong place", s.name)
		}
		for place, text := range contents {
			for what := range leaking(canaries(p), text) {
				if s.allowed == nil || !s.allowed(place, text, what) {
					t.Errorf("the %s is in %s: %s", what, s.name, place)
				}
			}
		}
	}
}

// leaking are the canaries that stand in a text: as they are, in hexadecimal, in base64, or escaped in an address.
func leaking(canaries map[string]string, text string) map[string]bool {
	found := map[string]bool{}
	lower := strings.ToLower(text)
	plain, err := url.QueryUnescape(lower)
	if err != nil {
		plain = ""
	}
	for what, canary := range canaries {
		value := strings.ToLower(canary)
		if strings.Contains(lower, value) || strings.Contains(plain, value) || strings.Contains(lower, hex.EncodeToString([]byte(canary))) ||
			slices.ContainsFunc(inBase64(canary), func(form string) bool { return strings.Contains(text, form) }) {
			found[what] = true
		}
	}
	return found
}

// inBase64 is how a value looks within a longer text in base64, wherever it begins.
func inBase64(value string) []string {
	var forms []string
	for before := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), value...))
		encoded = encoded[(before*8+5)/6:]
		if (before+len(value))%3 != 0 {
			encoded = encoded[:len(encoded)-1] // it depends on what follows
		}
		forms = append(forms, encoded)
	}
	return forms
}

// TestALeakingCanaryIsFound proves that the search sees what it looks for, however it is written.
func TestALeakingCanaryIsFound(t *testing.T) {
	t.Parallel()
	canary := map[string]string{"e-mail address": canaryEmail}
	for name, text := range map[string]string{
		"plain": `{"msg":"no customer ` + canaryEmail + `"}`, "in capitals": strings.ToUpper(canaryEmail),
		"escaped": "/customers?email=" + url.QueryEscape(canaryEmail), "in hexadecimal": hex.EncodeToString([]byte("x" + canaryEmail + "y")),
		"in base64":            base64.StdEncoding.EncodeToString([]byte(canaryEmail)),
		"in base64, behind 1":  base64.StdEncoding.EncodeToString([]byte("x" + canaryEmail + "y")),
		"in base64, behind 2":  base64.URLEncoding.EncodeToString([]byte("xx" + canaryEmail + "yy")),
		"in base64, behind 19": base64.RawURLEncoding.EncodeToString([]byte("an id with some text" + canaryEmail)),
	} {
		if !leaking(canary, text)["e-mail address"] {
			t.Errorf("%s: it is not found in %s", name, text)
		}
	}
	if found := leaking(canary, "somebody@example.com "+canaryPhone); len(found) > 0 {
		t.Errorf("found where there is none: %v", found)
	}
}

// canaryProgram is a program with a cache in Redis whose providers are behind a proxy, asked with a token that
// shows no personal data.
func canaryProgram(t *testing.T, postgres bool, redis string) (*program, *visited) {
	t.Helper()
	twins, err := sandbox.Start(sandbox.Options{Customers: 6, Logger: slog.New(slog.DiscardHandler), ReportDelay: time.Millisecond, WebhookStep: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := twins.Stop(); err != nil {
			t.Error(err)
		}
	})
	seen := &visited{}
	seen.stand(t, twins.Settings())
	p := boot(t, setup{postgres: postgres, redis: redis, real: seen.settings, adjust: func(c *config.Config) {
		c.ReportPollAfter = time.Millisecond
	}})
	p.sandbox = twins
	twins.SendWebhooksTo(p.address())
	if _, err := p.service.ImportCustomers(t.Context(), lending.Kredete, nil); err != nil {
		t.Fatal(lending.AsError(err).Detail())
	}
	p.token = p.tokenWithout(t, auth.ReadPII)
	return p, seen
}

// tokenWithout is a token with all scopes but some.
func (p *program) tokenWithout(t *testing.T, without ...auth.Scope) string {
	t.Helper()
	scopes := slices.DeleteFunc(auth.Scopes(), func(s auth.Scope) bool { return slices.Contains(without, s) })
	token, err := p.issuer.Issue("canary", scopes, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}
