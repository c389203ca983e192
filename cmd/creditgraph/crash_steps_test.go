//go:build unix

package main

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
)

// crashRecovery is how long after a restart nothing may be in progress any more.
const crashRecovery = 15 * time.Second

// crashAwaiting is the point that lies within the call: the provider has carried the action out, and the
// process is killed from outside before the answer comes.
const crashAwaiting = "awaiting-answer"

// crashPoints are where a process is killed; but for crashAwaiting each is a failpoint of the service.
var crashPoints = []string{
	"before-intent", "after-intent", crashAwaiting, "after-send", "mid-commit", "before-commit", "after-commit",
}

// crashRound is one kill.
type crashRound struct {
	point  string
	action crashAction
	input  map[string]any
	effect string // the effect's key at the twin; "" for the operation's reference
	// again and keyed are the mutation and input that send the round's key again.
	again crashMutation
	keyed map[string]any
}

// newRound prepares a round on a living process.
func (b *crashBench) newRound(t *testing.T, p *crashProcess, point string, action crashAction, key string) crashRound {
	t.Helper()
	r := crashRound{point: point, action: action, again: action.crashMutation}
	r.input, r.effect = action.prepare(t, b, p, key)
	r.keyed = r.input
	if action.resumed {
		r.again, r.keyed = crashScore, b.scoreRequest(key, crashKnown)
	}
	return r
}

// end is how the round's operation has to end, and how many effects the twin may show.
func (r crashRound) end() (status lending.OperationStatus, effects int) {
	switch r.point {
	case "before-intent", "after-commit": // the repetition is the first one, or repeats what was written down
		return lending.OpSucceeded, 1
	case "after-intent":
		if r.action.resent {
			return r.action.unsent, 1
		}
		return r.action.unsent, 0
	}
	return r.action.sent, 1
}

// crashBatch is how many rounds are judged together. Judging takes the seconds of a lease, and what waits for
// a one-time password is given up after some minutes: so neither each round alone nor all at the end.
const crashBatch = 10

// crashAtEachStep kills one process after another, each at one point of one action; every process finds on
// its start what those before it left, and recovers that until it is killed itself. In the end, with a process
// that lives, every key is sent again.
func crashAtEachStep(t *testing.T, b *crashBench) {
	for left := crashRounds(t); left > 0; left -= crashBatch {
		var rounds []crashRound
		for _, point := range crashPoints {
			for range min(left, crashBatch) {
				for _, action := range crashActions() {
					if action.resumed && point == "before-intent" {
						continue // the intent is older
					}
					rounds = append(rounds, b.killed(t, point, action))
				}
			}
		}
		b.recovered(t, rounds)
	}
}

// recovered starts a process that lives, and looks at what it makes of the rounds.
func (b *crashBench) recovered(t *testing.T, rounds []crashRound) {
	t.Helper()
	survivor := b.start(t, "")
	restarted := time.Now()
	first := b.repeat(t, survivor, rounds)
	crashEventually(t, crashRecovery-time.Since(restarted), "nothing is in progress, and all that can be asked about is settled", func() bool {
		return len(survivor.operations(t, map[string]any{"status": []lending.OperationStatus{lending.OpInProgress, lending.OpAwaitingProvider}})) == 0 &&
			len(survivor.operations(t, map[string]any{
				"status": []lending.OperationStatus{lending.OpOutcomeUnknown}, "providers": []lending.Provider{lending.Carbon, lending.OnePipe},
			})) == 0
	})
	b.judge(t, survivor, rounds, first)
	survivor.kill()
}

// killed is one round up to the death of its process.
func (b *crashBench) killed(t *testing.T, point string, action crashAction) crashRound {
	t.Helper()
	key := b.key()
	if point == crashAwaiting {
		return b.killedWaiting(t, key, action)
	}
	failpoint := point
	if action.resumed {
		failpoint += "@2"
	}
	p := b.start(t, failpoint+"="+key)
	round := b.newRound(t, p, point, action, key)
	if got, err := p.act(t.Context(), action.crashMutation, round.input); err == nil {
		t.Fatalf("%s, %s: an answer came from a process that should be dead: %+v", action.name, point, got)
	}
	p.died(t)
	return round
}

// killedWaiting is a round whose process is killed when the twin has carried the action out and keeps the
// answer to itself.
func (b *crashBench) killedWaiting(t *testing.T, key string, action crashAction) crashRound {
	t.Helper()
	p := b.start(t, "")
	round := b.newRound(t, p, crashAwaiting, action, key)
	count := func() (n int) {
		for effect, times := range b.effects(t, action.crashMutation) {
			if round.effect == "" || round.effect == effect {
				n += times
			}
		}
		return n
	}
	before := count()
	b.twin(t, http.MethodPost, action.provider, "faults", twin.Rule{
		Match: twin.Match{Method: http.MethodPost, Path: action.path}, Kind: twin.Hang, AfterEffect: true,
	}, nil)
	broken := make(chan error, 1)
	go func() {
		_, err := p.act(t.Context(), action.crashMutation, round.input)
		broken <- err
	}()
	crashEventually(t, crashDeadline, "the twin carries out: "+action.name, func() bool { return count() > before })
	p.kill()
	if err := <-broken; err == nil {
		t.Fatalf("%s: an answer came before the provider's", action.name)
	}
	b.twin(t, http.MethodDelete, action.provider, "faults", nil, nil)
	return round
}

// repeat sends the key of every round again, many at a time: some wait for what is still in progress.
func (b *crashBench) repeat(t *testing.T, p *crashProcess, rounds []crashRound) []crashAnswer {
	t.Helper()
	answers := make([]crashAnswer, len(rounds))
	var all sync.WaitGroup
	turns := make(chan struct{}, 8)
	for i, r := range rounds {
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			got, err := p.act(t.Context(), r.again, r.keyed)
			if err != nil || got.Operation == nil {
				t.Errorf("%s, %s: the key sent again is not answered: %v, %+v", r.action.name, r.point, err, got)
			}
			answers[i] = got
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return answers
}

// judge compares how every round ended with how it has to.
func (b *crashBench) judge(t *testing.T, p *crashProcess, rounds []crashRound, first []crashAnswer) {
	t.Helper()
	again, effects := b.repeat(t, p, rounds), map[crashMutation]map[string]int{}
	for i, r := range rounds {
		m := r.action.crashMutation
		if effects[m] == nil {
			effects[m] = b.effects(t, m)
		}
		status, want := r.end()
		b.expected[m.effect] += want
		got := again[i].Operation
		key := r.effect
		if key == "" {
			key = got.Reference
		}
		if n := effects[m][key]; n != want {
			t.Errorf("%s, %s: it was carried out %d times, want %d", r.action.name, r.point, n, want)
		}
		if got.Status != string(status) || !got.Replayed {
			t.Errorf("%s, %s: the operation is %s (replayed: %t, %+v), want %s", r.action.name, r.point, got.Status, got.Replayed, got.Failure, status)
		}
		if got.ID != first[i].Operation.ID {
			t.Errorf("%s, %s: the same key was answered with two operations", r.action.name, r.point)
		}
		p.judgeLoan(t, r, got.ID)
	}
	for m, keys := range effects {
		got := 0
		for _, n := range keys {
			got += n
		}
		if want := b.expected[m.effect]; got != want {
			t.Errorf("%s at %s: %d effects that no key asked for", m.effect, m.provider, got-want)
		}
	}
}

// judgeLoan checks that the loan's status is that of the operation's outcome: they are written together.
func (p *crashProcess) judgeLoan(t *testing.T, r crashRound, operation string) {
	t.Helper()
	var data struct{ Operation crashOperation }
	problems, err := p.ask(t.Context(), "query ($id: ID!) { operation(id: $id) { status loan { status } result { id } } }", map[string]any{"id": operation}, &data)
	if err != nil || len(problems) > 0 {
		t.Fatal("operation:", err, problems)
	}
	want := r.action.open
	if data.Operation.Status == string(lending.OpSucceeded) {
		want = r.action.done
	}
	var got string
	if data.Operation.Loan != nil {
		got = data.Operation.Loan.Status
	}
	if got != string(want) {
		t.Errorf("%s, %s: the operation is %s and its loan %q, want %q", r.action.name, r.point, data.Operation.Status, got, want)
	}
}

// crashWhileRecovering kills the completers that take an application at Carbon over, one after the other:
// when Carbon is down and it is tried again, and when the outcome is about to be committed.
func crashWhileRecovering(t *testing.T, b *crashBench) {
	key := b.key()
	input := b.carbonApplication(key)
	p := b.start(t, "after-send="+key)
	if got, err := p.act(t.Context(), crashCarbon, input); err == nil {
		t.Fatalf("an answer came from a process that should be dead: %+v", got)
	}
	p.died(t)
	b.twin(t, http.MethodPost, lending.Carbon, "faults", twin.Rule{Kind: twin.Status, Status: http.StatusServiceUnavailable, Times: 1}, nil)
	b.start(t, "after-claim@2="+key).died(t)
	b.start(t, "before-commit="+key).died(t)
	p = b.start(t, "")
	crashEventually(t, crashRecovery, "the application is settled", func() bool {
		found := p.operations(t, nil)
		return len(found) == 1 && found[0].Status == string(lending.OpSucceeded)
	})
	got := p.mustAct(t, crashCarbon, input)
	if !got.Operation.Replayed || got.Loan == nil {
		t.Errorf("the key sent again is answered with %+v", got)
	}
	if effects := b.effects(t, crashCarbon); len(effects) != 1 || effects[key] != 1 {
		t.Errorf("Carbon has the applications %v, want one", effects)
	}
}

// crashAsReleased kills the program without failpoints, with the deadlines that it comes with, while two
// providers keep their answers to themselves.
func crashAsReleased(t *testing.T, b *crashBench) {
	p := b.start(t, "")
	loan := b.approvedLoan(t, p)
	disburse, carbon := map[string]any{"idempotencyKey": b.key(), "loanId": loan.ID}, b.carbonApplication(b.key())
	for _, name := range []lending.Provider{lending.Kredete, lending.Carbon} {
		b.twin(t, http.MethodPost, name, "faults", twin.Rule{Kind: twin.Hang, AfterEffect: true}, nil)
	}
	sent := []<-chan crashSent{p.send(t.Context(), crashDisburse, disburse), p.send(t.Context(), crashCarbon, carbon)}
	crashEventually(t, crashPatience, "both are carried out", func() bool {
		return len(b.effects(t, crashDisburse)) == 1 && len(b.effects(t, crashCarbon)) == 1
	})
	p.kill()
	for _, answer := range sent {
		if got := <-answer; got.err == nil {
			t.Fatalf("an answer came before the provider's: %+v", got)
		}
	}
	for _, name := range []lending.Provider{lending.Kredete, lending.Carbon} {
		b.twin(t, http.MethodDelete, name, "faults", nil, nil)
	}
	p = b.start(t, "")
	crashEventually(t, crashRecovery, "one is settled, and the other known to be unknown", func() bool {
		return len(p.operations(t, map[string]any{"status": []lending.OperationStatus{lending.OpInProgress}})) == 0 &&
			len(p.operations(t, map[string]any{"status": []lending.OperationStatus{lending.OpOutcomeUnknown}, "providers": []lending.Provider{lending.Carbon}})) == 0
	})
	p.mustAct(t, crashCarbon, carbon)
	if got, err := p.act(t.Context(), crashDisburse, disburse); err != nil || got.status() != string(lending.OpOutcomeUnknown) {
		t.Errorf("sent again, the disbursement is answered with %+v, %v", got, err)
	}
	for _, m := range []crashMutation{crashDisburse, crashCarbon} {
		for key, n := range b.effects(t, m) {
			if n != 1 {
				t.Errorf("%s of %s was carried out %d times", m.effect, key, n)
			}
		}
	}
}
