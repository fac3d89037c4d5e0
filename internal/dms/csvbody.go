package dms

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"

	"sluice/internal/parquetedit"
)

// pieceBytes is how much of an object is asked for at once when it is read from front to back.
const pieceBytes = 8 << 20

// body is the text of a CSV object from front to back, decompressed. What was asked for is not asked for again.
type body struct {
	src  parquetedit.Source
	gzip bool
	ctx  context.Context //nolint:containedctx // of the call that reads; set anew by each
	off  int64           // of the object: what was read of it
	held []byte          // and not yet handed on
	text io.Reader
	at   int64 // of the text
}

// newBody returns the text of an object; whether it is compressed its first two bytes say, whatever its name.
func newBody(ctx context.Context, src parquetedit.Source) (*body, error) {
	b := &body{src: src, ctx: ctx}
	if src.Size() > 1 {
		if err := b.fill(); err != nil {
			return nil, err
		}
		b.gzip = b.held[0] == 0x1f && b.held[1] == 0x8b
	}
	return b, b.open()
}

// open begins the text anew.
func (b *body) open() error {
	b.text, b.at = objectReader{b}, 0
	if !b.gzip {
		return nil
	}
	r, err := gzip.NewReader(bufio.NewReaderSize(objectReader{b}, 64<<10))
	if err != nil {
		return gzipFault(err)
	}
	b.text = r
	return nil
}

// seek goes to a place of the text. Of a compressed object everything before it is decompressed.
func (b *body) seek(ctx context.Context, at int64) error {
	b.ctx = ctx
	switch {
	case at == b.at:
		return nil
	case !b.gzip:
		b.off, b.held, b.at = at, nil, at
		return nil
	case at < b.at:
		b.off, b.held = 0, nil
		if err := b.open(); err != nil {
			return err
		}
	}
	n, err := io.CopyN(io.Discard, b.text, at-b.at)
	b.at += n
	return gzipFault(err)
}

// read fills p, unless the text ends before.
func (b *body) read(p []byte) (int, error) {
	n, err := io.ReadFull(b.text, p)
	b.at += int64(n)
	if errors.Is(err, io.ErrUnexpectedEOF) && b.gzip && n < len(p) {
		// Either the text ends here, or the object does in the middle of what is compressed: only a further read tells.
		if _, again := b.text.Read(make([]byte, 1)); again != nil && !errors.Is(again, io.EOF) {
			return n, gzipFault(again)
		}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, gzipFault(err)
}

// taken is how many bytes of the object the text so far is made of, and a little more.
func (b *body) taken() int64 { return b.off - int64(len(b.held)) }

func (b *body) fill() error {
	size := min(pieceBytes, b.src.Size()-b.off)
	if size <= 0 {
		return io.EOF
	}
	held := make([]byte, size)
	if err := b.src.ReadRange(b.ctx, held, b.off); err != nil {
		return err
	}
	b.held, b.off = held, b.off+size
	return nil
}

// gzipFault makes broken compression an [*InputError]; errors of the object stay what they are.
func gzipFault(err error) error {
	if err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	var damaged *objectError
	if errors.As(err, &damaged) {
		return damaged.error
	}
	return &InputError{Row: -1, Reason: fmt.Sprintf("its compression is damaged, or it is cut off: %v", err), Err: err}
}

// objectError is what reading the object met, told from what decompressing it met.
type objectError struct{ error }

// objectReader reads the object itself.
type objectReader struct{ *body }

func (r objectReader) Read(p []byte) (int, error) {
	if len(r.held) == 0 {
		if err := r.fill(); errors.Is(err, io.EOF) {
			return 0, io.EOF
		} else if err != nil {
			return 0, &objectError{err}
		}
	}
	n := copy(p, r.held)
	r.held = r.held[n:]
	return n, nil
}
