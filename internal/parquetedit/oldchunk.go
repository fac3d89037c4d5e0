package parquetedit

import (
	"bytes"
	"context"
	"math"

	"github.com/parquet-go/parquet-go"
)

// oldChunk is what a file tells of a column chunk's pages without their being read: its statistics and page index.
type oldChunk struct {
	column Column
	values int64
	nulls  int64 // -1 when unknown
	bounds bounds
	pages  []oldPage // nil when the chunk has no page index that holds together

	count int64            // of data pages, as the footer says; 0 when it does not
	kinds map[pageKind]int // how many of the pages are of which kind; nil when the footer does not tell it of all
}

// oldPage is an entry of the page index.
type oldPage struct {
	off, n int64 // where it lies in the file
	first  int64 // row within the row group
	facts  pageFacts
	known  bool // facts are
}

// oldChunks reads what the file tells of the chunks of a row group.
func (r *rewriter) oldChunks(ctx context.Context, rg int) ([]oldChunk, error) {
	g := &r.f.groups[rg]
	old := make([]oldChunk, len(g.chunks))
	var ranges []indexRange
	for c := range old {
		o, err := r.f.oldChunk(rg, c)
		if err != nil {
			return nil, r.f.where(rg, c, err)
		}
		old[c] = o
		outer, _, err := g.chunks[c].trees()
		if err != nil {
			return nil, r.f.where(rg, c, err)
		}
		if offset, ok := r.indexRange(outer, chunkOffsetIndex); ok {
			offset.chunk = c
			ranges = append(ranges, offset)
			if column, ok := r.indexRange(outer, chunkColumnIndex); ok {
				column.chunk, column.column = c, true
				ranges = append(ranges, column)
			}
		}
	}
	columns := make([][]byte, len(old))
	err := r.eachIndex(ctx, ranges, func(x indexRange, raw []byte) {
		if x.column {
			columns[x.chunk] = raw
		} else {
			old[x.chunk].pages = g.chunks[x.chunk].oldPages(raw)
		}
	})
	for c := range old {
		old[c].tell(columns[c])
		if _, meta, err := g.chunks[c].trees(); err == nil {
			old[c].countKinds(meta)
		}
	}
	return old, err
}

// oldChunk is what the footer tells.
func (f *File) oldChunk(rg, col int) (oldChunk, error) {
	c := &f.groups[rg].chunks[col]
	o := oldChunk{column: f.columns[col], values: c.values}
	b, _ := f.Bounds(rg, col)
	o.nulls = b.NullCount
	_, meta, err := c.trees()
	if err != nil || o.nulls == o.values || b.Min.IsNull() {
		return o, err
	}
	s, _, err := meta.sub(colStatistics)
	if err != nil {
		return o, err
	}
	lo, hi, _ := f.encodedBounds(s, o.column.Type)
	o.bounds = foreignBounds(lo, hi, o.column.Type)
	return o, nil
}

// foreignBounds are bounds that a file gives, none when they cannot be. Neither needs to be a value: Polars gives every
// page the bounds of its chunk.
func foreignBounds(lo, hi []byte, t Type) bounds {
	if t.order() == noOrder || statValue(lo, t).IsNull() || statValue(hi, t).IsNull() || compareStat(lo, hi, t) > 0 {
		return bounds{}
	}
	b := bounds{ok: true, min: lo, max: hi, cutMin: true, cutMax: true}
	// Zeros of either sign are one zero to those who order them.
	if t.Physical == parquet.Float && statValue(lo, t).Float() == 0 {
		b.min = bounds32(1<<31, 0).min
	}
	if t.Physical == parquet.Double && statValue(lo, t).Double() == 0 {
		b.min = bounds64(1<<63, 0).min
	}
	if t.Physical == parquet.Float && statValue(hi, t).Float() == 0 {
		b.max = bounds32(0, 0).max
	}
	if t.Physical == parquet.Double && statValue(hi, t).Double() == 0 {
		b.max = bounds64(0, 0).max
	}
	return b
}

// oldPages reads an offset index; nil unless it tells of pages that follow each other to the end of the chunk.
func (c *chunk) oldPages(raw []byte) []oldPage {
	t, _, err := readTree(raw)
	if err != nil {
		return nil
	}
	locations, err := t.list(1, tStruct)
	if err != nil || len(locations) == 0 {
		return nil
	}
	pages := make([]oldPage, len(locations))
	for i, l := range locations {
		loc, _, err := readTree(l)
		if err != nil {
			return nil
		}
		p := &pages[i]
		var ok [3]bool
		p.off, ok[0] = loc.int(1)
		p.n, ok[1] = loc.int(2)
		p.first, ok[2] = loc.int(3)
		switch {
		case !ok[0] || !ok[1] || !ok[2] || p.n <= 0 || p.n > math.MaxInt32 || p.first >= c.values:
			return nil
		case i == 0 && (p.first != 0 || p.off < c.off):
			return nil
		case i > 0 && (p.first <= pages[i-1].first || p.off != pages[i-1].off+pages[i-1].n):
			return nil
		}
	}
	if last := pages[len(pages)-1]; last.off+last.n != c.off+c.size {
		return nil
	}
	return pages
}

// tell adds what a column index tells of the pages, when it fits them. It counts only where the chunk has bounds of its
// own: a writer that is told to leave bounds out may give every page those of a zero.
func (o *oldChunk) tell(raw []byte) {
	if !o.bounds.ok && o.nulls != o.values {
		return
	}
	t, _, err := readTree(raw)
	if raw == nil || o.pages == nil || err != nil {
		return
	}
	nullPages, err1 := t.list(1, tTrue)
	mins, err2 := t.list(2, tBinary)
	maxs, err3 := t.list(3, tBinary)
	nulls, err4 := t.ints(5, tI64)
	n := len(o.pages)
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || len(nullPages) != n || len(mins) != n || len(maxs) != n {
		return
	}
	told := make([]pageFacts, n)
	for i := range told {
		told[i] = pageFacts{nulls: -1, bounded: true}
		rows := o.rows(i)
		if len(nulls) == n && nulls[i] >= 0 && nulls[i] <= rows {
			told[i].nulls = int(nulls[i])
		}
		if nullPages[i][0] == tTrue {
			if told[i].nulls >= 0 && int64(told[i].nulls) != rows {
				return
			}
			told[i].nulls = int(rows)
			continue
		}
		if told[i].bounds = foreignBounds(elemBytes(mins[i]), elemBytes(maxs[i]), o.column.Type); !told[i].bounds.ok || o.overflows(told[i].bounds.max) {
			return
		}
	}
	for i := range told {
		o.pages[i].facts, o.pages[i].known = told[i], true
	}
}

// overflows says whether the maximum of a page may be below values that begin with it: parquet-go cuts bounds and adds one to what is left, which
// changes nothing where all of it is FF.
func (o *oldChunk) overflows(upper []byte) bool {
	t := o.column.Type
	return len(upper) > 0 && (t.Physical == parquet.ByteArray || t.Physical == parquet.FixedLenByteArray && len(upper) < t.Length) &&
		len(bytes.TrimLeft(upper, "\xff")) == 0
}

// rows is the number of rows of a page.
func (o *oldChunk) rows(page int) int64 {
	if page+1 < len(o.pages) {
		return o.pages[page+1].first - o.pages[page].first
	}
	return o.values - o.pages[page].first
}

// known gives what is known of a page that stays as it is, and false when its NULLs have to be counted.
func (o *oldChunk) known(p *pageAt) (pageFacts, bool) {
	nulls := -1
	if p.typ == dataPageV2 {
		nulls = p.nulls
	}
	if p.number < len(o.pages) && o.pages[p.number].first == p.first && o.rows(p.number) == int64(p.values) {
		return o.told(p.number, nulls)
	}
	return o.fill(pageFacts{nulls: nulls}, p.values)
}

// told gives what is known of a page of the index; nulls is what its header says, or -1.
func (o *oldChunk) told(page, nulls int) (pageFacts, bool) {
	f := pageFacts{nulls: nulls}
	if o.pages[page].known {
		f = o.pages[page].facts
		if nulls >= 0 {
			f.nulls = nulls
		}
	}
	return o.fill(f, int(o.rows(page)))
}

// fill adds what the column and the footer tell of a page.
func (o *oldChunk) fill(f pageFacts, rows int) (pageFacts, bool) {
	switch {
	case o.column.Required:
		f.nulls = 0
	case f.nulls >= 0: // the page's own word: 0 in the footer is what some rewritings make of nothing
	case o.nulls == 0:
		f.nulls = 0
	case o.nulls == o.values:
		f.nulls = rows
	}
	if f.nulls == rows {
		f.bounds, f.bounded = bounds{}, true
	}
	return f, f.nulls >= 0
}

// countKinds reads from the footer how many data pages there are and of which kinds.
func (o *oldChunk) countKinds(meta tree) {
	stats, err := meta.list(colEncodingStats, tStruct)
	if err != nil {
		return
	}
	kinds, all, good := map[pageKind]int{}, int64(0), true
	for _, s := range stats {
		t, _, err := readTree(s)
		if err != nil {
			return
		}
		version, _ := t.int(1)
		encoding, _ := t.int(2)
		pages, _ := t.int(3)
		if version != dataPage && version != dataPageV2 {
			continue
		}
		if pages < 0 || pages > o.values {
			return
		}
		good = good && encoding >= encPlain && encoding <= encByteStreamSplit
		if pages > 0 {
			kinds[pageKind{version, encoding}] += int(pages)
		}
		all += pages
	}
	o.count = all
	if good && all == int64(len(o.pages)) {
		o.kinds = kinds
	}
}
