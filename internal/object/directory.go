//go:build unix

package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Names that the directory store keeps for itself, made by writes only and never listed. All other keys below
// _sluice/ are ordinary objects.
const (
	lockKey    = "_sluice/.lock"
	tempPrefix = "_sluice/.tmp/"
)

// Directory is a directory of a local file system as a store: a key is a path below it. It is safe for concurrent use
// by goroutines and by processes of one machine.
//
// The ETag is inode, size, modification and change time of the file, never a read of it, so a file that another
// program puts there has one, too. Every write makes a new file, dated to the nanosecond. What is compared and then
// renamed is so under one lock of the whole directory, held by the process that renames; the system gives it up when
// that process ends. Regular files are objects, symbolic links are not; the root itself may be a link.
//
// An object is on the disk, name included, when the write returns. File systems without locks or without times of
// their own per write (some network shares) are not fit; Probe finds the second.
type Directory struct {
	root string
}

var _ Store = (*Directory)(nil)

// NewDirectory returns the directory as a store. It touches nothing: a root that does not exist answers ErrNoBucket.
func NewDirectory(root string) *Directory {
	return &Directory{root: filepath.Clean(root)}
}

// path returns the file of a key.
func (d *Directory) path(key string) (string, error) {
	if !fs.ValidPath(key) || key == "." || strings.ContainsRune(key, 0) || reserved(key) {
		return "", fmt.Errorf("%w: %q cannot be the name of a file here", ErrKey, key)
	}
	return filepath.Join(d.root, filepath.FromSlash(key)), nil
}

func reserved(key string) bool {
	return key == lockKey || strings.HasPrefix(key+"/", tempPrefix)
}

// Head describes the file.
func (d *Directory) Head(ctx context.Context, key string) (Info, error) {
	path, err := d.path(key)
	if err = firstError(ctx.Err(), err); err != nil {
		return Info{}, fmt.Errorf("head %s: %w", key, err)
	}
	info, err := statFile(path, key)
	if err != nil {
		return Info{}, d.wrap("head", key, err)
	}
	return info, nil
}

// Get opens the file: what is read is the object as it was then, whatever is written later.
func (d *Directory) Get(ctx context.Context, key string, in GetInput) (io.ReadCloser, Info, error) {
	if err := ctx.Err(); err != nil {
		return nil, Info{}, fmt.Errorf("get %s: %w", key, err)
	}
	f, info, err := d.open(key, in.IfMatch)
	if err != nil {
		return nil, Info{}, d.wrap("get", key, err)
	}
	from, to, err := in.span(info.Size)
	if err != nil {
		_ = f.Close() // only read
		return nil, Info{}, d.wrap("get", key, err)
	}
	return section{io.NewSectionReader(f, from, to-from), f}, info, nil
}

type section struct {
	*io.SectionReader
	io.Closer
}

// open returns the file with its description, if it has the ETag.
func (d *Directory) open(key, ifMatch string) (*os.File, Info, error) {
	path, err := d.path(key)
	if err != nil {
		return nil, Info{}, err
	}
	// Without O_NONBLOCK the open of a pipe would wait for its writer.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENXIO) {
		return nil, Info{}, ErrNotFound // a link, or a socket
	}
	if err != nil {
		return nil, Info{}, err
	}
	var st unix.Stat_t
	err = unix.Fstat(int(f.Fd()), &st)
	info, regular := infoOf(key, &st)
	if err == nil && !regular {
		err = ErrNotFound
	}
	if err == nil {
		err = Condition{IfMatch: ifMatch}.check(true, info.ETag)
	}
	if err != nil {
		_ = f.Close() // only read
		return nil, Info{}, err
	}
	return f, info, nil
}

// statFile describes the regular file at path; anything else there is ErrNotFound.
func statFile(path, key string) (Info, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return Info{}, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	info, regular := infoOf(key, &st)
	if !regular {
		return Info{}, ErrNotFound
	}
	return info, nil
}

func infoOf(key string, st *unix.Stat_t) (info Info, regular bool) {
	modified, changed := time.Unix(st.Mtim.Unix()), time.Unix(st.Ctim.Unix())
	etag := fmt.Sprintf(`"%x-%x-%x-%x"`, st.Ino, st.Size, modified.UnixNano(), changed.UnixNano())
	info = Info{Key: key, ETag: etag, Size: st.Size, LastModified: modified.UTC()}
	return info, st.Mode&unix.S_IFMT == unix.S_IFREG
}

// wrap says what was done to which key and puts the sentinel that err means in front of it.
func (d *Directory) wrap(verb, key string, err error) error {
	return fmt.Errorf("%s %s in %s: %w", verb, key, d.root, d.sentinel(err))
}

func (d *Directory) sentinel(err error) error {
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrPrecondition), errors.Is(err, ErrKey):
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		if at, statErr := os.Stat(d.root); statErr != nil || !at.IsDir() {
			return fmt.Errorf("%w: %w", ErrNoBucket, err)
		}
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", ErrDenied, err)
	}
	return err
}
