package replicate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/statestore"
)

// rebuildTries is how often a rebuild catches up with a table that others work on.
const rebuildTries = 10

// rebuild is one table being written from raw again: first beside the lake, where
// no reader sees it, then by one commit like any other. Readers see rows twice for a moment, never an older
// lake and never a part (docs/adr/0012).
type rebuild struct {
	*run
	shadow *shadow
	plan   *Plan // once it is binding
}

// errLoadedAnew is returned when somebody else wrote a fresh generation meanwhile.
var errLoadedAnew = errors.New("the table was loaded anew meanwhile, which is a fresh generation already")

// Rebuild writes a fresh generation of a table's rows from raw, where raw still
// has everything, and puts it in the place of whatever the lake holds. It does not depend on the lake's
// files or index. When it cannot be done as things are, or makes no sense, the error wraps
// [ErrUsage] and nothing was changed. A run that dies leaves the table as it was, or a commit that
// any later run finishes.
func (e *Engine) Rebuild(ctx context.Context, name string) (Result, error) {
	began := time.Now()
	item, err := e.registered(ctx, name)
	if err != nil {
		return Result{}, err
	}
	result := Result{Table: tableName(item), Path: item[statestore.Path], Action: Idle}
	b := &rebuild{run: &run{e: e, meter: &meter{}, result: &result, touched: map[string]bool{}}}
	err = b.work(ctx, item)
	if errors.Is(err, ErrUsage) {
		return Result{}, err
	}
	b.conclude(ctx, err)
	b.report(began)
	return result, nil
}

// report fills in what the whole of it took.
func (b *rebuild) report(began time.Time) {
	res := b.result
	res.BytesRead, res.BytesWritten, res.BytesCopied = b.meter.read.Load(), b.meter.written.Load(), b.meter.copied.Load()
	if s := b.shadow; s != nil {
		res.BytesRead += s.did.BytesRead
		res.BytesWritten += s.did.BytesWritten
		res.BytesCopied += s.did.BytesCopied
	}
	if b.t != nil {
		res.LastFullLoadDate, res.LastIncrementalFile = b.t.item[statestore.LastFullLoadDate], b.t.item[statestore.LastIncrementalFile]
	}
	res.Seconds = time.Since(began).Seconds()
}

// conclude turns an error into the action. Before the commit nothing is recorded: the table is as it was.
func (b *rebuild) conclude(ctx context.Context, err error) {
	kind, stop := fate(err)
	switch {
	case errors.Is(err, errLoadedAnew):
		b.result.Reason = err.Error()
	case err != nil && kind == halt && b.plan == nil:
		b.result.Action, b.result.Reason, b.result.Err = Halted, stop.Error(), err
	case errors.Is(err, errElsewhere) && b.plan != nil:
		b.result.Action, b.result.Reason = Busy, "the rebuild is binding, and another run carries it out"
	default:
		b.run.conclude(ctx, err)
		if b.result.Action == Failed && b.plan == nil {
			b.result.Reason += "; the lake is as it was, sluice rebuild tries again"
		}
	}
}

// mayRebuild says why a table cannot be rebuilt as it stands. A halt is no
// reason: what it is about stops the rebuild, too, or ends with it.
func mayRebuild(item statestore.Item) error {
	name := tableName(item)
	switch {
	case item.Pending() && item.Halted():
		return fmt.Errorf("%w: %s has a commit under way that is halted: %s", ErrUsage, name, item[statestore.StatusReason])
	case item.Pending():
		return fmt.Errorf("%w: %s has a commit under way; sluice run finishes it, then rebuild", ErrUsage, name)
	case !item.Active():
		return fmt.Errorf("%w: %s is not active; switch it on with sluice activate %s", ErrUsage, name, name)
	case item.Halted() && item[statestore.StatusReason] == "":
		return fmt.Errorf("%w: %s is halted without a reason; acknowledge it with sluice acknowledge %s", ErrUsage, name, name)
	case item[statestore.Accept] != "":
		return fmt.Errorf("%w: what was accepted for %s (%s) is still to be done; sluice run does it, then rebuild", ErrUsage, name, item[statestore.Accept])
	case item[statestore.Ledger] == "":
		return fmt.Errorf("%w: %s was not loaded yet; sluice run loads it", ErrUsage, name)
	}
	return nil
}

// examine makes sure that the table can be rebuilt, and says from what.
func (b *rebuild) examine(ctx context.Context, item statestore.Item) (*outlook, *origin, error) {
	if err := mayRebuild(item); err != nil {
		return nil, nil, err
	}
	o, err := b.survey(ctx, item)
	b.listed = nil
	if err != nil {
		return nil, nil, err
	}
	from, err := b.whole(ctx, o)
	return o, from, err
}

// work makes the shadow, and then, the table claimed, commits what it holds.
func (b *rebuild) work(ctx context.Context, item statestore.Item) error {
	o, from, err := b.examine(ctx, item)
	if err != nil {
		return err
	}
	if len(o.loads)+len(o.changes) == 0 {
		return b.nothing("no files")
	}
	found, err := b.findLake(ctx)
	if err != nil {
		return err
	}
	from.schema = found.columns
	if b.shadow, err = b.newShadow(ctx, from); err != nil {
		return err
	}
	began := *b.t
	if err := b.catchUp(ctx, &began); err != nil {
		return err
	}
	if err := b.claim(ctx); err != nil {
		return err
	}
	state := b.e.stores.State
	defer func() { _ = state.Release(context.WithoutCancel(ctx), b.t.path, b.e.cfg.Owner) }()
	for range rebuildTries {
		var done bool
		if done, err = b.try(ctx, &began); done {
			return err
		}
		if err := b.e.stores.Sleep(ctx, b.e.cfg.Settle/4); err != nil { // inputs that the table took may not be settled yet
			return err
		}
	}
	return fmt.Errorf("%d times the table was ahead of what was made anew: %w", rebuildTries, err)
}
