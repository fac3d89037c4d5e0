package objectfault_test

import (
	"context"
	"errors"
	"io"
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
		{"put twice, sender dead", objectfault.Fault{At: 1, How: objectfault.Twice, Crash: true}, "a", "a"},
		{"put resent, sender dead", objectfault.Fault{At: 1, How: objectfault.Resent, Crash: true}, "a", "a"},
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
			if err := store.Arrive(t.Context()); err != nil {
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

// TestTwice lets one request arrive twice: what the caller hears, what lies there, and what lies there when the
// second one arrives after the object was deleted.
func TestTwice(t *testing.T) {
	for _, c := range []struct {
		name          string
		how           objectfault.How
		condition     object.Condition
		heard, second error // at once, and of the one that waits
		late          string
	}{
		{"unconditional", objectfault.Twice, object.Condition{}, nil, nil, "b"},
		{"a new object, deleted meanwhile", objectfault.Twice, object.Condition{IfNoneMatch: true}, nil, nil, "b"},
		{"unconditional, resent", objectfault.Resent, object.Condition{}, nil, nil, ""},
		{"a new object, resent", objectfault.Resent, object.Condition{IfNoneMatch: true}, object.ErrPrecondition, nil, ""},
	} {
		for name, write := range map[string]func(object.Store) error{"put": put(c.condition), "upload": upload(c.condition)} {
			t.Run(name+" "+c.name, func(t *testing.T) {
				memory := object.NewMemory(time.Now)
				source(t, memory)
				store := objectfault.New(memory, objectfault.Fault{At: 1, How: c.how})
				if err := write(store); !errors.Is(err, c.heard) {
					t.Errorf("heard %v, want %v", err, c.heard)
				}
				if got := keys(t, memory); got != "bs" {
					t.Errorf("got %q", got)
				}
				first := body(t, memory)
				if err := memory.Delete(t.Context(), "b", ""); err != nil {
					t.Fatal(err)
				}
				if err := store.Arrive(t.Context()); !errors.Is(err, c.second) {
					t.Errorf("the second: %v, want %v", err, c.second)
				}
				if got := keys(t, memory); got != c.late+"s" {
					t.Errorf("after the second: %q, want %q", got, c.late)
				}
				if c.late != "" && body(t, memory) != first {
					t.Errorf("the second wrote %q, the first %q", body(t, memory), first)
				}
			})
		}
	}
}

// TestTwiceIsRefused lets the second of two conditional requests arrive when the first one's object is still there.
func TestTwiceIsRefused(t *testing.T) {
	memory := object.NewMemory(time.Now)
	store := objectfault.New(memory, objectfault.Fault{At: 1, How: objectfault.Twice})
	if _, err := store.Put(t.Context(), "b", []byte("1"), object.PutInput{Condition: object.Condition{IfNoneMatch: true}}); err != nil {
		t.Fatal(err)
	}
	if err := store.Arrive(t.Context()); !errors.Is(err, object.ErrPrecondition) {
		t.Errorf("got %v, want ErrPrecondition", err)
	}
	if err := store.Arrive(t.Context()); err != nil {
		t.Errorf("a third: %v", err)
	}
}

// TestDieWith ends the process elsewhere.
func TestDieWith(t *testing.T) {
	dead := false
	store := objectfault.New(object.NewMemory(time.Now), objectfault.Fault{})
	store.DieWith(func() bool { return dead })
	if err := write(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	dead = true
	if err := write(t.Context(), store); !errors.Is(err, objectfault.ErrInjected) || store.Effects() != 3 {
		t.Errorf("got %v after %d effects", err, store.Effects())
	}
}

func source(t *testing.T, store object.Store) {
	t.Helper()
	if _, err := store.Put(t.Context(), "s", []byte("source"), object.PutInput{}); err != nil {
		t.Fatal(err)
	}
}

func put(c object.Condition) func(object.Store) error {
	return func(store object.Store) error {
		_, err := store.Put(context.Background(), "b", []byte("body"), object.PutInput{Condition: c})
		return err
	}
}

// upload writes b of a text and a range of s.
func upload(c object.Condition) func(object.Store) error {
	return func(store object.Store) error {
		info, err := store.Head(context.Background(), "s")
		if err != nil {
			return err
		}
		u := store.Create(context.Background(), "b", object.PutInput{Condition: c})
		_, err = u.Write([]byte("a "))
		err = errors.Join(err, u.CopyFrom(context.Background(), object.CopyInput{Key: "s", ETag: info.ETag, Offset: 1, Length: 4}))
		if err != nil {
			return err
		}
		_, err = u.Close(context.Background())
		return err
	}
}

func body(t *testing.T, store object.Reader) string {
	t.Helper()
	r, _, err := store.Get(t.Context(), "b", object.GetInput{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return string(text)
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
