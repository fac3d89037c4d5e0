package lake

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// OpColumn is the column that says how a row last changed: "I" or "U". It comes
// first in files that this package makes; files of other writers keep it where they have it.
const OpColumn = "Op"

// Column is a column of a lake file or of a table.
type Column = parquetedit.Column

// Schema is a table as the lake has it. It goes through JSON unchanged.
type Schema struct {
	Columns   []parquetedit.Column `json:"columns"`             // in lake order; partition columns included, Op not
	Key       []string             `json:"key,omitempty"`       // primary key; empty for a key-less table
	Partition []string             `json:"partition,omitempty"` // partition key, outermost first
	Op        bool                 `json:"op,omitempty"`        // new files begin with the column Op
}

// SchemaError is returned when a column of an input or of a lake file does not
// fit the table: its type contradicts the lake's, or a value does not fit.
type SchemaError struct {
	File   string
	Column string
	Got    string // what was met: a type, or a value, of which it says type, length and row
	Want   string // what the lake has
	Widen  bool   // a wider type of the lake's column would hold it
}

// Error names the file, the column, what was met and the remedy.
func (e *SchemaError) Error() string {
	text := fmt.Sprintf("%s: column %q: %s does not fit the lake's %s", e.File, e.Column, e.Got, e.Want)
	if e.Widen {
		text += "; acknowledge with --accept schema to rewrite the table to a wider type"
	}
	return text
}

// KeyError is returned when a key column is missing from an input or a lake file, or holds NULL.
type KeyError struct {
	File   string
	Column string
	Row    int64 // row number in the file, from 0; -1 when the column is missing
}

// Error names the file, the column and the row.
func (e *KeyError) Error() string {
	if e.Row < 0 {
		return fmt.Sprintf("%s: key column %q is missing", e.File, e.Column)
	}
	return fmt.Sprintf("%s: key column %q is NULL in row %d", e.File, e.Column, e.Row)
}

// Index returns the place of the named column, or -1.
func (s *Schema) Index(name string) int {
	return slices.IndexFunc(s.Columns, func(c parquetedit.Column) bool { return c.Name == name })
}

// Extend adds the columns that an input has and the lake lacks; they come last,
// wherever they stand in the input, and may hold NULL. Columns that differ from a known one only
// by case are refused with a [SchemaError].
func (s *Schema) Extend(input []parquetedit.Column, file string) error {
	for _, c := range input {
		if s.Index(c.Name) >= 0 {
			continue
		}
		if s.Op && strings.EqualFold(c.Name, OpColumn) {
			return &SchemaError{File: file, Column: c.Name, Got: "the name", Want: fmt.Sprintf("any other than that of the column %q, which the lake adds; rename it at the source, or have the lake go without (--op-column drop)", OpColumn)}
		}
		for _, known := range s.Columns {
			if strings.EqualFold(known.Name, c.Name) {
				return &SchemaError{File: file, Column: c.Name, Got: "the name", Want: fmt.Sprintf("column %q, from which it differs only by case", known.Name)}
			}
		}
		if len(s.Columns) == parquetedit.MaxColumns-1 { // a lake file has Op, too
			return &SchemaError{File: file, Column: c.Name, Got: "one column more", Want: fmt.Sprintf("%d columns: no file may have more, with Op", len(s.Columns))}
		}
		c.Required = false
		s.Columns = append(s.Columns, c)
	}
	return nil
}

// Clone returns a copy that shares nothing with s.
func (s *Schema) Clone() Schema {
	return Schema{
		Columns: slices.Clone(s.Columns), Key: slices.Clone(s.Key),
		Partition: slices.Clone(s.Partition), Op: s.Op,
	}
}

// FileColumns returns the columns of a new lake file: Op first when the table
// keeps it, then the table's columns without the partition columns.
func (s *Schema) FileColumns() []parquetedit.Column {
	columns := make([]parquetedit.Column, 0, len(s.Columns)+1)
	if s.Op {
		columns = append(columns, opColumn())
	}
	for _, c := range s.Columns {
		if !slices.Contains(s.Partition, c.Name) {
			columns = append(columns, c)
		}
	}
	return columns
}

// places returns the indexes of the named columns in s.Columns. A name that is
// not there is a [KeyError] of the table.
func (s *Schema) places(names []string) ([]int, error) {
	at := make([]int, len(names))
	for i, name := range names {
		if at[i] = s.Index(name); at[i] < 0 {
			return nil, &KeyError{File: "the table", Column: name, Row: -1}
		}
	}
	return at, nil
}

func opColumn() parquetedit.Column {
	return parquetedit.Column{Name: OpColumn, Type: parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}}
}

// find returns the place of the named column in columns, or -1.
func find(columns []parquetedit.Column, name string) int {
	return slices.IndexFunc(columns, func(c parquetedit.Column) bool { return c.Name == name })
}
