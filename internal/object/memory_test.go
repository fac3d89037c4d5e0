package object_test

import (
	"errors"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/object/objecttest"
)

func TestMemory(t *testing.T) {
	objecttest.Run(t, func(*testing.T) object.Store { return object.NewMemory(time.Now) })
}

func TestMemoryDeleteRace(t *testing.T) {
	objecttest.RunDeleteRace(t, object.NewMemory(time.Now))
}

func TestMemorySetLastModified(t *testing.T) {
	store := object.NewMemory(time.Now)
	if err := store.SetLastModified("a", time.Now()); !errors.Is(err, object.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	put, err := store.Put(t.Context(), "a", nil, object.PutInput{})
	if err != nil {
		t.Fatal(err)
	}
	want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := store.SetLastModified("a", want); err != nil {
		t.Fatal(err)
	}
	got, err := store.Head(t.Context(), "a")
	if err != nil || !got.LastModified.Equal(want) || got.ETag != put.ETag {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestMemoryClone(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	first := object.NewMemory(time.Now)
	write := func(store *object.Memory, key, body string) {
		t.Helper()
		if _, err := store.Put(t.Context(), key, []byte(body), object.PutInput{}); err != nil {
			t.Fatal(err)
		}
	}
	write(first, "a", "1")
	write(first, "b", "1")
	second := first.Clone(func() time.Time { return at })
	write(first, "a", "first")
	write(second, "b", "second")
	if err := second.Delete(t.Context(), "a", ""); err != nil {
		t.Fatal(err)
	}
	got, err := second.Head(t.Context(), "b")
	if err != nil || got.Size != 6 || !got.LastModified.Equal(at) {
		t.Errorf("second's b: %+v, %v", got, err)
	}
	for store, want := range map[*object.Memory]string{first: "ab", second: "b"} {
		got := ""
		for entry, err := range store.List(t.Context(), object.ListInput{}) {
			if err != nil {
				t.Fatal(err)
			}
			got += entry.Key
		}
		if got != want {
			t.Errorf("listed %q, want %q", got, want)
		}
	}
	for key, want := range map[string]int64{"a": 5, "b": 1} {
		if got, err := first.Head(t.Context(), key); err != nil || got.Size != want {
			t.Errorf("first's %s: %+v, %v, want %d bytes", key, got, err, want)
		}
	}
}
