package lake

import (
	"context"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
)

// value is one cell; NULL is IsNull().
type value = parquet.Value

// FoldOptions say how a run of changes is folded.
type FoldOptions struct {
	OrderColumn string // changes are folded by its value first; "" = by their order alone
	Partial     bool   // updates may leave columns as they are ([dms.Untold])
}

// Fold takes the changes of a table's inputs in order and keeps the net effect
// of each primary key: an upsert with the last after-image, or a delete. For a
// key-less table it keeps every insert and counts the rest as anomalies.
//
// Inputs are added in the order of their order keys; inside an input the row
// number decides. With an order column a change replaces an earlier one of the same key unless its value is lower;
// NULL and "" are lowest. Memory is one row per changed key.
type Fold struct {
	schema  *Schema
	key     []int // places of the key columns in the schema
	order   int   // place of the order column, or -1
	known   keyIndex
	entries []entry
	rows    []cells  // by column
	ops     []dms.Op // by slot
	orders  cells    // value of the order column, by slot
	read    int64
	odd     int64
	scratch []byte
	part    *part // nil = every key is wanted
	partial *partial
}

// entry is the net effect on one key so far.
type entry struct {
	key     string // canonical; "" in a key-less table
	slot    int32  // its row; that of a delete holds the key alone
	gone    bool   // a delete
	context bool   // stems from an input that is in the lake already
	stray   bool   // the first change of the key is a stray update, and none of them an insert
}

// NewFold returns an empty fold over a table. The schema must already have
// every column of the inputs that will be added ([Schema.Extend]).
func NewFold(s *Schema, o FoldOptions) (*Fold, error) {
	key, err := s.places(s.Key)
	if err != nil {
		return nil, err
	}
	f := &Fold{schema: s, key: key, order: -1, rows: make([]cells, len(s.Columns))}
	for c, column := range s.Columns {
		f.rows[c] = newCells(column.Type)
	}
	if o.Partial {
		f.partial = newPartial()
	}
	if o.OrderColumn != "" {
		at, err := s.places([]string{o.OrderColumn})
		if err != nil {
			return nil, err
		}
		f.order = at[0]
		f.orders = newCells(s.Columns[f.order].Type)
	}
	return f, nil
}

// Input is one file of changes to be folded.
type Input struct {
	Name    string // for errors
	Reader  dms.Reader
	Context bool // its changes are in the lake already: they only outrank late ones
	Settled bool // it is so much newer than the full load that an update of a key which is not there is strange: see MergeCounts

	replay *replay // nil = an input of DMS
	number int32   // in a batch that is folded in parts
	first  int64   // rows of the inputs before it there
}

// Add folds the changes of the next input. Errors are [SchemaError], [KeyError],
// [RowError], or what the reader returned.
func (f *Fold) Add(ctx context.Context, in Input) error {
	src, err := f.source(in)
	if err != nil {
		return err
	}
	batches := in.Reader.Batches(ctx, src.wanted)
	if f.part != nil {
		batches = in.Reader.Chosen(ctx, src.wanted, f.choice(src))
	}
	for batch, err := range batches {
		if err != nil && f.part != nil && f.part.err != nil {
			return f.part.err
		}
		if err != nil {
			return src.fault(err)
		}
		if err := f.addBatch(src, batch); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fold) addBatch(src *source, b dms.Batch) error {
	columns, err := f.convertBatch(src, b)
	if err != nil {
		return err
	}
	if !src.Context && src.replay == nil {
		f.read += int64(len(b.Ops))
	}
	add := f.addRow
	if src.replay != nil {
		add = f.replayRow
	}
	for i, op := range b.Ops {
		if err := add(src, columns, row{batch: b, at: i, op: op, input: src.number}); err != nil {
			return err
		}
	}
	return nil
}

// row is one change of a batch.
type row struct {
	batch dms.Batch
	at    int
	op    dms.Op
	input int32 // number of its input in a batch that is folded in parts
}

func (r row) number() int64 { return r.batch.Row(r.at) }

func (f *Fold) addRow(src *source, columns [][]value, r row) error {
	leaves := f.partial != nil && r.op != dms.Delete && leavesOut(columns, r)
	if leaves && (src.keyless || f.part != nil) {
		return refused(place{src.Name, r.number()}, "the table has no key, or its changes do not fit into memory at once")
	}
	if src.keyless {
		if r.op != dms.Insert {
			f.odd++
			return nil
		}
		if !src.Context {
			f.append(change{columns: columns, row: r})
		}
		return nil
	}
	key, err := f.encodeKey(src, columns, r)
	if err != nil {
		return err
	}
	old, err := f.keyBefore(src, columns, r)
	if err != nil {
		return err
	}
	if text := f.encode(old); old != nil && string(text) != string(key) {
		if leaves {
			return refused(place{src.Name, r.number()}, "it changes the key, too")
		}
		if err := f.put(text, src, change{columns: columns, row: r, gone: true, key: old}); err != nil {
			return err
		}
	}
	stray := src.Settled && r.op == dms.Update && old == nil
	return f.put(key, src, change{columns: columns, row: r, gone: r.op == dms.Delete, leaves: leaves, stray: stray})
}

// encodeKey appends the canonical key of a change to the scratch buffer.
func (f *Fold) encodeKey(src *source, columns [][]value, r row) ([]byte, error) {
	key := f.scratch[:0]
	for _, k := range f.key {
		v := columns[k][r.at]
		if v.IsNull() {
			return nil, &KeyError{File: src.Name, Column: f.schema.Columns[k].Name, Row: r.number()}
		}
		key = AppendKey(key, f.schema.Columns[k].Type, v)
	}
	f.scratch = key[:0]
	return key, nil
}

// keyBefore returns the values that an update says its key had before, or nil. In a file without ops a row that has such
// values is an update.
func (f *Fold) keyBefore(src *source, columns [][]value, r row) ([]value, error) {
	if r.op == dms.Delete || r.op == dms.Insert && src.Reader.HasOp() || len(r.batch.Before) == 0 || src.replay != nil {
		return nil, nil
	}
	return f.oldKey(src, columns, r)
}

// oldKey returns the key's values before an update, or nil when no before image
// of a key column says that there were others; a NULL one means that the column did not change.
func (f *Fold) oldKey(src *source, columns [][]value, r row) ([]value, error) {
	changed := false
	old := make([]value, len(f.key))
	for i, k := range f.key {
		old[i] = columns[k][r.at]
		b := src.before[i]
		if b < 0 || r.batch.Before[b][r.at].IsNull() {
			continue
		}
		old[i], changed = r.batch.Before[b][r.at], true
		if src.convert[k] == nil {
			continue
		}
		var err error
		if old[i], err = src.convert[k](old[i]); err != nil {
			return nil, valueError(place{src.Name, r.number()}, f.schema.Columns[k], src.Reader.Columns()[src.at[k]].Type, err)
		}
	}
	if !changed {
		return nil, nil
	}
	return old, nil
}

// encode returns the canonical key of the given key values.
func (f *Fold) encode(key []value) []byte {
	var text []byte
	for i, v := range key {
		text = AppendKey(text, f.schema.Columns[f.key[i]].Type, v)
	}
	return text
}

// change is one effect on one key.
type change struct {
	columns [][]value
	row     row
	gone    bool    // the key is deleted
	key     []value // its values, where they are not the row's
	leaves  bool    // some columns stay as they are
	stray   bool    // an update that says nothing of another key, of a file that is settled
	known   bool    // as the slot has them, which holds the row
}

// cell returns the row's value of a column.
func (c change) cell(column int) value {
	if column < 0 || c.columns[column] == nil {
		return value{}
	}
	return c.columns[column][c.row.at]
}

// put makes a change the net effect of its key, unless the order column says that it is older than the one there.
func (f *Fold) put(key []byte, src *source, c change) error {
	if f.part != nil && !f.part.holds(key) {
		return nil
	}
	order := c.cell(f.order)
	n := f.known.find(key)
	known := n >= 0
	if known && c.row.op == dms.Insert {
		f.entries[n].stray = false
	}
	if known && f.order >= 0 {
		there := f.orders.at(f.entries[n].slot)
		if !dms.IsUntold(order) && Compare(f.schema.Columns[f.order].Type, order, there) < 0 {
			return nil
		}
		if f.partial != nil && !f.entries[n].context {
			f.partial.stand(f.entries[n].slot, c, order, there, place{src.Name, c.row.number()})
		}
	}
	if !known {
		n = f.enter(entry{key: string(key), slot: int32(len(f.ops)), stray: c.stray})
	}
	e := &f.entries[n]
	if c.leaves {
		switch {
		case known && e.gone && !e.context:
			return refused(place{src.Name, c.row.number()}, "a change before it deletes its row")
		case known && src.Context && !e.context:
			return refused(place{src.Name, c.row.number()}, "a late file before it changes its row, too")
		}
		f.partial.from[e.slot] = place{src.Name, c.row.number()}
	}
	c.known = known && !e.context
	e.context, e.gone = src.Context, c.gone || src.Context
	f.set(e.slot, c)
	return nil
}

// append adds a change of a key-less table.
func (f *Fold) append(c change) {
	f.entries = append(f.entries, entry{slot: int32(len(f.ops))})
	f.set(int32(len(f.ops)), c)
}

// enter adds the entry of a new key.
func (f *Fold) enter(e entry) int32 {
	f.entries = append(f.entries, e)
	f.known.add(f.entries)
	return int32(len(f.entries) - 1)
}

// set fills a slot that is there, or the one behind the last: with the change's row, or with the key of a delete.
func (f *Fold) set(slot int32, c change) {
	if int(slot) == len(f.ops) {
		f.ops = append(f.ops, 0)
	}
	f.ops[slot] = c.row.op
	if f.part != nil {
		f.part.keep(slot, c)
	}
	for i := range f.rows {
		switch {
		case c.leaves && c.known && c.columns[i] != nil && dms.IsUntold(c.columns[i][c.row.at]):
		case c.columns[i] == nil || c.gone:
			f.rows[i].set(slot, value{})
		default:
			f.rows[i].set(slot, c.columns[i][c.row.at])
		}
	}
	if c.gone {
		f.ops[slot] = dms.Delete
		for i, k := range f.key {
			if c.key != nil {
				f.rows[k].set(slot, c.key[i])
			} else {
				f.rows[k].set(slot, c.columns[k][c.row.at])
			}
		}
	}
	if order := c.cell(f.order); f.order >= 0 && (!c.known || !dms.IsUntold(order)) {
		f.orders.set(slot, order)
	}
}
