//go:build unix

package object

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
)

// directoryUpload writes a temporary file; it makes none before it has something to write.
type directoryUpload struct {
	store  *Directory
	key    string
	in     PutInput
	file   *os.File
	counts Counts
	ended  bool
}

// Create begins a streamed write. Ranges taken by CopyFrom count as copied, whatever their length: the kernel moves
// them, and shares the blocks where the file system can.
func (d *Directory) Create(_ context.Context, key string, in PutInput) Upload {
	return &directoryUpload{store: d, key: key, in: in}
}

func (u *directoryUpload) open() (err error) {
	if u.ended {
		return errEnded
	}
	if u.file != nil {
		return nil
	}
	if _, err := u.store.path(u.key); err != nil {
		return err
	}
	u.file, err = u.store.temp()
	return err
}

func (u *directoryUpload) Write(p []byte) (int, error) {
	if err := u.open(); err != nil {
		return 0, u.store.wrap("write", u.key, err)
	}
	n, err := u.file.Write(p)
	u.counts.BytesWritten += int64(n)
	if err != nil {
		return n, u.store.wrap("write", u.key, err)
	}
	return n, nil
}

func (u *directoryUpload) CopyFrom(ctx context.Context, in CopyInput) error {
	if err := firstError(ctx.Err(), in.validate(), u.open()); err != nil || in.Length == 0 {
		return err
	}
	source, info, err := u.store.open(in.Key, in.ETag)
	if err != nil {
		return in.sourceError(u.store.sentinel(err))
	}
	defer func() { _ = source.Close() }() // only read
	if in.Length > info.Size-in.Offset {
		return in.sourceError(ErrRange)
	}
	if _, err := source.Seek(in.Offset, io.SeekStart); err != nil {
		return in.sourceError(err)
	}
	n, err := io.CopyN(u.file, source, in.Length)
	u.counts.BytesCopied += n
	if err != nil {
		return in.sourceError(err)
	}
	return nil
}

func (u *directoryUpload) Close(ctx context.Context) (Info, error) {
	if err := firstError(ctx.Err(), u.open()); err != nil {
		return Info{}, u.store.wrap("close", u.key, err)
	}
	info, err := u.store.publish(ctx, u.file, u.key, u.in.Condition)
	if err != nil {
		return Info{}, u.store.wrap("write", u.key, errors.Join(err, u.Abort(ctx)))
	}
	u.ended = true
	if err := u.file.Close(); err != nil {
		return Info{}, u.store.wrap("write", u.key, err)
	}
	return info, nil
}

func (u *directoryUpload) Abort(context.Context) error {
	if u.ended {
		return nil
	}
	u.ended = true
	if u.file == nil {
		return nil
	}
	err := errors.Join(u.file.Close(), os.Remove(u.file.Name()))
	if errors.Is(err, fs.ErrNotExist) { // it has its name, and what followed went wrong
		return nil
	}
	return err
}

func (u *directoryUpload) Counts() Counts { return u.counts }
