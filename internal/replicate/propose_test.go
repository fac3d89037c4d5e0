package replicate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/lake"
	"sluice/internal/replicate"
	"sluice/scripts/rig"
	"sluice/statestore"
)

// propose activates store.t without a key.
func (w *world) propose(a replicate.Activation) replicate.Table {
	w.t.Helper()
	t, err := w.engine().Activate(w.t.Context(), storyTable, a)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

func keyNames(list []lake.KeyCount) []string {
	var names []string
	for _, k := range list {
		names = append(names, strings.Join(k.Columns, "+"))
	}
	return names
}

// TestActivateProposesKeys counts as DuckDB does, and says what the run then does.
func TestActivateProposesKeys(t *testing.T) {
	w := newWorld(t)
	keys := []string{
		w.loadOf(1, "select v, ref, (20 + i)::bigint as code, i as order_id, now() as at from (select i, 'x' as v, case when i % 3 = 0 then null else 'r' || i end as ref from range(50) t(i))"),
		w.loadOf(2, "select v, ref, (20 + i)::bigint as code, i as order_id, now() as at from (select i, 'x' as v, 'r' || (i // 2) as ref from range(50, 100) t(i))"),
	}
	w.run(storyTable, replicate.Registered)
	before := w.item(storyPath)
	got := w.propose(replicate.Activation{DryRun: true})
	if diff := cmp.Diff(before, w.item(storyPath)); diff != "" || got.Active {
		t.Errorf("a dry run changed the item:\n%s", diff)
	}
	p := got.Proposal
	if names := keyNames(p.Keys); !cmp.Equal(names, []string{"order_id", "code"}) || p.Rows != 100 || p.Files != 2 || p.Reason != "" || p.Read == 0 {
		t.Errorf("keys %v, %+v", names, p)
	}
	for _, k := range append(p.Keys, p.Others...) {
		sql := fmt.Sprintf("select count(*), count(distinct \"%[1]s\"), count(*) - count(\"%[1]s\") from read_parquet('%[2]s/raw/store/t/*.parquet')", k.Columns[0], w.root)
		want := rig.DuckDB(t).Query(sql)[0]
		if fmt.Sprint(k.Rows, k.Distinct, k.Nulls) != fmt.Sprint(want...) || !k.Exact || !k.Whole {
			t.Errorf("%+v, DuckDB counts %v", k, want)
		}
	}
	if f := p.Run; f.Action != replicate.Loaded || !cmp.Equal(f.Inputs, keys) || f.Rows != 100 || f.FilesCreated != 1 || f.BytesToRead == 0 || f.BytesToWrite == 0 {
		t.Errorf("the run: %+v", f)
	}
	if got := w.propose(replicate.Activation{}); !got.Active || len(got.Proposal.Keys) != 2 {
		t.Errorf("activated: %+v", got)
	}
	if got := w.run(storyTable, replicate.Loaded); got.Inserts != p.Run.Rows || got.FilesCreated != p.Run.FilesCreated {
		t.Errorf("the run did %+v, foreseen was %+v", got, p.Run)
	}
}

// TestActivateProposesNothingUnasked: a key that is set, a key-less table on purpose, and one that was loaded already.
func TestActivateProposesNothingUnasked(t *testing.T) {
	id, none, strict := "id", "null", "strict"
	begun := func(t *testing.T) *world {
		t.Helper()
		w := newWorld(t)
		w.loadOf(1, rowsOf("id, v", "1, 'a'"))
		w.run(storyTable, replicate.Registered)
		return w
	}
	t.Run("a key", func(t *testing.T) {
		w := begun(t)
		if got := w.propose(replicate.Activation{PrimaryKey: &id}); got.Proposal != nil || got.PrimaryKey != "id" {
			t.Errorf("%+v", got)
		}
		if got := w.propose(replicate.Activation{}); got.Proposal != nil || got.PrimaryKey != "id" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("null", func(t *testing.T) {
		w := begun(t)
		if got := w.propose(replicate.Activation{PrimaryKey: &none}); got.Proposal != nil || !got.Active || got.PrimaryKey != statestore.NoColumns {
			t.Errorf("%+v", got)
		}
		if got := w.propose(replicate.Activation{SchemaPolicy: &strict}); got.Proposal != nil {
			t.Errorf("%+v", got)
		}
	})
	t.Run("loaded, switched off and on", func(t *testing.T) {
		w := begun(t)
		w.propose(replicate.Activation{PrimaryKey: &none})
		w.run(storyTable, replicate.Loaded)
		if _, err := w.engine().Deactivate(t.Context(), storyTable); err != nil {
			t.Fatal(err)
		}
		if got := w.propose(replicate.Activation{}); got.Proposal != nil || !got.Active {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a dry run with a key says what a run would do", func(t *testing.T) {
		w := begun(t)
		got := w.propose(replicate.Activation{PrimaryKey: &id, DryRun: true})
		if got.Active || got.Proposal == nil || len(got.Proposal.Keys) != 0 || got.Proposal.Run.Action != replicate.Loaded {
			t.Errorf("%+v", got)
		}
	})
}

func TestActivateHasNothingToPropose(t *testing.T) {
	for name, c := range map[string]struct {
		write func(w *world)
		says  string
	}{
		"no full load":  {func(w *world) { w.changeOf(rowsOf(`"Op", id`, "'I', 1")) }, "no full load"},
		"nothing tells": {func(w *world) { w.loadOf(1, rowsOf("a, b", "1, 'x'", "1, 'x'")) }, "unique"},
		"no rows":       {func(w *world) { w.loadOf(1, rowsOf("a, b", "1, 'x'")+" limit 0") }, "unique"},
		"broken":        {func(w *world) { w.put("raw", "store/t/LOAD00000001.parquet", []byte("PAR1")) }, "LOAD00000001"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.write(w)
			w.run(storyTable, replicate.Registered)
			got := w.propose(replicate.Activation{})
			if !got.Active || got.Proposal == nil || len(got.Proposal.Keys) > 0 || !strings.Contains(got.Proposal.Reason, c.says) {
				t.Errorf("%+v, %+v", got, got.Proposal)
			}
		})
	}
}

func TestActivateProposesPairs(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, "select 'n' || (i % 10) as region, i // 10 as nr, 'x' as v from range(100) t(i)")
	w.run(storyTable, replicate.Registered)
	if got := w.propose(replicate.Activation{}); !cmp.Equal(keyNames(got.Proposal.Keys), []string{"region+nr"}) {
		t.Errorf("%+v", got.Proposal)
	}
}
