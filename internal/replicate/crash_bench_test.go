package replicate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// bench is a world in memory, for thousands of runs: one table, its oracle,
// and what a reader must find at any moment.
type bench struct {
	t         testing.TB
	clock     *time.Time
	raw, lake *object.Memory
	state     *statestore.Memory
	config    replicate.Config
	table     dmsgen.Table
	oracle    *dmsgen.Oracle
	watermark string              // what LastIncrementalFile has to be in the end; "" = not looked at
	always    map[string][]string // rows of keys that are there all the time: any of the texts
	doubles   bool                // readers may see a key twice for a moment
}

const benchPath = "raw/store/product/"

func newBench(t testing.TB, table dmsgen.Table) *bench {
	t.Helper()
	clock := noon
	b := &bench{t: t, clock: &clock, table: table, oracle: dmsgen.NewOracle(table)}
	b.raw, b.lake, b.state = object.NewMemory(b.now), object.NewMemory(b.now), statestore.NewMemory(b.now)
	settings := replicate.DefaultSettings()
	settings.Settle, settings.FullLoadQuiet, settings.TargetFileBytes = 0, 0, 1<<20
	b.config = replicate.Config{RawBucket: "raw", LakeBucket: "lake", Schema: "*", Owner: "first", Settings: settings}
	return b
}

func (b *bench) now() time.Time { return *b.clock }

// fork copies the world: equal bodies have equal ETags.
func (b *bench) fork() *bench {
	c, clock := *b, *b.clock
	c.clock = &clock
	c.raw, c.lake = copyStore(b.t, b.raw, c.now), copyStore(b.t, b.lake, c.now)
	c.state = statestore.NewMemory(c.now)
	for item, err := range b.state.List(b.t.Context()) {
		if err = errors.Join(err, c.state.Create(b.t.Context(), maps.Clone(item))); err != nil {
			b.t.Fatal(err)
		}
	}
	return &c
}

func copyStore(t testing.TB, from *object.Memory, now func() time.Time) *object.Memory {
	t.Helper()
	to := object.NewMemory(now)
	for entry, err := range from.List(t.Context(), object.ListInput{}) {
		if err != nil {
			t.Fatal(err)
		}
		body, info := readObject(t, from, entry.Key)
		_, err = to.Put(t.Context(), entry.Key, body, object.PutInput{Metadata: info.Metadata})
		if err = errors.Join(err, to.SetLastModified(entry.Key, info.LastModified)); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func readObject(t testing.TB, store *object.Memory, key string) ([]byte, object.Info) {
	t.Helper()
	body, info, err := store.Get(t.Context(), key, object.GetInput{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return data, info
}

// engineOn returns an engine on the world, seen through the given lake and state.
func (b *bench) engineOn(lake replicate.Objects, state statestore.Backend) *replicate.Engine {
	e, err := replicate.New(b.config, replicate.Stores{
		Objects: func(_ context.Context, bucket string) (replicate.Objects, error) {
			if bucket == "raw" {
				return b.raw, nil
			}
			return lake, nil
		},
		State: statestore.New(state), Now: b.now,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

// tickOn runs once; the tick's own error is part of a result that failed.
func (b *bench) tickOn(lake replicate.Objects, state statestore.Backend) replicate.Result {
	*b.clock = b.clock.Add(2 * time.Minute) // past any lease
	var got replicate.Result
	err := b.engineOn(lake, state).Run(b.t.Context(), func(r replicate.Result) { got = r })
	if err != nil {
		got = replicate.Result{Action: replicate.Failed, Reason: err.Error(), Err: err}
	}
	return got
}

// settle runs on healthy stores until the table is idle.
func (b *bench) settle() error {
	for range 8 {
		switch got := b.tickOn(b.lake, b.state); got.Action {
		case replicate.Idle:
			if item := b.item(); item.Pending() || item.Halted() {
				return fmt.Errorf("idle, and pending %t, halted %t", item.Pending(), item.Halted())
			}
			return nil
		case replicate.Halted, replicate.Failed, replicate.Busy, replicate.Inactive:
			return fmt.Errorf("%s: %s", got.Action, got.Reason)
		case replicate.Loaded, replicate.Merged, replicate.Registered, replicate.Cleaned:
		}
	}
	return errors.New("not idle after 8 runs")
}

func (b *bench) item() statestore.Item {
	item, err := b.state.Read(b.t.Context(), benchPath)
	if err != nil {
		b.t.Fatal(err)
	}
	return item
}

// begin registers and activates the table.
func (b *bench) begin(key, partition string) {
	b.tickOn(b.lake, b.state)
	b.activate(key, partition)
}

func (b *bench) activate(key, partition string) {
	b.t.Helper()
	_, err := b.engineOn(b.lake, b.state).Activate(b.t.Context(), "store.product", replicate.Activation{PrimaryKey: &key, PartitionKey: &partition})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) acknowledge(accept string) {
	b.t.Helper()
	if _, err := b.engineOn(b.lake, b.state).Acknowledge(b.t.Context(), "store.product", accept); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// sink writes into the raw bucket with the dates that DMS gives.
func (b *bench) sink(ctx context.Context, key string, body []byte, modified time.Time) error {
	_, err := b.raw.Put(ctx, key, body, object.PutInput{})
	return errors.Join(err, b.raw.SetLastModified(key, modified))
}

func (b *bench) writer(s dmsgen.Settings) *dmsgen.Writer {
	w, err := dmsgen.NewWriter(dmsgen.SinkFunc(b.sink), s)
	b.must(err)
	return w
}

// load writes a full load, rowsPerFile to an object and to a row group, and tells the oracle.
func (b *bench) load(rowsPerFile int, rows ...[]any) {
	*b.clock = b.clock.Add(time.Minute)
	s := dmsgen.DefaultSettings()
	s.RowsPerFile, s.RowsPerRowGroup = rowsPerFile, rowsPerFile
	_, err := b.writer(s).WriteLoad(b.t.Context(), b.table, b.now(), rows...)
	b.must(err)
	b.oracle.Load(rows...)
	b.watermark = "" // as the load's start has it
}

// change writes one CDC file and tells the oracle.
func (b *bench) change(changes ...dmsgen.Change) {
	*b.clock = b.clock.Add(time.Minute)
	key, err := b.writer(dmsgen.DefaultSettings()).WriteChanges(b.t.Context(), b.table, b.now(), changes...)
	b.must(err)
	b.oracle.Apply(changes...)
	b.watermark = "raw/" + key
}

// rows are what a reader sees: texts of rows by the text of their key columns.
func (b *bench) rows() map[string][]string {
	seen := map[string][]string{}
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "product/"}) {
		b.must(err)
		body, _ := readObject(b.t, b.lake, entry.Key)
		file, err := dmsgen.Read(body)
		if err != nil {
			b.t.Fatalf("%s: %v", entry.Key, err)
		}
		for _, row := range file.Rows {
			key, text := b.text(func(column string) any {
				if at := file.Column(column); at >= 0 {
					return row[at]
				}
				if _, v, ok := strings.Cut("/"+entry.Key, "/"+column+"="); ok {
					v, _, _ = strings.Cut(v, "/")
					return v
				}
				return nil
			})
			seen[key] = append(seen[key], text)
		}
	}
	return seen
}

func (b *bench) text(cell func(column string) any) (key, row string) {
	var keys, cells []string
	for _, c := range b.table.Columns {
		text, ok := cell(c.Name).(string)
		if !ok {
			text = fmt.Sprint(cell(c.Name))
		}
		text = text[:min(len(text), 20)]
		cells = append(cells, text)
		if slices.Contains(b.table.Key, c.Name) || len(b.table.Key) == 0 {
			keys = append(keys, text)
		}
	}
	return strings.Join(keys, "|"), strings.Join(cells, "|")
}

func (b *bench) wanted() map[string][]string {
	want := map[string][]string{}
	for _, row := range b.oracle.Rows() {
		key, text := b.text(func(column string) any {
			if at := b.table.Index(column); at < len(row) {
				return row[at]
			}
			return nil
		})
		want[key] = append(want[key], text)
	}
	return want
}

// wrong compares lake and control item with the oracle.
func (b *bench) wrong() error {
	got, want := b.rows(), b.wanted()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if !slices.Equal(got[key], want[key]) {
			return fmt.Errorf("key %s: got %v, want %v", key, got[key], want[key])
		}
		delete(got, key)
	}
	if len(got) > 0 {
		return fmt.Errorf("surplus rows %v", got)
	}
	item := b.item()
	if b.watermark != "" && item[statestore.LastIncrementalFile] != b.watermark {
		return fmt.Errorf("watermark %s, want %s", item[statestore.LastIncrementalFile], b.watermark)
	}
	if item.Halted() || item.Pending() || item[statestore.Accept] != "" {
		return fmt.Errorf("item in the end: %v", item)
	}
	return nil
}

// torn says what a reader misses now: no key that was there before and is there
// after may be missing, and each of its rows is the old or the new one.
func (b *bench) torn() error {
	got := b.rows()
	for key, texts := range b.always {
		switch {
		case len(got[key]) == 0:
			return fmt.Errorf("key %s is missing", key)
		case len(got[key]) > 1 && !b.doubles && len(b.table.Key) > 0:
			return fmt.Errorf("key %s is there %d times", key, len(got[key]))
		}
		for _, row := range got[key] {
			if !slices.Contains(texts, row) {
				return fmt.Errorf("key %s: %s is none of %v", key, row, texts)
			}
		}
	}
	return nil
}

// watched is a lake whose reader looks after every write.
type watched struct {
	*object.Memory
	look func()
	mu   *sync.Mutex
}

func (w watched) Put(ctx context.Context, key string, body []byte, in object.PutInput) (object.Info, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	info, err := w.Memory.Put(ctx, key, body, in)
	w.look()
	return info, err
}

func (w watched) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	return &watchedUpload{Upload: w.Memory.Create(context.WithoutCancel(ctx), key, in), store: w}
}

type watchedUpload struct {
	object.Upload
	store watched
}

func (u *watchedUpload) Close(ctx context.Context) (object.Info, error) {
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	info, err := u.Upload.Close(ctx)
	u.store.look()
	return info, err
}
