package replicate_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/statestore"
	"sluice/statestore/statestorefault"
)

// janitorOn cleans the world, seen through the given lake, and returns what it says of the table.
func (b *bench) janitorOn(lake replicate.Cleaner, state statestore.Backend) replicate.Cleaning {
	b.t.Helper()
	j, err := replicate.NewJanitor(b.config, replicate.JanitorStores{
		Objects: func(context.Context, string) (replicate.Cleaner, error) { return lake, nil },
		State:   statestore.New(state), Now: b.now,
	})
	b.must(err)
	var got replicate.Cleaning
	b.must(j.Run(b.t.Context(), func(c replicate.Cleaning) { got = c }))
	return got
}

func (b *bench) clean() replicate.Cleaning {
	b.t.Helper()
	return b.janitorOn(b.lake, b.state)
}

func (b *bench) pass(d time.Duration) { *b.clock = b.clock.Add(d) }

// keys lists the objects of the lake bucket below a prefix.
func (b *bench) keys(prefix string) []string {
	b.t.Helper()
	keys := []string{}
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: prefix}) {
		b.must(err)
		keys = append(keys, entry.Key)
	}
	return keys
}

// withEmptied is a table with live files and one that was emptied; it returns the latter's key.
func withEmptied(t testing.TB) (*bench, string) {
	t.Helper()
	b := partitioned(t)
	b.change(remove(5, "e", "z"))
	b.must(b.settle())
	keys := b.keys("product/dept=z/")
	if len(keys) != 1 {
		t.Fatalf("files of the emptied partition: %v", keys)
	}
	return b, keys[0]
}

func TestJanitorDeletesEmptiedFilesAfterFifteenDays(t *testing.T) {
	b, emptied := withEmptied(t)
	before := b.keys("product/")
	b.pass(15*day - time.Hour)
	if got := b.clean(); got.Action != replicate.Idle || got.Files != 0 {
		t.Errorf("too early: %+v", got)
	}
	b.pass(time.Hour)
	if got := b.clean(); got.Action != replicate.Cleaned || !slices.Equal(got.Keys, []string{emptied}) || got.Files != 1 || got.Bytes == 0 {
		t.Errorf("got %+v, want %s deleted", got, emptied)
	}
	want := slices.DeleteFunc(before, func(key string) bool { return key == emptied })
	if diff := cmp.Diff(want, b.keys("product/")); diff != "" {
		t.Errorf("lake files (-want +got):\n%s", diff)
	}
	b.change(insert(5, "again", "z"), update(1, "A", "x"))
	b.must(b.settle())
	b.must(b.wrong())
	if got := b.clean(); got.Action != replicate.Idle {
		t.Errorf("nothing is left to delete: %+v", got)
	}
}

func TestJanitorLeavesWhatIsNotOurs(t *testing.T) {
	b, _ := withEmptied(t)
	put := func(key string, body []byte) {
		_, err := b.lake.Put(t.Context(), key, body, object.PutInput{})
		b.must(err)
	}
	ours, _ := readObject(t, b.lake, b.keys("product/dept=x/")[0])
	put("product/dept=x/copied-by-somebody.parquet", ours) // with rows, which no index knows
	put("product/notes.txt", []byte("hello"))
	put("product/dept=z/broken.parquet", []byte("PAR1 not really PAR1"))
	for _, name := range []string{
		"owner.json.bak", "commits/readme.txt", "commits/00000000000000000001-xyz.json", "index/7-old.json",
		"ledger/00000000000000000001-0123456789abcdef0123456789abcdef.json.gz", "rebuild/mine/part.parquet", "notes/a.json",
	} {
		put("_sluice/product/"+name, []byte("{}"))
	}
	put("_sluice/product2/commits/00000000000000000001-0123456789abcdef0123456789abcdef.json", []byte("{}"))
	b.pass(100 * day)
	b.clean()
	for _, key := range []string{
		"product/dept=x/copied-by-somebody.parquet", "product/notes.txt", "product/dept=z/broken.parquet", "_sluice/product/owner.json", "_sluice/product/owner.json.bak",
		"_sluice/product/commits/readme.txt", "_sluice/product/commits/00000000000000000001-xyz.json", "_sluice/product/index/7-old.json",
		"_sluice/product/ledger/00000000000000000001-0123456789abcdef0123456789abcdef.json.gz", "_sluice/product/rebuild/mine/part.parquet",
		"_sluice/product/notes/a.json", "_sluice/product2/commits/00000000000000000001-0123456789abcdef0123456789abcdef.json",
	} {
		if !slices.Contains(b.keys(""), key) {
			t.Errorf("%s was deleted", key)
		}
	}
}

// TestJanitorLeavesEmptyFilesOfOtherWriters has an empty file whose footer and metadata bear no mark.
func TestJanitorLeavesEmptyFilesOfOtherWriters(t *testing.T) {
	b, _ := withEmptied(t)
	const key = "product/dept=z/theirs.parquet"
	var body bytes.Buffer
	w := parquet.NewGenericWriter[struct {
		ID int32 `parquet:"id"`
	}](&body)
	b.must(w.Close())
	_, err := b.lake.Put(t.Context(), key, body.Bytes(), object.PutInput{})
	b.must(err)
	b.pass(100 * day)
	b.clean()
	if !slices.Contains(b.keys("product/"), key) {
		t.Error("the empty file of another writer was deleted")
	}
}

func TestJanitorKeepsTheLastFile(t *testing.T) {
	b := partitioned(t)
	for i, dept := range []string{"x", "x", "y", "y", "z"} {
		b.change(remove(i+1, "", dept))
		b.must(b.settle())
	}
	b.pass(20 * day)
	b.clean()
	keys := b.keys("product/")
	if len(keys) != 1 {
		t.Fatalf("lake files: %v, want the last one that was emptied", keys)
	}
	body, _ := readObject(t, b.lake, keys[0])
	if !strings.Contains(string(body), "name") {
		t.Error("the last file does not show the columns")
	}
	if got := b.clean(); got.Files != 0 {
		t.Errorf("again: %+v", got)
	}
	b.change(insert(9, "i", "x"))
	b.must(b.settle())
	b.must(b.wrong())
	b.pass(20 * day)
	if got := b.clean(); got.Files != 1 {
		t.Errorf("with a live file beside it: %+v", got)
	}
}

func TestJanitorDeletesBookkeepingThatNothingNames(t *testing.T) {
	b := partitioned(t)
	for n := range 40 {
		b.pass(day)
		b.change(update(1, fmt.Sprint("name ", n), "x"))
		b.must(b.settle())
	}
	before := b.keys("_sluice/product/")
	got := b.clean()
	after := b.keys("_sluice/product/")
	if got.Action != replicate.Cleaned || int(got.Bookkeeping) != len(before)-len(after) || got.Bookkeeping < 40 {
		t.Errorf("got %+v; %d objects before, %d after", got, len(before), len(after))
	}
	item := b.item()
	for _, key := range []string{item[statestore.Index], item[statestore.Ledger], "_sluice/product/owner.json"} {
		if !slices.Contains(after, key) {
			t.Errorf("%s was deleted", key)
		}
	}
	b.change(update(2, "after", "x"))
	b.must(b.settle())
	b.must(b.wrong())
	b.pass(40 * day)
	b.clean()
	item = b.item()
	for _, key := range b.keys("_sluice/product/") {
		if key != "_sluice/product/owner.json" && key != item[statestore.Index] && key != item[statestore.Ledger] && !strings.Contains(key, "/commits/"+item[statestore.Seq]) {
			t.Errorf("%s is left of a table at rest", key)
		}
	}
	b.change(update(2, "much later", "x"))
	b.must(b.settle())
	b.must(b.wrong())
}

// TestJanitorKeepsTheNumberFromWhichANewItemCounts deletes the control item after a long rest: a table that is
// registered anew must not use a number again.
func TestJanitorKeepsTheNumberFromWhichANewItemCounts(t *testing.T) {
	b := partitioned(t)
	seq := b.item()[statestore.Seq]
	b.pass(100 * day)
	b.clean()
	fresh := b.fork()
	fresh.state = statestore.NewMemory(fresh.now)
	fresh.tickOn(fresh.lake, fresh.state)
	if got := fresh.item()[statestore.Seq]; got != seq {
		t.Errorf("registered anew with Seq %s, want %s", got, seq)
	}
}

func TestJanitorLeavesATableWithAPendingCommit(t *testing.T) {
	b, _ := pendingMerge(t)
	before := b.keys("")
	b.pass(100 * day)
	got := b.clean()
	if got.Action != replicate.Idle || !strings.Contains(got.Reason, "pending") {
		t.Errorf("got %+v", got)
	}
	if diff := cmp.Diff(before, b.keys("")); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	b.must(b.settle())
	b.must(b.wrong())
}

func TestJanitorDeletesOrphansOfLostCommits(t *testing.T) {
	b := partitioned(t)
	b.change(update(1, "A", "x"))
	before := b.keys("_sluice/")
	fault := statestorefault.Fault{At: 3, How: statestorefault.Before, Crash: true} // behind EnsureTable and the lease
	b.tickOn(b.lake, statestorefault.New(b.state, fault))                           // dies between its plan and its commit
	orphans := slices.DeleteFunc(b.keys("_sluice/"), func(key string) bool { return slices.Contains(before, key) })
	if len(orphans) < 3 || b.item().Pending() {
		t.Fatalf("orphans: %v", orphans)
	}
	b.must(b.settle())
	b.change(update(1, "B", "x"))
	b.must(b.settle())
	b.pass(29 * day)
	b.clean()
	if !slices.Contains(b.keys("_sluice/"), orphans[0]) {
		t.Error("an orphan was deleted before 30 days")
	}
	b.pass(2 * day)
	b.clean()
	for _, key := range orphans {
		if slices.Contains(b.keys("_sluice/"), key) {
			t.Errorf("orphan %s is left", key)
		}
	}
	b.must(b.wrong())
}

// changing is a bucket in which a file is written again between the janitor's look and its deletion.
type changing struct {
	*object.Memory
	before func(key string)
}

func (c changing) Delete(ctx context.Context, key, ifMatch string) error {
	c.before(key)
	return c.Memory.Delete(ctx, key, ifMatch)
}

func TestJanitorDeletesOnlyWhatItSaw(t *testing.T) {
	b, emptied := withEmptied(t)
	b.pass(20 * day)
	got := b.janitorOn(changing{b.lake, func(key string) {
		_, err := b.lake.Put(t.Context(), key, []byte("somebody else's"), object.PutInput{})
		b.must(err)
	}}, b.state)
	if got.Files != 0 || got.Action != replicate.Idle || !slices.Contains(b.keys("product/"), emptied) {
		t.Errorf("got %+v", got)
	}
}

func TestJanitorThatStoodStillStops(t *testing.T) {
	b, emptied := withEmptied(t)
	b.pass(40 * day)
	first := true
	got := b.janitorOn(changing{b.lake, func(string) {
		if first {
			b.pass(time.Hour)
		}
		first = false
	}}, b.state)
	if want := []string{emptied}; !slices.Equal(got.Keys, want) || got.Reason == "" {
		t.Errorf("got %+v, want %s deleted and nothing after the hour", got, want)
	}
	if got := b.clean(); got.Bookkeeping == 0 {
		t.Errorf("the next janitor did not go on: %+v", got)
	}
}

// TestJanitorMayDieAnywhere fails each of its effects and runs another janitor and a worker afterwards.
func TestJanitorMayDieAnywhere(t *testing.T) {
	from, _ := withEmptied(t)
	from.change(update(2, "B", "x"))
	from.must(from.settle())
	from.pass(40 * day)
	healthy := from.fork()
	lake := objectfault.New(healthy.lake, objectfault.Fault{})
	healthy.janitorOn(cleaner{lake}, healthy.state)
	if lake.Effects() < 6 {
		t.Fatalf("%d deletions", lake.Effects())
	}
	want := healthy.keys("")
	for i := 1; i <= lake.Effects(); i++ {
		for _, fault := range []objectfault.Fault{
			{At: i, How: objectfault.Before},
			{At: i, How: objectfault.After},
			{At: i, How: objectfault.Delayed},
			{At: i, How: objectfault.Before, Crash: true},
			{At: i, How: objectfault.After, Crash: true},
			{At: i, How: objectfault.Delayed, Crash: true},
		} {
			b := from.fork()
			faulty := objectfault.New(b.lake, fault)
			if got := b.janitorOn(cleaner{faulty}, b.state); got.Action != replicate.Failed && got.Action != replicate.Cleaned {
				t.Errorf("%+v: %+v", fault, got)
			}
			b.clean()
			if diff := cmp.Diff(want, b.keys("")); diff != "" {
				t.Errorf("%+v: objects (-want +got):\n%s", fault, diff)
			}
			b.change(update(1, "late", "x"), insert(5, "again", "z"))
			b.must(b.settle())
			_ = faulty.Arrive(t.Context())
			b.must(b.settle())
			if err := b.wrong(); err != nil {
				t.Errorf("%+v: %v", fault, err)
			}
		}
	}
}

// cleaner gives a store with faults the janitor's last call.
type cleaner struct{ *objectfault.Store }

func (cleaner) AbortAbandoned(context.Context, string, time.Time) (int, error) { return 0, nil }

func TestJanitorLeavesAFolderOfAnotherTable(t *testing.T) {
	b, _ := withEmptied(t)
	_, err := b.lake.Put(t.Context(), "_sluice/product/owner.json", []byte(`{"path":"raw/other/product/"}`), object.PutInput{})
	b.must(err)
	before := b.keys("")
	b.pass(100 * day)
	if got := b.clean(); got.Action != replicate.Idle || !strings.Contains(got.Reason, "raw/other/product/") {
		t.Errorf("got %+v", got)
	}
	if diff := cmp.Diff(before, b.keys("")); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

func TestJanitorOfALockedTableIsBusy(t *testing.T) {
	b, _ := withEmptied(t)
	b.pass(100 * day)
	b.must(b.state.Claim(t.Context(), benchPath, "a worker that stands still", time.Hour))
	j, err := replicate.NewJanitor(b.config, replicate.JanitorStores{
		Objects: func(context.Context, string) (replicate.Cleaner, error) { return b.lake, nil },
		State:   statestore.New(b.state), Now: b.now, Lock: true,
	})
	b.must(err)
	b.must(j.Run(t.Context(), func(c replicate.Cleaning) {
		if c.Action != replicate.Busy || len(c.Keys) > 0 {
			t.Errorf("got %+v", c)
		}
	}))
}

// TestPlanOfAProcessThatStoodStillIsNotCleanedAway lets 31 days pass between a plan and its commit, with the janitor in
// between: as long as nobody else commits, the plan may still become binding.
func TestPlanOfAProcessThatStoodStillIsNotCleanedAway(t *testing.T) {
	b := partitioned(t)
	b.change(update(1, "A", "x"))
	still := true
	lake := writing{b.lake, func(key string) {
		if still && strings.HasSuffix(key, ".json") && strings.Contains(key, "/commits/") && !strings.Contains(key, "batch") {
			still = false
			b.pass(31 * day)
			b.clean()
		}
	}}
	if got := b.tickOn(lake, b.state); got.Action != replicate.Merged || still {
		t.Errorf("got %s: %s; stood still: %v", got.Action, got.Reason, !still)
	}
	b.must(b.settle())
	b.must(b.wrong())
}

// writing is a bucket that tells of each Put after it took place.
type writing struct {
	*object.Memory
	after func(key string)
}

func (w writing) Put(ctx context.Context, key string, body []byte, in object.PutInput) (object.Info, error) {
	info, err := w.Memory.Put(ctx, key, body, in)
	w.after(key)
	return info, err
}

// TestEmptiedFilesOfTheOldLayoutGoWithTheJanitor moves a table to another partition key. Until the janitor came, a
// reader that takes partitions from names refused the folder: the emptied files had names of the old layout.
func TestEmptiedFilesOfTheOldLayoutGoWithTheJanitor(t *testing.T) {
	w := newWorld(t)
	w.load(product(), []any{1, "a", "x"}, []any{2, "b", "y"})
	w.tick()
	w.activate("store.product", "id", "dept")
	w.run("store.product", replicate.Loaded)
	w.activate("store.product", "id", "")
	w.change(product(), insert(3, "c", "z"))
	w.run("store.product", replicate.Halted)
	if _, err := w.engine().Acknowledge(t.Context(), "store.product", "reload"); err != nil {
		t.Fatal(err)
	}
	w.run("store.product", replicate.Merged)
	if emptied := len(w.files("product")); emptied < 3 {
		t.Fatalf("%d lake files", emptied)
	}
	lake := object.NewDirectory(filepath.Join(w.root, "lake"))
	w.clock = time.Now().Add(16 * day) // files bear the dates of the disk
	j, err := replicate.NewJanitor(w.config, replicate.JanitorStores{
		Objects: func(context.Context, string) (replicate.Cleaner, error) { return lake, nil },
		State:   w.state, Now: w.now, Lock: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Run(t.Context(), func(c replicate.Cleaning) {
		if c.Files != 2 || c.Err != nil {
			t.Errorf("got %+v", c)
		}
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{"1 a x", "2 b y", "3 c z"}
	if diff := cmp.Diff(want, w.rows("product", "id, name, dept")); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// TestJanitorDoesNotWrite holds what its role is allowed: to read, to delete, to end uploads; items it only reads.
func TestJanitorDoesNotWrite(t *testing.T) {
	b, _ := withEmptied(t)
	b.pass(100 * day)
	var asked []string
	got := b.janitorOn(onlyCleaner{b.lake, &asked}, readOnlyState{b.state, t})
	if got.Err != nil || got.Files != 1 {
		t.Errorf("got %+v", got)
	}
	if want := []string{"AbortAbandoned", "Delete"}; !slices.Equal(slices.Sorted(maps.Keys(countWords(asked))), want) {
		t.Errorf("calls that change something: %v, want %v", asked, want)
	}
}

// onlyCleaner notes what is asked beside reading.
type onlyCleaner struct {
	object.Reader
	asked *[]string
}

func (o onlyCleaner) Delete(ctx context.Context, key, ifMatch string) error {
	*o.asked = append(*o.asked, "Delete")
	return o.Reader.(*object.Memory).Delete(ctx, key, ifMatch)
}

func (o onlyCleaner) AbortAbandoned(context.Context, string, time.Time) (int, error) {
	*o.asked = append(*o.asked, "AbortAbandoned")
	return 0, nil
}

// readOnlyState is a control table whose every change fails the test.
type readOnlyState struct {
	statestore.Backend
	t *testing.T
}

func (r readOnlyState) Update(ctx context.Context, u statestore.Update) (statestore.Item, error) {
	r.t.Errorf("the janitor changes the control item: %v", u)
	return r.Backend.Update(ctx, u)
}

func (r readOnlyState) Create(context.Context, statestore.Item) error {
	r.t.Error("the janitor creates a control item")
	return nil
}

func countWords(words []string) map[string]int {
	count := map[string]int{}
	for _, w := range words {
		count[w]++
	}
	return count
}
