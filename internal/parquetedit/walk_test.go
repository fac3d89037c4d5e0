package parquetedit_test

import (
	"encoding/binary"
)

// layout is a Parquet file taken apart along the page headers: not by its page index, which is what they are held against.
type layout struct {
	b        []byte
	footer   record // FileMetaData
	footerAt int
	groups   []laidGroup
}

type laidGroup struct {
	about       record // RowGroup
	first, rows int64  // rows of the file
	chunks      []laidChunk
}

type laidChunk struct {
	outer, meta record // ColumnChunk, ColumnMetaData
	at          int
	raw         []byte
	pages       []laidPage
}

// laidPage is a page. Its rows count from the first of the file; a dictionary has none.
type laidPage struct {
	at, header  int // bytes
	head        record
	kind        pageKind
	about       record // DataPageHeader, DictionaryPageHeader or DataPageHeaderV2
	encoding    int64
	first, rows int64
	raw         []byte
}

type pageKind int64

const (
	kindData       pageKind = 0
	kindIndex      pageKind = 1
	kindDictionary pageKind = 2
	kindDataV2     pageKind = 3
)

func (p *laidPage) data() bool { return p.kind == kindData || p.kind == kindDataV2 }

// body is what follows the header.
func (p *laidPage) body() []byte { return p.raw[p.header:] }

func layoutOf(b []byte) layout {
	end := len(b) - 8
	x := layout{b: b, footerAt: end - int(binary.LittleEndian.Uint32(b[end:]))}
	x.footer, _ = readRecord(b[x.footerAt:end])
	row := int64(0)
	for _, g := range x.footer.list(4) {
		about := g.(record)
		group := laidGroup{about: about, first: row, rows: about.int(3)}
		for _, c := range about.list(1) {
			group.chunks = append(group.chunks, x.chunk(c.(record), row))
		}
		row += group.rows
		x.groups = append(x.groups, group)
	}
	return x
}

// chunk walks over the pages of a column chunk whose first row is given. They end where they end: the caller looks whether that
// is where the footer says.
func (x *layout) chunk(outer record, row int64) laidChunk {
	c := laidChunk{outer: outer, meta: outer.record(3)}
	if c.meta.int(5) == 0 {
		return c // pyarrow's row group without rows has offsets that point nowhere
	}
	c.at = int(c.meta.int(9))
	if dict := int(c.meta.int(11)); dict >= 4 && dict < c.at {
		c.at = dict
	}
	c.raw = x.b[c.at : c.at+int(c.meta.int(7))]
	for at := 0; at < len(c.raw); {
		head, n := readRecord(c.raw[at:])
		p := laidPage{at: c.at + at, header: n, head: head, kind: pageKind(head.int(1)), first: row}
		switch p.kind {
		case kindData:
			p.about = head.record(5)
			p.rows, p.encoding = p.about.int(1), p.about.int(2)
		case kindDictionary:
			p.about = head.record(7)
			p.encoding = p.about.int(2)
		case kindDataV2:
			p.about = head.record(8)
			p.rows, p.encoding = p.about.int(1), p.about.int(4)
		case kindIndex:
		}
		size := n + int(head.int(3))
		p.raw = c.raw[at : at+size : at+size]
		at, row = at+size, row+p.rows
		c.pages = append(c.pages, p)
	}
	return c
}

// dataPages are the pages without the dictionary.
func (c *laidChunk) dataPages() []laidPage {
	var out []laidPage
	for _, p := range c.pages {
		if p.data() {
			out = append(out, p)
		}
	}
	return out
}
