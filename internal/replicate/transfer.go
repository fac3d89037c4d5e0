package replicate

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"sluice/statestore"
)

// Export writes every control item in the control table as one JSON object a
// line: attributes by their DynamoDB names, values as strings.
func (e *Engine) Export(ctx context.Context, w io.Writer) error {
	items, err := e.items(ctx, func(Result) {})
	if err != nil {
		return err
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for _, path := range sortedKeys(items) {
		if items[path] == nil {
			return fmt.Errorf("control item %s cannot be read: an attribute is not a string", path)
		}
		if err := out.Encode(items[path]); err != nil {
			return err
		}
	}
	return nil
}

// Import writes the items that Export gave, or that the ancestor's table holds,
// and returns how many. All lines are read before the first is written. An import
// that would lower Seq or drop a pending commit needs force.
func (e *Engine) Import(ctx context.Context, r io.Reader, force bool) (int, error) {
	items, err := readItems(r)
	if err != nil {
		return 0, err
	}
	if err := e.stores.State.EnsureTable(ctx); err != nil {
		return 0, err
	}
	for n, item := range items {
		if err := e.importItem(ctx, item, force); err != nil {
			return n, fmt.Errorf("import %s: %w", item[statestore.Path], err)
		}
	}
	return len(items), nil
}

// importItem makes sure that the item's Seq is not below what the lake folder's bookkeeping holds.
func (e *Engine) importItem(ctx context.Context, item statestore.Item, force bool) error {
	full, err := e.completeItem(item)
	if err != nil {
		return err
	}
	mine, err := statestore.ParseSeq(full[statestore.Seq])
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if t, err := e.newTable(full); err == nil {
		store, err := e.bucket(ctx, t.outBucket)
		if err != nil {
			return err
		}
		largest, err := largestSeq(ctx, store, t.book+"commits/")
		if err != nil {
			return err
		}
		if id := full[statestore.CommitID]; id != "" && largest > mine && !force {
			return fmt.Errorf("%w: commit %s is pending in it, and the bookkeeping has gone on from %d to %d", statestore.ErrSeq, id, mine, largest)
		}
		raise := largest > mine && !force
		if raise {
			raise, err = e.mayRaise(ctx, full, mine)
		}
		if err != nil {
			return err
		}
		if raise {
			full[statestore.Seq] = statestore.FormatSeq(largest)
		}
	}
	return e.stores.State.Import(ctx, full, force)
}

// mayRaise says whether an import may take the number of the bookkeeping. Where an item is there, its own number
// says whether the import sets it back; and an import of some attributes stays one of some.
func (e *Engine) mayRaise(ctx context.Context, item statestore.Item, mine uint64) (bool, error) {
	there, err := e.stores.State.Read(ctx, item[statestore.Path])
	if errors.Is(err, statestore.ErrNotFound) {
		return true, nil
	}
	if err != nil || item[statestore.Seq] == "" {
		return false, err
	}
	have, err := statestore.ParseSeq(there[statestore.Seq])
	return err == nil && mine >= have, nil
}

// completeItem fills what the ancestor's items may lack: bucket, prefix, folder and out_path follow from path and --lake.
func (e *Engine) completeItem(item statestore.Item) (statestore.Item, error) {
	full, err := statestore.NewItem(item[statestore.Path], e.cfg.LakeBucket+"/"+e.cfg.LakePrefix)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	defaults := []string{statestore.Bucket, statestore.Prefix, statestore.Folder, statestore.OutPath}
	out := statestore.Item{}
	for _, name := range defaults {
		out[name] = full[name]
	}
	for name, v := range item {
		out[name] = v
	}
	return out, nil
}

func readItems(r io.Reader) ([]statestore.Item, error) {
	var items []statestore.Item
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20) // an item of DynamoDB is at most 400 KB
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var item statestore.Item
		if err := json.Unmarshal(lines.Bytes(), &item); err != nil {
			return nil, fmt.Errorf("%w: line %d is not a JSON object of strings: %w", ErrUsage, n, err)
		}
		if item[statestore.Path] == "" {
			return nil, fmt.Errorf("%w: line %d has no attribute path", ErrUsage, n)
		}
		items = append(items, item)
	}
	return items, lines.Err()
}
