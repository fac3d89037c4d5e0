package replicate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sluice/internal/lake"
	"sluice/internal/object"
	"sluice/statestore"
)

// finish makes sure that every op is in the lake and the lake in the catalog, writes the index down and
// moves the watermark by one conditional update. That somebody else finished or
// replaced the commit is success; ours says whether this run did, whose result then counts it.
func (a *application) finish(ctx context.Context) (ours bool, err error) {
	planned, err := a.everyOp(ctx)
	if err != nil {
		return false, err
	}
	infos, err := a.listLake(ctx)
	if err != nil {
		return false, err
	}
	here := map[string]object.Info{}
	for _, info := range infos {
		here[info.Key] = info
	}
	if err := a.verify(ctx, planned, here); err != nil {
		return false, err
	}
	if a.plan.Kind == KindFence {
		return true, nil // it moves nothing, and stays pending until the new plan replaces it
	}
	files, err := a.filesNow(ctx, planned, infos)
	if err != nil {
		return false, err
	}
	if err := a.bound(ctx, planned, files); err != nil {
		return false, err
	}
	if err := a.register(ctx, files); err != nil {
		return false, err
	}
	if err := a.publish(ctx); err != nil {
		return false, err
	}
	set := map[string]string{}
	maps.Copy(set, a.plan.Set)
	remove := a.noteCatalog(set)
	if a.plan.Kind != KindRecord || len(planned) > 0 { // a record leaves the lake, and what is known of it, as it is
		key := a.t.book + "index/" + a.plan.commitKey() + ".json"
		if err := writeJSON(ctx, a.lake, key, indexOf(a.t, a.plan.Schema, files)); err != nil {
			return false, err
		}
		set[statestore.Index] = key
	}
	err = a.e.stores.State.Finish(ctx, statestore.Finished{
		Path: a.t.path, Seq: a.plan.Seq, CommitID: a.plan.ID, Set: set, Remove: remove,
	})
	if errors.Is(err, statestore.ErrConflict) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	a.remember(planned, files)
	return true, nil
}

// plannedFile is a file of the plan and the op that writes it.
type plannedFile struct {
	OpFile
	op Op
}

// everyOp reads the ops of both phases, by key of the file.
func (a *application) everyOp(ctx context.Context) (map[string]plannedFile, error) {
	planned := map[string]plannedFile{}
	phases, err := a.readOps(ctx, a.plan)
	for _, ops := range phases {
		for _, op := range ops {
			for _, f := range op.Files {
				planned[f.Key] = plannedFile{f, op}
			}
		}
	}
	return planned, err
}

// verify makes sure that each file of the plan is there and is what its op
// wrote. An ETag that differs is no proof; what this run itself saw applied is.
func (a *application) verify(ctx context.Context, planned map[string]plannedFile, here map[string]object.Info) error {
	for key, f := range planned {
		info, ok := here[key]
		if ok && a.applied[key].ETag == info.ETag {
			continue
		}
		op := f.op
		op.Files = []OpFile{f.OpFile}
		missing, err := a.missing(ctx, op)
		if err != nil {
			return err
		}
		if len(missing) > 0 {
			return fmt.Errorf("commit %s: %s is not written yet", a.plan.commitKey(), key)
		}
	}
	return nil
}

// filesNow is what the index is to say: the plan's files as their ops left
// them, the others as the index before knew them. What the listing lacks and is there is in the index all the same: the
// next plan finds it missing if the listing is still behind then.
func (a *application) filesNow(ctx context.Context, planned map[string]plannedFile, infos []object.Info) ([]*lake.File, error) {
	before, err := a.indexBefore(ctx)
	if err != nil {
		return nil, err
	}
	cached := map[string]indexFile{}
	for _, f := range before.Files {
		cached[a.t.lake+f.Key] = f
	}
	late, err := a.there(ctx, a.lake, unlisted(before.live(a.t), infos))
	if err != nil {
		return nil, err
	}
	here := map[string]object.Info{}
	for _, info := range slices.Concat(infos, late) {
		here[info.Key] = info
	}
	for key := range planned {
		if info, ok := a.applied[key]; ok {
			here[key] = info // whatever the listing shows
		}
	}
	var files []*lake.File
	for _, key := range slices.Sorted(maps.Keys(here)) {
		info := here[key]
		f := a.lakeFile(info)
		files = append(files, f)
		if p, ok := planned[info.Key]; ok {
			f.Rows, f.Columns, f.Min, f.Max = p.Rows, p.Columns, p.Min, p.Max
			continue
		}
		if c, ok := cached[info.Key]; ok && c.ETag == info.ETag && before.has(c.Layout) {
			f.Rows, f.Columns = c.Rows, before.Layouts[c.Layout]
			if sameList(before.Schema.Key, a.plan.Schema.Key) {
				f.Min, f.Max = c.Min, c.Max
			}
		}
	}
	return files, nil
}

// indexBefore is the index of the lake as the plan found it; empty when there was none.
func (a *application) indexBefore(ctx context.Context) (*index, error) {
	if a.before != nil || a.plan.Index == "" {
		return cmp.Or(a.before, &index{}), nil
	}
	var x index
	if err := readJSON(ctx, a.lake, a.plan.Index, &x); err != nil {
		return nil, err
	}
	a.before = &x
	return a.before, nil
}

// remember keeps what the tick's result says of the lake.
func (a *application) remember(planned map[string]plannedFile, files []*lake.File) {
	for key := range planned {
		a.touched[key] = true
	}
	a.lastLive = nil
	for _, f := range files {
		if f.Live() {
			a.lastLive = append(a.lastLive, f)
		}
	}
}
