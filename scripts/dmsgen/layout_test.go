package dmsgen_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/scripts/dmsgen"
)

func TestHeadersOfChanges(t *testing.T) {
	table := dmsgen.Table{Schema: "s", Name: "t", Key: []string{"id"}, Columns: []dmsgen.Column{{"id", "int"}}}
	sink := objects{}
	w := newWriter(t, sink, func(s *dmsgen.Settings) {
		for _, h := range dmsgen.Headers() {
			s.Headers = append(s.Headers, dmsgen.HeaderColumn{Name: string(h[len("$AR_H_"):]), Expression: h})
		}
	})
	at := noon().Add(123 * time.Millisecond)
	key, err := w.WriteChanges(t.Context(), table, at, dmsgen.Change{Op: "I", Row: []any{1}}, dmsgen.Change{Op: "D", Row: []any{1}})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := w.WriteLoad(t.Context(), table, noon(), []any{1})
	if err != nil {
		t.Fatal(err)
	}
	changes := read(t, sink[key])
	if diff := cmp.Diff([]string{"Op", "id", "CHANGE_SEQ", "STREAM_POSITION", "TIMESTAMP", "COMMIT_TIMESTAMP", "OPERATION"}, changes.Columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	now := "2025-01-02 12:00:00.123000"
	if diff := cmp.Diff([][]any{
		{"I", int64(1), "20250102120000120000000000000000000", "67767fc0:0754d4c0:0000", now, now, "INSERT"},
		{"D", int64(1), "20250102120000120000000000000000001", "67767fc0:0754d4c0:0001", now, now, "DELETE"},
	}, changes.Rows); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]any{{int64(1), nil, nil, nil, nil, nil}}, read(t, sink[keys[0]]).Rows); diff != "" {
		t.Errorf("load (-want +got):\n%s", diff)
	}
}

func TestOnlySomeOps(t *testing.T) {
	table := dmsgen.Table{Schema: "s", Name: "t", Key: []string{"id"}, Columns: []dmsgen.Column{{"id", "int"}}}
	for name, c := range map[string]struct {
		edit func(*dmsgen.Settings)
		want [][]any
	}{
		"inserts":             {func(s *dmsgen.Settings) { s.InsertsOnly = true }, [][]any{{"I", int64(1)}}},
		"inserts without op":  {func(s *dmsgen.Settings) { s.InsertsOnly, s.NoOp = true, true }, [][]any{{int64(1)}}},
		"inserts and updates": {func(s *dmsgen.Settings) { s.InsertsAndUpdates = true }, [][]any{{"I", int64(1)}, {"U", int64(2)}}},
	} {
		t.Run(name, func(t *testing.T) {
			sink := objects{}
			key, err := newWriter(t, sink, c.edit).WriteChanges(t.Context(), table, noon(),
				dmsgen.Change{Op: "I", Row: []any{1}}, dmsgen.Change{Op: "U", Row: []any{2}}, dmsgen.Change{Op: "D", Row: []any{3}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, read(t, sink[key]).Rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDebezium(t *testing.T) {
	table := dmsgen.Table{Schema: "s", Name: "t", Key: []string{"id"}, Columns: []dmsgen.Column{{"id", "int"}, {"v", "text"}}}
	columns := []string{"id", "v", "__deleted", "__op", "__source_ts_ms"}
	at := noon().UnixMilli()
	for keyOnly, deleted := range map[bool]any{false: "x", true: nil} {
		sink := objects{}
		w := newWriter(t, sink, func(s *dmsgen.Settings) { s.Dialect, s.KeyOnlyDeletes = dmsgen.Debezium, keyOnly })
		keys, err := w.WriteLoad(t.Context(), table, noon(), []any{1, "a"})
		if err != nil {
			t.Fatal(err)
		}
		key, err := w.WriteChanges(t.Context(), table, noon(),
			dmsgen.Change{Op: "I", Row: []any{2, "b"}}, dmsgen.Change{Op: "U", Row: []any{2, "c"}, Before: []any{2, "b"}},
			dmsgen.Change{Op: "U", Row: []any{3, "c"}, Before: []any{2, "x"}}, dmsgen.Change{Op: "D", Row: []any{3, "x"}})
		if err != nil {
			t.Fatal(err)
		}
		changes := read(t, sink[key])
		if diff := cmp.Diff(columns, changes.Columns); diff != "" {
			t.Errorf("columns (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([][]any{
			{int64(2), "b", "false", "c", at},
			{int64(2), "c", "false", "u", at},
			{int64(2), deleted, "true", "d", at},
			{int64(3), "c", "false", "c", at},
			{int64(3), deleted, "true", "d", at},
		}, changes.Rows); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([][]any{{int64(1), "a", "false", "r", at}}, read(t, sink[keys[0]]).Rows); diff != "" {
			t.Errorf("snapshot (-want +got):\n%s", diff)
		}
	}
}

func TestTransactions(t *testing.T) {
	a := dmsgen.Table{Schema: "s", Name: "a", Key: []string{"id"}, Columns: []dmsgen.Column{{"id", "int"}, {"v", "text"}}}
	b := dmsgen.Table{Schema: "s", Name: "b", Key: []string{"id"}, Columns: []dmsgen.Column{{"id", "int"}}}
	sink := objects{}
	w := newWriter(t, sink, func(s *dmsgen.Settings) { s.CdcPath, s.Folder, s.TimestampColumn = "cdc/all", "dms/", "ts" })
	key, err := w.WriteTransactions(t.Context(), noon(),
		dmsgen.TableChanges{Table: a, Changes: []dmsgen.Change{{Op: "I", Row: []any{1, "x,y"}}}},
		dmsgen.TableChanges{Table: b, Changes: []dmsgen.Change{{Op: "D", Row: []any{7}}}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "dms/cdc/all/CDC_TXN-20250102120000000.csv"; key != want {
		t.Errorf("got key %s, want %s", key, want)
	}
	want := "I,a,s,2025-01-02 12:00:00.000000,1,\"x,y\"\nD,b,s,2025-01-02 12:00:00.000000,7\n"
	if got := string(sink[key]); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestControlTables(t *testing.T) {
	sink := objects{}
	keys, err := newWriter(t, sink, nil).WriteControlTables(t.Context(), "public", noon())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"public/awsdms_apply_exceptions/20250102-120000000.parquet", "public/awsdms_history/20250102-120000000.parquet",
		"public/awsdms_status/20250102-120000000.parquet", "public/awsdms_suspended_tables/20250102-120000000.parquet",
		"s3_validation_failures/awsdms_validation_failures_v1/20250102-120000000.parquet",
	}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestSettingsThatExcludeEachOther(t *testing.T) {
	for name, edit := range map[string]func(*dmsgen.Settings){
		"two kinds of changes":         func(s *dmsgen.Settings) { s.InsertsOnly, s.InsertsAndUpdates = true, true },
		"Debezium in CSV":              func(s *dmsgen.Settings) { s.Dialect, s.Format = dmsgen.Debezium, dmsgen.CSV },
		"Debezium with Op":             func(s *dmsgen.Settings) { s.Dialect, s.OpInLoad = dmsgen.Debezium, true },
		"another dialect":              func(s *dmsgen.Settings) { s.Dialect = "maxwell" },
		"another format":               func(s *dmsgen.Settings) { s.Format = "avro" },
		"snappy CSV":                   func(s *dmsgen.Settings) { s.Format, s.Compression = dmsgen.CSV, "snappy" },
		"another encoding":             func(s *dmsgen.Settings) { s.Encoding = "delta" },
		"transactions in date folders": func(s *dmsgen.Settings) { s.CdcPath, s.DateFolders = "cdc", "YYYYMM" },
		"transactions with a header":   func(s *dmsgen.Settings) { s.CdcPath, s.CSV.Header = "cdc", true },
	} {
		s := dmsgen.DefaultSettings()
		edit(&s)
		if _, err := dmsgen.NewWriter(objects{}, s); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestDebeziumUnavailable(t *testing.T) {
	table := dmsgen.Table{Schema: "s", Name: "t", Key: []string{"id"}, Columns: []dmsgen.Column{{"id", "int"}, {"v", "text"}, {"n", "int"}}}
	sink := objects{}
	w := newWriter(t, sink, func(s *dmsgen.Settings) { s.Dialect = dmsgen.Debezium })
	row := []any{int64(1), dmsgen.Missing{}, dmsgen.Missing{}}
	key, err := w.WriteChanges(t.Context(), table, noon(), dmsgen.Change{Op: "U", Row: row})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]any{{int64(1), "__debezium_unavailable_value", nil, "false", "u", noon().UnixMilli()}}, read(t, sink[key]).Rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{int64(1), dmsgen.Missing{}, nil}, w.Settings().Seen(table, row)); diff != "" {
		t.Errorf("seen (-want +got):\n%s", diff)
	}
}
