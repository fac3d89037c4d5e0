package lake

import (
	"cmp"
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"sluice/internal/parquetedit"
)

// Opener opens a lake file at the ETag that is recorded for it.
type Opener func(ctx context.Context, f *File) (*parquetedit.File, error)

// Limits bound a plan.
type Limits struct {
	TargetFileBytes int64 // new files are made about this big; bigger files get no new rows
	Parallel        int   // files opened at once
}

// Rewrite says what becomes of one lake file. Rows are ordinals in the file, ascending.
type Rewrite struct {
	File     int // index into the files given to PlanMerge
	Deletes  []int64
	Replaces []int64
	gone     []int32 // changes, one for each of Deletes
	with     []int32 // changes, one for each of Replaces
	appends  []int32 // changes
	gained   keyBounds
}

// Create is a new lake file in one partition.
type Create struct {
	Dir    string
	adds   []int32 // changes
	bounds keyBounds
}

// Rows returns how many rows the new file has.
func (c *Create) Rows() int64 { return int64(len(c.adds)) }

// Appends returns how many rows the rewritten file gains at its end.
func (r *Rewrite) Appends() int64 { return int64(len(r.appends)) }

// MergeCounts are the net effects of a merge on the lake's rows.
type MergeCounts struct {
	Inserts, Updates, Deletes, Noops, Stale, Duplicates int64

	// Strays are those of the inserts whose first change was an update, in an input that is settled, and named no key before: the row had
	// another key, of which no before image tells, or its insert never came.
	Strays int64
}

// Merge is what a run of changes does to the lake: exactly one op upserts a
// row, any number delete its key. It refers to the changes it was made from: to those in memory, or to the inputs of a [Batch],
// whose rows are read again. Changes are numbered in the order of their keys.
type Merge struct {
	*Changes
	Creates  []Create
	Rewrites []Rewrite // in the order of the files
	Counts   MergeCounts
	rest     []int32 // changes that need no op: rows already so, keys not there
	batch    *Batch  // nil: the changes are in memory
}

// PlanMerge finds the rows that changes touch and decides what becomes of each.
// Files that were never opened are observed on the way: rows, columns and
// bounds are filled in. It reads footers, key columns, and of the rows it hits what tells
// a change from none; it changes nothing.
func (c *Changes) PlanMerge(ctx context.Context, files []*File, open Opener, l Limits) (*Merge, error) {
	d := newDecision(c, files, l)
	if err := d.add(ctx, c, open); err != nil {
		return nil, err
	}
	if err := d.place(ctx); err != nil {
		return nil, err
	}
	return d.merge(ctx)
}

// find finds the rows of lake files that have changed keys.
func (c *Changes) find(ctx context.Context, files []*File, open Opener, parallel int) ([][]hit, error) {
	hits := make([][]hit, len(files))
	if len(c.key) == 0 || len(c.entries) == 0 {
		return hits, nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(parallel, 1))
	for i, f := range files {
		f.boundByDir(c.Schema)
		if !f.Live() || f.Min != nil && !c.any(f.Min, f.Max) {
			continue
		}
		group.Go(func() error {
			opened, err := open(ctx, f)
			if err != nil {
				return &FileError{f.Key, err}
			}
			if f.Min == nil || f.Columns == nil {
				f.Observe(opened, c.Schema)
			}
			if hits[i], err = c.locate(ctx, opened, f); err != nil {
				return &FileError{f.Key, err}
			}
			return nil
		})
	}
	return hits, group.Wait()
}

// found is a hit and the file it is in.
type found struct {
	hit
	file int32
}

// byChange puts the hits in the order of their changes, file by file, and says where each change's end.
func (c *Changes) byChange(hits [][]hit) (rows []found, ends []int32) {
	ends = make([]int32, len(c.entries))
	all := int32(0)
	for _, list := range hits {
		for _, h := range list {
			ends[h.change]++
			all++
		}
	}
	from := int32(0)
	for n, count := range ends {
		ends[n], from = from, from+count
	}
	rows = make([]found, all)
	for file, list := range hits {
		for _, h := range list {
			rows[ends[h.change]] = found{h, int32(file)}
			ends[h.change]++
		}
		hits[file] = nil
	}
	return rows, ends
}

// decision is a merge in the making. Of changes that are folded in parts, the parts are added in the order of their keys.
type decision struct {
	Merge
	part     *Changes // that is being added
	base     int32    // changes of the parts before it
	slots    int64    // changed keys of all parts, those that are in the lake already too
	text     int64    // bytes of text in their rows
	files    []*File
	limits   Limits
	rewrites map[int]*Rewrite   // by file
	moved    map[string][]int32 // by partition: changes whose row changes its file: always to a created one
	fresh    map[string][]int32 // by partition: changes with keys that are new to the lake
}

func newDecision(c *Changes, files []*File, l Limits) *decision {
	return &decision{
		Merge: Merge{Changes: c}, files: files, limits: l,
		rewrites: map[int]*Rewrite{}, moved: map[string][]int32{}, fresh: map[string][]int32{},
	}
}

// add decides what becomes of the rows of a part's keys.
func (d *decision) add(ctx context.Context, c *Changes, open Opener) error {
	hits, err := c.find(ctx, d.files, open, d.limits.Parallel)
	if err != nil {
		return err
	}
	if err := c.complete(); err != nil {
		return err
	}
	d.part = c
	rows, ends := c.byChange(hits)
	from := int32(0)
	for n := range c.entries {
		d.settle(n, rows[from:ends[n]])
		from = ends[n]
	}
	d.base += int32(len(c.entries))
	d.slots += int64(len(c.ops))
	for i := range c.rows {
		d.text += c.rows[i].text
	}
	return nil
}

// settle decides the fate of one change of the part, given the lake's rows of its key.
func (d *decision) settle(n int, rows []found) {
	e, number := d.part.entries[n], d.base+int32(n)
	if slices.ContainsFunc(rows, func(f found) bool { return f.stale }) {
		d.Counts.Stale++
		d.rest = append(d.rest, number) // a plan in the place of this one may find the row gone
		return
	}
	d.Counts.Duplicates += max(int64(len(rows))-1, 0)
	switch {
	case e.gone:
		if len(rows) > 0 {
			d.Counts.Deletes++
		} else {
			d.rest = append(d.rest, number)
		}
		d.remove(rows, -1)
	case len(rows) == 0:
		d.Counts.Inserts++
		if e.stray {
			d.Counts.Strays++
		}
		dir := d.part.dirOf(e.slot)
		d.fresh[dir] = append(d.fresh[dir], number)
	default:
		d.replace(number, d.part.dirOf(e.slot), rows)
	}
}

// replace puts an upsert over the lake's rows of its key: one row of the same
// partition is replaced in place, the others go; a row whose partition changed moves to a created file.
func (d *decision) replace(number int32, dir string, rows []found) {
	keep := slices.IndexFunc(rows, func(f found) bool { return f.same })
	if keep < 0 {
		keep = slices.IndexFunc(rows, func(f found) bool { return d.files[f.file].Dir == dir })
	}
	d.remove(rows, keep)
	switch {
	case keep < 0:
		d.Counts.Updates++
		d.moved[dir] = append(d.moved[dir], number)
	case rows[keep].same:
		d.Counts.Noops++
		d.rest = append(d.rest, number)
	default:
		d.Counts.Updates++
		r := d.rewrite(int(rows[keep].file))
		r.Replaces = append(r.Replaces, rows[keep].row)
		r.with = append(r.with, number)
	}
}

func (d *decision) remove(rows []found, keep int) {
	for i, f := range rows {
		if i != keep {
			r := d.rewrite(int(f.file))
			r.Deletes = append(r.Deletes, f.row)
			r.gone = append(r.gone, d.base+f.change)
		}
	}
}

func (d *decision) rewrite(file int) *Rewrite {
	r := d.rewrites[file]
	if r == nil {
		r = &Rewrite{File: file}
		d.rewrites[file] = r
	}
	return r
}

// merge returns the finished value: rows ascending, files in order.
func (d *decision) merge(ctx context.Context) (*Merge, error) {
	for file := range d.files {
		r := d.rewrites[file]
		if r == nil {
			continue
		}
		r.Deletes, r.gone = sortBoth(r.Deletes, r.gone)
		r.Replaces, r.with = sortBoth(r.Replaces, r.with)
		d.Rewrites = append(d.Rewrites, *r)
	}
	return &d.Merge, d.bound(ctx)
}

// sortBoth sorts rows ascending, and the other list with them.
func sortBoth(rows []int64, other []int32) ([]int64, []int32) {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(rows[a], rows[b]) })
	sorted, with := make([]int64, len(rows)), make([]int32, len(rows))
	for i, o := range order {
		sorted[i], with[i] = rows[o], other[o]
	}
	return sorted, with
}
