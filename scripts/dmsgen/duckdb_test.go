package dmsgen_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

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
	if b, ok := v.([]byte); ok {
		return fmt.Sprintf("%x", b)
	}
	return rig.Text(v)
}

// duckTypes names the type of DuckDB for a column type.
func duckType(columnType string) string {
	if digits, ok := strings.CutPrefix(columnType, "numeric"); ok {
		digits, _, _ = strings.Cut(digits, " ")
		return "decimal" + digits
	}
	name, unsigned := strings.CutSuffix(columnType, " unsigned")
	switch {
	case unsigned && name == "int":
		return "uinteger"
	case unsigned:
		return "u" + name
	}
	switch name {
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
	newLine := ""
	if s.CSV.RowDelimiter == "\r\n" {
		newLine = `, new_line='\r\n'`
	}
	literal := func(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
	return fmt.Sprintf(`select %s from read_csv(?, auto_detect=false, columns={%s}, delim=%s, quote=%s, escape=%s, nullstr=%s, header=%v, allow_quoted_nulls=false%s)`,
		strings.Join(columns, ", "), strings.Join(names, ", "), literal(s.CSV.Delimiter), literal(quote), literal(quote), literal(s.CSV.Null), s.CSV.Header, newLine)
}

// plainRows ends rows as DuckDB knows it.
func plainRows(t *testing.T, s dmsgen.Settings, body []byte) string {
	t.Helper()
	if s.Compression == "gzip" {
		body = gunzip(t, body)
	}
	path := filepath.Join(t.TempDir(), "rows.csv")
	if s.CSV.RowDelimiter != "\r\n" {
		body = bytes.ReplaceAll(body, []byte(s.CSV.RowDelimiter), []byte("\n"))
	}
	if err := os.WriteFile(path, body, 0o600); err != nil {
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

func TestDuckDBReadsParquet(t *testing.T) {
	for name, edit := range map[string]func(*dmsgen.Settings){
		"as DMS does by default": func(s *dmsgen.Settings) { s.Encoding = "rle-dictionary" },
		"plain":                  func(s *dmsgen.Settings) { s.Encoding = "plain" },
		"plain dictionary":       func(s *dmsgen.Settings) { s.Encoding = "plain-dictionary" },
		"plain dictionary, full": func(s *dmsgen.Settings) { s.Encoding, s.DictionaryBytes, s.PageBytes = "plain-dictionary", 300, 200 },
		"gzip":                   func(s *dmsgen.Settings) { s.Compression, s.Encoding = "gzip", "plain-dictionary" },
		"pages of version 2":     func(s *dmsgen.Settings) { s.PageV2, s.Encoding = true, "rle-dictionary" },
		"version 2 in gzip":      func(s *dmsgen.Settings) { s.PageV2, s.Compression, s.Encoding = true, "gzip", "plain" },
		"no statistics":          func(s *dmsgen.Settings) { s.NoStatistics = true },
		"small pages and groups": func(s *dmsgen.Settings) { s.PageBytes, s.RowsPerRowGroup = 100, 60 },
		"milliseconds":           func(s *dmsgen.Settings) { s.Milliseconds = true },
	} {
		t.Run(name, func(t *testing.T) {
			sink, table := objects{}, everything()
			w := newWriter(t, sink, edit)
			stream := dmsgen.NewStream(7, table, dmsgen.Mix{})
			rows := stream.Rows(250)
			keys, err := w.WriteLoad(t.Context(), table, noon(), rows...)
			if err != nil {
				t.Fatal(err)
			}
			for i := range rows {
				rows[i] = w.Settings().Seen(table, rows[i])
			}
			if diff := cmp.Diff(rows, read(t, sink[keys[0]]).Rows, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("rows of Read (-want +got):\n%s", diff)
			}
			path := filepath.Join(t.TempDir(), "rows.parquet")
			if err := os.WriteFile(path, sink[keys[0]], 0o600); err != nil {
				t.Fatal(err)
			}
			got := rig.DuckDB(t).Strings(asUTC(table), path)
			if diff := cmp.Diff(asDuck(rows), got); diff != "" {
				t.Errorf("rows of DuckDB (-want +got):\n%s", diff)
			}
		})
	}
}

// asUTC is a query that reads a table's columns; to a reader, DMS's timestamps are in UTC.
func asUTC(table dmsgen.Table) string {
	columns := make([]string, len(table.Columns))
	for i, c := range table.Columns {
		columns[i] = fmt.Sprintf("%q", c.Name)
		if c.Type == "timestamp" {
			columns[i] = fmt.Sprintf("%q::timestamp", c.Name)
		}
	}
	return fmt.Sprintf("select %s from read_parquet(?)", strings.Join(columns, ", "))
}

// What a file says of its pages and statistics is what the settings ask for.
func TestDuckDBSeesEncodingAndStatistics(t *testing.T) {
	for name, c := range map[string]struct {
		edit       func(*dmsgen.Settings)
		dictionary string
		statistics bool
	}{
		"plain":                         {func(s *dmsgen.Settings) { s.Encoding = "plain" }, "", true},
		"dictionary":                    {func(s *dmsgen.Settings) { s.Encoding = "rle-dictionary" }, "RLE_DICTIONARY", true},
		"plain dictionary":              {func(s *dmsgen.Settings) { s.Encoding = "plain-dictionary" }, "PLAIN_DICTIONARY", true},
		"plain dictionary of version 2": {func(s *dmsgen.Settings) { s.Encoding, s.PageV2 = "plain-dictionary", true }, "RLE_DICTIONARY", true},
		"no statistics":                 {func(s *dmsgen.Settings) { s.NoStatistics = true }, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			table := dmsgen.Table{Schema: "s", Name: "t", Columns: []dmsgen.Column{{"id", "int"}, {"v", "text"}}}
			dir := t.TempDir()
			keys, err := newWriter(t, dmsgen.Directory(dir), c.edit).WriteLoad(t.Context(), table, noon(), []any{1, "a"}, []any{2, "b"})
			if err != nil {
				t.Fatal(err)
			}
			sql := `select path_in_schema, regexp_extract(encodings, '\w+_DICTIONARY'), stats_min_value is not null from parquet_metadata(?) order by all`
			want := fmt.Sprintf("id|%s|%v\nv|%[1]s|%[2]v", c.dictionary, c.statistics)
			if got := strings.Join(rig.DuckDB(t).Strings(sql, filepath.Join(dir, keys[0])), "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestPageVersion(t *testing.T) {
	for v2, want := range map[bool]format.PageType{false: format.DataPage, true: format.DataPageV2} {
		sink, table := objects{}, everything()
		keys, err := newWriter(t, sink, func(s *dmsgen.Settings) { s.PageV2 = v2 }).WriteLoad(t.Context(), table, noon(), dmsgen.NewStream(7, table, dmsgen.Mix{}).Rows(5)...)
		if err != nil {
			t.Fatal(err)
		}
		body := sink[keys[0]]
		file, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		for _, chunk := range file.Metadata().RowGroups[0].Columns {
			if got := chunk.MetaData.EncodingStats[0].PageType; got != want {
				t.Errorf("version 2 %v: column %s has pages of type %v", v2, chunk.MetaData.PathInSchema[0], got)
			}
		}
	}
}
