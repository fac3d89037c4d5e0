// Package statestoretest is the one suite that every control table passes, and what a table must be to carry the
// commit protocol: see package statestore for the words.
package statestoretest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/statestore"
)

// Open returns an empty control table that is ready for use and is cleaned up with the test.
type Open func(t *testing.T) statestore.Backend

const (
	tablePath = "raw/dms/store/product/"
	outPath   = "lake/dms/"
)

// Run runs the suite, each test on a table of its own.
func Run(t *testing.T, open Open) {
	t.Helper()
	t.Run("items", func(t *testing.T) { runItems(t, open) })
	t.Run("tests", func(t *testing.T) { runTests(t, open) })
	t.Run("list", func(t *testing.T) { runList(t, open) })
	t.Run("register", func(t *testing.T) { runRegister(t, open) })
	for _, group := range []struct {
		name  string
		steps []step
	}{
		{"commit", commitSteps()},
		{"replace", replaceSteps()},
		{"finish", finishSteps()},
		{"halt", haltSteps()},
		{"clear", clearSteps()},
		{"activate", activateSteps()},
		{"import", importSteps()},
	} {
		t.Run(group.name, func(t *testing.T) { runSteps(t, open, group.steps) })
	}
	t.Run("halt is noted once", func(t *testing.T) { runHaltOnce(t, open) })
	t.Run("import new", func(t *testing.T) { runImportNew(t, open) })
	t.Run("leases", func(t *testing.T) { runLeases(t, open) })
	t.Run("races", func(t *testing.T) { runRaces(t, open) })
	t.Run("lost answers", func(t *testing.T) { runLost(t, open) })
}

// base is an item as an operator's table has it, with an attribute that sluice does not know.
func base(t *testing.T) statestore.Item {
	t.Helper()
	item, err := statestore.NewItem(tablePath, outPath)
	if err != nil {
		t.Fatal(err)
	}
	item[statestore.ActiveFlag] = statestore.True
	item["Steward"] = "somebody else's"
	return item
}

// changed returns item with the attributes of change; an empty one is removed.
func changed(item, change statestore.Item) statestore.Item {
	after := statestore.Item{}
	for attr, value := range item {
		after[attr] = value
	}
	for attr, value := range change {
		after[attr] = value
		if value == "" {
			delete(after, attr)
		}
	}
	return after
}

func create(t *testing.T, b statestore.Backend, items ...statestore.Item) {
	t.Helper()
	for _, item := range items {
		if err := b.Create(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
}

// wantItem compares the whole item, so that it also sees what must not have changed.
func wantItem(t *testing.T, b statestore.Backend, want statestore.Item) {
	t.Helper()
	got, err := b.Read(t.Context(), want[statestore.Path])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
}

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("error: got %v, want %v", got, want)
	}
}

func table(n int) string { return fmt.Sprintf("raw/dms/store/t%04d/", n) }
