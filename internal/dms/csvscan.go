package dms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"

	"sluice/internal/parquetedit"
)

// CSVIndex is what has to be known of a CSV object to read some of its rows: everything about its form, its columns, and
// where its blocks of rows begin. It goes through JSON unchanged.
type CSVIndex struct {
	Delimiter    string               `json:"delimiter"`
	RowDelimiter string               `json:"row_delimiter"`
	Null         string               `json:"null"`
	NoSup        string               `json:"no_sup,omitempty"`
	Quotes       bool                 `json:"quotes,omitempty"`
	Columns      []parquetedit.Column `json:"columns"` // op and before images, too
	Offsets      []int64              `json:"offsets"` // of the blocks in the text, decompressed, and where the last one ends
	Rows         []int64              `json:"rows"`    // of the blocks
}

// Check returns an error when no object can have the index: it was changed, or another version wrote it.
func (x *CSVIndex) Check() error {
	if x.Delimiter == "" || x.RowDelimiter == "" || len(x.Columns) > maxCSVColumns {
		return fmt.Errorf("delimiters %q and %q, %d columns", x.Delimiter, x.RowDelimiter, len(x.Columns))
	}
	if len(x.Offsets) != len(x.Rows)+1 || x.Offsets[0] < 0 {
		return fmt.Errorf("%d blocks with %d offsets", len(x.Rows), len(x.Offsets))
	}
	for i, rows := range x.Rows {
		if bytes := x.Offsets[i+1] - x.Offsets[i]; rows < 1 || bytes < rows || bytes > 2*maxRow {
			return fmt.Errorf("block %d with %d rows in %d bytes", i, rows, bytes)
		}
	}
	for _, c := range x.Columns {
		if t := c.Type; t.Length < 0 || t.Length > maxRow || t.Precision > 1000 || max(t.Scale, -t.Scale) > 1000 {
			return fmt.Errorf("column %q of a type that no column has", c.Name)
		}
	}
	return checkNames(x.Columns)
}

// MisfitError is returned when a field of a CSV file is no value of its column's type.
type MisfitError struct {
	Column string
	Row    int64
	Length int              // of the field, in bytes
	Type   parquetedit.Type // of the column
	Given  bool             // the operator gave the type; else it is that of the lake's column
}

// Error names the column and the row, never the field.
func (e *MisfitError) Error() string {
	return fmt.Sprintf("row %d: column %q: a field of %d bytes is no value of its type", e.Row, e.Column, e.Length)
}

// ErrUntold is wrapped where a field holds CsvNoSupValue and nothing says what its row holds.
var ErrUntold = errors.New("it holds CsvNoSupValue, or what Debezium writes in its place: the source's log left out what did not change")

// Untold is the value of a field that holds CsvNoSupValue, or [Unavailable] in a file of Debezium's: the row has there what it had before. It is a NULL to those who do not know it.
func Untold() parquet.Value { return parquet.NullValue().Level(0, untoldLevel, 0) }

// untoldLevel is no definition level of a flat column.
const untoldLevel = 100

// IsUntold says whether a value is [Untold].
func IsUntold(v parquet.Value) bool { return v.IsNull() && v.DefinitionLevel() == untoldLevel }

// A file that inflates to so much, and so far to so many times its size, is no CSV of a table.
const (
	bombBytes = 32 << 20
	bombRatio = 400
)

// ScanCSV reads a CSV object from front to back, once: it finds the columns and the blocks of rows, and sees to it that
// every field is a value of its column's type, so that what is read later cannot fail. Errors are [*InputError],
// [*MisfitError], or what the object returned. Memory is a few blocks of 1 MiB.
func ScanCSV(ctx context.Context, src parquetedit.Source, c CSVSettings) (*CSVFile, error) {
	for {
		s := &scan{CSVSettings: c}
		f, err := s.file(ctx, src)
		if err != nil || len(s.wider) == 0 {
			return f, err
		}
		c.Known = slices.Clone(c.Known) // read again: rows before the one that was too wide have to fit, too
		for name, t := range s.wider {
			if at := findColumn(c.Known, name); at >= 0 {
				c.Known[at].Type = t
			} else {
				c.Known = append(c.Known, parquetedit.Column{Name: name, Type: t})
			}
		}
	}
}

// scan is one reading of an object.
type scan struct {
	CSVSettings
	index  CSVIndex
	given  []bool
	read   []column
	nulls  [][]int64 // by block and column
	mu     sync.Mutex
	untold *InputError                 // the first field that the source left out
	wider  map[string]parquetedit.Type // types that would hold what did not fit
}

func (s *scan) file(ctx context.Context, src parquetedit.Source) (*CSVFile, error) {
	b, err := s.open(ctx, src)
	if err != nil {
		return nil, err
	}
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	err = s.each(inner, b, func(n int, made *block, first int64) {
		group.Go(func() error { return s.check(n, made, first) })
	})
	if waited := group.Wait(); waited != nil {
		return nil, waited
	}
	if err != nil {
		return nil, err
	}
	f := OpenCSV(src, s.index)
	f.nulls, f.untold = s.nulls, s.untold
	return f, nil
}

// open reads the first block, from which the row delimiter and the columns are known.
func (s *scan) open(ctx context.Context, src parquetedit.Source) (*blocks, error) {
	text, err := newBody(ctx, src)
	if err != nil {
		return nil, err
	}
	if !text.gzip && len(text.held) >= 4 && string(text.held[:4]) == "PAR1" {
		return nil, &InputError{Row: -1, Reason: "it is a Parquet file, though its name says CSV"}
	}
	s.index = CSVIndex{Delimiter: s.delimiter(), RowDelimiter: s.RowDelimiter, Null: s.null(), NoSup: s.NoSup, Quotes: s.quoted()}
	b := &blocks{body: text}
	if err := s.rowDelimiter(b); err != nil {
		return nil, err
	}
	b.split = s.index.splitter()
	return b, nil
}

// rowDelimiter finds out how the first row ends, where that is not set: in "\r\n" only if both it and "\n" end it at the
// same place, or text in quotes makes it the only one that does.
func (s *scan) rowDelimiter(b *blocks) error {
	if s.index.RowDelimiter != "" {
		return nil
	}
	short, long := s.index, s.index
	short.RowDelimiter, long.RowDelimiter = "\n", "\r\n"
	lf, crlf := short.splitter(), long.splitter()
	s.index = short
	for size := 64 << 10; size <= 2*maxRow; size *= 2 {
		if err := b.fill(size); err != nil {
			return err
		}
		_, end, err := lf.record(b.rest, 0, nil)
		_, other, _ := crlf.record(b.rest, 0, nil)
		if other > 0 && (err != nil || end == other) {
			s.index = long
		}
		if end >= 0 || other > 0 || b.done {
			return nil
		}
	}
	return nil
}

func (x *CSVIndex) splitter() splitter {
	return splitter{delimiter: []byte(x.Delimiter), row: []byte(x.RowDelimiter), quotes: x.Quotes}
}

// each hands over the blocks, numbered, with the number of their first row.
func (s *scan) each(ctx context.Context, b *blocks, use func(int, *block, int64)) error {
	offset, rows := int64(0), int64(0)
	for n := 0; ; n++ {
		made, err := b.next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if offset > bombBytes && offset/bombRatio > b.body.taken() {
			return &InputError{Row: -1, Reason: fmt.Sprintf("it inflates to more than %d times its size, which no table does", bombRatio)}
		}
		skipped := int64(0)
		if n == 0 {
			if skipped, err = s.begin(made); err != nil {
				return err
			}
			if skipped > 0 {
				b.rows--
			}
		}
		if made.rows > 0 {
			s.index.Offsets, s.index.Rows = append(s.index.Offsets, offset+skipped), append(s.index.Rows, int64(made.rows))
			use(len(s.index.Rows)-1, made, rows)
		}
		offset, rows = offset+int64(len(made.text)), rows+int64(made.rows)
	}
	if s.index.Columns == nil { // the file is empty
		s.index.Columns = slices.DeleteFunc(slices.Clone(s.Columns), func(c parquetedit.Column) bool { return c.Name == OpColumn })
	}
	s.index.Offsets = append(s.index.Offsets, offset)
	return nil
}

// begin finds the columns by the first row. It returns the length of the header, which it takes from the block, 0 if there is none.
func (s *scan) begin(made *block) (int64, error) {
	if bytes.HasPrefix(made.text, []byte("\xef\xbb\xbf")) {
		return 0, &InputError{Row: -1, Reason: "it begins with a byte order mark, which would be part of its first field"}
	}
	width := len(made.fields) / made.rows
	first := make([]string, width)
	for i, f := range made.fields[:width] {
		first[i] = string(f.unquoted(made.text))
	}
	columns, given, header, err := s.columns(first)
	if err != nil {
		return 0, err
	}
	s.index.Columns, s.given = columns, given
	s.read = s.index.readers()
	if !header {
		return 0, nil
	}
	made.fields, made.rows = made.fields[width:], made.rows-1
	split := s.index.splitter()
	_, end, err := split.record(made.text, 0, nil)
	return int64(end), err
}

// readers say how the fields of each column are read.
func (x *CSVIndex) readers() []column {
	read := make([]column, len(x.Columns))
	for i, c := range x.Columns {
		read[i] = column{null: x.Null, noSup: x.NoSup, textual: isTextual(c.Type), parse: parserOf(c.Type)}
		if c.Name == OpColumn {
			read[i].parse = parseOpField
		} else {
			read[i].plain = c.Type == textType()
		}
	}
	return read
}

// parseOpField reads an op as the text that it is.
func parseOpField(text []byte) (parquet.Value, bool) {
	_, err := ParseOp(text)
	return parquet.ByteArrayValue(text), err == nil
}

// check reads every field of a block once.
func (s *scan) check(n int, made *block, first int64) error {
	width := len(s.read)
	nulls := make([]int64, width)
	for c := range s.read {
		if s.read[c].plain && s.read[c].noSup == "" {
			nulls[c] = s.read[c].countNulls(made, c, width)
			continue
		}
		for row := range made.rows {
			f := made.fields[row*width+c]
			v, ok := s.read[c].value(f, made.text)
			if !ok {
				if err := s.fault(c, first+int64(row), f.unquoted(made.text)); err != nil {
					return err
				}
			}
			if v.IsNull() {
				nulls[c]++
			}
			if IsUntold(v) {
				s.leftOut(c, first+int64(row))
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.nulls) <= n {
		s.nulls = append(s.nulls, nil)
	}
	s.nulls[n] = nulls
	return nil
}

// leftOut remembers the first field that the source left out.
func (s *scan) leftOut(c int, row int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.untold == nil || row < s.untold.Row {
		s.untold = &InputError{Column: s.index.Columns[c].Name, Row: row, Reason: ErrUntold.Error(), Err: ErrUntold}
	}
}

// fault makes the error of a field, or the type of its column wider.
func (s *scan) fault(c int, row int64, text []byte) error {
	name, t := s.index.Columns[c].Name, s.index.Columns[c].Type
	switch name {
	case OpColumn:
		return &InputError{Column: name, Row: row, Reason: fmt.Sprintf("%s: %s", unnamed(text), ErrOp), Err: ErrOp}
	}
	misfit := &MisfitError{Column: name, Row: row, Length: len(text), Type: t, Given: s.given[c]}
	if !s.Widen || s.given[c] {
		return misfit
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.wider[name]; ok {
		t = known
		if _, ok := parserOf(t)(text); ok {
			return nil
		}
	}
	wide, ok := widerFor(t, text)
	if !ok {
		return misfit
	}
	if s.wider == nil {
		s.wider = map[string]parquetedit.Type{}
	}
	s.wider[name] = wide
	return nil
}

// widerFor returns the narrowest number type that has every value of t and the text, too; false when there is none.
func widerFor(t parquetedit.Type, text []byte) (parquetedit.Type, bool) {
	number := t.Logical == parquetedit.Integer || t.Logical == parquetedit.None && (t.Physical == parquet.Int32 || t.Physical == parquet.Int64)
	long := parquetedit.Type{Physical: parquet.Int64}
	if _, fits := parserOf(long)(text); fits && number && (t.Physical == parquet.Int32 || t.Signed) {
		return long, true
	}
	if !number && t.Logical != parquetedit.Decimal {
		return t, false
	}
	whole, scale := digitsBefore(text), digitsBehind(text)
	have := 20 // of 64 bits
	if t.Logical == parquetedit.Decimal {
		have = t.Precision - t.Scale
	}
	scale = max(scale, t.Scale)
	precision := max(whole, have) + scale
	if precision > 38 {
		return t, false
	}
	wide := decimalType(precision, scale)
	_, fits := parserOf(wide)(text)
	return wide, fits
}
