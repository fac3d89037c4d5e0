package object

import (
	"context"
	"io"
	"time"
)

type memoryUpload struct {
	store  *Memory
	key    string
	in     PutInput
	body   []byte
	counts Counts
	ended  bool
}

// Create begins a streamed write. Ranges taken by CopyFrom count as copied, whatever their length.
func (m *Memory) Create(_ context.Context, key string, in PutInput) Upload {
	return &memoryUpload{store: m, key: key, in: in}
}

func (u *memoryUpload) Write(p []byte) (int, error) {
	if u.ended {
		return 0, errEnded
	}
	u.body = append(u.body, p...)
	u.counts.BytesWritten += int64(len(p))
	return len(p), nil
}

func (u *memoryUpload) CopyFrom(ctx context.Context, in CopyInput) error {
	if u.ended {
		return errEnded
	}
	if err := in.validate(); err != nil || in.Length == 0 {
		return err
	}
	body, _, err := u.store.Get(ctx, in.Key, GetInput{Offset: in.Offset, Length: in.Length, IfMatch: in.ETag})
	if err != nil {
		return in.sourceError(err)
	}
	p, err := io.ReadAll(body)
	if err == nil && int64(len(p)) < in.Length {
		err = ErrRange
	}
	if err != nil {
		return in.sourceError(err)
	}
	u.body = append(u.body, p...)
	u.counts.BytesCopied += in.Length
	return nil
}

func (u *memoryUpload) Close(ctx context.Context) (Info, error) {
	if u.ended {
		return Info{}, errEnded
	}
	u.ended = true
	return u.store.Put(ctx, u.key, u.body, u.in)
}

func (u *memoryUpload) Abort(context.Context) error {
	u.ended, u.body = true, nil
	return nil
}

func (u *memoryUpload) Counts() Counts { return u.counts }

// AbortAbandoned finds nothing: an upload of memory ends with whoever began it.
func (m *Memory) AbortAbandoned(context.Context, string, time.Time) (int, error) { return 0, nil }
