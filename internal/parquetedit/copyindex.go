package parquetedit

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
)

const (
	indexGap  = 1 << 20  // page indexes so far apart are read one by one
	indexRead = 16 << 20 // bytes of page indexes read at a time
)

// indexRange is where an index of a copied chunk lies in the old file.
type indexRange struct {
	off, n int64
	to     *placedChunk // of copyIndexes
	chunk  int          // of oldChunks
	column bool         // a ColumnIndex; otherwise an OffsetIndex
}

// copyIndexes reads the page indexes of the copied row groups and relocates them. One that does not
// hold together is left behind: it is a help to readers, nothing depends on it.
func (r *rewriter) copyIndexes(ctx context.Context) error {
	var ranges []indexRange
	for i, rg := range r.sources {
		if rg < 0 {
			continue
		}
		for c := range r.f.groups[rg].chunks {
			outer, _, err := r.f.groups[rg].chunks[c].trees()
			if err != nil {
				return r.f.where(rg, c, err)
			}
			to := &r.groups[i].columns[c]
			offset, ok := r.indexRange(outer, chunkOffsetIndex)
			if !ok {
				continue // a column index is of no use without it
			}
			offset.to = to
			ranges = append(ranges, offset)
			if column, ok := r.indexRange(outer, chunkColumnIndex); ok {
				column.to, column.column = to, true
				ranges = append(ranges, column)
			}
		}
	}
	return r.eachIndex(ctx, ranges, func(x indexRange, raw []byte) {
		if x.column {
			x.to.column = slices.Clone(raw)
		} else {
			x.to.offset = relocateOffsetIndex(raw, x.to.shift)
		}
	})
}

// eachIndex reads the ranges, those that lie together by one request.
func (r *rewriter) eachIndex(ctx context.Context, ranges []indexRange, visit func(x indexRange, raw []byte)) error {
	slices.SortFunc(ranges, func(a, b indexRange) int { return cmp.Compare(a.off, b.off) })
	for len(ranges) > 0 {
		n := 1
		start, end := ranges[0].off, ranges[0].off+ranges[0].n
		for n < len(ranges) && ranges[n].off <= end+indexGap && ranges[n].off+ranges[n].n-start <= indexRead {
			end = max(end, ranges[n].off+ranges[n].n)
			n++
		}
		b := make([]byte, end-start)
		if err := r.f.src.ReadRange(ctx, b, start); err != nil {
			return fmt.Errorf("read page index: %w", err)
		}
		for _, x := range ranges[:n] {
			visit(x, b[x.off-start:x.off-start+x.n])
		}
		ranges = ranges[n:]
	}
	return nil
}

func (r *rewriter) indexRange(outer tree, pointer int16) (indexRange, bool) {
	off, ok := outer.int(pointer)
	n, has := outer.int(pointer + 1)
	size := r.f.src.Size()
	ok = ok && has && off >= int64(len(magic)) && n > 0 && n <= indexRead && n <= size && off <= size-n
	return indexRange{off: off, n: n}, ok
}

// relocateOffsetIndex is nil when the index does not hold together.
func relocateOffsetIndex(raw []byte, shift int64) []byte {
	t, _, err := readTree(raw)
	if err != nil {
		return nil
	}
	locations, err := t.list(1, tStruct)
	if err != nil {
		return nil
	}
	for i, l := range locations {
		loc, _, err := readTree(l)
		if err != nil {
			return nil
		}
		off, ok := loc.int(1)
		if !ok {
			return nil
		}
		locations[i] = loc.with(field{id: 1, typ: tI64, raw: binary.AppendVarint(nil, off+shift)}).encode(nil)
	}
	return t.with(listField(1, tStruct, locations)).encode(nil)
}
