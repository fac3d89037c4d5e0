package replicate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"time"

	"sluice/internal/lake"
	"sluice/statestore"
)

// The catalog follows the lake inside a commit. What phase 1 created is registered before phase 2 takes a row out of
// an old file; everything else before the commit is finished. A finished commit so implies a registered table, which the
// item's attribute Catalog says: the day that was compared, the table's name and a hash of what is registered of it. A
// commit that leaves that hash alone has only its new partitions to register, and asks the catalog nothing where it has
// none; the day's first commit compares everything, which mends what others did to the table.
//
// One that changes the hash removes the attribute in the update that makes it binding: should it be undone, and its
// columns stay registered, the next one looks.

// registration is what of a table one application has registered.
type registration struct {
	table bool            // the table, and with it its columns
	dirs  map[string]bool // partition directories
}

// catalogMark is what the item's attribute Catalog says behind the plan; "" when nothing is registered.
func (r *run) catalogMark(p *Plan) string {
	if r.e.stores.Catalog == nil || !p.shapes() {
		return ""
	}
	t := r.t.catalogTable(&p.Schema)
	hash := sha256.Sum256(fmt.Appendf(nil, "%q", []any{t.Path, t.Location, t.Columns, t.Keys}))
	return fmt.Sprintf("%s %s.%s %s", p.Made.UTC().Format(time.DateOnly), r.e.stores.Catalog.Name(), t.Name, hex.EncodeToString(hash[:8]))
}

// shapes says whether the table behind the plan is known from it: a record and a fence leave the lake as it is.
func (p *Plan) shapes() bool { return p.Kind != KindFence && len(p.Schema.Columns) > 0 }

// staleCatalog names the attribute Catalog when the plan makes it untrue, or is made by a run without a catalog.
func (r *run) staleCatalog(p *Plan) []string {
	if was := r.t.item[statestore.Catalog]; was == "" || !p.shapes() || was == r.catalogMark(p) {
		return nil
	}
	return []string{statestore.Catalog}
}

// noteCatalog adds to what a finish sets that the table is registered, and returns what it removes because it is not.
func (a *application) noteCatalog(set map[string]string) (remove []string) {
	if mark := a.catalogMark(a.plan); mark != "" {
		set[statestore.Catalog] = mark
		return nil
	}
	return a.staleCatalog(a.plan)
}

// registerCreates registers the table and what phase 1 created. A row that moved is found in its new partition from
// here on, and is still in its old file. Without a phase 2 nothing hangs on it.
func (a *application) registerCreates(ctx context.Context, ops [2][]Op) error {
	if len(ops[1]) == 0 || a.catalogMark(a.plan) == "" {
		return nil
	}
	before, err := a.indexBefore(ctx)
	if err != nil {
		return err
	}
	files := before.lakeFiles()
	for _, op := range ops[0] {
		for _, f := range op.Files {
			files = append(files, &lake.File{Dir: f.Dir, Rows: f.Rows, Columns: f.Columns})
		}
	}
	return a.register(ctx, files)
}

// register makes the catalog agree with the given files. What is known to be registered it does not ask for.
func (a *application) register(ctx context.Context, files []*lake.File) error {
	mark := a.catalogMark(a.plan)
	if mark == "" {
		return nil
	}
	known, skip := a.catalog.table, a.catalog.dirs
	if !known && a.t.item[statestore.Catalog] == mark {
		before, err := a.indexBefore(ctx)
		if err != nil {
			return err
		}
		known, skip = true, before.liveDirs()
	}
	dirs := liveDirs(files)
	t := a.t.catalogTable(&a.plan.Schema)
	t.Partitions = partitionsOf(t, a.plan.Schema.Partition, dirs, skip)
	if known && len(t.Partitions) == 0 {
		return nil
	}
	if err := a.e.stores.Catalog.Ensure(ctx, t, a.still(a.plan.ID)); err != nil {
		return err
	}
	maps.Copy(dirs, skip)
	a.catalog = registration{table: true, dirs: dirs}
	return nil
}

// still returns what is asked before each write: whether the commit is the table's yet, "" for none. A run that
// stood still, or whose catalog was changed meanwhile, must not register what an earlier commit wanted over what a later
// one wants.
func (r *run) still(commit string) func(context.Context) error {
	return func(ctx context.Context) error {
		item, err := r.e.stores.State.Read(ctx, r.t.path)
		if err != nil {
			return err
		}
		if item[statestore.CommitID] != commit || commit == "" && item[statestore.Seq] != r.t.item[statestore.Seq] {
			return errElsewhere
		}
		return nil
	}
}
