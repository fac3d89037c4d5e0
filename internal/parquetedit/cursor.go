package parquetedit

import (
	"bytes"
	"context"
	"fmt"
)

const (
	windowBytes = 8 << 20  // bytes of a chunk in memory, one page at least
	windowSlack = 64 << 10 // read beyond what a range of rows takes on average, so that one read mostly does
)

// cursor reads a column chunk in ranges of rows that follow each other. Between two ranges it holds the
// dictionary, and where the page lies that the next one starts in.
type cursor struct {
	f       *File
	rg, col int

	at           int64            // of that page, from the start of the chunk
	uncompressed int64            // bytes of the pages read, before compression
	kinds        map[pageKind]int // of the data pages read; nil when nobody asks
	first        int64            // its first row
	number       int              // of data pages before it
	dict         *dictAt
	values       vector // of the dictionary, once it was needed
	taken        bool   // it was
}

// dictAt is a dictionary page as it lies in the file.
type dictAt struct {
	page
	raw []byte // with its header
}

// pageAt is a data page as it lies in the file. It is taken apart when asked for.
type pageAt struct {
	page
	raw    []byte // with its header; it stays as it is
	block  *block // that raw lies in
	first  int64  // its first row in the row group
	number int    // among the data pages of the chunk
	dict   *dictAt
	x      *decoder
}

// open decompresses the page and reads its levels.
func (p *pageAt) open() (o opened, err error) {
	defer recovered(&err)
	return p.x.open(&p.page)
}

// unpack reads the indices of the page. They are not held against the dictionary.
func (p *pageAt) unpack(o *opened) (d *decoded, err error) {
	defer recovered(&err)
	d = &decoded{rows: o.rows, present: o.present, values: &p.x.dict}
	if o.n > 0 {
		err = p.x.unpack(d, o.body[o.levels:], o.n)
	}
	return d, err
}

// decode reads the values of the page.
func (p *pageAt) decode(o *opened) (d *decoded, err error) {
	defer recovered(&err)
	return p.x.decode(&p.page, o)
}

// dictionary gives the dictionary of the pages read so far.
func (c *cursor) dictionary() (v *vector, err error) {
	if !c.taken {
		defer recovered(&err)
		k := c.f.memory.decompressor()
		defer c.f.memory.in.Put(k)
		x := newDecoder(c.f.columns[c.col], &c.f.groups[c.rg].chunks[c.col], k)
		x.later = &c.dict.page
		if err := x.takeDict(); err != nil {
			return nil, c.f.where(c.rg, c.col, err)
		}
		c.values, c.taken = x.dict, true
	}
	return &c.values, nil
}

// readDict reads the dictionary page, which takes the first n bytes of the chunk.
func (c *cursor) readDict(ctx context.Context, n int64) error {
	b := make([]byte, n)
	off := c.f.groups[c.rg].chunks[c.col].off
	if err := c.f.src.ReadRange(ctx, b, off); err != nil {
		return fmt.Errorf("read %d bytes at %d: %w", n, off, err)
	}
	p, size, err := readPage(b)
	if err == nil && p.typ != dictPage {
		err = corrupt("page of type %d before the data pages", p.typ)
	}
	if err != nil {
		return err
	}
	c.dict = &dictAt{p, b[:size:size]}
	c.uncompressed += int64(size - len(p.body) + p.uncompressed)
	return nil
}

// seek goes to a page of the page index.
func (c *cursor) seek(o *oldChunk, page int) {
	at := &o.pages[page]
	c.at, c.first, c.number = at.off-c.f.groups[c.rg].chunks[c.col].off, at.first, page
}

// pages hands the pages with the next rows before end to fn. The first and the last of them may hold rows
// of the neighboring ranges, too.
func (c *cursor) pages(ctx context.Context, end int64, fn func(p *pageAt) error) error {
	if err := c.read(ctx, end, fn); err != nil {
		return c.f.where(c.rg, c.col, err)
	}
	return nil
}

func (c *cursor) read(ctx context.Context, end int64, fn func(p *pageAt) error) error {
	chunk := &c.f.groups[c.rg].chunks[c.col]
	if err := chunk.codec.check(); err != nil {
		return err
	}
	x := newDecoder(c.f.columns[c.col], chunk, c.f.memory.decompressor())
	defer func() { c.f.memory.in.Put(x.end()) }()
	if c.dict != nil && !c.taken {
		x.later = &c.dict.page
	}
	x.dict, x.hasDict = c.values, c.taken
	w := window{memory: c.f.memory, src: c.f.src, at: chunk.off + c.at, end: chunk.off + chunk.size}
	defer func() { w.memory.free(w.block) }()
	for c.first < end {
		if err := w.wholePage(ctx, chunk.share(c, end)); err != nil {
			return err
		}
		if len(w.b) == 0 {
			return corrupt("%d values, %d declared", c.first, chunk.values)
		}
		p, n, err := readPage(w.b)
		switch {
		case err != nil:
			return err
		case p.typ == dictPage:
			raw := bytes.Clone(w.b[:n]) // it is asked for as long as there are pages
			p.body = raw[n-len(p.body):]
			if err := x.setDict(&p); err != nil {
				return err
			}
			c.dict = &dictAt{p, raw}
		case p.isData():
			if int64(p.values) > chunk.values-c.first {
				return corrupt("more values than the %d declared", chunk.values)
			}
			if err := fn(&pageAt{page: p, raw: w.b[:n:n], block: w.block, first: c.first, number: c.number, dict: c.dict, x: x}); err != nil {
				return err
			}
			if c.first+int64(p.values) > end {
				c.values, c.taken = x.dict, x.hasDict
				return nil
			}
			c.first, c.number = c.first+int64(p.values), c.number+1
			if c.kinds != nil {
				c.kinds[pageKind{p.typ, p.encoding}]++
			}
		}
		c.uncompressed += int64(n - len(p.body) + p.uncompressed)
		c.at += int64(n)
		w.skip(n)
	}
	c.values, c.taken = x.dict, x.hasDict
	return nil
}

// share guesses how many bytes of the chunk the cursor needs for the rows before end, but tells no more than the window
// holds.
func (c *chunk) share(at *cursor, end int64) int64 {
	left, rows := c.size-at.at, c.values-at.first
	if end >= c.values || rows <= 0 {
		return min(left, windowBytes)
	}
	return min(left, windowBytes, int64(float64(left)*float64(end-at.first)/float64(rows))+windowSlack)
}

// window is what was read of the bytes up to end. It holds those from at on.
type window struct {
	memory  *Memory
	src     Source
	at, end int64
	b       []byte
	block   *block // that b lies in
}

// grow reads n bytes more, or what is left.
func (w *window) grow(ctx context.Context, n int64) error {
	from := w.at + int64(len(w.b))
	n = min(n, w.end-from)
	more := w.memory.block(len(w.b) + int(n))
	if err := w.src.ReadRange(ctx, more.b[copy(more.b, w.b):], from); err != nil {
		return fmt.Errorf("read %d bytes at %d: %w", n, from, err)
	}
	w.memory.free(w.block)
	w.b, w.block = more.b, more
	return nil
}

// wholePage sees to it that the window starts with a whole page, as far as there is more to read: it grows to n
// bytes, then to twice its size.
func (w *window) wholePage(ctx context.Context, n int64) error {
	for w.at+int64(len(w.b)) < w.end {
		if len(w.b) > 0 && whole(w.b, w.end-w.at) {
			return nil
		}
		have := int64(len(w.b))
		if err := w.grow(ctx, max(n-have, have)); err != nil {
			return err
		}
	}
	return nil
}

func (w *window) skip(n int) { w.b, w.at = w.b[n:], w.at+int64(n) }
