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
