package dms

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/parquetedit"
)

// CSVSettings say how the CSV files of a table are written. The zero value is what DMS does when nothing is set, in files
// without a header. It goes through JSON unchanged.
type CSVSettings struct {
	Delimiter    string `json:"delimiter,omitempty"`     // CsvDelimiter; "" = ","
	RowDelimiter string `json:"row_delimiter,omitempty"` // CsvRowDelimiter; "" = "\n", or "\r\n" where the first row ends in it
	// Null is CsvNullValue: a field of just this text, without quotes, is NULL. Nil = [DefaultCSVNull].
	Null  *string `json:"null,omitempty"`
	NoSup string  `json:"no_sup,omitempty"` // CsvNoSupValue: the source did not say what the field holds; "" = none
	// Header says whether the first row names the columns (AddColumnName): true, false, or "" where it is recognized.
	Header  string               `json:"header,omitempty"`
	Quotes  string               `json:"quotes,omitempty"`  // Rfc4180: "" and true = fields may be quoted, false = a quote is a byte like any other
	Columns []parquetedit.Column `json:"columns,omitempty"` // what the operator says that the columns are, in the order of the files; without Op, or with it
	// Known are the columns of the table in the lake: of a column that Columns does not name they say the type.
	Known []parquetedit.Column `json:"-"`
	// BeforeImagePrefix is that of before images, which have the types of their columns; "" is [DefaultBeforeImagePrefix].
	BeforeImagePrefix string `json:"-"`
	// Widen lets a value that does not fit its known type make the type wider rather than be an error.
	Widen bool `json:"-"`
}

// DefaultCSVNull is what DMS writes for NULL when CsvNullValue is not set (SDK).
const DefaultCSVNull = "NULL"

const (
	csvTrue  = "true"
	csvFalse = "false"
)

// Validate returns an error that names the setting which cannot be.
func (c CSVSettings) Validate() error {
	for _, s := range []struct{ name, value string }{{"CsvHeader", c.Header}, {"CsvQuotes", c.Quotes}} {
		if s.value != "" && s.value != csvTrue && s.value != csvFalse {
			return fmt.Errorf("%s %q is neither true nor false", s.name, s.value)
		}
	}
	delimiter, row := c.delimiter(), c.RowDelimiter
	switch {
	case row != "" && (strings.Contains(row, delimiter) || strings.Contains(delimiter, row)):
		return fmt.Errorf("CsvDelimiter %q and CsvRowDelimiter %q contain each other", delimiter, row)
	case row == "" && strings.ContainsAny(delimiter, "\r\n"):
		return fmt.Errorf("CsvDelimiter %q has a line break, and CsvRowDelimiter is not set", delimiter)
	case c.quoted() && strings.ContainsRune(delimiter+row, '"'):
		return fmt.Errorf("CsvDelimiter %q or CsvRowDelimiter %q has a quote; set CsvQuotes false if fields are never quoted", delimiter, row)
	case c.NoSup != "" && c.NoSup == c.null():
		return fmt.Errorf("CsvNoSup and CsvNull are both %q", c.NoSup)
	}
	return checkNames(c.Columns)
}

func (c CSVSettings) delimiter() string {
	if c.Delimiter == "" {
		return ","
	}
	return c.Delimiter
}

func (c CSVSettings) null() string {
	if c.Null == nil {
		return DefaultCSVNull
	}
	return *c.Null
}

func (c CSVSettings) quoted() bool { return c.Quotes != csvFalse }

// ErrHeader is wrapped when the first row of a CSV file may be a header as well as a row.
var ErrHeader = errors.New("it is CSV, and its first line may be a header as well as a row")

// hasHeader says whether the fields of a file's first row are names of columns. Where that is not set, they are when the
// first of them is Op, which is no op, and none or one of the others is a known column, or when each is the name of a known column and one of these could not hold its own name. It is
// [ErrHeader] when most of them are names, and nothing tells.
func (c CSVSettings) hasHeader(first []string) (bool, error) {
	if c.Header != "" {
		return c.Header == csvTrue, nil
	}
	known := slices.Concat(c.Columns, c.Known)
	isName := func(name string) bool { return findColumn(known, name) >= 0 }
	if first[0] == OpColumn {
		if len(known) > 0 && !slices.ContainsFunc(first[1:], isName) {
			return false, &InputError{Row: -1, Reason: ErrHeader.Error(), Err: ErrHeader} // a text may be Op, too
		}
		return true, nil
	}
	names, proof := 0, false
	for _, name := range first {
		if at := findColumn(known, name); at >= 0 {
			_, fits := parserOf(csvType(known[at].Type))([]byte(name))
			names, proof = names+1, proof || !fits
		}
	}
	switch {
	case names == len(first) && proof:
		return true, nil
	case 2*names > len(first):
		return false, &InputError{Row: -1, Reason: ErrHeader.Error(), Err: ErrHeader}
	}
	return false, nil
}

func findColumn(columns []parquetedit.Column, name string) int {
	return slices.IndexFunc(columns, func(c parquetedit.Column) bool { return c.Name == name })
}

// ErrNoColumns is wrapped when nothing says which columns a CSV file has.
var ErrNoColumns = fmt.Errorf("it is CSV, and neither a header nor a schema says which columns it has")

// maxCSVColumns is what a lake file may have.
const maxCSVColumns = parquetedit.MaxColumns

// columns returns the columns of a file, and whether its first row is a header. given says of each column whether the operator said its type.
func (c CSVSettings) columns(first []string) (columns []parquetedit.Column, given []bool, header bool, err error) {
	header, err = c.hasHeader(first)
	if err != nil {
		return nil, nil, false, err
	}
	if header {
		columns, given, err = c.named(first)
		return columns, given, true, err
	}
	if len(c.Columns) == 0 {
		return nil, nil, false, &InputError{Row: -1, Reason: ErrNoColumns.Error(), Err: ErrNoColumns}
	}
	columns, err = c.placed(first)
	return columns, slices.Repeat([]bool{true}, len(columns)), false, err
}

// named are the columns of a header.
func (c CSVSettings) named(header []string) ([]parquetedit.Column, []bool, error) {
	columns, given := make([]parquetedit.Column, len(header)), make([]bool, len(header))
	for i, name := range header {
		columns[i] = parquetedit.Column{Name: name, Type: textType()}
		known, image := findColumn(c.Columns, name), strings.TrimPrefix(name, cmp.Or(c.BeforeImagePrefix, DefaultBeforeImagePrefix))
		switch {
		case name == "":
			return nil, nil, &InputError{Row: -1, Reason: fmt.Sprintf("field %d of the header is empty", i)}
		case name == OpColumn:
		case known >= 0:
			columns[i].Type, given[i] = c.Columns[known].Type, true
		case findColumn(c.Known, name) >= 0:
			columns[i].Type = csvType(c.Known[findColumn(c.Known, name)].Type)
		case findColumn(c.Columns, image) >= 0:
			columns[i].Type, given[i] = c.Columns[findColumn(c.Columns, image)].Type, true
		case findColumn(c.Known, image) >= 0:
			columns[i].Type = csvType(c.Known[findColumn(c.Known, image)].Type)
		}
	}
	return columns, given, checkNames(columns)
}

// placed are the columns of a file without a header, whose first row has so many fields.
func (c CSVSettings) placed(first []string) ([]parquetedit.Column, error) {
	n, op := len(first), findColumn(c.Columns, OpColumn)
	without := slices.DeleteFunc(slices.Clone(c.Columns), func(c parquetedit.Column) bool { return c.Name == OpColumn })
	_, err := ParseOp([]byte(first[0]))
	isOp := err == nil && first[0] != ""
	switch {
	case op >= 0 && n == len(c.Columns):
		return c.Columns, nil
	case n == len(without)+1 && isOp:
		return slices.Concat([]parquetedit.Column{{Name: OpColumn, Type: textType()}}, without), nil
	case n == len(without) && isOp && op < 0:
		return nil, &InputError{Row: 0, Reason: fmt.Sprintf("its first field looks like an op, but it has %d fields, as many as CsvSchema has columns: if the first one is no op, list Op in CsvSchema, too; else a column is missing", n)}
	case n == len(without):
		return without, nil
	}
	return nil, &InputError{Row: 0, Reason: fmt.Sprintf("it has %d fields; CsvSchema has %d columns, beside Op", n, len(without))}
}
