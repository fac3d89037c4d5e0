package lake

import (
	"context"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// WriteChanges writes the rows that the ops of the merge need, op by op, and
// returns the span of each: of the creates first, then of the rewrites. Rows that are not in memory are read again, part by part.
func (m *Merge) WriteChanges(ctx context.Context, w io.Writer) ([]Span, error) {
	out, err := parquetedit.NewWriter(w, changesColumns(m.Schema), parquetedit.WriterOptions{Compression: "snappy"})
	if err != nil {
		return nil, err
	}
	s := &sliceWriter{Merge: m, out: out, held: m.Changes}
	for i := range m.Creates {
		s.op(addRows(m.Creates[i].adds))
	}
	for i := range m.Rewrites {
		r := &m.Rewrites[i]
		s.op(deleteRows(r), replaceRows(r), addRows(r.appends))
	}
	s.op(m.restRows())
	if err := s.write(ctx); err != nil {
		return nil, err
	}
	return s.spans[:len(s.spans)-1], out.Close()
}

// sliceRow is one row of a changes object before it is gathered.
type sliceRow struct {
	edit   int32
	row    int64
	change int32 // of an editDelete only the key counts, and the value of the order column
}

// sliceRows are rows of one kind.
type sliceRows struct {
	changes []int32
	at      func(i int) sliceRow
	rest    bool // which kind they are hangs on the change
}

func addRows(changes []int32) sliceRows {
	return sliceRows{changes: changes, at: func(i int) sliceRow { return sliceRow{edit: editAdd, change: changes[i]} }}
}

func replaceRows(r *Rewrite) sliceRows {
	return sliceRows{changes: r.with, at: func(i int) sliceRow { return sliceRow{editReplace, r.Replaces[i], r.with[i]} }}
}

// deleteRows are the deletions of rows by changes.
func deleteRows(r *Rewrite) sliceRows {
	return sliceRows{changes: r.gone, at: func(i int) sliceRow { return sliceRow{editDelete, r.Deletes[i], r.gone[i]} }}
}

// restRows are the changes that need no op: rows without a place, or keys that are to be gone. They are kept, because a plan that
// takes the place of this one is made from this object alone.
func (m *Merge) restRows() sliceRows {
	return sliceRows{rest: true, changes: m.rest, at: func(i int) sliceRow { return sliceRow{editDelete, -1, m.rest[i]} }}
}

type sliceWriter struct {
	*Merge
	out     *parquetedit.Writer
	spans   []Span
	chunks  []sliceChunk
	rows    int64 // of all chunks
	inside  int64 // written to the current row group
	held    *Changes
	numbers []int32   // ascending: the changes whose rows are held, where not all are
	columns [][]value // of gather, as what follows
	edits   []int32
	slots   []int32
}

// sliceChunk is some rows that are written at a time.
type sliceChunk struct {
	sliceRows
	from, n int
	begins  bool // an op
}

// op adds the rows of one op to what is written.
func (s *sliceWriter) op(lists ...sliceRows) {
	span := Span{From: s.rows}
	begins := true
	for _, list := range lists {
		for at := 0; at < len(list.changes); at += sliceChunkRows {
			n := min(len(list.changes)-at, sliceChunkRows)
			s.chunks = append(s.chunks, sliceChunk{list, at, n, begins})
			s.rows += int64(n)
			begins = false
		}
	}
	span.To = s.rows
	s.spans = append(s.spans, span)
}

// write writes all chunks.
func (s *sliceWriter) write(ctx context.Context) error {
	ahead := 0 // chunks whose rows are held
	for i, chunk := range s.chunks {
		if s.batch != nil && i == ahead {
			var err error
			if ahead, err = s.hold(ctx, i); err != nil {
				return err
			}
		}
		if chunk.begins && s.inside >= sliceRowGroup {
			if err := s.out.Flush(); err != nil {
				return err
			}
			s.inside = 0
		}
		if err := s.out.Write(s.gather(chunk)); err != nil {
			return err
		}
		s.inside += int64(chunk.n)
	}
	return nil
}

// hold reads the rows of as many chunks as make a part, from the given one on, and returns the first that is not among them.
func (s *sliceWriter) hold(ctx context.Context, from int) (next int, err error) {
	s.held, s.numbers = nil, s.numbers[:0]
	for next = from; next < len(s.chunks); next++ {
		c := s.chunks[next]
		if next > from && len(s.numbers)+c.n > s.batch.partRows() {
			break
		}
		s.numbers = append(s.numbers, c.changes[c.from:c.from+c.n]...)
	}
	slices.Sort(s.numbers)
	s.numbers = slices.Compact(s.numbers)
	s.held, err = s.batch.hold(ctx, s.numbers)
	return next, err
}

// entry returns where a change is held.
func (s *sliceWriter) entry(change int32) entry {
	if s.batch == nil {
		return s.held.entries[change]
	}
	at, _ := slices.BinarySearch(s.numbers, change)
	return s.held.entries[at]
}

// gather returns the rows of a chunk by column; the next call uses the slices again. The slots of an op lie anywhere in a column,
// so it goes column by column: what one column has of them stays near.
func (s *sliceWriter) gather(chunk sliceChunk) [][]value {
	if s.columns == nil {
		s.columns = make([][]value, 3+len(s.Schema.Columns))
	}
	columns := s.columns
	for c := range columns {
		columns[c] = slices.Grow(columns[c][:0], chunk.n)[:chunk.n]
		clear(columns[c])
	}
	s.edits, s.slots = s.edits[:0], s.slots[:0]
	for i := range chunk.n {
		r := chunk.at(chunk.from + i)
		e := s.entry(r.change)
		if chunk.rest && !e.gone {
			r.edit = editAdd
		}
		s.edits, s.slots = append(s.edits, r.edit), append(s.slots, e.slot)
		columns[0][i] = parquet.Int32Value(r.edit)
		if r.edit != editAdd {
			columns[1][i] = parquet.Int64Value(r.row)
		}
		if r.edit != editDelete {
			columns[2][i] = opValue(s.held.ops[e.slot])
		}
	}
	for c := range s.Schema.Columns {
		s.gatherColumn(c, columns[3+c])
	}
	return columns
}

// gatherColumn gathers a column of the table. Of a delete it keeps the key, and the value of the order column: read back without it, a
// delete would be lower than every row.
func (s *sliceWriter) gatherColumn(c int, values []value) {
	s.held.rows[c].fill(values, s.slots)
	if slices.Contains(s.key, c) {
		return
	}
	for i, edit := range s.edits {
		switch {
		case edit != editDelete:
		case c == s.order:
			values[i] = s.held.orders.at(s.slots[i])
		default:
			values[i] = value{}
		}
	}
}
