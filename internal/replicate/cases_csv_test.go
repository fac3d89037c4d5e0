package replicate_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
	"sluice/statestore"
)

// csvCase is a setting of CSV files whose columns the operator has given. Without a header, files of other columns are
// refused: TestCSVWhoseColumnsChange.
func csvCase(name string, edit func(*dmsgen.Settings), attributes map[string]string) caseSetting {
	return caseSetting{
		name: "CSV, " + name, attributes: withSchema(edit, attributes), except: columnEventNames(), misfit: "input",
		edit: func(s *dmsgen.Settings) {
			s.Format = dmsgen.CSV
			if edit != nil {
				edit(s)
			}
		},
	}
}

// withHeader has the files of a setting name their columns, so that they may change.
func withHeader(c caseSetting) caseSetting {
	edit := c.edit
	c.name, c.except = c.name+", header", nil
	c.edit = func(s *dmsgen.Settings) { edit(s); s.CSV.Header = true }
	c.attributes = maps.Clone(c.attributes)
	c.attributes[statestore.CSVHeader] = "true"
	return c
}

// withSchema adds the columns of item's files to the attributes.
func withSchema(edit func(*dmsgen.Settings), attributes map[string]string) map[string]string {
	s := dmsgen.DefaultSettings()
	if edit != nil {
		edit(&s)
	}
	attributes = maps.Clone(attributes)
	if attributes == nil {
		attributes = map[string]string{}
	}
	attributes[statestore.CSVSchema] = csvSchema(s, item())
	return attributes
}

// csvSchema lists the columns of a table's files, without Op and without before images.
func csvSchema(s dmsgen.Settings, table dmsgen.Table) string {
	var columns []string
	if s.TimestampColumn != "" {
		columns = append(columns, s.TimestampColumn+" string")
	}
	for _, c := range table.Columns {
		columns = append(columns, "`"+c.Name+"` "+c.Type)
	}
	if s.SequenceColumn != "" {
		columns = append(columns, s.SequenceColumn+" string")
	}
	return strings.Join(columns, ", ")
}

func columnEventNames() []string {
	var names []string
	for _, e := range caseColumnEvents() {
		names = append(names, e.name)
	}
	return names
}

// csvCases are the settings that only CSV knows, and others with it.
func csvCases() []caseSetting {
	images := withHeader(csvCase("images of the key", func(s *dmsgen.Settings) { s.BeforeImages = dmsgen.KeyImages }, nil))
	recognized := withHeader(csvCase("not announced", nil, nil))
	delete(recognized.attributes, statestore.CSVHeader)
	recognized.except = []string{"column added by a reload"} // no Op, no known columns: nobody can tell it from a row
	texts := withHeader(csvCase("every column a string", nil, nil))
	delete(texts.attributes, statestore.CSVSchema)
	texts.misfit = ""
	partitioned := csvCase("partitioned", nil, nil)
	partitioned.partition = "dept"
	segments := csvCase("segments", nil, nil)
	segments.segments = []func(*dmsgen.Settings){func(s *dmsgen.Settings) { s.Segment, s.RowsPerFile = 1, 2 }, func(s *dmsgen.Settings) { s.SegmentFolder = "south" }}
	return []caseSetting{
		csvCase("default", nil, nil), withHeader(csvCase("default", nil, nil)), recognized, texts, images, partitioned, segments,
		csvCase("gzip", func(s *dmsgen.Settings) { s.Compression = "gzip" }, nil),
		csvCase("tab, carriage return", func(s *dmsgen.Settings) { s.CSV.Delimiter, s.CSV.RowDelimiter = "\t", "\r\n" },
			map[string]string{statestore.CSVDelimiter: `\t`, statestore.CSVRowDelimiter: `\r\n`}),
		csvCase("delimiters of many bytes", func(s *dmsgen.Settings) { s.CSV.Delimiter, s.CSV.RowDelimiter = "|~|", "<end>" },
			map[string]string{statestore.CSVDelimiter: "|~|", statestore.CSVRowDelimiter: "<end>"}),
		csvCase("control characters", func(s *dmsgen.Settings) { s.CSV.Delimiter, s.CSV.RowDelimiter = "\x1f", "\x1e" },
			map[string]string{statestore.CSVDelimiter: `\x1f`, statestore.CSVRowDelimiter: `\x1e`}),
		csvCase("no quotes", func(s *dmsgen.Settings) { s.CSV.NoQuotes = true }, map[string]string{statestore.CSVQuotes: "false"}),
		csvCase("another NULL", func(s *dmsgen.Settings) { s.CSV.Null = `\N` }, map[string]string{statestore.CSVNull: `\\N`}),
		csvCase("empty NULL", func(s *dmsgen.Settings) { s.CSV.Null = "" }, map[string]string{statestore.CSVNull: `""`}),
		csvCase("columns left out", func(s *dmsgen.Settings) { s.CSV.NoSup = "-?-" }, map[string]string{statestore.CSVNoSup: "-?-"}),
		withHeader(csvCase("columns left out, images of the key", func(s *dmsgen.Settings) { s.CSV.NoSup, s.BeforeImages = "-?-", dmsgen.KeyImages },
			map[string]string{statestore.CSVNoSup: "-?-"})),
		csvCase("Op in the load", func(s *dmsgen.Settings) { s.OpInLoad = true }, nil),
		csvCase("inserts only, no Op", func(s *dmsgen.Settings) { s.InsertsOnly, s.NoOp = true, true }, nil),
		csvCase("inserts and updates", func(s *dmsgen.Settings) { s.InsertsAndUpdates, s.OpInLoad = true, true }, nil),
		csvCase("deletes with the key only", func(s *dmsgen.Settings) { s.KeyOnlyDeletes = true }, nil),
		csvCase("timestamp column, date folders", func(s *dmsgen.Settings) { s.TimestampColumn, s.DateFolders = "ts", "MMYYYYDD" }, nil),
		csvCase("sequence column that orders", func(s *dmsgen.Settings) { s.SequenceColumn = "seq" }, map[string]string{statestore.OrderColumn: "seq"}),
		withHeader(csvCase("gzip, tab", func(s *dmsgen.Settings) { s.Compression, s.CSV.Delimiter = "gzip", "\t" }, map[string]string{statestore.CSVDelimiter: `\t`})),
	}
}

// TestCSVWhoseColumnsChange has files without a header whose columns change: they are refused until the operator says what they are.
func TestCSVWhoseColumnsChange(t *testing.T) {
	s := newScene(t, rig.DuckDB(t), csvCase("default", nil, nil))
	s.alter(func(columns []dmsgen.Column) []dmsgen.Column {
		return slices.Insert(columns, 2, dmsgen.Column{Name: "added", Type: "text"})
	})
	s.change(s.inserted(9, 0), s.updated(1, 1))
	got := s.run(itemName, replicate.Halted)
	if !strings.HasPrefix(got.Reason, "input: ") || !strings.Contains(got.Reason, "it has 9 fields; CsvSchema has 7 columns, beside Op") {
		t.Fatalf("halted with %q", got.Reason)
	}
	s.set(s.path(), map[string]string{statestore.CSVSchema: csvSchema(s.settings, s.source)})
	s.acknowledgeAs("")
	s.equal()
}

// TestCSVImagesWithoutAHeaderAreRefused has changes with before images, which the full load does not have: without a
// header nobody can tell which fields they are.
func TestCSVImagesWithoutAHeaderAreRefused(t *testing.T) {
	s := newScene(t, nil, csvCase("images", func(s *dmsgen.Settings) { s.BeforeImages = dmsgen.KeyImages }, nil))
	s.change(s.moved(1, 9, 1))
	got := s.run(itemName, replicate.Halted)
	if !strings.HasPrefix(got.Reason, "input: ") || !strings.Contains(got.Reason, "it has 9 fields; CsvSchema has 7 columns, beside Op") {
		t.Errorf("halted with %q", got.Reason)
	}
}
