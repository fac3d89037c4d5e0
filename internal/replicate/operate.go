package replicate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/object"
	"sluice/internal/parquetedit"
	"sluice/statestore"
)

// Tables returns the registered tables in scope, by path. It writes nothing.
func (e *Engine) Tables(ctx context.Context) ([]Table, error) {
	items, err := e.items(ctx, func(Result) {})
	if err != nil {
		return nil, err
	}
	var tables []Table
	for _, path := range sortedKeys(items) {
		if item := items[path]; item != nil && e.inScope(item) {
			tables = append(tables, e.describe(item))
		}
	}
	return tables, nil
}

func (e *Engine) describe(item statestore.Item) Table {
	t := Table{
		Table: tableName(item), Path: item[statestore.Path], Active: item.Active(),
		PrimaryKey: item[statestore.PrimaryKey], PartitionKey: item[statestore.PartitionKey], OutPath: item[statestore.OutPath],
		LastFullLoadDate: item[statestore.LastFullLoadDate], LastIncrementalFile: item[statestore.LastIncrementalFile],
		LagSeconds: e.lag(item), Status: "ok", Reason: item[statestore.StatusReason], Attributes: item,
	}
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
	for _, path := range found {
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

// Activate checks that the columns exist, sets the attributes and the flag. Errors of the operator wrap [ErrUsage].
func (e *Engine) Activate(ctx context.Context, name string, a Activation) (Table, error) {
	if err := e.stores.State.EnsureTable(ctx); err != nil {
		return Table{}, err
	}
	item, err := e.find(ctx, name)
	if err != nil {
		return Table{}, err
	}
	set := map[string]string{}
	for attribute, v := range map[string]*string{
		statestore.PrimaryKey: a.PrimaryKey, statestore.PartitionKey: a.PartitionKey,
		statestore.OrderColumn: a.OrderColumn, statestore.OutPath: a.OutPath,
	} {
		if v != nil {
			set[attribute] = strings.Join(columnList(*v), ",")
		}
	}
	if a.OutPath != nil {
		set[statestore.OutPath] = strings.TrimPrefix(strings.TrimSuffix(*a.OutPath, "/")+"/", "s3://")
	}
	if err := e.checkActivation(ctx, item, set); err != nil {
		return Table{}, err
	}
	if err := e.stores.State.Activate(ctx, item[statestore.Path], set); err != nil {
		return Table{}, err
	}
	return e.reread(ctx, item)
}

func (e *Engine) reread(ctx context.Context, item statestore.Item) (Table, error) {
	item, err := e.stores.State.Read(ctx, item[statestore.Path])
	if err != nil {
		return Table{}, err
	}
	return e.describe(item), nil
}

// checkActivation looks whether the columns that the settings name exist, and
// whether the lake may still move.
func (e *Engine) checkActivation(ctx context.Context, item statestore.Item, set map[string]string) error {
	r := &run{e: e, meter: &meter{}, result: &Result{}, dry: true}
	merged := statestore.Item{}
	for name, v := range item {
		merged[name] = v
	}
	for name, v := range set {
		merged[name] = v
	}
	if err := r.adopt(ctx, merged); err != nil {
		return asUsage(err)
	}
	if out, ok := set[statestore.OutPath]; ok && out != item[statestore.OutPath] {
		old := &run{e: e, meter: &meter{}, result: &Result{}, dry: true}
		if err := old.adopt(ctx, item); err != nil {
			return asUsage(err)
		}
		infos, err := old.listLake(ctx)
		if err != nil {
			return err
		}
		if len(infos) > 0 {
			return fmt.Errorf("%w: %s has a lake in %s%s already; out_path can only be set while it is empty", ErrUsage, r.t.name(), item[statestore.OutPath], item[statestore.Folder])
		}
	}
	columns, err := r.anyColumns(ctx)
	if err != nil || columns == nil {
		return err
	}
	return checkColumns(r.t, columns)
}

func asUsage(err error) error {
	var stop *HaltError
	if errors.As(err, &stop) {
		return fmt.Errorf("%w: %s", ErrUsage, stop.Text)
	}
	return err
}

func checkColumns(t *table, columns []parquetedit.Column) error {
	var have []string
	for _, c := range columns {
		have = append(have, c.Name)
	}
	for _, name := range slices.Concat(t.key, t.partition, columnList(t.order)) {
		if !slices.Contains(have, name) {
			return fmt.Errorf("%w: %s has no column %q; it has %s", ErrUsage, t.name(), name, strings.Join(have, ", "))
		}
	}
	for _, name := range t.partition {
		c := columns[slices.Index(have, name)]
		if err := lake.CheckPartitionType(c.Type); err != nil {
			return fmt.Errorf("%w: %s: column %q cannot partition the lake: %w", ErrUsage, t.name(), name, err)
		}
	}
	if len(t.partition) > 0 && len(t.partition) == len(have) {
		return fmt.Errorf("%w: %s: PartitionKey leaves no column for the files", ErrUsage, t.name())
	}
	return nil
}

// anyColumns returns the columns of the table's newest readable input, or of its
// lake where raw has none any more; nil when there is neither.
func (r *run) anyColumns(ctx context.Context) ([]parquetedit.Column, error) {
	l, err := r.list(ctx, "", nil)
	if err != nil {
		return nil, err
	}
	for _, in := range slices.Backward(slices.Concat(l.loads, l.changes)) {
		if readable(in) != nil {
			continue
		}
		op, err := r.openInput(ctx, in)
		if err == nil {
			return op.reader.Columns(), nil
		}
		if kind, _ := fate(err); kind != halt {
			return nil, err
		}
	}
	infos, err := r.listLake(ctx)
	if err != nil || len(infos) == 0 {
		return nil, err
	}
	f, err := r.open(ctx, r.lake, object.Info{Key: infos[0].Key, ETag: infos[0].ETag, Size: infos[0].Size})
	if err != nil {
		return nil, err
	}
	return withoutOp(f.Columns()), nil
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
	if code, _, _ := strings.Cut(item[statestore.StatusReason], ":"); accept == "" && (code == acceptForgotten || code == acceptLate) {
		accept = code // what is gone is forgotten, what came too late is left out
	}
	err = e.stores.State.Acknowledge(ctx, item[statestore.Path], accept)
	if errors.Is(err, statestore.ErrNotHalted) {
		return Table{}, fmt.Errorf("%w: %s is not halted; there is nothing to acknowledge", ErrUsage, tableName(item))
	}
	if err != nil {
		return Table{}, err
	}
	return e.reread(ctx, item)
}
