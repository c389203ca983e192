package restclient_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain checks that every connection is closed or given back.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
