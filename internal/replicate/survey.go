package replicate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sluice/internal/dms"
	"sluice/statestore"
)

// Due is a table that has something to do.
type Due struct {
	Path    string
	Table   string // schema.table
	Halted  string // the reason of a halt that may clear itself
	Waiting time.Duration
}

// Survey is the part of a tick that comes before the table runs, for runs that are carried out elsewhere: tables that
// were never seen are registered, and start is called for each one that has something to do, Parallel tables at a
// time. An idle table costs one listing; one whose commit is pending is started without. Of a table whose lease is held it
// says Busy. It reads raw and the control table only. report is called once for each table, never by two goroutines
// at once; an error of start is in what it gets.
func (e *Engine) Survey(ctx context.Context, start func(context.Context, Due) error, report func(Result)) error {
	return e.everyTable(ctx, func(item statestore.Item) Result {
		began := time.Now()
		result := Result{Table: tableName(item), Path: item[statestore.Path], Action: Idle}
		r := &run{e: e, meter: &meter{}, result: &result, touched: map[string]bool{}}
		due, err := r.due(ctx, item)
		if err == nil && due {
			d := Due{Path: result.Path, Table: result.Table, Waiting: r.waiting()}
			if item.Halted() {
				d.Halted = item[statestore.StatusReason]
			}
			if result.Action, err = Started, start(ctx, d); err != nil {
				err = fmt.Errorf("start the table run: %w", err)
			}
		}
		if err != nil {
			result.Action, result.Reason, result.Err = Failed, err.Error()+storageAdvice(err), err
		}
		r.tell(item, began)
		return result
	}, report)
}

// due says whether a table has something to do. When in doubt it has: only the run reads what decides it.
func (r *run) due(ctx context.Context, item statestore.Item) (bool, error) {
	if !item.Active() && !item.Pending() && !item.Halted() {
		r.result.Action = Inactive
		return false, nil
	}
	if until := item[statestore.LeaseUntil]; until > r.e.now().UTC().Format(statestore.LeaseLayout) {
		r.result.Action, r.result.Reason = Busy, fmt.Sprintf("%s is working on the table", item[statestore.LeaseOwner])
		return false, nil
	}
	if item.Halted() {
		r.result.Action, r.result.Reason = Halted, item[statestore.StatusReason]
	}
	if err := r.adopt(ctx, item); err != nil {
		var stop *HaltError
		if errors.As(err, &stop) {
			return !item.Halted(), nil // the run halts the table
		}
		return false, err
	}
	switch {
	case item.Halted():
		return r.mayBeCleared(ctx)
	case item.Pending():
		return true, nil
	}
	resting, err := r.resting(ctx)
	return !resting, err
}

// mayBeCleared says whether a halt may clear itself in a run: what was accepted replaces a commit, and so does a complete newer
// full load, which also clears a halt over inputs that vanished. The listing alone says whether there is one.
func (r *run) mayBeCleared(ctx context.Context) (bool, error) {
	item := r.t.item
	switch {
	case item.Pending() && item[statestore.Accept] != "":
		return true, nil
	case !item.Pending() && !strings.HasPrefix(item[statestore.StatusReason], "vanished:"):
		return false, nil
	}
	l, err := r.list(ctx, "")
	if err != nil {
		return false, err
	}
	loaded, err := time.Parse(time.DateTime, item[statestore.LastFullLoadDate])
	if err != nil {
		return true, nil //nolint:nilerr // the run says what is wrong with it
	}
	newer := false
	for _, in := range l.loads {
		newer = newer || in.modified.Truncate(time.Second).After(loaded)
	}
	return newer && complete(l, r.e.cfg.FullLoadQuiet, r.e.now()) == "", nil
}

// waiting is the age of the oldest input that the listing shows behind the watermark; 0 when it shows none.
func (r *run) waiting() time.Duration {
	if r.seen == nil {
		return 0
	}
	var oldest time.Time
	wait := func(in input) {
		if oldest.IsZero() || in.modified.Before(oldest) {
			oldest = in.modified
		}
	}
	watermark, err := dms.ParseWatermark(r.t.path, r.t.item[statestore.LastIncrementalFile])
	for _, in := range r.seen.changes {
		if err != nil || watermark.Kind != dms.Change || dms.Compare(in.name, watermark) > 0 {
			wait(in)
		}
	}
	loaded, err := time.Parse(time.DateTime, r.t.item[statestore.LastFullLoadDate])
	if loads := r.seen.loads; len(loads) > 0 && (err != nil || loads[0].modified.Truncate(time.Second).After(loaded)) {
		for _, in := range loads { // the date is the first one's: that the others are younger says nothing
			wait(in)
		}
	}
	if oldest.IsZero() {
		return 0
	}
	return max(r.e.now().Sub(oldest), 0)
}
