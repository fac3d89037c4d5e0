package replicate

import (
	"context"
	"errors"
	"maps"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/object"
	"sluice/statestore"
)

// A plan that takes the place of a fenced one is made here. The changes of a
// merge are merged again. Of a load, a rewrite or a truncation what is left is carried out,
// when every file that it creates was there before the fence; otherwise those that were are emptied
// again, the watermark stays, and the next plan starts from the lake as it was.

// planAgain makes the plan that takes the place of a fenced one.
func (r *run) planAgain(ctx context.Context, old, fence *Plan) (*draft, error) {
	r.t.key, r.t.partition = old.Schema.Key, old.Schema.Partition
	d := r.newDraft(old.Kind)
	d.Seq, d.Settings, d.Schema = fence.Seq, old.Settings, old.Schema
	d.Inputs, d.Before, d.Dialect, d.Set = old.Inputs, old.Before, old.Dialect, maps.Clone(old.Set)
	d.Old = r.t.item[statestore.CommitPlan]
	if d.Set == nil {
		d.Set = map[string]string{}
	}
	if fence.Settings[statestore.Accept] == acceptReload {
		d.Set[statestore.Accept] = acceptReload // of the full load that comes behind this commit
	}
	written, err := r.filesOf(ctx, old) // those that the index does not know yet
	if err != nil {
		return nil, err
	}
	s, err := r.readState(ctx, written...)
	if err != nil {
		return nil, err
	}
	d.Quarantine = old.Quarantine
	if old.Kind == KindMerge {
		return d, r.mergeAgain(ctx, d, again{old, fence, s})
	}
	return d, r.emptyAgain(ctx, d, again{old, fence, s})
}

// again is what a plan is made from that takes the place of another.
type again struct {
	old, fence *Plan
	s          *state
}

// mergeAgain plans the net changes of the old plan onto the lake behind the
// fence. They come from the old changes object, never from raw again.
func (r *run) mergeAgain(ctx context.Context, d *draft, a again) error {
	d.Counts = Counts{Superseded: a.old.Counts.Superseded, Changes: a.old.Counts.Changes, Anomalies: a.old.Counts.Anomalies, Quarantined: a.old.Counts.Quarantined}
	if a.old.Changes == "" {
		return nil
	}
	if err := d.Schema.Extend(a.s.schema.Columns, "the lake"); err != nil {
		return err
	}
	open, err := r.openChanges(ctx, a.old)
	if err != nil {
		return err
	}
	spans, err := r.unapplied(ctx, a)
	if err != nil {
		return err
	}
	in, err := lake.ChangesInput(open, spans)
	if err != nil {
		return err
	}
	options := lake.FoldOptions{OrderColumn: noneIsEmpty(a.old.Settings[statestore.OrderColumn])}
	changes, err := r.net(ctx, &d.Schema, options, []lake.Input{in}, []dms.Columnar{open})
	if err != nil {
		return err
	}
	read := d.Counts
	err = d.mergeInto(ctx, r, a.s, changes)
	d.Counts.Changes, d.Counts.Anomalies = read.Changes, read.Anomalies
	d.Counts.Strays = min(a.old.Counts.Strays, d.Counts.Inserts) // the changes object does not tell them any more
	return err
}

// unapplied returns the spans of a key-less plan's ops that were not applied:
// rows of the others are in the lake. With a key it is nil, for all: the lake tells.
func (r *run) unapplied(ctx context.Context, a again) ([]lake.Span, error) {
	if len(a.old.Schema.Key) > 0 {
		return nil, nil
	}
	phases, err := r.readOps(ctx, a.old)
	if err != nil {
		return nil, err
	}
	spans := []lake.Span{}
	for _, ops := range phases {
		for _, op := range ops {
			applied, err := r.wasApplied(ctx, op, a)
			if err != nil {
				return nil, err
			}
			if !applied {
				spans = append(spans, *op.Changes)
			}
		}
	}
	return spans, nil
}

// wasApplied says whether an op of a key-less plan was applied before the fence.
// A created file was, whoever wrote in it since, unless it is the fence's. A file that was there before and bears nobody's
// mark may have been changed before the op or behind it: what of it is to stay, an operator has to say.
func (r *run) wasApplied(ctx context.Context, op Op, a again) (bool, error) {
	key := op.Files[0].Key
	mark, there, err := r.markOf(ctx, key)
	switch {
	case err != nil || !there || mark == a.fence.commitKey():
		return false, err
	case mark == a.old.commitKey() || op.ETag == "":
		return true, nil
	case !r.t.accepted(acceptForeign):
		return false, haltf("foreign", "lake file %s was changed by somebody else while commit %s was pending, and nothing tells whether the rows that this commit adds to it are in it; take them out (rows %d to %d of %s), then acknowledge with --accept foreign to have them added",
			key, a.old.commitKey(), op.Changes.From, op.Changes.To, a.old.Changes)
	}
	return false, nil
}

// markOf returns the commit that wrote a lake file, "" for another writer's; there is false when it is gone.
func (r *run) markOf(ctx context.Context, key string) (mark string, there bool, err error) {
	info, err := r.lake.Head(ctx, key)
	if errors.Is(err, object.ErrNotFound) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	mark, _, err = r.marksOf(ctx, info)
	return mark, true, err
}

// emptyAgain plans what is left of a plan that empties files, or undoes what it began.
func (r *run) emptyAgain(ctx context.Context, d *draft, a again) error {
	phases, err := r.readOps(ctx, a.old)
	if err != nil {
		return err
	}
	targets := phases[1]
	lacking, err := r.lacking(ctx, phases[0], a)
	if err != nil {
		return err
	}
	forward := lacking == ""
	if a.old.movesRows() {
		var undo bool
		if targets, undo, err = r.mayEmpty(ctx, targets, lacking, a); err != nil {
			return err
		}
		forward = !undo
	}
	if !forward {
		if targets, err = r.mayUndo(ctx, phases[0], a); err != nil {
			return err
		}
		if d.Schema, err = r.recordedSchema(ctx, a.s); err != nil {
			return err
		}
		d.Kind, d.Set, d.Inputs, d.Quarantine = KindRecord, map[string]string{}, nil, nil
		if accept := a.undone(); accept != "" {
			d.Set[statestore.Accept] = accept
		}
	}
	if forward {
		d.Counts.Quarantined = a.old.Counts.Quarantined
	}
	left := map[string]bool{}
	for _, op := range targets {
		for _, f := range op.Files {
			left[f.Key] = true
		}
	}
	var empty []*lake.File
	for _, f := range a.s.live() {
		if left[f.Key] || forward && a.old.Kind == KindTruncate {
			empty = append(empty, f)
		}
	}
	d.empty(empty)
	return nil
}

// recordedSchema is the schema of the index, which knows nothing of files that are undone.
func (r *run) recordedSchema(ctx context.Context, s *state) (lake.Schema, error) {
	key := r.t.item[statestore.Index]
	if key == "" {
		return s.schema, nil
	}
	var x index
	err := readJSON(ctx, r.lake, key, &x)
	return x.Schema, err
}

// undone is what an operator had accepted for a plan that is undone: it holds
// for the next one, unless a newer full load, which nobody accepted, is why.
func (a again) undone() string {
	switch a.fence.Settings[statestore.Accept] {
	case acceptReload:
		return acceptReload
	case acceptForeign:
		return a.old.Settings[statestore.Accept]
	}
	return ""
}

// lacking returns a file that the plan creates and that was not there before the fence, "" when all were.
func (r *run) lacking(ctx context.Context, creates []Op, a again) (string, error) {
	for _, op := range creates {
		for _, f := range op.Files {
			mark, there, err := r.markOf(ctx, f.Key)
			if err != nil {
				return "", err
			}
			if !there || mark == a.fence.commitKey() {
				return f.Key, nil
			}
		}
	}
	return "", nil
}

// movesRows says whether what the plan creates are rows of the files that it empties, and of nothing else.
func (p *Plan) movesRows() bool { return p.Kind == KindRewrite || p.Kind == KindCompact }

// mayUndo returns the creates that are emptied when a plan is undone. Of a
// rewriting, whose rows are all in its sources still, a created file in which somebody else wrote is kept:
// what of it is to stay, an operator has to say. Of a load nothing is kept: the next one takes the place of every file.
func (r *run) mayUndo(ctx context.Context, creates []Op, a again) ([]Op, error) {
	if !a.old.movesRows() {
		return creates, nil
	}
	var left []Op
	for _, op := range creates {
		files := op.Files
		op.Files = nil
		for _, f := range files {
			mark, there, err := r.markOf(ctx, f.Key)
			switch {
			case err != nil:
				return nil, err
			case there && mark != a.old.commitKey() && mark != a.fence.commitKey():
				if !r.t.accepted(acceptForeign) {
					return nil, haltf("foreign", "lake file %s, which commit %s had made, was changed by somebody else; the rows that the commit wrote to it are in older files, too: take them out of it, then acknowledge with --accept foreign to keep the rest",
						f.Key, a.old.commitKey())
				}
			default:
				op.Files = append(op.Files, f)
			}
		}
		left = append(left, op)
	}
	return left, nil
}

// mayEmpty takes the sources that somebody else wrote out of what a rewrite
// empties: they are the base now, and what was written is not in the creates. That is an undoing, and so is a create
// that is lacking, unless the rewrite has begun to empty sources: then every create was there, and what they hold is
// nowhere else; what of the file is to stay, or to be missed, an operator has to say.
func (r *run) mayEmpty(ctx context.Context, sources []Op, lacking string, a again) (left []Op, undo bool, err error) {
	begun, undo, foreign := false, lacking != "", ""
	for _, op := range sources {
		key := op.Files[0].Key
		mark, there, err := r.markOf(ctx, key)
		switch {
		case err != nil:
			return nil, false, err
		case mark == a.old.commitKey():
			begun = true
		case mark == a.fence.commitKey():
			left = append(left, op)
		case !there:
			undo = true
		default:
			undo, foreign = true, key
		}
	}
	switch {
	case !begun || r.t.accepted(acceptForeign):
	case lacking != "":
		return nil, false, haltf("foreign", "lake file %s, to which commit %s had written rows of files that it emptied, was deleted by somebody else; put it back over the file without rows that has its name now, then acknowledge; or acknowledge with --accept foreign to go on without its rows",
			lacking, a.old.commitKey())
	case foreign != "":
		return nil, false, haltf("foreign", "lake file %s was changed by somebody else while commit %s, which had written its rows to new files, emptied it; take out of it what is not to be in the lake twice, then acknowledge with --accept foreign to keep the rest",
			foreign, a.old.commitKey())
	}
	return left, undo && !begun, nil
}
