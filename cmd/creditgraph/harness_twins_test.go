package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"testing"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox"
)

// admin calls one of a twin's own endpoints: "faults", "effects", "calls".
func (p *program) admin(ctx context.Context, name lending.Provider, method, path string, in, out any) error {
	return callTwin(ctx, p.sandbox, name, method, path, in, out)
}

func callTwin(ctx context.Context, twins *sandbox.Sandbox, name lending.Provider, method, path string, in, out any) error {
	var body io.Reader = http.NoBody
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, twins.Server(name).URL()+"/__sandbox/"+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %d: %s", method, path, response.StatusCode, data)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// calls is how often each route of a twin was called.
func (p *program) calls(t *testing.T, name lending.Provider) map[string]int {
	t.Helper()
	var answer struct{ Calls map[string]int }
	if err := p.admin(t.Context(), name, http.MethodGet, "calls", nil, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Calls
}

// callsSince is the difference to an earlier count, without routes that were not called.
func (p *program) callsSince(t *testing.T, name lending.Provider, before map[string]int) map[string]int {
	t.Helper()
	now := p.calls(t, name)
	for route, n := range before {
		now[route] -= n
	}
	maps.DeleteFunc(now, func(_ string, n int) bool { return n == 0 })
	return now
}

// effect is one change that took place at a twin.
type effect struct {
	Operation   string
	Key         string
	EntityID    string `json:"entity_id"`
	Fingerprint string
}

// effects is what took place at a twin.
func (p *program) effects(t *testing.T, name lending.Provider, operation string) []effect {
	t.Helper()
	var answer struct{ Effects []effect }
	if err := p.admin(t.Context(), name, http.MethodGet, "effects?operation="+operation, nil, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Effects
}

// fault puts a rule of misbehaviour in force at a twin; heal lifts all of them.
func (p *program) fault(t *testing.T, name lending.Provider, rule map[string]any) {
	t.Helper()
	if err := p.admin(t.Context(), name, http.MethodPost, "faults", rule, nil); err != nil {
		t.Fatal(err)
	}
}

func (p *program) heal(t *testing.T, name lending.Provider) {
	t.Helper()
	if err := p.admin(t.Context(), name, http.MethodDelete, "faults", nil, nil); err != nil {
		t.Fatal(err)
	}
}

// person is the global id of person i of the world.
func (p *program) person(t *testing.T, i int) string {
	t.Helper()
	return lending.GlobalID(lending.CustomerNode, p.customerID(t, i))
}

func (p *program) customerID(t *testing.T, i int) lending.CustomerID {
	t.Helper()
	id, err := p.records.CustomerByIdentity(t.Context(), lending.Kredete, p.sandbox.World.Person(i).KredeteID)
	if err != nil {
		t.Fatalf("person %d is not there: %v", i, err)
	}
	return id
}
