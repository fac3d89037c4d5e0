package lake

import (
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// WriteChanges writes the rows that the ops of the merge need, op by op, and
// returns the span of each: of the creates first, then of the rewrites.
func (m *Merge) WriteChanges(w io.Writer) ([]Span, error) {
	out, err := parquetedit.NewWriter(w, changesColumns(m.Schema), parquetedit.WriterOptions{Compression: "snappy"})
	if err != nil {
		return nil, err
	}
	s := &sliceWriter{merge: m, out: out}
	var spans []Span
	for _, c := range m.Creates {
		spans = append(spans, s.op(addRows(c.slots)))
	}
	for i := range m.Rewrites {
		r := &m.Rewrites[i]
		spans = append(spans, s.op(m.deleteRows(r), replaceRows(r), addRows(r.appends)))
	}
	s.op(m.restRows())
	if s.err != nil {
		return nil, s.err
	}
	return spans, out.Close()
}

// sliceRow is one row of a changes object before it is gathered.
type sliceRow struct {
	edit int32
	row  int64
	slot int32 // of an editDelete only the key counts, and the value of the order column
}

// sliceRows are rows of one kind.
type sliceRows struct {
	n  int
	at func(i int) sliceRow
}

func addRows(slots []int32) sliceRows {
	return sliceRows{len(slots), func(i int) sliceRow { return sliceRow{edit: editAdd, slot: slots[i]} }}
}

func replaceRows(r *Rewrite) sliceRows {
	return sliceRows{len(r.with), func(i int) sliceRow { return sliceRow{editReplace, r.Replaces[i], r.with[i]} }}
}

// deleteRows are the deletions of rows by changes.
func (m *Merge) deleteRows(r *Rewrite) sliceRows {
	return sliceRows{len(r.gone), func(i int) sliceRow { return sliceRow{editDelete, r.Deletes[i], m.entries[r.gone[i]].slot} }}
}

// restRows are the changes that need no op. They are kept, because a plan that
// takes the place of this one is made from this object alone.
func (m *Merge) restRows() sliceRows {
	return sliceRows{len(m.rest), func(i int) sliceRow {
		e := m.entries[m.rest[i]]
		if e.gone {
			return sliceRow{editDelete, -1, e.slot}
		}
		return sliceRow{edit: editAdd, slot: e.slot}
	}}
}

type sliceWriter struct {
	merge   *Merge
	out     *parquetedit.Writer
	rows    int64 // written in all
	inside  int64 // written to the current row group
	err     error
	columns [][]value // of gather, as what follows
	edits   []int32
	slots   []int32
}

// op writes the rows of one op and returns their span. After an error it does nothing.
func (s *sliceWriter) op(lists ...sliceRows) Span {
	span := Span{From: s.rows}
	if s.inside >= sliceRowGroup && s.err == nil {
		s.err = s.out.Flush()
		s.inside = 0
	}
	for _, list := range lists {
		for at := 0; at < list.n && s.err == nil; at += sliceChunk {
			n := min(list.n-at, sliceChunk)
			s.err = s.out.Write(s.gather(list, at, n))
			s.rows += int64(n)
			s.inside += int64(n)
		}
	}
	span.To = s.rows
	return span
}

// gather returns n of the rows by column; the next call uses the slices again. The slots of an op lie anywhere in a column,
// so it goes column by column: what one column has of them stays near.
func (s *sliceWriter) gather(rows sliceRows, from, n int) [][]value {
	if s.columns == nil {
		s.columns = make([][]value, 3+len(s.merge.Schema.Columns))
	}
	columns := s.columns
	for c := range columns {
		columns[c] = slices.Grow(columns[c][:0], n)[:n]
		clear(columns[c])
	}
	s.edits, s.slots = s.edits[:0], s.slots[:0]
	for i := range n {
		r := rows.at(from + i)
		s.edits, s.slots = append(s.edits, r.edit), append(s.slots, r.slot)
		columns[0][i] = parquet.Int32Value(r.edit)
		if r.edit != editAdd {
			columns[1][i] = parquet.Int64Value(r.row)
		}
		if r.edit != editDelete {
			columns[2][i] = opValue(s.merge.ops[r.slot])
		}
	}
	for c := range s.merge.Schema.Columns {
		s.merge.rows[c].fill(columns[3+c], s.slots)
		if slices.Contains(s.merge.key, c) {
			continue
		}
		for i, edit := range s.edits {
			switch {
			case edit != editDelete:
			case c == s.merge.order:
				// Read back without it, a delete would be lower than every row.
				columns[3+c][i] = s.merge.orders.at(s.slots[i])
			default:
				columns[3+c][i] = value{}
			}
		}
	}
	return columns
}
