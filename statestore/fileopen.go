package statestore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

const (
	fileWait  = 10 * time.Second     // for the file's lock, before ErrLocked
	filePause = 2 * time.Millisecond // between two looks at the lock
	fileMode  = 0o600
	dirMode   = 0o700
)

// itemsBucket returns the name of the bolt bucket that maps a path to its item as a JSON object.
func itemsBucket() []byte { return []byte("items") }

// read runs do on the items, or does nothing when there is no file, or one that nobody has written to yet.
func (f *File) read(ctx context.Context, do func(*bbolt.Bucket) error) error {
	if empty, err := f.empty(); err != nil || empty {
		return cmp.Or(err, ctx.Err())
	}
	return f.with(ctx, true, func(db *bbolt.DB) error {
		return db.View(func(tx *bbolt.Tx) error {
			b := tx.Bucket(itemsBucket())
			if b == nil {
				return nil
			}
			return do(b)
		})
	})
}

// write runs do on the items in one transaction, in a file that is made if there is none. What do returns as an error
// undoes it all.
func (f *File) write(ctx context.Context, do func(*bbolt.Bucket) error) error {
	if err := os.MkdirAll(filepath.Dir(f.path), dirMode); err != nil {
		return denied(err)
	}
	fresh, err := f.empty()
	if err != nil {
		return err
	}
	err = f.with(ctx, false, func(db *bbolt.DB) error {
		return db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists(itemsBucket())
			if err != nil {
				return err
			}
			return do(b)
		})
	})
	if err == nil && fresh {
		err = syncDir(filepath.Dir(f.path))
	}
	return err
}

// syncDir makes the name of a new file as durable as bolt makes its content.
func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// empty reports whether there is no file yet, or one of no bytes: that is what another process that is just
// creating it leaves for a moment, and bolt could not open it for reading.
func (f *File) empty() (bool, error) {
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case err != nil:
		return false, denied(err)
	}
	return info.Size() == 0, nil
}

// with opens the file under its lock, shared for reading, runs do and closes it.
func (f *File) with(ctx context.Context, readOnly bool, do func(*bbolt.DB) error) error {
	wait, cancel := context.WithTimeout(ctx, fileWait)
	defer cancel()
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-wait.Done():
		return cmp.Or(ctx.Err(), ErrLocked)
	}
	for {
		db, err := bbolt.Open(f.path, fileMode, &bbolt.Options{ReadOnly: readOnly, Timeout: 1})
		if err == nil {
			return errors.Join(do(db), db.Close())
		}
		if !errors.Is(err, bbolterrors.ErrTimeout) {
			return denied(err)
		}
		select {
		case <-time.After(filePause):
		case <-wait.Done():
			return cmp.Or(ctx.Err(), ErrLocked)
		}
	}
}

// denied adds ErrDenied to an error of the file's permissions.
func denied(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: %w", ErrDenied, err)
	}
	return err
}
