package parquetedit

import (
	"context"
	"fmt"

	"github.com/parquet-go/parquet-go"
)

const (
	scanIndexed = 256 << 10 // a chunk of so many bytes is read whole: that costs less than to ask its page index
	scanGap     = 1 << 20   // pages so far apart are read one by one
)

// Page is the rows of a data page, as its encoding has them. It is valid only during the call that it is handed to.
type Page struct {
	First   int64   // ordinal of its first row in the row group
	Rows    int     // NULLs too
	Present []byte  // by row, 0 for NULL; nil when no row is NULL
	Indices []int32 // by row that is not NULL, the number of its value; nil when value k is that of the k-th such row

	values *vector
}

// Len is how many values the page has: one for each row that is not NULL, or those of the chunk's dictionary.
func (p *Page) Len() int { return p.values.len() }

// Int32s are the values of an INT32 column, as they lie in the file.
func (p *Page) Int32s() []int32 { return p.values.i32 }

// Int64s are the values of an INT64 column, as they lie in the file.
func (p *Page) Int64s() []int64 { return p.values.i64 }

// Bytes is value i of a column of byte arrays, fixed in length or not.
func (p *Page) Bytes(i int) []byte { return p.values.bytes(i) }

// Value is value i.
func (p *Page) Value(i int) parquet.Value { return p.values.value(i) }

// Scan hands the pages of a column chunk to yield, in order, without those whose bounds in the page index keep does not
// want; these are not read unless others lie near. All come when keep is nil, and where the chunk has no page index, or
// one that does not hold together or contradicts the chunk's own bounds. A page index that turns out not to
// fit the pages is ErrPageIndex: then only a scan of all of them tells the truth. An error of yield ends
// the scan and is returned as it is. It costs the memory of ReadColumn, and is as safe for concurrent use.
func (f *File) Scan(ctx context.Context, rg, col int, keep func(Bounds) bool, yield func(*Page) error) error {
	fn := func(first int64, d *decoded) error {
		if err := yield(&Page{First: first, Rows: d.rows, Present: d.present, Indices: d.indices, values: d.values}); err != nil {
			return yieldError{err}
		}
		return nil
	}
	c := &f.groups[rg].chunks[col]
	if keep == nil || c.size <= scanIndexed {
		return f.pages(ctx, rg, col, fn)
	}
	runs, err := f.scanRuns(ctx, rg, col, keep)
	if err != nil {
		return f.where(rg, col, err)
	}
	if runs == nil {
		return f.pages(ctx, rg, col, fn)
	}
	return f.ended(rg, col, f.scanPages(ctx, *runs, fn))
}

// pageRun is pages side by side that are read together.
type pageRun struct {
	off, end int64
	pages    []wantedPage
}

type wantedPage struct {
	first, rows, n int64
	wanted         bool
}

// chunkRuns are the runs of a column chunk, and before them its dictionary.
type chunkRuns struct {
	rg, col int
	dict    int64 // bytes; 0 = there is none
	start   wantedPage
	runs    []pageRun
}

// scanRuns asks the page index which pages are wanted; nil when that is all of them, or nobody knows.
func (f *File) scanRuns(ctx context.Context, rg, col int, keep func(Bounds) bool) (*chunkRuns, error) {
	o, err := f.pageIndex(ctx, rg, col)
	if err != nil || o.pages == nil || o.contradicts() {
		return nil, err
	}
	plan, all := &chunkRuns{rg: rg, col: col, dict: o.pages[0].off - f.groups[rg].chunks[col].off}, true
	plan.start = wantedPage{rows: o.rows(0), n: o.pages[0].n}
	for i := range o.pages {
		p := &o.pages[i]
		b := Bounds{NullCount: int64(p.facts.nulls)}
		w := wantedPage{first: p.first, rows: o.rows(i), n: p.n}
		if p.known && p.facts.bounds.ok {
			b.Min, b.Max = statValue(p.facts.bounds.min, o.column.Type), statValue(p.facts.bounds.max, o.column.Type)
		}
		w.wanted = !p.known || !p.facts.bounds.ok && int64(p.facts.nulls) != w.rows || keep(b)
		all = all && w.wanted
		plan.add(p.off, w)
	}
	if all {
		return nil, nil
	}
	return plan, nil
}

// add adds a page to the plan. Those before the first one that is wanted, behind the last, and between two that are far
// from each other, are in no run.
func (c *chunkRuns) add(off int64, w wantedPage) {
	if n := len(c.runs) - 1; n >= 0 {
		run := &c.runs[n]
		switch {
		case w.wanted && off-run.end < scanGap:
			run.pages, run.end = append(run.pages, w), off+w.n
			return
		case !w.wanted && off+w.n-run.end < scanGap:
			run.pages = append(run.pages, w)
		}
	}
	if w.wanted {
		c.runs = append(c.runs, pageRun{off: off, end: off + w.n, pages: []wantedPage{w}})
	}
}

// pageIndex is what the file tells of a chunk's pages.
func (f *File) pageIndex(ctx context.Context, rg, col int) (oldChunk, error) {
	o, err := f.oldChunk(rg, col)
	if err != nil {
		return o, err
	}
	c := &f.groups[rg].chunks[col]
	outer, _, err := c.trees()
	if err != nil {
		return o, err
	}
	r := &rewriter{f: f}
	offset, ok := r.indexRange(outer, chunkOffsetIndex)
	column, has := r.indexRange(outer, chunkColumnIndex)
	if !ok || !has {
		return o, nil
	}
	column.column = true
	var told []byte
	err = r.eachIndex(ctx, []indexRange{offset, column}, func(x indexRange, raw []byte) {
		if x.column {
			told = raw
		} else {
			o.pages = c.oldPages(raw)
		}
	})
	o.tell(told)
	return o, err
}

// contradicts says whether a page's bounds lie outside those of the chunk. Those of byte arrays may: either were cut.
func (o *oldChunk) contradicts() bool {
	t := o.column.Type
	if !o.bounds.ok || t.Physical == parquet.ByteArray || t.Physical == parquet.FixedLenByteArray {
		return false
	}
	for i := range o.pages {
		b := o.pages[i].facts.bounds
		if b.ok && (compareStat(b.min, o.bounds.min, t) < 0 || compareStat(b.max, o.bounds.max, t) > 0) {
			return true
		}
	}
	return false
}

// scanPages reads the runs, the dictionary before them, and hands the pages that are wanted to fn.
func (f *File) scanPages(ctx context.Context, s chunkRuns, fn func(first int64, d *decoded) error) error {
	c := &f.groups[s.rg].chunks[s.col]
	if err := c.codec.check(); err != nil {
		return err
	}
	if len(s.runs) == 0 {
		return nil
	}
	k := f.memory.decompressor()
	defer f.memory.in.Put(k)
	x := newDecoder(f.columns[s.col], c, k)
	if err := f.scanDict(ctx, s, x); err != nil {
		return err
	}
	for i := range s.runs {
		if err := f.scanRun(ctx, &s.runs[i], x, fn); err != nil {
			return err
		}
	}
	return nil
}

// scanDict gives the decoder the dictionary. It looks at the header of the page behind it, too: in an index whose rows are
// shifted every page but the first and the last has as many as it should.
func (f *File) scanDict(ctx context.Context, s chunkRuns, x *decoder) error {
	const header = 4 << 10 // bytes of a page header, at most, statistics and all
	b, off := make([]byte, s.dict+min(s.start.n, header)), f.groups[s.rg].chunks[s.col].off
	if err := f.src.ReadRange(ctx, b, off); err != nil {
		return fmt.Errorf("read %d bytes at %d: %w", len(b), off, err)
	}
	if rows := pageRowsOf(b[s.dict:]); rows != s.start.rows {
		return fmt.Errorf("%w: %d rows in the first page, which has %d", ErrPageIndex, s.start.rows, rows)
	}
	if s.dict == 0 {
		return nil
	}
	d, n, err := x.safeNext(b[:s.dict])
	if err == nil && (d != nil || int64(n) != s.dict) {
		err = fmt.Errorf("%w: no dictionary of %d bytes", ErrPageIndex, s.dict)
	}
	return err
}

// pageRowsOf is the number of rows in the data page whose header b begins with, -1 when it cannot be read.
func pageRowsOf(b []byte) int64 {
	t, _, err := readTree(b)
	if err != nil {
		return -1
	}
	for _, id := range []int16{pageData, pageDataV2} {
		if h, ok, err := t.sub(id); ok && err == nil {
			if rows, ok := h.int(1); ok {
				return rows
			}
		}
	}
	return -1
}

func (f *File) scanRun(ctx context.Context, run *pageRun, x *decoder, fn func(first int64, d *decoded) error) error {
	ctx, cancel := context.WithCancel(ctx)
	s := &stream{memory: f.memory, src: f.src, at: run.off, end: run.end, window: min(run.end-run.off, streamBytes)}
	defer s.close()
	defer cancel()
	for _, w := range run.pages {
		if s.empty() {
			return nil // the rest is not wanted
		}
		if err := s.page(ctx); err != nil {
			return err
		}
		p, n, err := readPage(s.b)
		if err != nil || int64(n) != w.n || int64(p.values) != w.rows || p.typ != dataPage && p.typ != dataPageV2 {
			return fmt.Errorf("%w: page of %d bytes with %d rows at row %d", ErrPageIndex, w.n, w.rows, w.first)
		}
		if w.wanted {
			d, _, err := x.safeNext(s.b)
			if err != nil {
				return err
			}
			if err := fn(w.first, d); err != nil {
				return err
			}
		}
		s.skip(n)
	}
	return nil
}
