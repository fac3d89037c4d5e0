package dmsgen_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/scripts/dmsgen"
)

// csvSettings returns settings of CSV files, edited.
func csvSettings(edit func(*dmsgen.Settings)) func(*dmsgen.Settings) {
	return func(s *dmsgen.Settings) {
		s.Format = dmsgen.CSV
		if edit != nil {
			edit(s)
		}
	}
}

func gunzip(t *testing.T, body []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestCSVBytes(t *testing.T) {
	table := dmsgen.Table{Schema: "s", Name: "t", Key: []string{"id"}, Columns: []dmsgen.Column{{"id", "int"}, {"v", "text"}, {"w", "numeric(5,2)"}}}
	for name, c := range map[string]struct {
		edit func(*dmsgen.Settings)
		row  []any
		want string
	}{
		"plain":                     {nil, []any{1, "a", "2"}, "U,1,a,2.00\n"},
		"NULL":                      {nil, []any{1, nil, nil}, "U,1,NULL,NULL\n"},
		"the text NULL":             {nil, []any{1, "NULL", nil}, "U,1,NULL,NULL\n"},
		"empty text":                {nil, []any{1, "", nil}, "U,1,,NULL\n"},
		"another NULL":              {func(s *dmsgen.Settings) { s.CSV.Null = `\N` }, []any{1, nil, nil}, "U,1,\\N,\\N\n"},
		"empty NULL":                {func(s *dmsgen.Settings) { s.CSV.Null = "" }, []any{1, nil, nil}, "U,1,,\n"},
		"quotes":                    {nil, []any{1, `a "b"`, nil}, "U,1,\"a \"\"b\"\"\",NULL\n"},
		"delimiter and newline":     {nil, []any{1, "a,\nb", nil}, "U,1,\"a,\nb\",NULL\n"},
		"no quotes":                 {func(s *dmsgen.Settings) { s.CSV.NoQuotes = true }, []any{1, `a "b",c`, nil}, "U,1,a \"b\",c,NULL\n"},
		"delimiters":                {func(s *dmsgen.Settings) { s.CSV.Delimiter, s.CSV.RowDelimiter = "||", "\r\n" }, []any{1, "a|b,", nil}, "U||1||a|b,||NULL\r\n"},
		"longer delimiter in quote": {func(s *dmsgen.Settings) { s.CSV.Delimiter = "||" }, []any{1, "a||b", nil}, "U||1||\"a||b\"||NULL\n"},
		"header":                    {func(s *dmsgen.Settings) { s.CSV.Header = true }, []any{1, "a", nil}, "Op,id,v,w\nU,1,a,NULL\n"},
		"missing":                   {nil, []any{1, dmsgen.Missing{}, nil}, "U,1,NULL,NULL\n"},
		"missing with a mark":       {func(s *dmsgen.Settings) { s.CSV.NoSup = "NOSUP" }, []any{1, dmsgen.Missing{}, nil}, "U,1,NOSUP,NULL\n"},
		"milliseconds do not matter, before image and timestamp column": {
			func(s *dmsgen.Settings) {
				s.Milliseconds, s.TimestampColumn, s.BeforeImages = true, "ts", dmsgen.KeyImages
			},
			[]any{1, "a", nil},
			"U,2025-01-02 12:00:00.000000,1,a,NULL,NULL\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			sink := objects{}
			w := newWriter(t, sink, csvSettings(c.edit))
			key, err := w.WriteChanges(t.Context(), table, noon(), dmsgen.Change{Op: dmsgen.Update, Row: c.row})
			if err != nil {
				t.Fatal(err)
			}
			if want := "s/t/20250102-120000000.csv"; key != want {
				t.Errorf("got key %s, want %s", key, want)
			}
			if diff := cmp.Diff(c.want, string(sink[key])); diff != "" {
				t.Errorf("file (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCSVLoad(t *testing.T) {
	table := dmsgen.Table{Schema: "s", Name: "t", Columns: []dmsgen.Column{{"id", "int"}}}
	sink := objects{}
	w := newWriter(t, sink, csvSettings(func(s *dmsgen.Settings) {
		s.Compression, s.OpInLoad, s.CSV.MaxFileBytes = "gzip", true, 8
	}))
	keys, err := w.WriteLoad(t.Context(), table, noon(), []any{1}, []any{2}, []any{3})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"s/t/LOAD00000001.csv.gz", "s/t/LOAD00000002.csv.gz"}, keys); diff != "" {
		t.Fatalf("keys (-want +got):\n%s", diff)
	}
	for i, want := range []string{"I,1\nI,2\n", "I,3\n"} {
		if got := string(gunzip(t, sink[keys[i]])); got != want {
			t.Errorf("file %d: got %q, want %q", i, got, want)
		}
	}
}

func TestCSVWithoutRows(t *testing.T) {
	table := dmsgen.Table{Schema: "s", Name: "t", Columns: []dmsgen.Column{{"id", "int"}}}
	for header, want := range map[bool]string{false: "", true: "Op,id\n"} {
		sink := objects{}
		w := newWriter(t, sink, csvSettings(func(s *dmsgen.Settings) { s.CSV.Header = header }))
		key, err := w.WriteChanges(t.Context(), table, noon())
		if err != nil || string(sink[key]) != want {
			t.Errorf("header %v: got %q, %v; want %q", header, sink[key], err, want)
		}
	}
}

func TestCSVDelimitersThatNobodyTellsApart(t *testing.T) {
	for _, delimiters := range [][2]string{{"", "\n"}, {",", ""}, {",", ","}, {",", ",\n"}, {"a\nb", "\n"}} {
		s := dmsgen.DefaultSettings()
		s.Format, s.CSV.Delimiter, s.CSV.RowDelimiter = dmsgen.CSV, delimiters[0], delimiters[1]
		if _, err := dmsgen.NewWriter(objects{}, s); err == nil {
			t.Errorf("delimiters %q: got no error", delimiters)
		}
	}
}
