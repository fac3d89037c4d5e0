package parquetedit

import (
	"context"
)

// wholeBytes is up to how many bytes of a large row group are read without dividing it.
const wholeBytes = 16 << 20

// partBytes is up to how many bytes of the old file become one row group rather than have pages read for each of several:
// DuckDB writes one page a chunk.
const partBytes = 256 << 20

// rewriteGroup encodes a row group again: as one, when most of it is copied unread or it is small, else as so many
// of equal size that each is as small as new ones are.
// With tail the rows of Append follow.
func (r *rewriter) rewriteGroup(ctx context.Context, rg int, tail bool) error {
	codings, err := r.codings(rg)
	if err != nil {
		return err
	}
	t, _, err := readTree(r.f.groups[rg].raw)
	if err != nil {
		return err
	}
	g := &r.f.groups[rg]
	cursors := make([]cursor, len(r.f.columns))
	for c := range cursors {
		cursors[c] = cursor{f: r.f, rg: rg, col: c}
	}
	old, err := r.oldChunks(ctx, rg)
	if err != nil {
		return err
	}
	n := max(1, (g.rows+r.s.MaxRowGroupRows-1)/r.s.MaxRowGroupRows)
	if size := g.size(); n > 1 {
		// It stays whole when no more of it is in memory then than of a part, or than does any harm.
		e := r.s.within(g, 0, g.rows)
		if unread := spare(old, e, r.s.Same, tail); unread > 0 && size-unread <= max(size/n, wholeBytes) {
			n = 1
		}
	}
	n = min(n, max(r.cheapParts(rg, old), (g.size()+partBytes-1)/partBytes, 1)) // rows are added to one without rows, too
	ends := borders(old, g.rows, n, r.s.MaxRowGroupRows)
	for i := range n {
		p := part{group: t, codings: codings, cursors: cursors, old: old, to: ends[i]}
		if i > 0 {
			p.from = ends[i-1]
		}
		p.edits = r.s.within(g, p.from, p.to)
		p.tail = tail && i == n-1
		if err := r.rewritePart(ctx, &p); err != nil {
			return err
		}
	}
	return nil
}

// cheapParts is into how many parts a row group may be divided before pages that lie in two of them, and are taken apart for
// both, come to as much as it has.
func (r *rewriter) cheapParts(rg int, old []oldChunk) int64 {
	g := &r.f.groups[rg]
	if g.size() < copyBytes {
		return g.rows // that is read again soon enough
	}
	twice := int64(0) // bytes for each border
	for c := range old {
		if old[c].count > 0 {
			twice += g.chunks[c].size / old[c].count
		}
	}
	return 1 + max(g.size()-1, 0)/max(twice, 1)
}

// borders divides rows into n parts and gives the end of each. A border lies where pages of most columns end, as the page
// index tells it, if there is such a row within a page of where the parts are of equal size: a page with rows of two
// parts is taken apart for both. No part gets larger than limit, unless all of them have to be.
func borders(old []oldChunk, rows, n, limit int64) []int64 {
	starts := map[int64]int{}
	for c := range old {
		for i := range old[c].pages {
			starts[old[c].pages[i].first]++
		}
	}
	limit = max(limit, (rows+n-1)/n)
	ends, last := make([]int64, n), int64(0)
	for i := range n {
		at := min(rows*(i+1)/n, last+limit)
		best, columns := at, 0
		for row, count := range starts {
			far := max(row-at, at-row)
			switch {
			case i == n-1 || far > pageRows || row <= last || row-last > limit || rows-row > (n-1-i)*limit:
			case count > columns, count == columns && (far < max(best-at, at-best) || far == max(best-at, at-best) && row < best):
				best, columns = row, count
			}
		}
		ends[i], last = best, best
	}
	return ends
}

// size is the size of the row group's chunks in the file.
func (g *group) size() int64 {
	n := int64(0)
	for i := range g.chunks {
		n += g.chunks[i].size
	}
	return n
}

// part is the rows [from, to) of an old row group, which become a new one.
type part struct {
	group    tree
	codings  []coding
	cursors  []cursor
	old      []oldChunk
	from, to int64
	edits    edits
	tail     bool // the rows of Append follow
}

func (r *rewriter) rewritePart(ctx context.Context, p *part) error {
	if int64(len(p.edits.deletes)) == p.to-p.from && !p.tail {
		return nil
	}
	if len(p.edits.replaces) > 0 || p.tail {
		// New values know nothing of the order that the old ones had.
		p.group = p.group.without(groupSorting)
	}
	chunks := make([]*doneChunk, len(r.columns))
	err := eachColumn(r.s.Parallel, len(chunks), func(c int) (err error) {
		e := newEncoder(r.columns[c], p.codings[c])
		e.k = r.f.memory.compressor()
		e.scratch, e.body = e.k.scratch, e.k.body
		defer func() {
			e.k.scratch, e.k.body = e.scratch, e.body
			r.f.memory.out.Put(e.k)
		}()
		if err := r.splice(ctx, p, c, e); err != nil {
			return err
		}
		if p.tail {
			if e.adopted {
				dict, err := p.cursors[c].dictionary()
				if err != nil {
					return err
				}
				e.loadDict(dict)
			}
			if err := e.append(r.s.Append[c]); err != nil {
				return err
			}
		}
		chunks[c], err = e.finish()
		return err
	})
	if err != nil {
		return err
	}
	return r.place(p.group, chunks)
}

// splice gives the edited column of the part to the encoder.
func (r *rewriter) splice(ctx context.Context, p *part, c int, e *encoder) error {
	edits := p.edits.of(c, r.s.Same)
	x := &splicer{e: e, edits: &edits, tail: p.tail}
	var err error
	if x.with, err = r.s.replace(r.columns[c], c, edits.base, edits.base+len(edits.replaces)); err != nil {
		return err
	}
	if c < len(p.cursors) {
		x.old, e.oldBounds = &p.old[c], p.old[c].bounds
		if p.from == 0 && p.to == x.old.values {
			if list := x.old.stretches(&edits, p.tail); len(list) > 1 || list[0].copied {
				if done, err := x.chunk(ctx, &p.cursors[c], list); done || err != nil {
					return err
				}
				x.again(newEncoder(e.column, e.coding))
				p.cursors[c] = cursor{f: r.f, rg: p.cursors[c].rg, col: c}
			}
		}
		return p.cursors[c].pages(ctx, p.to, x.within(p.from, p.to))
	}
	// An added column is a chunk of NULLs to be edited.
	nulls := &decoded{values: &vector{kind: e.values.kind, width: 1, ends: []uint32{0}}, present: make([]byte, pageRows)}
	for row := p.from; row < p.to; row += int64(nulls.rows) {
		nulls.rows = int(min(pageRows, p.to-row))
		if err := x.page(row, nulls); err != nil {
			return err
		}
	}
	return nil
}
