package parquetedit

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Source is random access to one file that does not change while it is in use.
// It must be safe for concurrent use.
type Source interface {
	// ReadRange fills p with the bytes from off on, or fails.
	ReadRange(ctx context.Context, p []byte, off int64) error
	// Size is the length of the file in bytes.
	Size() int64
}

// ReaderAt is a Source over N bytes of an io.ReaderAt: a local file, or bytes in memory.
type ReaderAt struct {
	io.ReaderAt
	N int64
}

// ReadRange implements Source. A file shorter than N is io.ErrUnexpectedEOF.
func (r ReaderAt) ReadRange(ctx context.Context, p []byte, off int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Size implements Source.
func (r ReaderAt) Size() int64 { return r.N }

// Output receives a rewritten file, front to back.
type Output interface {
	io.Writer
	// CopyRange appends the bytes [off, off+n) of the source file as they are.
	CopyRange(ctx context.Context, off, n int64) error
}

// NewOutput is an Output that reads the ranges to copy from src and writes everything to w.
func NewOutput(src Source, w io.Writer) Output { return &plainOutput{src: src, Writer: w} }

type plainOutput struct {
	io.Writer
	src Source
	buf []byte
}

func (o *plainOutput) CopyRange(ctx context.Context, off, n int64) error {
	const step = 4 << 20
	if int64(len(o.buf)) < min(n, step) {
		o.buf = make([]byte, min(n, step))
	}
	for n > 0 {
		p := o.buf[:min(n, step)]
		if err := o.src.ReadRange(ctx, p, off); err != nil {
			return fmt.Errorf("read %d bytes at %d: %w", len(p), off, err)
		}
		if _, err := o.Write(p); err != nil {
			return err
		}
		off, n = off+int64(len(p)), n-int64(len(p))
	}
	return nil
}
