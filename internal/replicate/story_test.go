package replicate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/scripts/rig"
)

// story is the life of the table store.t in SQL: what its inputs hold, and what DuckDB then reads of its lake.
type story struct {
	key, partition string
	loads          []string // a query for each LOAD file; none = there is no full load
	changes        []string // a query for each CDC file, all of them there before one run
	columns        string   // what is selected of the lake
	want           []string
}

const (
	storyTable  = "store.t"
	storyPath   = "raw/store/t/"
	storyFolder = "t"
)

// play loads and merges in two runs, compares the lake, and returns the last result.
func (s story) play(t *testing.T) (*world, replicate.Result) {
	t.Helper()
	w := newWorld(t)
	got := w.begin(s.key, s.partition, s.loads...)
	for _, query := range s.changes {
		w.changeOf(query)
	}
	if len(s.changes) > 0 {
		got = w.run(storyTable, replicate.Merged)
	}
	w.wantRows(s.columns, s.want...)
	return w, got
}

// begin writes the full load, registers and activates the table and runs once.
// Without a full load it writes a CDC file without rows to make the folder.
func (w *world) begin(key, partition string, loads ...string) replicate.Result {
	w.t.Helper()
	for n, query := range loads {
		w.loadOf(n+1, query)
	}
	if len(loads) == 0 {
		w.changeOf(`select 'I' as "Op", 1 as id limit 0`)
		w.run(storyTable, replicate.Registered)
		w.activate(storyTable, key, partition)
		return replicate.Result{}
	}
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, key, partition)
	return w.run(storyTable, replicate.Loaded)
}

// write makes a Parquet file of a query at a key of a bucket, dated now.
func (w *world) write(bucket, key, query string) {
	w.t.Helper()
	w.touched = w.touched || bucket == "lake"
	path := filepath.Join(w.root, bucket, key)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	quoted := strings.ReplaceAll(path, "'", "''")
	rig.DuckDB(w.t).Query(fmt.Sprintf("copy (%s) to '%s' (format parquet)", query, quoted))
	w.date(path)
}

// put writes bytes at a key of a bucket, dated now.
func (w *world) put(bucket, key string, body []byte) {
	w.t.Helper()
	w.touched = w.touched || bucket == "lake"
	path := filepath.Join(w.root, bucket, key)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, body, 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.date(path)
}

// bytes returns what lies at a key of a bucket.
func (w *world) bytes(bucket, key string) []byte {
	w.t.Helper()
	body, err := os.ReadFile(filepath.Join(w.root, bucket, key))
	if err != nil {
		w.t.Fatal(err)
	}
	return body
}

func (w *world) drop(bucket, key string) {
	w.t.Helper()
	w.touched = w.touched || bucket == "lake"
	if err := os.Remove(filepath.Join(w.root, bucket, key)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) date(path string) {
	w.t.Helper()
	if err := os.Chtimes(path, w.now(), w.now()); err != nil {
		w.t.Fatal(err)
	}
}

// loadOf writes the n-th LOAD file of store.t and returns its key.
func (w *world) loadOf(n int, query string) string {
	w.t.Helper()
	key := fmt.Sprintf("store/t/LOAD%08X.parquet", n)
	w.write("raw", key, query)
	return key
}

// changeOf lets a minute pass, writes a CDC file of store.t and returns its key.
func (w *world) changeOf(query string) string {
	w.t.Helper()
	w.pass(time.Minute)
	key := "store/t/" + w.now().Format("20060102-150405") + "000.parquet"
	w.write("raw", key, query)
	return key
}

func (w *world) wantRows(columns string, want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.rows(storyFolder, columns)); diff != "" {
		w.t.Errorf("lake (-want +got):\n%s", diff)
	}
}

// wantHalt runs and wants store.t halted with the code, and each text in the reason.
func (w *world) wantHalt(code string, texts ...string) replicate.Result {
	w.t.Helper()
	got := w.run(storyTable, replicate.Halted)
	if !strings.HasPrefix(got.Reason, code+": ") {
		w.t.Errorf("halt %q, want code %s", got.Reason, code)
	}
	for _, text := range texts {
		if !strings.Contains(got.Reason, text) {
			w.t.Errorf("halt %q says nothing of %q", got.Reason, text)
		}
	}
	return got
}

func (w *world) acknowledge(accept string) {
	w.t.Helper()
	if _, err := w.engine().Acknowledge(w.t.Context(), storyTable, accept); err != nil {
		w.t.Fatalf("acknowledge --accept %q: %v", accept, err)
	}
}

// rowsOf is SQL for the given rows: of("id, name", "1, 'a'", "2, 'b'").
func rowsOf(columns string, rows ...string) string {
	return fmt.Sprintf("select * from (values (%s)) r(%s)", strings.Join(rows, "), ("), columns)
}
