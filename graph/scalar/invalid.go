package scalar

import "github.com/creditgraph/creditgraph/internal/lending"

// invalid is the error for a value that cannot be read: the sender can mend it, and nothing was done.
func invalid(message string) error {
	return &lending.Error{Kind: lending.KindValidation, Outcome: lending.NotExecuted, Message: message}
}
