package objecttest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"sluice/internal/object"
)

const racers = 20

func raceCases() []testCase {
	var cases []testCase
	for _, w := range writers() {
		cases = append(cases,
			testCase{"race to create by " + w.name, func(e env) {
				t, store := e.T, e.store
				race(t, store, w, object.Condition{IfNoneMatch: true})
			}},
			testCase{"race to replace by " + w.name, func(e env) {
				t, store := e.T, e.store
				race(t, store, w, object.Condition{IfMatch: put(t, store, "a", "old").ETag})
			}})
	}
	return cases
}

// race lets many write the same key under the same condition: one wins, all others are told that they did not.
func race(t *testing.T, store object.Store, w writer, c object.Condition) {
	t.Helper()
	infos, errs := make([]object.Info, racers), make([]error, racers)
	start := make(chan struct{})
	var done sync.WaitGroup
	for i := range racers {
		done.Go(func() {
			<-start
			infos[i], errs[i] = w.write(t, store, write{"a", fmt.Sprintf("body %2d", i), c})
		})
	}
	close(start)
	done.Wait()
	winners := 0
	for i, err := range errs {
		if err != nil {
			wantError(t, fmt.Sprintf("racer %d", i), err, object.ErrPrecondition)
			continue
		}
		winners++
		body, info := get(t, store, "a", object.GetInput{})
		if string(body) != fmt.Sprintf("body %2d", i) || info.ETag != infos[i].ETag {
			t.Errorf("racer %d won as %s, but there is %q as %s", i, infos[i].ETag, body, info.ETag)
		}
	}
	if winners != 1 {
		t.Errorf("got %d winners, want 1", winners)
	}
}

// RunDeleteRace lets a conditional deletion and a conditional replacement race: one wins. It is not a part of Run,
// because versitygw 1.8.0, which stands in for S3 in tests, compares and removes in two steps and lets both win.
func RunDeleteRace(t *testing.T, store object.Store) {
	t.Helper()
	for range 10 {
		etag := put(t, store, "a", "old").ETag
		var deleted, written error
		var done sync.WaitGroup
		done.Go(func() { deleted = store.Delete(t.Context(), "a", etag) })
		done.Go(func() {
			in := object.PutInput{Condition: object.Condition{IfMatch: etag}}
			_, written = store.Put(t.Context(), "a", []byte("new"), in)
		})
		done.Wait()
		_, err := store.Head(t.Context(), "a")
		switch {
		case (deleted == nil) == (written == nil):
			t.Errorf("delete: %v, put: %v, want one winner", deleted, written)
		case deleted == nil:
			wantError(t, "head after delete", err, object.ErrNotFound)
		case err != nil || !errors.Is(deleted, object.ErrPrecondition):
			t.Errorf("delete: %v, head: %v", deleted, err)
		}
	}
}
