package statestore

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"path/filepath"
	"sync"

	"go.etcd.io/bbolt"
)

// File is a control table in one bolt file of one machine. It is opened and locked for each operation, so that
// several processes may use it at once; an operation waits ten seconds for the others, then ends as ErrLocked. A file
// that is not there reads as an empty table, and reading creates nothing. Leases are locks of the operating system
// on files in <path>.locks: they do not run out and die with their process.
type File struct {
	fileLeases

	path string
	turn chan struct{} // one goroutine at a time opens the file
}

// OpenFile returns the table in the file at path. It touches nothing on disk.
func OpenFile(path string) (*File, error) {
	full, err := filepath.Abs(path)
	if path == "" || err != nil {
		return nil, fmt.Errorf("%w: control file %q", ErrInvalid, path)
	}
	f := &File{path: full, turn: make(chan struct{}, 1)}
	f.fileLeases = fileLeases{dir: full + ".locks", items: f, held: map[string]heldLease{}, mu: &sync.Mutex{}}
	return f, nil
}

// EnsureTable implements Backend: it creates the file and its directories. A file that is there is only read, so that a
// run with nothing to do leaves it as it is.
func (f *File) EnsureTable(ctx context.Context) error {
	there := false
	err := f.read(ctx, func(*bbolt.Bucket) error { there = true; return nil })
	if there || err != nil {
		return err
	}
	return f.write(ctx, func(*bbolt.Bucket) error { return nil })
}

// Read implements Items.
func (f *File) Read(ctx context.Context, path string) (Item, error) {
	var item Item
	err := f.read(ctx, func(b *bbolt.Bucket) (err error) {
		item, err = decodeItem(b.Get([]byte(path)))
		return err
	})
	if err == nil && item == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return item, nil
}

// List implements Items. It yields the items of one moment, by path; the file is closed by then.
func (f *File) List(ctx context.Context) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		var items []Item
		err := f.read(ctx, func(b *bbolt.Bucket) error {
			return b.ForEach(func(_, value []byte) error {
				item, err := decodeItem(value)
				items = append(items, item)
				return err
			})
		})
		if err != nil {
			yield(nil, fmt.Errorf("list %s: %w", f.path, err))
			return
		}
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Create implements Items. It creates the file if need be.
func (f *File) Create(ctx context.Context, item Item) error {
	if err := item.validate(); err != nil {
		return err
	}
	err := f.write(ctx, func(b *bbolt.Bucket) error {
		if b.Get([]byte(item[Path])) != nil {
			return ErrExists
		}
		return putItem(b, item)
	})
	if err != nil {
		return fmt.Errorf("create %s: %w", item[Path], err)
	}
	return nil
}

// Update implements Items.
func (f *File) Update(ctx context.Context, u Update) (Item, error) {
	if err := u.validate(); err != nil {
		return nil, err
	}
	var after Item
	change := func(b *bbolt.Bucket) error {
		item, err := decodeItem(b.Get([]byte(u.Path)))
		if err == nil && item == nil {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		if after, err = u.apply(item); err != nil {
			return err
		}
		return putItem(b, after)
	}
	empty, err := f.empty()
	switch {
	case err != nil:
	case empty:
		err = cmp.Or(ctx.Err(), ErrNotFound)
	default:
		err = f.write(ctx, change)
	}
	if err != nil {
		return nil, fmt.Errorf("update %s: %w", u.Path, err)
	}
	return after, nil
}

func decodeItem(value []byte) (Item, error) {
	if value == nil {
		return nil, nil
	}
	var item Item
	if err := json.Unmarshal(value, &item); err != nil {
		return nil, fmt.Errorf("decode item: %w", err)
	}
	return item, nil
}

func putItem(b *bbolt.Bucket, item Item) error {
	value, err := json.Marshal(item)
	if err != nil {
		return err
	}
	return b.Put([]byte(item[Path]), value)
}
