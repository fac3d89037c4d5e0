package replicate_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/scripts/rig"
)

const badChange = "store/t/20260314-130000000.parquet"

func TestFilesWithoutRowsAreConsumed(t *testing.T) {
	tests := map[string]string{
		"as the others":          rowsOf(`"Op", id, v`, "'U', 1, 'A'") + " limit 0",
		"without the key":        rowsOf(`"Op", v`, "'U', 'A'") + " limit 0",
		"of a type that misfits": rowsOf(`"Op", id, v`, "'U', 'one', 5") + " limit 0",
		"with another column":    rowsOf(`"Op", id, extra`, "'U', 1, 5") + " limit 0",
		"without an op":          rowsOf(`id, v`, "1, 'a'") + " limit 0",
	}
	for name, query := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "", rowsOf("id, v", "1, 'a'"))
			w.changeOf(query)
			got := w.tick()[storyTable]
			if got.Action == replicate.Halted || got.Inputs != 1 || got.Changes != 0 {
				t.Errorf("%s (%s), %d inputs, %d changes", got.Action, got.Reason, got.Inputs, got.Changes)
			}
			w.changeOf(rowsOf(`"Op", id, v`, "'I', 2, 'b'"))
			w.run(storyTable, replicate.Merged)
			w.wantRows("id, v", "1 a", "2 b")
			w.run(storyTable, replicate.Idle)
		})
	}
}

func TestFullLoadsWithoutRows(t *testing.T) {
	empty := rowsOf("id, v", "1, 'a'") + " limit 0"
	for name, loads := range map[string][]string{"alone": {empty}, "beside others": {empty, rowsOf("id, v", "2, 'b'"), empty}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for n, query := range loads {
				w.loadOf(n+1, query)
			}
			w.run(storyTable, replicate.Registered)
			w.activate(storyTable, "id", "")
			if got := w.run(storyTable, replicate.Loaded); got.Inputs != int64(len(loads)) {
				t.Errorf("%d inputs, want %d", got.Inputs, len(loads))
			}
			w.run(storyTable, replicate.Idle)
			w.changeOf(rowsOf(`"Op", id, v`, "'I', 2, 'B'"))
			w.run(storyTable, replicate.Merged)
			w.wantRows("id, v", "2 B")
		})
	}
}

// badFile puts a broken file, wants the halt, and that what mends it is read.
func (w *world) badFile(key string, body, mended []byte) {
	w.t.Helper()
	before := w.rows(storyFolder, "*")
	w.put("raw", key, body)
	w.wantHalt("input", key, "acknowledge")
	w.wantHalt("input", key)
	if diff := cmp.Diff(before, w.rows(storyFolder, "*")); diff != "" {
		w.t.Errorf("a halt changed the lake:\n%s", diff)
	}
	w.put("raw", key, mended)
	w.acknowledge("")
}

func TestFilesOfZeroBytes(t *testing.T) {
	t.Run("changes, mended", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, v", "1, 'a'"))
		w.write("raw", badChange, rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
		w.badFile(badChange, nil, w.bytes("raw", badChange))
		w.run(storyTable, replicate.Merged)
		w.wantRows("id, v", "1 A")
	})
	t.Run("changes, removed", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, v", "1, 'a'"))
		w.put("raw", badChange, nil)
		w.wantHalt("input", badChange)
		w.drop("raw", badChange)
		w.acknowledge("")
		w.run(storyTable, replicate.Idle)
		w.wantRows("id, v", "1 a")
	})
	t.Run("full load", func(t *testing.T) {
		w := newWorld(t)
		key := w.loadOf(1, rowsOf("id, v", "1, 'a'"))
		body := w.bytes("raw", key)
		w.run(storyTable, replicate.Registered)
		w.activate(storyTable, "id", "")
		w.badFile(key, nil, body)
		w.run(storyTable, replicate.Loaded)
		w.wantRows("id, v", "1 a")
	})
}

// cuts are lengths at which a file is cut: every one near its ends, some between.
func cuts(n int) []int {
	var list []int
	for at := 1; at < n; at++ {
		if at < 6 || at > n-12 || at%37 == 0 {
			list = append(list, at)
		}
	}
	return list
}

func TestTruncatedParquet(t *testing.T) {
	t.Run("changes", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, v", "1, 'a'"))
		w.write("raw", badChange, rowsOf(`"Op", id, v`, "'U', 1, 'A'", "'I', 2, 'b'"))
		whole := w.bytes("raw", badChange)
		for _, at := range cuts(len(whole)) {
			w.badFile(badChange, whole[:at], whole[:at])
		}
		w.put("raw", badChange, whole)
		w.run(storyTable, replicate.Merged)
		w.wantRows("id, v", "1 A", "2 b")
	})
	t.Run("full load", func(t *testing.T) {
		w := newWorld(t)
		key := w.loadOf(1, rowsOf("id, v", "1, 'a'", "2, 'b'"))
		whole := w.bytes("raw", key)
		w.run(storyTable, replicate.Registered)
		w.activate(storyTable, "id", "")
		for _, at := range cuts(len(whole)) {
			w.badFile(key, whole[:at], whole[:at])
		}
		w.put("raw", key, whole)
		w.run(storyTable, replicate.Loaded)
		w.wantRows("id, v", "1 a", "2 b")
	})
}

// flipped returns the body with a bit of the byte at a place changed.
func flipped(body []byte, at int) []byte {
	body = bytes.Clone(body)
	body[at] ^= 1 << (at % 8)
	return body
}

// codecFile is a file with a codec, of enough rows for dictionaries and pages.
func codecFile(w *world, key, query, codec string) []byte {
	w.t.Helper()
	w.write("raw", key, query)
	path := filepath.Join(w.root, "raw", key)
	rig.DuckDB(w.t).Query(fmt.Sprintf("copy (%s) to '%s' (format parquet, codec '%s')", query, path, codec))
	w.date(path)
	return w.bytes("raw", key)
}

func TestFlippedBytesInChangesNeverFailAndNeverChangeTheLakeWhenTheyHalt(t *testing.T) {
	const query = `select case when i % 3 = 0 then 'I' else 'U' end as "Op", i::int as id, 'name ' || (i * 7919 % 1000) as v from range(1, 400) r(i)`
	for _, codec := range []string{"uncompressed", "snappy", "gzip", "zstd"} {
		t.Run(codec, func(t *testing.T) {
			var w *world
			fresh := func() {
				w = newWorld(t)
				w.begin("id", "", rowsOf("id, v", "1, 'a'"))
			}
			fresh()
			whole := codecFile(w, badChange, query, codec)
			halts := 0
			for at := 4; at < len(whole); at += len(whole)/25 + 1 {
				w.put("raw", badChange, flipped(whole, at))
				got := w.tick()[storyTable]
				if got.Action == replicate.Merged { // values that no checksum guards
					fresh()
					continue
				}
				if got.Action != replicate.Halted {
					t.Fatalf("byte %d of %d: %s (%s)", at, len(whole), got.Action, got.Reason)
				}
				halts++
				w.wantRows("id, v", "1 a")
				w.acknowledge("")
			}
			if codec != "uncompressed" && halts == 0 {
				t.Error("no flip was noticed")
			}
			w.put("raw", badChange, whole)
			w.run(storyTable, replicate.Merged)
			if got := w.rows(storyFolder, "count(*), count(distinct id), max(id)"); !cmp.Equal(got, []string{"399 399 399"}) {
				t.Errorf("after the whole file: %q", got)
			}
		})
	}
}

func TestFlippedBytesInAFullLoadAreReadOnceMended(t *testing.T) {
	const query = `select i::int as id, 'name ' || (i * 7919 % 1000) as v from range(1, 400) r(i)`
	for _, codec := range []string{"snappy", "gzip"} {
		for part := 1; part < 10; part++ {
			t.Run(fmt.Sprint(codec, " ", part), func(t *testing.T) {
				w := newWorld(t)
				const key = "store/t/LOAD00000001.parquet"
				whole := codecFile(w, key, query, codec)
				w.put("raw", key, flipped(whole, len(whole)*part/10))
				w.run(storyTable, replicate.Registered)
				w.set(storyPath, map[string]string{"PrimaryKey": "id", "ActiveFlag": "true"})
				got := w.tick()[storyTable]
				if got.Action == replicate.Loaded {
					return // values that no checksum guards
				}
				if got.Action != replicate.Halted {
					t.Fatalf("%s (%s)", got.Action, got.Reason)
				}
				w.pass(1e9)
				w.put("raw", key, whole)
				w.acknowledge("")
				w.run(storyTable, replicate.Loaded)
				if got := w.rows(storyFolder, "count(*), count(distinct id)"); !cmp.Equal(got, []string{"399 399"}) {
					t.Errorf("after the mended load: %q", got)
				}
				w.run(storyTable, replicate.Idle)
			})
		}
	}
}

func TestKeyColumnThatDoesNotExist(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 'a'"))
	w.run(storyTable, replicate.Registered)
	for _, setting := range []replicate.Activation{{PrimaryKey: new("idd")}, {PartitionKey: new("day")}, {OrderColumn: new("seq")}} {
		if _, err := w.engine().Activate(t.Context(), storyTable, setting); !errors.Is(err, replicate.ErrUsage) {
			t.Errorf("activate: %v, want ErrUsage", err)
		}
	}
	w.run(storyTable, replicate.Inactive)
	w.set(storyPath, map[string]string{"PrimaryKey": "idd", "ActiveFlag": "true"})
	w.wantHalt("key", `"idd"`)
	w.activate(storyTable, "id", "")
	w.acknowledge("")
	w.run(storyTable, replicate.Loaded)
	w.set(storyPath, map[string]string{"PrimaryKey": "nothing"})
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.wantHalt("key", `"nothing"`)
	w.wantRows("id, v", "1 a")
	w.activate(storyTable, "id", "")
	w.acknowledge("")
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 A")
}

func TestLoadFilesThatContradictEachOther(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 'a'"))
	second := w.loadOf(2, rowsOf("id, v", "2, 5"))
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	w.wantHalt("schema", second, `"v"`, "int", "string")
	if files := w.files(""); len(files) != 0 {
		for _, file := range files {
			if filepath.Dir(file) == storyFolder {
				t.Errorf("a load that halted left %s", file)
			}
		}
	}
	w.loadOf(2, rowsOf("id, v", "2, 'b'"))
	w.acknowledge("")
	w.run(storyTable, replicate.Loaded)
	w.wantRows("id, v", "1 a", "2 b")
}
