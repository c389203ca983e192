package main

import (
	"fmt"
	"strings"
	"testing"
)

// leaks are personal data and secrets that stand in a program's log, by what they are.
func (p *program) leaks() []string {
	text, world := p.log.String(), p.sandbox
	var found []string
	look := func(what, value string) {
		if value != "" && strings.Contains(text, value) {
			found = append(found, what)
		}
	}
	if world != nil {
		for i := range min(60, world.World.Size()) {
			person := world.World.Person(i)
			who := func(what string) string { return fmt.Sprintf("the %s of person %d", what, i) }
			look(who("BVN"), person.BVN)
			look(who("NIN"), person.NIN)
			look(who("phone number"), person.Phone[len(person.Phone)-10:])
			look(who("mobile number at Kredmint"), person.KredmintMobile)
			look(who("e-mail address"), person.Email)
			look(who("name"), person.FullName())
		}
	}
	for _, s := range p.settings.Settings() {
		if s.Secret && s.Value != "" && s.Name != "DATABASE_URL" && s.Name != "REDIS_URL" {
			look(s.Name, p.secret(s.Name))
		}
	}
	look("the token", p.token)
	look("the data key", string(p.settings.DataKey))
	return found
}

// secret is the value of a secret setting of the twins; "" for one that is not theirs.
func (p *program) secret(name string) string {
	if p.sandbox == nil {
		return ""
	}
	for _, setting := range p.sandbox.Settings() {
		if setting[0] == name {
			return setting[1]
		}
	}
	return ""
}

// TestALeakIsFound proves that the look at logs, which all tests end with, sees what it looks for.
func TestALeakIsFound(t *testing.T) {
	t.Parallel()
	shared := sharedProgram(t)
	person := shared.sandbox.World.Person(0)
	for _, leak := range []string{person.BVN, person.NIN, person.Phone, person.KredmintMobile, person.Email, person.FullName(), shared.secret("CARBON_API_KEY"), shared.token, testKey} {
		p := &program{app: shared.app, token: shared.token, log: &logbook{}}
		if len(p.leaks()) != 0 {
			t.Fatalf("an empty log tells %v", p.leaks())
		}
		if _, err := fmt.Fprintf(p.log, `{"msg":"a field failed","error":"%s"}`, leak); err != nil {
			t.Fatal(err)
		}
		if len(p.leaks()) == 0 {
			t.Errorf("%q is not found", leak)
		}
	}
}
