package replicate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"sluice/internal/dms"
	"sluice/statestore"
)

// Tables returns the registered tables in scope, by path. It writes nothing.
func (e *Engine) Tables(ctx context.Context) ([]Table, error) {
	var tables []Table
	items, err := e.items(ctx, func(r Result) {
		tables = append(tables, Table{Table: r.Table, Path: r.Path, LagSeconds: -1, Status: "unreadable", Reason: r.Reason})
	})
	if err != nil {
		return nil, err
	}
	for _, path := range sortedKeys(items) {
		if item := items[path]; item != nil && e.inScope(item) {
			tables = append(tables, e.describe(item))
		}
	}
	return tables, nil
}

func (e *Engine) describe(item statestore.Item) Table {
	t := Table{
		Table: tableName(item), Path: item[statestore.Path], Active: item.Active(), Dialect: item[statestore.Dialect],
		PrimaryKey: item[statestore.PrimaryKey], PartitionKey: item[statestore.PartitionKey], OutPath: item[statestore.OutPath],
		LastFullLoadDate: item[statestore.LastFullLoadDate], LastIncrementalFile: item[statestore.LastIncrementalFile],
		LagSeconds: e.lag(item), Status: "ok", Reason: item[statestore.StatusReason], Attributes: item,
	}
	t.Quarantined, _ = strconv.ParseInt(item[statestore.Quarantined], 10, 64)
	switch {
	case item.Halted():
		t.Status = "halted"
	case item.Pending():
		t.Status = "pending"
	}
	return t
}

// lag is the age of the newest thing in the lake: the name of the last change file, or the full load's date.
func (e *Engine) lag(item statestore.Item) int64 {
	newest := time.Time{}
	if at, err := time.Parse(time.DateTime, item[statestore.LastFullLoadDate]); err == nil && item[statestore.LastFullLoadDate] != statestore.NeverDate {
		newest = at
	}
	zone, err := time.LoadLocation(item[statestore.InputTimezone])
	if err != nil {
		zone = time.UTC
	}
	if key, err := dms.ParseWatermark(item[statestore.Path], item[statestore.LastIncrementalFile]); err == nil && key.Kind == dms.Change {
		if at := key.Time(zone); at.After(newest) {
			newest = at
		}
	}
	if newest.IsZero() {
		return -1
	}
	return max(int64(e.now().Sub(newest)/time.Second), 0)
}

// find returns the item of a table named schema.table or by its path. A table
// that lies in raw and was never registered is registered.
func (e *Engine) find(ctx context.Context, name string) (statestore.Item, error) {
	items, err := e.items(ctx, func(Result) {})
	if err != nil {
		return nil, err
	}
	item, err := e.match(items, name)
	if item != nil || err != nil {
		return item, err
	}
	found, err := e.discover(ctx)
	if err != nil {
		return nil, err
	}
	for _, path := range found.tables {
		if _, known := items[path]; known || !names(path, name) {
			continue
		}
		if result := e.register(ctx, path, items); result.Err != nil {
			return nil, result.Err
		}
	}
	if item, err = e.match(items, name); item == nil && err == nil {
		err = fmt.Errorf("%w: there is no table %q below %s/%s; sluice tables lists those that are there", ErrUsage, name, e.cfg.RawBucket, e.cfg.RawPrefix)
	}
	return item, err
}

// names says whether an operator's name is that of a path: the path itself, with or without its last slash, or its last two elements.
func names(path, name string) bool {
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	return strings.TrimSuffix(name, "/") == strings.TrimSuffix(path, "/") ||
		len(parts) >= 2 && name == parts[len(parts)-2]+"."+parts[len(parts)-1]
}

func (e *Engine) match(items map[string]statestore.Item, name string) (statestore.Item, error) {
	var matches []statestore.Item
	for _, path := range sortedKeys(items) {
		if items[path] != nil && e.inScope(items[path]) && names(path, name) {
			matches = append(matches, items[path])
		}
	}
	switch len(matches) {
	case 0:
		return nil, nil
	case 1:
		return matches[0], nil
	}
	return nil, fmt.Errorf("%w: %q names %d tables; give the full path, such as %s", ErrUsage, name, len(matches), matches[0][statestore.Path])
}

// Activate checks that the columns exist, sets the attributes and the flag. For a table that has no primary key and was not
// loaded yet it looks which columns could be one, unless it is told. Errors of the operator wrap [ErrUsage].
func (e *Engine) Activate(ctx context.Context, name string, a Activation) (Table, error) {
	if err := e.stores.State.EnsureTable(ctx); err != nil {
		return Table{}, err
	}
	item, err := e.find(ctx, name)
	if err != nil {
		return Table{}, err
	}
	if a.Dialect != nil && item.Pending() && item[statestore.Dialect] == "" {
		return Table{}, fmt.Errorf("%w: %s has a commit under way whose end records the dialect; set it when sluice run has finished it", ErrUsage, tableName(item))
	}
	set := map[string]string{}
	for attribute, v := range map[string]*string{
		statestore.PrimaryKey: a.PrimaryKey, statestore.PartitionKey: a.PartitionKey,
		statestore.OrderColumn: a.OrderColumn, statestore.OutPath: a.OutPath,
		statestore.Compact: a.Compact, statestore.SchemaPolicy: a.SchemaPolicy, statestore.Dialect: a.Dialect,
	} {
		if v != nil {
			set[attribute] = strings.Join(columnList(*v), ",")
		}
	}
	maps.Copy(set, a.CSV)
	if a.Contract != nil {
		set[statestore.Contract] = *a.Contract
	}
	if a.OutPath != nil {
		set[statestore.OutPath] = strings.TrimPrefix(strings.TrimSuffix(*a.OutPath, "/")+"/", "s3://")
	}
	warning, err := e.checkActivation(ctx, item, set)
	if err != nil {
		return Table{}, err
	}
	proposal, err := e.propose(ctx, item, activation{a, set})
	if err != nil {
		return Table{}, err
	}
	if !a.DryRun {
		if err := e.stores.State.Activate(ctx, item[statestore.Path], set); err != nil {
			return Table{}, err
		}
	}
	table, err := e.reread(ctx, item)
	table.Warning, table.Proposal = warning, proposal
	return table, err
}

func (e *Engine) reread(ctx context.Context, item statestore.Item) (Table, error) {
	item, err := e.stores.State.Read(ctx, item[statestore.Path])
	if err != nil {
		return Table{}, err
	}
	return e.describe(item), nil
}

// Deactivate stops the table from the next plan on; a pending commit is still finished.
func (e *Engine) Deactivate(ctx context.Context, name string) (Table, error) {
	item, err := e.find(ctx, name)
	if err != nil {
		return Table{}, err
	}
	if err := e.stores.State.Deactivate(ctx, item[statestore.Path]); err != nil {
		return Table{}, err
	}
	return e.reread(ctx, item)
}

// Acknowledge clears a halt that the operator has judged. accept is empty or
// what the halt asks for: reload, truncate, foreign, schema (ruling 25).
func (e *Engine) Acknowledge(ctx context.Context, name, accept string) (Table, error) {
	switch accept {
	case "", acceptReload, acceptTruncate, acceptForeign, acceptSchema:
	default:
		return Table{}, fmt.Errorf("%w: --accept %q is none of reload, truncate, foreign, schema", ErrUsage, accept)
	}
	item, err := e.find(ctx, name)
	if err != nil {
		return Table{}, err
	}
	if reason := item[statestore.StatusReason]; accept != "" && item.Halted() && !strings.Contains(reason, "--accept "+accept) {
		return Table{}, fmt.Errorf("%w: --accept %s is not what the halt of %s asks for; it says %q", ErrUsage, accept, tableName(item), reason)
	}
	if code, _, _ := strings.Cut(item[statestore.StatusReason], ":"); accept == "" && (code == acceptForgotten || code == acceptLate) {
		accept = code // what is gone is forgotten, what came too late is left out
	}
	err = e.stores.State.Acknowledge(ctx, item[statestore.Path], item[statestore.StatusReason], accept)
	switch {
	case errors.Is(err, statestore.ErrNotHalted) && item.Halted():
		return Table{}, fmt.Errorf("%w: the halt of %s was cleared or is another one by now; look at sluice tables, then acknowledge again", ErrUsage, tableName(item))
	case errors.Is(err, statestore.ErrNotHalted):
		return Table{}, fmt.Errorf("%w: %s is not halted; there is nothing to acknowledge", ErrUsage, tableName(item))
	case err != nil:
		return Table{}, err
	}
	return e.reread(ctx, item)
}
