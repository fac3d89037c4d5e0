package replicate_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/statestore"
)

// crowded is a table of which one partition has so many files of one row each.
func crowded(t testing.TB, files int) *bench {
	t.Helper()
	b := newBench(t, product())
	var rows [][]any
	for id := range files {
		rows = append(rows, []any{id, "a", "x"})
	}
	b.load(files, rows...)
	b.begin("id", "dept")
	b.must(b.settle())
	for id := range files {
		b.change(update(id, fmt.Sprint("moved ", id), "y"))
		b.must(b.settle())
	}
	return b
}

// TestCompactBySelf_Rule looks when a run compacts by itself: behind its merges and when nothing is new, where it is told to.
func TestCompactBySelf_Rule(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		files     int
		setting   bool
		attribute string
		want      replicate.Action
	}{
		"off":                         {files: 10, want: replicate.Idle},
		"on":                          {files: 10, setting: true, want: replicate.Compacted},
		"on, and few files":           {files: 9, setting: true, want: replicate.Idle},
		"on for this table":           {files: 10, attribute: "true", want: replicate.Compacted},
		"on, but not for this table":  {files: 10, setting: true, attribute: "false", want: replicate.Idle},
		"an attribute that cannot be": {files: 1, attribute: "yes", want: replicate.Halted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := crowded(t, tc.files)
			b.config.Compact = tc.setting
			if tc.attribute != "" {
				_, err := b.state.Update(t.Context(), statestore.Update{Path: benchPath, Set: map[string]string{statestore.Compact: tc.attribute}})
				b.must(err)
			}
			got := b.tickOn(b.lake, b.state)
			if got.Action != tc.want {
				t.Fatalf("got %s (%s), want %s", got.Action, got.Reason, tc.want)
			}
			if tc.want == replicate.Halted {
				return
			}
			live, want := b.liveFiles()["product/dept=y/"], tc.files
			if tc.want == replicate.Compacted {
				want = 1
			}
			if live != want || got.FilesEmptied != int64(tc.files-live) && live != 1 {
				t.Errorf("%d files, want %d: %+v", live, want, got)
			}
			b.must(b.wrong())
			stored := len(b.stored())
			if again := b.tickOn(b.lake, b.state); again.Action != replicate.Idle || len(b.stored()) != stored {
				t.Errorf("a run with nothing new: %+v", again)
			}
		})
	}
}

// TestCompactBySelf_BehindAMerge says "merged" and counts both.
func TestCompactBySelf_BehindAMerge(t *testing.T) {
	t.Parallel()
	b := crowded(t, 10)
	b.config.Compact = true
	b.change(insert(50, "new", "z"))
	got := b.tickOn(b.lake, b.state)
	if got.Action != replicate.Merged || got.Inputs != 1 || got.Inserts != 1 || got.FilesEmptied != 10 || got.FilesCreated != 2 || got.FilesUntouched != 0 {
		t.Errorf("got %+v", got)
	}
	b.must(b.wrong())
}

// TestCompactBySelf_ActivateSetsIt and takes it back; what is no such value is refused.
func TestCompactBySelf_ActivateSetsIt(t *testing.T) {
	t.Parallel()
	b := crowded(t, 1)
	for _, value := range []string{"true", "false", ""} {
		_, err := b.engineOn(b.lake, b.state).Activate(t.Context(), "store.product", replicate.Activation{Compact: &value})
		if b.must(err); b.item()[statestore.Compact] != value {
			t.Errorf("%q: %v", value, b.item())
		}
	}
	wrong := "sometimes"
	if _, err := b.engineOn(b.lake, b.state).Activate(t.Context(), "store.product", replicate.Activation{Compact: &wrong}); err == nil {
		t.Error("a value that cannot be is taken")
	}
}

// TestCompactBySelf_CostsAnIdleTableOneRead: its index is all that is asked.
func TestCompactBySelf_CostsAnIdleTableOneRead(t *testing.T) {
	t.Parallel()
	b := crowded(t, 9)
	b.config.Compact = true
	counting := &reads{Store: b.lake}
	if got := b.tickOn(counting, b.state); got.Action != replicate.Idle {
		t.Fatalf("got %+v", got)
	}
	if index := b.item()[statestore.Index]; len(counting.keys) != 1 || counting.keys[0] != index {
		t.Errorf("it read %v, want %s alone", counting.keys, index)
	}
}

// reads notes which objects are read.
type reads struct {
	object.Store
	keys []string
}

func (r *reads) Get(ctx context.Context, key string, in object.GetInput) (io.ReadCloser, object.Info, error) {
	r.keys = append(r.keys, key)
	return r.Store.Get(ctx, key, in)
}
