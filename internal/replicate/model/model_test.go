package model_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"sluice/internal/replicate/model"
	"sluice/scripts/rig"
)

const (
	soakStates   = 1_500_000 // of each scenario in make soak: all of nearly every one
	aFewStates   = 4000      // in make test
	mutantStates = 1_000_000 // more than it takes to find any
)

// TestModel looks at the states of each scenario that are nearest to its beginning.
func TestModel(t *testing.T) {
	t.Parallel()
	check(t, aFewStates)
}

// TestSoakModel looks at every state of the scenarios, of the largest ones at the first million and a half.
func TestSoakModel(t *testing.T) {
	t.Parallel()
	rig.Soak(t, 0.1) // what it takes on two idle cores is less than that of half an hour
	check(t, soakStates)
}

// check runs every scenario and says in the end how much it looked at.
func check(t *testing.T, limit int) {
	t.Helper()
	var mu sync.Mutex
	states, whole, deepest, scenarios := 0, 0, 0, model.Scenarios()
	for _, sc := range scenarios {
		t.Run(sc.Name, func(t *testing.T) {
			t.Parallel()
			r := model.Check(&sc, model.None, limit)
			t.Logf("%d states, %d steps, deepest %d, all of them: %t", r.States, r.Steps, r.Depth, r.Whole)
			if r.Violation != nil {
				t.Errorf("%s: %s\n%sagain: go test ./internal/replicate/model -run '%s' -v", r.Violation.Invariant, r.Violation.Text, told(r), pattern(t.Name()))
			}
			mu.Lock()
			defer mu.Unlock()
			states += r.States
			deepest = max(deepest, r.Depth)
			if r.Whole {
				whole++
			}
		})
	}
	t.Cleanup(func() {
		rig.Figure(t, "model", "%d states of the commit protocol in %d scenarios (%d of them whole), deepest trace %d steps", states, len(scenarios), whole, deepest)
	})
}

// pattern is what go test -run takes for a test's name.
func pattern(name string) string { return "^" + strings.ReplaceAll(name, "/", "$/^") + "$" }

// told is a trace, a line for each step.
func told(r model.Report) string {
	var b strings.Builder
	for i, line := range r.Trace {
		fmt.Fprintf(&b, "%3d %s\n", i+1, line)
	}
	return b.String()
}
