//go:build unix

package object

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Put writes the file if the condition holds. A disk that is full leaves nothing behind.
func (d *Directory) Put(ctx context.Context, key string, body []byte, in PutInput) (Info, error) {
	u := d.Create(ctx, key, in)
	if _, err := u.Write(body); err != nil {
		return Info{}, errors.Join(err, u.Abort(ctx))
	}
	return u.Close(ctx)
}

// Delete removes the file if it has the ETag ifMatch, or any when that is empty. Directories stay, also empty ones.
func (d *Directory) Delete(ctx context.Context, key, ifMatch string) error {
	path, err := d.path(key)
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	if _, err := statFile(path, key); err != nil {
		return d.wrap("delete", key, err) // before the lock, which makes files
	}
	unlock, err := d.lock(ctx)
	if err != nil {
		return d.wrap("delete", key, err)
	}
	defer unlock()
	info, err := statFile(path, key)
	if err == nil {
		err = Condition{IfMatch: ifMatch}.check(true, info.ETag)
	}
	if err == nil {
		err = os.Remove(path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return d.wrap("delete", key, err)
	}
	return nil
}

// temp makes an empty file that no listing shows.
func (d *Directory) temp() (*os.File, error) {
	if err := d.makeDir(filepath.Join(d.root, tempPrefix)); err != nil {
		return nil, err
	}
	name := filepath.Join(d.root, tempPrefix, rand.Text())
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
}

// publish gives the file temp, which holds the whole body, the name of key if the condition holds, and returns the
// object as it then is. Its own date comes before the last sync, so that the ETag outlives a loss of power; the clock
// of the file system is too coarse to tell two writes apart.
func (d *Directory) publish(ctx context.Context, temp *os.File, key string, c Condition) (Info, error) {
	path, err := d.path(key)
	if err = firstError(err, c.validate()); err != nil {
		return Info{}, err
	}
	now := time.Now()
	if err := os.Chtimes(temp.Name(), now, now); err != nil {
		return Info{}, err
	}
	if err := temp.Sync(); err != nil {
		return Info{}, err
	}
	unlock, err := d.lock(ctx)
	if err != nil {
		return Info{}, err
	}
	defer unlock()
	if err := c.checkFile(path, key); err != nil {
		return Info{}, err
	}
	if err := d.makeDir(filepath.Dir(path)); err != nil {
		return Info{}, err
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return Info{}, err
	}
	info, err := statFile(path, key)
	if err != nil {
		return Info{}, err
	}
	return info, syncDir(filepath.Dir(path))
}

// checkFile holds the condition against the file at path.
func (c Condition) checkFile(path, key string) error {
	info, err := statFile(path, key)
	switch {
	case err == nil:
		return c.check(true, info.ETag)
	case errors.Is(err, ErrNotFound):
		return fmt.Errorf("%w: %q is there, and no file", ErrKey, key)
	case errors.Is(err, fs.ErrNotExist):
		return c.check(false, "")
	case errors.Is(err, unix.ENOTDIR):
		return fmt.Errorf("%w: %q lies below a file", ErrKey, key)
	}
	return err
}

// makeDir makes the directory and those above it, up to the root, which must be there, and syncs what it changed.
func (d *Directory) makeDir(path string) error {
	if at, err := os.Stat(path); err == nil && at.IsDir() {
		return nil
	}
	if path == d.root {
		return &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	parent := filepath.Dir(path)
	if err := d.makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
