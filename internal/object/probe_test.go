package object_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/internal/object"
)

// loose is a store that gets something wrong.
type loose struct {
	*object.Memory
	put    func(in object.PutInput) object.PutInput
	create func(in object.PutInput) object.PutInput
	etag   func(etag string) string
	err    error
}

func (l loose) Head(ctx context.Context, key string) (object.Info, error) {
	info, err := l.Memory.Head(ctx, key)
	if l.etag != nil {
		info.ETag = l.etag(info.ETag)
	}
	return info, err
}

func (l loose) Put(ctx context.Context, key string, body []byte, in object.PutInput) (object.Info, error) {
	if l.err != nil {
		return object.Info{}, l.err
	}
	if l.put != nil {
		in = l.put(in)
	}
	info, err := l.Memory.Put(ctx, key, body, in)
	if l.etag != nil {
		info.ETag = l.etag(info.ETag)
	}
	return info, err
}

func (l loose) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	if l.create != nil {
		in = l.create(in)
	}
	return l.Memory.Create(ctx, key, in)
}

func TestProbe(t *testing.T) {
	ignoreNone := func(in object.PutInput) object.PutInput { in.IfNoneMatch = false; return in }
	ignoreMatch := func(in object.PutInput) object.PutInput { in.IfMatch = ""; return in }
	down := errors.New("down")
	for _, c := range []struct {
		name  string
		store loose
		want  error
		text  string
	}{
		{"sound", loose{}, nil, ""},
		{"ignores If-None-Match", loose{put: ignoreNone}, object.ErrUnconditional, "If-None-Match: * on an existing key"},
		{"ignores If-Match", loose{put: ignoreMatch}, object.ErrUnconditional, "If-Match with a wrong ETag"},
		{"ignores If-None-Match of parts", loose{create: ignoreNone}, object.ErrUnconditional, "If-None-Match: * on"},
		{"ignores If-Match of parts", loose{create: ignoreMatch}, object.ErrUnconditional, "If-Match with a wrong ETag"},
		{"weak ETags", loose{etag: func(s string) string { return "W/" + s }}, object.ErrUnconditional, "weak"},
		{"down", loose{err: down}, down, "down"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.store.Memory = object.NewMemory(time.Now)
			for range 2 {
				err := object.Probe(t.Context(), c.store, "p/_sluice/")
				if !errors.Is(err, c.want) || (err != nil && !strings.Contains(err.Error(), c.text)) {
					t.Errorf("got %v, want %v saying %q", err, c.want, c.text)
				}
			}
		})
	}
}
