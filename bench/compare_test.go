//go:build linux

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestMain lets the test stand in for the program where that starts itself as the plain handler.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "plain" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestBothGiveTheSameAndAreMeasured runs the whole comparison, small: answers that differ end it with an error.
func TestBothGiveTheSameAndAreMeasured(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	command := compareCommand{Rounds: 1, Requests: 5, Module: "..", out: &out}
	if err := command.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, m := range command.measurements() {
		if !strings.Contains(out.String(), "| "+m.name()+" | ") {
			t.Errorf("no row for %s in\n%s", m.name(), &out)
		}
	}
	if strings.Contains(out.String(), "NaN") || strings.Contains(out.String(), "Inf") {
		t.Errorf("something was not measured:\n%s", &out)
	}
}
