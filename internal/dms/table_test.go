package dms_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// table is a file in memory: groups[group][column][row]. It hands values over
// in pages of its own size, and spoils them when the call is over.
type table struct {
	columns []parquetedit.Column
	groups  [][][]parquet.Value
	page    int
	each    int64        // bytes that a row is said to have
	read    map[int]bool // columns that were read
	fail    error        // ReadColumn's error after the first page
}

func (t *table) Columns() []parquetedit.Column { return t.columns }

func (t *table) NumRows() int64 {
	var n int64
	for _, g := range t.RowGroups() {
		n += g.Rows
	}
	return n
}

func (t *table) RowGroups() []parquetedit.RowGroup {
	var groups []parquetedit.RowGroup
	var first int64
	for _, g := range t.groups {
		rows := int64(len(g[0]))
		groups = append(groups, parquetedit.RowGroup{Rows: rows, FirstRow: first, UncompressedBytes: t.each * rows})
		first += rows
	}
	return groups
}

func (t *table) ReadColumn(_ context.Context, group, column int, yield func(int64, []parquet.Value) error) error {
	if t.read == nil {
		t.read = map[int]bool{}
	}
	t.read[column] = true
	row := int64(0)
	for page := range slices.Chunk(t.groups[group][column], t.page+column) {
		lent := make([]parquet.Value, len(page))
		for i, v := range page {
			lent[i] = v.Clone()
		}
		err := yield(row, lent)
		for i, v := range lent {
			if v.Kind() == parquet.ByteArray || v.Kind() == parquet.FixedLenByteArray {
				for j := range v.ByteArray() {
					v.ByteArray()[j] = '#'
				}
			}
			lent[i] = parquet.Int32Value(-999)
		}
		if err = errors.Join(err, t.fail); err != nil {
			return err
		}
		row += int64(len(page))
	}
	return nil
}

func column(name string, kind parquet.Kind) parquetedit.Column {
	c := parquetedit.Column{Name: name, Type: parquetedit.Type{Physical: kind}}
	if kind == parquet.ByteArray {
		c.Type.Logical = parquetedit.String
	}
	return c
}

func text(s string) parquet.Value { return parquet.ByteArrayValue([]byte(s)) }

func texts(list ...string) []parquet.Value {
	var values []parquet.Value
	for _, s := range list {
		values = append(values, text(s))
	}
	return values
}

// rows reads an input as text, a line a row: number, op, values, and before images behind a bar.
func rows(t *testing.T, in *dms.Input, wanted []int) []string {
	t.Helper()
	var lines []string
	for b, err := range in.Batches(t.Context(), wanted) {
		if err != nil {
			t.Fatal(err)
		}
		for i, op := range b.Ops {
			line := fmt.Sprintf("%d %s", b.FirstRow+int64(i), op)
			for _, values := range b.Columns {
				line += " " + cell(values, i)
			}
			line += " |"
			for _, values := range b.Before {
				line += " " + cell(values, i)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func cell(values []parquet.Value, i int) string {
	if values == nil {
		return "-"
	}
	return values[i].String()
}

// numbered is a file whose values follow from the row numbers.
func numbered(page int) *table {
	return &table{page: page, columns: []parquetedit.Column{column("Op", parquet.ByteArray), column("id", parquet.Int64), column("name", parquet.ByteArray)}}
}

func addGroup(file *table, rows int) {
	n, group := file.NumRows(), make([][]parquet.Value, 3)
	for range rows {
		group[0] = append(group[0], text(opOf(n).String()))
		group[1] = append(group[1], parquet.Int64Value(n))
		group[2] = append(group[2], text(fmt.Sprint("row ", n)))
		n++
	}
	file.groups = append(file.groups, group)
}

func opOf(row int64) dms.Op { return []dms.Op{dms.Insert, dms.Update, dms.Delete}[row%3] }

func (t *table) Bounds(int, int) (parquetedit.Bounds, bool) { return parquetedit.Bounds{}, false }

func (t *table) ChunkBytes(int, int) (compressed, uncompressed int64) { return 0, 0 }
