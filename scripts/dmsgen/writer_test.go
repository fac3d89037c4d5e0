package dmsgen_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"sluice/scripts/dmsgen"
)

// objects is a sink in memory.
type objects map[string][]byte

func (o objects) Put(_ context.Context, key string, body []byte, _ time.Time) error {
	o[key] = body
	return nil
}

func noon() time.Time { return time.Date(2025, 1, 2, 12, 0, 0, 0, time.UTC) }

// everything is a table with a column of each type.
func everything() dmsgen.Table {
	table := dmsgen.Table{Schema: "s", Name: "t", Key: []string{"id"}, Columns: []dmsgen.Column{{"id", "bigint"}}}
	for _, typ := range dmsgen.Types() {
		table.Columns = append(table.Columns, dmsgen.Column{"c " + typ, typ})
	}
	return table
}

func newWriter(t *testing.T, sink dmsgen.Sink, edit func(*dmsgen.Settings)) *dmsgen.Writer {
	t.Helper()
	s := dmsgen.DefaultSettings()
	if edit != nil {
		edit(&s)
	}
	w, err := dmsgen.NewWriter(sink, s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func read(t *testing.T, body []byte) *dmsgen.Rows {
	t.Helper()
	rows, err := dmsgen.Read(body)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestLoadComesBack(t *testing.T) {
	for _, compression := range []string{"none", "gzip", "snappy"} {
		for _, millis := range []bool{false, true} {
			t.Run(compression, func(t *testing.T) {
				sink, table := objects{}, everything()
				table.Dictionary = []string{"c text", "c numeric(15,2)"}
				w := newWriter(t, sink, func(s *dmsgen.Settings) {
					s.Compression, s.Milliseconds, s.RowsPerRowGroup, s.RowsPerFile = compression, millis, 30, 100
				})
				rows := dmsgen.NewStream(7, table, dmsgen.Mix{}).Rows(250)
				keys, err := w.WriteLoad(t.Context(), table, noon(), rows...)
				if err != nil {
					t.Fatal(err)
				}
				if len(keys) != 3 {
					t.Fatalf("got files %v, want 3", keys)
				}
				var got [][]any
				for _, key := range keys {
					got = append(got, read(t, sink[key]).Rows...)
				}
				for i := range rows {
					rows[i] = w.Settings().Seen(table, rows[i])
				}
				if diff := cmp.Diff(rows, got, cmpopts.EquateNaNs()); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestFileIsAsDMSWritesIt(t *testing.T) {
	sink, table := objects{}, everything()
	w := newWriter(t, sink, func(s *dmsgen.Settings) { s.RowsPerRowGroup, s.TimestampColumn = 10, "ts" })
	keys, err := w.WriteLoad(t.Context(), table, noon(), dmsgen.NewStream(7, table, dmsgen.Mix{}).Rows(25)...)
	if err != nil {
		t.Fatal(err)
	}
	body := sink[keys[0]]
	file, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	meta := file.Metadata()
	if meta.CreatedBy != "AWS" || meta.Version != 2 || len(meta.RowGroups) != 3 || meta.ColumnOrders != nil {
		t.Errorf("created by %q, version %d, %d row groups, column orders %v",
			meta.CreatedBy, meta.Version, len(meta.RowGroups), meta.ColumnOrders)
	}
	for _, chunk := range meta.RowGroups[0].Columns {
		if chunk.ColumnIndexOffset != 0 || chunk.OffsetIndexOffset != 0 {
			t.Errorf("column %s has a page index", chunk.MetaData.PathInSchema[0])
		}
		for _, stats := range chunk.MetaData.EncodingStats {
			if stats.PageType != format.DataPage && stats.PageType != format.DictionaryPage {
				t.Errorf("column %s has a page of type %v", chunk.MetaData.PathInSchema[0], stats.PageType)
			}
		}
	}
	checkElements(t, meta.Schema)
}

func checkElements(t *testing.T, schema []format.SchemaElement) {
	t.Helper()
	converted := map[string]deprecated.ConvertedType{
		"ts": deprecated.UTF8, "c smallint": deprecated.Int16, "c numeric(15,2)": deprecated.Decimal, "c text": deprecated.UTF8,
		"c date": deprecated.Date, "c timestamp": deprecated.TimestampMicros, "c numeric(38,6)": deprecated.Decimal,
		"c tinyint": deprecated.Int8, "c time": deprecated.TimeMillis, "c numeric(38,0)": deprecated.Decimal,
		"c tinyint unsigned": deprecated.Uint8, "c smallint unsigned": deprecated.Uint16, "c int unsigned": deprecated.Uint32,
		"c bigint unsigned": deprecated.Uint64, "c numeric(9,2) int32": deprecated.Decimal,
		"c numeric(18,3) int64": deprecated.Decimal, "c numeric(38,6) bytes": deprecated.Decimal,
	}
	for _, element := range schema[1:] {
		if element.LogicalType.Value != nil {
			t.Errorf("%s has a LogicalType", element.Name)
		}
		want, annotated := converted[element.Name]
		if element.ConvertedType.Valid != annotated || element.ConvertedType.V != want {
			t.Errorf("%s has ConvertedType %+v, want %v", element.Name, element.ConvertedType, want)
		}
		required := element.RepetitionType.V == format.Required
		if required != (element.Name == "ts") {
			t.Errorf("%s is required: %v", element.Name, required)
		}
		if element.Name == "c numeric(15,2)" && (element.TypeLength.V != 7 || element.Precision.V != 15 || element.Scale.V != 2) {
			t.Errorf("numeric(15,2) is %+v", element)
		}
	}
}

func TestColumnsOfChanges(t *testing.T) {
	table := dmsgen.Table{Schema: "s", Name: "t", Key: []string{"id"}, Columns: []dmsgen.Column{{"id", "int"}, {"v", "text"}}}
	update := dmsgen.Change{Op: dmsgen.Update, Row: []any{2, "b"}, Before: []any{1, "a"}}
	remove := dmsgen.Change{Op: dmsgen.Delete, Row: []any{2, "b"}}
	for name, tc := range map[string]struct {
		edit    func(*dmsgen.Settings)
		columns []string
		rows    [][]any
	}{
		"plain": {nil, []string{"Op", "id", "v"}, [][]any{{"U", int64(2), "b"}, {"D", int64(2), "b"}}},
		"key only deletes": {
			func(s *dmsgen.Settings) { s.KeyOnlyDeletes = true },
			[]string{"Op", "id", "v"},
			[][]any{{"U", int64(2), "b"}, {"D", int64(2), nil}},
		},
		"inserts only": {
			func(s *dmsgen.Settings) { s.NoOp = true },
			[]string{"id", "v"},
			[][]any{{int64(2), "b"}, {int64(2), "b"}},
		},
		"all around": {
			func(s *dmsgen.Settings) {
				s.TimestampColumn, s.SequenceColumn, s.BeforeImages = "ts", "seq", dmsgen.KeyImages
			},
			[]string{"Op", "ts", "id", "v", "BI_id", "seq"},
			[][]any{
				{"U", "2025-01-02 12:00:00.000000", int64(2), "b", int64(1), "20250102120000000000000000000000000"},
				{"D", "2025-01-02 12:00:00.000000", int64(2), "b", nil, "20250102120000000000000000000000001"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			sink := objects{}
			key, err := newWriter(t, sink, tc.edit).WriteChanges(t.Context(), table, noon(), update, remove)
			if err != nil {
				t.Fatal(err)
			}
			got := read(t, sink[key])
			if diff := cmp.Diff(tc.columns, got.Columns); diff != "" {
				t.Errorf("columns (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.rows, got.Rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadColumns(t *testing.T) {
	table := dmsgen.Table{Schema: "s", Name: "t", Columns: []dmsgen.Column{{"id", "int"}}}
	sink := objects{}
	w := newWriter(t, sink, func(s *dmsgen.Settings) { s.OpInLoad, s.SequenceColumn = true, "seq" })
	keys, err := w.WriteLoad(t.Context(), table, noon(), []any{1})
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, sink[keys[0]])
	if want := []string{"Op", "id", "seq"}; !slices.Equal(got.Columns, want) {
		t.Errorf("got columns %v, want %v", got.Columns, want)
	}
	if diff := cmp.Diff([][]any{{"I", int64(1), nil}}, got.Rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestEmptyFiles(t *testing.T) {
	table, sink := everything(), objects{}
	w := newWriter(t, sink, nil)
	if keys, err := w.WriteLoad(t.Context(), table, noon()); err != nil || len(keys) != 0 {
		t.Errorf("load of no rows: %v, %v", keys, err)
	}
	key, err := w.WriteChanges(t.Context(), table, noon())
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, sink[key]); len(got.Rows) != 0 || len(got.Columns) != len(table.Columns)+1 {
		t.Errorf("no changes: %d rows, %d columns", len(got.Rows), len(got.Columns))
	}
}

func TestBadInputsAreRefused(t *testing.T) {
	w := newWriter(t, objects{}, nil)
	for name, tc := range map[string]struct {
		typ   string
		value any
	}{
		"unknown type":        {"money", 1},
		"precision too large": {"numeric(39,0)", 1},
		"too many decimals":   {"numeric(5,2)", "1.234"},
		"numeric too wide":    {"numeric(2,0)", "1000"},
		"text for int":        {"int", "1"},
		"smallint too large":  {"smallint", 40_000},
		"no date":             {"date", "yesterday"},
		"no time":             {"time", "25:00:00"},
		"tinyint too large":   {"tinyint", 128},
		"less than nothing":   {"int unsigned", -1},
		"unsigned too large":  {"smallint unsigned", 1 << 16},
		"decimal of 32 bits":  {"numeric(10,0) int32", 1},
		"decimal of 64 bits":  {"numeric(19,0) int64", 1},
		"decimal of what":     {"numeric(9,0) int16", 1},
		"a digit too many":    {"numeric(3,0)", "9999"},
	} {
		t.Run(name, func(t *testing.T) {
			table := dmsgen.Table{Schema: "s", Name: "t", Columns: []dmsgen.Column{{"c", tc.typ}}}
			if _, err := w.WriteLoad(t.Context(), table, noon(), []any{tc.value}); err == nil {
				t.Error("got no error")
			}
		})
	}
	if _, err := dmsgen.NewWriter(objects{}, dmsgen.Settings{RowsPerRowGroup: 1, Compression: "zstd"}); err == nil {
		t.Error("zstd: got no error")
	}
}

func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2020, 2, 3, 4, 5, 6, 7000, time.UTC)
	w := newWriter(t, dmsgen.Directory(dir), func(s *dmsgen.Settings) { s.Delay = time.Second })
	table := dmsgen.Table{Schema: "s", Name: "t", Columns: []dmsgen.Column{{"id", "int"}}}
	key, err := w.WriteChanges(t.Context(), table, at, dmsgen.Change{Op: dmsgen.Insert, Row: []any{1}})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, key))
	if err != nil {
		t.Fatal(err)
	}
	if !info.ModTime().Equal(at.Add(time.Second)) {
		t.Errorf("modified %v, want %v", info.ModTime(), at.Add(time.Second))
	}
	entries, err := os.ReadDir(filepath.Join(dir, "s", "t"))
	if err != nil || len(entries) != 1 {
		t.Errorf("got %d entries (%v), want the one file", len(entries), err)
	}
}
