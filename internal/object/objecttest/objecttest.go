// Package objecttest is the conformance suite of object stores: what package object promises, as tests that every store
// has to pass.
//
// Words: a case gets an empty store of its own. What it does not know: how a store is made, and what only one kind of
// store can do.
package objecttest

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"sluice/internal/object"
)

// partBytes is the size of body up to which an upload is a single write.
const partBytes = 8 << 20

// Run tests a store. Open returns a new, empty one each time it is called.
func Run(t *testing.T, open func(t *testing.T) object.Store) {
	t.Helper()
	for _, group := range [][]testCase{listCases(), readCases(), writeCases(), raceCases(), uploadCases()} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) { c.test(env{t, open(t)}) })
		}
	}
}

// RunNoBucket tests a store whose bucket or directory does not exist.
func RunNoBucket(t *testing.T, store object.Store) {
	t.Helper()
	ctx := t.Context()
	for _, err := range store.List(ctx, object.ListInput{}) {
		wantError(t, "List", err, object.ErrNoBucket)
	}
	_, _, err := store.Get(ctx, "a", object.GetInput{})
	wantError(t, "Get", err, object.ErrNoBucket)
	_, err = store.Put(ctx, "a", []byte("x"), object.PutInput{})
	wantError(t, "Put", err, object.ErrNoBucket)
	if _, err = store.Head(ctx, "a"); !errors.Is(err, object.ErrNoBucket) {
		wantError(t, "Head", err, object.ErrNotFound)
	}
	if err = store.Delete(ctx, "a", ""); !errors.Is(err, object.ErrNoBucket) {
		wantError(t, "Delete", err, object.ErrNotFound)
	}
}

// env is what a case gets. Cases are tests and no helpers: a failure is reported where it was found.
type env struct {
	*testing.T
	store object.Store
}

type testCase struct {
	name string
	test func(e env)
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

func put(t *testing.T, store object.Store, key, body string) object.Info {
	t.Helper()
	info, err := store.Put(t.Context(), key, []byte(body), object.PutInput{})
	if err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
	return info
}

func get(t *testing.T, store object.Store, key string, in object.GetInput) ([]byte, object.Info) {
	t.Helper()
	body, info, err := store.Get(t.Context(), key, in)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	got, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		t.Fatalf("read %s: %v", key, err)
	}
	return got, info
}

func wantBody(t *testing.T, store object.Store, key string, want []byte) {
	t.Helper()
	got, info := get(t, store, key, object.GetInput{})
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got %d bytes, want %d other ones", key, len(got), len(want))
	}
	if info.Size != int64(len(want)) {
		t.Errorf("%s: got size %d, want %d", key, info.Size, len(want))
	}
}

func wantGone(t *testing.T, store object.Store, key string) {
	t.Helper()
	_, err := store.Head(t.Context(), key)
	wantError(t, "head of "+key, err, object.ErrNotFound)
	for e, err := range store.List(t.Context(), object.ListInput{}) {
		if err != nil || e.Key == key {
			t.Errorf("listing shows %q, error %v", e.Key, err)
		}
	}
}

// random returns bytes that differ from place to place and are the same for the same seed.
func random(seed uint64, n int) []byte {
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	p := make([]byte, n)
	_, _ = source.Read(p) // never fails
	return p
}
