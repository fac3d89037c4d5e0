package lake

import (
	"context"
	"maps"
	"slices"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// LoadFile is an input of a load: a LOAD object, or a lake file whose rows are
// written again in another schema.
type LoadFile struct {
	Name string // for errors
	Dir  string // partition directory of a lake file: these columns are not inside it
	Open *parquetedit.File
}

// Part is some row groups of one input.
type Part struct {
	File   int   `json:"file"` // index into the inputs
	Groups []int `json:"groups"`
}

// Output is one lake file that a load op writes.
type Output struct {
	Dir  string `json:"dir,omitempty"`
	Rows int64  `json:"rows"`
}

// LoadOp reads some row groups and writes one lake file, or one for each of several partitions.
type LoadOp struct {
	Parts   []Part
	Outputs []Output
}

const (
	// loadCells bounds what an op with several outputs holds in memory: rows × columns.
	loadCells = 3 << 20
	// maxLoadReads is how many times a partitioned load may read its inputs
	// rather than leave a lake of many small files.
	maxLoadReads = 4
)

// LoadSchema extends base by the columns of the inputs, in their order. An
// input whose column the type given by the others cannot always hold is a
// [SchemaError], unless widen asks for the type that holds both; a key or partition column that no
// input has is a [KeyError].
func LoadSchema(load *Load, base Schema, widen bool) (Schema, error) {
	s := base.Clone()
	for _, in := range load.Inputs {
		reader, err := dms.Open(in.Open, load.Options)
		if err != nil {
			return s, inputError(in.Name, err)
		}
		if err := s.Extend(reader.Columns(), in.Name); err != nil {
			return s, err
		}
		if err := s.reconcile(reader.Columns(), in.Name, widen); err != nil {
			return s, err
		}
	}
	for _, name := range slices.Concat(s.Key, s.Partition) {
		if s.Index(name) < 0 && len(load.Inputs) > 0 {
			return s, &KeyError{File: load.Inputs[0].Name, Column: name, Row: -1}
		}
	}
	return s, nil
}

// reconcile makes sure that every value of an input's columns fits the schema, or widens the schema.
func (s *Schema) reconcile(columns []parquetedit.Column, file string, widen bool) error {
	for _, c := range columns {
		have := &s.Columns[s.Index(c.Name)]
		wide, ok := Widen(have.Type, c.Type)
		if ok && TypeName(wide) == TypeName(have.Type) {
			continue
		}
		if !ok || !widen {
			return typeError(file, *have, c.Type)
		}
		have.Type = wide
	}
	return nil
}

// groupRows is one row group of an input.
type groupRows struct {
	file, group int
	bytes       int64            // compressed
	rows        int64            //
	byDir       map[string]int64 // rows by partition directory
}

// PlanLoad cuts a load into ops. Without a partition key an op is a run of row
// groups that makes one file of about the target size. With one, rows are first counted by partition
// and row group, from the partition columns alone; an op then reads the row groups that hold
// its partitions' rows. Where that would read the inputs more than four times, the inputs are cut
// into slices too, and a partition gets a file for each slice. perRow is what a
// row weighs in a lake file, in bytes ([SampleRow]).
func PlanLoad(ctx context.Context, load *Load, l Limits, perRow int64) ([]LoadOp, error) {
	groups, err := load.count(ctx)
	if err != nil {
		return nil, err
	}
	target := max(l.TargetFileBytes/max(perRow, 1), 1)
	if len(load.Schema.Partition) == 0 {
		return planRuns(groups, target), nil
	}
	cells := max(int64(loadCells/(len(load.Schema.Columns)+1)), 1)
	return planPartitions(groups, target, cells), nil
}

// planRuns makes one op of each run of row groups that fills a file.
func planRuns(groups []groupRows, target int64) []LoadOp {
	var ops []LoadOp
	for _, run := range cut(groups, func(g groupRows) int64 { return g.rows }, target) {
		op := LoadOp{Outputs: []Output{{}}}
		for _, g := range run {
			op.add(g)
			op.Outputs[0].Rows += g.rows
		}
		ops = append(ops, op)
	}
	return ops
}

// add appends a row group to the op's parts.
func (o *LoadOp) add(g groupRows) {
	if n := len(o.Parts); n > 0 && o.Parts[n-1].File == g.file {
		o.Parts[n-1].Groups = append(o.Parts[n-1].Groups, g.group)
		return
	}
	o.Parts = append(o.Parts, Part{File: g.file, Groups: []int{g.group}})
}

// cut splits a list into runs whose weights reach the limit.
func cut[T any](list []T, weight func(T) int64, limit int64) [][]T {
	var runs [][]T
	from, sum := 0, int64(0)
	for i, item := range list {
		if sum += weight(item); sum >= limit {
			runs = append(runs, list[from:i+1])
			from, sum = i+1, 0
		}
	}
	if from < len(list) {
		runs = append(runs, list[from:])
	}
	return runs
}

// dirRows is a partition and its rows.
type dirRows struct {
	dir  string
	rows int64
}

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

// planCells makes ops of sets of partitions × slices of row groups. A
// partition that is big alone is streamed, one output at a time.
func planCells(groups []groupRows, dirs []dirRows, l cellLimits) []LoadOp {
	var ops []LoadOp
	for _, set := range cut(dirs, func(d dirRows) int64 { return d.rows }, l.sets) {
		limit := l.cells
		if len(set) == 1 {
			limit = l.target
		}
		within := func(g groupRows) int64 {
			var n int64
			for _, d := range set {
				n += g.byDir[d.dir]
			}
			return n
		}
		held := slices.DeleteFunc(slices.Clone(groups), func(g groupRows) bool { return within(g) == 0 })
		for _, slice := range cut(held, within, limit) {
			ops = append(ops, cell(set, slice))
		}
	}
	return ops
}

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
