package replicate

import (
	"context"
	"slices"

	"sluice/internal/dms"
	"sluice/internal/lake"
)

// planner is net changes that a merge is planned from: all of them in memory, or a batch that is folded in parts.
type planner interface {
	PlanMerge(ctx context.Context, files []*lake.File, open lake.Opener, l lake.Limits) (*lake.Merge, error)
}

// net folds inputs, which are read from the given files, and holds the memory that it takes until the run lets go of it. What does not
// fit into all that there is is folded in parts, while the merge is planned.
func (r *run) net(ctx context.Context, s *lake.Schema, o lake.FoldOptions, inputs []lake.Input, files []dms.Columnar) (planner, error) {
	need := needOf(files)
	parts := max(r.e.governor.parts(need, cap(r.e.ops)), need.share(r.e.batchBound()))
	whole := slices.ContainsFunc(files, leavesOut)
	if parts > 1 && o.Partial && !whole {
		var err error
		if whole, err = lake.LeavesOut(ctx, inputs); err != nil {
			return nil, err
		}
	}
	if whole {
		parts = 1
	}
	if err := r.hold(ctx, need.inParts(parts, cap(r.e.ops))); err != nil {
		return nil, err
	}
	if parts > 1 {
		return &lake.Batch{Schema: s, Options: o, Inputs: inputs, Parts: parts}, nil
	}
	fold, err := lake.NewFold(s, o)
	if err != nil {
		return nil, err
	}
	for _, in := range inputs {
		if err := fold.Add(ctx, in); err != nil {
			return nil, err
		}
	}
	return fold.Net()
}

// foldNeed estimates what the merge of some inputs takes until it is committed, in bytes.
type foldNeed struct {
	inputs  int
	rows    int64 // of the inputs
	decoded int64 // as --batch-bytes counts them
	held    int64 // a fold of all of them
	reading int64 // what is read of one input at a time
}

const (
	rowBytes   = 20       // of a change in a batch that is folded in parts: what becomes of it
	aheadBytes = 64 << 20 // of what is read ahead of the columns of an input
)

func needOf(files []dms.Columnar) foldNeed {
	n := foldNeed{inputs: len(files)}
	for _, f := range files {
		n.rows += f.NumRows()
		n.decoded += decodedBytes(f)
		n.held += f.NumRows()*int64(keyBytes+cellBytes*len(f.Columns())) + decoded(f)
		for g := range f.RowGroups() {
			group := int64(0)
			for c := range f.Columns() {
				compressed, _ := f.ChunkBytes(g, c)
				group += compressed
			}
			n.reading = max(n.reading, min(group, aheadBytes))
		}
	}
	return n
}

// whole is what a fold of all takes, beside the lake files that keys are looked for in at once.
func (n foldNeed) whole(parallel int) int64 { return n.held + int64(parallel)*seekBytes }

// inParts is what a fold in so many parts takes.
func (n foldNeed) inParts(parts, parallel int) int64 {
	if parts <= 1 {
		return n.whole(parallel)
	}
	return n.held/int64(parts) + n.rows*rowBytes + n.reading + int64(parallel)*seekBytes
}

// parts is how many parts a fold is made in, so that each fits beside what is held anyway; one where all of it fits. A part takes
// a quarter of what there is, however little that leaves for the rest.
func (g *governor) parts(n foldNeed, parallel int) int {
	if g == nil || n.whole(parallel) <= g.all {
		return 1
	}
	room := max(g.all-int64(parallel)*seekBytes-n.reading-uploadBytes-n.rows*rowBytes, g.all/4)
	return int(max(min((n.held-1)/room+1, n.rows), 1))
}

// share is how many parts it takes that one of them, with what stays of all changes, holds no more than a batch of so many decoded
// bytes. One input is not divided for that: as long as it fits it is folded faster whole.
func (n foldNeed) share(bytes int64) int {
	if n.inputs < 2 || n.decoded <= bytes {
		return 1
	}
	limit := int64(float64(bytes) / float64(n.decoded) * float64(n.held))
	room := max(limit-n.rows*rowBytes, limit/4, 1)
	return int(max(min((n.held-1)/room+1, n.rows), 1))
}

// inputs are the inputs of a batch in order, and their files.
func (b *batch) inputs() (inputs []lake.Input, files []dms.Columnar) {
	all := slices.Concat(b.apply, b.context)
	slices.SortStableFunc(all, func(x, y opened) int { return x.compare(y.input) })
	for _, in := range all {
		context := slices.ContainsFunc(b.context, func(c opened) bool { return c.key == in.key })
		inputs = append(inputs, lake.Input{Name: in.key, Reader: in.reader, Context: context, Settled: !b.sure.IsZero() && in.time.After(b.sure)})
		files = append(files, in.file)
	}
	return inputs, files
}
