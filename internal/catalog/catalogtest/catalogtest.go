// Package catalogtest is the conformance suite of catalogs: what package catalog promises, as tests that every backend
// has to pass.
//
// Words: a case gets an empty database of its own. What it does not know: how one is made.
package catalogtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/internal/catalog"
	"sluice/internal/catalog/catalogfault"
)

// Run tests a backend. Open returns a new, empty one each time it is called.
func Run(t *testing.T, open func(t *testing.T) catalog.Backend) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(e env)
	}{
		{"a table is made, and only once", testMade},
		{"a table without partitions", testUnpartitioned},
		{"nothing differs, nothing is written", testIdle},
		{"a new column reaches the table and its partitions", testColumns},
		{"a table that moves, and whose types widen", testMoved},
		{"more partitions than one call takes", testMany},
		{"odd partition values", testValues},
		{"a table of somebody else is left alone", testTaken},
		{"other partition keys are refused", testKeys},
		{"writes at an old version are refused", testVersion},
		{"partitions that are there, or are not, are left alone", testPartitions},
		{"a writer in between is seen", testBetween},
		{"many at once", testRace},
		{"who is no longer wanted writes nothing", testStill},
		{"every write may fail", testFaults},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(env{t, open(t)}) })
	}
}

// env is what a case gets. Cases are tests and no helpers: a failure is reported where it was found.
type env struct {
	*testing.T
	backend catalog.Backend
}

func always(context.Context) error { return nil }

// product is a table of the given departments.
func product(departments ...string) catalog.Table {
	t := catalog.Table{
		Name: "product", Path: "raw/store/product/", Location: "s3://lake/product/",
		Columns: []catalog.Column{{Name: "Op", Type: "string"}, {Name: "id", Type: "int"}, {Name: "Name", Type: "string"}},
		Keys:    []catalog.Column{{Name: "Dept", Type: "string"}},
	}
	for _, d := range departments {
		t.Partitions = append(t.Partitions, catalog.Partition{Values: []string{d}, Location: t.Location + "Dept=" + d + "/"})
	}
	return t
}

func withColumn(t catalog.Table, name, hive string) catalog.Table {
	t.Columns = append(slices.Clone(t.Columns), catalog.Column{Name: name, Type: hive})
	return t
}

// ensure ensures and has to agree then.
func (e env) ensure(want catalog.Table) {
	e.Helper()
	if err := catalog.New(e.backend).Ensure(e.Context(), want, always); err != nil {
		e.Fatal(err)
	}
	e.same(want)
}

// same compares what the backend has with want.
func (e env) same(want catalog.Table) {
	e.Helper()
	if said, err := catalog.New(e.backend).Compare(e.Context(), want); said != "" || err != nil {
		e.Fatalf("Compare: %q, %v", said, err)
	}
	got, err := e.backend.Table(e.Context(), want.Name)
	if err != nil {
		e.Fatal(err)
	}
	low := func(columns []catalog.Column) []catalog.Column {
		made := []catalog.Column{}
		for _, c := range columns {
			made = append(made, catalog.Column{Name: strings.ToLower(c.Name), Type: c.Type})
		}
		return made
	}
	if got.Path != want.Path || got.Location != want.Location || !got.Parquet {
		e.Errorf("table: got %+v, want %+v", got, want)
	}
	if columns := low(want.Columns); !slices.Equal(got.Columns, columns) {
		e.Errorf("columns: got %v, want %v", got.Columns, columns)
	}
	if keys := low(want.Keys); !slices.Equal(got.Keys, keys) {
		e.Errorf("keys: got %v, want %v", got.Keys, keys)
	}
	for _, p := range want.Partitions {
		p.Columns = low(want.Columns)
		there, err := e.backend.Partitions(e.Context(), want.Name, [][]string{p.Values})
		if err != nil || len(there) != 1 || !reflect.DeepEqual(there[0], p) {
			e.Errorf("partition %q: got %v, %v, want %v", p.Values, there, err, p)
		}
	}
}

func testMade(e env) {
	if _, err := e.backend.Table(e.Context(), "product"); !errors.Is(err, catalog.ErrNotFound) {
		e.Errorf("Table of nothing: %v", err)
	}
	if said, err := catalog.New(e.backend).Compare(e.Context(), product("x")); said == "" || err != nil {
		e.Errorf("Compare with nothing: %q, %v", said, err)
	}
	e.ensure(product("x", "y"))
	if err := e.backend.PutTable(e.Context(), product(), catalog.Registered{}); !errors.Is(err, catalog.ErrChanged) {
		e.Errorf("made twice: %v", err)
	}
	e.same(product("x", "y"))
	if said, err := catalog.New(e.backend).Compare(e.Context(), product("x", "z")); said == "" || err != nil {
		e.Errorf("Compare with a partition that is not there: %q, %v", said, err)
	}
}

func testUnpartitioned(e env) {
	want := product()
	want.Keys = nil
	e.ensure(want)
	e.ensure(withColumn(want, "price", "decimal(10,2)"))
}

func testIdle(e env) {
	want := product("x", "y")
	e.ensure(want)
	was, err := e.backend.Table(e.Context(), want.Name)
	if err != nil {
		e.Fatal(err)
	}
	counted := catalogfault.New(e.backend, catalogfault.Fault{})
	for _, some := range []catalog.Table{want, product("y"), product()} {
		if err := catalog.New(counted).Ensure(e.Context(), some, always); err != nil || counted.Effects() != 0 {
			e.Errorf("%d effects, %v", counted.Effects(), err)
		}
	}
	if now, err := e.backend.Table(e.Context(), want.Name); err != nil || now.Version != was.Version {
		e.Errorf("version %s, %v, was %s", now.Version, err, was.Version)
	}
}

func testColumns(e env) {
	e.ensure(product("x", "y"))
	e.ensure(withColumn(product("x", "y", "z"), "Price", "int"))
}

func testMoved(e env) {
	e.ensure(product("x"))
	moved := product("x", "y")
	moved.Location = "s3://lake/store/product/"
	moved.Columns[1].Type = "bigint"
	moved.Keys[0].Type = "bigint"
	for i := range moved.Partitions {
		moved.Partitions[i].Location = moved.Location + moved.Partitions[i].Values[0] + "/"
	}
	e.ensure(moved)
}

func testMany(e env) {
	var departments []string
	for i := range 230 {
		departments = append(departments, fmt.Sprintf("d%03d", i))
	}
	e.ensure(product(departments[:120]...))
	counted := catalogfault.New(e.backend, catalogfault.Fault{})
	if err := catalog.New(counted).Ensure(e.Context(), withColumn(product(departments...), "price", "int"), always); err != nil {
		e.Fatal(err)
	}
	if counted.Effects() != 5 { // the table, two batches that are new, two that follow
		e.Errorf("%d effects, want 5", counted.Effects())
	}
	e.same(withColumn(product(departments...), "price", "int"))
}

func testValues(e env) {
	want := product()
	want.Keys = append(want.Keys, catalog.Column{Name: "day", Type: "date"})
	for _, v := range []string{"a/b=c", "ü ñ", "%2F", "__HIVE_DEFAULT_PARTITION__", `"`, "1"} {
		want.Partitions = append(want.Partitions, catalog.Partition{Values: []string{v, "2026-01-02"}, Location: want.Location + fmt.Sprintf("%x/", v)})
	}
	e.ensure(want)
	want.Partitions = append(want.Partitions, want.Partitions[0]) // twice the same is once
	e.ensure(want)
}

func testTaken(e env) {
	e.ensure(product("x"))
	other := withColumn(product("x", "y"), "price", "int")
	other.Path = "raw/shop/product/"
	counted := catalogfault.New(e.backend, catalogfault.Fault{})
	err := catalog.New(counted).Ensure(e.Context(), other, always)
	if !errors.Is(err, catalog.ErrTaken) || counted.Effects() != 0 {
		e.Errorf("%d effects, %v", counted.Effects(), err)
	}
	for _, named := range []string{"product", "raw/store/product/", "raw/shop/product/", catalog.PathParameter} {
		if err == nil || !strings.Contains(err.Error(), named) {
			e.Errorf("%v does not name %s", err, named)
		}
	}
	e.same(product("x"))
}

func testKeys(e env) {
	e.ensure(product("x"))
	for _, keys := range [][]catalog.Column{nil, {{Name: "name", Type: "string"}}, {{Name: "dept", Type: "string"}, {Name: "name", Type: "string"}}} {
		want := product()
		want.Keys = keys
		if err := catalog.New(e.backend).Ensure(e.Context(), want, always); !errors.Is(err, catalog.ErrKeys) {
			e.Errorf("keys %v: %v", keys, err)
		}
	}
	e.same(product("x"))
}

func testVersion(e env) {
	e.ensure(product("x"))
	was, err := e.backend.Table(e.Context(), "product")
	if err != nil {
		e.Fatal(err)
	}
	e.ensure(withColumn(product("x"), "price", "int"))
	if err := e.backend.PutTable(e.Context(), product("x"), was); !errors.Is(err, catalog.ErrChanged) {
		e.Errorf("an old version: %v", err)
	}
	e.same(withColumn(product("x"), "price", "int"))
}

func testPartitions(e env) {
	e.ensure(product("x"))
	moved := catalog.Partition{Values: []string{"x"}, Location: "s3://elsewhere/", Columns: product().Columns}
	fresh := catalog.Partition{Values: []string{"y"}, Location: "s3://lake/product/Dept=y/", Columns: []catalog.Column{{Name: "op", Type: "string"}, {Name: "id", Type: "int"}, {Name: "name", Type: "string"}}}
	if err := e.backend.AddPartitions(e.Context(), "product", []catalog.Partition{moved, fresh}); !errors.Is(err, catalog.ErrChanged) {
		e.Errorf("added again: %v", err)
	}
	e.same(product("x", "y"))
	missing := catalog.Partition{Values: []string{"z"}, Location: "s3://lake/product/Dept=z/"}
	if err := e.backend.SetPartitions(e.Context(), "product", []catalog.Partition{missing, fresh}); !errors.Is(err, catalog.ErrChanged) {
		e.Errorf("set one that is not there: %v", err)
	}
	if there, err := e.backend.Partitions(e.Context(), "product", [][]string{{"z"}, {"x"}}); err != nil || len(there) != 1 {
		e.Errorf("got %v, %v", there, err)
	}
}

// meddling lets somebody else write between looking and the first write.
type meddling struct {
	catalog.Backend
	once   *sync.Once
	meddle func()
}

func (m meddling) PutTable(ctx context.Context, want catalog.Table, was catalog.Registered) error {
	m.once.Do(m.meddle)
	return m.Backend.PutTable(ctx, want, was)
}

func (m meddling) AddPartitions(ctx context.Context, table string, partitions []catalog.Partition) error {
	m.once.Do(m.meddle)
	return m.Backend.AddPartitions(ctx, table, partitions)
}

func testBetween(e env) {
	for i, want := range []catalog.Table{product("x", "y"), withColumn(product("y"), "price", "int"), withColumn(product("x", "z"), "price", "int")} {
		before := product("x", "z") // the table that somebody makes first; at the third, its partition
		before.Columns = want.Columns
		if i == 1 {
			before = withColumn(product("x"), "color", "string")
		}
		m := meddling{e.backend, &sync.Once{}, func() { e.ensure(before) }}
		if err := catalog.New(m).Ensure(e.Context(), want, always); err != nil {
			e.Fatalf("%d: %v", i, err)
		}
		e.same(want)
	}
}

func testRace(e env) {
	var wait sync.WaitGroup
	want := withColumn(product("x", "y", "z"), "price", "int")
	for range 8 {
		wait.Go(func() {
			if err := catalog.New(e.backend).Ensure(e.Context(), want, always); err != nil {
				e.Error(err)
			}
		})
	}
	wait.Wait()
	e.same(want)
}

func testStill(e env) {
	e.ensure(product("x"))
	gone := errors.New("gone")
	err := catalog.New(e.backend).Ensure(e.Context(), withColumn(product("x", "y"), "price", "int"), func(context.Context) error { return gone })
	if !errors.Is(err, gone) {
		e.Errorf("got %v", err)
	}
	e.same(product("x"))
}

// testFaults fails each write of three Ensures in each way; the next Ensure has to end in the same table, also when
// what was delayed arrives behind it.
func testFaults(e env) {
	steps := []catalog.Table{product("x", "y"), product("x", "y", "z"), withColumn(product("x", "y", "z", "new"), "price", "int")}
	for n := range steps {
		for _, how := range []catalogfault.How{catalogfault.Before, catalogfault.After, catalogfault.Delayed, catalogfault.Twice, catalogfault.Resent} {
			for at := 1; ; at++ {
				suffix := fmt.Sprintf("_%d_%d_%d", n, how, at)
				named := func(t catalog.Table) catalog.Table { t.Name += suffix; return t }
				for _, before := range steps[:n] {
					e.ensure(named(before))
				}
				want := named(steps[n])
				broken := catalogfault.New(e.backend, catalogfault.Fault{At: at, How: how, Crash: how < catalogfault.Twice})
				err := catalog.New(broken).Ensure(e.Context(), want, always)
				if (err != nil) != broken.Dead() {
					e.Errorf("%s: %v", want.Name, err)
				}
				if broken.Effects() < at {
					break
				}
				e.ensure(want)
				_ = broken.Arrive(e.Context()) // it may be refused
				e.same(want)
			}
		}
	}
}
