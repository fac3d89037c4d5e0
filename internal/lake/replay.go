package lake

import (
	"fmt"
	"slices"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// replay is a changes object that is folded again.
type replay struct {
	spans []Span // of a key-less table, ascending: the rows that count
	edit  int    // place of the column of edits
}

// ChangesInput makes a changes object an input, whose fold is the net changes that it was written of: what another
// plan for the same inputs is made from. With a key every row counts, and an upsert outranks the deletes of its key, which only
// moved it; of a key-less table the rows in the spans, ascending, which are not in the lake yet. The fold's schema must be the one
// that it was written with, or that one with more columns behind its own: these are NULL.
func ChangesInput(changes *parquetedit.File, spans []Span) (Input, error) {
	reader, err := dms.Open(changes, dms.Options{Lake: true})
	if err != nil {
		return Input{}, fmt.Errorf("changes object: %w", err)
	}
	edit := find(reader.Columns(), editColumn)
	if edit < 0 {
		return Input{}, fmt.Errorf("changes object: it has no column %q", editColumn)
	}
	return Input{Name: "changes object", Reader: reader, replay: &replay{spans, edit}}, nil
}

// replayRow adds one row of a changes object, in any order.
func (f *Fold) replayRow(src *source, columns [][]value, r row) error {
	r.op = src.op(r.batch, r.at, r.op)
	c := change{columns: columns, row: r, gone: r.op == dms.Delete}
	if src.keyless {
		within := func(s Span) bool { return s.From <= r.number() && r.number() < s.To }
		if slices.ContainsFunc(src.replay.spans, within) {
			f.append(c)
		}
		return nil
	}
	key, err := f.encodeKey(src, columns, r)
	if err != nil || f.part != nil && !f.part.holds(key) {
		return err
	}
	n := f.known.find(key)
	if n >= 0 && (c.gone || !f.entries[n].gone) {
		return nil
	}
	if n < 0 {
		n = f.enter(entry{key: string(key), slot: int32(len(f.ops))})
	}
	e := &f.entries[n]
	e.gone = c.gone
	f.set(e.slot, c)
	return nil
}
