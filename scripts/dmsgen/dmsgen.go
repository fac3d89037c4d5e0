// Package dmsgen writes what AWS DMS writes to S3, so that tests, benchmarks
// and the demo have inputs without a database and without an account.
//
// Its words: a [Table] has columns of source types; a row is a []any in the
// order of the columns, nil for NULL; a [Change] is an op and a row. A [Writer]
// turns rows into the Parquet or CSV files of a full load and changes into CDC files,
// under the names and with the bytes that DMS gives them, and hands each file
// to a [Sink]. [Settings] are those of a target endpoint that change files, and
// the dialect [Debezium]. A [Stream] invents tables, rows and changes from a
// seed, and an [Oracle] is the naive answer: a map by primary key. [Read] decodes
// any Parquet file of flat columns back to rows, in one canonical form, so that
// answers can be compared.
//
// The facts come from a file that a real task wrote (parquet-go's
// testdata/dms_test_table_LOAD00000001.parquet), from the user guide
// (https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.S3.html) and
// from the API reference of S3Settings. Everything is deterministic: equal
// settings, rows and times give equal bytes. The package imports nothing of
// the engine, so that it can be wrong only on its own.
package dmsgen

import "slices"

// Op is the first field of a change record.
type Op string

// The ops that DMS writes.
const (
	Insert Op = "I"
	Update Op = "U"
	Delete Op = "D"
)

// Change is one record of a CDC file.
type Change struct {
	Op     Op
	Row    []any // after-image; for a Delete the before-image, or any row whose key columns are set
	Before []any // row before an Update, for before-image columns; nil = not known
}

// TableChanges are changes of one table.
type TableChanges struct {
	Table   Table
	Changes []Change
}

// Missing is the value of a column that the source's supplemental log does not have: an update of other
// columns leaves it as it is. Only CSV with CsvNoSupValue, and Debezium in text and bytes, tell it from NULL.
type Missing struct{}

// Column is one column of a source table.
type Column struct {
	Name string
	// Type is tinyint, smallint, int or bigint, each with " unsigned" or without; numeric(p,s), with " int32", " int64" or
	// " bytes" behind it where it is not kept as DMS does it; real, double, text, bytea, date, time, timestamp or boolean.
	Type string
}

// Table is a source table.
type Table struct {
	Schema, Name string
	Columns      []Column
	Key          []string // primary key columns; empty = none
	Dictionary   []string // columns of few values, written with a dictionary; the others are PLAIN
}

// Folder returns the key prefix that DMS writes the table under: "schema/table/".
func (t Table) Folder() string { return t.Schema + "/" + t.Name + "/" }

// Index returns the position of a column, or -1.
func (t Table) Index(column string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == column })
}

// keys returns the positions of the key columns.
func (t Table) keys() []int {
	positions := make([]int, len(t.Key))
	for i, name := range t.Key {
		positions[i] = t.Index(name)
	}
	return positions
}
