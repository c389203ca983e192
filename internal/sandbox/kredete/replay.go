package kredete

import (
	"hash/fnv"
	"net/http"
	"strconv"
	"time"

	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// replayHistory is POST /__sandbox/replay-history {"limit": 100}: the webhooks of the loans of the world's
// past are delivered, with the times at which they would have been, the loans of one person after the other's
// and the events of each loan in order. limit is the most loans, 0 for all. Each replay has the same event
// ids. The answer comes at once; the flush endpoint waits.
func (t *Twin) replayHistory(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Limit int `json:"limit"`
	}
	if _, err := twin.ReadJSON(r, &asked); err != nil {
		twin.AdminError(w, http.StatusBadRequest, err)
		return
	}
	t.Replay(asked.Limit)
	twin.WriteJSON(w, http.StatusAccepted, map[string]int{"limit": asked.Limit})
}

// Replay delivers the webhooks of at most limit loans of the world's past, of all where limit is 0.
func (t *Twin) Replay(limit int) {
	r := &replay{twin: t, left: limit}
	if limit <= 0 {
		r.left = -1
	}
	t.core.Sender.SendEach(r.next)
}

// replay makes webhooks when they are asked for: those of a large world do not fit into memory.
type replay struct {
	twin    *Twin
	person  int // whose turn it is
	left    int // loans to be told of; below 0 for all
	waiting []twin.Delivery
}

func (r *replay) next() (twin.Delivery, bool) {
	for ; len(r.waiting) == 0; r.person++ {
		if r.left == 0 || r.person >= r.twin.world.Size() {
			return twin.Delivery{}, false
		}
		if r.twin.world.HasHistory(r.person) {
			r.retell(r.person)
		}
	}
	d := r.waiting[0]
	r.waiting = r.waiting[1:]
	return d, true
}

// retell makes the webhooks of one person's loans.
func (r *replay) retell(i int) {
	person := r.twin.world.Person(i)
	r.twin.mu.Lock()
	defer r.twin.mu.Unlock()
	for _, past := range r.twin.world.Loans(i) {
		if r.left == 0 {
			return
		}
		r.left--
		for _, e := range chronicle(&person, &past) {
			r.waiting = append(r.waiting, r.twin.deliveries(e, past.ID)...)
		}
	}
}

// chronicle is what happened to a loan, in order.
func chronicle(p *world.Person, past *world.Loan) []event {
	state := loanOf(p, past)
	first := *state
	first.status = pendingReview
	events := []event{pastEvent("loan.created", past.ID, past.CreatedAt, first.wire())}
	if !past.ApprovedAt.IsZero() {
		events = append(events, pastEvent("loan.approved", past.ID, past.ApprovedAt, noticeOf(state, "")))
	}
	if !past.DisbursedAt.IsZero() {
		reference := disbursementReference(past.DisbursedAt, past.Index*100+past.Number)
		events = append(events, pastEvent("loan.disbursed", past.ID, past.DisbursedAt, noticeOf(state, reference)))
	}
	for n, paid := range past.Payments {
		made := state.receive(paid.ID, state.installment(n), paid.PaidAt)
		events = append(events,
			pastEvent("payment.received", paid.ID, paid.PaidAt, made),
			pastEvent("loan.repayment", paid.ID, paid.PaidAt, made))
	}
	return events
}

// pastEvent is an event whose id is always the same.
func pastEvent(kind, about string, at time.Time, data any) event {
	digest := fnv.New64a()
	digest.Write([]byte(kind + "/" + about + "/" + strconv.FormatInt(at.Unix(), 10)))
	return event{ID: "evt_" + world.Token(digest.Sum64()), Type: kind, CreatedAt: at, Data: data}
}
