package catalog

import (
	"cmp"
	"slices"
	"strings"
)

// Table is a table as the catalog is to have it.
type Table struct {
	Name       string      // see TableName
	Path       string      // whose table it is: written down as the parameter PathParameter
	Location   string      // s3://bucket/prefix/folder/
	Columns    []Column    // of the files, in their order
	Keys       []Column    // partition keys, outermost first; none = not partitioned
	Partitions []Partition // that have to be there; the catalog may have more
}

// Column is a column's name, compared and kept in lower case, and its Hive type.
type Column struct {
	Name, Type string
}

// Partition is a partition of a table.
type Partition struct {
	Values   []string // one for each partition key
	Location string   // s3://bucket/prefix/folder/key=value/
	Columns  []Column // as registered; what Ensure is given has the table's
}

// Registered is a table as the catalog has it.
type Registered struct {
	Table          // without Partitions; Path is "" for a table without PathParameter
	Parquet bool   // its files are read as Parquet
	Version string // changes with the table

	kept any // what of it is not ours, as the backend that it came from has it
}

// PathParameter is the table parameter that says whose a table is. A table that was made by others is handed over by
// setting it.
const PathParameter = "sluice.path"

// TableName joins parts to the name of a table: lower case, and "_" for everything but letters, digits and "_", as
// https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html has it.
func TableName(parts ...string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			return c
		case 'A' <= c && c <= 'Z':
			return c - 'A' + 'a'
		}
		return '_'
	}, strings.Join(parts, "_"))
}

// normal returns the table with names in lower case, each partition having the table's columns, in an order that does
// not depend on the caller's. Of partitions with the same values, of which a catalog holds one, it keeps one.
func (t Table) normal() Table {
	t.Columns, t.Keys = lowered(t.Columns), lowered(t.Keys)
	t.Partitions = slices.Clone(t.Partitions)
	for i := range t.Partitions {
		t.Partitions[i].Columns = t.Columns
	}
	slices.SortFunc(t.Partitions, func(a, b Partition) int {
		return cmp.Or(slices.Compare(a.Values, b.Values), cmp.Compare(a.Location, b.Location))
	})
	t.Partitions = slices.CompactFunc(t.Partitions, func(a, b Partition) bool { return slices.Equal(a.Values, b.Values) })
	return t
}

func lowered(columns []Column) []Column {
	low := make([]Column, len(columns))
	for i, c := range columns {
		low[i] = Column{strings.ToLower(c.Name), c.Type}
	}
	return low
}

// agrees says whether the catalog has the table as it is to be.
func (r Registered) agrees(want Table) bool {
	return r.Parquet && r.Location == want.Location && slices.Equal(r.Columns, want.Columns) && slices.Equal(r.Keys, want.Keys)
}

func (p Partition) agrees(want Partition) bool {
	return p.Location == want.Location && slices.Equal(p.Columns, want.Columns)
}

func names(columns []Column) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.Name
	}
	return list
}

// id is the values as one text, for maps.
func (p Partition) id() string { return strings.Join(p.Values, "\x00") }
