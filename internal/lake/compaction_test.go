package lake_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// mb is a file of a partition with so many megabytes and keys; bounds below zero are unknown.
type mb struct {
	size, low, high int
	columns         []lake.Column
	groups          []parquetedit.RowGroup
}

func column(name string, kind parquet.Kind) lake.Column {
	t := parquetedit.Type{Physical: kind}
	if kind == parquet.ByteArray {
		t.Logical = parquetedit.String
	}
	return lake.Column{Name: name, Type: t}
}

func same(n int, g parquetedit.RowGroup) []parquetedit.RowGroup {
	groups := make([]parquetedit.RowGroup, n)
	for i := range groups {
		groups[i] = g
		groups[i].FirstRow = int64(i) * g.Rows
	}
	return groups
}

// shapes makes the files of one partition; the target is 100 MB.
func shapes(files []mb) []lake.Shape {
	usual := []lake.Column{column("Op", parquet.ByteArray), column("id", parquet.Int64), column("name", parquet.ByteArray)}
	bound := func(key int) []byte {
		if key < 0 {
			return nil
		}
		return lake.AppendKey(nil, parquetedit.Type{Physical: parquet.Int64}, parquet.Int64Value(int64(key)))
	}
	var list []lake.Shape
	for i, f := range files {
		if f.columns == nil {
			f.columns = usual
		}
		rows := int64(1000)
		if f.groups != nil {
			rows = 0
			for _, g := range f.groups {
				rows += g.Rows
			}
		}
		if f.size == 0 {
			rows = 0
		}
		list = append(list, lake.Shape{Groups: f.groups, File: &lake.File{
			Key: fmt.Sprintf("t/d=1/%03d.parquet", i), Dir: "d=1/", Size: int64(f.size) << 20, Rows: rows,
			Columns: f.columns, Min: bound(f.low), Max: bound(f.high),
		}})
	}
	return list
}

func TestPlanCompaction(t *testing.T) {
	t.Parallel()
	narrow := []lake.Column{column("Op", parquet.ByteArray), column("id", parquet.Int32)}
	text := []lake.Column{column("Op", parquet.ByteArray), column("id", parquet.ByteArray)}
	bare := []lake.Column{column("id", parquet.Int64)}
	tiny := parquetedit.RowGroup{Rows: 100, CompressedBytes: 1 << 20, UncompressedBytes: 1 << 20}
	good := parquetedit.RowGroup{Rows: 1 << 18, CompressedBytes: 10 << 20, UncompressedBytes: 30 << 20}
	for name, tc := range map[string]struct {
		files []mb
		want  [][]int // files of each compaction
	}{
		"nothing":                               {nil, nil},
		"one small file":                        {[]mb{{size: 1}}, nil},
		"two small files":                       {[]mb{{size: 1, high: 5}, {size: 1, low: 6, high: 9}}, [][]int{{0, 1}}},
		"in the order of their keys":            {[]mb{{size: 1, low: 8, high: 9}, {size: 1, low: 1, high: 2}, {size: 1, low: 4, high: 5}}, [][]int{{1, 2, 0}}},
		"in the order of names without bounds":  {[]mb{{1, 8, 9, nil, nil}, {1, -1, -1, nil, nil}, {1, 4, 5, nil, nil}}, [][]int{{0, 1, 2}}},
		"up to the target":                      {[]mb{{size: 40}, {size: 40}, {size: 30}, {size: 40}}, [][]int{{0, 1}, {2, 3}}},
		"files of half the target are let be":   {[]mb{{size: 50}, {size: 50}, {size: 199}}, nil},
		"files without rows are let be":         {[]mb{{size: 0}, {size: 0}, {size: 1}}, nil},
		"not across a file between their keys":  {[]mb{{1, 0, 9, nil, nil}, {90, 10, 19, nil, nil}, {1, 20, 29, nil, nil}, {1, 30, 39, nil, nil}}, [][]int{{2, 3}}},
		"across a file that overlaps one":       {[]mb{{1, 0, 9, nil, nil}, {90, 5, 19, nil, nil}, {1, 20, 29, nil, nil}}, [][]int{{0, 2}}},
		"across a file that overlaps the other": {[]mb{{1, 0, 9, nil, nil}, {90, 12, 25, nil, nil}, {1, 20, 29, nil, nil}}, [][]int{{0, 2}}},
		"a large file is split":                 {[]mb{{size: 201}}, [][]int{{0}}},
		"types that the table's hold":           {[]mb{{size: 1, columns: narrow}, {size: 1}, {size: 1, columns: narrow}}, [][]int{{0, 1, 2}}},
		"other types among themselves":          {[]mb{{size: 1, columns: text}, {size: 1}, {size: 1, columns: text}, {size: 1}}, [][]int{{1, 3}, {0, 2}}},
		"without Op among themselves":           {[]mb{{size: 1, columns: bare}, {size: 1}, {size: 1, columns: bare}}, [][]int{{0, 2}}},
		"a partition column inside":             {[]mb{{size: 1, columns: []lake.Column{column("d", parquet.Int64)}}, {size: 1, columns: []lake.Column{column("d", parquet.Int64)}}}, nil},
		"an unknown column":                     {[]mb{{size: 1, columns: []lake.Column{column("else", parquet.Int64)}}, {size: 1, columns: []lake.Column{column("else", parquet.Int64)}}}, nil},
		"many small row groups":                 {[]mb{{size: 90, groups: same(90, tiny)}}, [][]int{{0}}},
		"few small row groups":                  {[]mb{{size: 3, groups: same(3, tiny)}}, nil},
		"row groups as they are made":           {[]mb{{size: 150, groups: same(15, good)}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			schema := &lake.Schema{Columns: []lake.Column{column("id", parquet.Int64), column("name", parquet.ByteArray), column("d", parquet.Int64)}, Partition: []string{"d"}, Key: []string{"id"}}
			var got [][]int
			for _, c := range lake.PlanCompaction(schema, shapes(tc.files), lake.Limits{TargetFileBytes: 100 << 20}) {
				got = append(got, c.From)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("files of each compaction (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPlanCompaction_Splits cuts large files between row groups, and inside where a row group alone is too large.
func TestPlanCompaction_Splits(t *testing.T) {
	t.Parallel()
	group := func(rows, mb int64) parquetedit.RowGroup {
		return parquetedit.RowGroup{Rows: rows, CompressedBytes: mb << 20, UncompressedBytes: mb << 21}
	}
	for name, tc := range map[string]struct {
		size   int
		groups []parquetedit.RowGroup
		want   [][]int64 // rows of each file, by op
	}{
		"between row groups":        {400, same(40, group(10, 10)), [][]int64{{100}, {100}, {100}, {100}}},
		"one row group":             {500, same(1, group(7, 500)), [][]int64{{1, 1, 2, 1, 2}}},
		"one row":                   {500, same(1, group(1, 500)), nil},
		"few rows":                  {1000, same(1, group(3, 1000)), [][]int64{{1, 1, 1}}},
		"large and small ones":      {330, []parquetedit.RowGroup{group(30, 300), group(1, 30)}, [][]int64{{10, 10, 10}, {1}}},
		"a footer that is the most": {300, same(2, group(5, 1)), [][]int64{{10}}},
	} {
		t.Run(name, func(t *testing.T) {
			schema := &lake.Schema{Columns: []lake.Column{column("id", parquet.Int64), column("name", parquet.ByteArray)}}
			files := shapes([]mb{{size: tc.size, groups: tc.groups}})
			var got [][]int64
			for _, c := range lake.PlanCompaction(schema, files, lake.Limits{TargetFileBytes: 100 << 20}) {
				for _, op := range c.Ops(files) {
					var rows []int64
					for _, out := range op.Outputs {
						rows = append(rows, out.Rows)
					}
					got = append(got, rows)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("rows of files by op (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPlanCompaction_Ends plays compactions of files whose rows weigh something else in the new files, until nothing is
// left to do: it comes to an end, loses no row, and unites what lies apart only where the order of keys allows.
func TestPlanCompaction_Ends(t *testing.T) {
	t.Parallel()
	schema := &lake.Schema{Columns: []lake.Column{column("id", parquet.Int64), column("name", parquet.ByteArray)}}
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 7))
		var files []mb
		for low := range 1 + rng.IntN(60) {
			groups := same(1+rng.IntN(60), parquetedit.RowGroup{Rows: 1 + rng.Int64N(1<<18), UncompressedBytes: 1 + rng.Int64N(40<<20)})
			files = append(files, mb{1 + rng.IntN([]int{10, 100, 1000}[rng.IntN(3)]), low * 10, low*10 + rng.IntN(20), nil, groups})
		}
		list := shapes(files)
		weight := 0.2 + 3*rng.Float64() // of a byte behind the first writing
		var rows int64
		for _, f := range list {
			rows += f.Rows
		}
		passes := 0
		for ; passes < 12; passes++ {
			plan := lake.PlanCompaction(schema, list, lake.Limits{TargetFileBytes: 100 << 20})
			if len(plan) == 0 {
				break
			}
			list = played(list, plan, weight)
		}
		var left int64
		for _, f := range list {
			left += f.Rows
		}
		if passes == 12 || left != rows {
			t.Errorf("seed %d: %d passes, %d rows of %d", seed, passes, left, rows)
		}
	}
}

// played is what is there behind a plan. Files that it writes for the first time weigh so many times what they did.
func played(list []lake.Shape, plan []lake.Compaction, weight float64) []lake.Shape {
	gone := map[int]bool{}
	var made []lake.Shape
	for n, c := range plan {
		var bytes, rows float64
		low, high := list[c.From[0]].Min, list[c.From[0]].Max
		for _, i := range c.From {
			f := list[i]
			gone[i] = true
			factor := weight
			if f.ETag == "ours" {
				factor = 1
			}
			bytes, rows = bytes+factor*float64(f.Size), rows+float64(f.Rows)
			high = f.Max
		}
		for i, op := range c.Ops(list) {
			for o, out := range op.Outputs {
				size := int64(bytes * float64(out.Rows) / rows)
				f := lake.File{
					Key: fmt.Sprintf("t/d=1/%d-%d-%d", n, i, o), Dir: "d=1/", ETag: "ours", Size: size, Rows: out.Rows,
					Columns: c.Columns(), Min: low, Max: high,
				}
				groups := same(int(out.Rows>>18)+1, parquetedit.RowGroup{Rows: out.Rows/(out.Rows>>18+1) + 1, UncompressedBytes: 20 << 20, CompressedBytes: size / (out.Rows>>18 + 1)})
				groups[0].Rows += out.Rows - int64(len(groups))*groups[0].Rows
				made = append(made, lake.Shape{File: &f, Groups: groups})
			}
		}
	}
	for i, f := range list {
		if !gone[i] {
			made = append(made, f)
		}
	}
	return made
}
