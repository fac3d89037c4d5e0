package replicate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/statestore"
)

// shadow is a table's lake made from raw once more, where no reader sees it:
// below the table's bookkeeping, in rebuild/<id>/, with a control table in memory. The code is the
// same, so is the memory that it takes. When its process dies, what it wrote is of no use to anybody.
type shadow struct {
	e     *Engine
	state statestore.Store
	path  string
	did   Result // by all of its runs
}

// newShadow returns a shadow of the run's table that has not begun.
func (r *run) newShadow(ctx context.Context, from *origin) (*shadow, error) {
	state := statestore.New(statestore.NewMemory(r.e.now))
	cfg := r.e.cfg
	cfg.FullLoadQuiet = 0 // the load was complete when it was loaded, and is the same
	stores := Stores{Objects: r.e.stores.Objects, State: state, Log: r.e.stores.Log, Now: r.e.stores.Now, Sleep: r.e.stores.Sleep, Progress: r.e.stores.Progress}
	s := &shadow{e: &Engine{cfg: cfg, stores: stores, ops: r.e.ops, governor: r.e.governor, origin: from}, state: state, path: r.t.path}
	item := statestore.Item{}
	for _, name := range append(settings(), statestore.Path, statestore.Bucket, statestore.Prefix, statestore.Folder) {
		if v := r.t.item[name]; v != "" {
			item[name] = v
		}
	}
	if !hasMarks(from.columns()) {
		delete(item, statestore.Dialect) // each input is read as its columns say
	}
	item[statestore.ActiveFlag], item[statestore.ReloadPolicy] = statestore.True, "auto"
	item[statestore.SchemaPolicy] = "evolve" // whatever the table consumed was accepted once
	item[statestore.OutPath] = r.t.outBucket + "/" + r.t.book + rebuildFolder + newID() + "/"
	_, _, err := state.Register(ctx, item)
	return s, err
}

// catchUp loads and merges until nothing is new. What halts the shadow is
// returned as a halt, though it is the table's only if it meets it, too.
func (s *shadow) catchUp(ctx context.Context) error {
	item, err := s.state.Read(ctx, s.path)
	if err != nil {
		return err
	}
	did := s.e.runTable(ctx, item)
	s.did.Inputs += did.Inputs
	s.did.Reason = did.Reason
	s.did.add(did.Counts)
	s.did.BytesRead += did.BytesRead
	s.did.BytesWritten += did.BytesWritten
	s.did.BytesCopied += did.BytesCopied
	switch did.Action {
	case Halted:
		code, text, _ := strings.Cut(did.Reason, ": ")
		return haltf(code, "%s (met while the table was made from raw anew; its lake is as it was: mend this, then sluice rebuild again)", text)
	case Failed:
		return fmt.Errorf("make the table from raw anew: %w", did.Err)
	case Loaded, Merged, Rebuilt, Idle, Inactive, Registered, Busy, Compacted, Cleaned, Started:
	}
	return ctx.Err()
}

// image is a shadow that has caught up.
type image struct {
	*run
	*outlook
}

// image looks at the shadow's lake as it is now.
func (s *shadow) image(ctx context.Context, m *meter) (*image, error) {
	item, err := s.state.Read(ctx, s.path)
	if err != nil {
		return nil, err
	}
	r := &run{e: s.e, meter: m, result: &Result{}, dry: true}
	o, err := r.survey(ctx, item)
	if err == nil && !o.known {
		err = r.nothing(s.did.Reason)
	}
	return &image{r, o}, err
}

func (r *run) nothing(reason string) error {
	return fmt.Errorf("%w: there is nothing in raw to rebuild %s from: %s", ErrUsage, r.t.name(), reason)
}

// covers makes sure that the image was made from everything that the table was
// made from, and that both tallies agree on what is beyond that. Otherwise it says what is missing.
func (i *image) covers(table *origin) error {
	if !sameLoads(i.ledger.Load, table.ledger.Load) {
		return errors.New("the full load in raw is not the one that the table was loaded from any more")
	}
	f := i.fates
	for _, list := range [][]input{f.fresh, f.late, f.superseded, f.tooLate} {
		for _, in := range list {
			if _, consumed := table.held[in.key]; consumed {
				return fmt.Errorf("%s is consumed by the table and not yet by what is made anew", in.key)
			}
		}
	}
	var beyond []input
	for _, in := range f.consumed {
		if _, consumed := table.held[in.key]; !consumed && !i.before.superseded(in) {
			beyond = append(beyond, in)
		}
	}
	want := table.ledger.Made.with(beyond)
	if got := i.ledger.Made; got == nil || *got != *want {
		return fmt.Errorf("what was made anew comes from other inputs than the table: %+v, not %+v", got, want)
	}
	return nil
}

// firstTaken returns the inputs whose changes come into the lake with this image: those that no commit
// consumed, and those that an operator had left out.
func (i *image) firstTaken(table *origin) []string {
	out := map[string]bool{}
	for _, in := range table.ledger.Inputs {
		out[in.Key] = in.Out
	}
	var keys []string
	for _, in := range i.fates.consumed {
		if held, before := table.held[in.key]; !before || out[in.key] && !held {
			keys = append(keys, in.key)
		}
	}
	return keys
}

// sameLoads says whether two records are of one full load: the same objects, with the same ETags or contents.
func sameLoads(a, b []loadObject) bool {
	return slices.EqualFunc(a, b, func(x, y loadObject) bool {
		return x.Key == y.Key && (x.ETag == y.ETag || x.Digest != "" && x.Digest == y.Digest)
	})
}
