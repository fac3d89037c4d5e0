package replicate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
)

const productPath = "raw/store/product/"

// start loads product with the rows, activates it and runs: the lake equals the rows.
func (w *world) start(rows ...[]any) {
	w.t.Helper()
	w.load(product(), rows...)
	w.activate("store.product", "id", "")
	w.run("store.product", replicate.Loaded)
}

// loadAs writes a full load as a task with these settings does, dated by the time given.
func (w *world) loadAs(s dmsgen.Settings, at time.Time, rows ...[]any) []string {
	w.t.Helper()
	keys, err := w.writer(s).WriteLoad(w.t.Context(), product(), at, rows...)
	if err != nil {
		w.t.Fatal(err)
	}
	return keys
}

// changeAs writes one CDC file of product as a task with these settings does.
func (w *world) changeAs(s dmsgen.Settings, at time.Time, changes ...dmsgen.Change) string {
	w.t.Helper()
	key, err := w.writer(s).WriteChanges(w.t.Context(), product(), at, changes...)
	if err != nil {
		w.t.Fatal(err)
	}
	return key
}

// changeNamed writes one CDC file of product under a name of its own below the table's folder, dated now.
func (w *world) changeNamed(name string, changes ...dmsgen.Change) {
	w.t.Helper()
	key := w.changeAs(dmsgen.DefaultSettings(), w.now(), changes...)
	w.moveRaw(key, "store/product/"+name+".parquet")
}

// moveRaw renames an object of the raw bucket.
func (w *world) moveRaw(from, to string) {
	w.t.Helper()
	target := filepath.Join(w.root, "raw", to)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(w.root, "raw", from), target); err != nil {
		w.t.Fatal(err)
	}
}

// removeRaw deletes objects of the raw bucket, as a lifecycle rule or a reload does.
func (w *world) removeRaw(keys ...string) {
	w.t.Helper()
	for _, key := range keys {
		if err := os.Remove(filepath.Join(w.root, "raw", key)); err != nil {
			w.t.Fatal(err)
		}
	}
}

// dateRaw gives an object of the raw bucket another date, and so another ETag: its content stays.
func (w *world) dateRaw(key string, at time.Time) {
	w.t.Helper()
	if err := os.Chtimes(filepath.Join(w.root, "raw", key), at, at); err != nil {
		w.t.Fatal(err)
	}
}

// wantProduct compares what DuckDB reads of product, a text "id name" for each row.
func (w *world) wantProduct(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.rows("product", "id, name")); diff != "" {
		w.t.Errorf("lake (-want +got):\n%s", diff)
	}
}

// wantItem compares one attribute of product's control item.
func (w *world) wantItem(attribute, want string) {
	w.t.Helper()
	if got := w.item(productPath)[attribute]; got != want {
		w.t.Errorf("%s is %q, want %q", attribute, got, want)
	}
}

// haltsWith runs and compares the reason code of the halt, and texts that the reason has to hold.
func (w *world) haltsWith(code string, texts ...string) {
	w.t.Helper()
	got := w.run("store.product", replicate.Halted)
	if !strings.HasPrefix(got.Reason, code+": ") {
		w.t.Errorf("halted with %q, want code %s", got.Reason, code)
	}
	for _, text := range texts {
		if !strings.Contains(got.Reason, text) {
			w.t.Errorf("reason %q does not name %q", got.Reason, text)
		}
	}
}

// accept clears the halt of product; accept is what the operator accepts, "" = a plain look again.
func (w *world) accept(accept string) {
	w.t.Helper()
	if _, err := w.engine().Acknowledge(w.t.Context(), "store.product", accept); err != nil {
		w.t.Fatal(err)
	}
}

// TestRuling01_OrderOfFiles gives every file an update of the same row: the last in order wins,
// in one batch and, file by file, in batches of their own.
func TestRuling01_OrderOfFiles(t *testing.T) {
	cases := []struct {
		name  string
		files []string // in their order
	}{
		{"nine digits", []string{"20260314-120101100", "20260314-120101200", "20260314-120102000"}},
		{"ten digits count tenths of milliseconds", []string{"20260314-1201010999", "20260314-1201011000", "20260314-1201011001"}},
		{"nine and ten digits mixed", []string{"20260314-120101099", "20260314-1201010995", "20260314-120101100", "20260314-1201011005", "20260314-120101101"}},
		{"equal times go by the bytes of the key", []string{"20260314-120101000", "20260314-1201010000"}},
		{"date folder is greater than that of a later file", []string{"2026/03/15/20260314-120101000", "2026/03/14/20260314-120102000"}},
		{"day first", []string{"14/03/2026/20260314-120101000", "15032026/20260315-120101000", "01/04/2026/20260401-120101000"}},
		{"month first", []string{"03/2026/31/20260331-120101000", "04/2026/01/20260401-120101000", "01/2027/01/20270101-120101000"}},
		{"with and without folders", []string{"20260314-120101000", "2026-03-14/20260314-120102000", "20260314-120103000"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.start([]any{1, "load", ""})
			w.pass(300 * 24 * time.Hour)
			w.config.Horizon = 400 * 24 * time.Hour
			for i, name := range slices.Backward(c.files) {
				w.changeNamed(name, update(1, fmt.Sprint("change ", i), ""))
			}
			if got := w.run("store.product", replicate.Merged); got.Inputs != int64(len(c.files)) || got.Updates != 1 {
				t.Errorf("merged %d inputs, %d updates, want %d and 1", got.Inputs, got.Updates, len(c.files))
			}
			w.wantProduct(fmt.Sprint("1 change ", len(c.files)-1))
			w.wantItem("LastIncrementalFile", productPath+c.files[len(c.files)-1]+".parquet")
		})
	}
}

// TestRuling01_RowsOfOneFile has several changes of one key in one file: the row number decides.
func TestRuling01_RowsOfOneFile(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "load", ""})
	w.change(product(), update(1, "first", ""), remove(1, "first", ""), insert(1, "second", ""), update(1, "last", ""),
		insert(2, "x", ""), remove(2, "x", ""))
	w.run("store.product", replicate.Merged)
	w.wantProduct("1 last")
}

// TestRuling01_DateFolders runs over every scheme of date folders, at the turn of a month and of a
// year: each new file is found the same day and on the next, whatever its folder sorts like.
func TestRuling01_DateFolders(t *testing.T) {
	turn := time.Date(2026, 12, 30, 23, 58, 0, 0, time.UTC)
	for _, sequence := range []string{"", "YYYYMMDD", "YYYYMMDDHH", "YYYYMM", "MMYYYYDD", "DDMMYYYY"} {
		for _, delimiter := range []string{"SLASH", "DASH", "UNDERSCORE", "NONE"} {
			t.Run(sequence+" "+delimiter, func(t *testing.T) {
				w := newWorld(t)
				w.start([]any{1, "load", ""})
				s := dmsgen.DefaultSettings()
				s.DateFolders, s.DateDelimiter = sequence, delimiter
				w.pass(turn.Sub(w.now()))
				for i, d := range []time.Duration{0, 20 * time.Minute, 24 * time.Hour, 24 * time.Hour, 6 * 24 * time.Hour} {
					w.pass(d)
					name := fmt.Sprint("change ", i)
					key := w.changeAs(s, w.now(), update(1, name, ""), insert(10+i, name, ""))
					if got := w.run("store.product", replicate.Merged); got.Inputs != 1 || got.Noops != 0 {
						t.Errorf("%s: %d inputs, %d no-ops, want 1 and 0", key, got.Inputs, got.Noops)
					}
					w.wantItem("LastIncrementalFile", "raw/"+key)
				}
				w.wantProduct("1 change 4", "10 change 0", "11 change 1", "12 change 2", "13 change 3", "14 change 4")
			})
		}
	}
}
