package replicate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"sluice/internal/object"
	"sluice/internal/parquetedit"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// editLake writes a lake file again as edit leaves its rows.
func (w *world) editLake(file string, edit func(rows [][]parquet.Value) [][]parquet.Value) {
	w.t.Helper()
	w.touched = true
	path := filepath.Join(w.root, "lake", file)
	body, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	open, err := parquetedit.Open(w.t.Context(), parquetedit.ReaderAt{ReaderAt: bytes.NewReader(body), N: int64(len(body))})
	if err != nil {
		w.t.Fatal(err)
	}
	rows := make([][]parquet.Value, open.NumRows())
	for c := range open.Columns() {
		for g, info := range open.RowGroups() {
			err := open.ReadColumn(w.t.Context(), g, c, func(first int64, values []parquet.Value) error {
				for i, v := range values {
					at := info.FirstRow + first + int64(i)
					rows[at] = append(rows[at], v.Clone())
				}
				return nil
			})
			if err != nil {
				w.t.Fatal(err)
			}
		}
	}
	rows = edit(rows)
	columns := make([][]parquet.Value, len(open.Columns()))
	for _, row := range rows {
		for c, v := range row {
			columns[c] = append(columns[c], v)
		}
	}
	var out bytes.Buffer
	file2, err := parquetedit.NewWriter(&out, open.Columns(), parquetedit.WriterOptions{Compression: "zstd"})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := errors.Join(file2.Write(columns), file2.Close()); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// differences writes what verify found, one line for each.
func differences(v replicate.Verification) []string {
	lines := []string{}
	for _, d := range v.Differences {
		var columns []string
		for _, c := range d.Columns {
			columns = append(columns, fmt.Sprintf("%s %s|%s", c.Column, c.Raw, c.Lake))
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s (%s)", d.Kind, d.Key, strings.Join(columns, ", "))))
	}
	return lines
}

// holding returns the lake file that holds a text, which only one does.
func (w *world) holding(text string) string {
	w.t.Helper()
	for _, file := range w.files("product") {
		body, err := os.ReadFile(filepath.Join(w.root, "lake", file))
		if err != nil {
			w.t.Fatal(err)
		}
		if bytes.Contains(body, []byte(text)) {
			return file
		}
	}
	w.t.Fatalf("no lake file holds %q", text)
	return ""
}

// TestVerify_findsDamage loads a table of two partitions, merges twice, and then does to the lake what a careless hand does.
func TestVerify_findsDamage(t *testing.T) {
	keep := func(rows [][]parquet.Value) [][]parquet.Value { return rows }
	tests := map[string]struct {
		damage func(w *world, before map[string][]byte)
		counts [4]int64 // missing, surplus, duplicates, different
		want   []string
	}{
		"nothing":                      {func(*world, map[string][]byte) {}, [4]int64{}, []string{}},
		"a file written by other hand": {func(w *world, _ map[string][]byte) { w.editLake(w.holding("ada-2"), keep) }, [4]int64{}, []string{}},
		"a row removed": {func(w *world, _ map[string][]byte) {
			w.editLake(w.holding("ada-2"), func(rows [][]parquet.Value) [][]parquet.Value { return rows[1:] })
		}, [4]int64{1, 0, 0, 0}, []string{`missing id=1 (id 1|, name "ada-2"|, dept "red"|, Op U|)`}},
		"a row changed": {func(w *world, _ map[string][]byte) {
			w.editLake(w.holding("ada-2"), func(rows [][]parquet.Value) [][]parquet.Value {
				rows[0][2] = parquet.ByteArrayValue([]byte("eve"))
				return rows
			})
		}, [4]int64{0, 0, 0, 1}, []string{`different id=1 (name "ada-2"|"eve")`}},
		"an op changed": {func(w *world, _ map[string][]byte) {
			w.editLake(w.holding("ada-2"), func(rows [][]parquet.Value) [][]parquet.Value {
				rows[0][0] = parquet.ByteArrayValue([]byte("I"))
				return rows
			})
		}, [4]int64{0, 0, 0, 1}, []string{`different id=1 (Op U|I)`}},
		"a row doubled": {func(w *world, _ map[string][]byte) {
			w.editLake(w.holding("ada-2"), func(rows [][]parquet.Value) [][]parquet.Value { return append(rows, rows[0]) })
		}, [4]int64{0, 0, 1, 0}, []string{`duplicate id=1 ()`}},
		"a file deleted": {func(w *world, _ map[string][]byte) {
			w.drop("lake", w.holding("cyd"))
		}, [4]int64{1, 0, 0, 0}, []string{`missing id=3 (id 3|, name "cyd"|, dept "blue"|, Op I|)`}},
		"a file copied": {func(w *world, _ map[string][]byte) {
			w.put("lake", "product/dept=blue/copy.parquet", w.bytes("lake", w.holding("cyd")))
		}, [4]int64{0, 0, 1, 0}, []string{`duplicate id=3 ()`}},
		"a file moved to another partition": {func(w *world, _ map[string][]byte) {
			from := w.holding("cyd")
			w.put("lake", strings.Replace(from, "blue", "red", 1), w.bytes("lake", from))
			w.drop("lake", from)
		}, [4]int64{0, 0, 0, 1}, []string{`different id=3 (dept "blue"|"red")`}},
		"an older version of a file": {func(w *world, before map[string][]byte) {
			file := w.holding("ada-2")
			w.put("lake", file, before[file])
		}, [4]int64{0, 1, 0, 1}, []string{`different id=1 (name "ada-2"|"ada", Op U|I)`, `surplus id=2 (id |2, name |"bob", dept |"red", Op |I)`}},
		"an old file beside the new ones": {func(w *world, before map[string][]byte) {
			w.put("lake", "product/dept=red/part-000000000001-9-0123abcd.parquet", before[w.holding("ada-2")])
		}, [4]int64{0, 1, 1, 0}, []string{`duplicate id=1 (name "ada-2"|"ada", Op U|I)`, `surplus id=2 (id |2, name |"bob", dept |"red", Op |I)`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.load(product(), []any{1, "ada", "red"}, []any{2, "bob", "red"}, []any{3, "cyd", "blue"})
			w.activate("store.product", "id", "dept")
			w.run("store.product", replicate.Loaded)
			before := map[string][]byte{}
			for _, file := range w.files("product") {
				before[file] = w.bytes("lake", file)
			}
			w.change(product(), update(1, "ada-1", "red"), insert(4, "dan", "green"))
			w.change(product(), update(1, "ada-2", "red"), remove(2, "bob", "red"))
			w.run("store.product", replicate.Merged)
			tt.damage(w, before)
			v := w.verify("store.product")
			if got := [4]int64{v.Missing, v.Surplus, v.Duplicates, v.Different}; got != tt.counts {
				t.Errorf("missing, surplus, duplicates, different: got %v, want %v", got, tt.counts)
			}
			if v.Equal != (len(tt.want) == 0) || !v.Complete {
				t.Errorf("got equal %v, complete %v (%s)", v.Equal, v.Complete, v.Reason)
			}
			if diff := cmp.Diff(tt.want, differences(v)); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
		})
	}
}

// TestVerify_keyless counts rows: it has no key to tell which of them is which.
func TestVerify_keyless(t *testing.T) {
	w := newWorld(t)
	w.load(product(), []any{1, "a", "x"}, []any{1, "a", "x"})
	w.activate("store.product", "null", "")
	w.run("store.product", replicate.Loaded)
	w.change(product(), insert(1, "a", "x"), insert(2, "b", "y"), update(2, "c", "y"))
	w.run("store.product", replicate.Merged)
	if v := w.verify("store.product"); !v.Well() || v.RowsRaw != 4 {
		t.Fatalf("got %+v", v)
	}
	for _, file := range w.files("product") {
		w.editLake(file, func(rows [][]parquet.Value) [][]parquet.Value { return append(rows, rows[0]) })
	}
	v := w.verify("store.product")
	if v.Equal || v.Duplicates != int64(len(w.files("product"))) || !strings.HasPrefix(differences(v)[0], "duplicate") {
		t.Errorf("got %+v", v)
	}
}

// TestVerify_whatRawLacks removes or changes what the lake was made from: nothing is said against the lake then.
func TestVerify_whatRawLacks(t *testing.T) {
	const load = "store/product/LOAD00000001.parquet"
	tests := map[string]struct {
		do   func(w *world, first, second string)
		gone []string // with FIRST and SECOND for the change files
	}{
		"nothing":                            {func(*world, string, string) {}, nil},
		"a change file gone":                 {func(w *world, first, _ string) { w.removeRaw(first) }, []string{"FIRST"}},
		"the full load gone":                 {func(w *world, _, _ string) { w.removeRaw(load) }, []string{load}},
		"the full load dated anew":           {func(w *world, _, _ string) { w.pass(time.Hour); w.dateRaw(load, w.now()) }, nil},
		"a new full load that nobody loaded": {func(w *world, _, _ string) { w.pass(time.Hour); w.load(product(), []any{7, "g", ""}) }, []string{load + " (replaced; sluice run loads the new one)"}},
		"a change file written again": {func(w *world, _, second string) {
			w.put("raw", second, w.bytes("raw", w.changeAt(product(), w.now().Add(time.Hour), update(1, "z", ""))))
		}, []string{"SECOND (written again since; sluice run merges it)"}},
		"a change file that waits": {func(w *world, _, _ string) { w.change(product(), update(1, "z", "")) }, nil},
		"expired, as the commits' plans know": {func(w *world, first, _ string) {
			w.pass(8 * day)
			w.removeRaw(first)
			w.run("store.product", replicate.Idle)
		}, []string{"FIRST"}},
		"a full load that expired": {func(w *world, _, _ string) {
			w.pass(8 * day)
			w.removeRaw(load)
			w.run("store.product", replicate.Idle)
		}, []string{load, "the full load of 2026-03-14 12:00:00"}},
		"gone and acknowledged": {func(w *world, _, second string) {
			w.removeRaw(second)
			w.haltsWith("vanished")
			w.accept("")
			w.run("store.product", replicate.Idle)
		}, []string{"SECOND"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start([]any{1, "a", ""}, []any{2, "b", ""})
			first, second := w.mergedChange(1, "c"), w.mergedChange(2, "d")
			tt.do(w, first, second)
			v := w.verify("store.product")
			var want []string
			for _, text := range tt.gone {
				want = append(want, strings.NewReplacer("FIRST", first, "SECOND", second).Replace(text))
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, v.Gone); diff != "" {
				t.Errorf("gone (-want +got):\n%s", diff)
			}
			if well := len(want) == 0; v.Well() != well || well == (v.Reason != "") || v.RowsRaw != map[bool]int64{true: 2}[well] {
				t.Errorf("got equal %v, complete %v, %d rows, reason %q", v.Equal, v.Complete, v.RowsRaw, v.Reason)
			}
		})
	}
}

// TestVerify_whatCounts has change files that were consumed and are not in the lake, now and when no ledger knows them any more.
func TestVerify_whatCounts(t *testing.T) {
	tests := map[string]func(t *testing.T) *world{
		"older than the load": func(t *testing.T) *world {
			t.Helper()
			w := newWorld(t)
			w.change(product(), insert(1, "old", ""), insert(5, "old", ""))
			w.pass(time.Minute)
			w.start([]any{1, "a", ""})
			return w
		},
		"older than a reload": func(t *testing.T) *world {
			t.Helper()
			w := newWorld(t)
			w.start([]any{1, "a", ""})
			w.mergedChange(1, "b")
			w.mergedChange(2, "c")
			w.pass(time.Hour)
			w.load(product(), []any{1, "new", ""})
			w.run("store.product", replicate.Loaded)
			return w
		},
		"came late": func(t *testing.T) *world {
			t.Helper()
			w := newWorld(t)
			w.start([]any{1, "a", ""}, []any{2, "b", ""})
			w.mergedChange(1, "c")
			w.changeAt(product(), w.now().Add(-30*time.Second), update(1, "late", ""), update(2, "late", ""))
			w.run("store.product", replicate.Merged)
			return w
		},
		"came too late and left out": func(t *testing.T) *world {
			t.Helper()
			w, _ := lateBelow(t, 20*day)
			w.pass(day)
			w.haltsWith("late")
			w.accept("")
			w.run("store.product", replicate.Idle)
			return w
		},
		"emptied with the table": func(t *testing.T) *world {
			t.Helper()
			w := emptied(t)
			w.accept("truncate")
			w.run("store.product", replicate.Merged)
			return w
		},
		"without a full load": func(t *testing.T) *world {
			t.Helper()
			w := newWorld(t)
			w.change(product(), insert(1, "a", ""))
			w.activate("store.product", "id", "")
			w.run("store.product", replicate.Merged)
			return w
		},
	}
	for name, begin := range tests {
		t.Run(name, func(t *testing.T) {
			w := begin(t)
			for _, later := range []time.Duration{0, 8 * day, 30 * day} {
				w.pass(later)
				w.mergedChange(3, "x"+fmt.Sprint(later))
				if v := w.verify("store.product"); !v.Well() || v.RowsRaw == 0 {
					t.Errorf("%s later: %+v", later, v)
				}
			}
		})
	}
}

// TestVerify_pending says that a commit is to be finished first.
func TestVerify_pending(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.die()
	v := w.verify(storyTable)
	if v.Well() || !strings.HasPrefix(v.Reason, "pending: ") || !strings.Contains(v.Reason, "sluice run") {
		t.Errorf("got %+v", v)
	}
	w.run(storyTable, replicate.Merged)
	if v := w.verify(storyTable); !v.Well() {
		t.Errorf("got %+v", v)
	}
}

// readOnly is a bucket that refuses every write, and calls read before each Get of a Parquet file.
type readOnly struct {
	replicate.Objects

	t    testing.TB
	read func(key string)
}

func (s readOnly) Put(_ context.Context, key string, _ []byte, _ object.PutInput) (object.Info, error) {
	s.t.Errorf("verify writes %s", key)
	return object.Info{}, object.ErrDenied
}

func (s readOnly) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	s.t.Errorf("verify writes %s", key)
	return s.Objects.Create(ctx, key, in)
}

func (s readOnly) Get(ctx context.Context, key string, in object.GetInput) (io.ReadCloser, object.Info, error) {
	if s.read != nil && strings.HasSuffix(key, ".parquet") {
		s.read(key)
	}
	return s.Objects.Get(ctx, key, in)
}

// TestVerify_writesNothing verifies a lake that is right, and one that is not.
func TestVerify_writesNothing(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "a", ""})
	w.mergedChange(1, "b")
	item := maps.Clone(w.item(productPath))
	store := w.objects["lake"]
	for _, bucket := range []string{"raw", "lake"} {
		w.objects[bucket] = readOnly{Objects: w.objects[bucket], t: t}
	}
	before := w.snapshot("")
	if v := w.verify("store.product"); !v.Well() {
		t.Errorf("got %+v", v)
	}
	if diff := cmp.Diff(before, w.snapshot("")); diff != "" {
		t.Errorf("the lake (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(item, w.item(productPath)); diff != "" {
		t.Errorf("the control item (-before +after):\n%s", diff)
	}
	w.editLake(w.files("product")[0], func(rows [][]parquet.Value) [][]parquet.Value { return rows[:0] })
	if v := w.verify("store.product"); v.Missing != 1 {
		t.Errorf("got %+v", v)
	}
	w.objects["lake"] = store
}

// TestVerify_whileRunsCommit has a merge committed while the lake is read: once, then again and again.
func TestVerify_whileRunsCommit(t *testing.T) {
	for name, tt := range map[string]struct {
		merges int
		busy   bool
	}{"once": {1, false}, "again and again": {100, true}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start([]any{1, "a", ""})
			left, store := tt.merges, w.objects["lake"]
			var merging sync.Mutex
			var watched readOnly
			watched = readOnly{Objects: store, t: t, read: func(string) {
				if !merging.TryLock() {
					return
				}
				defer merging.Unlock()
				if left--; left >= 0 {
					w.objects["lake"] = store
					w.mergedChange(1, fmt.Sprint("v", left))
					w.objects["lake"] = watched
				}
			}}
			w.objects["lake"] = watched
			v := w.verify("store.product")
			if tt.busy != strings.HasPrefix(v.Reason, "busy: ") || v.Well() == tt.busy {
				t.Errorf("got %+v", v)
			}
			w.objects["lake"] = store
		})
	}
}

// TestVerify_unknownTable is wrong usage, and registers nothing.
func TestVerify_unknownTable(t *testing.T) {
	w := newWorld(t)
	w.load(product(), []any{1, "a", ""})
	o := replicate.VerifyOptions{MemoryBytes: replicate.MinVerifyBytes}
	if _, err := w.engine().Verify(t.Context(), "store.product", o); !errors.Is(err, replicate.ErrUsage) {
		t.Errorf("got %v", err)
	}
	if tables, err := w.engine().Tables(t.Context()); err != nil || len(tables) > 0 {
		t.Errorf("registered %v, %v", tables, err)
	}
	w.activate("store.product", "id", "")
	if v := w.verify("store.product"); !v.Well() || v.RowsRaw != 0 || v.Waiting != 0 {
		t.Errorf("before the first run: %+v", v)
	}
	o.MemoryBytes--
	if _, err := w.engine().Verify(t.Context(), "store.product", o); !errors.Is(err, replicate.ErrUsage) {
		t.Errorf("got %v", err)
	}
}

// TestVerify_orderColumn leaves keys open that were deleted and then written with a lower value.
func TestVerify_orderColumn(t *testing.T) {
	for name, together := range map[string]bool{"one run": true, "a run each": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			table := ordered("int")
			w.startOrdered(table, []any{1, "a", 5}, []any{2, "b", 5})
			for _, c := range []dmsgen.Change{update(1, "stale", 4), remove(2, "b", 7), insert(2, "again", 6), update(1, "b", 9)} {
				w.change(table, c)
				if !together {
					w.run("store.ordered", replicate.Merged)
				}
			}
			if together {
				w.run("store.ordered", replicate.Merged)
			}
			if v := w.verify("store.ordered"); !v.Well() || v.Undecided != 1 {
				t.Errorf("got %+v", v)
			}
		})
	}
}

// TestVerify_rekeyed changes the key in the middle: nobody is to blame for what differs.
func TestVerify_rekeyed(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "a", "x"}, []any{2, "c", "x"})
	w.mergedChange(1, "b")
	w.activate("store.product", "name", "")
	w.change(product(), update(3, "d", "y"))
	w.run("store.product", replicate.Merged)
	v := w.verify("store.product")
	if v.Equal || v.Complete || !strings.Contains(v.Reason, "PrimaryKey was changed") {
		t.Errorf("got %+v", v)
	}
	w.pass(time.Hour)
	w.load(product(), []any{1, "a", "x"})
	w.run("store.product", replicate.Loaded)
	w.change(product(), update(3, "a", "y"))
	w.run("store.product", replicate.Merged)
	if v := w.verify("store.product"); !v.Well() || v.RowsRaw != 1 {
		t.Errorf("behind a reload: %+v", v)
	}
}

// TestVerify_adopted compares a lake that the ancestor made: its Op is the ancestor's, its Op column may be the last.
func TestVerify_adopted(t *testing.T) {
	w := newWorld(t)
	table := sale()
	table.Columns = table.Columns[:3]
	w.spark("part-00000.snappy.parquet", 1, 2)
	w.load(table, []any{1, "a", soldAt()}, []any{2, "b", soldAt()})
	w.adopt(nil)
	for _, when := range []string{"before the first run", "behind it"} {
		v := w.verify("store.sale")
		if !v.Equal || !v.Complete || v.OpCompared || v.RowsLake != 2 {
			t.Errorf("%s: %+v", when, v)
		}
		w.run("store.sale", replicate.Idle)
	}
	w.touched = true
	w.spark("part-00001.snappy.parquet", 2)
	v := w.verify("store.sale")
	if v.Equal || v.Complete || v.Duplicates != 1 || !strings.Contains(v.Reason, "nothing tells") {
		t.Errorf("got %+v", v)
	}
	if got := w.item(salePath)[statestore.LoadFingerprint]; got == "" {
		t.Error("the table was not adopted")
	}
}
