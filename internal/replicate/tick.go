package replicate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"sluice/internal/object"
	"sluice/statestore"
)

// Run makes one tick: tables that were never seen are registered, and every
// active one is loaded and merged until nothing is new, Parallel tables at a time. report is called once
// for each table, never by two goroutines at once. The error is not nil only when the tick
// itself could not be made; what went wrong with a table is in its result.
func (e *Engine) Run(ctx context.Context, report func(Result)) error {
	return e.everyTable(ctx, func(item statestore.Item) Result { return e.runTable(ctx, item) }, report)
}

// everyTable registers what was never seen and does the same with every other table in scope.
func (e *Engine) everyTable(ctx context.Context, do func(statestore.Item) Result, report func(Result)) error {
	found, err := e.discover(ctx) // first: a raw location that is not there makes no control table
	if err != nil {
		return err
	}
	if err := e.stores.State.EnsureTable(ctx); err != nil {
		return fmt.Errorf("control table: %w%s", err, storageAdvice(err))
	}
	items, err := e.items(ctx, report)
	if err != nil {
		return err
	}
	for _, folder := range found.transactions {
		report(e.refuseTransactions(folder))
	}
	var fresh []string
	for _, path := range found.tables {
		if _, known := items[path]; !known {
			report(e.register(ctx, path, items))
			fresh = append(fresh, path)
		}
	}
	for _, path := range fresh { // not sooner: the next one found must not get the same lake folder
		items[path] = nil
	}
	return eachTable(ctx, e, items, do, report)
}

// eachTable does the same with every table in scope, Parallel tables at a time,
// and reports one after the other. What goes wrong with a table is in what it
// reports; the error says that not every table was begun.
func eachTable[R any](ctx context.Context, e *Engine, items map[string]statestore.Item, do func(statestore.Item) R, report func(R)) error {
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(e.cfg.Parallel)
	for _, path := range sortedKeys(items) {
		item := items[path]
		if item == nil || !e.inScope(item) {
			continue
		}
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			said := do(item)
			mu.Lock()
			defer mu.Unlock()
			report(said)
			return nil
		})
	}
	_ = group.Wait() // no table's error ends the others
	return ctx.Err()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// items reads the control table; one that does not exist yet has no items. An item that cannot be read is that
// table's failure alone.
func (e *Engine) items(ctx context.Context, report func(Result)) (map[string]statestore.Item, error) {
	items := map[string]statestore.Item{}
	for item, err := range e.stores.State.List(ctx) {
		path := item[statestore.Path]
		switch {
		case err == nil:
			items[path] = item
		case path != "":
			items[path] = nil
			report(Result{Table: path, Path: path, Action: Failed, Reason: err.Error(), Err: err})
		case errors.Is(err, statestore.ErrNoTable):
			return items, nil
		default:
			return nil, fmt.Errorf("read the control table: %w%s", err, storageAdvice(err))
		}
	}
	return items, nil
}

// inScope says whether a registered table lies below the raw location and in the schema asked for.
func (e *Engine) inScope(item statestore.Item) bool {
	bucket, key, _ := strings.Cut(item[statestore.Path], "/")
	rest, ok := strings.CutPrefix(key, e.cfg.RawPrefix)
	if bucket != e.cfg.RawBucket || !ok {
		return false
	}
	schema, table, ok := strings.Cut(strings.TrimSuffix(rest, "/"), "/")
	return ok && table != "" && !strings.Contains(table, "/") && (e.cfg.Schema == "*" || e.cfg.Schema == schema)
}

// register writes the control item of a table that was never seen. It stays
// inactive until an operator has looked at it.
func (e *Engine) register(ctx context.Context, path string, items map[string]statestore.Item) Result {
	result := Result{Path: path, Table: path, Action: Registered, Reason: "set its keys and activate it with sluice activate"}
	item, moved, err := e.newItem(path, items)
	if err == nil {
		result.Table = tableName(item)
		err = e.continueSeq(ctx, item)
	}
	if transactions, listErr := e.holdsTransactions(ctx, path); err == nil && transactions {
		return e.refuseTransactions(path)
	} else if err == nil {
		err = listErr
	}
	if err == nil {
		item, _, err = e.stores.State.Register(ctx, item)
	}
	if err != nil {
		result.Action, result.Reason, result.Err = Failed, err.Error()+storageAdvice(err), err
		return result
	}
	if moved {
		result.Reason = fmt.Sprintf("another table has the lake folder of this name: its lake will be in %s; %s", item[statestore.OutPath], result.Reason)
	}
	items[path] = item
	result.LastFullLoadDate, result.LastIncrementalFile = item[statestore.LastFullLoadDate], item[statestore.LastIncrementalFile]
	return result
}

// newItem gives the table its lake folder: out_path, and the schema behind it
// when another registered table has the folder already (ruling 24), or one
// inside it or around it: the lake of a schema named like a table.
func (e *Engine) newItem(path string, items map[string]statestore.Item) (item statestore.Item, moved bool, err error) {
	if e.cfg.LakeBucket == "" {
		return nil, false, fmt.Errorf("%w: no lake location; say where the tables live with --lake", ErrUsage)
	}
	out := e.cfg.LakeBucket + "/" + e.cfg.LakePrefix
	item, err = statestore.NewItem(path, out)
	if err != nil {
		return nil, false, err
	}
	schema, _, _ := strings.Cut(tableName(item), ".")
	taken := e.lakeFolders(items)
	for n := 1; n < 100 && overlaps(taken, item[statestore.OutPath]+item[statestore.Folder]); n++ {
		item[statestore.OutPath] = out + schema + "/"
		if n > 1 {
			item[statestore.OutPath] = fmt.Sprintf("%s%s-%d/", out, schema, n)
		}
		moved = true
	}
	return item, moved, nil
}

// lakeFolders are bucket and prefix of every registered table's lake.
func (e *Engine) lakeFolders(items map[string]statestore.Item) []string {
	var folders []string
	for _, item := range items {
		if item != nil {
			t, _ := e.newTable(item) // settings that cannot be do not matter here
			folders = append(folders, t.outBucket+"/"+t.lake)
		}
	}
	return folders
}

// overlaps says whether a folder is one of those taken, lies in one or holds one.
func overlaps(taken []string, folder string) bool {
	return slices.ContainsFunc(taken, func(other string) bool {
		return strings.HasPrefix(folder, other) || strings.HasPrefix(other, folder)
	})
}

// continueSeq sets Seq to the largest that the lake folder's bookkeeping holds:
// an item that was lost and registered anew must not use a number again.
func (e *Engine) continueSeq(ctx context.Context, item statestore.Item) error {
	t, err := e.newTable(item)
	if err != nil {
		return err
	}
	store, err := e.bucket(ctx, t.outBucket)
	if err != nil {
		return err
	}
	largest, err := largestSeq(ctx, store, t.book+"commits/")
	if err == nil && largest > 0 {
		item[statestore.Seq] = statestore.FormatSeq(largest)
	}
	return err
}

func largestSeq(ctx context.Context, store Objects, prefix string) (uint64, error) {
	var largest uint64
	for entry, err := range store.List(ctx, object.ListInput{Prefix: prefix}) {
		if err != nil {
			return 0, err
		}
		number, _, _ := strings.Cut(entry.Key[len(prefix):], "-")
		if seq, err := statestore.ParseSeq(number); err == nil {
			largest = max(largest, seq)
		}
	}
	return largest, nil
}
