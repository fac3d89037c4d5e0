package replicate_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sluice/internal/replicate"
	"sluice/statestore"
)

// debezium is SQL for rows as Debezium's ExtractNewRecordState writes them: __op, __source_ts_ms and __deleted behind the columns.
func debezium(columns string, rows ...string) string {
	return rowsOf(columns+", __op, __source_ts_ms, __deleted", rows...)
}

func (w *world) dialect(want string) {
	w.t.Helper()
	tables, err := w.engine().Tables(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if len(tables) != 1 || tables[0].Dialect != want || w.item(storyPath)[statestore.Dialect] != want {
		w.t.Errorf("tables say %+v, want dialect %q", tables, want)
	}
}

func (w *world) setDialect(to string) {
	w.t.Helper()
	if _, err := w.engine().Activate(w.t.Context(), storyTable, replicate.Activation{Dialect: &to}); err != nil {
		w.t.Fatal(err)
	}
}

// TestDebezium_fromSnapshotOn has a snapshot, then every kind of change; deletes carry the whole row, or the key alone.
func TestDebezium_fromSnapshotOn(t *testing.T) {
	for name, partition := range map[string]string{"one folder": "", "partitions": "dept"} {
		t.Run(name, func(t *testing.T) {
			w, got := story{
				key: "id", partition: partition,
				loads: []string{
					debezium("id, v, dept", "1, 'a', 'x', 'r', 10, 'false'", "2, 'b', 'x', 'r', 10, 'false'", "3, 'c', 'y', 'r', 10, 'false'"),
					debezium("id, v, dept", "6, 'f', 'x', 'u', 10, 'false'"),
				},
				changes: []string{
					debezium("id, v, dept", "1, 'A', 'x', 'u', 20, 'false'", "4, 'd', 'y', 'c', 21, 'false'"),
					debezium("id, v, dept", "2, 'b', 'x', 'd', 30, 'true'", "3, null, null, 'd', 31, 'true'", "5, 'e', 'x', 'c', 32, 'false'", "5, 'E', 'y', 'u', 33, 'false'"),
				},
				columns: `id, v, dept, "Op", __source_ts_ms`,
				want:    []string{"1 A x U 20", "4 d y I 21", "5 E y U 33", "6 f x U 10"},
			}.play(t)
			if got.Changes != 6 {
				t.Errorf("%d changes, want 6", got.Changes)
			}
			w.dialect("debezium")
			for _, file := range w.files(storyFolder) {
				if got := strings.Join(w.columnsOf(file), " "); strings.Contains(got, "__op") || strings.Contains(got, "__deleted") {
					t.Errorf("%s has the columns %s", file, got)
				}
			}
			if v := w.verify(storyTable); !v.Equal || !v.Complete || v.RowsRaw != 4 {
				t.Errorf("verify: %+v", v)
			}
			if got, err := w.engine().Rebuild(t.Context(), storyTable); err != nil || got.Action != replicate.Rebuilt {
				t.Errorf("rebuild: %+v, %v", got, err)
			}
			w.wantRows(`id, v, dept, __source_ts_ms`, "1 A x 20", "4 d y 21", "5 E y 33", "6 f x 10")
		})
	}
}

// TestDebezium_toldByColumns tells the dialect by columns and types.
func TestDebezium_toldByColumns(t *testing.T) {
	for name, c := range map[string]struct {
		change  string
		want    []string
		columns string
		dialect string
	}{
		"op alone":             {rowsOf("id, v, __op", "1, null, 'd'", "2, 'b', 'c'"), []string{"2 b"}, "id, v", "debezium"},
		"deleted alone, text":  {rowsOf("id, v, __deleted", "1, null, 'true'", "2, 'b', 'false'"), []string{"2 b"}, "id, v", "debezium"},
		"deleted alone, bool":  {rowsOf("id, v, __deleted", "1, null, true", "2, 'b', false"), []string{"2 b"}, "id, v", "debezium"},
		"op NULL, deleted not": {rowsOf("id, v, __op, __deleted", "1, null, null::text, 'true'", "2, 'b', null, 'false'"), []string{"2 b"}, "id, v", "debezium"},
		"deleted NULL, op not": {rowsOf("id, v, __op, __deleted", "1, null, 'd', null::text", "2, 'b', 'r', null"), []string{"2 b"}, "id, v", "debezium"},
		"Op wins":              {rowsOf(`"Op", id, v, __op, __deleted`, "'U', 1, 'A', 'd', 'true'"), []string{"1 A d true"}, "id, v, __op, __deleted", "dms"},
		"op that is a number":  {rowsOf("id, v, __op", "1, 'A', 5"), []string{"1 A 5"}, "id, v, __op", "dms"},
		"neither":              {rowsOf("id, v", "1, 'A'"), []string{"1 A"}, "id, v", "dms"},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := story{key: "id", loads: []string{rowsOf("id, v", "1, 'a'")}, changes: []string{c.change}, columns: c.columns, want: c.want}.play(t)
			w.dialect(c.dialect)
		})
	}
	t.Run("a full load tells nothing", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, v", "1, 'a'"))
		w.dialect("")
	})
}

func TestDebezium_whatIsNoRowHalts(t *testing.T) {
	for name, c := range map[string]struct{ row, says string }{
		"truncate":        {"null, null, 't', 1, null", "truncated"},
		"message":         {"null, null, 'm', 1, null", "message"},
		"another letter":  {"1, 'a', 'x', 1, 'false'", "c, u, d, r"},
		"a longer text":   {"1, 'a', 'secret', 1, 'false'", "a text of 6 bytes"},
		"neither":         {"1, 'a', null, 1, null", "neither __op nor __deleted"},
		"contradiction":   {"1, 'a', 'c', 1, 'true'", "contradict"},
		"contradiction 2": {"1, 'a', 'd', 1, 'false'", "contradict"},
		"no boolean":      {"1, 'a', 'd', 1, 'yes'", "neither true nor false"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
			w.changeOf(debezium("id, v", "2, 'B', 'u', 1, 'false'", c.row))
			if got := w.wantHalt("input", "row 1", c.says); strings.Contains(got.Reason, "secret") {
				t.Errorf("the reason holds a value: %s", got.Reason)
			}
			w.wantRows("id, v", "1 a", "2 b")
		})
	}
}

// TestDebezium_aLoadWithADeletedRowHalts, as one of DMS's does; row groups are copied only where every row is an insert.
func TestDebezium_aLoadWithADeletedRowHalts(t *testing.T) {
	for name, load := range map[string]string{
		"op and deleted": debezium("id, v", "1, 'a', 'r', 1, 'false'", "2, 'b', 'd', 1, 'true'"),
		"op":             rowsOf("id, v, __op", "1, 'a', 'r'", "2, 'b', 'd'"),
		"deleted":        rowsOf("id, v, __deleted", "1, 'a', 'false'", "2, 'b', 'true'"),
		"boolean":        rowsOf("id, v, __deleted", "1, 'a', false", "2, 'b', true"),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.loadOf(1, load)
			w.run(storyTable, replicate.Registered)
			w.activate(storyTable, "id", "")
			w.wantHalt("input", "LOAD00000001", "Op is D")
		})
	}
}

// TestDialectThatChangesInMidLifeHalts: what is before is merged, nothing behind is guessed, and the operator goes on.
func TestDialectThatChangesInMidLifeHalts(t *testing.T) {
	dms := func(v string) string { return rowsOf(`"Op", id, v`, "'U', 1, '"+v+"'") }
	other := func(v string) string {
		return rowsOf("id, v, __op, __deleted", "1, '"+v+"', 'u', 'false'", "2, null, 'd', 'true'")
	}
	t.Run("to Debezium", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
		w.changeOf(dms("A"))
		w.changeOf(other("AA"))
		w.wantHalt("input", "--dialect debezium", "acknowledge")
		w.wantRows("id, v", "1 A", "2 b")
		w.dialect("dms")
		w.setDialect("debezium")
		w.acknowledge("")
		w.run(storyTable, replicate.Merged)
		w.wantRows("id, v", "1 AA")
		if v := w.verify(storyTable); !v.Equal || !v.Complete {
			t.Errorf("verify: %+v", v)
		}
		if got, err := w.engine().Rebuild(t.Context(), storyTable); err != nil || got.Action != replicate.Rebuilt {
			t.Errorf("rebuild: %+v, %v", got, err)
		}
		w.wantRows("id, v", "1 AA")
	})
	t.Run("to DMS", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
		w.changeOf(other("AA"))
		w.changeOf(dms("A"))
		w.wantHalt("input", "--dialect dms", "column Op")
		w.wantRows("id, v", "1 AA")
		w.setDialect("dms")
		w.acknowledge("")
		w.run(storyTable, replicate.Merged)
		w.wantRows("id, v", "1 A")
		if got, err := w.engine().Rebuild(t.Context(), storyTable); err != nil || got.Action != replicate.Rebuilt {
			t.Errorf("rebuild: %+v, %v", got, err)
		}
		w.wantRows("id, v", "1 A")
	})
	t.Run("to files that tell nothing", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
		w.changeOf(other("AA"))
		w.changeOf(rowsOf("id, v", "1, 'AAA'"))
		w.wantHalt("input", "neither __op nor __deleted", "delete.tombstone.handling.mode=rewrite")
		w.wantRows("id, v", "1 AA")
	})
	t.Run("a reload", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, v", "1, 'a'"))
		w.changeOf(dms("A"))
		w.run(storyTable, replicate.Merged)
		w.pass(time.Minute)
		w.loadOf(1, rowsOf("id, v, __op, __deleted", "1, 'new', 'r', 'false'"))
		w.wantHalt("input", "--dialect debezium")
		w.wantRows("id, v", "1 A")
	})
	t.Run("two LOAD files", func(t *testing.T) {
		w := newWorld(t)
		w.loadOf(1, rowsOf(`"Op", id, v`, "'I', 1, 'a'"))
		w.loadOf(2, rowsOf("id, v, __op", "2, 'b', 'r'"))
		w.run(storyTable, replicate.Registered)
		w.activate(storyTable, "id", "")
		w.wantHalt("input", "LOAD00000002")
	})
	t.Run("a file without rows says nothing", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, v", "1, 'a'"))
		w.changeOf(dms("A"))
		w.changeOf(other("AA") + " limit 0")
		w.changeOf(dms("AAA"))
		w.run(storyTable, replicate.Merged)
		w.wantRows("id, v", "1 AAA")
	})
}

// TestDialectIsTheOperators: a source has columns that are named as Debezium's are.
func TestDialectIsTheOperators(t *testing.T) {
	load := rowsOf("id, v, __deleted", "1, 'a', 'false'", "2, 'b', 'true'")
	w := newWorld(t)
	w.loadOf(1, load)
	w.run(storyTable, replicate.Registered)
	w.setDialect("dms")
	w.activate(storyTable, "id", "")
	w.run(storyTable, replicate.Loaded)
	w.changeOf(rowsOf(`"Op", id, v, __deleted`, "'U', 1, 'A', 'true'"))
	w.run(storyTable, replicate.Merged)
	w.changeOf(rowsOf(`id, v, __deleted`, "1, 'AA', 'true'")) // inserts only
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v, __deleted", "1 AA true", "2 b true")
	w.pass(time.Minute)
	w.loadOf(1, rowsOf("id, v, __deleted", "3, 'c', 'true'"))
	w.run(storyTable, replicate.Loaded)
	w.wantRows("id, v, __deleted", "3 c true")
	w.set(storyPath, map[string]string{statestore.Dialect: "maxwell"})
	w.wantHalt("settings", "Dialect", "--dialect")
}

// TestDialectIsNotLostToACommitUnderWay, which records what it found when it ends.
func TestDialectIsNotLostToACommitUnderWay(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, debezium("id, v", "1, 'a', 'r', 1, 'false'"))
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	w.set(storyPath, map[string]string{statestore.CommitID: "under-way"})
	to := "dms"
	if _, err := w.engine().Activate(t.Context(), storyTable, replicate.Activation{Dialect: &to}); !errors.Is(err, replicate.ErrUsage) || !strings.Contains(err.Error(), "under way") {
		t.Errorf("got %v", err)
	}
	if got := w.item(storyPath)[statestore.Dialect]; got != "" {
		t.Errorf("dialect %q", got)
	}
}

// TestDialectOfAnOlderLake: columns that the lake has as data are not taken for Debezium's without asking.
func TestDialectOfAnOlderLake(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf(`"Op", id, v, __deleted`, "'I', 1, 'a', 'false'"))
	item := w.item(storyPath)
	if _, err := w.state.Update(t.Context(), statestore.Update{Path: storyPath, Remove: []string{statestore.Dialect}}); err != nil || item[statestore.Dialect] != "dms" {
		t.Fatal(err, item)
	}
	w.changeOf(rowsOf("id, v, __deleted", "1, 'A', 'true'"))
	w.wantHalt("input", "--dialect dms", "--dialect debezium")
	w.setDialect("dms")
	w.acknowledge("")
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v, __deleted", "1 A true")
}

func TestDebezium_keyless(t *testing.T) {
	t.Run("with the op", func(t *testing.T) {
		w := newWorld(t)
		w.begin("", "", debezium("id, v", "1, 'a', 'r', 1, 'false'"))
		w.changeOf(debezium("id, v", "2, 'b', 'c', 1, 'false'", "1, 'A', 'u', 1, 'false'", "1, 'a', 'd', 1, 'true'"))
		if got := w.run(storyTable, replicate.Merged); got.Anomalies != 2 {
			t.Errorf("%d anomalies, want 2", got.Anomalies)
		}
		w.wantRows("id, v", "1 a", "2 b")
	})
	t.Run("without", func(t *testing.T) {
		w := newWorld(t)
		w.begin("", "", rowsOf("id, v, __deleted", "1, 'a', 'false'"))
		w.changeOf(rowsOf("id, v, __deleted", "1, 'A', 'false'"))
		w.wantHalt("input", "add.fields=op")
		w.wantRows("id, v", "1 a")
	})
}

// TestDebezium_orderColumn has changes in files that are not in their order.
func TestDebezium_orderColumn(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, debezium("id, v", "1, 'a', 'r', 10, 'false'", "2, 'b', 'r', 10, 'false'"))
	w.run(storyTable, replicate.Registered)
	w.set(storyPath, map[string]string{statestore.OrderColumn: "__source_ts_ms"})
	w.activate(storyTable, "id", "")
	w.run(storyTable, replicate.Loaded)
	w.changeOf(debezium("id, v", "1, 'new', 'u', 30, 'false'", "1, 'old', 'u', 20, 'false'", "2, null, 'd', 25, 'true'", "2, 'old', 'u', 24, 'false'"))
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v, __source_ts_ms", "1 new 30")
}

// TestDebezium_columnsOfTheLakesNames: the lake's own column is named Op.
func TestDebezium_columnsOfTheLakesNames(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	w.changeOf(rowsOf("id, v, op, __op", "1, 'A', 'x', 'u'"))
	w.wantHalt("schema", "op")
}

// TestDialectOfExecutionsInSteps: whoever carries out a load knows how its files are read by the plan alone.
func TestDialectOfExecutionsInSteps(t *testing.T) {
	const load = "select i as id, (select string_agg(md5((1000 * i + j)::varchar), '') from range(700) u(j)) as v, 'd' || (i %% 3) as dept, %s from range(300) t(i) where i %% 3 = %d"
	for name, c := range map[string]struct {
		marks, partition string
		dialect          string
		also             string
		want             []string
	}{
		"Debezium":                 {"'r' as __op, 'false' as __deleted", "", "", "", []string{"300"}},
		"Debezium, partitioned":    {"'r' as __op, 'false' as __deleted", "dept", "", "", []string{"300"}},
		"data of those names":      {"'false' as __deleted", "", "dms", ", any_value(__deleted)", []string{"300 false"}},
		"data, and it partitioned": {"'false' as __deleted", "dept", "dms", ", any_value(__deleted)", []string{"300 false"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.ticker = (&workflow{world: w, rng: rand.New(rand.NewPCG(1, 1)), inline: 1}).tick
			w.config.TargetFileBytes = 1 << 20
			for n := range 3 {
				w.loadOf(n+1, fmt.Sprintf(load, c.marks, n))
			}
			w.run(storyTable, replicate.Registered)
			w.setDialect(c.dialect)
			w.activate(storyTable, "id", c.partition)
			var plan replicate.Forecast
			if err := w.engine().Forecast(t.Context(), func(f replicate.Forecast) { plan = f }); err != nil || plan.Action != replicate.Loaded || plan.Rows != 300 {
				t.Errorf("plan: %+v, %v", plan, err)
			}
			w.run(storyTable, replicate.Loaded)
			files := w.files(storyFolder)
			if len(files) < 3 {
				t.Errorf("%d files: the load had no steps", len(files))
			}
			if has := strings.Contains(strings.Join(w.columnsOf(files[0]), " "), "__"); has != (c.dialect == "dms") {
				t.Errorf("columns %q", w.columnsOf(files[0]))
			}
			w.wantRows("count(*)"+c.also, c.want...)
		})
	}
}
