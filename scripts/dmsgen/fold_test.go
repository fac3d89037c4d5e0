package dmsgen_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// folded writes a full load and three files of changes, has DuckDB keep the last row of each key, and compares it with the oracle.
// load and change are how DuckDB reads a file: op and the table's columns; %s is the file.
func folded(t *testing.T, s dmsgen.Settings, load, change string) {
	t.Helper()
	table := dmsgen.Table{Schema: "s", Name: "t", Key: []string{"id"}, Columns: []dmsgen.Column{{"id", "int"}, {"v", "text"}, {"n", "numeric(15,2)"}, {"at", "timestamp"}}}
	dir := t.TempDir()
	w, err := dmsgen.NewWriter(dmsgen.Directory(dir), s)
	if err != nil {
		t.Fatal(err)
	}
	stream := dmsgen.NewStream(3, table, dmsgen.Mix{Inserts: 2, Updates: 5, Deletes: 3})
	oracle := dmsgen.NewOracle(table)
	rows := stream.Rows(200)
	keys, err := w.WriteLoad(t.Context(), table, noon(), rows...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		rows[i] = s.Seen(table, rows[i])
	}
	oracle.Load(rows...)
	parts := []string{fmt.Sprintf("select 0 as file, row_number() over () as row, * from ("+load+")", filepath.Join(dir, keys[0]))}
	for i := range 3 {
		changes := stream.Changes(150)
		key, err := w.WriteChanges(t.Context(), table, noon().Add(time.Duration(i+1)*time.Minute), changes...)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			c.Row = s.Seen(table, c.Row)
			oracle.Apply(c)
		}
		parts = append(parts, fmt.Sprintf("select %d, row_number() over (), * from ("+change+")", i+1, filepath.Join(dir, key)))
	}
	sql := fmt.Sprintf(`select id, v, n, "at" from (%s) qualify row_number() over (partition by id order by file desc, row desc) = 1 and op <> 'D' order by id`,
		strings.Join(parts, " union all "))
	want := asDuck(oracle.Rows())
	slices.Sort(want)
	got := rig.DuckDB(t).Strings(sql)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestDuckDBFoldsToTheOracle(t *testing.T) {
	s := dmsgen.DefaultSettings()
	const columns = `id::integer as id, v, n::decimal(15,2) as n, "at"::timestamp as "at"`
	t.Run("Parquet", func(t *testing.T) {
		folded(t, s, "select 'I' as op, "+columns+" from read_parquet('%s')", `select "Op" as op, `+columns+" from read_parquet('%s')")
	})
	t.Run("Debezium", func(t *testing.T) {
		s := s
		s.Dialect, s.KeyOnlyDeletes, s.Compression = dmsgen.Debezium, true, "snappy"
		read := "select if(__deleted = 'true', 'D', __op) as op, " + columns + " from read_parquet('%s')"
		folded(t, s, read, read)
	})
	t.Run("CSV", func(t *testing.T) {
		s := s
		s.Format, s.CSV.Header, s.CSV.Delimiter = dmsgen.CSV, true, ";"
		read := " from read_csv('%s', delim=';', header=true, all_varchar=true, quote='\"', escape='\"', nullstr='NULL', allow_quoted_nulls=false)"
		folded(t, s, "select 'I' as op, "+columns+read, `select "Op" as op, `+columns+read)
	})
}
