package cost_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/cost"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
)

// same compares requests. A lease that is renewed in between is a write more than usual.
func same(t *testing.T, what string, got, want cost.Requests) {
	t.Helper()
	if got.Writes == want.Writes+1 {
		got.Writes--
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (−counts.go +counted):\n%s", what, diff)
	}
}

func sum(parts ...cost.Requests) cost.Requests {
	var all cost.Requests
	for _, p := range parts {
		all.Lists, all.Puts, all.Gets, all.Reads, all.Writes = all.Lists+p.Lists, all.Puts+p.Puts, all.Gets+p.Gets, all.Reads+p.Reads, all.Writes+p.Writes
	}
	return all
}

func times(n int, p cost.Requests) cost.Requests {
	var all cost.Requests
	for range n {
		all = sum(all, p)
	}
	return all
}

// The counts that the model stands on are those of real runs: a tick over idle tables, the day's first run, merges of
// several inputs into several files, loads.
func TestCountsAreThoseOfRealRuns(t *testing.T) {
	a, counts := newAccount(t), cost.Counted()
	tables := fleet(3, 16)
	for i, table := range tables {
		a.open(table, i+1)
		a.change(table, i+1)
		a.step(table, replicate.StageMerge, replicate.Merged) // the first merge of a table differs: there is no index yet
	}
	same(t, "a tick of 3 idle tables", a.count(func() { a.survey() }), sum(counts.Tick, times(3, counts.IdleTable)))
	for i, table := range tables {
		for _, inputs := range []int{1, 3} {
			for range inputs {
				a.change(table, i+1)
			}
			same(t, "a tick with one table that has work", a.count(func() { a.survey() }), sum(counts.Tick, times(3, counts.IdleTable)))
			same(t, "a merge", a.count(func() { a.step(table, replicate.StageMerge, replicate.Merged) }),
				sum(counts.Merge, times(inputs, counts.Input), times(i+1, counts.File)))
		}
	}
	item, err := a.state.Read(t.Context(), a.buckets.Raw+"/"+tables[0].Folder())
	if err != nil {
		t.Fatal(err)
	}
	bytes := 0
	for name, value := range item {
		bytes += len(name) + len(value)
	}
	if bytes > cost.ItemBytes {
		t.Errorf("a control item has %d bytes, more than %d", bytes, cost.ItemBytes)
	}
	a.ahead = 24 * time.Hour
	if due := a.survey(); len(due) != 3 {
		t.Errorf("in the morning %d tables are due, want all 3", len(due))
	}
	for _, table := range tables {
		same(t, "the day's first run", a.count(func() { a.step(table, replicate.StageMerge, replicate.Idle) }), counts.Morning)
	}
}

// A load of n files, into one lake file and into n.
func TestCountsOfLoads(t *testing.T) {
	a, counts := newAccount(t), cost.Counted()
	tables := fleet(4, 16)
	for i, shape := range []struct{ inputs, files int }{{1, 1}, {1, 3}, {3, 3}, {2, 4}} {
		a.load(tables[i], shape.files, shape.files/shape.inputs)
		a.activate(tables[i], "part")
		same(t, "a load", a.count(func() { a.step(tables[i], replicate.StageLoad, replicate.Loaded) }),
			sum(counts.Load, times(shape.inputs, counts.LoadInput), times(shape.files, counts.LoadFile)))
	}
}

// A large file of which little changes is not read and sent whole.
func TestCountsOfALargeFile(t *testing.T) {
	a, counts := newAccount(t), cost.Counted()
	table := fleet(1, 16)[0]
	const rows = 300_000
	random := rand.New(rand.NewPCG(1, 2))
	fresh := func(i int) []any {
		values := row(table, i, "")
		for c := range table.Columns[2:] {
			values[c+2] = fmt.Sprintf("%08x", random.Uint32())
		}
		return values
	}
	list := make([][]any, rows)
	for i := range list {
		list[i] = fresh(i)
	}
	settings := dmsgen.DefaultSettings()
	settings.RowsPerFile = rows
	w, err := dmsgen.NewWriter(a.sink, settings)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteLoad(t.Context(), table, time.Now(), list...); err != nil {
		t.Fatal(err)
	}
	a.activate(table, "null")
	a.step(table, replicate.StageLoad, replicate.Loaded)
	for n := range 2 {
		var changes []dmsgen.Change
		for i := rows - rows/100; i < rows; i += 10 {
			changes = append(changes, dmsgen.Change{Op: dmsgen.Update, Row: fresh(i)})
		}
		if _, err := w.WriteChanges(t.Context(), table, time.Now().Add(time.Duration(n)*time.Millisecond), changes...); err != nil {
			t.Fatal(err)
		}
		got := a.count(func() { a.step(table, replicate.StageMerge, replicate.Merged) })
		if n > 0 {
			same(t, "a merge into a large file", got, sum(counts.Merge, counts.Input, counts.Large))
		}
	}
}
