package lake_test

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"strings"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// sheet is a Parquet file as a test writes it down: columns, then rows of nil
// (NULL), int, string or parquet.Value.
type sheet struct {
	columns []parquetedit.Column
	rows    [][]any
	groups  []int // rows of the row groups, the last one takes the rest; nil = one group
}

// col is an optional column.
func col(name string, t parquetedit.Type) parquetedit.Column {
	return parquetedit.Column{Name: name, Type: t}
}

// cols are optional columns written as "name type, name type".
func cols(spec string) []parquetedit.Column {
	types := map[string]parquetedit.Type{
		"int": typeInt, "bigint": typeBigint, "string": typeString, "us": typeUs, "ms": typeMs,
		"date": typeDate, "double": typeDouble, "dec": decimalIn(parquet.FixedLenByteArray, 7, 15, 2),
	}
	var columns []parquetedit.Column
	for part := range strings.SplitSeq(spec, ", ") {
		name, kind, _ := strings.Cut(part, " ")
		columns = append(columns, col(name, types[kind]))
	}
	return columns
}

// body writes the sheet as a Parquet file.
func (s sheet) body(tb rapid.TB) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := parquetedit.NewWriter(&b, s.columns, parquetedit.WriterOptions{Compression: "snappy"})
	if err != nil {
		tb.Fatal(err)
	}
	rest := s.rows
	for _, n := range append(s.groups, len(s.rows)) {
		n = min(n, len(rest))
		if err := w.Write(s.cells(rest[:n])); err != nil {
			tb.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			tb.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func (s sheet) cells(rows [][]any) [][]parquet.Value {
	cells := make([][]parquet.Value, len(s.columns))
	for c, column := range s.columns {
		cells[c] = make([]parquet.Value, len(rows))
		for r, row := range rows {
			cells[c][r] = cell(column.Type, row[c])
		}
	}
	return cells
}

// cell is a literal in a column's type; an int is the unscaled integer, or the number of ticks or days.
func cell(t parquetedit.Type, literal any) parquet.Value {
	switch x := literal.(type) {
	case nil:
		return parquet.NullValue()
	case parquet.Value:
		return x
	case string:
		return text(x)
	case int:
		if t.Physical == parquet.Double {
			return parquet.DoubleValue(float64(x))
		}
		return unscaled(t, big.NewInt(int64(x)))
	}
	return text(fmt.Sprint(literal))
}

// openBody opens a body in memory.
func openBody(tb rapid.TB, body []byte) *parquetedit.File {
	tb.Helper()
	f, err := parquetedit.Open(context.Background(), parquetedit.ReaderAt{ReaderAt: bytes.NewReader(body), N: int64(len(body))})
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func (s sheet) open(tb rapid.TB) *parquetedit.File {
	tb.Helper()
	return openBody(tb, s.body(tb))
}

// reader opens the sheet as an input of DMS.
func (s sheet) reader(tb rapid.TB) dms.Reader {
	tb.Helper()
	in, err := dms.Open(s.open(tb), dms.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return in
}

// readAll reads a file's columns, all row groups in a row.
func readAll(tb rapid.TB, f *parquetedit.File) [][]parquet.Value {
	tb.Helper()
	columns := make([][]parquet.Value, len(f.Columns()))
	for c := range columns {
		for g := range f.RowGroups() {
			err := f.ReadColumn(context.Background(), g, c, func(_ int64, values []parquet.Value) error {
				for _, v := range values {
					columns[c] = append(columns[c], v.Clone())
				}
				return nil
			})
			if err != nil {
				tb.Fatal(err)
			}
		}
	}
	return columns
}

// lines prints a file's rows, "NULL" for NULL, in file order.
func lines(tb rapid.TB, f *parquetedit.File) []string {
	tb.Helper()
	columns := readAll(tb, f)
	rows := make([]string, f.NumRows())
	for r := range rows {
		texts := make([]string, len(columns))
		for c := range columns {
			texts[c] = show(f.Columns()[c].Type, columns[c][r])
		}
		rows[r] = strings.Join(texts, " ")
	}
	return rows
}

// show prints a value as a person would write it.
func show(t parquetedit.Type, v parquet.Value) string {
	if v.IsNull() {
		return "NULL"
	}
	if s, err := lake.FormatPartition(t, v); err == nil && s != lake.NullPartition {
		return s
	}
	if v.Kind() == parquet.ByteArray || v.Kind() == parquet.FixedLenByteArray {
		return fmt.Sprintf("%q", v.ByteArray())
	}
	return v.String()
}

// folded adds sheets to a fold as the inputs "1", "2" and so on.
func folded(tb rapid.TB, s *lake.Schema, inputs ...sheet) *lake.Changes {
	tb.Helper()
	fold, err := lake.NewFold(s, lake.FoldOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	for i, in := range inputs {
		if err := fold.Add(context.Background(), lake.Input{Name: fmt.Sprint(i + 1), Reader: in.reader(tb)}); err != nil {
			tb.Fatal(err)
		}
	}
	return ended(tb, fold)
}

func ended(tb rapid.TB, fold *lake.Fold) *lake.Changes {
	tb.Helper()
	changes, err := fold.Net()
	if err != nil {
		tb.Fatal(err)
	}
	return changes
}

// netLines prints the net changes, one a line: op (D for a delete) and the row; upserts by key, then
// deletes by key. They come from the changes object of a merge into an empty lake.
func netLines(tb rapid.TB, c *lake.Changes) []string {
	tb.Helper()
	f := openBody(tb, changesObject(tb, planned(tb, c, nil)))
	kinds := readAll(tb, f)[0]
	net := lines(tb, f)
	for i, line := range net {
		line = line[strings.Index(line, " ")+1:] // without the kind of row
		line = line[strings.Index(line, " ")+1:] // without its ordinal
		if kinds[i].Int32() == 0 {
			line = "D" + strings.TrimPrefix(line, "NULL")
		}
		net[i] = line
	}
	return net
}

// planned plans a merge into lake files.
func planned(tb rapid.TB, c *lake.Changes, files []*lakeFile) *lake.Merge {
	tb.Helper()
	known, open := opener(files)
	m, err := c.PlanMerge(context.Background(), known, open, lake.Limits{TargetFileBytes: 1 << 20, Parallel: 2})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func changesObject(tb rapid.TB, m *lake.Merge) []byte {
	tb.Helper()
	var b bytes.Buffer
	if _, err := m.WriteChanges(context.Background(), &b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// lakeFile is a lake file in memory.
type lakeFile struct {
	lake.File
	body   []byte
	opened int
}

// opener opens files in memory and counts it. It is for plans with one file at a time, or with a lock of the test's own.
func opener(files []*lakeFile) ([]*lake.File, lake.Opener) {
	known := make([]*lake.File, len(files))
	byKey := map[string]*lakeFile{}
	for i, f := range files {
		known[i] = &f.File
		byKey[f.Key] = f
	}
	return known, func(ctx context.Context, f *lake.File) (*parquetedit.File, error) {
		in := byKey[f.Key]
		in.opened++ // each file is opened by one goroutine of a plan
		return parquetedit.Open(ctx, parquetedit.ReaderAt{ReaderAt: bytes.NewReader(in.body), N: int64(len(in.body))})
	}
}
