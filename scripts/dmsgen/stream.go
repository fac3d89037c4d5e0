package dmsgen

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Mix says how many changes of each kind a stream makes, as weights.
type Mix struct {
	Inserts, Updates, Deletes int
	Moves                     int // updates that change the primary key; their Before is set
}

// Stream invents a table's life from a seed: the rows of a full load, then
// changes. Rows are in the canonical form of Read. It holds no rows, so it runs
// as long as one likes: a change may name a key that was deleted, as DMS does
// after a restart. An Oracle beside it knows the outcome.
type Stream struct {
	Table Table
	mix   Mix
	rng   *rand.Rand
	next  int64 // ordinal of the next new key

	Partial bool // updates have only some columns, as with a source whose supplemental log is short; the others are Missing
	Plain   bool // no text has a quote, a newline or a delimiter in it, which CSV without quotes needs
	BadText bool // now and then a text is no UTF-8, which a source whose encoding lies lets through
}

// NewStream returns the stream of a seed over a table.
// A Mix of nothing makes inserts.
func NewStream(seed uint64, t Table, mix Mix) *Stream {
	if mix == (Mix{}) {
		mix.Inserts = 1
	}
	return &Stream{Table: t, mix: mix, rng: rand.New(rand.NewPCG(seed, 1)), next: 1}
}

// Reseed has what follows depend on a seed, the table and the keys so far, and on nothing else that came before.
func (s *Stream) Reseed(seed uint64) { s.rng = rand.New(rand.NewPCG(seed, 1)) }

// RandomTable returns the table that a seed stands for: one or two key
// columns, and one to ten others of any type.
func RandomTable(seed uint64) Table {
	rng := rand.New(rand.NewPCG(seed, 2))
	t := Table{Schema: "public", Name: fmt.Sprintf("t%d", seed)}
	for i := range 1 + rng.IntN(2) {
		name := fmt.Sprintf("k%d", i+1)
		t.Key = append(t.Key, name)
		t.Columns = append(t.Columns, Column{name, []string{"bigint", "int", "text"}[rng.IntN(3)]})
	}
	types := Types()
	for i := range 1 + rng.IntN(10) {
		name := fmt.Sprintf("c%d", i+1)
		t.Columns = append(t.Columns, Column{name, types[rng.IntN(len(types))]})
		if rng.IntN(3) == 0 {
			t.Dictionary = append(t.Dictionary, name)
		}
	}
	return t
}

// Types returns a column type of every kind.
func Types() []string {
	return []string{
		"bigint", "int", "smallint", "tinyint", "bigint unsigned", "int unsigned", "smallint unsigned", "tinyint unsigned",
		"numeric(15,2)", "numeric(38,6)", "numeric(38,0)", "numeric(9,2) int32", "numeric(18,3) int64", "numeric(38,6) bytes",
		"real", "double", "text", "bytea", "date", "time", "timestamp", "boolean",
	}
}

// Row returns a new row with a key that the stream has not used yet.
func (s *Stream) Row() []any {
	s.next++
	return s.row(s.next - 1)
}

// Rows returns n new rows.
func (s *Stream) Rows(n int) [][]any {
	rows := make([][]any, n)
	for i := range rows {
		rows[i] = s.Row()
	}
	return rows
}

// Changes returns the next n changes.
func (s *Stream) Changes(n int) []Change {
	changes := make([]Change, n)
	for i := range changes {
		changes[i] = s.change()
	}
	return changes
}

func (s *Stream) change() Change {
	m := s.mix
	pick := s.rng.IntN(m.Inserts + m.Updates + m.Deletes + m.Moves)
	if s.next == 1 || pick < m.Inserts {
		return Change{Op: Insert, Row: s.Row()}
	}
	known := 1 + s.rng.Int64N(s.next-1)
	switch pick -= m.Inserts; {
	case pick < m.Updates:
		return Change{Op: Update, Row: s.partial(s.row(known))}
	case pick < m.Updates+m.Deletes:
		return Change{Op: Delete, Row: s.row(known)}
	default:
		return Change{Op: Update, Before: s.row(known), Row: s.Row()}
	}
}

// partial leaves columns out that are not of the key.
func (s *Stream) partial(row []any) []any {
	keys := s.Table.keys()
	for i := range row {
		if s.Partial && !slices.Contains(keys, i) && s.rng.IntN(3) == 0 {
			row[i] = Missing{}
		}
	}
	return row
}

// row returns a row of random values with the n-th key. The first key column
// alone tells keys apart; text keys sort otherwise than their ordinals.
func (s *Stream) row(n int64) []any {
	row := make([]any, len(s.Table.Columns))
	for i, c := range s.Table.Columns {
		row[i] = s.value(c.Type)
	}
	for position, i := range s.Table.keys() {
		switch {
		case s.Table.Columns[i].Type == "text":
			row[i] = fmt.Sprintf("key %d", n)
		case position > 0:
			row[i] = n % 7
		default:
			row[i] = n
		}
	}
	return row
}
