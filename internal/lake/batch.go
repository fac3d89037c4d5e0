package lake

import (
	"context"
	"fmt"
	"math"
)

// Batch is the changes of one merge that do not fit into memory at once. They are folded in parts, each a range of keys and of a
// key-less table a run of rows, one after the other; the inputs, which must not change meanwhile, are read again for each. What comes out
// is what a [Fold] of all of them would give: one merge, with the same files, rows and counts.
//
// In memory are the rows of one part and, of every change, what becomes of it: about 20 bytes.
type Batch struct {
	Schema  *Schema
	Options FoldOptions
	Inputs  []Input // in the order of their order keys
	Parts   int     // about so many parts; at least one

	changes int32     // that were numbered so far
	origins []numbers // by input
}

// numbers are the changes that the rows of an input became, by row: the number plus one, 0 for none.
type numbers struct {
	own []int32
	old []int32 // what became of the key that the row had before
}

// PlanMerge is [Changes.PlanMerge] for changes that do not fit. A part opens the lake files that may hold a key of its range.
func (b *Batch) PlanMerge(ctx context.Context, files []*File, open Opener, l Limits) (*Merge, error) {
	whole, err := b.begin()
	if err != nil {
		return nil, err
	}
	parts, err := b.divide(ctx)
	if err != nil {
		return nil, err
	}
	d := newDecision(whole, files, l)
	d.batch = b
	for i := range parts {
		c, err := b.fold(ctx, &parts[i])
		if err != nil {
			return nil, err
		}
		if len(c.entries) > math.MaxInt32-int(b.changes) {
			return nil, fmt.Errorf("more than %d keys change in one merge", math.MaxInt32)
		}
		whole.Anomalies += c.Anomalies
		b.number(c, &parts[i])
		if err := d.add(ctx, c, open); err != nil {
			return nil, err
		}
		parts[i] = part{}
	}
	d.part = nil
	if err := d.place(ctx); err != nil {
		return nil, err
	}
	return d.merge(ctx)
}

// begin returns the changes that the parts make up, of which none is held.
func (b *Batch) begin() (*Changes, error) {
	f, err := NewFold(b.Schema, b.Options)
	if err != nil {
		return nil, err
	}
	whole := &Changes{Schema: b.Schema, key: f.key, order: f.order}
	b.changes, b.origins = 0, make([]numbers, len(b.Inputs))
	rows := int64(0)
	for i := range b.Inputs {
		in := &b.Inputs[i]
		in.number, in.first = int32(i), rows
		rows += in.Reader.Rows()
		if !in.Context && in.replay == nil {
			whole.Read += in.Reader.Rows()
		}
	}
	return whole, nil
}

func (b *Batch) rows() int64 {
	rows := int64(0)
	for _, in := range b.Inputs {
		rows += in.Reader.Rows()
	}
	return rows
}

// partRows is how many rows a part has, about.
func (b *Batch) partRows() int {
	return int((b.rows()-1)/int64(max(b.Parts, 1)) + 1)
}

// fold folds one part.
func (b *Batch) fold(ctx context.Context, p *part) (*Changes, error) {
	f, err := NewFold(b.Schema, b.Options)
	if err != nil {
		return nil, err
	}
	f.part = p
	for _, in := range b.Inputs {
		if err := f.Add(ctx, in); err != nil {
			return nil, err
		}
	}
	return f.Net()
}

// number notes which rows of the inputs the changes of the next part come from.
func (b *Batch) number(c *Changes, p *part) {
	for _, e := range c.entries {
		b.changes++
		from := p.origins[e.slot]
		list := &b.origins[from.input].own
		if from.old {
			list = &b.origins[from.input].old
		}
		if *list == nil {
			*list = make([]int32, b.Inputs[from.input].Reader.Rows())
		}
		(*list)[from.row] = b.changes
	}
}
