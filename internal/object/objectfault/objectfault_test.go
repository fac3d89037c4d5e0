package objectfault_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/internal/object/objecttest"
)

func TestNoFault(t *testing.T) {
	objecttest.Run(t, func(*testing.T) object.Store {
		return objectfault.New(object.NewMemory(time.Now), objectfault.Fault{})
	})
}

// write makes three effects: a put of a, an upload of b, a deletion of a. It returns the first error.
func write(ctx context.Context, store object.Store) error {
	if _, err := store.Put(ctx, "a", []byte("x"), object.PutInput{}); err != nil {
		return err
	}
	u := store.Create(ctx, "b", object.PutInput{})
	if _, err := u.Write([]byte("y")); err != nil {
		return err
	}
	if _, err := u.Close(ctx); err != nil {
		return errors.Join(err, u.Abort(ctx))
	}
	return store.Delete(ctx, "a", "")
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name           string
		fault          objectfault.Fault
		want, released string // keys there afterwards, and when a delayed effect has taken place
	}{
		{"none", objectfault.Fault{}, "b", "b"},
		{"before put", objectfault.Fault{At: 1, How: objectfault.Before}, "", ""},
		{"after put", objectfault.Fault{At: 1, How: objectfault.After}, "a", "a"},
		{"delayed put", objectfault.Fault{At: 1, How: objectfault.Delayed}, "", "a"},
		{"before close", objectfault.Fault{At: 2, How: objectfault.Before}, "a", "a"},
		{"after close", objectfault.Fault{At: 2, How: objectfault.After}, "ab", "ab"},
		{"delayed close", objectfault.Fault{At: 2, How: objectfault.Delayed, Crash: true}, "a", "ab"},
		{"before delete", objectfault.Fault{At: 3, How: objectfault.Before}, "ab", "ab"},
		{"after delete", objectfault.Fault{At: 3, How: objectfault.After, Crash: true}, "b", "b"},
		{"delayed delete", objectfault.Fault{At: 3, How: objectfault.Delayed}, "ab", "b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			memory := object.NewMemory(time.Now)
			store := objectfault.New(memory, c.fault)
			ctx, cancel := context.WithCancel(t.Context())
			err := write(ctx, store)
			cancel()
			if faulty := c.fault.At > 0; errors.Is(err, objectfault.ErrInjected) != faulty || store.Fired() != faulty {
				t.Errorf("got error %v, fired %t", err, store.Fired())
			}
			if want := max(c.fault.At, 3); c.fault.At == 0 && store.Effects() != want {
				t.Errorf("got %d effects, want %d", store.Effects(), want)
			}
			if got := keys(t, memory); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if err := store.Release(t.Context()); err != nil {
				t.Error(err)
			}
			if got := keys(t, memory); got != c.released {
				t.Errorf("released: got %q, want %q", got, c.released)
			}
			_, err = store.Head(t.Context(), "c")
			if errors.Is(err, objectfault.ErrInjected) != c.fault.Crash {
				t.Errorf("read afterwards: %v", err)
			}
		})
	}
}

func keys(t *testing.T, store object.Reader) (all string) {
	t.Helper()
	for e, err := range store.List(t.Context(), object.ListInput{}) {
		if err != nil {
			t.Fatal(err)
		}
		all += e.Key
	}
	return all
}
