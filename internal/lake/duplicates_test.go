package lake_test

import (
	"testing"

	"sluice/internal/lake"
)

func TestLoad_Duplicates(t *testing.T) {
	composite := lake.Schema{Columns: cols("a string, b int, p int"), Key: []string{"a", "b"}}
	inPartition := lake.Schema{Columns: cols("a string, p int"), Key: []string{"a", "p"}, Partition: []string{"p"}}
	ab := func(rows ...[]any) sheet {
		return sheet{columns: cols("a string, b int"), rows: rows, groups: []int{2}}
	}
	one := sheet{columns: cols("a string"), rows: [][]any{{"x"}}}
	for name, c := range map[string]struct {
		schema lake.Schema
		inputs []lake.LoadFile
		want   int64
	}{
		"nothing":                    {composite, nil, 0},
		"all differ":                 {composite, []lake.LoadFile{{Open: ab([]any{"x", 1}, []any{"x", 2}, []any{"y", 1}).open(t)}}, 0},
		"three of one key":           {composite, []lake.LoadFile{{Open: ab([]any{"x", 1}, []any{"y", 1}, []any{"x", 1}, []any{"x", 1}).open(t)}}, 2},
		"over two inputs":            {composite, []lake.LoadFile{{Open: ab([]any{"x", 1}).open(t)}, {Open: sheet{columns: cols("b bigint, a string"), rows: [][]any{{1, "x"}}}.open(t)}}, 1},
		"NULL counts as a key":       {composite, []lake.LoadFile{{Open: ab([]any{nil, 1}, []any{nil, 1}).open(t)}}, 1},
		"one key in two directories": {inPartition, []lake.LoadFile{{Dir: "p=1/", Open: one.open(t)}, {Dir: "p=2/", Open: one.open(t)}}, 0},
		"twice in one directory":     {inPartition, []lake.LoadFile{{Dir: "p=1/", Open: one.open(t)}, {Dir: "p=1/", Open: one.open(t)}}, 1},
		"key-less":                   {lake.Schema{Columns: cols("a string")}, []lake.LoadFile{{Open: one.open(t)}, {Open: one.open(t)}}, 0},
	} {
		load := &lake.Load{Schema: &c.schema, Inputs: c.inputs}
		got, whole, err := load.Duplicates(t.Context())
		if got != c.want || !whole || err != nil {
			t.Errorf("%s: got %d, %v, %v; want %d", name, got, whole, err, c.want)
		}
	}
}
