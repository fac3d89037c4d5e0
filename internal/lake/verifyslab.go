package lake

import (
	"context"
	"slices"

	"sluice/internal/dms"
)

// slabHasher hashes one slab.
type slabHasher struct {
	*verifier
	*slab

	parts   map[int][]hash128 // what a key column adds to the key, where it has a before image
	scratch [64]byte
}

// each hands runs of a column's values to use, which is told where in the slab they begin.
func (h *slabHasher) each(ctx context.Context, place int, use func(from int, values []value)) error {
	n := int64(len(h.row))
	err := h.file.open.ReadColumn(ctx, h.group, place, func(first int64, values []value) error {
		at := first - h.from
		low, high := min(max(-at, 0), int64(len(values))), min(max(n-at, 0), int64(len(values)))
		use(int(at+low), values[low:high])
		if at+int64(len(values)) >= n && high < int64(len(values)) {
			return errEnough
		}
		return nil
	})
	if isEnough(err) {
		return nil
	}
	return err
}

func (h *slabHasher) column(ctx context.Context, cell int) error {
	r := &h.file.cells[cell]
	isKey := slices.Contains(h.verifier.key, r.column)
	var part []hash128
	if isKey && slices.ContainsFunc(h.file.before, func(b cellReader) bool { return b.column == r.column }) {
		part = make([]hash128, len(h.row))
		h.parts[r.column] = part
	}
	ordered := cell == h.file.order && h.file.role != lakeFile
	if ordered {
		h.slab.order = make([]string, len(h.row))
	}
	untold := false
	err := h.each(ctx, r.place, func(from int, values []value) {
		for n, x := range values {
			untold = untold || h.file.leaves && dms.IsUnavailable(x)
			sum, there := r.hash(x, h.scratch[:0])
			if !there {
				continue
			}
			i := from + n
			h.row[i].add(sum.cell)
			if isKey {
				h.slab.key[i].add(sum.key)
			}
			if part != nil {
				part[i] = sum.key
			}
			if ordered {
				x, _ = r.canonical(x)
				h.slab.order[i] = orderText(r.to, x)
			}
		}
	})
	if err == nil && untold {
		err = &dms.InputError{Column: h.Schema.Columns[r.column].Name, Row: -1, Reason: dms.ErrUntold.Error() + "; what such a row is cannot be told from the inputs alone", Err: dms.ErrUntold}
	}
	return err
}

// partition adds the values that a lake file's directory stands for.
func (h *slabHasher) partition() {
	for c, x := range h.file.dir {
		column := h.Schema.Columns[c]
		r := h.cellReader(-1, c, column.Type)
		sum, there := r.hash(x, nil)
		if !there {
			continue
		}
		for i := range h.row {
			h.row[i].add(sum.cell)
			h.slab.key[i].add(sum.key) // zero for a column that is not of the key
		}
	}
}

// beforeImages makes the keys before the updates: where an image is NULL the column did not change (ruling 13).
func (h *slabHasher) beforeImages(ctx context.Context) error {
	if len(h.file.before) == 0 || h.file.role != changeFile {
		return nil
	}
	h.old = slices.Clone(h.slab.key)
	for i := range h.file.before {
		b := &h.file.before[i]
		part := h.parts[b.column]
		err := h.each(ctx, b.place, func(from int, values []value) {
			for n, x := range values {
				if x.IsNull() {
					continue
				}
				sum, _ := b.hash(x, h.scratch[:0]) // zero where "" stands for NULL
				if part != nil {
					h.old[from+n].sub(part[from+n])
				}
				h.old[from+n].add(sum.key)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ops reads what happened to the rows, and makes it part of them when it is compared.
func (h *slabHasher) ops(ctx context.Context) error {
	if h.file.op < 0 && h.file.gone < 0 {
		h.addOp(func(int) dms.Op { return dms.Insert })
		return nil
	}
	if h.file.role == lakeFile && !h.comparesOp() {
		return nil
	}
	ops := make([]dms.Op, len(h.row))
	if h.file.op >= 0 {
		if err := h.readOps(ctx, h.file.op, ops, func(_ dms.Op, x value) (dms.Op, error) { return h.file.parse(x) }); err != nil {
			return err
		}
	}
	if h.file.gone >= 0 {
		if err := h.readOps(ctx, h.file.gone, ops, dms.WithDeleted); err != nil {
			return err
		}
	}
	h.slab.ops = ops
	h.addOp(func(i int) dms.Op { return ops[i] })
	return nil
}

// readOps makes the ops of what one column says beside what is known of them.
func (h *slabHasher) readOps(ctx context.Context, place int, ops []dms.Op, parse func(dms.Op, value) (dms.Op, error)) error {
	var bad error
	err := h.each(ctx, place, func(from int, values []value) {
		for n, x := range values {
			var err error
			if ops[from+n], err = parse(ops[from+n], x); err != nil && h.file.role != lakeFile {
				bad = err
			}
		}
	})
	if err == nil {
		err = bad
	}
	return err
}

func parseOp(x value) (dms.Op, error) {
	if x.IsNull() {
		return dms.Insert, nil
	}
	return dms.ParseOp(x.ByteArray())
}

func (h *slabHasher) addOp(of func(i int) dms.Op) {
	if !h.comparesOp() {
		return
	}
	var sums [256]hash128
	for _, op := range []dms.Op{0, dms.Insert, dms.Update, dms.Delete} {
		sums[op] = hashOf([]byte{byte(op)}, h.hash.op)
	}
	for i := range h.row {
		h.row[i].add(sums[of(i)])
	}
}

// finish makes hashes of the sums. Rows of a key-less table are their own keys.
func (h *slabHasher) finish() {
	for i := range h.row {
		h.row[i] = mixed(h.row[i], h.hash.row)
		if len(h.verifier.key) == 0 {
			h.slab.key[i] = h.row[i]
		} else {
			h.slab.key[i] = mixed(h.slab.key[i], h.hash.key)
		}
	}
	for i := range h.old {
		h.old[i] = mixed(h.old[i], h.hash.key)
	}
}
