package replicate_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sluice/internal/object"
	"sluice/scripts/dmsgen"
)

// scenario brings a table to the point from which every effect of the next run is broken.
type scenario struct {
	name    string
	doubles bool // a reader may see moved and reloaded rows twice
	make    func(t testing.TB) *bench
}

// keylessProduct is the product table without a key.
func keylessProduct() dmsgen.Table {
	table := product()
	table.Key = nil
	return table
}

// wide is a text that no codec makes small.
func wide(seed uint64, bytes int) string {
	var text strings.Builder
	random := rand.New(rand.NewPCG(seed, seed))
	for text.Len() < bytes {
		text.WriteByte(byte('!' + random.IntN(90)))
	}
	return text.String()
}

// keep says that the keys which are there before and after must be seen
// all the time, with a row of any of the moments given.
func (b *bench) keep(before ...map[string][]string) *bench {
	b.always = map[string][]string{}
	for key, after := range b.wanted() {
		if len(before[0][key]) == 0 {
			continue
		}
		b.always[key] = slices.Clone(after)
		for _, rows := range before {
			b.always[key] = append(b.always[key], rows[key]...)
		}
	}
	return b
}

// partitioned is a loaded table of three partitions.
func partitioned(t testing.TB) *bench {
	t.Helper()
	b := newBench(t, product())
	b.load(10, []any{1, "a", "x"}, []any{2, "b", "x"}, []any{3, "c", "y"}, []any{4, "d", "y"}, []any{5, "e", "z"})
	b.begin("id", "dept")
	b.must(b.settle())
	return b
}

func scenarios() []scenario {
	return []scenario{
		{"first load of several ops", false, func(t testing.TB) *bench {
			t.Helper()
			b := newBench(t, product())
			b.config.Compression = "none"
			b.load(1, []any{1, wide(1, 530<<10), "x"}, []any{2, wide(2, 530<<10), "y"})
			b.begin("id", "")
			return b
		}},
		{"partitioned load", false, func(t testing.TB) *bench {
			t.Helper()
			b := newBench(t, product())
			b.load(2, []any{1, "a", "x"}, []any{2, "b", "y"}, []any{3, "c", "y"}, []any{4, "d", "z"}, []any{5, "e", "x"})
			b.begin("id", "dept")
			return b
		}},
		{"merge of creates and rewrites", false, func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			before := b.rows()
			b.change(insert(6, "f", "new"), update(1, "A", "x"), remove(3, "c", "y"), insert(7, "g", "z"))
			b.change(update(6, "F", "new"), remove(5, "e", "z"), remove(7, "g", "z"))
			return b.keep(before)
		}},
		{"partition move", true, func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			before := b.rows()
			b.change(update(1, "a", "y"), update(3, "c", "new"), update(5, "e", "x"), insert(8, "h", "x"))
			return b.keep(before)
		}},
		{"reload", true, func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			b.change(insert(9, "i", "x"))
			b.must(b.settle())
			before := b.rows()
			b.load(10, []any{1, "a1", "x"}, []any{2, "b", "y"}, []any{4, "d", "y"}, []any{9, "i", "w"})
			loaded := b.wanted()
			b.change(update(2, "b2", "y"))
			return b.keep(before, loaded)
		}},
		{"new column", false, func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			b.table.Columns = append(b.table.Columns, dmsgen.Column{Name: "price", Type: "int"})
			before := b.rows()
			b.change(update(1, "A", "x", 7), insert(6, "f", "new", 8), remove(3, "c", "y", nil))
			return b.keep(before)
		}},
		{"key-less append", false, func(t testing.TB) *bench {
			t.Helper()
			b := newBench(t, keylessProduct())
			b.load(10, []any{1, "a", "x"}, []any{2, "b", "y"})
			b.begin("", "dept")
			b.must(b.settle())
			before := b.rows()
			b.change(insert(3, "c", "x"), insert(4, "d", "new"))
			b.change(insert(5, "e", "y"), remove(1, "a", "x"))
			return b.keep(before)
		}},
		{"schema rewrite", true, func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			before := b.rows()
			b.table.Columns[0].Type = "bigint"
			b.change(update(1, "A", "x"), insert(5_000_000_000, "big", "x"))
			b.tickOn(b.lake, b.state)
			b.acknowledge("schema")
			return b.keep(before)
		}},
		{"repartition", true, func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			before := b.rows()
			b.activate("id", "name")
			b.change(update(1, "A", "x"), insert(6, "f", "z"))
			b.tickOn(b.lake, b.state)
			b.acknowledge("reload")
			return b.keep(before)
		}},
		{"truncate", false, func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			b.change(update(1, "A", "x"))
			b.must(b.settle())
			for entry, err := range b.raw.List(t.Context(), object.ListInput{}) {
				b.must(err)
				b.must(b.raw.Delete(t.Context(), entry.Key, ""))
			}
			b.oracle.Load()
			b.tickOn(b.lake, b.state)
			b.acknowledge("truncate")
			return b
		}},
	}
}

func TestEveryEffectMayFail(t *testing.T) {
	t.Parallel()
	total := 0
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			b := s.make(t)
			b.doubles = s.doubles
			lakes, states := lakeHows(), stateHows()
			if s.name == "first load of several ops" { // of big rows, which take time
				lakes, states = lakes[4:], states[3:]
			}
			points := crashEverywhere(t, b, lakes, states)
			total += points
			t.Logf("%d points", points)
		})
	}
	t.Logf("%d points in all", total)
}
