package replicate_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"sluice/internal/replicate"
	"sluice/scripts/rig"
)

const uniqueKeys = "on_violation: quarantine\nrules:\n  - unique_key: true\n"

func (w *world) wantKept(columns string, want ...string) {
	w.t.Helper()
	if got := w.quarantine(columns); fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("quarantine %q, want %q", got, want)
	}
}

func TestContract_KeysAreUniqueInAFullLoad(t *testing.T) {
	load := func(text string) *world {
		w := newWorld(t)
		w.loadOf(1, rowsOf("id, v", "1, 'a'", "2, 'b'", "3, 'x!'"))
		w.loadOf(2, rowsOf("id, v", "2, 'bb'", "3, 'c'", "1, 'aa'", "4, 'd'", "4, 'dd'"))
		w.run(storyTable, replicate.Registered)
		w.activate(storyTable, "id", "")
		w.contracted(text)
		return w
	}
	w := load(uniqueKeys + "  - {column: v, pattern: '[^!]*'}\n")
	if got := w.run(storyTable, replicate.Loaded); got.Quarantined != 4 || got.Inserts != 4 {
		t.Errorf("%+v", got.Counts)
	}
	w.wantRows("id, v", "1 a", "2 b", "3 c", "4 d")
	w.wantKept("_sluice_row, _sluice_rule, v", "0 unique_key bb", "2 pattern x!", "2 unique_key aa", "4 unique_key dd")
	w = load("rules:\n  - unique_key: true\n")
	w.wantHalt("contract", "LOAD00000002.parquet: row 0", "unique_key")
}

func TestContract_KeysAreUniqueInAChangeFile(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	w.changeOf(rowsOf(`"Op", id, BI_id, v`,
		"'I', 1, NULL, 'in the lake, not in the file'",
		"'I', 2, NULL, 'b'", "'I', 2, NULL, 'twice'",
		"'I', 3, NULL, 'c'", "'D', 3, NULL, 'c'", "'I', 3, NULL, 'again'",
		"'I', 4, NULL, 'd'", "'U', 4, NULL, 'D'", "'I', 4, NULL, 'after an update'",
		"'I', 5, NULL, 'e'", "'U', 6, 5, 'moved'", "'I', 5, NULL, 'its key is free'"))
	w.changeOf(rowsOf(`"Op", id, v`, "'I', 2, 'another file'"))
	w.contracted(uniqueKeys)
	if got := w.run(storyTable, replicate.Merged); got.Quarantined != 2 {
		t.Errorf("%+v", got.Counts)
	}
	w.wantRows("id, v", "1 in the lake, not in the file", "2 another file", "3 again", "4 D", "5 its key is free", "6 moved")
	w.wantKept("_sluice_row, id, BI_id, v", "2 2 NULL twice", "8 4 NULL after an update")
}

// TestContract_DoesNotDependOnWhatIsMergedTogether merges the same files at once, one by one, and in parts.
func TestContract_DoesNotDependOnWhatIsMergedTogether(t *testing.T) {
	lake := ""
	for name, way := range map[string]func(w *world){
		"at once":    func(*world) {},
		"one by one": func(w *world) { w.tick() },
		"in parts":   func(w *world) { w.cramped = 1 << 10 },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "", `select i::int as id, 'old' as v from range(0, 500) r(i)`)
			w.contracted(uniqueKeys + "  - {column: v, pattern: '[^!]*'}\n")
			for n := range 6 {
				w.changeOf(fmt.Sprintf(`select case when i %% 5 = 0 then 'I' when i %% 11 = 0 then 'D' else 'U' end as "Op", (i * 7 + %d) %% 600 as id, 'v%d' || case when i %% 4 = 0 then '!' else '' end as v from range(0, 700) r(i)`, n, n))
				way(w)
			}
			w.tick()
			// Of each file: 163 of the 175 rows with a mark are no deletes, and 15 keys are inserted twice.
			if kept := w.quarantine("count(*), count(distinct (_sluice_file, _sluice_row))"); kept[0] != "1068 1068" {
				t.Errorf("quarantine %q", kept)
			}
			got := fmt.Sprint(w.rows(storyFolder, "id, v"))
			if lake == "" {
				lake = got
			}
			if got != lake {
				t.Errorf("the lake is %s, and another way %s", got, lake)
			}
			if v := w.verify(storyTable); !v.Well() {
				t.Errorf("verify: %+v", v)
			}
		})
	}
}

func TestContract_APartitionedLoadAndARowThatMoves(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, `select i::int as id, case when i % 9 = 0 then 'bad!' else 'v' || i end as v, 'p' || i % 3 as p from range(0, 300) r(i)`)
	w.loadOf(2, `select i::int as id, 'bad!' as v, 'q' as p from range(300, 310) r(i)`)
	w.loadOf(3, `select i::int as id, 'w' as v, 'p1' as p from range(310, 320) r(i)`)
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "p")
	w.contracted("on_violation: quarantine\nrules:\n  - {column: v, pattern: '[^!]*'}\n  - {column: p, in: [p0, p1, p2, q]}\n")
	if got := w.run(storyTable, replicate.Loaded); got.Quarantined != 44 || got.Inserts != 276 {
		t.Errorf("%+v", got.Counts)
	}
	w.wantRows("distinct p, count(*) over (partition by p)", "p0 66", "p1 110", "p2 100")
	w.changeOf(rowsOf(`"Op", id, v, p`, "'U', 1, 'moved', 'p2'", "'U', 2, 'bad!', 'q'", "'U', 4, 'x', 'elsewhere'", "'D', 5, 'bad!', 'elsewhere'"))
	if got := w.run(storyTable, replicate.Merged); got.Quarantined != 2 || got.Deletes != 1 {
		t.Errorf("%+v", got.Counts)
	}
	w.wantRows("distinct p, count(*) over (partition by p)", "p0 66", "p1 109", "p2 100")
	if v := w.verify(storyTable); !v.Well() {
		t.Errorf("verify: %+v", v)
	}
}

func TestContract_WithoutAKey(t *testing.T) {
	w := newWorld(t)
	w.begin("", "", rowsOf("v", "'a'"))
	w.contracted("on_violation: quarantine\nrules:\n  - {column: v, pattern: '[^!]*'}\n")
	w.changeOf(rowsOf(`"Op", v`, "'I', 'b'", "'I', 'c!'", "'U', 'd'", "'U', 'e!'", "'D', 'f!'"))
	if got := w.run(storyTable, replicate.Merged); got.Quarantined != 2 || got.Inserts != 1 || got.Anomalies != 2 {
		t.Errorf("%+v", got.Counts)
	}
	w.wantRows("v", "a", "b")
	if v := w.verify(storyTable); !v.Well() {
		t.Errorf("verify: %+v", v)
	}
	text := uniqueKeys
	if _, err := w.engine().Activate(t.Context(), storyTable, replicate.Activation{Contract: &text}); err == nil {
		t.Error("keys that there are not are to be unique")
	}
}

// TestContract_RowGroupsWithBadRowsAndWithout has loads of row groups of which one has bad rows, one has none and one has no other.
func TestContract_RowGroupsWithBadRowsAndWithout(t *testing.T) {
	const query = `select i::int as id, case when i between 2048 and 4095 and i % 3 = 0 or i >= 6144 then 'bad!' else 'v' || i end as v, 'p' || i % 4 as p from range(0, 8000) r(i)`
	for name, partition := range map[string]string{"one folder": "", "partitions": "p"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			key := w.loadOf(1, query)
			path := filepath.Join(w.root, "raw", key)
			rig.DuckDB(t).Query(fmt.Sprintf("copy (%s) to '%s' (format parquet, row_group_size 2048)", query, path))
			w.date(path)
			w.run(storyTable, replicate.Registered)
			w.activate(storyTable, "id", partition)
			w.contracted("on_violation: quarantine\nrules:\n  - {column: v, pattern: '[^!]*'}\n")
			if got := w.run(storyTable, replicate.Loaded); got.Quarantined != 683+1856 || got.Inserts != 8000-683-1856 {
				t.Errorf("%+v", got.Counts)
			}
			lake := filepath.Join(w.root, "lake", storyFolder, "**", "*.parquet")
			left := rig.DuckDB(t).Query(fmt.Sprintf(`(select id, v, p from (%[1]s) where v <> 'bad!' except all select id, v, p from read_parquet('%[2]s', hive_partitioning=true))
				union all (select id, v, p from read_parquet('%[2]s', hive_partitioning=true) except all select id, v, p from (%[1]s) where v <> 'bad!')`, query, lake))
			if len(left) > 0 {
				t.Errorf("lake and good rows differ in %d rows, such as %v", len(left), left[0])
			}
			if v := w.verify(storyTable); !v.Well() {
				t.Errorf("verify: %+v", v)
			}
		})
	}
}
