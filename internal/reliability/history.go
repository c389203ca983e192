// Package reliability decides whether what clients were told of their actions agrees with what really took
// place at the providers and with what the service wrote down. Tests of the whole program give it a
// [History] and hold [Check] to finding nothing.
//
// It knows the rules of the operation log and nothing of how the service keeps them: at most one effect for
// a key; exactly one where the operation succeeded, none where it failed, either where the outcome is not
// known; the same answer to the same request for ever.
package reliability

import (
	"fmt"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// History is all that is known after a run, once nothing moves any more.
type History struct {
	// Exchanges are the clients' requests with their answers, in the order in which the answers came.
	Exchanges []Exchange
	// Effects are the changes that took place at the providers, in the order of each provider's log.
	Effects []Effect
	// Operations, Loans and Payments are what the database holds.
	Operations []*lending.Operation
	Loans      []*lending.Loan
	Payments   []*lending.Payment
}

// Exchange is one request of a client and what it was answered.
type Exchange struct {
	Client string
	Key    string // the idempotency key; "" for a request that takes none
	// Input is the request's meaning: the same for two spellings of one request, another for another.
	Input string
	// Subject is what the provider's log of effects has as the key of what the request asks for: a customer's
	// id, a loan's id, an invoice's number. "" where that cannot be known before: then all requests of
	// one kind at one provider are counted together.
	Subject string
	// Operation and Status are those of the answer; "" where it held no operation.
	Operation lending.OperationID
	Status    lending.OperationStatus
	// Payload is the answer without what may differ between an answer and its replay.
	Payload  string
	Problems []lending.ErrorKind // what the user was told to mend
}

// Effect is one change of state at a provider.
type Effect struct {
	Provider lending.Provider
	Name     string // "loan.create"
	Key      string
	EntityID string
}

// Violation is one thing that should not be.
type Violation struct {
	Rule string
	Text string // names operations, keys and ids; nothing personal
}

func (v Violation) String() string { return v.Rule + ": " + v.Text }

// Check gives everything that is wrong with a history, in a fixed order of the rules; nothing for a good one.
func Check(h History) []Violation {
	c := &checker{History: h, operations: map[lending.OperationID]*lending.Operation{}, byKey: map[clientKey][]Exchange{}}
	for _, op := range h.Operations {
		c.operations[op.ID] = op
	}
	for _, x := range h.Exchanges {
		if x.Key != "" {
			k := clientKey{x.Client, x.Key}
			if len(c.byKey[k]) == 0 {
				c.keys = append(c.keys, k)
			}
			c.byKey[k] = append(c.byKey[k], x)
		}
	}
	for _, rule := range []func(){
		c.oneOperationPerKey, c.sameAnswers, c.keysNotReused, c.answersAgreeWithRecords, c.allSettled,
		c.effectsAgree, c.sideEffectsOnce, c.nothingClaimedTwice, c.paymentsOnce, c.loansAgree,
	} {
		rule()
	}
	return c.found
}

type clientKey struct{ client, key string }

type checker struct {
	History
	operations map[lending.OperationID]*lending.Operation
	keys       []clientKey // in the order of their first exchange
	byKey      map[clientKey][]Exchange
	found      []Violation
}

func (c *checker) report(rule, format string, args ...any) {
	c.found = append(c.found, Violation{Rule: rule, Text: fmt.Sprintf(format, args...)})
}
