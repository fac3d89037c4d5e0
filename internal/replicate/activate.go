package replicate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/lake"
	"sluice/internal/object"
	"sluice/internal/parquetedit"
	"sluice/statestore"
)

// checkActivation looks whether the columns that the settings name exist, and
// whether the lake may still move. It returns a warning when the full load has
// several rows of one key, as far as its bounded memory shows.
func (e *Engine) checkActivation(ctx context.Context, item statestore.Item, set map[string]string) (warning string, err error) {
	r := &run{e: e, meter: &meter{}, result: &Result{}, dry: true}
	if err := r.adopt(ctx, with(item, set)); err != nil {
		return "", asUsage(err)
	}
	if out, ok := set[statestore.OutPath]; ok && out != item[statestore.OutPath] {
		if err := e.checkMove(ctx, item, r.t); err != nil {
			return "", err
		}
	}
	l, err := r.list(ctx, "")
	if err != nil {
		return "", err
	}
	columns, err := r.anyColumns(ctx, l)
	var unread *HaltError
	if errors.As(err, &unread) {
		return "the columns could not be checked, and the next run will halt: " + unread.Text, nil
	}
	if err != nil || columns == nil {
		return "", err
	}
	if err := checkColumns(r.t, columns); err != nil {
		return "", err
	}
	if err := r.t.checkContract(columns); err != nil {
		return "", err
	}
	return r.warnOfDuplicates(ctx, l)
}

// checkMove refuses another out_path once the table has a lake, and one whose
// folder is another table's, lies in it or holds it.
func (e *Engine) checkMove(ctx context.Context, item statestore.Item, to *table) error {
	has, err := e.hasLake(ctx, item)
	if err != nil {
		return asUsage(err)
	}
	if has {
		return fmt.Errorf("%w: %s has a lake in %s%s already; out_path can only be set while it is empty",
			ErrUsage, to.name(), item[statestore.OutPath], item[statestore.Folder])
	}
	items, err := e.items(ctx, func(Result) {})
	if err != nil {
		return err
	}
	delete(items, to.path)
	if overlaps(e.lakeFolders(items), to.outBucket+"/"+to.lake) {
		return fmt.Errorf("%w: %s: lake folder %s/%s is another table's, lies in it or holds it; give another out_path",
			ErrUsage, to.name(), to.outBucket, to.lake)
	}
	return nil
}

// hasLake says whether files lie in the item's lake folder that are not another
// table's. A bucket that does not exist holds none.
func (e *Engine) hasLake(ctx context.Context, item statestore.Item) (bool, error) {
	r := &run{e: e, meter: &meter{}, result: &Result{}, dry: true}
	err := r.adopt(ctx, item)
	if errors.Is(err, object.ErrNoBucket) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	infos, err := r.listLake(ctx)
	if errors.Is(err, object.ErrNoBucket) || err == nil && len(infos) == 0 {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var there owner
	err = findJSON(ctx, r.lake, r.t.ownerKey(), &there)
	if errors.Is(err, object.ErrNotFound) {
		return true, nil // the ancestor's
	}
	return there.Path == r.t.path, err
}

// warnOfDuplicates looks whether the key tells the rows of the full load apart.
// What cannot be read is for the run to halt at.
func (r *run) warnOfDuplicates(ctx context.Context, l *listing) (string, error) {
	load, err := r.openLoad(ctx, l, r.t.key)
	if kind, _ := fate(err); err != nil && kind == halt {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	surplus, whole, err := load.Duplicates(ctx)
	if kind, _ := fate(err); err != nil && kind != halt {
		return "", err
	}
	if surplus == 0 {
		return "", nil
	}
	scope := "the full load"
	if !whole {
		scope = "the first rows of the full load"
	}
	return fmt.Sprintf("%s has %d rows whose key (%s) an earlier row has too; a change of such a key leaves one row of it", scope, surplus, strings.Join(r.t.key, ",")), nil
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
// lake where raw has none any more; nil when there is neither, and a halt when inputs are there that cannot be read.
func (r *run) anyColumns(ctx context.Context, l *listing) ([]parquetedit.Column, error) {
	const most = 20 // inputs to try: what one of them cannot tell, a setting of CSV say, others cannot either
	var unread error
	for i, in := range slices.Backward(slices.Concat(l.loads, l.changes)) {
		if len(l.loads)+len(l.changes)-i > most {
			break
		}
		op, err := r.openInput(ctx, in)
		if err == nil {
			return op.reader.Columns(), nil
		}
		if kind, _ := fate(err); kind != halt {
			return nil, err
		}
		unread = cmp.Or(unread, err)
	}
	infos, err := r.listLake(ctx)
	if err != nil {
		return nil, err
	}
	if len(infos) == 0 {
		return nil, unread
	}
	f, err := r.open(ctx, r.lake, object.Info{Key: infos[0].Key, ETag: infos[0].ETag, Size: infos[0].Size})
	if err != nil {
		return nil, err
	}
	return withoutOp(f.Columns()), nil
}
