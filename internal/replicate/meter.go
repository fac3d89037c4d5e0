package replicate

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"sluice/internal/object"
	"sluice/internal/parquetedit"
)

// meter counts the bytes of a table run.
type meter struct{ read, written, copied atomic.Int64 }

// source is one object at one ETag, read by ranges.
type source struct {
	store Objects
	info  object.Info
	meter *meter
}

func (s *source) Size() int64 { return s.info.Size }

func (s *source) ReadRange(ctx context.Context, p []byte, off int64) error {
	if len(p) == 0 {
		return nil
	}
	body, _, err := s.store.Get(ctx, s.info.Key, object.GetInput{Offset: off, Length: int64(len(p)), IfMatch: s.info.ETag})
	if err != nil {
		return fmt.Errorf("read %s: %w", s.info.Key, err)
	}
	defer func() { _ = body.Close() }()
	n, err := io.ReadFull(body, p)
	s.meter.read.Add(int64(n))
	if err != nil {
		return fmt.Errorf("read %s: %w", s.info.Key, err)
	}
	return nil
}

// fetch reads a whole object at its ETag and opens it.
func (r *run) fetch(ctx context.Context, store Objects, info object.Info) (*parquetedit.File, error) {
	body := make([]byte, info.Size)
	s := &source{store, info, r.meter}
	if err := s.ReadRange(ctx, body, 0); err != nil {
		return nil, err
	}
	return r.openSource(ctx, parquetedit.ReaderAt{ReaderAt: bytes.NewReader(body), N: info.Size}, info)
}

// smallFile is the size up to which any Parquet object is fetched by one request. A range is asked for by column, one
// behind the other: 40 requests for a file of 16 columns, each of which takes longer than the bytes of all.
const smallFile = 1 << 20

// open opens a Parquet object at its ETag.
func (r *run) open(ctx context.Context, store Objects, info object.Info) (*parquetedit.File, error) {
	if info.Size <= smallFile {
		return r.fetch(ctx, store, info)
	}
	return r.openSource(ctx, &source{store, info, r.meter}, info)
}

func (r *run) openSource(ctx context.Context, s parquetedit.Source, info object.Info) (*parquetedit.File, error) {
	f, err := r.e.memory.Open(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", info.Key, err)
	}
	return f, nil
}

// target receives the new body of a lake file.
type target struct {
	upload object.Upload
	from   object.Info // what ranges are copied from
}

func (t *target) Write(p []byte) (int, error) { return t.upload.Write(p) }

func (t *target) CopyRange(ctx context.Context, off, n int64) error {
	return t.upload.CopyFrom(ctx, object.CopyInput{Key: t.from.Key, ETag: t.from.ETag, Offset: off, Length: n})
}
