package replicate_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
	"sluice/statestore"
)

// world is a raw bucket, a lake bucket and a control table in the simulated
// time of one test. Buckets are directories, so that DuckDB can read the lake.
type world struct {
	t       testing.TB
	root    string
	mu      sync.Mutex
	clock   time.Time
	slept   []time.Duration
	objects map[string]replicate.Objects
	state   statestore.Store
	config  replicate.Config
	ticker  func() map[string]replicate.Result // how ticks are made; nil = by an engine's Run
	touched bool                               // the test wrote to the lake, which is then not what the inputs say
	cramped int64                              // bytes for merges, which are folded in parts; 0 = as configured
}

// noon is when the tests' worlds begin.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// newWorld returns a world with empty buckets "raw" and "lake", settle and quiet times of zero.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, root: t.TempDir(), clock: noon, objects: map[string]replicate.Objects{}}
	for _, bucket := range []string{"raw", "lake"} {
		dir := filepath.Join(w.root, bucket)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		w.objects[bucket] = object.NewDirectory(dir)
	}
	w.state = statestore.New(statestore.NewMemory(w.now))
	settings := replicate.DefaultSettings()
	settings.Settle, settings.FullLoadQuiet = 0, 0
	w.config = replicate.Config{RawBucket: "raw", LakeBucket: "lake", Schema: "*", Owner: "test", Settings: settings}
	t.Cleanup(w.agree)
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

// sleep takes no time, and remembers what it would have taken.
func (w *world) sleep(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slept = append(w.slept, d)
	return ctx.Err()
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// engine returns an engine on the world as it is configured now.
func (w *world) engine() *replicate.Engine {
	w.t.Helper()
	e, err := replicate.New(w.config, replicate.Stores{
		Objects: func(_ context.Context, bucket string) (replicate.Objects, error) {
			store, ok := w.objects[bucket]
			if !ok {
				return nil, fmt.Errorf("%w: %s", object.ErrNoBucket, bucket)
			}
			return store, nil
		},
		State: w.state, Now: w.now, Sleep: w.sleep,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if w.cramped > 0 {
		replicate.Cramped(e, w.cramped)
	}
	return e
}

// tick runs once and returns the results by table.
func (w *world) tick() map[string]replicate.Result {
	w.t.Helper()
	if w.ticker != nil {
		return w.ticker()
	}
	results := map[string]replicate.Result{}
	if err := w.engine().Run(w.t.Context(), func(r replicate.Result) { results[r.Table] = r }); err != nil {
		w.t.Fatalf("tick: %v", err)
	}
	return results
}

// run ticks and returns the result of one table, which has to have the action.
func (w *world) run(table string, want replicate.Action) replicate.Result {
	w.t.Helper()
	got, ok := w.tick()[table]
	if !ok {
		w.t.Fatalf("tick said nothing of %s", table)
	}
	if got.Action != want {
		w.t.Fatalf("%s: action %s (%s), want %s", table, got.Action, got.Reason, want)
	}
	return got
}

// agree holds what the test left in the lake against the inputs, by a fold that has nothing in common with the one that
// wrote it: wherever raw still has everything, and no commit is pending, verify finds nothing.
func (w *world) agree() {
	if w.t.Failed() || w.touched {
		return
	}
	e := w.engine()
	tables, err := e.Tables(context.Background())
	if err != nil {
		return // the test broke the control table
	}
	for _, t := range tables {
		v, err := e.Verify(context.Background(), t.Path, replicate.VerifyOptions{MemoryBytes: replicate.MinVerifyBytes, Differences: 10})
		if err == nil && v.Complete && !v.Equal {
			w.t.Errorf("verify: %+v", v)
		}
	}
}

// verify verifies a table in the least memory.
func (w *world) verify(table string) replicate.Verification {
	w.t.Helper()
	v, err := w.engine().Verify(w.t.Context(), table, replicate.VerifyOptions{MemoryBytes: replicate.MinVerifyBytes, Differences: 10})
	if err != nil {
		w.t.Fatalf("verify %s: %v", table, err)
	}
	return v
}

// activate registers what is new and activates a table; key and partition are comma lists, "" = none.
func (w *world) activate(table, key, partition string) {
	w.t.Helper()
	_, err := w.engine().Activate(w.t.Context(), table, replicate.Activation{PrimaryKey: &key, PartitionKey: &partition})
	if err != nil {
		w.t.Fatalf("activate %s: %v", table, err)
	}
}

// set changes attributes of a control item as an operator does in the console.
func (w *world) set(path string, attributes map[string]string) {
	w.t.Helper()
	if _, err := w.state.Update(w.t.Context(), statestore.Update{Path: path, Set: attributes}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) item(path string) statestore.Item {
	w.t.Helper()
	item, err := w.state.Read(w.t.Context(), path)
	if err != nil {
		w.t.Fatal(err)
	}
	return item
}

// writer returns a DMS writer into the raw bucket. Files are dated by the world's clock, see dated.
func (w *world) writer(s dmsgen.Settings) *dmsgen.Writer {
	w.t.Helper()
	out, err := dmsgen.NewWriter(dmsgen.Directory(filepath.Join(w.root, "raw")), s)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// load writes a full load of a table, dated now.
func (w *world) load(t dmsgen.Table, rows ...[]any) {
	w.t.Helper()
	out, err := w.writer(dmsgen.DefaultSettings()).StartLoad(t, w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, row := range rows {
		if err := out.Append(w.t.Context(), row); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := out.Close(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// change lets a minute pass and writes one CDC file, named and dated by the clock. It returns its key.
func (w *world) change(t dmsgen.Table, changes ...dmsgen.Change) string {
	w.t.Helper()
	w.pass(time.Minute)
	return w.changeAt(t, w.now(), changes...)
}

// changeAt writes one CDC file named and dated by the time given.
func (w *world) changeAt(t dmsgen.Table, at time.Time, changes ...dmsgen.Change) string {
	w.t.Helper()
	keys, err := w.writer(dmsgen.DefaultSettings()).WriteBatches(w.t.Context(), t, at, changes)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(keys) != 1 {
		w.t.Fatalf("wrote %d CDC files, want 1", len(keys))
	}
	return keys[0]
}

// rows returns what DuckDB reads in a table's lake folder (out_path + folder,
// below the lake bucket), ordered by the columns asked for, one text a row.
func (w *world) rows(folder, columns string) []string {
	w.t.Helper()
	glob := filepath.Join(w.root, "lake", folder, "**", "*.parquet")
	if len(w.files(folder)) == 0 {
		return nil
	}
	var rows []string
	sql := fmt.Sprintf("select %s from read_parquet(?, hive_partitioning=true, union_by_name=true) order by all", columns)
	for _, row := range rig.DuckDB(w.t).Query(sql, glob) {
		texts := make([]string, len(row))
		for i, v := range row {
			texts[i] = rig.Text(v)
		}
		rows = append(rows, strings.Join(texts, " "))
	}
	return rows
}

// files returns the lake files of a folder, relative to the lake bucket, sorted.
func (w *world) files(folder string) []string {
	w.t.Helper()
	var files []string
	root := filepath.Join(w.root, "lake")
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(root, path)
			files = append(files, rel)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(files)
	return files
}

// product is a small table that many tests use.
func product() dmsgen.Table {
	return dmsgen.Table{
		Schema: "store", Name: "product", Key: []string{"id"},
		Columns: []dmsgen.Column{{Name: "id", Type: "int"}, {Name: "name", Type: "text"}, {Name: "dept", Type: "text"}},
	}
}

func insert(row ...any) dmsgen.Change { return dmsgen.Change{Op: dmsgen.Insert, Row: row} }
func update(row ...any) dmsgen.Change { return dmsgen.Change{Op: dmsgen.Update, Row: row} }
func remove(row ...any) dmsgen.Change { return dmsgen.Change{Op: dmsgen.Delete, Row: row} }
