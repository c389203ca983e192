package kredete

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain checks that no token request outlives its callers.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
