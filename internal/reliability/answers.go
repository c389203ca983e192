package reliability

import (
	"slices"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// The rules on answers, as [Violation.Rule] names them.
const (
	RuleOneOperation = "one operation for a key"
	RuleSameAnswer   = "the same answer to the same request"
	RuleKeyReused    = "a key takes one input"
	RuleRecords      = "answers agree with records"
	RuleSettled      = "nothing stays in progress"
)

// oneOperationPerKey: whoever was given an operation for a key was given the same one, and the database
// holds no second one.
func (c *checker) oneOperationPerKey() {
	stored := map[clientKey]lending.OperationID{}
	for _, op := range c.Operations {
		k := clientKey{op.ClientID, op.Key}
		if other, twice := stored[k]; twice {
			c.report(RuleOneOperation, "key %q has the operations %s and %s", op.Key, other, op.ID)
		}
		stored[k] = op.ID
	}
	for _, k := range c.keys {
		for _, x := range c.byKey[k] {
			if x.Operation != "" && x.Operation != stored[k] {
				c.report(RuleOneOperation, "key %q was answered with %s; the records have %q", k.key, x.Operation, stored[k])
			}
		}
	}
}

// sameAnswers: from the moment an operation is settled its answer does not change by a byte.
func (c *checker) sameAnswers() {
	for _, k := range c.keys {
		first := map[string]Exchange{} // by input
		for _, x := range c.byKey[k] {
			if x.Operation == "" || !x.Status.Settled() {
				continue
			}
			earlier, seen := first[x.Input]
			switch {
			case !seen:
				first[x.Input] = x
			case earlier.Payload != x.Payload:
				c.report(RuleSameAnswer, "key %q was answered %s and later %s", k.key, earlier.Payload, x.Payload)
			}
		}
	}
}

// keysNotReused: the first input that a key was taken with owns it; another one is refused and told why.
func (c *checker) keysNotReused() {
	for _, k := range c.keys {
		owner := slices.IndexFunc(c.byKey[k], func(x Exchange) bool { return x.Operation != "" })
		if owner < 0 {
			continue
		}
		input := c.byKey[k][owner].Input
		for _, x := range c.byKey[k] {
			switch {
			case x.Input == input:
			case x.Operation != "":
				c.report(RuleKeyReused, "key %q was taken for %q and for %q", k.key, input, x.Input)
			case !slices.Contains(x.Problems, lending.KindKeyReused):
				c.report(RuleKeyReused, "key %q of %q was refused for %q with %v", k.key, input, x.Input, x.Problems)
			}
		}
	}
}

// answersAgreeWithRecords: what a client was told as final is what the records say in the end.
func (c *checker) answersAgreeWithRecords() {
	for _, x := range c.Exchanges {
		if op := c.operations[x.Operation]; op != nil && x.Status.Settled() && op.Status != x.Status {
			c.report(RuleRecords, "operation %s was answered %s and is %s", op.ID, x.Status, op.Status)
		}
	}
}

// allSettled: an operation that nobody carries out any more says so.
func (c *checker) allSettled() {
	for _, op := range c.Operations {
		if op.Status == lending.OpInProgress {
			c.report(RuleSettled, "operation %s (%s at %s) is in progress", op.ID, op.Kind, op.Provider)
		}
	}
}
