package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// dmsTable has the columns of the file that a real DMS task wrote, without the timestamp that DMS puts before them.
func dmsTable() dmsgen.Table {
	return dmsgen.Table{Schema: "public", Name: "test_table", Key: []string{"id"}, Columns: []dmsgen.Column{
		{Name: "id", Type: "bigint"},
		{Name: "my_int", Type: "int"},
		{Name: "my_smallint", Type: "smallint"},
		{Name: "my_numeric", Type: "numeric(15,2)"},
		{Name: "my_real", Type: "real"},
		{Name: "my_double", Type: "double"},
		{Name: "my_money", Type: "numeric(38,4)"},
		{Name: "my_varchar", Type: "text"},
		{Name: "my_text", Type: "text"},
		{Name: "my_bytea", Type: "bytea"},
		{Name: "my_timestamp", Type: "timestamp"},
		{Name: "my_uuid", Type: "text"},
		{Name: "my_json", Type: "text"},
		{Name: "my_jsonb", Type: "text"},
		{Name: "my_bool", Type: "boolean"},
	}}
}

// TestE2E_TheFileOfARealTask loads it, merges onto it, and has DuckDB compare types and values with the file itself.
func TestE2E_TheFileOfARealTask(t *testing.T) {
	s := onDisk(t)
	const written = "../../internal/parquetedit/testdata/dms_test_table_LOAD00000001.parquet"
	body, err := os.ReadFile(written)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.sink.Put(t.Context(), "public/test_table/LOAD00000001.parquet", body, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	s.tick("registered")
	s.well("activate", "public.test_table", "--primary-key", "id")
	if got := s.tick("loaded")["public.test_table"]; got.number("inserts") != 10 {
		t.Errorf("load: %v", got)
	}
	lake := s.glob("test_table")
	s.sameTypes(written, lake)
	duck := rig.DuckDB(t)
	if diff := cmp.Diff(duck.Strings("select 'I', * from read_parquet(?) order by id", written), duck.Strings("select * from read_parquet(?) order by id", lake)); diff != "" {
		t.Errorf("after the load (-file +lake):\n%s", diff)
	}

	settings := dmsgen.DefaultSettings()
	settings.TimestampColumn, settings.Milliseconds, settings.KeyOnlyDeletes = "DMS_TIMESTAMP", true, true
	full := []any{
		int64(9223372036854775807), int64(-2147483648), int64(-32768), "-9999999999999.99", float32(1.5), 0.1, "-9999999999999999999999999999999999.9999",
		"naïve", "",
		[]byte{0, 255},
		"1969-12-31 23:59:59.999000", "00000000-0000-0000-0000-00000000000f", `{"a":1}`, `{"b": null}`, true,
	}
	nulls := append([]any{int64(2)}, make([]any, 14)...)
	if _, err := s.writer(settings).WriteChanges(t.Context(), dmsTable(), time.Now(),
		dmsgen.Change{Op: dmsgen.Insert, Row: full}, dmsgen.Change{Op: dmsgen.Update, Row: nulls}, dmsgen.Change{Op: dmsgen.Delete, Row: append([]any{int64(3)}, nulls[1:]...)},
	); err != nil {
		t.Fatal(err)
	}
	got := s.tick("merged")["public.test_table"]
	if got.number("inserts") != 1 || got.number("updates") != 1 || got.number("deletes") != 1 {
		t.Errorf("merge: %v", got)
	}
	s.sameTypes(written, lake)
	untouched := duck.Strings("select 'I', * from read_parquet(?) where id not in (2, 3) order by id", written)
	if diff := cmp.Diff(untouched, duck.Strings(`select * from read_parquet(?) where "Op" = 'I' and id < 100 order by id`, lake)); diff != "" {
		t.Errorf("rows that nothing touched (-file +lake):\n%s", diff)
	}
	want := []string{
		"U|2" + strings.Repeat("|NULL", 14),
		"I|9223372036854775807|-2147483648|-32768|-9999999999999.99|1.5|0.1|-9999999999999999999999999999999999.9999|naïve||00ff|1969-12-31 23:59:59.999000|" +
			`00000000-0000-0000-0000-00000000000f|{"a":1}|{"b": null}|true`,
	}
	changed := duck.Strings(`select * exclude ("DMS_TIMESTAMP") from read_parquet(?) where "Op" = 'U' or id > 100 order by id`, lake)
	if diff := cmp.Diff(want, changed); diff != "" {
		t.Errorf("rows that changed (-want +got):\n%s", diff)
	}
}

// sameTypes compares the columns of a Parquet file and of a lake: as DuckDB describes them, and as the files declare them.
// The lake has Op before them.
func (s *site) sameTypes(file, lake string) {
	s.t.Helper()
	duck := rig.DuckDB(s.t)
	describe := "select column_name, column_type from (describe select * from read_parquet('%s'))"
	declare := "select name, type, type_length, converted_type, precision, scale from parquet_schema('%s') where name not in ('schema', 'Op', 'root') and num_children is null"
	files, err := filepath.Glob(strings.Replace(lake, "**", "", 1))
	if err != nil || len(files) == 0 {
		s.t.Fatalf("files of %s: %v, %v", lake, files, err)
	}
	want := append([]string{"Op|VARCHAR"}, duck.Strings(fmt.Sprintf(describe, file))...)
	for _, name := range files {
		if diff := cmp.Diff(want, duck.Strings(fmt.Sprintf(describe, name))); diff != "" {
			s.t.Errorf("%s, types (-file +lake):\n%s", filepath.Base(name), diff)
		}
		declared := duck.Strings(fmt.Sprintf(declare, name))
		if want := duck.Strings(fmt.Sprintf(declare, file)); !slices.Equal(want, declared) {
			s.t.Errorf("%s, declarations (-file +lake):\n%s", filepath.Base(name), cmp.Diff(want, declared))
		}
	}
}
