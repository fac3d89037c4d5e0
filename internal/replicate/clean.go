package replicate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/internal/object"
	"sluice/statestore"
)

// cleaning is one table being cleaned.
type cleaning struct {
	janitor *Janitor
	run     *run // reads the table, and cannot write
	store   Cleaner
	read    time.Time // when the item was

	mu sync.Mutex
	Cleaning
}

// errLater is returned when the item was read too long ago to delete by it.
var errLater = errors.New("the item was read too long ago")

// clean reads the item, then lists, then deletes: what a commit that became pending meanwhile needs is younger than
// anything that is deleted. A table with a pending commit is left alone, for its workers may be of any age.
func (c *cleaning) clean(ctx context.Context) error {
	e := c.janitor.engine
	if c.janitor.stores.Lock {
		if err := e.stores.State.Claim(ctx, c.Path, e.cfg.Owner, leaseTime); err != nil {
			return err
		}
		defer func() { _ = e.stores.State.Release(context.WithoutCancel(ctx), c.Path, e.cfg.Owner) }()
	}
	c.read = e.now()
	item, err := e.stores.State.Read(ctx, c.Path)
	if err != nil {
		return err
	}
	if item.Pending() {
		c.Reason = "a commit is pending; sluice run finishes it first"
		return nil
	}
	ours, err := c.open(ctx, item)
	if err != nil || !ours {
		return err
	}
	if err := c.files(ctx); err != nil {
		return err
	}
	if err := c.bookkeeping(ctx); err != nil {
		return err
	}
	return c.uploads(ctx)
}

// open says whether the table's lake folder is its own: until its first commit it has none.
func (c *cleaning) open(ctx context.Context, item statestore.Item) (ours bool, err error) {
	c.run = &run{e: c.janitor.engine, meter: &meter{}, result: &Result{}, dry: true}
	if err := c.run.adopt(ctx, item); err != nil {
		return false, err
	}
	if c.store, err = c.janitor.stores.Objects(ctx, c.run.t.outBucket); err != nil {
		return false, err
	}
	var stop *HaltError
	switch err := c.run.t.owned(ctx, c.run.lake); {
	case errors.Is(err, object.ErrNotFound):
		return false, nil
	case errors.As(err, &stop) && stop.Code == "location":
		c.Reason = stop.Text
		return false, nil
	default:
		return err == nil, err
	}
}

// files deletes the lake files that hold no rows, are ours and old enough, but for one when there are no others: a
// folder without any file has no columns to show.
func (c *cleaning) files(ctx context.Context) error {
	all, err := c.run.listLake(ctx)
	if err != nil {
		return err
	}
	rows, err := c.rows(ctx)
	if err != nil {
		return err
	}
	before := c.read.Add(-emptyAge)
	var mu sync.Mutex
	var empty []object.Info
	err = c.each(ctx, all, func(ctx context.Context, info object.Info) error {
		if n, known := rows[info.Key+info.ETag]; info.LastModified.After(before) || known && n > 0 {
			return nil
		}
		ours, err := c.emptied(ctx, info)
		if ours {
			mu.Lock()
			defer mu.Unlock()
			empty = append(empty, info)
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(empty) == len(all) && len(empty) > 0 {
		newest := slices.MaxFunc(empty, func(a, b object.Info) int {
			if d := a.LastModified.Compare(b.LastModified); d != 0 {
				return d
			}
			return strings.Compare(a.Key, b.Key)
		})
		empty = slices.DeleteFunc(empty, func(info object.Info) bool { return info.Key == newest.Key })
	}
	return c.delete(ctx, empty, &c.Files)
}

// rows returns the rows of the files that the index knows, by key and ETag.
func (c *cleaning) rows(ctx context.Context) (map[string]int64, error) {
	rows := map[string]int64{}
	key := c.run.t.item[statestore.Index]
	if key == "" {
		return rows, nil
	}
	var x index
	if err := readJSON(ctx, c.run.lake, key, &x); err != nil {
		return nil, err
	}
	for _, f := range x.Files {
		rows[c.run.t.lake+f.Key+f.ETag] = f.Rows
	}
	return rows, nil
}

// emptied asks a file itself whether it is ours and holds no rows.
func (c *cleaning) emptied(ctx context.Context, info object.Info) (bool, error) {
	head, err := c.store.Head(ctx, info.Key)
	if errors.Is(err, object.ErrNotFound) || err == nil && head.ETag != info.ETag {
		return false, nil // gone, or changed since the listing
	}
	if err != nil {
		return false, err
	}
	commit, _, err := c.run.marksOf(ctx, head)
	if err != nil || commit == "" {
		return false, err
	}
	f, err := c.run.open(ctx, c.run.lake, head)
	if inDoubt(err) || dataFault(err) != "" {
		return false, nil // not as we wrote it
	}
	return err == nil && f.NumRows() == 0, err
}

// bookkeeping deletes what is old enough, of a number below the item's, and not named by it. What is above may still
// become binding, by a process that stood still between its plan and its commit, whatever its age; and a table that is
// registered anew goes on counting from the largest number.
func (c *cleaning) bookkeeping(ctx context.Context) error {
	t := c.run.t
	named := []string{t.item[statestore.Index], t.item[statestore.Ledger], t.item[statestore.CommitPlan]}
	before := c.read.Add(-bookAge)
	var old []object.Info
	for _, folder := range []string{"commits/", "index/", "ledger/", rebuildFolder} {
		for entry, err := range c.store.List(ctx, object.ListInput{Prefix: t.book + folder}) {
			if err != nil {
				return fmt.Errorf("list %s/%s%s: %w", t.outBucket, t.book, folder, err)
			}
			seq, ours := bookName(folder, entry.Key[len(t.book+folder):])
			if !ours || entry.LastModified.After(before) || slices.Contains(named, entry.Key) {
				continue
			}
			if folder == rebuildFolder || seq < t.seq {
				old = append(old, entry.Info)
			}
		}
	}
	return c.delete(ctx, old, &c.Bookkeeping)
}

// rebuildFolder holds the generations that rebuild made before it committed them, each in a folder named by an id.
const rebuildFolder = "rebuild/"

// bookName says whether an object in a folder of the bookkeeping bears a name that sluice gives, and of which number.
func bookName(folder, name string) (seq uint64, ours bool) {
	id := name
	if folder != rebuildFolder {
		number, rest, _ := strings.Cut(name, "-")
		var err error
		if seq, err = statestore.ParseSeq(number); err != nil {
			return 0, false
		}
		id = rest
	}
	if len(id) < idLength || strings.Trim(id[:idLength], "0123456789abcdef") != "" {
		return 0, false
	}
	switch end := id[idLength:]; folder {
	case rebuildFolder:
		return 0, strings.HasPrefix(end, "/")
	case "commits/":
		kept := strings.HasPrefix(end, ".quarantine-") && strings.HasSuffix(end, ".parquet") // what took place is in the quarantine, too
		return seq, kept || slices.Contains([]string{".json", ".changes.parquet", ".batch-1.json", ".batch-2.json"}, end)
	default:
		return seq, end == ".json"
	}
}

// uploads ends what was begun and never completed. It costs money and is in no listing of objects.
func (c *cleaning) uploads(ctx context.Context) error {
	for _, prefix := range []string{c.run.t.lake, c.run.t.book} {
		n, err := c.store.AbortAbandoned(ctx, prefix, c.read.Add(-emptyAge))
		c.Uploads += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// delete deletes the objects as they were listed. One that has changed since, or is gone, is no longer meant.
func (c *cleaning) delete(ctx context.Context, infos []object.Info, count *int64) error {
	return c.each(ctx, infos, func(ctx context.Context, info object.Info) error {
		if passed(c.read, c.janitor.engine.now(), janitorTime) {
			return errLater
		}
		err := c.store.Delete(ctx, info.Key, info.ETag)
		if inDoubt(err) {
			return nil
		}
		if err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		*count++
		c.Bytes += info.Size
		c.Keys = append(c.Keys, info.Key)
		return nil
	})
}

// each does the same with every object, some at a time, until something goes wrong.
func (c *cleaning) each(ctx context.Context, infos []object.Info, do func(context.Context, object.Info) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4 * cap(c.janitor.engine.ops))
	for _, info := range infos {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { return do(ctx, info) })
	}
	return group.Wait()
}
