package dmsgen

import (
	"context"
	"math/rand/v2"
	"time"
)

// LineItem is the table of the benchmarks, after TPC-H's lineitem: sixteen
// columns of low and high cardinality, with a sequential key. A row follows
// from its key and a version, so that any number of rows needs no memory.
type LineItem struct {
	Table Table
	seed  uint64
	words wordLists
}

// wordLists are boxed once, so that rows share them.
type wordLists struct {
	flags, statuses, instructions, modes, words []any
}

// NewLineItem returns the table of a seed.
func NewLineItem(seed uint64) *LineItem {
	return &LineItem{Table: lineItemTable(), seed: seed, words: wordLists{
		flags: []any{"A", "N", "R"}, statuses: []any{"F", "O"},
		instructions: []any{"COLLECT COD", "DELIVER IN PERSON", "NONE", "TAKE BACK RETURN"},
		modes:        []any{"AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"},
		words:        []any{"amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "islet", "juniper", "knoll", "lagoon"},
	}}
}

func lineItemTable() Table {
	return Table{
		Schema: "bench", Name: "lineitem", Key: []string{"l_orderkey"},
		Columns: []Column{
			{"l_orderkey", "bigint"},
			{"l_partkey", "int"},
			{"l_suppkey", "int"},
			{"l_linenumber", "int"},
			{"l_quantity", "numeric(15,2)"},
			{"l_extendedprice", "numeric(15,2)"},
			{"l_discount", "numeric(15,2)"},
			{"l_tax", "numeric(15,2)"},
			{"l_returnflag", "text"},
			{"l_linestatus", "text"},
			{"l_shipdate", "date"},
			{"l_commitdate", "date"},
			{"l_receiptdate", "date"},
			{"l_shipinstruct", "text"},
			{"l_shipmode", "text"},
			{"l_comment", "text"},
		},
		Dictionary: []string{
			"l_linenumber", "l_quantity", "l_discount", "l_tax", "l_returnflag", "l_linestatus", "l_shipinstruct", "l_shipmode",
		},
	}
}

// Row fills row with the row of a key. In version 1 every value but the key is another one than in version 0.
// row has sixteen places; it is reused, not kept.
func (l *LineItem) Row(row []any, key int64, version int) []any {
	d := draw{rand.New(rand.NewPCG(l.seed, uint64(key))), version}
	shipped := Days(8036 + d.of(2526)) // 1992-01-02 … 1998-12-01
	return append(row[:0],
		key, int32(d.of(200_000)), int32(d.of(10_000)), int32(1+d.of(7)),
		Unscaled(100*(1+d.of(50))), Unscaled(90_000+d.of(9_500_000)),
		Unscaled(d.of(11)), Unscaled(d.of(9)),
		d.pick(l.words.flags), d.pick(l.words.statuses),
		shipped, shipped+Days(d.of(60)), shipped+Days(1+d.of(30)),
		d.pick(l.words.instructions), d.pick(l.words.modes), l.comment(d),
	)
}

// draw draws the values of one row in one version.
type draw struct {
	rng     *rand.Rand
	version int
}

// of returns a number from 0 to n-1. The versions 0 and 1 of one draw differ when n is 2 or more.
func (d draw) of(n int) int { return (d.rng.IntN(n) + d.version*max(1, n/3)) % n }

func (d draw) pick(from []any) any { return from[d.of(len(from))] }

// comment returns 20 to 40 bytes that hardly repeat.
func (l *LineItem) comment(d draw) []byte {
	text := make([]byte, 0, 48)
	for range 3 {
		word, _ := d.pick(l.words.words).(string)
		text = append(append(text, word...), ' ')
	}
	for range 8 {
		text = append(text, byte('a'+d.of(26)))
	}
	return text
}

// Load writes keys 1 to rows as a full load.
func (l *LineItem) Load(ctx context.Context, w *Writer, rows int64, at time.Time) error {
	load, err := w.StartLoad(l.Table, at)
	if err != nil {
		return err
	}
	row := make([]any, 0, len(l.Table.Columns))
	for key := int64(1); key <= rows; key++ {
		row = l.Row(row, key, 0)
		if err := load.Append(ctx, row); err != nil {
			return err
		}
	}
	return load.Close(ctx)
}

// RandomUpdates returns n updates of keys anywhere among 1 to rows, in random order. Every value is new.
func (l *LineItem) RandomUpdates(rows int64, n int) []Change {
	return l.updates(1, rows, n)
}

// PriceUpdates returns the updates of RandomUpdates with two new values each, of l_quantity and l_extendedprice.
func (l *LineItem) PriceUpdates(rows int64, n int) []Change {
	changes := l.updates(1, rows, n)
	for i, c := range changes {
		key, _ := c.Row[0].(int64)
		row := l.Row(nil, key, 0)
		for _, column := range []string{"l_quantity", "l_extendedprice"} {
			row[l.Table.Index(column)] = c.Row[l.Table.Index(column)]
		}
		changes[i].Row = row
	}
	return changes
}

// TailChanges returns updates of keys in the last fiftieth of 1 to rows, with every value new,
// then inserts behind them.
func (l *LineItem) TailChanges(rows int64, updates, inserts int) []Change {
	changes := l.updates(rows-rows/50+1, rows, updates)
	for i := range int64(inserts) {
		changes = append(changes, Change{Op: Insert, Row: l.Row(nil, rows+1+i, 0)})
	}
	return changes
}

// updates draws n different keys from first to last; n is at most half of them or all are taken.
func (l *LineItem) updates(first, last int64, n int) []Change {
	rng := rand.New(rand.NewPCG(l.seed, 4))
	span := last - first + 1
	seen := make(map[int64]bool, n)
	changes := make([]Change, 0, n)
	for int64(len(changes)) < min(int64(n), span) {
		key := first + rng.Int64N(span)
		if !seen[key] {
			seen[key] = true
			changes = append(changes, Change{Op: Update, Row: l.Row(nil, key, 1)})
		}
	}
	return changes
}
