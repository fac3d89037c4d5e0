package lake

import (
	"context"
	"slices"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// LoadFile is an input of a load: a LOAD object, or a lake file whose rows are
// written again in another schema.
type LoadFile struct {
	Name string // for errors
	Dir  string // partition directory of a lake file: these columns are not inside it
	Open dms.Columnar
}

// pages returns the input as a file whose pages can be copied, nil where it is none. Rows of it may be left out, see whole.
func (f LoadFile) pages() *parquetedit.File {
	pages, _ := dms.Whole(f.Open).(*parquetedit.File)
	return pages
}

// whole says whether no row of a row group is left out.
func (f LoadFile) whole(group int) bool {
	return f.Open.RowGroups()[group].Rows == dms.Whole(f.Open).RowGroups()[group].Rows
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
	// loadCells bounds what an op with several outputs holds in memory: rows × columns, of some eight bytes each.
	loadCells = 8 << 20
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
// into slices too, and a partition gets a file for each slice. What an op with several outputs holds is
// bounded, which comes before the number of reads: a row group above the bound is read more often. perRow is what a
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
