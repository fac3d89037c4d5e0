package lake

import (
	"maps"
	"slices"
)

// dirRows is a partition and its rows.
type dirRows struct {
	dir  string
	rows int64
}

// planPartitions makes the ops of a partitioned load. Files of about the target size are
// worth so many reads of the inputs, not more: then files get smaller.
func planPartitions(groups []groupRows, target, cells int64) []LoadOp {
	var total int64
	rows := map[string]int64{}
	for _, g := range groups {
		total += g.bytes
		for dir, n := range g.byDir {
			rows[dir] += n
		}
	}
	var dirs []dirRows
	for _, dir := range slices.Sorted(maps.Keys(rows)) {
		dirs = append(dirs, dirRows{dir, rows[dir]})
	}
	ops := planCells(groups, dirs, cellLimits{target: target, cells: cells, sets: cells})
	if readBytes(ops, groups) <= maxLoadReads*total {
		return ops
	}
	var all int64
	for _, d := range dirs {
		all += d.rows
	}
	return planCells(groups, dirs, cellLimits{target: target, cells: cells, sets: all/maxLoadReads + 1})
}

// cellLimits bound an op of a partitioned load, in rows.
type cellLimits struct {
	target int64 // rows of a file of the target size
	cells  int64 // rows that an op with several outputs holds
	sets   int64 // rows of the partitions that are handled together
}

// planCells makes ops of sets of partitions × slices of row groups.
func planCells(groups []groupRows, dirs []dirRows, l cellLimits) []LoadOp {
	var ops []LoadOp
	for _, set := range setsOf(dirs, l.sets) {
		ops = append(ops, planSet(groups, set, l)...)
	}
	return ops
}

// setsOf parts the partitions into sets that reach the limit; one that reaches it alone is a set of its own. There are
// at most as many sets as the limit goes into all rows, rounded up.
func setsOf(dirs []dirRows, limit int64) [][]dirRows {
	var sets [][]dirRows
	var rest []dirRows
	for _, d := range dirs {
		if d.rows >= limit {
			sets = append(sets, []dirRows{d})
		} else {
			rest = append(rest, d)
		}
	}
	return append(sets, cut(rest, func(d dirRows) int64 { return d.rows }, limit)...)
}

// planSet makes an op of each slice of row groups. A partition alone is streamed into files of
// the target size; the rows of several are held, so a row group with more of them than an op may hold is
// read again for each part of the set.
func planSet(groups []groupRows, set []dirRows, l cellLimits) []LoadOp {
	within := func(g groupRows) int64 {
		var n int64
		for _, d := range set {
			n += g.byDir[d.dir]
		}
		return n
	}
	some := slices.DeleteFunc(slices.Clone(groups), func(g groupRows) bool { return within(g) == 0 })
	var ops []LoadOp
	if len(set) == 1 {
		for _, slice := range cut(some, within, l.target) {
			ops = append(ops, cell(set, slice))
		}
		return ops
	}
	for _, slice := range pack(some, within, l.cells) {
		parts := [][]dirRows{set}
		if within(slice[0]) > l.cells {
			parts = pack(set, func(d dirRows) int64 { return slice[0].byDir[d.dir] }, l.cells)
		}
		for _, part := range parts {
			if op := cell(part, slice); len(op.Outputs) > 0 {
				ops = append(ops, op)
			}
		}
	}
	return ops
}

// pack splits a list into runs whose weights stay within the limit; an item above it is a run of its own.
func pack[T any](list []T, weight func(T) int64, limit int64) [][]T {
	var runs [][]T
	from, sum := 0, int64(0)
	for i, item := range list {
		w := weight(item)
		if i > from && sum+w > limit {
			runs = append(runs, list[from:i])
			from, sum = i, 0
		}
		sum += w
	}
	if from < len(list) {
		runs = append(runs, list[from:])
	}
	return runs
}

// cell is the op of the set's rows in a slice of row groups.
func cell(set []dirRows, slice []groupRows) LoadOp {
	var op LoadOp
	rows := map[string]int64{}
	for _, g := range slice {
		op.add(g)
		for _, d := range set {
			rows[d.dir] += g.byDir[d.dir]
		}
	}
	for _, d := range set {
		if rows[d.dir] > 0 {
			op.Outputs = append(op.Outputs, Output{Dir: d.dir, Rows: rows[d.dir]})
		}
	}
	return op
}

// readBytes is what the ops read in all.
func readBytes(ops []LoadOp, groups []groupRows) int64 {
	type id struct{ file, group int }
	size := map[id]int64{}
	for _, g := range groups {
		size[id{g.file, g.group}] = g.bytes
	}
	var sum int64
	for _, op := range ops {
		for _, p := range op.Parts {
			for _, group := range p.Groups {
				sum += size[id{p.File, group}]
			}
		}
	}
	return sum
}
