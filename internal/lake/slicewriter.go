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
		spans = append(spans, s.op(nil, addRows(c.slots)))
	}
	for _, r := range m.Rewrites {
		spans = append(spans, s.op(m.rewriteRows(r), addRows(r.appends)))
	}
	s.op(m.restRows(), nil)
	if s.err != nil {
		return nil, s.err
	}
	return spans, out.Close()
}

// sliceRow is one row of a changes object before it is gathered.
type sliceRow struct {
	edit int32
	row  int64
	slot int32   // -1: no after-image
	gone []value // key values of a row without one

	order value // value of the order column that a row without one is deleted by
}

func addRows(slots []int32) []sliceRow {
	rows := make([]sliceRow, len(slots))
	for i, slot := range slots {
		rows[i] = sliceRow{edit: editAdd, slot: slot}
	}
	return rows
}

func (m *Merge) rewriteRows(r Rewrite) []sliceRow {
	rows := make([]sliceRow, 0, len(r.Deletes)+len(r.Replaces))
	for i, row := range r.Deletes {
		rows = append(rows, m.deleteRow(row, r.gone[i]))
	}
	for i, row := range r.Replaces {
		rows = append(rows, sliceRow{edit: editReplace, row: row, slot: r.with[i]})
	}
	return rows
}

// deleteRow is the deletion of a row by a change. It keeps the change's value
// of the order column: read back without it, a delete would be lower than every row.
func (m *Merge) deleteRow(row int64, n int32) sliceRow {
	return sliceRow{edit: editDelete, row: row, slot: -1, gone: m.keyValues(n), order: m.entries[n].order}
}

// restRows are the changes that need no op. They are kept, because a plan that
// takes the place of this one is made from this object alone.
func (m *Merge) restRows() []sliceRow {
	rows := make([]sliceRow, len(m.rest))
	for i, n := range m.rest {
		if slot := m.entries[n].slot; slot >= 0 {
			rows[i] = sliceRow{edit: editAdd, slot: slot}
		} else {
			rows[i] = m.deleteRow(-1, n)
		}
	}
	return rows
}

// keyValues returns the key of a change.
func (m *Merge) keyValues(n int32) []value {
	e := m.entries[n]
	if e.slot < 0 {
		return e.gone
	}
	values := make([]value, len(m.key))
	for i, k := range m.key {
		values[i] = m.cell(k, e.slot)
	}
	return values
}

type sliceWriter struct {
	merge   *Merge
	out     *parquetedit.Writer
	rows    int64 // written in all
	inside  int64 // written to the current row group
	err     error
	columns [][]value // of gather
}

// op writes the rows of one op and returns their span. After an error it does nothing.
func (s *sliceWriter) op(edits, adds []sliceRow) Span {
	span := Span{From: s.rows}
	if s.inside >= sliceRowGroup && s.err == nil {
		s.err = s.out.Flush()
		s.inside = 0
	}
	for _, list := range [][]sliceRow{edits, adds} {
		for len(list) > 0 && s.err == nil {
			n := min(len(list), sliceChunk)
			s.err = s.out.Write(s.gather(list[:n]))
			s.rows += int64(n)
			s.inside += int64(n)
			list = list[n:]
		}
	}
	span.To = s.rows
	return span
}

// gather returns the rows by column; the next call uses the slices again.
func (s *sliceWriter) gather(rows []sliceRow) [][]value {
	if s.columns == nil {
		s.columns = make([][]value, 3+len(s.merge.Schema.Columns))
	}
	columns := s.columns
	for c := range columns {
		columns[c] = slices.Grow(columns[c][:0], len(rows))[:len(rows)]
		clear(columns[c])
	}
	for i, r := range rows {
		columns[0][i] = parquet.Int32Value(r.edit)
		if r.edit != editAdd {
			columns[1][i] = parquet.Int64Value(r.row)
		}
		if r.slot < 0 {
			if s.merge.order >= 0 {
				columns[3+s.merge.order][i] = r.order
			}
			for k, v := range r.gone {
				columns[3+s.merge.key[k]][i] = v
			}
			continue
		}
		columns[2][i] = opValue(s.merge.ops[r.slot])
		for c := range s.merge.Schema.Columns {
			columns[3+c][i] = s.merge.cell(c, r.slot)
		}
	}
	return columns
}
