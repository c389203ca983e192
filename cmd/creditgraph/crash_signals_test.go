//go:build unix

package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// crashSent is what became of a mutation that a goroutine sent.
type crashSent struct {
	answer crashAnswer
	err    error
}

func (p *crashProcess) send(ctx context.Context, m crashMutation, input map[string]any) <-chan crashSent {
	sent := make(chan crashSent, 1)
	go func() {
		answer, err := p.act(ctx, m, input)
		sent <- crashSent{answer, err}
	}()
	return sent
}

// crashAsleep stops a process between the provider's answer and the commit, until another process on the
// same database has taken the operation over and settled it; then it wakes up. What it knows comes too late.
func crashAsleep(t *testing.T, b *crashBench) {
	for _, action := range crashActions() {
		if action.name != "disburse" && action.name != "apply at Carbon" {
			continue
		}
		key := b.key()
		asleep, awake := b.start(t, "stop:after-send="+key), b.start(t, "")
		input, effect := action.prepare(t, b, awake, key)
		sent := asleep.send(t.Context(), action.crashMutation, input)
		kinds := map[string]any{"providers": []lending.Provider{action.provider}}
		settled := func() crashOperation { return awake.operations(t, kinds)[0] } // the newest
		crashEventually(t, crashRecovery, "the other process settles: "+action.name, func() bool {
			found := awake.operations(t, kinds)
			return len(found) > 0 && found[0].Status == string(action.sent)
		})
		before := settled()
		select {
		case got := <-sent:
			t.Fatalf("%s: the process that should be stopped answered: %+v", action.name, got)
		default:
		}
		asleep.signal(t, syscall.SIGCONT)
		got := <-sent
		if got.err != nil {
			t.Fatalf("%s: the process that woke up did not answer: %v", action.name, got.err)
		}
		if status := got.answer.status(); len(got.answer.errors) == 0 && status != string(action.sent) {
			t.Errorf("%s: the process that slept answered %q, want an error or %s", action.name, status, action.sent)
		}
		if after := settled(); after.ID != before.ID || after.Status != before.Status || after.Loan.Status != before.Loan.Status {
			t.Errorf("%s: the process that slept changed %+v %+v to %+v %+v", action.name, before, before.Loan, after, after.Loan)
		}
		again, err := asleep.act(t.Context(), action.crashMutation, input)
		if err != nil || again.Operation == nil || again.Operation.ID != before.ID || again.status() != before.Status {
			t.Errorf("%s: sent again, the key is answered with %+v, %v", action.name, again, err)
		}
		if n := b.effects(t, action.crashMutation)[effect]; n != 1 {
			t.Errorf("%s: it was carried out %d times, want once", action.name, n)
		}
		asleep.kill()
		awake.kill()
	}
}

// crashDraining ends a process as a deployment does, while a provider takes its time: the action is
// finished, written down and answered, and nobody new is let in.
func crashDraining(t *testing.T, b *crashBench) {
	p, input := b.start(t, ""), b.carbonApplication(b.key())
	b.twin(t, http.MethodPost, lending.Carbon, "faults", twin.Rule{Kind: twin.Delay, Delay: twin.Duration(time.Second), AfterEffect: true}, nil)
	sent := p.send(t.Context(), crashCarbon, input)
	crashEventually(t, crashDeadline, "Carbon has the application", func() bool { return len(b.effects(t, crashCarbon)) > 0 })
	p.signal(t, syscall.SIGTERM)
	crashEventually(t, crashDeadline, "new connections are refused", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.address, "http://"))
		if err == nil {
			return conn.Close() != nil
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	select {
	case got := <-sent:
		t.Fatalf("the answer came before the provider's: %+v", got)
	default:
	}
	got := <-sent
	if got.err != nil || got.answer.status() != string(lending.OpSucceeded) {
		t.Errorf("the action under way came to %+v, %v", got.answer, got.err)
	}
	answered := time.Now()
	if err := p.ended(t); err != nil {
		t.Errorf("the program ended with %v, want exit code 0", err)
	}
	if took := time.Since(answered); took > 10*time.Second {
		t.Errorf("the program ended %s after the last answer", took)
	}
	if again := b.start(t, "").mustAct(t, crashCarbon, input); !again.Operation.Replayed {
		t.Errorf("sent again, the key is answered with %+v", again.Operation)
	}
}
