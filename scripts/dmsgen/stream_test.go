package dmsgen_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sluice/scripts/dmsgen"
)

func TestOracle(t *testing.T) {
	table := dmsgen.Table{Schema: "s", Name: "t", Key: []string{"id"}, Columns: []dmsgen.Column{{"id", "int"}, {"v", "text"}}}
	row := func(id int, v string) []any { return []any{id, v} }
	for name, tc := range map[string]struct {
		changes []dmsgen.Change
		want    [][]any
	}{
		"insert of a known key replaces": {[]dmsgen.Change{{Op: "I", Row: row(1, "x")}}, [][]any{row(1, "x"), row(2, "b")}},
		"update of an unknown inserts":   {[]dmsgen.Change{{Op: "U", Row: row(3, "x")}}, [][]any{row(1, "a"), row(2, "b"), row(3, "x")}},
		"delete of an unknown is none":   {[]dmsgen.Change{{Op: "D", Row: row(3, "")}}, [][]any{row(1, "a"), row(2, "b")}},
		"the last change wins":           {[]dmsgen.Change{{Op: "D", Row: row(1, "")}, {Op: "I", Row: row(1, "x")}}, [][]any{row(1, "x"), row(2, "b")}},
		"what is missing stays":          {[]dmsgen.Change{{Op: "U", Row: []any{1, dmsgen.Missing{}}}}, [][]any{row(1, "a"), row(2, "b")}},
		"what is missing moves":          {[]dmsgen.Change{{Op: "U", Row: []any{9, dmsgen.Missing{}}, Before: row(1, "a")}}, [][]any{row(2, "b"), row(9, "a")}},
		"missing in an unknown is NULL":  {[]dmsgen.Change{{Op: "U", Row: []any{3, dmsgen.Missing{}}}}, [][]any{row(1, "a"), row(2, "b"), {3, nil}}},
		"a before-image moves":           {[]dmsgen.Change{{Op: "U", Row: row(9, "a"), Before: row(1, "a")}}, [][]any{row(2, "b"), row(9, "a")}},
	} {
		t.Run(name, func(t *testing.T) {
			o := dmsgen.NewOracle(table)
			o.Load(row(1, "a"), row(2, "b"))
			o.Apply(tc.changes...)
			if diff := cmp.Diff(tc.want, o.Rows()); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOracleWithoutKeyAppends(t *testing.T) {
	o := dmsgen.NewOracle(dmsgen.Table{Columns: []dmsgen.Column{{"v", "text"}}})
	o.Load([]any{"a"}, []any{"a"})
	o.Apply(dmsgen.Change{Op: "U", Row: []any{"b"}}, dmsgen.Change{Op: "D", Row: []any{"a"}}, dmsgen.Change{Op: "I", Row: []any{"c"}})
	if diff := cmp.Diff([][]any{{"a"}, {"a"}, {"c"}}, o.Rows()); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// TestStreams plays what was written back through Read: it is the oracle's truth.
func TestStreams(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			sink := objects{}
			w := newWriter(t, sink, func(s *dmsgen.Settings) { s.BeforeImages = dmsgen.AllImages })
			s := dmsgen.NewStream(seed, dmsgen.RandomTable(seed), dmsgen.Mix{Inserts: 2, Updates: 5, Deletes: 2, Moves: 1})
			truth, replayed := dmsgen.NewOracle(s.Table), dmsgen.NewOracle(s.Table)
			rows, changes := s.Rows(50), s.Changes(100)
			truth.Load(rows...)
			replayed.Load(rows...)
			truth.Apply(changes...)
			key, err := w.WriteChanges(t.Context(), s.Table, noon(), changes...)
			if err != nil {
				t.Fatal(err)
			}
			n := len(s.Table.Columns)
			for _, row := range read(t, sink[key]).Rows {
				op, _ := row[0].(string)
				c := dmsgen.Change{Op: dmsgen.Op(op), Row: row[1 : n+1]}
				if row[n+1] != nil {
					c.Before = row[n+1:]
				}
				replayed.Apply(c)
			}
			if diff := cmp.Diff(truth.Rows(), replayed.Rows(), cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStreamIsDeterministic(t *testing.T) {
	make100 := func() []dmsgen.Change {
		return dmsgen.NewStream(5, dmsgen.RandomTable(5), dmsgen.Mix{Inserts: 1, Updates: 1, Deletes: 1}).Changes(100)
	}
	if diff := cmp.Diff(make100(), make100(), cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("two streams of one seed differ:\n%s", diff)
	}
}

func TestSample(t *testing.T) {
	s := dmsgen.NewSample(noon())
	if got := len(s.Rows("productorder")); got != 6000 {
		t.Errorf("got %d orders, want 6000", got)
	}
	s.RoundOne()
	if got := len(s.Rows("productorder")); got != 6000+1345 {
		t.Errorf("after round one: got %d orders, want 7345", got)
	}
	products := s.Rows("product")
	if len(products) != 24 {
		t.Errorf("after round one: got %d products, want 24", len(products))
	}
	want := []any{int64(1001), "Sample Product", "Sample Dept", "Sample Category", "19.49"}
	if diff := cmp.Diff(want, products[0]); diff != "" {
		t.Errorf("product 1001 (-want +got):\n%s", diff)
	}
	s.RoundTwo()
	if got := s.Rows("productorder")[7][5]; got != "2025-01-08" { // order 7 is gone
		t.Errorf("order 9 is of %v, want 2025-01-08", got)
	}
	if got := len(s.Rows("store")); got != 9 {
		t.Errorf("got %d stores, want 9", got)
	}
}

// differing returns the columns in which a change differs from the row of its key in the full load.
func differing(items *dmsgen.LineItem, c dmsgen.Change) []string {
	var names []string
	key, _ := c.Row[0].(int64)
	for i, old := range items.Row(nil, key, 0) {
		if !reflect.DeepEqual(old, c.Row[i]) {
			names = append(names, items.Table.Columns[i].Name)
		}
	}
	return names
}

// The benchmark's cases are named after what their changes leave as it was.
func TestLineItemChangesWhatItSays(t *testing.T) {
	items := dmsgen.NewLineItem(1)
	every := make([]string, 0, len(items.Table.Columns))
	for _, c := range items.Table.Columns[1:] {
		every = append(every, c.Name)
	}
	for name, c := range map[string]struct {
		changes []dmsgen.Change
		want    []string
	}{
		"random": {items.RandomUpdates(10_000, 1000), every},
		"tail":   {items.TailChanges(10_000, 100, 0), every},
		"price":  {items.PriceUpdates(10_000, 1000), []string{"l_quantity", "l_extendedprice"}},
	} {
		for _, change := range c.changes {
			if got := differing(items, change); !slices.Equal(got, c.want) {
				t.Fatalf("%s: key %v differs in %q, want %q", name, change.Row[0], got, c.want)
			}
		}
	}
}

func TestLineItem(t *testing.T) {
	items, sink := dmsgen.NewLineItem(1), objects{}
	w := newWriter(t, sink, func(s *dmsgen.Settings) { s.RowsPerFile = 600 })
	if err := items.Load(t.Context(), w, 1000, noon()); err != nil {
		t.Fatal(err)
	}
	second := read(t, sink["bench/lineitem/LOAD00000002.parquet"])
	if len(second.Rows) != 400 || second.Rows[0][0] != int64(601) {
		t.Errorf("second file: %d rows, first key %v", len(second.Rows), second.Rows[0][0])
	}
	if got := len(items.RandomUpdates(1000, 10)); got != 10 {
		t.Errorf("got %d random updates, want 10", got)
	}
	tail := items.TailChanges(1000, 5, 2)
	if len(tail) != 7 || tail[6].Row[0] != int64(1002) {
		t.Errorf("got %d tail changes, last key %v", len(tail), tail[len(tail)-1].Row[0])
	}
	for _, c := range tail[:5] {
		if key, _ := c.Row[0].(int64); key <= 980 || key > 1000 {
			t.Errorf("update of key %v is not in the last fiftieth", key)
		}
	}
}
