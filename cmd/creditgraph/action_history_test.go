package main

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/reliability"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// admin asks a twin's own endpoints.
func (w *actWorld) admin(p lending.Provider, method, path string, body, into any) {
	w.t.Helper()
	if err := callTwin(w.t.Context(), w.twins, p, method, path, body, into); err != nil {
		w.t.Fatalf("the twin of %s: %v", p, err)
	}
}

// fault has a twin misbehave.
func (w *actWorld) fault(p lending.Provider, rule twin.Rule) {
	w.t.Helper()
	w.admin(p, http.MethodPost, "faults", rule, nil)
}

// calls is how often a twin's route was called.
func (w *actWorld) calls(p lending.Provider, route string) int {
	w.t.Helper()
	return w.allCalls(p)[route]
}

func (w *actWorld) allCalls(p lending.Provider) map[string]int {
	w.t.Helper()
	var answer struct{ Calls map[string]int }
	w.admin(p, http.MethodGet, "calls", nil, &answer)
	return answer.Calls
}

// effects are what really took place at a twin.
func (w *actWorld) effects(p lending.Provider) []twin.Effect {
	w.t.Helper()
	var answer struct{ Effects []twin.Effect }
	w.admin(p, http.MethodGet, "effects", nil, &answer)
	return answer.Effects
}

// stored is an operation as the database has it.
func (w *actWorld) stored(id lending.OperationID) *lending.Operation {
	w.t.Helper()
	found, err := w.app.records.Operations(w.t.Context(), []lending.OperationID{id})
	if err != nil || found[id] == nil {
		w.t.Fatalf("operation %s: %v", id, err)
	}
	return found[id]
}

// becomes waits until an operation has a status.
func (w *actWorld) becomes(id lending.OperationID, want ...lending.OperationStatus) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("operation %s to become %v", id, want), func() (string, bool) {
		got := w.stored(id)
		return string(got.Status), slices.Contains(want, got.Status)
	})
}

// actPatience is how long things may take that happen behind.
const actPatience = 20 * time.Second

// eventually looks again and again until something is so; told says how it is instead.
func (w *actWorld) eventually(what string, so func() (told string, ok bool)) {
	w.t.Helper()
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	limit := time.NewTimer(actPatience)
	defer limit.Stop()
	for {
		told, ok := so()
		if ok {
			return
		}
		select {
		case <-limit.C:
			w.t.Fatalf("waited in vain for %s: it is %s", what, told)
		case <-pause.C:
		}
	}
}

// settle waits until the twins have nothing more to tell and the inbox is empty.
func (w *actWorld) settle() {
	w.t.Helper()
	for _, p := range []lending.Provider{lending.Kredete, lending.TrustDecision, lending.Kredmint} {
		w.admin(p, http.MethodPost, "webhooks/flush", nil, nil)
	}
	inbox, err := openDirectly(string(w.app.settings.DatabaseURL))
	if err != nil {
		w.t.Fatal(err)
	}
	defer inbox.Close()
	w.eventually("the inbox to be empty", func() (string, bool) {
		var waiting int
		if err := inbox.QueryRowContext(w.t.Context(), "SELECT COUNT(*) FROM webhook_inbox WHERE state = 'RECEIVED'").Scan(&waiting); err != nil {
			w.t.Fatal(err)
		}
		return fmt.Sprintf("%d waiting", waiting), waiting == 0
	})
}

// history is all that there is to judge by.
func (w *actWorld) history() reliability.History {
	w.t.Helper()
	w.told.mu.Lock()
	h := reliability.History{Exchanges: slices.Clone(w.told.all)}
	w.told.mu.Unlock()
	for _, p := range lending.Providers() {
		for _, e := range w.effects(p) {
			h.Effects = append(h.Effects, reliability.Effect{Provider: p, Name: e.Operation, Key: e.Key, EntityID: e.EntityID})
		}
	}
	ctx, records := w.t.Context(), w.app.records
	h.Operations = actEveryPage(w.t, func(p lending.PageRequest) (lending.Page[*lending.Operation], error) {
		return records.ListOperations(ctx, lending.OperationFilter{}, p)
	})
	h.Loans = actEveryPage(w.t, func(p lending.PageRequest) (lending.Page[*lending.Loan], error) {
		return records.ListLoans(ctx, lending.LoanFilter{}, lending.LoanOrder{Field: lending.ByCreatedAt}, p)
	})
	for _, loan := range h.Loans {
		h.Payments = append(h.Payments, actEveryPage(w.t, func(p lending.PageRequest) (lending.Page[*lending.Payment], error) {
			pages, err := records.PaymentsOfLoans(ctx, []lending.LoanID{loan.ID}, p)
			return pages[loan.ID], err
		})...)
	}
	return h
}

func actEveryPage[T any](t testing.TB, list func(lending.PageRequest) (lending.Page[T], error)) []T {
	t.Helper()
	var all []T
	request := lending.PageRequest{First: lending.MaxPageSize}
	for {
		page, err := list(request)
		if err != nil {
			t.Fatalf("list: %v", lending.AsError(err).Detail())
		}
		for _, edge := range page.Edges {
			all = append(all, edge.Node)
		}
		if !page.HasNext || len(page.Edges) == 0 {
			return all
		}
		request.After = page.Edges[len(page.Edges)-1].Cursor
	}
}

// check holds all that happened against all that was said of it.
func (w *actWorld) check() {
	w.t.Helper()
	for _, v := range reliability.Check(w.history()) {
		w.t.Errorf("%s", v)
	}
}
