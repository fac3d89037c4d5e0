package object

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// Memory is a store for tests. Like S3 it has the body's MD5 as ETag, so writing the same bytes again keeps the ETag,
// and lists in pages of 1,000. It is safe for concurrent use.
type Memory struct {
	now func() time.Time

	mu      sync.Mutex
	objects map[string]memoryObject
	keys    []string // of objects, in byte order
}

type memoryObject struct {
	body []byte // never changed once stored
	info Info
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store whose LastModified comes from now.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, objects: map[string]memoryObject{}}
}

// Clone returns a store with the same objects and another clock. Neither sees what is written to the other.
func (m *Memory) Clone(now func() time.Time) *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Memory{now: now, objects: maps.Clone(m.objects), keys: slices.Clone(m.keys)} // bodies never change
}

// SetLastModified makes the object look as if written at t. It returns ErrNotFound when there is none.
func (m *Memory) SetLastModified(key string, t time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	if !ok {
		return fmt.Errorf("set last modified of %s: %w", key, ErrNotFound)
	}
	o.info.LastModified = t
	m.objects[key] = o
	return nil
}

func (m *Memory) object(key, ifMatch string) (memoryObject, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	if !ok {
		return memoryObject{}, ErrNotFound
	}
	o.info.Metadata = maps.Clone(o.info.Metadata)
	return o, Condition{IfMatch: ifMatch}.check(true, o.info.ETag)
}

// Head describes the object.
func (m *Memory) Head(ctx context.Context, key string) (Info, error) {
	o, err := m.object(key, "")
	if err = firstError(ctx.Err(), err); err != nil {
		return Info{}, fmt.Errorf("head %s: %w", key, err)
	}
	return o.info, nil
}

// Get reads the object or a range of it.
func (m *Memory) Get(ctx context.Context, key string, in GetInput) (io.ReadCloser, Info, error) {
	o, err := m.object(key, in.IfMatch)
	if err = firstError(ctx.Err(), err); err != nil {
		return nil, Info{}, fmt.Errorf("get %s: %w", key, err)
	}
	from, to, err := in.span(o.info.Size)
	if err != nil {
		return nil, Info{}, fmt.Errorf("get %s: %w", key, err)
	}
	return io.NopCloser(bytes.NewReader(o.body[from:to])), o.info, nil
}

// Put writes the object if the condition holds.
func (m *Memory) Put(ctx context.Context, key string, body []byte, in PutInput) (Info, error) {
	if err := firstError(ctx.Err(), in.validate()); err != nil {
		return Info{}, fmt.Errorf("put %s: %w", key, err)
	}
	sum := md5.Sum(body)
	info := Info{Key: key, ETag: `"` + hex.EncodeToString(sum[:]) + `"`, Size: int64(len(body))}
	m.mu.Lock()
	defer m.mu.Unlock()
	old, exists := m.objects[key]
	if err := in.check(exists, old.info.ETag); err != nil {
		return Info{}, fmt.Errorf("put %s: %w", key, err)
	}
	info.LastModified = m.now()
	kept := info
	kept.Metadata = maps.Clone(in.Metadata)
	if kept.Metadata == nil {
		kept.Metadata = map[string]string{}
	}
	m.objects[key] = memoryObject{body: bytes.Clone(body), info: kept}
	if at, found := slices.BinarySearch(m.keys, key); !found {
		m.keys = slices.Insert(m.keys, at, key)
	}
	return info, nil
}

// Delete removes the object if it has the ETag ifMatch, or any when that is empty.
func (m *Memory) Delete(ctx context.Context, key, ifMatch string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	err := Condition{IfMatch: ifMatch}.check(ok, o.info.ETag)
	if !ok {
		err = ErrNotFound
	}
	if err = firstError(ctx.Err(), err); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	delete(m.objects, key)
	at, _ := slices.BinarySearch(m.keys, key)
	m.keys = slices.Delete(m.keys, at, at+1)
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
