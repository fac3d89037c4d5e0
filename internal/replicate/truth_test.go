package replicate_test

import (
	"fmt"
	"slices"
	"strings"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// truth is what a table's lake has to hold: the oracle applies what files of the settings say, in their order. It shares nothing
// with the engine.
type truth struct {
	settings dmsgen.Settings
	source   dmsgen.Table // the source's table, as it is now
	lake     dmsgen.Table // every column that the source ever had; new ones come last
	oracle   *dmsgen.Oracle
}

func newTruth(s dmsgen.Settings, t dmsgen.Table) *truth {
	return &truth{settings: s, source: t, lake: t, oracle: dmsgen.NewOracle(t)}
}

// laid is what a reader of the lake sees of a source's row: columns that the source does not have are NULL.
func (t *truth) laid(row []any) []any {
	if row == nil {
		return nil
	}
	row = t.settings.Seen(t.source, row)
	laid := make([]any, len(t.lake.Columns))
	for i, c := range t.lake.Columns {
		if at := t.source.Index(c.Name); at >= 0 {
			laid[i] = row[at]
		}
	}
	return laid
}

// load replaces everything by a full load.
func (t *truth) load(rows [][]any) {
	laid := make([][]any, len(rows))
	for i, row := range rows {
		laid[i] = t.laid(row)
	}
	t.oracle.Load(laid...)
}

// follow applies what files say: changes that are left out are not there, and an update tells the key that its row
// had only where there are images of it.
func (t *truth) follow(changes ...dmsgen.Change) {
	for _, c := range t.settings.Written(changes...) {
		c.Row, c.Before = t.laid(c.Row), t.laid(c.Before)
		if t.settings.BeforeImages == dmsgen.NoImages && t.settings.Dialect != dmsgen.Debezium {
			c.Before = nil
		}
		if t.settings.NoOp && c.Before == nil {
			c.Op = dmsgen.Insert // nothing tells it from one; a key-less table has the row twice
		}
		t.oracle.Apply(c)
	}
}

// columns changes the source's columns; the lake keeps those that it has, and the new ones come last in it.
func (t *truth) columns(columns []dmsgen.Column) {
	t.source.Columns = columns
	wide := t.lake
	for _, c := range columns {
		if wide.Index(c.Name) < 0 {
			wide.Columns = append(slices.Clone(wide.Columns), c)
		}
	}
	oracle := dmsgen.NewOracle(wide)
	for _, row := range t.oracle.Rows() {
		oracle.Apply(dmsgen.Change{Op: dmsgen.Insert, Row: append(slices.Clone(row), make([]any, len(wide.Columns)-len(row))...)})
	}
	t.lake, t.oracle = wide, oracle
}

// rows are the rows of the source, as the truth knows them.
func (t *truth) rows() [][]any {
	var rows [][]any
	for _, laid := range t.oracle.Rows() {
		row := make([]any, len(t.source.Columns))
		for i, c := range t.source.Columns {
			row[i] = laid[t.lake.Index(c.Name)]
		}
		rows = append(rows, row)
	}
	return rows
}

// texts are rows as text, in the order of their texts.
func texts(rows [][]any) []string {
	var lines []string
	for _, row := range rows {
		words := make([]string, len(row))
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				v = fmt.Sprintf("%x", b) // as DuckDB hands bytes over
			}
			words[i] = rig.Text(v)
		}
		lines = append(lines, strings.Join(words, " "))
	}
	slices.Sort(lines)
	return lines
}
