package replicate

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"sluice/internal/lake"
	"sluice/statestore"
)

const (
	compactTargets = 8    // a commit of a compaction takes files of about so many times the target size
	compactFiles   = 1000 // and at most so many
	compactRounds  = 8    // a file that came out of so many compactions of one run is let be
	crowd          = 10   // small files in one partition for which a run compacts by itself
)

// stepCompact makes one commit of a compaction; done says that there is nothing to compact.
func (r *run) stepCompact(ctx context.Context) (done bool, err error) {
	d, err := r.draftCompact(ctx)
	switch {
	case inDoubt(err): // a file was written again since it was listed: look again
		return false, errors.Join(statestore.ErrConflict, err)
	case err != nil, d == nil:
		return true, err
	}
	return false, r.bind(ctx, d)
}

// draftCompact plans one commit of a compaction; nil when there is nothing to compact.
func (r *run) draftCompact(ctx context.Context) (*draft, error) {
	d, files, plan, err := r.planCompact(ctx)
	if err != nil {
		return nil, err
	}
	plan = r.fresh(files, plan)
	if len(plan) == 0 {
		return nil, nil
	}
	plan = r.oneCommit(plan)
	d.compact(files, plan)
	r.count(d, files, plan)
	return d, nil
}

// fresh leaves out what this run has written often enough: were there a layout that no compaction satisfies, the run
// would come to its end all the same.
func (r *run) fresh(files []lake.Shape, plan []lake.Compaction) []lake.Compaction {
	return slices.DeleteFunc(plan, func(c lake.Compaction) bool {
		return !slices.ContainsFunc(c.From, func(at int) bool { return r.rounds[files[at].Key] < compactRounds })
	})
}

// count remembers how many compactions of this run the files of a draft came out of.
func (r *run) count(d *draft, files []lake.Shape, plan []lake.Compaction) {
	rounds := 0
	for _, c := range plan {
		for _, at := range c.From {
			rounds = max(rounds, r.rounds[files[at].Key])
		}
	}
	if r.rounds == nil {
		r.rounds = map[string]int{}
	}
	for _, op := range d.ops[0] {
		for _, f := range op.Files {
			r.rounds[f.Key] = rounds + 1
		}
	}
}

// planCompact begins the draft of a commit, and plans what there is to compact: all of it.
func (r *run) planCompact(ctx context.Context) (*draft, []lake.Shape, []lake.Compaction, error) {
	s, err := r.readState(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	moved, err := r.repartitioned(s)
	if err != nil {
		return nil, nil, nil, err
	}
	if moved {
		return nil, nil, nil, fmt.Errorf("%w: PartitionKey %q is not what the lake of %s is partitioned by; set it back with sluice activate, or let sluice run write the table again, then compact",
			ErrUsage, r.t.item[statestore.PartitionKey], r.t.name())
	}
	d := r.newDraft(KindCompact)
	d.Schema = s.schema
	d.Schema.Key, d.Schema.Partition, d.Schema.Op = r.t.key, r.t.partition, !r.e.cfg.DropOp
	files, err := r.shapes(ctx, &d.Schema, s.live())
	if err != nil {
		return nil, nil, nil, err
	}
	return d, files, lake.PlanCompaction(&d.Schema, files, lake.Limits{TargetFileBytes: r.e.cfg.TargetFileBytes}), nil
}

// oneCommit is as much of a plan as one commit takes: at least its first part.
func (r *run) oneCommit(plan []lake.Compaction) []lake.Compaction {
	var bytes int64
	files := 0
	for i, c := range plan {
		bytes, files = bytes+c.Bytes, files+len(c.From)
		if i > 0 && (bytes > compactTargets*r.e.cfg.TargetFileBytes || files > compactFiles) {
			return plan[:i]
		}
	}
	return plan
}

// shapes looks at the row groups of files, and at their keys where the index does not know them. What was looked at in this
// run is not opened again. A file that cannot be read is left out: whoever needs its rows will say so.
func (r *run) shapes(ctx context.Context, schema *lake.Schema, files []*lake.File) ([]lake.Shape, error) {
	if r.looked == nil {
		r.looked = map[string]lake.Shape{}
	}
	unknown := slices.DeleteFunc(slices.Clone(files), func(f *lake.File) bool {
		_, known := r.looked[f.Key+f.ETag]
		return known
	})
	var mu sync.Mutex
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(cap(r.e.ops) * 4)
	for _, f := range unknown {
		group.Go(func() error {
			open, err := r.openLake(gctx, f)
			if dataFault(err) != "" {
				return nil
			}
			if err != nil {
				return err
			}
			if f.Min == nil {
				f.Observe(open, schema)
			}
			mu.Lock()
			defer mu.Unlock()
			r.looked[f.Key+f.ETag] = lake.Shape{File: f, Groups: open.RowGroups()}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var list []lake.Shape
	for _, f := range files {
		if shape, ok := r.looked[f.Key+f.ETag]; ok {
			list = append(list, shape)
		}
	}
	return list, nil
}

// compact adds the ops of a plan.
func (d *draft) compact(files []lake.Shape, plan []lake.Compaction) {
	var empty []*lake.File
	sources, created := map[int]int{}, 0
	for _, c := range plan {
		for _, at := range c.From {
			f := files[at].File
			sources[at] = len(d.Sources)
			d.Sources = append(d.Sources, Source{Key: f.Key, ETag: f.ETag, Size: f.Size, Lake: true, Dir: f.Dir})
			empty = append(empty, f)
		}
		ops := c.Ops(files)
		for _, work := range ops {
			op := Op{N: d.nextOp(), Kind: OpCreate, Bytes: c.Bytes / int64(len(ops))}
			for _, p := range work.Parts {
				op.Parts = append(op.Parts, lake.Part{File: sources[p.File], Groups: p.Groups})
			}
			for _, out := range work.Outputs {
				op.Files = append(op.Files, OpFile{Key: d.table.lake + out.Dir + d.fileName(created), Dir: out.Dir, Rows: out.Rows, Columns: c.Columns()})
				created++
			}
			d.ops[0] = append(d.ops[0], op)
		}
	}
	d.Traffic.FilesCreated = int64(created)
	d.empty(empty)
}

// compactWhenCrowded is the end of a table's work when nothing is new: where the table is to be compacted by itself and its
// layout is bad, one commit of a compaction.
func (r *run) compactWhenCrowded(ctx context.Context) (done bool, err error) {
	crowded, err := r.crowded(ctx)
	if err != nil || !crowded {
		return true, err
	}
	if done, err = r.stepCompact(ctx); errors.Is(err, ErrUsage) {
		return true, nil // it can wait until the operator has done what is to be done
	}
	return done, err
}

// crowded says whether the table is to be compacted by itself: in one partition so many small files could be united, or a
// file is far above the target size. It asks the index alone; a lake that has none yet is left as it is.
func (r *run) crowded(ctx context.Context) (bool, error) {
	key := r.t.item[statestore.Index]
	if !r.t.compact || key == "" {
		return false, nil
	}
	var x index
	if err := readJSON(ctx, r.lake, key, &x); err != nil {
		return false, err
	}
	var files []lake.Shape
	for _, f := range x.Files {
		if x.has(f.Layout) {
			dir, _ := path.Split(f.Key)
			files = append(files, lake.Shape{File: &lake.File{
				Key: f.Key, Dir: dir, Size: f.Size, Rows: f.Rows, Columns: x.Layouts[f.Layout], Min: f.Min, Max: f.Max,
			}})
		}
	}
	small := map[string]int{}
	for _, c := range lake.PlanCompaction(&x.Schema, files, lake.Limits{TargetFileBytes: r.e.cfg.TargetFileBytes}) {
		if small[c.Dir] += len(c.From); c.Split || small[c.Dir] >= crowd {
			return true, nil
		}
	}
	return false, nil
}
