//go:build unix

package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// namesPerRead is how many names of a folder are looked at together when any one of them will do.
const namesPerRead = 64

// List walks in byte order of whole keys. It reads no folder that lies wholly outside Prefix or at or below
// StartAfter, and asks for the properties of no file it does not yield. Files that vanish meanwhile are left out.
func (d *Directory) List(ctx context.Context, in ListInput) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		folder := in.Prefix[:strings.LastIndexByte(in.Prefix, '/')+1]
		err := in.validate()
		if folder != "" && !fs.ValidPath(strings.TrimSuffix(folder, "/")) {
			err = fmt.Errorf("%w: prefix %q", ErrKey, in.Prefix)
		}
		if at, statErr := os.Stat(d.root); err == nil && (statErr != nil || !at.IsDir()) {
			err = fmt.Errorf("%w: %w", ErrNoBucket, firstError(statErr, unix.ENOTDIR))
		}
		w := walk{ctx: ctx, directory: d, in: in, yield: yield}
		if err == nil {
			_, err = w.folder(folder)
		}
		if err != nil {
			yield(Entry{}, d.wrap("list", in.Prefix, err))
		}
	}
}

// walk is one listing under way; it lives no longer than the call it is made in.
type walk struct {
	ctx       context.Context
	directory *Directory
	in        ListInput
	yield     func(Entry, error) bool
}

// folder yields what is below the folder, "" or ending in a slash; it returns false when nobody wants more.
func (w *walk) folder(folder string) (more bool, err error) {
	names, err := os.ReadDir(filepath.Join(w.directory.root, folder))
	if gone(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	for _, key := range keysOf(folder, names) {
		if err := w.ctx.Err(); err != nil {
			return false, err
		}
		if more, err := w.key(key); err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

// keysOf returns the keys of files and folders in the order of all keys: a folder sorts with its slash, because that
// is what its keys go on with, so that "a-b" comes before "a/b".
func keysOf(folder string, names []os.DirEntry) []string {
	keys := make([]string, 0, len(names))
	for _, name := range names {
		key := folder + name.Name()
		switch {
		case reserved(key):
		case name.IsDir():
			keys = append(keys, key+"/")
		case name.Type().IsRegular():
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func (w *walk) key(key string) (more bool, err error) {
	in := w.in
	isFolder := strings.HasSuffix(key, "/")
	inside := strings.HasPrefix(key, in.Prefix)
	switch {
	case !isFolder && inside && key > in.StartAfter:
		return w.file(key)
	case isFolder && inside && in.Delimiter != "":
		if key <= in.StartAfter {
			return true, nil
		}
		return w.commonPrefix(key)
	case isFolder && (inside || strings.HasPrefix(in.Prefix, key)):
		if key < in.StartAfter && !strings.HasPrefix(in.StartAfter, key) {
			return true, nil
		}
		return w.folder(key)
	}
	return true, nil
}

func (w *walk) file(key string) (more bool, err error) {
	info, err := statFile(filepath.Join(w.directory.root, key), key)
	if errors.Is(err, ErrNotFound) || gone(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return w.yield(Entry{Info: info}, nil), nil
}

func (w *walk) commonPrefix(key string) (more bool, err error) {
	found, err := w.directory.holdsFile(strings.TrimSuffix(key, "/"))
	if err != nil || !found {
		return err == nil, err
	}
	return w.yield(Entry{Info: Info{Key: key}, Prefix: true}, nil), nil
}

// holdsFile tells whether there is an object anywhere below the folder; it stops at the first.
func (d *Directory) holdsFile(folder string) (bool, error) {
	f, err := os.Open(filepath.Join(d.root, folder))
	if gone(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // only read
	for {
		names, err := f.ReadDir(namesPerRead)
		if errors.Is(err, io.EOF) || gone(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		for _, name := range names {
			key := path.Join(folder, name.Name())
			found := name.Type().IsRegular() && !reserved(key)
			if name.IsDir() && !reserved(key) {
				found, err = d.holdsFile(key)
			}
			if found || err != nil {
				return found, err
			}
		}
	}
}

func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR)
}
