package parquetedit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// copyGroup copies the pages of a row group and relocates what points to them.
func (r *rewriter) copyGroup(ctx context.Context, rg int) error {
	g := &r.f.groups[rg]
	p := placed{rows: g.rows, columns: make([]placedChunk, len(g.chunks))}
	var err error
	if p.group, _, err = readTree(g.raw); err != nil {
		return err
	}
	order := make([]int, len(g.chunks))
	for c := range order {
		order[c] = c
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(g.chunks[a].off, g.chunks[b].off) })
	first := int64(-1)
	for _, c := range order {
		ch := &g.chunks[c]
		if err := r.copyRange(ctx, ch.off, ch.size); err != nil {
			return err
		}
		to := r.w.n - ch.size
		if first < 0 {
			first = to
		}
		if p.columns[c], err = ch.relocated(to - ch.off); err != nil {
			return fmt.Errorf("column %q: %w", r.f.columns[c].Name, err)
		}
	}
	if _, ok := p.group.find(groupOffset); ok {
		p.group = p.group.with(i64Field(groupOffset, first))
	}
	r.stats.RowGroupsCopied++
	r.stats.Rows += g.rows
	r.groups, r.sources = append(r.groups, p), append(r.sources, rg)
	return nil
}

// relocated is the ColumnChunk moved by shift bytes, without pointers to what lies outside its pages.
func (c *chunk) relocated(shift int64) (placedChunk, error) {
	outer, meta, err := c.trees()
	if err != nil {
		return placedChunk{}, err
	}
	for _, id := range []int16{colDataOffset, colIndexOffset, colDictOffset} {
		if off, ok := meta.int(id); ok && off > 0 {
			meta = meta.with(i64Field(id, off+shift))
		}
	}
	meta = meta.without(colBloomOffset, colBloomLength)
	if off, ok := outer.int(chunkFileOffset); ok && off > 0 {
		outer = outer.with(i64Field(chunkFileOffset, off+shift))
	}
	outer = outer.without(chunkOffsetIndex, chunkOffsetLength, chunkColumnIndex, chunkColumnLength)
	return placedChunk{outer: outer.with(structField(chunkMeta, meta)), shift: shift}, nil
}

// copyBlooms copies the bloom filters of the copied row groups. One whose length the footer does not
// tell is left behind.
func (r *rewriter) copyBlooms(ctx context.Context) error {
	for i, rg := range r.sources {
		if rg < 0 {
			continue
		}
		for c := range r.f.groups[rg].chunks {
			_, meta, err := r.f.groups[rg].chunks[c].trees()
			if err != nil {
				return r.f.where(rg, c, err)
			}
			off, ok := meta.int(colBloomOffset)
			n, has := meta.int(colBloomLength)
			if !ok || !has || off < int64(len(magic)) || n <= 0 || n > r.f.src.Size() || off > r.f.src.Size()-n {
				continue
			}
			if err := r.copyRange(ctx, off, n); err != nil {
				return r.f.where(rg, c, err)
			}
			p := &r.groups[i].columns[c]
			m, _, err := p.outer.sub(chunkMeta)
			if err != nil {
				return r.f.where(rg, c, err)
			}
			m = m.with(i64Field(colBloomOffset, r.w.n-n), i32Field(colBloomLength, n))
			p.outer = p.outer.with(structField(chunkMeta, m))
		}
	}
	return nil
}

// addNulls gives the copied row groups their chunks of the added columns.
func (r *rewriter) addNulls(ctx context.Context) error {
	if len(r.s.Add) == 0 {
		return nil
	}
	k := r.f.memory.compressor()
	defer r.f.memory.out.Put(k)
	if err := r.flush(ctx); err != nil {
		return err
	}
	at := r.w.n
	for i, rg := range r.sources {
		if rg < 0 {
			continue
		}
		p := &r.groups[i]
		for _, column := range r.s.Add {
			coding, err := r.newCoding(column.Type)
			if err != nil {
				return r.f.where(rg, 0, err)
			}
			c, err := nullChunk(column, coding.codec, k, p.rows)
			if err != nil {
				return err
			}
			pc, err := placeChunk(&r.w, c)
			if err != nil {
				return err
			}
			p.columns = append(p.columns, pc)
			for id, n := range map[int16]int64{groupBytes: c.uncompressed, groupCompressed: c.size} {
				if old, ok := p.group.int(id); ok {
					p.group = p.group.with(i64Field(id, old+n))
				}
			}
		}
	}
	r.stats.BytesWritten += r.w.n - at
	return nil
}
