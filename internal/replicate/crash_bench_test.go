package replicate_test

import (
	"context"
	"errors"
	"io"
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
	writes    dmsgen.Settings     // of the files that DMS writes
	watermark string              // what LastIncrementalFile has to be in the end; "" = not looked at
	always    map[string][]string // rows of keys that are there all the time: any of the texts
	doubles   bool                // readers may see a key twice for a moment
	inOrder   bool                // ops one after the other: the n-th effect is the same in each run
	cramped   bool                // merges are folded in parts
	decoded   *decodings
	underWay  []*request // of a process that died before
	told      tally      // what the result lines of the runs say together
	kept      []string   // rows that are in the quarantine in the end: "name op"
	overtaken []string   // others, of a load that was finished or undone before another took its place
	broken    string     // a lake file that cannot be read in the beginning
	do        doing      // what is run; nil = a tick
}

// doing is what an operator or a schedule runs.
type doing func(b *bench, e *replicate.Engine) (replicate.Result, error)

func tickOnce(b *bench, e *replicate.Engine) (got replicate.Result, err error) {
	err = e.Run(b.t.Context(), func(r replicate.Result) { got = r })
	return got, err
}

const benchPath = "raw/store/product/"

func newBench(t testing.TB, table dmsgen.Table) *bench {
	t.Helper()
	clock := noon
	b := &bench{t: t, clock: &clock, table: table, oracle: dmsgen.NewOracle(table), writes: dmsgen.DefaultSettings(), decoded: &decodings{files: map[string]*dmsgen.Rows{}}}
	b.raw, b.lake, b.state = object.NewMemory(b.now), object.NewMemory(b.now), statestore.NewMemory(b.now)
	settings := replicate.DefaultSettings()
	settings.Settle, settings.FullLoadQuiet, settings.TargetFileBytes, settings.Compression = 0, 0, 1<<20, "none"
	b.config = replicate.Config{RawBucket: "raw", LakeBucket: "lake", Schema: "*", Owner: "first", Settings: settings}
	return b
}

func (b *bench) now() time.Time { return *b.clock }

// fork copies the world. It is cheap: bodies are shared.
func (b *bench) fork() *bench {
	c, clock := *b, *b.clock
	c.clock = &clock
	c.raw, c.lake, c.state = b.raw.Clone(c.now), b.lake.Clone(c.now), b.state.Clone(c.now)
	c.underWay = nil // it would arrive in the other world
	c.oracle, c.decoded = cloneOracle(b), b.decoded.clone()
	return &c
}

func cloneOracle(b *bench) *dmsgen.Oracle {
	o := dmsgen.NewOracle(b.table)
	o.Load(b.oracle.Rows()...)
	return o
}

func readObject(t testing.TB, store *object.Memory, key string) ([]byte, object.Info) {
	t.Helper()
	body, info, err := store.Get(context.Background(), key, object.GetInput{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return data, info
}

// awake does not sleep.
func awake(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// engineOn returns an engine on the world, seen through the given lake and state.
func (b *bench) engineOn(lake replicate.Objects, state statestore.Backend) *replicate.Engine {
	e, err := replicate.New(b.config, replicate.Stores{
		Objects: func(_ context.Context, bucket string) (replicate.Objects, error) {
			if bucket == "raw" {
				return b.raw, nil
			}
			return lake, nil
		},
		State: statestore.New(state), Now: b.now, Sleep: awake,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if b.inOrder {
		replicate.InOrder(e)
	}
	if b.cramped {
		replicate.Cramped(e, cramped)
	}
	return e
}

// tickOn runs once; the tick's own error is part of a result that failed.
func (b *bench) tickOn(lake replicate.Objects, state statestore.Backend) replicate.Result {
	*b.clock = b.clock.Add(2 * time.Minute) // past any lease
	do := b.do
	if do == nil {
		do = tickOnce
	}
	got, err := do(b, b.engineOn(lake, state))
	if err != nil {
		got = replicate.Result{Action: replicate.Failed, Reason: err.Error(), Err: err}
	}
	b.told.add(got)
	return got
}

// settle runs on healthy stores until the table is idle.
func (b *bench) settle() error { return (&player{bench: b}).settle() }

// workOn is tickOn for who does not know that a run is a worker's.
func (b *bench) workOn(lake object.Store, state statestore.Backend) replicate.Result {
	return b.tickOn(lake, state)
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
	s := b.writes
	s.RowsPerFile, s.RowsPerRowGroup = rowsPerFile, rowsPerFile
	_, err := b.writer(s).WriteLoad(b.t.Context(), b.table, b.now(), rows...)
	b.must(err)
	b.oracle.Load(rows...)
	b.watermark = "" // as the load's start has it
}

// change writes one CDC file and tells the oracle.
func (b *bench) change(changes ...dmsgen.Change) {
	*b.clock = b.clock.Add(time.Minute)
	key, err := b.writer(b.writes).WriteChanges(b.t.Context(), b.table, b.now(), changes...)
	b.must(err)
	b.oracle.Apply(changes...)
	b.watermark = "raw/" + key
}
