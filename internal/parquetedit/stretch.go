package parquetedit

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// copyBytes is the size from which on pages side by side that no edit touches are copied without being read.
const copyBytes = 1 << 20

// stretch is pages [from, to) of an old chunk, which are read or copied as a range of the file.
type stretch struct {
	from, to int
	copied   bool
}

// stretches divides the chunk's pages; one stretch that is read when there is nothing to copy. A page is copied unread only
// where everything is known of it that the new footer and the new page index say.
func (o *oldChunk) stretches(e *edits, tail bool) []stretch {
	all := []stretch{{0, len(o.pages), false}}
	if len(o.pages) == 0 || o.kinds == nil {
		return all
	}
	var list []stretch
	for i := range o.pages {
		touched := e.touch(o.pages[i].first, o.pages[i].first+o.rows(i)) || tail && i == len(o.pages)-1
		if _, ok := o.told(i, -1); !ok {
			return all
		}
		if n := len(list); n > 0 && list[n-1].copied == !touched {
			list[n-1].to = i + 1
		} else {
			list = append(list, stretch{i, i + 1, !touched})
		}
	}
	return o.worthwhile(list)
}

// worthwhile gives up copies that are too small, and joins what is read.
func (o *oldChunk) worthwhile(list []stretch) []stretch {
	joined := list[:0]
	for _, s := range list {
		s.copied = s.copied && o.bytes(s) >= copyBytes
		if n := len(joined); n > 0 && !s.copied && !joined[n-1].copied {
			joined[n-1].to = s.to
		} else {
			joined = append(joined, s)
		}
	}
	return joined
}

// bytes is the size of a stretch, page headers included.
func (o *oldChunk) bytes(s stretch) int64 {
	return o.pages[s.to-1].off + o.pages[s.to-1].n - o.pages[s.from].off
}

// touch says whether an edit falls into the rows [from, to) of the row group.
func (e *edits) touch(from, to int64) bool {
	for _, rows := range [][]int64{e.deletes, e.replaces} {
		i, _ := slices.BinarySearch(rows, e.first+from)
		if i < len(rows) && rows[i] < e.first+to {
			return true
		}
	}
	return false
}

// spare says how many bytes of the row group need not be read when its edits are these.
func spare(old []oldChunk, e edits, same []int, tail bool) int64 {
	n := int64(0)
	for c := range old {
		edits := e.of(c, same)
		for _, s := range old[c].stretches(&edits, tail) {
			if s.copied {
				n += old[c].bytes(s)
			}
		}
	}
	return n
}

// chunk takes the whole chunk over, with what no edit touches as ranges of the file. It says whether it did: not where what the
// footer tells of the pages turns out not to be so; the encoder is of no more use then.
func (x *splicer) chunk(ctx context.Context, c *cursor, list []stretch) (bool, error) {
	f, chunk := c.f, &c.f.groups[c.rg].chunks[c.col]
	if head := x.old.pages[0].off - chunk.off; head > maxPageBytes {
		return false, nil
	} else if head > 0 {
		if err := c.readDict(ctx, head); err != nil {
			return false, f.where(c.rg, c.col, err)
		}
	}
	if x.old.hasIndices() {
		if c.dict == nil || x.e.dict == nil {
			return false, nil
		}
		x.e.oldDict, x.e.adopted = c.dict, true
	}
	x.e.begun = true
	c.kinds = map[pageKind]int{}
	copied := 0
	for _, s := range list {
		if !s.copied {
			c.seek(x.old, s.from)
			end := x.old.pages[s.to-1].first + x.old.rows(s.to-1)
			err := c.pages(ctx, end, x.within(0, chunk.values))
			if errors.Is(err, ErrCorrupt) || err == nil && c.first != end {
				return false, nil // other rows than the index says; the whole chunk tells whether it is broken
			}
			if err != nil {
				return false, err
			}
			continue
		}
		if err := x.e.flush(); err != nil {
			return false, f.where(c.rg, c.col, err)
		}
		copied += s.to - s.from
		for i := s.from; i < s.to; i++ {
			known, _ := x.old.told(i, -1)
			at := &x.old.pages[i]
			p := donePage{from: at.off, length: int(at.n), rows: int(x.old.rows(i)), pageFacts: known}
			x.e.pages, x.e.bytes = append(x.e.pages, p), x.e.bytes+p.size()
		}
	}
	x.e.unread = unread{bytes: max(0, chunk.uncompressed-c.uncompressed), kinds: x.old.without(c.kinds)}
	for k, n := range x.e.unread.kinds {
		if n < 0 {
			return false, nil
		}
		copied -= n
		if isDictionary(k.encoding) {
			x.e.dictPages += n
		}
	}
	return copied == 0, nil
}

// again begins anew, with another encoder in the place of the splicer's.
func (x *splicer) again(e *encoder) {
	e.k, e.oldBounds = x.e.k, x.e.oldBounds
	*x.e = *e
	x.di, x.ri, x.trans = 0, 0, nil
}

// hasIndices says whether some of the pages have indices into the dictionary.
func (o *oldChunk) hasIndices() bool {
	for k := range o.kinds {
		if isDictionary(k.encoding) {
			return true
		}
	}
	return false
}

// without gives the kinds of the pages that are left when those were read.
func (o *oldChunk) without(read map[pageKind]int) map[pageKind]int {
	left := maps.Clone(o.kinds)
	for k := range read {
		if _, ok := left[k]; !ok && k.version == dataPageV2 {
			left = ofVersion2(left) // Arrow says of its pages of version 2 that they are of version 1
			break
		}
	}
	for k, n := range read {
		left[k] -= n
	}
	maps.DeleteFunc(left, func(_ pageKind, n int) bool { return n == 0 })
	return left
}

func ofVersion2(kinds map[pageKind]int) map[pageKind]int {
	all := map[pageKind]int{}
	for k, n := range kinds {
		all[pageKind{dataPageV2, k.encoding}] += n
	}
	return all
}

// unread is what the footer tells of the pages that are copied without being read.
type unread struct {
	bytes int64 // before compression
	kinds map[pageKind]int
}
