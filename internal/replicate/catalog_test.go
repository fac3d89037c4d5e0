package replicate_test

import (
	"context"
	"fmt"
	"maps"
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
	"sluice/statestore"
	"sluice/statestore/statestorefault"
)

// asked counts the calls that a catalog gets.
type asked struct {
	catalog.Backend
	mu    sync.Mutex
	calls []string
}

func (a *asked) note(call string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, call)
}

func (a *asked) Table(ctx context.Context, name string) (catalog.Registered, error) {
	a.note("Table")
	return a.Backend.Table(ctx, name)
}

func (a *asked) PutTable(ctx context.Context, want catalog.Table, was catalog.Registered) error {
	a.note("PutTable")
	return a.Backend.PutTable(ctx, want, was)
}

func (a *asked) Partitions(ctx context.Context, table string, values [][]string) ([]catalog.Partition, error) {
	a.note(fmt.Sprintf("Partitions %d", len(values)))
	return a.Backend.Partitions(ctx, table, values)
}

func (a *asked) AddPartitions(ctx context.Context, table string, partitions []catalog.Partition) error {
	a.note(fmt.Sprintf("AddPartitions %d", len(partitions)))
	return a.Backend.AddPartitions(ctx, table, partitions)
}

func (a *asked) SetPartitions(ctx context.Context, table string, partitions []catalog.Partition) error {
	a.note(fmt.Sprintf("SetPartitions %d", len(partitions)))
	return a.Backend.SetPartitions(ctx, table, partitions)
}

// TestCatalog_IsAskedOnlyWhenSomethingChanged counts what each kind of run costs.
func TestCatalog_IsAskedOnlyWhenSomethingChanged(t *testing.T) {
	c := onto(partitioned(t))
	for _, step := range []struct {
		name   string
		before func()
		want   []string
	}{
		{"idle", func() {}, nil},
		{"rows of known partitions", func() { c.change(update(1, "A", "x"), insert(6, "f", "y"), remove(5, "e", "z")) }, nil},
		{"a new partition", func() { c.change(insert(7, "g", "new"), update(1, "B", "x")) }, []string{"Table", "Partitions 1", "AddPartitions 1"}},
		{"a row that moves there", func() { c.change(update(1, "B", "new")) }, nil},
		{"a new column", func() {
			c.table.Columns = append(c.table.Columns, dmsgen.Column{Name: "price", Type: "int"})
			c.change(update(1, "B", "new", 5))
		}, []string{"Table", "Partitions 3", "PutTable", "SetPartitions 3"}},
		{"the day's first commit", func() {
			*c.clock = c.clock.Add(24 * time.Hour)
			c.change(update(1, "C", "new", 5))
		}, []string{"Table", "Partitions 3"}},
		{"idle on another day", func() { *c.clock = c.clock.Add(24 * time.Hour) }, nil},
	} {
		step.before()
		a := &asked{Backend: c.catalog}
		if got := c.tick(stores{c.lake, c.state, a}); got.Err != nil {
			t.Fatalf("%s: %v", step.name, got.Err)
		}
		slices.Sort(a.calls)
		slices.Sort(step.want)
		if !slices.Equal(a.calls, step.want) {
			t.Errorf("%s: asked %q, want %q", step.name, a.calls, step.want)
		}
		c.must(c.sound())
	}
}

// TestCatalog_IsMendedByTheDaysFirstCommit and by the run behind a doctor that saw it.
func TestCatalog_IsMendedByTheDaysFirstCommit(t *testing.T) {
	c := onto(partitioned(t))
	c.catalog.Drop("product")
	c.change(update(1, "A", "x"))
	c.must(c.rest())
	if c.behind() == nil {
		t.Fatal("the table is there again: the test says nothing")
	}
	another := c.fork()
	if checks := another.doctor(); !slices.Contains(checks, "catalog table store.product: the table is not there") {
		t.Errorf("doctor says %q", checks)
	}
	c.must(another.rest())
	c.must(another.sound())
	if checks := another.doctor(); slices.ContainsFunc(checks, func(s string) bool { return strings.HasPrefix(s, "catalog") }) {
		t.Errorf("doctor says %q", checks)
	}

	*c.clock = c.clock.Add(24 * time.Hour)
	c.change(update(1, "B", "x"))
	c.must(c.rest())
	c.must(c.sound())
}

// doctor returns what is not well.
func (c *cataloged) doctor() (bad []string) {
	e, err := replicate.New(c.config, replicate.Stores{
		Objects: func(_ context.Context, bucket string) (replicate.Objects, error) {
			return map[string]*object.Memory{"raw": c.raw, "lake": c.lake}[bucket], nil
		},
		State: statestore.New(c.state), Now: c.now, Sleep: awake, Catalog: catalog.New(c.catalog),
	})
	c.must(err)
	c.must(e.Doctor(c.t.Context(), func(check replicate.Check) {
		if !check.OK {
			bad = append(bad, check.Name+": "+check.Detail)
		}
	}))
	return bad
}

// TestCatalog_IsNotTrustedBehindARunWithoutIt: what a run registered nothing of must not count as registered.
func TestCatalog_IsNotTrustedBehindARunWithoutIt(t *testing.T) {
	for name, without := range map[string]func(c *cataloged){
		"that made the commit": func(c *cataloged) {
			c.tick(stores{c.lake, c.state, nil})
		},
		"that rolled it forward": func(c *cataloged) {
			for n := 1; !c.item().Pending(); n++ {
				lake, state := objectfault.New(c.lake, objectfault.Fault{At: n, How: objectfault.Before, Crash: true}), statestorefault.New(c.state, statestorefault.Fault{})
				state.DieWith(lake.Dead)
				c.tick(stores{lake, state, c.catalog})
			}
			c.tick(stores{c.lake, c.state, nil})
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := onto(partitioned(t))
			c.change(insert(6, "f", "new"), update(1, "A", "x"))
			without(c)
			c.must(c.wrong())
			if c.behind() == nil {
				t.Fatal("the partition is registered: the test says nothing")
			}
			c.must(c.rest()) // idle but for this
			c.must(c.sound())
		})
	}
}

// TestCatalog_OfSomebodyElseHalts, also one whose partition keys are others, and the lake is whole behind the halt.
func TestCatalog_OfSomebodyElseHalts(t *testing.T) {
	other := catalog.Table{Name: "product", Path: "raw/shop/product/", Location: "s3://shop/product/", Columns: []catalog.Column{{Name: "id", Type: "int"}}}
	for name, c := range map[string]struct {
		there catalog.Table
		says  []string
	}{
		"of another table": {other, []string{"memory:catalog.product", "belongs to raw/shop/product/", "sluice.path to raw/store/product/"}},
		"of nobody":        {catalog.Table{Name: "product", Location: "s3://shop/product/"}, []string{"is not one of sluice's", "sluice.path to raw/store/product/"}},
		"of other keys":    {catalog.Table{Name: "product", Path: benchPath, Keys: []catalog.Column{{Name: "name", Type: "string"}}}, []string{`"name"`, `"dept"`, "drop the table"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, product())
			b.load(2, []any{1, "a", "x"}, []any{2, "b", "y"})
			b.begin("id", "dept")
			w := onto(b)
			w.must(w.catalog.PutTable(t.Context(), c.there, catalog.Registered{}))
			got := w.tick(w.healthy())
			if got.Action != replicate.Halted || !strings.HasPrefix(got.Reason, "catalog: ") {
				t.Fatalf("%s: %s", got.Action, got.Reason)
			}
			for _, part := range c.says {
				if !strings.Contains(got.Reason, part) {
					t.Errorf("%q does not say %q", got.Reason, part)
				}
			}
			if have, err := w.catalog.All("product"); err != nil || have.Path != c.there.Path || have.Location != c.there.Location {
				t.Errorf("the table is now %+v, %v", have, err)
			}
			w.catalog.Drop("product")
			w.acknowledge("")
			w.must(w.rest())
			w.must(w.sound())
		})
	}
}

// TestCatalog_Repartition: partition keys cannot be changed in a catalog, so an operator drops the table.
func TestCatalog_Repartition(t *testing.T) {
	c := onto(partitioned(t))
	c.activate("id", "name")
	c.change(update(1, "A", "x"), insert(6, "f", "z"))
	if got := c.tick(c.healthy()); !strings.HasPrefix(got.Reason, "partition: ") {
		t.Fatalf("%s: %s", got.Action, got.Reason)
	}
	c.acknowledge("reload")
	if got := c.tick(c.healthy()); got.Action != replicate.Halted || !strings.HasPrefix(got.Reason, "catalog: ") {
		t.Fatalf("%s: %s", got.Action, got.Reason)
	}
	c.catalog.Drop("product")
	c.acknowledge("")
	c.must(c.rest())
	c.must(c.sound())
}

// overtaken is a catalog whose first write waits until another run has done everything.
type overtaken struct {
	catalog.Backend
	once      *sync.Once
	meanwhile func()
}

func (o overtaken) PutTable(ctx context.Context, want catalog.Table, was catalog.Registered) error {
	o.once.Do(o.meanwhile)
	return o.Backend.PutTable(ctx, want, was)
}

func (o overtaken) AddPartitions(ctx context.Context, table string, partitions []catalog.Partition) error {
	o.once.Do(o.meanwhile)
	return o.Backend.AddPartitions(ctx, table, partitions)
}

// TestCatalog_ARunThatStoodStillUndoesNothing: it registers a column; meanwhile another run ends that commit and
// makes one with a second column. The version that it looked at is gone, and so is its commit.
func TestCatalog_ARunThatStoodStillUndoesNothing(t *testing.T) {
	for name, first := range map[string]func(c *cataloged){
		"with a column": func(c *cataloged) {
			c.table.Columns = append(c.table.Columns, dmsgen.Column{Name: "price", Type: "int"})
			c.change(update(1, "A", "x", 7), insert(6, "f", "new", 8))
		},
		"with a partition": func(c *cataloged) {
			c.change(update(1, "A", "x"), insert(6, "f", "new"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := onto(partitioned(t))
			first(c)
			slow := overtaken{c.catalog, &sync.Once{}, func() {
				c.config.Owner = "second"
				c.must(c.rest())
				for len(c.table.Columns) < 5 {
					c.table.Columns = append(c.table.Columns, dmsgen.Column{Name: fmt.Sprintf("c%d", len(c.table.Columns)), Type: "int"})
				}
				c.change(update(2, "B", "y", 1, 2))
				c.must(c.rest())
				c.must(c.sound())
			}}
			if got := c.tick(stores{c.lake, c.state, slow}); got.Action == replicate.Failed || got.Action == replicate.Halted {
				t.Fatalf("%s: %s", got.Action, got.Reason)
			}
			c.must(c.sound())
		})
	}
}

// TestCatalog_FollowsACommitThatIsReplaced: a rewrite to a wider type has registered it, then a lake file changes under
// it, and the operator takes the lake as it is.
func TestCatalog_FollowsACommitThatIsReplaced(t *testing.T) {
	c := onto(partitioned(t))
	c.table.Columns[0].Type = "bigint"
	c.change(update(1, "A", "x"), insert(5_000_000_000, "big", "new"))
	c.tick(c.healthy())
	c.acknowledge("schema")
	b := catalogfault.New(c.catalog, catalogfault.Fault{At: 2, How: catalogfault.After, Crash: true})
	lake, state := objectfault.New(c.lake, objectfault.Fault{}), statestorefault.New(c.state, statestorefault.Fault{})
	lake.DieWith(b.Dead)
	state.DieWith(b.Dead)
	c.tick(stores{lake, state, b})
	if item := c.item(); !item.Pending() || item[statestore.Catalog] != "" || !b.Dead() {
		t.Fatalf("not in the middle of it: %v", item)
	}
	for entry, err := range c.lake.List(t.Context(), object.ListInput{Prefix: "product/dept=x/"}) {
		c.must(err)
		if !strings.Contains(entry.Key, c.item()[statestore.CommitID][:8]) { // an old file, written anew by somebody
			body, info := readObject(t, c.lake, entry.Key)
			info.Metadata["by"] = "somebody"
			_, err := c.lake.Put(t.Context(), entry.Key, body, object.PutInput{Metadata: info.Metadata})
			c.must(err)
		}
	}
	c.must(c.rest())
	c.must(c.sound())
}

// TestCatalog_Names: the folder, behind the schema where the out_path ends with that.
func TestCatalog_Names(t *testing.T) {
	c := &cataloged{bench: newBench(t, product()), catalog: catalog.NewMemory()}
	shop := product()
	shop.Schema, shop.Name = "My Shop", "product"
	for _, table := range []dmsgen.Table{product(), shop} {
		_, err := c.writer(dmsgen.DefaultSettings()).WriteLoad(t.Context(), table, c.now(), []any{1, "a", "x"})
		c.must(err)
	}
	c.tick(c.healthy())
	key, none := "id", ""
	for _, name := range []string{"store.product", "My Shop.product"} {
		_, err := c.engineOn(c.lake, c.state).Activate(t.Context(), name, replicate.Activation{PrimaryKey: &key, PartitionKey: &none})
		c.must(err)
	}
	c.tick(c.healthy())
	found := map[string]string{}
	for _, name := range []string{"product", "store_product", "my_shop_product"} {
		if table, err := c.catalog.All(name); err == nil {
			found[name] = table.Path + " " + table.Location
		}
	}
	want := map[string]string{ // in the order in which they were registered
		"product":       "raw/My Shop/product/ s3://lake/product/",
		"store_product": "raw/store/product/ s3://lake/store/product/",
	}
	if !maps.Equal(found, want) {
		t.Errorf("registered %q, want %q", found, want)
	}
}
