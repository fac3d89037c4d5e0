package object_test

import (
	"context"
	"testing"
	"time"

	"sluice/internal/object"
)

type abandoner interface {
	object.Store
	AbortAbandoned(ctx context.Context, prefix string, before time.Time) (int, error)
}

// testAbandoned leaves an upload as a killed process does.
func testAbandoned(t *testing.T, store abandoner) {
	t.Helper()
	ctx := t.Context()
	if n, err := store.AbortAbandoned(ctx, "", time.Now()); n != 0 || err != nil {
		t.Errorf("empty store: got %d, %v", n, err)
	}
	u := store.Create(ctx, "lake/a", object.PutInput{})
	if _, err := u.Write(make([]byte, 8<<20+1)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		before time.Time
		want   int
	}{{time.Now().Add(-time.Hour), 0}, {time.Now().Add(time.Hour), 1}, {time.Now().Add(time.Hour), 0}} {
		if n, err := store.AbortAbandoned(ctx, "lake/", c.before); n != c.want || err != nil {
			t.Errorf("before %s: got %d, %v, want %d", c.before, n, err, c.want)
		}
	}
	_, err := u.Close(ctx)
	wantIs(t, err, object.ErrNotFound)
	_, err = store.Head(ctx, "lake/a")
	wantIs(t, err, object.ErrNotFound)
}

func TestDirectoryAbandoned(t *testing.T) { testAbandoned(t, object.NewDirectory(t.TempDir())) }

func TestS3Abandoned(t *testing.T) {
	client := newClient(t)
	testAbandoned(t, object.NewS3(client, newBucket(t, client)))
}
