package dmsgen

import (
	"fmt"
	"slices"
	"strings"
)

// Oracle is the truth about a table, kept in the most naive way: a map from
// primary key to row. It takes any change that DMS may repeat or overlap: an
// Insert of a known key replaces, an Update of an unknown key inserts, a
// Delete of an unknown key does nothing. An Update whose Before has another
// key moves the row. What is Missing in an Update stays as it is, or is NULL in
// a row that is not there. A table without a key has one row per Insert.
type Oracle struct {
	table Table
	rows  map[string][]any
	next  int // names the rows of a table without a key
}

// NewOracle returns the oracle of an empty table.
func NewOracle(t Table) *Oracle { return &Oracle{table: t, rows: map[string][]any{}} }

// Load replaces everything by the rows of a full load.
func (o *Oracle) Load(rows ...[]any) {
	clear(o.rows)
	for _, row := range rows {
		o.Apply(Change{Op: Insert, Row: row})
	}
}

// Apply applies changes in order.
func (o *Oracle) Apply(changes ...Change) {
	for _, c := range changes {
		if len(o.table.Key) == 0 {
			if c.Op == Insert {
				o.next++
				o.rows[fmt.Sprintf("%012d", o.next)] = c.Row
			}
			continue
		}
		if c.Op == Delete {
			delete(o.rows, o.Key(c.Row))
			continue
		}
		old := o.rows[o.Key(c.Row)]
		if c.Op == Update && c.Before != nil {
			old = o.rows[o.Key(c.Before)]
			delete(o.rows, o.Key(c.Before))
		}
		o.rows[o.Key(c.Row)] = filled(c.Row, old)
	}
}

// filled returns a row with what is missing in it taken from the old one, nil for none.
func filled(row, old []any) []any {
	whole := slices.Clone(row)
	for i, v := range row {
		if _, missing := v.(Missing); missing {
			whole[i] = nil
			if old != nil {
				whole[i] = old[i]
			}
		}
	}
	return whole
}

// Key returns the primary key of a row as a string that no other key has.
func (o *Oracle) Key(row []any) string {
	var b strings.Builder
	for _, i := range o.table.keys() {
		if n, ok := wholeNumber(row[i]); ok {
			fmt.Fprintf(&b, "%020d/", n)
			continue
		}
		fmt.Fprintf(&b, "%q/", fmt.Sprint(row[i]))
	}
	return b.String()
}

// Row returns the row that has a key, as Key gives it.
func (o *Oracle) Row(key string) ([]any, bool) {
	row, ok := o.rows[key]
	return row, ok
}

// Len returns the number of rows.
func (o *Oracle) Len() int { return len(o.rows) }

// Rows returns the rows in the order of their keys' strings.
func (o *Oracle) Rows() [][]any {
	keys := make([]string, 0, len(o.rows))
	for key := range o.rows {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	rows := make([][]any, len(keys))
	for i, key := range keys {
		rows[i] = o.rows[key]
	}
	return rows
}
