package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// writeCSV writes a full load of one row and a change of it, as an endpoint with CsvDelimiter \t, gzip and an empty CsvNullValue does.
func (s *site) writeCSV(t dmsgen.Table, load, after []any) {
	s.t.Helper()
	settings := dmsgen.DefaultSettings()
	settings.Format, settings.Compression = dmsgen.CSV, "gzip"
	settings.CSV.Delimiter, settings.CSV.Null = "\t", ""
	w := s.writer(settings)
	began := time.Now()
	if _, err := w.WriteLoad(s.t.Context(), t, began, load); err != nil {
		s.t.Fatal(err)
	}
	if _, err := w.WriteChanges(s.t.Context(), t, began.Add(time.Millisecond), dmsgen.Change{Op: dmsgen.Update, Row: after}); err != nil {
		s.t.Fatal(err)
	}
}

// TestE2E_CSV: an operator says once what the files look like, and the table goes on by itself.
func TestE2E_CSV(t *testing.T) {
	t.Parallel()
	for name, site := range pairs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := site(t)
			sales := dmsgen.Table{Schema: "store", Name: "sales", Key: []string{"id"}, Columns: []dmsgen.Column{
				{Name: "id", Type: "bigint"}, {Name: "amount", Type: "numeric(20,2)"}, {Name: "note", Type: "text"}, {Name: "at", Type: "timestamp"},
			}}
			s.writeCSV(sales, []any{1, "1.50", "a\tb \"c\"", "1969-12-31 23:59:59.999999"}, []any{1, "-123456789012345678.99", nil, "9999-12-31 00:00:00"})
			s.tick("registered")
			if warned := s.run("activate", "store.sales", "--primary-key", "id"); warned.status != 0 || !strings.Contains(warned.stderr, "--csv-schema FILE") {
				t.Errorf("exit %d: %s%s", warned.status, warned.stdout, warned.stderr)
			}
			if halted := s.run("run"); halted.status != 3 || !strings.Contains(halted.stdout, "--csv-schema FILE") {
				t.Fatalf("exit %d: %s%s", halted.status, halted.stdout, halted.stderr)
			}
			list := filepath.Join(t.TempDir(), "sales.sql")
			if err := os.WriteFile(list, []byte("id bigint, # the key\namount decimal(20,2),\nnote string, at timestamp\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			s.well("activate", "store.sales", "--csv-schema", list, "--csv-delimiter", `\t`, "--csv-null", "")
			s.well("acknowledge", "store.sales")
			s.tick("merged")
			rows := rig.DuckDB(t).Query("select id, typeof(id), amount::varchar, note, \"at\"::varchar from read_parquet(?)", filepath.Join(s.lake, "sales", "*.parquet"))
			if got := rig.Text(rows[0][0]) + " " + rig.Text(rows[0][1]) + " " + rig.Text(rows[0][2]) + " " + rig.Text(rows[0][3]) + " " + rig.Text(rows[0][4]); len(rows) != 1 ||
				got != "1 BIGINT -123456789012345678.99 NULL 9999-12-31 00:00:00" {
				t.Errorf("%d rows, %s", len(rows), got)
			}
			if verified := s.run("verify", "store.sales"); verified.status != 0 {
				t.Errorf("verify: %s%s", verified.stdout, verified.stderr)
			}
			for _, wrong := range [][]string{{"--csv-schema", "nowhere.sql"}, {"--csv-schema", "glue:sales"}, {"--csv-header", "maybe"}, {"--csv-delimiter", `\q`}} {
				if got := s.run(slices.Concat([]string{"activate", "store.sales"}, wrong)...); got.status != 2 {
					t.Errorf("%q: exit %d, %s%s", wrong, got.status, got.stdout, got.stderr)
				}
			}
		})
	}
}

// TestE2E_CSVTypedByGlue: DMS made the table in Glue (GlueCatalogGeneration), whose names are in lower case.
func TestE2E_CSVTypedByGlue(t *testing.T) {
	t.Parallel()
	db := rig.Glue(t)
	s := onS3(t, true)
	s.env = append(s.env, db.Env...)
	column := func(name, kind string) types.Column {
		return types.Column{Name: aws.String(name), Type: aws.String(kind)}
	}
	_, err := db.Client.CreateTable(t.Context(), &glue.CreateTableInput{DatabaseName: &db.Database, TableInput: &types.TableInput{
		Name: aws.String("sales"), StorageDescriptor: &types.StorageDescriptor{Columns: []types.Column{
			column("op", "string"), column("id", "bigint"), column("amount", "decimal(10,2)"), column("note", "varchar(20)"),
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	sales := dmsgen.Table{Schema: "store", Name: "sales", Key: []string{"id"}, Columns: []dmsgen.Column{
		{Name: "id", Type: "bigint"}, {Name: "amount", Type: "numeric(10,2)"}, {Name: "note", Type: "text"},
	}}
	s.writeCSV(sales, []any{1, "1.50", "a"}, []any{1, "2.50", "b"})
	s.tick("registered")
	s.well("activate", "store.sales", "--primary-key", "id", "--csv-schema", "glue:"+db.Database+".sales", "--csv-delimiter", `\t`, "--csv-null", "")
	s.tick("merged")
	rows := rig.DuckDB(t).Query("select id, amount::varchar, note, typeof(amount) from read_parquet(?)", filepath.Join(s.lake, "sales", "*.parquet"))
	if len(rows) != 1 || rig.Text(rows[0][1]) != "2.50" || rig.Text(rows[0][3]) != "DECIMAL(10,2)" {
		t.Errorf("%v", rows)
	}
}
