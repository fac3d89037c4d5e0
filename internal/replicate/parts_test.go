package replicate_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// cramped is so little memory that a merge of a few rows does not fit.
const cramped = 3 << 10

// manyChanges are changes of all kinds to a table of 200 products, many of them of one key.
func manyChanges() []dmsgen.Change {
	rng := rand.New(rand.NewPCG(5, 5))
	var changes []dmsgen.Change
	for range 400 {
		id, dept := rng.IntN(300), fmt.Sprint("d", rng.IntN(3))
		switch rng.IntN(3) {
		case 0:
			changes = append(changes, remove(id, nil, nil))
		case 1:
			changes = append(changes, insert(id, fmt.Sprint("new ", rng.IntN(50)), dept))
		default:
			changes = append(changes, update(id, fmt.Sprint("old ", id), dept))
		}
	}
	return changes
}

// TestWhatDoesNotFitIsOneCommitAndTheSame: a change file that memory does not hold was merged whole nevertheless. Now it is folded
// in parts, and neither the commit nor the lake shows it.
func TestWhatDoesNotFitIsOneCommitAndTheSame(t *testing.T) {
	for name, settings := range map[string][2]string{"keyed": {"id", ""}, "partitioned": {"id", "dept"}, "key-less": {"", "dept"}} {
		t.Run(name, func(t *testing.T) {
			type outcome struct {
				result  replicate.Result
				seq     string
				rows    []string
				changes []byte
			}
			var outcomes [2]outcome
			for i := range outcomes {
				w := newWorld(t)
				var rows [][]any
				for id := range 200 {
					rows = append(rows, []any{id, fmt.Sprint("old ", id), fmt.Sprint("d", id%3)})
				}
				w.load(product(), rows...)
				w.run("store.product", replicate.Registered)
				w.activate("store.product", settings[0], settings[1])
				w.run("store.product", replicate.Loaded)
				w.cramped = []int64{0, cramped}[i]
				w.change(product(), manyChanges()...)
				o := &outcomes[i]
				o.result = w.run("store.product", replicate.Merged)
				o.result.Seconds, o.result.BytesRead, o.result.BytesWritten, o.result.BytesCopied = 0, 0, 0, 0
				o.seq = w.item("raw/store/product/")[statestore.Seq]
				o.rows = w.rows("product", "*")
				objects, err := filepath.Glob(filepath.Join(w.root, "lake", "_sluice", "product", "commits", "*.changes.parquet"))
				if err != nil || len(objects) != 1 {
					t.Fatalf("changes objects %q, %v", objects, err)
				}
				if o.changes, err = os.ReadFile(objects[0]); err != nil {
					t.Fatal(err)
				}
			}
			if outcomes[0].seq != statestore.FormatSeq(2) {
				t.Errorf("seq %s: not one load and one merge", outcomes[0].seq)
			}
			if diff := cmp.Diff(outcomes[0], outcomes[1], cmp.AllowUnexported(outcome{})); diff != "" {
				t.Error("−whole +in parts:\n", diff)
			}
		})
	}
}

// TestChangesBeyondBatchBytesAreOneCommit: changes of all keys, in files that --batch-bytes does not hold together, were a commit for
// each part of them, which wrote every lake file again. Now they are folded in parts, up to five times as many.
func TestChangesBeyondBatchBytesAreOneCommit(t *testing.T) {
	const each = 7_000 // changes of a file, somewhat less than --batch-bytes
	for files, commits := range map[int]int{2: 1, 6: 1, 10: 2} {
		t.Run(fmt.Sprintf("%d files", files), func(t *testing.T) {
			w := newWorld(t)
			w.config.BatchBytes = 1 << 20
			var rows [][]any
			for id := range each {
				rows = append(rows, []any{id, "old", "x"})
			}
			w.load(product(), rows...)
			w.run("store.product", replicate.Registered)
			w.activate("store.product", "id", "")
			w.run("store.product", replicate.Loaded)
			for n := range files {
				var changes []dmsgen.Change
				for id := range each {
					changes = append(changes, update(id, fmt.Sprint("version ", n), "x"))
				}
				w.change(product(), changes...)
			}
			got := w.run("store.product", replicate.Merged)
			if got.Inputs != int64(files) || got.Changes != int64(files*each) || got.Updates != int64(commits*each) {
				t.Errorf("%d inputs, %d changes, %d updates", got.Inputs, got.Changes, got.Updates)
			}
			if got, want := w.item("raw/store/product/")[statestore.Seq], statestore.FormatSeq(uint64(1+commits)); got != want {
				t.Errorf("seq %s, want %s", got, want)
			}
			want := fmt.Sprintf("version %d %d", files-1, each)
			if got := w.rows("product", "name, count(*) over ()"); len(got) != each || got[0] != want || got[each-1] != want {
				t.Errorf("%d rows, the first %q, want %q", len(got), got[0], want)
			}
		})
	}
}

// staleOnce answers the n-th Get of large objects as a store does whose object was written again.
type staleOnce struct {
	replicate.Objects
	gets, at atomic.Int64
}

func (s *staleOnce) Get(ctx context.Context, key string, in object.GetInput) (io.ReadCloser, object.Info, error) {
	if s.gets.Add(1) == s.at.Load() {
		return nil, object.Info{}, fmt.Errorf("get %s: %w", key, object.ErrPrecondition)
	}
	return s.Objects.Get(ctx, key, in)
}

// TestAnInputWrittenAgainWhileItIsFoldedInParts, also when the plan is made and its rows are read for the last time: nothing
// is binding yet, so the run looks again.
func TestAnInputWrittenAgainWhileItIsFoldedInParts(t *testing.T) {
	fill := func(w *world) *staleOnce {
		w.cramped = 2 << 20
		w.load(product(), []any{1, "lamp", "x"})
		w.run("store.product", replicate.Registered)
		w.activate("store.product", "id", "")
		w.run("store.product", replicate.Loaded)
		rng := rand.New(rand.NewPCG(1, 1))
		var changes []dmsgen.Change
		for id := range 800 { // more than is fetched by one request
			name := make([]byte, 12_000)
			for i := range name {
				name[i] = 'a' + byte(rng.IntN(26))
			}
			changes = append(changes, insert(id, string(name), "y"))
		}
		w.change(product(), changes...)
		s := &staleOnce{Objects: w.objects["raw"]}
		w.objects["raw"] = s
		return s
	}
	w := newWorld(t)
	counted := fill(w)
	w.run("store.product", replicate.Merged)
	want := w.rows("product", "*")
	if len(want) != 800 {
		t.Fatalf("%d rows", len(want))
	}
	all := counted.gets.Load()
	for _, at := range []int64{1, all / 2, all} {
		t.Run(fmt.Sprintf("read %d of %d", at, all), func(t *testing.T) {
			w := newWorld(t)
			fill(w).at.Store(at)
			w.run("store.product", replicate.Merged)
			if diff := cmp.Diff(want, w.rows("product", "*")); diff != "" {
				t.Error("rows, −want +got:\n", diff)
			}
		})
	}
}
