package replicate_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/statestore/statestorefault"
)

// history asks for the table's commits.
func (b *bench) history(q replicate.HistoryQuery) ([]replicate.Commit, replicate.HistoryRest) {
	b.t.Helper()
	var commits []replicate.Commit
	rest, err := b.engineOn(b.lake, b.state).History(b.t.Context(), "store.product", q, func(c replicate.Commit) { commits = append(commits, c) })
	b.must(err)
	return commits, rest
}

// tellings are the history in short: number, kind, state, and how many inputs.
func (b *bench) tellings() []string {
	b.t.Helper()
	commits, _ := b.history(replicate.HistoryQuery{})
	var lines []string
	for _, c := range commits {
		lines = append(lines, fmt.Sprint(c.Seq, " ", c.Kind, " ", c.State, " ", c.Inputs))
	}
	return lines
}

func (b *bench) wantTold(want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.tellings()); diff != "" {
		b.t.Errorf("history (-want +got):\n%s", diff)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	b := lived(t)
	b.load(2, []any{1, "newer", "x"}, []any{9, "i", "w"})
	b.must(b.settle())
	b.rebuild()
	b.wantTold("5 rebuild finished 0", "4 load finished 3", "3 merge finished 1", "2 merge finished 1", "1 load finished 1")
	commits, rest := b.history(replicate.HistoryQuery{Limit: 2, Keys: true})
	if len(commits) != 2 || rest.Older != 3 || rest.First != 1 {
		t.Errorf("%d commits and %+v", len(commits), rest)
	}
	got := commits[1]
	want := replicate.Commit{
		Table: "store.product", Path: benchPath, Seq: 4, ID: got.ID, Kind: replicate.KindLoad, State: replicate.Finished, Made: got.Made, Inputs: 3,
		FirstInput: "store/product/LOAD00000001.parquet", LastInput: "store/product/20260314-121300000.parquet",
		Counts: replicate.Counts{Inserts: 2, Superseded: 2}, FilesCreated: 2, FilesEmptied: 5,
		InputKeys: []string{"store/product/LOAD00000001.parquet", "store/product/20260314-120800000.parquet", "store/product/20260314-121300000.parquet"},
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got.ID) != 32 || got.Made.Before(noon) {
		t.Errorf("the load (-want +got):\n%s", diff)
	}
	for _, input := range []string{"20260314-120800000.parquet", "store/product/20260314-120800000.parquet", "raw/store/product/20260314-120800000.parquet", "s3://raw/store/product/20260314-120800000.parquet"} {
		commits, _ := b.history(replicate.HistoryQuery{Limit: 9, Input: input})
		if len(commits) != 2 || commits[0].Seq != 4 || commits[1].Seq != 2 {
			t.Errorf("%s was taken by %+v", input, commits)
		}
	}
}

// TestHistory_TellsWinnersFromLosers: of plans of one number, which became binding no name tells.
func TestHistory_TellsWinnersFromLosers(t *testing.T) {
	t.Parallel()
	b := lived(t)
	b.change(insert(50, "n", "x"))
	commit := 1 // which effect on the control table it is
	for ; ; commit++ {
		try := b.fork()
		if try.diesOfState(commit, statestorefault.After); try.item().Pending() {
			break
		}
	}
	for range 3 {
		b.diesOfState(commit, statestorefault.Before)
	}
	b.wantTold("4 merge unbound 1", "4 merge unbound 1", "4 merge unbound 1", "3 merge finished 1", "2 merge finished 1", "1 load finished 1")
	b.diesOfState(commit, statestorefault.After)
	if !b.item().Pending() {
		t.Fatalf("nothing is pending: %v", b.item())
	}
	states := func() string {
		var all []string
		for _, line := range b.tellings() {
			all = append(all, strings.Fields(line)[2])
		}
		slices.Sort(all[:4])
		return strings.Join(all, " ")
	}
	if got := states(); got != "lost lost lost pending finished finished finished" {
		t.Errorf("while it is pending: %s", got)
	}
	b.must(b.settle())
	if got := states(); got != "finished lost lost lost finished finished finished" {
		t.Errorf("behind it: %s", got)
	}
}

// diesOfState runs once, and lets the process die of effect i of the control table.
func (b *bench) diesOfState(i int, how statestorefault.How) {
	state := statestorefault.New(b.state, statestorefault.Fault{At: i, How: how, Crash: true})
	lake := objectfault.New(b.lake, objectfault.Fault{})
	lake.DieWith(state.Dead)
	b.tickOn(lake, state)
}

// TestHistory_OfAReplacedCommit follows a commit to the one that took its place.
func TestHistory_OfAReplacedCommit(t *testing.T) {
	t.Parallel()
	b := lived(t)
	b.change(update(2, "B", "z"), update(4, "D", "y"))
	b.diesPending(func() bool { return b.foreign("dept=x/", 100, "foreign", "x") && b.halts("foreign") })
	b.acknowledge("foreign")
	b.must(b.settle())
	b.change(update(2, "BB", "z"))
	b.must(b.settle())
	got := b.tellings()
	slices.Sort(got[1:4])
	want := []string{"5 merge finished 1", "4 fence replaced 0", "4 merge finished 1", "4 merge replaced 1", "3 merge finished 1", "2 merge finished 1", "1 load finished 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

// TestHistory_BeginsWhereBookkeepingDoes, and says so; a plan that is not what sluice wrote is in its place all the same.
func TestHistory_BeginsWhereBookkeepingDoes(t *testing.T) {
	t.Parallel()
	b := lived(t)
	b.change(update(2, "B", "z"))
	b.must(b.settle())
	keys := b.lakeKeys("_sluice/product/commits/")
	for _, key := range keys {
		if name := key[len("_sluice/product/commits/"):]; strings.HasPrefix(name, "000000000001-") {
			b.must(b.lake.Delete(t.Context(), key, ""))
		} else if strings.HasPrefix(name, "000000000003-") && !strings.Contains(name, ".batch") && strings.HasSuffix(name, ".json") {
			b.put(key, []byte("{"))
		}
	}
	if _, rest := b.history(replicate.HistoryQuery{}); rest.First != 2 || rest.Older != 0 {
		t.Errorf("rest %+v", rest)
	}
	b.wantTold("4 merge finished 1", "3  unreadable 0", "2 merge finished 1")
}

func (b *bench) lakeKeys(prefix string) []string {
	b.t.Helper()
	var keys []string
	for key := range b.everything() {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// TestHistory_OfNothing is no error; of a table that is not registered it is.
func TestHistory_OfNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, product())
	_, err := b.engineOn(b.lake, b.state).History(t.Context(), "store.product", replicate.HistoryQuery{}, func(replicate.Commit) {})
	if !errors.Is(err, replicate.ErrUsage) {
		t.Errorf("got %v", err)
	}
	b.load(1, []any{1, "a", "x"})
	b.begin("id", "")
	if commits, rest := b.history(replicate.HistoryQuery{}); len(commits) != 0 || rest != (replicate.HistoryRest{}) {
		t.Errorf("%v, %+v", commits, rest)
	}
	before := b.item()
	b.history(replicate.HistoryQuery{})
	if diff := cmp.Diff(before, b.item()); diff != "" {
		t.Errorf("history changed the item:\n%s", diff)
	}
}
