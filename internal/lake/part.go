package lake

import (
	"slices"

	"sluice/internal/dms"
)

// part is one of the parts that a batch is folded in: the keys of a range or, of a key-less table, a run of rows.
type part struct {
	low, high string   // keys from low up to but not including high; "" = no bound
	from, to  int64    // of a key-less table: rows, counted over all inputs, up to but not including to
	origins   []origin // by slot
	err       error    // of choosing
}

// origin says where a change comes from: number of the input, of the row in it, and whether it is what the row says of the
// key that it had before.
type origin struct {
	row   int64
	input int32
	old   bool
}

func (p *part) holds(key []byte) bool {
	return string(key) >= p.low && (p.high == "" || string(key) < p.high)
}

// keep notes where the change in a slot comes from.
func (p *part) keep(slot int32, c change) {
	if int(slot) == len(p.origins) {
		p.origins = append(p.origins, origin{})
	}
	p.origins[slot] = origin{row: c.row.number(), input: c.row.input, old: c.key != nil}
}

// choice chooses the rows of an input that belong to the fold's part.
func (f *Fold) choice(src *source) dms.Choice {
	p := f.part
	if src.keyless {
		return dms.Choice{By: []int{}, Rows: func(b dms.Batch) ([]int32, error) {
			return chosen(b, func(i int) bool { n := src.first + b.Row(i); return p.from <= n && n < p.to }), nil
		}}
	}
	var by []int
	for _, k := range f.key {
		if src.at[k] >= 0 {
			by = append(by, src.at[k])
		}
	}
	return dms.Choice{By: by, Rows: func(b dms.Batch) (rows []int32, err error) {
		rows, p.err = f.chooseByKey(src, b)
		return rows, p.err
	}}
}

// chosen returns the rows of a batch for which want is true.
func chosen(b dms.Batch, want func(i int) bool) []int32 {
	var rows []int32
	for i := range b.Ops {
		if want(i) {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// chooseByKey returns the rows of a batch whose key, or key before, belongs to the part.
func (f *Fold) chooseByKey(src *source, b dms.Batch) ([]int32, error) {
	columns, err := f.keyColumns(src, b)
	if err != nil {
		return nil, err
	}
	var rows []int32
	for i, op := range b.Ops {
		r := row{batch: b, at: i, op: op}
		key, err := f.encodeKey(src, columns, r)
		if err != nil {
			return nil, err
		}
		if !f.part.holds(key) {
			old, err := f.keyBefore(src, columns, r)
			if err != nil {
				return nil, err
			}
			if old == nil || !f.part.holds(f.encode(old)) {
				continue
			}
		}
		rows = append(rows, int32(i))
	}
	return rows, nil
}

// keyColumns returns the key columns of a batch, by column of the table and in its types; the batch stays as it is.
func (f *Fold) keyColumns(src *source, b dms.Batch) ([][]value, error) {
	columns := make([][]value, len(f.schema.Columns))
	for _, k := range f.key {
		columns[k] = slices.Clone(b.Columns[src.at[k]])
		if err := f.convertColumn(src, k, b, columns[k]); err != nil {
			return nil, err
		}
	}
	return columns, nil
}
