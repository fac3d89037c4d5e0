package parquetedit

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

const (
	streamBytes    = 4 << 20   // of one read, at most; the next one is under way while it is at work
	minStreamBytes = 256 << 10 // of one read, at least
	streamsBytes   = 64 << 20  // of one read each of all columns of a file, for readers that go through them in step
)

// stream reads bytes front to back, in windows that hold one page at least. While the pages of a window
// are at work the next window is read.
type stream struct {
	memory  *Memory
	src     Source
	at, end int64  // what nobody has asked for yet
	window  int64  // bytes of one read
	b       []byte // what was read and not skipped
	block   *block // that b lies in
	ahead   *block // what is being read
	reading errgroup.Group
}

// streamOf reads a column chunk. The caller ends it.
func (f *File) streamOf(c *chunk) *stream {
	each := streamsBytes / int64(max(len(f.columns), 1))
	return &stream{memory: f.memory, src: f.src, at: c.off, end: c.off + c.size, window: min(max(each, minStreamBytes), streamBytes)}
}

// inMemory is a stream of bytes that are there.
func inMemory(b []byte) *stream { return &stream{b: b} }

// empty says whether nothing is left.
func (s *stream) empty() bool { return len(s.b) == 0 && s.ahead == nil && s.at == s.end }

// left is how many bytes were not skipped.
func (s *stream) left() int64 {
	n := int64(len(s.b)) + s.end - s.at
	if s.ahead != nil {
		n += int64(len(s.ahead.b))
	}
	return n
}

// page sees to it that b starts with a whole page, as far as there is more to read.
func (s *stream) page(ctx context.Context) error {
	for s.ahead != nil || s.at < s.end {
		if len(s.b) > 0 && whole(s.b, s.left()) {
			return nil
		}
		if err := s.grow(ctx); err != nil {
			return err
		}
	}
	return nil
}

// grow waits for the next window, and has the one behind it read. Where a page is larger than a window, windows grow
// with what is there of it, so that no byte is moved more often than its logarithm says.
func (s *stream) grow(ctx context.Context) error {
	if s.ahead == nil {
		s.fetch(ctx)
	}
	if err := s.reading.Wait(); err != nil {
		return err
	}
	rest, next := int64(len(s.b)), s.ahead
	if rest > 0 {
		next = s.memory.block(len(s.b) + len(s.ahead.b))
		copy(next.b[copy(next.b, s.b):], s.ahead.b)
		s.memory.free(s.ahead)
	}
	s.memory.free(s.block)
	s.b, s.block, s.ahead = next.b, next, nil
	if rest > s.window {
		s.window = rest
	}
	if s.at < s.end {
		s.fetch(ctx)
	}
	return nil
}

// fetch begins to read the next window.
func (s *stream) fetch(ctx context.Context) {
	from, b := s.at, s.memory.block(int(min(s.window, s.end-s.at)))
	s.ahead, s.at = b, s.at+int64(len(b.b))
	s.reading.Go(func() error {
		if err := s.src.ReadRange(ctx, b.b, from); err != nil {
			return fmt.Errorf("read %d bytes at %d: %w", len(b.b), from, err)
		}
		return nil
	})
}

// close waits for what is being read, whose context the caller has ended. The bytes are gone then.
func (s *stream) close() {
	_ = s.reading.Wait()
	if s.memory != nil {
		s.memory.free(s.ahead)
		s.memory.free(s.block)
	}
	s.b, s.ahead, s.block = nil, nil, nil
}

func (s *stream) skip(n int) { s.b = s.b[n:] }
