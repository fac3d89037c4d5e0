package lake

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// checkCells checks a plan of a partitioned load: every row of every row group is in exactly
// one output, outputs have the rows that are foretold, and no op holds more than the bound.
func checkCells(tb rapid.TB, groups []groupRows, ops []LoadOp, cells int64) {
	tb.Helper()
	type id struct {
		file, group int
		dir         string
	}
	taken := map[id]int{}
	rows := map[id]int64{}
	for _, g := range groups {
		for dir, n := range g.byDir {
			rows[id{g.file, g.group, dir}] = n
		}
	}
	for i, op := range ops {
		var held int64
		for _, out := range op.Outputs {
			var want int64
			for _, p := range op.Parts {
				for _, g := range p.Groups {
					taken[id{p.File, g, out.Dir}]++
					want += rows[id{p.File, g, out.Dir}]
				}
			}
			if out.Rows != want || want == 0 {
				tb.Errorf("op %d, %s: %d rows, want %d", i, out.Dir, out.Rows, want)
			}
			held += out.Rows
		}
		if len(op.Outputs) != 1 && held > cells {
			tb.Errorf("op %d holds %d rows in %d outputs; the bound is %d", i, held, len(op.Outputs), cells)
		}
	}
	for at, n := range rows {
		if n > 0 && taken[at] != 1 {
			tb.Errorf("%+v is in %d ops", at, taken[at])
		}
	}
}

// An op held one row group more than its bound, and a small partition beside a big one made many files of it.
func TestPlanPartitions_holdsNoMoreThanTheBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var groups []groupRows
		var total, heaviest int64
		dirs := rapid.IntRange(1, 8).Draw(t, "partitions")
		most := rapid.SampledFrom([]int64{1, 10, 200}).Draw(t, "most rows")
		for i := range rapid.IntRange(0, 8).Draw(t, "row groups") {
			g := groupRows{file: i / 3, group: i % 3, bytes: 100, byDir: map[string]int64{}}
			for d := range dirs {
				if n := rapid.Int64Range(-2, most).Draw(t, "rows"); n > 0 {
					g.byDir[fmt.Sprint("d=", d, "/")] = n
					g.rows += n
				}
			}
			groups = append(groups, g)
			total += g.bytes
			heaviest = max(heaviest, g.rows)
		}
		cells := rapid.Int64Range(1, 300).Draw(t, "cells")
		target := rapid.Int64Range(1, 300).Draw(t, "target")
		ops := planPartitions(groups, target, cells)
		checkCells(t, groups, ops, cells)
		if read := readBytes(ops, groups); heaviest <= cells && read > maxLoadReads*total {
			t.Errorf("%d bytes read of %d", read, total)
		}
	})
}

// even are row groups in which every partition has as many rows as every other.
func even(groups, dirs int, rows int64) []groupRows {
	all := make([]groupRows, groups)
	for i := range all {
		all[i] = groupRows{file: i, bytes: 1 << 20, rows: rows * int64(dirs), byDir: map[string]int64{}}
		for d := range dirs {
			all[i].byDir[fmt.Sprintf("d=%04d/", d)] = rows
		}
	}
	return all
}

func TestPlanPartitions_aThousandPartitionsUnsorted(t *testing.T) {
	for name, c := range map[string]struct {
		groups         []groupRows
		cells, mostOps int64
		reads          int64
	}{
		"small row groups":                         {even(100, 1000, 10), 100_000, 12, 4},
		"row groups as big as the bound":           {even(40, 1000, 100), 100_000, 160, 4},
		"row groups above the bound, read again":   {even(4, 1000, 1000), 100_000, 48, 12},
		"what fits into one op":                    {even(10, 1000, 10), 100_000, 1, 1},
		"more partitions than an op may hold rows": {even(2, 1000, 1), 100, 24, 12},
	} {
		t.Run(name, func(t *testing.T) {
			ops := planPartitions(c.groups, 50_000, c.cells)
			checkCells(t, c.groups, ops, c.cells)
			if int64(len(ops)) > c.mostOps {
				t.Errorf("got %d ops, want at most %d", len(ops), c.mostOps)
			}
			if read, all := readBytes(ops, c.groups), int64(len(c.groups))<<20; read > c.reads*all {
				t.Errorf("the inputs are read %.1f times, want at most %d", float64(read)/float64(all), c.reads)
			}
		})
	}
}

// A big partition is streamed into files of the target size, whatever small ones stand before it.
func TestPlanPartitions_aBigPartitionAmongSmallOnes(t *testing.T) {
	groups := even(20, 2, 5)
	for i := range groups {
		groups[i].byDir["d=0001/"] = 1_000
	}
	var got []string
	for _, op := range planPartitions(groups, 10_000, 2_000) {
		for _, out := range op.Outputs {
			got = append(got, fmt.Sprint(out.Dir, out.Rows))
		}
	}
	if diff := cmp.Diff([]string{"d=0001/10000", "d=0001/10000", "d=0000/100"}, got); diff != "" {
		t.Error("−want +got:\n", diff)
	}
}

func TestPack_andCut(t *testing.T) {
	for name, c := range map[string]struct {
		list      []int64
		limit     int64
		pack, cut [][]int64
	}{
		"nothing":                 {nil, 5, nil, nil},
		"within the limit":        {[]int64{2, 3}, 5, [][]int64{{2, 3}}, [][]int64{{2, 3}}},
		"over the limit together": {[]int64{2, 4, 1}, 5, [][]int64{{2}, {4, 1}}, [][]int64{{2, 4}, {1}}},
		"one over the limit":      {[]int64{1, 9, 1}, 5, [][]int64{{1}, {9}, {1}}, [][]int64{{1, 9}, {1}}},
		"one over it first":       {[]int64{9, 0, 0}, 5, [][]int64{{9}, {0, 0}}, [][]int64{{9}, {0, 0}}},
		"zeros":                   {[]int64{0, 0, 5, 0}, 5, [][]int64{{0, 0, 5, 0}}, [][]int64{{0, 0, 5}, {0}}},
	} {
		weight := func(n int64) int64 { return n }
		if diff := cmp.Diff(c.pack, pack(c.list, weight, c.limit)); diff != "" {
			t.Errorf("%s: pack −want +got:\n%s", name, diff)
		}
		if diff := cmp.Diff(c.cut, cut(c.list, weight, c.limit)); diff != "" {
			t.Errorf("%s: cut −want +got:\n%s", name, diff)
		}
		if got := slices.Concat(pack(c.list, weight, c.limit)...); !slices.Equal(got, c.list) {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
