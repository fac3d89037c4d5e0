package replicate_test

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/catalog"
	"sluice/internal/catalog/catalogfault"
	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
	"sluice/statestore"
	"sluice/statestore/statestorefault"
)

// cataloged is a bench whose lake is read through a catalog.
type cataloged struct {
	*bench
	catalog *catalog.Memory
	looking sync.Mutex
	torn    error // the first thing that a reader missed
}

// stores are what a run sees of the world.
type stores struct {
	lake    object.Store
	state   statestore.Backend
	catalog catalog.Backend // nil: off
}

func (c *cataloged) fork() *cataloged {
	return &cataloged{bench: c.bench.fork(), catalog: c.catalog.Clone()}
}

func (c *cataloged) healthy() stores { return stores{c.lake, c.state, c.catalog} }

// tick runs once; a reader looks after every write of it.
func (c *cataloged) tick(s stores) replicate.Result {
	*c.clock = c.clock.Add(2 * time.Minute) // past any lease
	in := replicate.Stores{
		Objects: func(_ context.Context, bucket string) (replicate.Objects, error) {
			if bucket == "raw" {
				return c.raw, nil
			}
			return lookedAfter{s.lake, c.look}, nil
		},
		State: statestore.New(s.state), Now: c.now, Sleep: awake,
	}
	if s.catalog != nil {
		in.Catalog = catalog.New(s.catalog)
	}
	c.config.Parallel = 1
	e, err := replicate.New(c.config, in)
	c.must(err)
	var got replicate.Result
	if err := e.Run(c.t.Context(), func(r replicate.Result) { got = r }); err != nil {
		got = replicate.Result{Action: replicate.Failed, Reason: err.Error(), Err: err}
	}
	return got
}

// rest runs until the table is idle.
func (c *cataloged) rest() error {
	for range 8 {
		switch got := c.tick(c.healthy()); got.Action {
		case replicate.Idle:
			return nil
		case replicate.Halted, replicate.Failed, replicate.Busy, replicate.Inactive:
			return fmt.Errorf("%s: %s", got.Action, got.Reason)
		case replicate.Loaded, replicate.Merged, replicate.Rebuilt, replicate.Registered, replicate.Compacted, replicate.Cleaned, replicate.Started:
		}
	}
	return errors.New("not idle after 8 runs")
}

// lookedAfter is a lake at which a reader looks after every lake file that is written.
type lookedAfter struct {
	object.Store
	look func()
}

func (l lookedAfter) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	if !strings.HasPrefix(key, "product/") {
		return l.Store.Create(ctx, key, in)
	}
	return lookedAfterUpload{l.Store.Create(ctx, key, in), l.look}
}

type lookedAfterUpload struct {
	object.Upload
	look func()
}

func (u lookedAfterUpload) Close(ctx context.Context) (object.Info, error) {
	defer u.look()
	return u.Upload.Close(ctx)
}

// look reads the table through the catalog: no key that was there before and is there after may be missing.
func (c *cataloged) look() {
	c.looking.Lock()
	defer c.looking.Unlock()
	if c.torn == nil && len(c.always) > 0 {
		visible := *c.bench
		visible.lake = c.visible()
		c.torn = visible.torn()
	}
}

// visible is the lake as a query through the catalog sees it: what lies in a registered partition.
func (c *cataloged) visible() *object.Memory {
	seen := object.NewMemory(c.now)
	table, err := c.catalog.All("product")
	if err != nil {
		return seen
	}
	for entry, err := range c.lake.List(context.Background(), object.ListInput{Prefix: "product/"}) {
		c.must(err)
		location := "s3://lake/" + path.Dir(entry.Key) + "/"
		if len(table.Keys) == 0 || slices.ContainsFunc(table.Partitions, func(p catalog.Partition) bool { return p.Location == location }) {
			body, info := readObject(c.t, c.lake, entry.Key)
			_, err := seen.Put(context.Background(), entry.Key, body, object.PutInput{Metadata: info.Metadata})
			c.must(err)
		}
	}
	return seen
}

// behind says how the catalog differs from the lake: columns, keys, and every directory with rows.
func (c *cataloged) behind() error {
	got, err := c.catalog.All("product")
	if err != nil {
		return err
	}
	item := c.item()
	key := strings.ReplaceAll(item[statestore.PartitionKey], statestore.NoColumns, "")
	want := []catalog.Column{{Name: "op", Type: "string"}}
	var keys []catalog.Column
	for _, column := range c.table.Columns {
		hive := map[string]string{"int": "int", "bigint": "bigint", "text": "string"}[column.Type]
		if column.Name == key {
			keys = append(keys, catalog.Column{Name: column.Name, Type: hive})
			continue
		}
		want = append(want, catalog.Column{Name: column.Name, Type: hive})
	}
	if !slices.Equal(got.Columns, want) || !slices.Equal(got.Keys, keys) {
		return fmt.Errorf("columns %v, keys %v, want %v, %v", got.Columns, got.Keys, want, keys)
	}
	for entry, err := range c.lake.List(c.t.Context(), object.ListInput{Prefix: "product/"}) {
		c.must(err)
		body, _ := readObject(c.t, c.lake, entry.Key)
		file, err := dmsgen.Read(body)
		c.must(err)
		if err := registered(got, path.Dir(entry.Key)+"/"); len(file.Rows) > 0 && err != nil {
			return err
		}
	}
	if !strings.Contains(item[statestore.Catalog], " memory:catalog.product ") {
		return fmt.Errorf("the item says %q", item[statestore.Catalog])
	}
	return nil
}

// registered says what is wrong with the partition of a directory of the lake.
func registered(t catalog.Table, dir string) error {
	if len(t.Keys) == 0 {
		return nil
	}
	_, value, _ := strings.Cut(strings.TrimSuffix(dir, "/"), "=")
	for _, p := range t.Partitions {
		if p.Location != "s3://lake/"+dir {
			continue
		}
		if p.Values[0] != value || !slices.Equal(p.Columns, t.Columns) {
			return fmt.Errorf("partition %+v, the table has %v", p, t.Columns)
		}
		return nil
	}
	return fmt.Errorf("%s holds rows and is not registered", dir)
}

func (c *cataloged) sound() error { return errors.Join(c.torn, c.wrong(), c.behind()) }

// onto catalogs a bench up to now.
func onto(b *bench) *cataloged {
	b.t.Helper()
	c := &cataloged{bench: b, catalog: catalog.NewMemory()}
	if b.item()[statestore.Index] != "" {
		b.must(errors.Join(c.rest(), c.behind()))
	}
	return c
}

func catalogScenarios() map[string]func(t *testing.T) *cataloged {
	table := func(t *testing.T) *cataloged { t.Helper(); return onto(partitioned(t)) }
	return map[string]func(t *testing.T) *cataloged{
		"first load": func(t *testing.T) *cataloged {
			t.Helper()
			b := newBench(t, product())
			b.load(2, []any{1, "a", "x"}, []any{2, "b", "y"}, []any{3, "c", "y"}, []any{4, "d", "z"}, []any{5, "e", "x"})
			b.begin("id", "dept")
			return onto(b)
		},
		"first load without partitions, then a column": func(t *testing.T) *cataloged {
			t.Helper()
			b := newBench(t, product())
			b.load(2, []any{1, "a", "x"}, []any{2, "b", "y"})
			b.begin("id", "")
			b.table.Columns = append(b.table.Columns, dmsgen.Column{Name: "price", Type: "int"})
			b.change(update(1, "A", "x", 7), insert(6, "f", "new", 8))
			return onto(b)
		},
		"merge with a new partition": func(t *testing.T) *cataloged {
			t.Helper()
			c := table(t)
			before := c.rows()
			c.change(insert(6, "f", "new"), update(1, "A", "x"), remove(3, "c", "y"), insert(7, "g", "z"))
			c.change(update(6, "F", "new"), remove(5, "e", "z"), remove(7, "g", "z"))
			c.keep(before)
			return c
		},
		"merge with a new column": func(t *testing.T) *cataloged {
			t.Helper()
			c := table(t)
			c.table.Columns = append(c.table.Columns, dmsgen.Column{Name: "price", Type: "int"})
			before := c.rows()
			c.change(update(1, "A", "x", 7), insert(6, "f", "new", 8), remove(3, "c", "y", nil))
			c.keep(before)
			return c
		},
		"partition move": func(t *testing.T) *cataloged {
			t.Helper()
			c := table(t)
			before := c.rows()
			c.change(update(1, "a", "y"), update(3, "c", "new"), update(5, "e", "x"), insert(8, "h", "other"))
			c.keep(before)
			c.doubles = true
			return c
		},
		"a partition comes back to life": func(t *testing.T) *cataloged {
			t.Helper()
			c := table(t)
			c.change(remove(5, "e", "z"))
			c.must(c.rest())
			c.table.Columns = append(c.table.Columns, dmsgen.Column{Name: "price", Type: "int"})
			c.change(update(1, "A", "x", 7))
			c.must(c.rest())
			before := c.rows()
			c.change(update(2, "b", "z", 9), insert(6, "f", "z", 8))
			c.keep(before)
			c.doubles = true
			return c
		},
		"reload": func(t *testing.T) *cataloged {
			t.Helper()
			c := table(t)
			before := c.rows()
			c.load(10, []any{1, "a1", "w"}, []any{2, "b", "y"}, []any{4, "d", "v"}, []any{9, "i", "w"})
			loaded := c.wanted()
			c.change(update(2, "b2", "y"))
			c.keep(before, loaded)
			c.doubles = true
			return c
		},
		"schema rewrite": func(t *testing.T) *cataloged {
			t.Helper()
			c := table(t)
			before := c.rows()
			c.table.Columns[0].Type = "bigint"
			c.change(update(1, "A", "x"), insert(5_000_000_000, "big", "new"))
			c.tick(c.healthy())
			c.acknowledge("schema")
			c.keep(before)
			c.doubles = true
			return c
		},
		"the catalog is new to a table at rest": func(t *testing.T) *cataloged {
			t.Helper()
			return &cataloged{bench: partitioned(t), catalog: catalog.NewMemory()}
		},
	}
}

// broken is one way in which the n-th effect of a run goes wrong: of the catalog, the lake or the control table.
type broken struct {
	name  string
	begin func(c *cataloged, n int) (s stores, effects func() int, arrive func())
	late  bool // what is delayed arrives before the next run, or else behind everything
}

func brokenCatalog(how catalogfault.How, crash bool) func(*cataloged, int) (stores, func() int, func()) {
	return func(c *cataloged, n int) (stores, func() int, func()) {
		b := catalogfault.New(c.catalog, catalogfault.Fault{At: n, How: how, Crash: crash})
		lake, state := objectfault.New(c.lake, objectfault.Fault{}), statestorefault.New(c.state, statestorefault.Fault{})
		lake.DieWith(b.Dead)
		state.DieWith(b.Dead)
		return stores{lake, state, b}, b.Effects, func() { _ = b.Arrive(context.Background()) }
	}
}

// The other stores break in one way only: what their effects leave behind is for other tests.
func brokenLake(c *cataloged, n int) (stores, func() int, func()) {
	lake := objectfault.New(c.lake, objectfault.Fault{At: n, How: objectfault.After, Crash: true})
	b, state := catalogfault.New(c.catalog, catalogfault.Fault{}), statestorefault.New(c.state, statestorefault.Fault{})
	b.DieWith(lake.Dead)
	state.DieWith(lake.Dead)
	return stores{lake, state, b}, lake.Effects, func() {}
}

func brokenState(c *cataloged, n int) (stores, func() int, func()) {
	state := statestorefault.New(c.state, statestorefault.Fault{At: n, How: statestorefault.After, Crash: true})
	b, lake := catalogfault.New(c.catalog, catalogfault.Fault{}), objectfault.New(c.lake, objectfault.Fault{})
	b.DieWith(state.Dead)
	lake.DieWith(state.Dead)
	return stores{lake, state, b}, state.Effects, func() {}
}

func breaks() []broken {
	return []broken{
		{"not done", brokenCatalog(catalogfault.Before, false), false},
		{"answer lost", brokenCatalog(catalogfault.After, false), false},
		{"sent again", brokenCatalog(catalogfault.Resent, false), false},
		{"late, caller lives", brokenCatalog(catalogfault.Delayed, false), false},
		{"dead before", brokenCatalog(catalogfault.Before, true), false},
		{"dead after", brokenCatalog(catalogfault.After, true), false},
		{"late, caller dead", brokenCatalog(catalogfault.Delayed, true), false},
		{"very late, caller dead", brokenCatalog(catalogfault.Delayed, true), true},
		{"twice, the second very late", brokenCatalog(catalogfault.Twice, false), true},
		{"lake, dead after", brokenLake, false},
		{"control table, dead after", brokenState, false},
	}
}

// TestEveryEffectOnTheCatalogMayFail: whatever becomes of a run, the next ones end with a catalog that is the lake, and
// who reads the lake through it never misses a key.
func TestEveryEffectOnTheCatalogMayFail(t *testing.T) {
	t.Parallel()
	points := 0
	for name, make := range catalogScenarios() {
		t.Run(name, func(t *testing.T) {
			from := make(t)
			healthy := from.fork()
			if err := errors.Join(healthy.rest(), healthy.sound()); err != nil {
				t.Fatalf("healthy run: %v", err)
			}
			for _, b := range breaks() {
				for n := 1; ; n++ {
					c := from.fork()
					s, effects, arrive := b.begin(c, n)
					got := c.tick(s)
					if effects() < n {
						break
					}
					points++
					if err := c.survives(got, b.late, arrive); err != nil {
						t.Errorf("%s, effect %d: %v", b.name, n, err)
					}
				}
			}
		})
	}
	rig.Figure(t, "crash points", "catalog: %d crash points in %d scenarios", points, len(catalogScenarios()))
}

// survives goes on behind a run with a fault.
func (c *cataloged) survives(got replicate.Result, late bool, arrive func()) error {
	if got.Action == replicate.Halted {
		return fmt.Errorf("halted in the run with the fault: %s", got.Reason)
	}
	c.config.Owner = "second"
	c.look()
	if !late {
		arrive()
	}
	if err := c.rest(); err != nil {
		return fmt.Errorf("next runs: %w", err)
	}
	arrive()
	return errors.Join(c.sound(), c.rest(), c.sound())
}
