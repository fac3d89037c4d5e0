package replicate_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"

	"sluice/internal/replicate"
	"sluice/statestore"
)

// typed is a table of one row whose column v has an expression's type, and an update to another expression.
func typed(w *world, old, now string) {
	w.begin("id", "", "select 1 as id, "+old+" as v union all select 2, "+old)
	w.changeOf(`select 'U' as "Op", 1 as id, ` + now + ` as v`)
}

func TestRuling15_ValuesThatFitAreConverted(t *testing.T) {
	tests := map[string]struct{ old, now, want string }{
		"bigint in int":                                {"5::int", "7::bigint", "7 INTEGER"},
		"int in bigint":                                {"5::bigint", "7::int", "7 BIGINT"},
		"int in smallint":                              {"5::smallint", "-7::int", "-7 SMALLINT"},
		"unsigned in int":                              {"5::int", "7::uinteger", "7 INTEGER"},
		"the largest bigint in int":                    {"5::int", "2147483647::bigint", "2147483647 INTEGER"},
		"decimal of another scale":                     {"1.25::decimal(10,2)", "3.5000::decimal(12,4)", "3.50 DECIMAL(10,2)"},
		"decimal of more digits":                       {"1.25::decimal(10,2)", "-3.5::decimal(38,2)", "-3.50 DECIMAL(10,2)"},
		"int in decimal":                               {"1.25::decimal(10,2)", "3::int", "3.00 DECIMAL(10,2)"},
		"decimal in int":                               {"5::int", "7.00::decimal(10,2)", "7 INTEGER"},
		"float in double":                              {"1.5::double", "2.5::float", "2.5 DOUBLE"},
		"double in float":                              {"1.5::float", "2.5::double", "2.5 FLOAT"},
		"int in double":                                {"1.5::double", "2::int", "2 DOUBLE"},
		"milliseconds in micros":                       {"timestamp '2026-01-02 03:04:05.000006'", "timestamp_ms '2026-01-02 03:04:05.678'", "2026-01-02 03:04:05.678000 TIMESTAMP"},
		"micros in milliseconds":                       {"timestamp_ms '2026-01-02 03:04:05.678'", "timestamp '2026-01-02 03:04:05.678'", "2026-01-02 03:04:05.678000 TIMESTAMP"},
		"micros before 1970":                           {"timestamp_ms '1960-01-02 03:04:05.678'", "timestamp '1960-01-02 03:04:05.001'", "1960-01-02 03:04:05.001000 TIMESTAMP"},
		"NULL of a type that differs":                  {"5::int", "null::bigint", "NULL INTEGER"},
		"NULL of a type that no value of the lake has": {"'five'", "null::int", "NULL VARCHAR"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			typed(w, tt.old, tt.now)
			w.run(storyTable, replicate.Merged)
			got := w.rows(storyFolder, "id, v, typeof(v)")
			if want := "1 " + tt.want; len(got) != 2 || got[0] != want {
				t.Errorf("got %q, want %q first", got, want)
			}
		})
	}
}

func TestRuling15_ValuesThatDoNotFitHalt(t *testing.T) {
	tests := map[string]struct {
		old, now string
		texts    []string
		wide     string // row 1 after --accept schema; "" when no type holds both
	}{
		"bigint in int":           {"5::int", "3000000000::bigint", []string{"bigint", "int"}, "3000000000 BIGINT"},
		"negative bigint in int":  {"5::int", "-3000000000::bigint", []string{"bigint", "row 0"}, "-3000000000 BIGINT"},
		"decimal of finer scale":  {"1.25::decimal(10,2)", "1.234::decimal(10,3)", []string{"decimal(10,3)"}, "1.234 DECIMAL(11,3)"},
		"decimal of more digits":  {"1.25::decimal(4,2)", "12345.5::decimal(10,2)", []string{"decimal(10,2)"}, "12345.50 DECIMAL(10,2)"},
		"half in int":             {"5::int", "1.5::decimal(4,1)", []string{"decimal(4,1)"}, "1.5 DECIMAL(11,1)"},
		"micros in milliseconds":  {"timestamp_ms '2026-01-02 03:04:05.678'", "timestamp '2026-01-02 03:04:05.678901'", []string{"timestamp(us)"}, "2026-01-02 03:04:05.678901 TIMESTAMP"},
		"double in float":         {"1.5::float", "0.1::double", []string{"double"}, "0.1 DOUBLE"},
		"double in int":           {"5::int", "1.5::double", []string{"double"}, "1.5 DOUBLE"},
		"text in int":             {"5::int", "'five'", []string{"string"}, ""},
		"boolean in int":          {"5::int", "true", []string{"boolean"}, ""},
		"int in text":             {"'five'", "5::int", []string{"int"}, ""},
		"date in timestamp":       {"timestamp '2026-01-02 03:04:05'", "date '2026-01-02'", []string{"date"}, ""},
		"a double beside bigints": {"5::bigint", "1.5::double", []string{"double"}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			typed(w, tt.old, tt.now)
			before := w.rows(storyFolder, "id, v, typeof(v)")
			got := w.wantHalt("schema", append(tt.texts, "store/t/20260314-", `"v"`)...)
			if offered := strings.Contains(got.Reason, "--accept schema"); offered != (tt.wide != "") {
				t.Errorf("halt %q offers --accept schema: %t", got.Reason, offered)
			}
			if diff := cmp.Diff(before, w.rows(storyFolder, "id, v, typeof(v)")); diff != "" {
				t.Errorf("a halt changed the lake:\n%s", diff)
			}
			if tt.wide == "" {
				return
			}
			seq := w.seq()
			w.acknowledge("schema")
			w.run(storyTable, replicate.Merged)
			rows := w.rows(storyFolder, "id, v, typeof(v)")
			if want := "1 " + tt.wide; len(rows) != 2 || rows[0] != want {
				t.Errorf("after --accept schema: %q, want %q first", rows, want)
			}
			if commits := w.seq() - seq; commits != 2 {
				t.Errorf("%d commits, want one that rewrites and one that merges", commits)
			}
			w.run(storyTable, replicate.Idle)
		})
	}
}

// seq returns how many commits store.t has seen.
func (w *world) seq() uint64 {
	w.t.Helper()
	seq, err := statestore.ParseSeq(w.item(storyPath)[statestore.Seq])
	if err != nil {
		w.t.Fatal(err)
	}
	return seq
}

func TestRuling15_AcceptedWideningKeepsEverythingElse(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "dept", rowsOf("id, v, dept, n", "1, 5, 'x', 'a'", "2, 6, 'y', NULL", "3, 7, NULL, 'c'"))
	w.changeOf(rowsOf(`"Op", id, v, dept, n`, "'U', 2, 8, 'y', 'b'"))
	w.run(storyTable, replicate.Merged)
	w.changeOf(rowsOf(`"Op", id, v, dept, n`, "'I', 4, 3000000000, 'x', 'd'"))
	w.changeOf(rowsOf(`"Op", id, v, dept, n`, "'D', 1, 5, 'x', 'a'"))
	w.wantHalt("schema")
	w.wantHalt("schema")
	w.acknowledge("schema")
	got := w.run(storyTable, replicate.Merged)
	if got.Inserts != 1 || got.Deletes != 1 || got.Updates != 0 || got.Inputs != 2 {
		t.Errorf("counts of the run: %+v", got.Counts)
	}
	w.wantRows(`id, v, dept, n, "Op", typeof(v)`, "2 8 y b U BIGINT", "3 7 NULL c I BIGINT", "4 3000000000 x d I BIGINT")
}

func TestRuling15_LoadFilesOfTwoTypesAreLoadedWideWhenAccepted(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 5"))
	w.loadOf(2, rowsOf("id, v", "2, 3000000000"))
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	w.wantHalt("schema", "LOAD00000002.parquet", `"v"`, "bigint", "--accept schema")
	w.acknowledge("schema")
	w.run(storyTable, replicate.Loaded)
	w.wantRows("id, v, typeof(v)", "1 5 BIGINT", "2 3000000000 BIGINT")
}

func TestRuling15_LakeFilesWithInt96(t *testing.T) {
	type row struct {
		ID int32            `parquet:"id,optional"`
		At deprecated.Int96 `parquet:"at,optional"`
	}
	var body bytes.Buffer
	const julian1970 = 2440588
	day := func(days uint32, nanos uint64) deprecated.Int96 {
		return deprecated.Int96{0: uint32(nanos), 1: uint32(nanos >> 32), 2: julian1970 + days}
	}
	out := parquet.NewGenericWriter[row](&body)
	if _, err := out.Write([]row{{1, day(20000, 3_000_000_000)}, {2, day(20001, 1_000)}}); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.loadOf(1, "select 1 as id, timestamp '2024-10-04 00:00:03' as at")
	w.run(storyTable, replicate.Registered)
	w.put("lake", "t/part-00000.snappy.parquet", body.Bytes())
	w.set(storyPath, map[string]string{statestore.LastFullLoadDate: w.now().Format("2006-01-02 15:04:05")})
	w.activate(storyTable, "id", "")
	w.run(storyTable, replicate.Idle)
	w.changeOf(`select 'U' as "Op", 1 as id, timestamp '2026-01-02 03:04:05.678901' as at union all select 'I', 3, timestamp_ms '1950-01-02 03:04:05.678'`)
	got := w.run(storyTable, replicate.Merged)
	if got.Updates != 1 || got.Inserts != 1 {
		t.Errorf("counts: %+v", got.Counts)
	}
	w.wantRows(`id, "at"::timestamp`, "1 2026-01-02 03:04:05.678901", "2 2024-10-05 00:00:00.000001", "3 1950-01-02 03:04:05.678000")
}
