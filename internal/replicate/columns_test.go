package replicate_test

import (
	"strings"
	"testing"

	"sluice/internal/replicate"
	"sluice/statestore"
)

// columnEvent is a row of the table in docs/SCHEMA.md: what happens to the columns of the inputs, and what comes of it.
type columnEvent struct {
	load, change string   // the full load, of two rows, and a change file of other columns
	evolve       []string // the lake when SchemaPolicy is evolve; nil = a halt in both policies
	strict       string   // of which the halt of strict speaks; accepted, the lake is as evolve or wide has it
	wide         []string // the lake when --accept schema rewrote it to a wider type
	read         string   // columns read of it
}

func columnEvents() map[string]columnEvent {
	old := rowsOf("id, a, b", "1, 'x', 10", "2, 'y', 20")
	return map[string]columnEvent{
		"added at the end": {
			load: old, change: rowsOf(`"Op", id, a, b, c`, "'U', 2, 'Y', 21, 'new'"),
			read: "id, a, b, c", evolve: []string{"1 x 10 NULL", "2 Y 21 new"}, strict: `"c" (string) is new`,
		},
		"added in the middle": {
			load: old, change: rowsOf(`"Op", id, c, a, b`, "'U', 2, 'new', 'Y', 21"),
			read: "*", evolve: []string{"I 1 x 10 NULL", "U 2 Y 21 new"}, strict: `"c" (string) is new`,
		},
		"dropped": {
			load: old, change: rowsOf(`"Op", id, a`, "'U', 2, 'Y'"),
			read: "id, a, b", evolve: []string{"1 x 10", "2 Y NULL"}, strict: `"b" is gone`,
		},
		"renamed": {
			load: old, change: rowsOf(`"Op", id, a, bb`, "'U', 2, 'Y', 21"),
			read: "id, a, b, bb", evolve: []string{"1 x 10 NULL", "2 Y NULL 21"}, strict: `"bb" (int) is new, "b" is gone`,
		},
		"widened, and every value fits": {
			load: old, change: rowsOf(`"Op", id, a, b`, "'U', 2, 'Y', 21::bigint"),
			read: "id, a, b, typeof(b)", evolve: []string{"1 x 10 INTEGER", "2 Y 21 INTEGER"}, strict: `"b" is bigint and was int`,
			wide: []string{"1 x 10 BIGINT", "2 Y 21 BIGINT"},
		},
		"narrowed": {
			load: rowsOf("id, a, b", "1, 'x', 10::bigint", "2, 'y', 20"), change: rowsOf(`"Op", id, a, b`, "'U', 2, 'Y', 21::smallint"),
			read: "id, a, b, typeof(b)", evolve: []string{"1 x 10 BIGINT", "2 Y 21 BIGINT"}, strict: `"b" is smallint and was bigint`,
		},
		"widened from int to bigint": {
			load: old, change: rowsOf(`"Op", id, a, b`, "'U', 2, 'Y', 3000000000"),
			read: "id, a, b, typeof(b)", strict: `"b" is bigint and was int`, wide: []string{"1 x 10 BIGINT", "2 Y 3000000000 BIGINT"},
		},
		"a decimal widened": {
			load:   rowsOf("id, a, b", "1, 'x', 1.25::decimal(5,2)", "2, 'y', 2.50"),
			change: rowsOf(`"Op", id, a, b`, "'U', 2, 'Y', 123456.125::decimal(12,3)"),
			read:   "id, a, b, typeof(b)", strict: `"b" is decimal(12,3) and was decimal(5,2)`,
			wide: []string{"1 x 1.250 DECIMAL(12,3)", "2 Y 123456.125 DECIMAL(12,3)"},
		},
		"of another type that has no other values": {
			load: old, change: rowsOf(`"Op", id, a, b`, "'U', 2, 'Y', 'twenty'"),
			read: "id, a, b", strict: `"b" is string and was int`,
		},
	}
}

func (e columnEvent) begin(t *testing.T, policy string) *world {
	t.Helper()
	w := newWorld(t)
	w.begin("id", "", e.load)
	if _, err := w.engine().Activate(t.Context(), storyTable, replicate.Activation{SchemaPolicy: &policy}); err != nil {
		t.Fatal(err)
	}
	w.changeOf(`select 'D' as "Op", 9 as id, a, b from (` + e.load + `) limit 1`)
	w.tick()
	w.changeOf(e.change)
	return w
}

func TestColumnsThatChangeWhereTheSchemaEvolves(t *testing.T) {
	for name, e := range columnEvents() {
		t.Run(name, func(t *testing.T) {
			w := e.begin(t, "evolve")
			if e.evolve != nil {
				w.run(storyTable, replicate.Merged)
				w.wantRows(e.read, e.evolve...)
				w.run(storyTable, replicate.Idle)
				return
			}
			before := w.rows(storyFolder, "*")
			got := w.wantHalt("schema", `"b"`)
			if offers := strings.Contains(got.Reason, "--accept schema"); offers != (e.wide != nil) {
				t.Errorf("halt %q offers --accept schema: %t", got.Reason, offers)
			}
			w.wantRows("*", before...)
			if e.wide != nil {
				w.acknowledge("schema")
				w.run(storyTable, replicate.Merged)
				w.wantRows(e.read, e.wide...)
			}
		})
	}
}

func TestColumnsThatChangeWhereTheSchemaIsStrict(t *testing.T) {
	for name, e := range columnEvents() {
		t.Run(name, func(t *testing.T) {
			w := e.begin(t, "strict")
			before := w.rows(storyFolder, "*")
			w.wantHalt("schema", "store/t/20260314-", e.strict, "--accept schema")
			w.wantRows("*", before...)
			w.acknowledge("schema")
			want := e.wide
			if want == nil {
				want = e.evolve
			}
			if want == nil { // nothing holds both: what was accepted cannot be done
				w.wantHalt("schema", `"b"`)
				w.wantRows("*", before...)
				return
			}
			w.run(storyTable, replicate.Merged)
			w.wantRows(e.read, want...)
			w.run(storyTable, replicate.Idle)
			w.changeOf(e.change)
			if got := w.tick()[storyTable]; got.Action == replicate.Halted {
				t.Errorf("the columns that were accepted halt once more: %s", got.Reason)
			}
		})
	}
}

func TestColumnThatComesBack(t *testing.T) {
	for policy, events := range map[string][]string{"evolve": nil, "strict": {`"b" is gone`, `"b" (int) is new`}} {
		t.Run(policy, func(t *testing.T) {
			w := columnEvents()["dropped"].begin(t, policy)
			for n, change := range []string{"", rowsOf(`"Op", id, a, b`, "'U', 1, 'X', 11")} {
				if change != "" {
					w.changeOf(change)
				}
				if events != nil {
					w.wantHalt("schema", events[n])
					w.acknowledge("schema")
				}
				w.run(storyTable, replicate.Merged)
			}
			w.wantRows("id, a, b", "1 X 11", "2 Y NULL")
		})
	}
}

func TestColumnThatComesBackWithAnotherType(t *testing.T) {
	w := columnEvents()["dropped"].begin(t, "evolve")
	w.run(storyTable, replicate.Merged)
	w.changeOf(rowsOf(`"Op", id, a, b`, "'U', 1, 'X', 1.5::double"))
	w.wantHalt("schema", `"b"`, "double", "--accept schema")
	w.acknowledge("schema")
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, a, b, typeof(b)", "1 X 1.5 DOUBLE", "2 Y NULL DOUBLE")
}

func TestStrictMergesWhatComesBeforeAChangeOfColumns(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
	w.set(storyPath, map[string]string{statestore.SchemaPolicy: "strict"})
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.changeOf(`select 'U' as "Op", 1 as id limit 0`) // without rows: it contradicts nothing
	second := w.changeOf(rowsOf(`"Op", id, v, w`, "'U', 2, 'B', 'w'"))
	third := w.changeOf(rowsOf(`"Op", id, v`, "'I', 3, 'c'"))
	got := w.wantHalt("schema", second, `"w" (string) is new`)
	if got.Inputs != 2 || got.Updates != 1 {
		t.Errorf("before the halt %d inputs and %+v, want the two files before the change", got.Inputs, got.Counts)
	}
	w.wantRows("id, v", "1 A", "2 b")
	w.acknowledge("schema")
	w.wantHalt("schema", third, `"w" is gone`)
	w.wantRows("id, v, w", "1 A NULL", "2 B w")
	w.acknowledge("schema")
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v, w", "1 A NULL", "2 B w", "3 c NULL")
	w.run(storyTable, replicate.Idle)
}

func TestStrictHaltsAFullLoadOfOtherColumns(t *testing.T) {
	t.Run("a reload", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, v", "1, 'a'"))
		w.set(storyPath, map[string]string{statestore.SchemaPolicy: "strict"})
		w.pass(3600e9)
		w.loadOf(1, rowsOf("id, v, w", "1, 'b', 2"))
		w.wantHalt("schema", "LOAD00000001.parquet", `"w" (int) is new`)
		w.wantRows("id, v", "1 a")
		w.acknowledge("schema")
		w.run(storyTable, replicate.Loaded)
		w.wantRows("id, v, w", "1 b 2")
		w.run(storyTable, replicate.Idle)
	})
	t.Run("a fenced reload is accepted with its columns", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, v", "1, 'a'"))
		w.set(storyPath, map[string]string{statestore.SchemaPolicy: "strict", statestore.ReloadPolicy: "fence"})
		w.pass(3600e9)
		w.loadOf(1, rowsOf("id, w", "1, 2"))
		w.wantHalt("reload")
		w.acknowledge("reload")
		w.run(storyTable, replicate.Loaded)
		w.wantRows("id, w", "1 2")
	})
	t.Run("files of one load", func(t *testing.T) {
		w := newWorld(t)
		w.loadOf(1, rowsOf("id, v", "1, 'a'"))
		w.loadOf(2, rowsOf("id, w", "2, 'b'"))
		w.run(storyTable, replicate.Registered)
		w.set(storyPath, map[string]string{statestore.SchemaPolicy: "strict"})
		w.activate(storyTable, "id", "")
		w.wantHalt("schema", "LOAD00000002.parquet", `"v" is gone`)
		w.acknowledge("schema")
		w.run(storyTable, replicate.Loaded)
		w.wantRows("id, v, w", "1 a NULL", "2 NULL b")
	})
}

func TestStrictComparesALateFileWithTheColumnsOfNow(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
	w.set(storyPath, map[string]string{statestore.SchemaPolicy: "strict"})
	w.pass(60e9)
	late := "store/t/" + w.now().Format("20060102-150405") + "000.parquet"
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.run(storyTable, replicate.Merged)
	w.write("raw", late, rowsOf(`"Op", id`, "'U', 2"))
	w.wantHalt("schema", late, `"v" is gone`)
	w.acknowledge("schema")
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 A", "2 NULL")
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'AA'"))
	w.run(storyTable, replicate.Merged)
}

func TestStrictLetsARebuildTakeWhatWasAccepted(t *testing.T) {
	w := columnEvents()["renamed"].begin(t, "strict")
	w.wantHalt("schema")
	w.acknowledge("schema")
	w.run(storyTable, replicate.Merged)
	if got, err := w.engine().Rebuild(t.Context(), storyTable); err != nil || got.Action != replicate.Rebuilt {
		t.Fatalf("rebuild: %+v, %v", got, err)
	}
	w.wantRows("id, a, b, bb", "1 x 10 NULL", "2 Y NULL 21")
	w.changeOf(rowsOf(`"Op", id, a, bb`, "'U', 1, 'X', 1"))
	w.run(storyTable, replicate.Merged)
}

func TestSchemaPolicyThatIsNone(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	if _, err := w.engine().Activate(t.Context(), storyTable, replicate.Activation{SchemaPolicy: new("lax")}); err == nil {
		t.Error("activate takes any policy")
	}
	w.set(storyPath, map[string]string{statestore.SchemaPolicy: "lax"})
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.wantHalt("settings", "SchemaPolicy", "--schema-policy")
}

func TestTextThatBecomesLongerIsNoChangeOfColumns(t *testing.T) {
	for _, policy := range []string{"evolve", "strict"} {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, v", "1, 'a'"))
		w.set(storyPath, map[string]string{statestore.SchemaPolicy: policy})
		w.changeOf(rowsOf(`"Op", v, id`, "'U', repeat('long ', 20000), 1"))
		w.run(storyTable, replicate.Merged)
		w.wantRows("id, length(v)", "1 100000")
	}
}

func TestFullLoadOfOtherColumnsReplacesThem(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	w.pass(3600e9)
	w.loadOf(1, rowsOf("id, w", "1, 2", "2, 3"))
	w.run(storyTable, replicate.Loaded)
	w.wantRows("*", "I 1 2", "I 2 3")
}

func TestFullLoadTakesATypeThatNoChangeCould(t *testing.T) {
	w := columnEvents()["of another type that has no other values"].begin(t, "evolve")
	w.wantHalt("schema", `"b"`)
	w.pass(3600e9)
	w.loadOf(1, rowsOf("id, a, b", "1, 'x', 'ten'", "2, 'Y', 'twenty'"))
	w.acknowledge("")
	w.run(storyTable, replicate.Loaded)
	w.wantRows("id, a, b", "1 x ten", "2 Y twenty")
}
