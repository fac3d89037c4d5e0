package dmsgen_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// asDuck returns rows as [rig.Reader.Strings] shows what DuckDB reads of them.
func asDuck(rows [][]any) []string {
	lines := make([]string, len(rows))
	for i, row := range rows {
		words := make([]string, len(row))
		for j, v := range row {
			words[j] = duckText(v)
		}
		lines[i] = strings.Join(words, "|")
	}
	return lines
}

func duckText(v any) string {
	switch v := v.(type) {
	case []byte:
		return fmt.Sprintf("%x", v)
	case float32:
		return duckText(float64(v))
	case float64:
		return strings.NewReplacer("+Inf", "Infinity", "-Inf", "-Infinity").Replace(rig.Text(v))
	}
	return rig.Text(v)
}

// duckTypes names the type of DuckDB for a column type.
func duckType(columnType string) string {
	name, _, _ := strings.Cut(columnType, "(")
	switch name {
	case "numeric":
		return "decimal" + strings.TrimPrefix(columnType, name)
	case "bytea":
		return "blob"
	case "text":
		return "varchar"
	case "int":
		return "integer"
	}
	return name
}

// readCSV is a query of DuckDB that reads files of the settings into columns of the table's types,
// behind as many columns of text as DMS puts before them.
func readCSV(s dmsgen.Settings, table dmsgen.Table, before ...string) string {
	var names, columns []string
	for _, name := range before {
		names = append(names, fmt.Sprintf("'%s': 'varchar'", name))
		columns = append(columns, fmt.Sprintf("%q", name))
	}
	for _, c := range table.Columns {
		names = append(names, fmt.Sprintf("'%s': 'varchar'", c.Name))
		cast := fmt.Sprintf("%q::%s", c.Name, duckType(c.Type))
		if c.Type == "bytea" {
			cast = fmt.Sprintf("unhex(%q)", c.Name)
		}
		columns = append(columns, cast)
	}
	quote := `"`
	if s.CSV.NoQuotes {
		quote = ""
	}
	literal := func(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
	return fmt.Sprintf(`select %s from read_csv(?, auto_detect=false, columns={%s}, delim=%s, quote=%s, escape=%s, nullstr=%s, header=%v, allow_quoted_nulls=false)`,
		strings.Join(columns, ", "), strings.Join(names, ", "), literal(s.CSV.Delimiter), literal(quote), literal(quote), literal(s.CSV.Null), s.CSV.Header)
}

// plainRows ends rows as DuckDB knows it.
func plainRows(t *testing.T, s dmsgen.Settings, body []byte) string {
	t.Helper()
	if s.Compression == "gzip" {
		body = gunzip(t, body)
	}
	path := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(path, bytes.ReplaceAll(body, []byte(s.CSV.RowDelimiter), []byte("\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDuckDBReadsCSV(t *testing.T) {
	for name, edit := range map[string]func(*dmsgen.Settings){
		"as DMS does by default":   nil,
		"gzip":                     func(s *dmsgen.Settings) { s.Compression = "gzip" },
		"header":                   func(s *dmsgen.Settings) { s.CSV.Header = true },
		"tab and carriage return":  func(s *dmsgen.Settings) { s.CSV.Delimiter, s.CSV.RowDelimiter = "\t", "\r\n" },
		"delimiters of many bytes": func(s *dmsgen.Settings) { s.CSV.Delimiter, s.CSV.RowDelimiter = "|~|", "<end>\n" },
		"another NULL":             func(s *dmsgen.Settings) { s.CSV.Null = `\N` },
		"empty NULL":               func(s *dmsgen.Settings) { s.CSV.Null = "" },
		"control characters":       func(s *dmsgen.Settings) { s.CSV.Delimiter, s.CSV.RowDelimiter = "\x01", "\x02\n" },
		"around":                   func(s *dmsgen.Settings) { s.OpInLoad, s.TimestampColumn = true, "ts" },
	} {
		t.Run(name, func(t *testing.T) {
			sink, table := objects{}, everything()
			w := newWriter(t, sink, csvSettings(edit))
			rows := dmsgen.NewStream(7, table, dmsgen.Mix{}).Rows(250)
			keys, err := w.WriteLoad(t.Context(), table, noon(), rows...)
			if err != nil {
				t.Fatal(err)
			}
			s := w.Settings()
			var before []string
			for i := range rows {
				rows[i] = s.Seen(table, rows[i])
				if s.OpInLoad {
					before = []string{"Op", "ts"}
					rows[i] = append([]any{"I", "2025-01-02 12:00:00.000000"}, rows[i]...)
				}
			}
			got := rig.DuckDB(t).Strings(readCSV(s, table, before...), plainRows(t, s, sink[keys[0]]))
			if diff := cmp.Diff(asDuck(rows), got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDuckDBReadsCSVWithoutQuotes(t *testing.T) {
	sink := objects{}
	table := dmsgen.Table{Schema: "s", Name: "t", Columns: []dmsgen.Column{{"id", "int"}, {"v", "text"}}}
	w := newWriter(t, sink, csvSettings(func(s *dmsgen.Settings) { s.CSV.NoQuotes = true }))
	rows := [][]any{{int64(1), `"`}, {int64(2), `a "b" c`}, {int64(3), nil}, {int64(4), ""}}
	keys, err := w.WriteLoad(t.Context(), table, noon(), rows...)
	if err != nil {
		t.Fatal(err)
	}
	got := rig.DuckDB(t).Strings(readCSV(w.Settings(), table), plainRows(t, w.Settings(), sink[keys[0]]))
	if diff := cmp.Diff(asDuck(rows), got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
