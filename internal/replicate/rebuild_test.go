package replicate_test

import (
	"encoding/json"
	"testing"

	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/statestore"
	"sluice/statestore/statestorefault"
)

// rebuild rebuilds the table, which has to succeed.
func (b *bench) rebuild() replicate.Result {
	b.t.Helper()
	got, err := b.engineOn(b.lake, b.state).Rebuild(b.t.Context(), "store.product")
	if err != nil || got.Action != replicate.Rebuilt {
		b.t.Fatalf("rebuild: %s (%s), %v", got.Action, got.Reason, err)
	}
	return got
}

// lived is a table of three partitions with a load, a reload's worth of changes and moves.
func lived(t testing.TB) *bench {
	t.Helper()
	b := partitioned(t)
	b.change(insert(6, "f", "new"), update(1, "A", "y"), remove(3, "c", "y"))
	b.must(b.settle())
	b.change(update(6, "F", "new"), update(4, "D", "x"), insert(7, "g", "z"))
	b.must(b.settle())
	return b
}

func rebuildOfALife(t testing.TB) *bench {
	t.Helper()
	b := lived(t)
	before := b.rows()
	b.change(update(2, "B", "z"))
	b.do = rebuildOnce
	return b.keep(before)
}

func rebuildOfADamagedLake(t testing.TB) *bench {
	t.Helper()
	b := lived(t)
	b.damage()
	b.do = rebuildOnce
	return b
}

// rebuildOfFewRows has a lake file that cannot be read.
func rebuildOfFewRows(t testing.TB) *bench {
	t.Helper()
	b := newBench(t, product())
	b.load(10, []any{1, "a", "x"}, []any{2, "b", "y"}, []any{3, "c", "y"})
	b.begin("id", "dept")
	b.must(b.settle())
	b.unreadable()
	b.do = rebuildOnce
	return b
}

// dies runs once, and lets the process die of effect i of the lake, right after it took place.
func (b *bench) dies(i int) {
	lake := objectfault.New(b.lake, objectfault.Fault{At: i, How: objectfault.After, Crash: true})
	state := statestorefault.New(b.state, statestorefault.Fault{})
	state.DieWith(lake.Dead)
	b.tickOn(lake, state)
}

// diesPending lets a run die right behind its commit, or as soon after as the condition is met in the world of then.
func (b *bench) diesPending(met func() bool) {
	b.t.Helper()
	from := *b
	for i := 1; ; i++ {
		*b = *from.fork()
		if b.dies(i); b.item().Pending() && met() {
			return
		}
		if i > 100 {
			b.t.Fatal("no effect does it")
		}
	}
}

func TestRebuild(t *testing.T) {
	b := lived(t)
	if got := b.rebuild(); got.Inputs != 3 || got.FilesCreated != 4 || got.FilesEmptied != 5 || got.Inserts != 6 || got.Changes != 6 {
		t.Errorf("got %+v", got)
	}
	b.must(b.wrong())
	b.must(b.settle())
	b.must(b.wrong())
}

// rebuildOnce is what an operator does who wants one rebuild: again until it is done, a run where one is asked for.
func rebuildOnce(b *bench, e *replicate.Engine) (replicate.Result, error) {
	if item := b.item(); item.Pending() || item[statestore.Generation] != "1" {
		return tickOnce(b, e)
	}
	return e.Rebuild(b.t.Context(), "store.product")
}

// damage breaks the lake in each way that a rebuild mends: one file is cut off, one is gone, rows are in one that
// nobody loaded, a file is there that nobody knows, and the index is gone.
func (b *bench) damage() {
	b.t.Helper()
	var keys []string
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "product/"}) {
		b.must(err)
		keys = append(keys, entry.Key)
	}
	if len(keys) < 4 {
		b.t.Fatalf("%d lake files are too few", len(keys))
	}
	whole, _ := readObject(b.t, b.lake, keys[0])
	b.broken = keys[0]
	b.put(b.broken, whole[:len(whole)-7])
	b.must(b.lake.Delete(b.t.Context(), keys[1], ""))
	if !b.foreign("dept=y/", 100, "foreign", "y") {
		b.t.Fatal("no file of dept=y to change")
	}
	b.put("product/dept=x/theirs.parquet", whole)
	b.must(b.lake.Delete(b.t.Context(), b.item()[statestore.Index], ""))
}

func (b *bench) put(key string, body []byte) {
	b.t.Helper()
	_, err := b.lake.Put(b.t.Context(), key, body, object.PutInput{})
	b.must(err)
}

// unreadable puts a lake file there that cannot be read.
func (b *bench) unreadable() {
	b.broken = "product/dept=x/torn.parquet"
	b.put(b.broken, []byte("PAR1 and no more"))
}

// deleteShadow removes what a pending rebuild reads; false when it has read everything or there is nothing.
func (b *bench) deleteShadow() bool {
	var keys []string
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "_sluice/product/rebuild/"}) {
		b.must(err)
		keys = append(keys, entry.Key)
	}
	for _, key := range keys {
		b.must(b.lake.Delete(b.t.Context(), key, ""))
	}
	return len(keys) > 0
}

// json reads an object of the lake's bucket.
func (b *bench) json(key string, into any) {
	b.t.Helper()
	body, _ := readObject(b.t, b.lake, key)
	b.must(json.Unmarshal(body, into))
}
