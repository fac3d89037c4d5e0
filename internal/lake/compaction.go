package lake

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/internal/parquetedit"
)

// Shape is a lake file with rows and how they lie in it.
type Shape struct {
	*File
	Groups []parquetedit.RowGroup // nil where nobody looked
}

// Compaction is some files of one partition whose rows are to lie in other files: several small ones in
// one, or one that is far too big in several, or one of many small row groups in one of fewer.
type Compaction struct {
	Dir   string
	From  []int // files, in the order in which their rows are to lie: places in the list that was given
	Bytes int64 // of these files
	Split bool  // the file becomes several

	target  int64
	columns []parquetedit.Column
}

const (
	maxUnited  = 500 // files that become one
	looseRatio = 4   // a file is loose whose row groups would be so many times fewer
)

// PlanCompaction says which files to put together, which to split and which to write again, partition by partition.
//
//   - A file of more than twice the target size is split into files of about that size.
//   - Files below half the target size that follow one another are united, up to the target size. They follow one another
//     in the order of their lowest keys, or of their names where keys or bounds are unknown. Two are not
//     united across a file that lies between their keys and overlaps neither: bounds tell readers where a key is.
//   - A file whose row groups would be a quarter as many or fewer is written again.
//
// Files are united only where every value stays what it is for any reader: see [Schema.family]. Nothing is planned for
// what would come out as it is, so that planning on what came out ends.
func PlanCompaction(s *Schema, files []Shape, l Limits) []Compaction {
	dirs := map[string][]int{}
	for i, f := range files {
		if f.Live() {
			dirs[f.Dir] = append(dirs[f.Dir], i)
		}
	}
	var plan []Compaction
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		d := &layout{schema: s, files: files, target: l.TargetFileBytes, dir: dir, open: map[string]*Compaction{}, walls: map[string][]byte{}}
		plan = append(plan, d.plan(dirs[dir])...)
	}
	return plan
}

// layout is the files of one partition being looked at, one after the other.
type layout struct {
	schema *Schema
	files  []Shape
	target int64
	dir    string
	open   map[string]*Compaction // files to be united so far, by family
	walls  map[string][]byte      // lowest upper bound of the files that lie wholly above those, by family
	done   []Compaction
}

func (d *layout) plan(list []int) []Compaction {
	d.sort(list)
	for _, i := range list {
		f := d.files[i]
		family, whole := d.schema.family(f.File)
		switch {
		case whole && f.Size < d.target/2:
			d.unite(family, i)
			continue
		case whole && f.Size > 2*d.target && f.Rows > 1:
			d.add(&Compaction{From: []int{i}, Split: true})
		case whole && f.loose():
			d.add(&Compaction{From: []int{i}})
		}
		d.wall(f.File)
	}
	for _, family := range slices.Sorted(maps.Keys(d.open)) {
		d.close(family)
	}
	return d.done
}

// sort orders files by their lowest keys, or by their names where one of them has no bounds.
func (d *layout) sort(list []int) {
	bounded := !slices.ContainsFunc(list, func(i int) bool { return d.files[i].Min == nil || d.files[i].Max == nil })
	slices.SortFunc(list, func(i, j int) int {
		a, b := d.files[i], d.files[j]
		if bounded {
			if order := bytes.Compare(a.Min, b.Min); order != 0 {
				return order
			}
			if order := bytes.Compare(a.Max, b.Max); order != 0 {
				return order
			}
		}
		return strings.Compare(a.Key, b.Key)
	})
}

// unite adds a small file to those before it, or begins anew with it.
func (d *layout) unite(family string, i int) {
	f := d.files[i]
	c := d.open[family]
	if c != nil && (c.Bytes+f.Size > d.target || len(c.From) == maxUnited || d.walls[family] != nil && bytes.Compare(d.walls[family], f.Min) < 0) {
		d.close(family)
		c = nil
	}
	if c == nil {
		c = &Compaction{}
		d.open[family] = c
	}
	c.From, c.Bytes = append(c.From, i), c.Bytes+f.Size
	delete(d.walls, family)
}

// wall notes a file across which others are not united when it lies above all of those that are open.
func (d *layout) wall(f *File) {
	for family, c := range d.open {
		above := !slices.ContainsFunc(c.From, func(i int) bool { return f.Min == nil || bytes.Compare(f.Min, d.files[i].Max) <= 0 })
		if wall := d.walls[family]; above && (wall == nil || bytes.Compare(f.Max, wall) < 0) {
			d.walls[family] = f.Max
		}
	}
}

// close ends a run of small files. One alone is written again only when it is loose.
func (d *layout) close(family string) {
	c := d.open[family]
	delete(d.open, family)
	delete(d.walls, family)
	if len(c.From) > 1 || d.files[c.From[0]].loose() {
		d.add(c)
	}
}

func (d *layout) add(c *Compaction) {
	c.Dir, c.target, c.Bytes = d.dir, d.target, 0
	var from []*File
	for _, i := range c.From {
		c.Bytes += d.files[i].Size
		from = append(from, d.files[i].File)
	}
	c.columns = d.schema.columnsFor(from)
	d.done = append(d.done, *c)
}

// loose says whether the file would have far fewer row groups if they were put together.
func (s Shape) loose() bool {
	return len(s.Groups) > 1 && len(s.Groups) >= looseRatio*parquetedit.Packed(s.Groups)
}

// family says which lake files may be united: those of one family, where no value changes for any reader. "" and whole
// are the files whose every column the table's types hold; files of other types make families of their own, in which no
// column is converted. whole is false for a file that is to be left alone: with a partition column inside,
// or columns that the table does not have.
func (s *Schema) family(f *File) (name string, whole bool) {
	own, op := false, "without Op"
	var types strings.Builder
	for _, c := range f.Columns {
		if c.Name == OpColumn {
			op = fmt.Sprintf("Op %v", c.Type)
			continue
		}
		at := s.Index(c.Name)
		if at < 0 || slices.Contains(s.Partition, c.Name) {
			return "", false
		}
		own = own || !keeps(s.Columns[at].Type, c.Type)
		fmt.Fprintf(&types, ", %s %v", c.Name, c.Type)
	}
	if own {
		return op + types.String(), true
	}
	return op, f.Columns != nil
}

// keeps says whether a value of a column may become one of another type unseen: numbers among numbers that hold them. Times
// and texts stay as they are, for readers show them by their type.
func keeps(to, from parquetedit.Type) bool {
	number := func(t parquetedit.Type) bool { return familyOf(t) == famNumber || familyOf(t) == famFloat }
	return to == from || number(to) && number(from) && holds(to, from)
}

// columnsFor returns the columns of a file made of the given ones, which are of one family: those of the table, of the files' types
// where they are not the table's.
func (s *Schema) columnsFor(files []*File) []parquetedit.Column {
	first := files[0].Columns
	var columns []parquetedit.Column
	if at := find(first, OpColumn); at >= 0 {
		columns = append(columns, parquetedit.Column{Name: OpColumn, Type: first[at].Type})
	}
	for _, c := range s.Columns {
		if slices.Contains(s.Partition, c.Name) {
			continue
		}
		if at := find(first, c.Name); at >= 0 && !keeps(c.Type, first[at].Type) {
			c.Type = first[at].Type
		}
		columns = append(columns, c)
	}
	return columns
}

// Columns returns the columns of the files that come out.
func (c *Compaction) Columns() []parquetedit.Column { return c.columns }

// Ops returns what is to be done: an op for each file that comes out, or for several where a row group is cut. Files
// must be those that were given, their row groups looked at; an input of the ops is the file of that place.
func (c *Compaction) Ops(files []Shape) []LoadOp {
	if !c.Split {
		op := LoadOp{Outputs: []Output{{Dir: c.Dir}}}
		for _, i := range c.From {
			for n, g := range files[i].Groups {
				op.add(groupRows{file: i, group: n})
				op.Outputs[0].Rows += g.Rows
			}
		}
		return []LoadOp{op}
	}
	from := c.From[0]
	var groups []groupRows
	for n, g := range files[from].Groups {
		groups = append(groups, groupRows{file: from, group: n, bytes: g.CompressedBytes, rows: g.Rows})
	}
	each := c.Bytes / max((c.Bytes+c.target/2)/c.target, 2)
	var ops []LoadOp
	for _, run := range cut(groups, func(g groupRows) int64 { return g.bytes }, each) {
		ops = append(ops, c.pieces(run, each)...)
	}
	return ops
}

// pieces is the op of some row groups of a file that is split, whose rows go to one file, or to several where they are far too many.
func (c *Compaction) pieces(groups []groupRows, each int64) []LoadOp {
	var op LoadOp
	var rows, bytes int64
	for _, g := range groups {
		op.add(g)
		rows, bytes = rows+g.rows, bytes+g.bytes
	}
	n := min(max((bytes+each/2)/each, 1), rows)
	for i := range n {
		op.Outputs = append(op.Outputs, Output{Dir: c.Dir, Rows: rows*(i+1)/n - rows*i/n})
	}
	if n == 0 {
		return nil
	}
	return []LoadOp{op}
}
