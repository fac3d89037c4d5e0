package replicate

import (
	"context"
	"errors"
	"strings"

	"sluice/internal/catalog"
	"sluice/statestore"
)

// unregistered says whether the table has a lake and was never registered in this catalog.
func (r *run) unregistered() bool {
	c := r.e.stores.Catalog
	return c != nil && r.t.item[statestore.Index] != "" && !strings.Contains(r.t.item[statestore.Catalog], " "+c.Name()+".")
}

// registerAtRest registers a table that has nothing to commit, when the catalog is new to it.
func (r *run) registerAtRest(ctx context.Context) error {
	if !r.unregistered() {
		return nil
	}
	t, mark, err := r.lakeInCatalog(ctx)
	if err != nil || mark == "" {
		return err
	}
	if err := r.e.stores.Catalog.Ensure(ctx, t, r.still("")); err != nil {
		return err
	}
	return r.record(ctx, statestore.Finished{Set: map[string]string{statestore.Catalog: mark}})
}

// lakeInCatalog is the table as it is in the lake now, and what the item says when it is registered.
func (r *run) lakeInCatalog(ctx context.Context) (t catalog.Table, mark string, err error) {
	s, err := r.readState(ctx)
	if err != nil {
		return catalog.Table{}, "", err
	}
	t = r.t.catalogTable(&s.schema)
	t.Partitions = partitionsOf(t, s.schema.Partition, liveDirs(s.files), nil)
	return t, r.catalogMark(&Plan{Kind: KindRecord, Schema: s.schema, Made: r.e.now()}), nil
}

// record changes an item that has nothing pending. Somebody else's working on the table meanwhile is no error.
func (r *run) record(ctx context.Context, f statestore.Finished) error {
	f.Path, f.Seq = r.t.path, r.t.seq
	if err := r.e.stores.State.Finish(ctx, f); err != nil && !errors.Is(err, statestore.ErrConflict) {
		return err
	}
	return nil
}

// checkCatalog reports whether the catalog has the table as it is in the lake. Where it has not, the next run registers it anew.
func (e *Engine) checkCatalog(ctx context.Context, item statestore.Item, report func(Check)) {
	if e.stores.Catalog == nil || item[statestore.Index] == "" || item.Pending() || item.Halted() {
		return
	}
	r := &run{e: e, meter: &meter{}, result: &Result{}, dry: true}
	check := Check{Name: "catalog table " + tableName(item), Remedy: "see docs/OPERATIONS.md"}
	differs, err := r.compareCatalog(ctx, item)
	switch {
	case err != nil:
		check.Detail = err.Error()
	case differs != "":
		check.Detail, check.Remedy = differs, "the next run registers the table anew"
	default:
		check.OK, check.Detail = true, "as in the lake"
	}
	report(check)
}

func (r *run) compareCatalog(ctx context.Context, item statestore.Item) (string, error) {
	if err := r.adopt(ctx, item); err != nil {
		return "", err
	}
	t, _, err := r.lakeInCatalog(ctx)
	if err != nil {
		return "", err
	}
	differs, err := r.e.stores.Catalog.Compare(ctx, t)
	if err == nil && differs != "" && item[statestore.Catalog] != "" {
		err = r.record(ctx, statestore.Finished{Remove: []string{statestore.Catalog}})
	}
	return differs, err
}
