package dms

import (
	"errors"
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// Dialect is whose columns tell what happened to the rows of a file. The zero value is not known: the file has no such
// column, and its rows are what is there.
type Dialect string

// The dialects.
const (
	DMS      Dialect = "dms"      // the column Op
	Debezium Dialect = "debezium" // the columns __op and __deleted
)

// The columns that Debezium's ExtractNewRecordState adds with add.fields=op, and with deletes that are rewritten
// (delete.tombstone.handling.mode=rewrite, in older versions delete.handling.mode=rewrite). Others that begin with "__" are
// data.
const (
	debeziumOp      = "__op"      // text: c, u, d, r
	debeziumDeleted = "__deleted" // text or boolean: true, false
)

// Unavailable is the text that Debezium writes where PostgreSQL's log leaves out a large value (TOAST) that an update did not
// change: the default of unavailable.value.placeholder.
const Unavailable = "__debezium_unavailable_value"

// IsUnavailable says whether a value is [Unavailable].
func IsUnavailable(v parquet.Value) bool {
	return v.Kind() == parquet.ByteArray && len(v.ByteArray()) == len(Unavailable) && string(v.ByteArray()) == Unavailable
}

// untell makes [Untold] of what is [Unavailable].
func (in *Input) untell(b Batch) {
	if !in.untells || in.dialect != Debezium {
		return
	}
	for _, values := range b.Columns {
		for i, v := range values {
			if IsUnavailable(v) {
				values[i] = Untold()
			}
		}
	}
}

// Dialects returns those that there are.
func Dialects() []Dialect { return []Dialect{DMS, Debezium} }

// marks are the places of the columns that tell what happened to a row, -1 for one that is not there.
type marks struct {
	op, deleted int
}

// dialectOf knows a file by its columns: Op is DMS's; without it, __op or __deleted of a fitting type is Debezium's.
func dialectOf(columns []parquetedit.Column) Dialect {
	switch {
	case placeOf(columns, OpColumn, anyType) >= 0:
		return DMS
	case placeOf(columns, debeziumOp, isText) >= 0, placeOf(columns, debeziumDeleted, isFlag) >= 0:
		return Debezium
	}
	return ""
}

// placeOf returns where a column of that name and a fitting type is, or -1.
func placeOf(columns []parquetedit.Column, name string, fits func(parquetedit.Type) bool) int {
	return slices.IndexFunc(columns, func(c parquetedit.Column) bool { return c.Name == name && fits(c.Type) })
}

func anyType(parquetedit.Type) bool { return true }

func isFlag(t parquetedit.Type) bool { return isText(t) || t.Physical == parquet.Boolean }

// find returns the marks of a file in the dialect.
func (d Dialect) find(columns []parquetedit.Column) (marks, error) {
	if d != Debezium {
		m := marks{op: placeOf(columns, OpColumn, anyType), deleted: -1}
		if m.op >= 0 && !isText(columns[m.op].Type) {
			return m, &InputError{Column: OpColumn, Row: -1, Reason: "the op is no text"}
		}
		return m, nil
	}
	m := marks{op: placeOf(columns, debeziumOp, anyType), deleted: placeOf(columns, debeziumDeleted, anyType)}
	switch {
	case placeOf(columns, OpColumn, anyType) >= 0:
		return m, &InputError{Column: OpColumn, Row: -1, Reason: "Debezium's files have no such column, and the lake's op is named so; rename it with a transform of the connector"}
	case m.op >= 0 && !isText(columns[m.op].Type):
		return m, &InputError{Column: debeziumOp, Row: -1, Reason: "the op is no text"}
	case m.deleted >= 0 && !isFlag(columns[m.deleted].Type):
		return m, &InputError{Column: debeziumDeleted, Row: -1, Reason: "it is neither text nor boolean"}
	}
	return m, nil
}

var (
	errTruncate = errors.New("the source table was truncated, which no row can tell; load the table again")
	errMessage  = errors.New("a message of the source is no row; leave messages out of the table's files")
	errLetter   = errors.New("the op is none of c, u, d, r")
	errSilent   = errors.New("neither __op nor __deleted says what happened to the row")
	errBoth     = errors.New("__op and __deleted contradict each other")
	errFlag     = errors.New("__deleted is neither true nor false")
)

// ParseDebeziumOp reads __op. NULL and "" are 0, which leaves it to __deleted.
func ParseDebeziumOp(v parquet.Value) (Op, error) {
	if v.IsNull() || len(v.ByteArray()) == 0 {
		return 0, nil
	}
	if text := v.ByteArray(); len(text) == 1 {
		switch text[0] {
		case 'c', 'r':
			return Insert, nil
		case 'u':
			return Update, nil
		case 'd':
			return Delete, nil
		case 't':
			return 0, errTruncate
		case 'm':
			return 0, errMessage
		}
	}
	return 0, errLetter
}

// WithDeleted returns what __op, read before, and __deleted say together; the NULL value stands for a column that
// is not there. They have to agree, and one of them has to say something.
func WithDeleted(op Op, deleted parquet.Value) (Op, error) {
	gone, err := parseFlag(deleted)
	switch {
	case err != nil:
		return 0, err
	case deleted.IsNull() && op == 0:
		return 0, errSilent
	case deleted.IsNull():
		return op, nil
	case op != 0 && gone != (op == Delete):
		return 0, errBoth
	case op != 0:
		return op, nil
	case gone:
		return Delete, nil
	}
	return Insert, nil
}

func parseFlag(v parquet.Value) (bool, error) {
	switch {
	case v.IsNull():
		return false, nil
	case v.Kind() == parquet.Boolean:
		return v.Boolean(), nil
	}
	switch string(v.ByteArray()) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errFlag
}

// ops reads what happened to the next rows.
func (in *Input) ops(s *streams, first int64, rows int) ([]Op, error) {
	if s.op == nil && s.deleted == nil {
		return slices.Repeat([]Op{Insert}, rows), nil
	}
	parse := parseOpValue
	if in.dialect == Debezium {
		parse = ParseDebeziumOp
	}
	ops := make([]Op, rows)
	err := s.op.eachRow(first, rows, func(i int, v parquet.Value) (err error) {
		if ops[i], err = parse(v); err != nil {
			return opError(s.op, first+int64(i), v, err)
		}
		return nil
	})
	if err != nil || in.dialect != Debezium {
		return ops, err
	}
	if s.deleted == nil {
		for i := range ops {
			if ops[i], err = WithDeleted(ops[i], parquet.Value{}); err != nil {
				return nil, &InputError{Column: debeziumOp, Row: first + int64(i), Reason: err.Error(), Err: err}
			}
		}
		return ops, nil
	}
	return ops, s.deleted.eachRow(first, rows, func(i int, v parquet.Value) (err error) {
		if ops[i], err = WithDeleted(ops[i], v); err != nil {
			return &InputError{Column: debeziumDeleted, Row: first + int64(i), Reason: err.Error(), Err: err}
		}
		return nil
	})
}

func opError(s *stream, row int64, v parquet.Value, err error) error {
	return &InputError{Column: s.name, Row: row, Reason: fmt.Sprintf("%s: %s", unnamed(v.ByteArray()), err), Err: err}
}

// unnamed speaks of a text that is no op. A letter is said; what is longer may be a row's value, which does not belong in
// a reason.
func unnamed(text []byte) string {
	if len(text) == 1 {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprintf("a text of %d bytes", len(text))
}

func parseOpValue(v parquet.Value) (Op, error) {
	if v.IsNull() {
		return Insert, nil
	}
	return ParseOp(v.ByteArray())
}
