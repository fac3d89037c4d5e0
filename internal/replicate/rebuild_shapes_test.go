package replicate_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// copied writes a CDC file under a name of years ago that is dated now: raw was copied.
func (b *bench) copied(n int, changes ...dmsgen.Change) {
	*b.clock = b.clock.Add(time.Minute)
	named := time.Date(2024, 1, 2, 3, 4, n, 0, time.UTC)
	settings := dmsgen.DefaultSettings()
	settings.Delay = b.now().Sub(named)
	_, err := b.writer(settings).WriteChanges(b.t.Context(), b.table, named, changes...)
	b.must(err)
	b.oracle.Apply(changes...)
	b.watermark = ""
}

// dateRaw gives every object of raw the date of now, as a copy onto itself does.
func (b *bench) dateRaw() {
	for entry, err := range b.raw.List(b.t.Context(), object.ListInput{}) {
		b.must(err)
		b.must(b.raw.SetLastModified(entry.Key, b.now()))
	}
}

// TestRebuild_IsTheSource rebuilds tables of every shape and history, each healthy: nothing changes for a
// reader, and the table goes on as before.
func TestRebuild_IsTheSource(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(t testing.TB) *bench{
		"moves, inserts and deletes in partitions": lived,
		"no partitions": func(t testing.TB) *bench {
			t.Helper()
			b := newBench(t, product())
			b.load(2, []any{1, "a", "x"}, []any{2, "b", "x"}, []any{3, "c", "x"})
			b.begin("id", "")
			b.must(b.settle())
			b.change(update(1, "A", "x"), remove(2, "b", "x"))
			return b
		},
		"no key": func(t testing.TB) *bench {
			t.Helper()
			b := keylessPartitioned(t)
			b.change(insert(1, "a", "x"), insert(9, "i", "w"))
			return b
		},
		"no full load": func(t testing.TB) *bench {
			t.Helper()
			b := newBench(t, product())
			b.change(insert(1, "a", "x"), insert(2, "b", "y"))
			b.begin("id", "dept")
			b.must(b.settle())
			b.change(update(1, "A", "y"))
			return b
		},
		"truncated, and filled again": func(t testing.TB) *bench {
			t.Helper()
			b := lived(t)
			b.truncate()
			b.change(insert(1, "again", "x"), insert(2, "b", "y"))
			b.must(b.settle())
			b.change(update(1, "A", "y"))
			return b
		},
		"every row deleted": func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			for _, row := range b.oracle.Rows() {
				b.change(remove(row...))
			}
			return b
		},
		"column that came later": func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			b.table.Columns = append(b.table.Columns, dmsgen.Column{Name: "price", Type: "int"})
			b.change(update(1, "A", "x", 7))
			return b
		},
		"changes older than a reload": func(t testing.TB) *bench {
			t.Helper()
			b := lived(t)
			b.load(2, []any{1, "newer", "x"}, []any{9, "i", "w"})
			b.must(b.settle())
			b.change(update(9, "I", "x"))
			return b
		},
		"changes copied behind the load": func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			b.copied(1, update(1, "A", "y"), remove(2, "b", "x"))
			b.must(b.settle())
			b.copied(2, insert(8, "h", "z"))
			b.must(b.settle())
			for i := range 6 { // now most dates fit their names again
				b.change(update(8, fmt.Sprint("h", i), "z"))
			}
			return b
		},
		"all of raw written again since": func(t testing.TB) *bench {
			t.Helper()
			b := lived(t)
			b.load(2, []any{1, "newer", "x"}, []any{9, "i", "w"})
			b.must(b.settle())
			b.change(update(9, "I", "x"))
			b.must(b.settle())
			*b.clock = b.clock.Add(9 * time.Hour)
			b.dateRaw()
			return b
		},
		"change file that came late": func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			late := b.now().Add(time.Second)
			b.oracle.Apply(insert(20, "late", "x"))
			b.change(update(1, "A", "x"))
			b.must(b.settle())
			_, err := b.writer(dmsgen.DefaultSettings()).WriteChanges(t.Context(), b.table, late, insert(20, "late", "x"), update(1, "older", "x"))
			b.must(err)
			return b
		},
		"change file that came too late, left out so far": func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			at := b.now().Add(time.Second)
			*b.clock = b.clock.Add(10 * 24 * time.Hour)
			b.change(update(1, "A", "x"))
			b.must(b.settle())
			*b.clock = b.clock.Add(24 * time.Hour) // the day's first run lists everything
			key, err := b.writer(dmsgen.DefaultSettings()).WriteChanges(t.Context(), b.table, at, insert(77, "too late", "x"))
			b.must(errors.Join(err, b.raw.SetLastModified(key, b.now())))
			b.oracle.Apply(insert(77, "too late", "x"))
			if !b.halts("late") {
				t.Fatalf("not halted: %v", b.item())
			}
			b.acknowledge("")
			return b
		},
		"change file written again in place": func(t testing.TB) *bench {
			t.Helper()
			b := lived(t)
			key := b.rawKeys("/2026")[0]
			info, err := b.raw.Head(t.Context(), key)
			b.must(err)
			changes := []dmsgen.Change{insert(6, "f", "new"), update(1, "A", "y"), remove(3, "c", "y")}
			_, err = b.writer(dmsgen.DefaultSettings()).WriteChanges(t.Context(), b.table, info.LastModified, append(changes, insert(42, "mended", "x"))...)
			b.must(err)
			b.oracle.Apply(insert(42, "mended", "x"))
			return b
		},
		"change file older than the load, behind it": func(t testing.TB) *bench {
			t.Helper()
			b := lived(t)
			at := b.now().Add(time.Second)
			b.load(2, []any{1, "newer", "x"}, []any{9, "i", "w"})
			b.must(b.settle())
			_, err := b.writer(dmsgen.DefaultSettings()).WriteChanges(t.Context(), b.table, at, update(1, "older", "x"))
			b.must(err)
			return b
		},
		"changes that a load holds, expired since": func(t testing.TB) *bench {
			t.Helper()
			b := lived(t)
			b.load(2, []any{1, "newer", "x"}, []any{9, "i", "w"})
			b.must(b.settle())
			*b.clock = b.clock.Add(30 * 24 * time.Hour)
			b.removeRaw(b.rawKeys("/2026")...)
			return b
		},
		"inputs of months": func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			for i := range 12 {
				*b.clock = b.clock.Add(9 * 24 * time.Hour)
				b.change(update(1, fmt.Sprint("a", i), "x"), insert(30+i, "new", "y"))
				b.must(b.settle())
			}
			return b
		},
		"nothing of the bookkeeping but what the item names": func(t testing.TB) *bench {
			t.Helper()
			b := lived(t)
			b.load(2, []any{1, "newer", "x"}, []any{9, "i", "w"})
			b.must(b.settle())
			for entry, err := range b.lake.List(t.Context(), object.ListInput{Prefix: "_sluice/product/"}) {
				b.must(err)
				if item := b.item(); entry.Key != item[statestore.Ledger] && entry.Key != item[statestore.Index] {
					b.must(b.lake.Delete(t.Context(), entry.Key, ""))
				}
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := build(t)
			b.must(b.settle())
			before, generation := b.item(), b.item()[statestore.Generation]
			start := b.loadStart()
			b.rebuildWatched()
			b.verified()
			if got := b.loadStart(); got != start {
				t.Errorf("start of the load is %s, was %s", got, start)
			}
			b.must(b.wrong())
			after := b.item()
			if a, b := before[statestore.LastIncrementalFile], after[statestore.LastIncrementalFile]; a != b {
				t.Errorf("watermark is %q, was %q", b, a)
			}
			_, was, _ := strings.Cut(before[statestore.InputsDigest], "|")
			if _, is, _ := strings.Cut(after[statestore.InputsDigest], "|"); is != was {
				t.Errorf("digest is %q, was %q", is, was)
			}
			if after[statestore.Generation] == generation {
				t.Errorf("generation is still %s", generation)
			}
			b.must(b.settle())
			if diff := cmp.Diff(after, b.item()); diff != "" {
				t.Errorf("an idle run changed the item:\n%s", diff)
			}
			b.change(append(b.removals(), insert(b.row(50, "later", "x")...))...)
			b.must(b.settle())
			b.must(b.wrong())
			b.rebuild()
			b.must(b.wrong())
		})
	}
}

// verified asks the other judge, which reads raw and lake on its own.
func (b *bench) verified() {
	b.t.Helper()
	v, err := b.engineOn(b.lake, b.state).Verify(b.t.Context(), "store.product", replicate.VerifyOptions{MemoryBytes: replicate.MinVerifyBytes})
	if err != nil || !v.Well() {
		b.t.Errorf("verify: %+v, %v", v, err)
	}
}

// rebuildWatched rebuilds while a reader looks after every write: every row is there all the time, as it is.
func (b *bench) rebuildWatched() {
	b.t.Helper()
	c := *b
	c.doubles = true
	c.keep(c.rows())
	look := func() {
		if err := c.torn(); err != nil {
			b.t.Errorf("a reader: %v", err)
		}
	}
	got, err := b.engineOn(watched{b.lake, look, &sync.Mutex{}}, b.state).Rebuild(b.t.Context(), "store.product")
	if err != nil || got.Action != replicate.Rebuilt {
		b.t.Fatalf("rebuild: %s (%s), %v", got.Action, got.Reason, err)
	}
}

// loadStart is what the ledger says of the load's start: change files that are older are part of the load.
func (b *bench) loadStart() string {
	b.t.Helper()
	var l struct {
		Start string `json:"load_start"`
	}
	b.json(b.item()[statestore.Ledger], &l)
	return l.Start
}

// truncate empties the source, as DMS and an operator do it.
func (b *bench) truncate() {
	b.t.Helper()
	for entry, err := range b.raw.List(b.t.Context(), object.ListInput{}) {
		b.must(err)
		b.must(b.raw.Delete(b.t.Context(), entry.Key, ""))
	}
	b.oracle.Load()
	if !b.halts("vanished") {
		b.t.Fatalf("not halted: %v", b.item())
	}
	b.acknowledge("truncate")
	b.must(b.settle())
}

// row fills up a row to the table's columns.
func (b *bench) row(cells ...any) []any {
	return append(cells, make([]any, len(b.table.Columns)-len(cells))...)
}

// removals deletes the first row, where there is a key.
func (b *bench) removals() []dmsgen.Change {
	rows := b.oracle.Rows()
	if len(rows) == 0 || len(b.table.Key) == 0 {
		return nil
	}
	return []dmsgen.Change{remove(b.row(rows[0]...)...)}
}

// TestRebuild_KeepsTypesAndColumns: a type that an operator accepted stays (ruling 15), with nobody asked again.
func TestRebuild_KeepsTypesAndColumns(t *testing.T) {
	t.Parallel()
	b := partitioned(t)
	b.table.Columns[0].Type = "bigint"
	b.change(update(1, "A", "x"), insert(5_000_000_000, "big", "x"))
	b.tickOn(b.lake, b.state)
	b.acknowledge("schema")
	b.must(b.settle())
	before := b.schema()
	b.rebuild()
	b.must(b.wrong())
	if diff := cmp.Diff(before, b.schema()); diff != "" {
		t.Errorf("schema (-before +after):\n%s", diff)
	}
}

// schema is what the index says of the table's columns.
func (b *bench) schema() any {
	b.t.Helper()
	var x struct{ Schema map[string]any }
	b.json(b.item()[statestore.Index], &x)
	return x.Schema
}

// TestRebuild_Mends says for each kind of damage that a rebuild mends it, whether the table is halted over it or not.
func TestRebuild_Mends(t *testing.T) {
	t.Parallel()
	first := func(b *bench) string {
		for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "product/dept=x/"}) {
			b.must(err)
			return entry.Key
		}
		return ""
	}
	for name, damage := range map[string]func(b *bench){
		"file gone": func(b *bench) { b.must(b.lake.Delete(b.t.Context(), first(b), "")) },
		"file cut off": func(b *bench) {
			b.broken = first(b)
			body, _ := readObject(b.t, b.lake, b.broken)
			b.put(b.broken, body[:len(body)/2])
		},
		"rows of somebody else": func(b *bench) { b.foreign("dept=x/", 100, "foreign", "x") },
		"rows twice": func(b *bench) {
			body, _ := readObject(b.t, b.lake, first(b))
			b.put("product/dept=x/again.parquet", body)
		},
		"rows in a wrong partition": func(b *bench) {
			body, _ := readObject(b.t, b.lake, first(b))
			b.put("product/dept=other/part.parquet", body)
		},
		"index gone":         func(b *bench) { b.must(b.lake.Delete(b.t.Context(), b.item()[statestore.Index], "")) },
		"index not readable": func(b *bench) { b.put(b.item()[statestore.Index], []byte("{")) },
		"all at once":        (*bench).damage,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := lived(t)
			damage(b)
			if b.wrong() == nil && !strings.HasPrefix(name, "index") {
				t.Fatal("the damage cannot be seen")
			}
			b.change(insert(60, "n", "y"), update(1, "B", "x"))
			b.tickOn(b.lake, b.state) // which may halt over it
			halted := b.item()[statestore.StatusReason]
			if b.item().Pending() {
				b.acknowledge("foreign")
				b.must(b.settle())
			}
			b.rebuild()
			b.must(b.wrong())
			b.must(b.settle())
			b.change(update(60, "N", "x"))
			b.must(b.settle())
			b.must(b.wrong())
			t.Logf("was halted: %q", halted)
		})
	}
}

// TestRebuild_TakesANewPartitionKey is what --accept reload does, from raw.
func TestRebuild_TakesANewPartitionKey(t *testing.T) {
	t.Parallel()
	for _, partition := range []string{"name", "", "dept,name"} {
		b := lived(t)
		b.activate("id", partition)
		b.change(insert(70, "n", "y"))
		if !b.halts("partition") {
			t.Fatalf("not halted: %v", b.item())
		}
		b.rebuild()
		b.must(b.wrong())
		b.must(b.settle())
		b.change(update(70, "N", "x"))
		b.must(b.settle())
		b.must(b.wrong())
	}
}

// TestRebuild_MendsTheLayout: the settings hold for the fresh files, of which there are no more than their rows need.
func TestRebuild_MendsTheLayout(t *testing.T) {
	t.Parallel()
	b := newBench(t, product())
	b.config.TargetFileBytes = 1 << 20
	b.load(1, []any{1, wide(1, 600<<10), "x"}, []any{2, wide(2, 600<<10), "x"}, []any{3, wide(3, 600<<10), "x"}, []any{4, wide(4, 600<<10), "x"})
	b.begin("id", "")
	b.must(b.settle())
	before := b.live()
	b.config.TargetFileBytes, b.config.Compression, b.config.DropOp = 128<<20, "none", true
	got := b.rebuild()
	b.must(b.wrong())
	after := b.live()
	if len(before) < 2 || len(after) != 1 || got.FilesCreated != 1 || int(got.FilesEmptied) != len(before) {
		t.Errorf("%d live files, then %d: %+v", len(before), len(after), got.Traffic)
	}
	body, _ := readObject(t, b.lake, after[0])
	file, err := dmsgen.Read(body)
	b.must(err)
	if file.Column("Op") >= 0 {
		t.Error("the column Op is still there")
	}
}

// live returns the lake files that hold rows.
func (b *bench) live() []string {
	var keys []string
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "product/"}) {
		b.must(err)
		body, _ := readObject(b.t, b.lake, entry.Key)
		if file, err := dmsgen.Read(body); err == nil && len(file.Rows) > 0 {
			keys = append(keys, entry.Key)
		}
	}
	slices.Sort(keys)
	return keys
}
