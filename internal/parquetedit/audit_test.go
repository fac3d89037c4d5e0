package parquetedit_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// fault is something that a file says of itself and that is not so.
type fault struct {
	kind    string
	subject [32]byte // digest of the bytes that it is said of
	text    string
}

// audit holds what a file says of itself against its bytes and its values.
type audit struct {
	layout
	columns []parquetedit.Column
	values  [][][]byte // by column and row, as statistics have them; nil for NULL
	faults  []fault
}

func (a *audit) fault(subject []byte, kind, format string, args ...any) {
	a.faults = append(a.faults, fault{kind, sha256.Sum256(subject), kind + ": " + fmt.Sprintf(format, args...)})
}

// audited gives the faults of a file that holds the given values, by column and row.
func audited(columns []parquetedit.Column, vs [][]parquet.Value, b []byte) []fault {
	a := &audit{layout: layoutOf(b), columns: columns, values: make([][][]byte, len(vs))}
	for c := range vs {
		a.values[c] = make([][]byte, len(vs[c]))
		for i, v := range vs[c] {
			if !v.IsNull() {
				a.values[c][i] = v.AppendBytes(make([]byte, 0, 8))
			}
		}
	}
	rows := int64(0)
	for i := range a.groups {
		a.group(i)
		rows += a.groups[i].rows
	}
	if rows != a.footer.int(3) || len(vs) > 0 && rows != int64(len(vs[0])) {
		a.fault(nil, "rows", "%d in the row groups, %d in the footer", rows, a.footer.int(3))
	}
	a.overlaps()
	a.blooms(vs)
	return a.faults
}

// newFaults gives the faults of a rewritten file that the old one did not have: not of the same row group, chunk or page, byte for byte.
func newFaults(before, after []fault) []fault {
	return slices.DeleteFunc(slices.Clone(after), func(f fault) bool {
		return slices.ContainsFunc(before, func(o fault) bool { return o.kind == f.kind && o.subject == f.subject })
	})
}

func (a *audit) group(i int) {
	g := &a.groups[i]
	var all []byte
	size, uncompressed := int64(0), int64(0)
	for c := range g.chunks {
		all = append(all, g.chunks[c].raw...)
		size, uncompressed = size+g.chunks[c].meta.int(7), uncompressed+g.chunks[c].meta.int(6)
		a.chunk(i, c)
	}
	if got := g.about.int(2); got != uncompressed {
		a.fault(all, "total_byte_size", "row group %d: %d, its chunks have %d", i, got, uncompressed)
	}
	if got := g.about.int(6); g.about.has(6) && got != size {
		a.fault(all, "row group size", "row group %d: %d, its chunks have %d", i, got, size)
	}
	if got := g.about.int(7); g.about.has(7) && got != int64(i) {
		a.fault(nil, "ordinal", "row group %d has %d", i, got)
	}
	if got := int(g.about.int(5)); g.about.has(5) && got != 0 && g.rows > 0 &&
		!slices.ContainsFunc(g.chunks, func(c laidChunk) bool { return c.at == got }) {
		a.fault(all, "file_offset", "row group %d: %d is where no chunk begins", i, got)
	}
	for n, s := range g.about.list(4) {
		if n == 0 {
			a.sorting(i, s.(record))
		}
	}
}

// sorting looks at the first sorting column: later ones order what is equal in it.
func (a *audit) sorting(i int, s record) {
	g, c := &a.groups[i], int(s.int(1))
	compare, ok := statOrder(a.columns[c].Type)
	descending, _ := s[2].(bool)
	var last []byte
	for _, v := range a.values[c][g.first : g.first+g.rows] {
		if v == nil || !ok {
			continue
		}
		if last != nil && (compare(last, v) > 0 != descending && compare(last, v) != 0) {
			a.fault(nil, "sorting_columns", "row group %d, column %d is not sorted", i, c)
			return
		}
		last = v
	}
}

func (a *audit) chunk(i, c int) {
	g, chunk := &a.groups[i], &a.groups[i].chunks[c]
	where := fmt.Sprintf("row group %d, column %q", i, a.columns[c].Name)
	values := a.values[c][g.first : g.first+g.rows]
	encodings, stats := map[int64]bool{}, map[[2]int64]int64{}
	rows, uncompressed := int64(0), int64(0)
	for n := range chunk.pages {
		p := &chunk.pages[n]
		rows, uncompressed = rows+p.rows, uncompressed+int64(p.header)+p.head.int(2)
		encodings[p.encoding] = true
		stats[[2]int64{int64(p.kind), p.encoding}]++
		if p.kind == kindDictionary && n > 0 {
			a.fault(chunk.raw, "dictionary", "%s: behind a data page", where)
		}
		if rows <= g.rows && p.first+p.rows <= int64(len(a.values[c])) {
			a.page(c, p, fmt.Sprintf("%s, page %d", where, n))
		}
	}
	if rows != g.rows || chunk.meta.int(5) != g.rows {
		a.fault(chunk.raw, "num_values", "%s: %d in its pages, %d said, %d in the row group", where, rows, chunk.meta.int(5), g.rows)
		return
	}
	if len(chunk.pages) == 0 {
		return
	}
	if got := chunk.meta.int(6); got != uncompressed {
		a.fault(chunk.raw, "total_uncompressed_size", "%s: %d, its pages have %d", where, got, uncompressed)
	}
	a.encodings(chunk, encodings, stats, where)
	a.offsets(chunk, where)
	by := speaker{c, chunk.raw, where}
	a.statistics(by, chunk.meta.record(12), values)
	a.sizes(by, chunk.meta.record(16), values)
	a.indexes(c, g, chunk, where)
}

func (a *audit) encodings(chunk *laidChunk, used map[int64]bool, stats map[[2]int64]int64, where string) {
	for _, e := range chunk.meta.list(2) {
		delete(used, e.(int64))
	}
	if len(used) > 0 {
		a.fault(chunk.raw, "encodings", "%s: %v are not in the list %v", where, slices.Sorted(maps.Keys(used)), chunk.meta.list(2))
	}
	if !chunk.meta.has(13) {
		return
	}
	said := map[[2]int64]int64{}
	for _, s := range chunk.meta.list(13) {
		said[[2]int64{s.(record).int(1), s.(record).int(2)}] += s.(record).int(3)
	}
	maps.DeleteFunc(said, func(_ [2]int64, n int64) bool { return n == 0 })
	if !maps.Equal(said, stats) {
		a.fault(chunk.raw, "encoding_stats", "%s: %v, the pages are %v", where, said, stats)
	}
}

// offsets: the footer points to the dictionary, if there is one, and to the first data page.
func (a *audit) offsets(chunk *laidChunk, where string) {
	first := &chunk.pages[0]
	dict := int(chunk.meta.int(11))
	if first.kind != kindDictionary {
		if dict > 0 {
			a.fault(chunk.raw, "dictionary_page_offset", "%s: %d, there is no dictionary", where, dict)
		}
	} else if dict != first.at {
		a.fault(chunk.raw, "dictionary_page_offset", "%s: %d, it is at %d", where, dict, first.at)
	}
	if data := chunk.dataPages(); len(data) == 0 || int(chunk.meta.int(9)) != data[0].at {
		a.fault(chunk.raw, "data_page_offset", "%s: %d", where, chunk.meta.int(9))
	}
}

// page holds a page against its rows.
func (a *audit) page(c int, p *laidPage, where string) {
	if p.head.has(4) && uint32(p.head.int(4)) != crc32.ChecksumIEEE(p.body()) {
		a.fault(p.raw, "crc", "%s: %x, the bytes have %x", where, uint32(p.head.int(4)), crc32.ChecksumIEEE(p.body()))
	}
	if !p.data() {
		return
	}
	values := a.values[c][p.first : p.first+p.rows]
	stats := p.about.record(5)
	if p.kind == kindDataV2 {
		stats = p.about.record(8)
		if n := nulls(values); p.about.int(2) != n || p.about.int(3) != p.rows {
			a.fault(p.raw, "V2 header", "%s: %d NULLs and %d rows, are %d and %d", where, p.about.int(2), p.about.int(3), n, p.rows)
		}
		if def, rep := p.about.int(5), p.about.int(6); rep != 0 || a.columns[c].Required && def != 0 || def > int64(len(p.body())) {
			a.fault(p.raw, "V2 levels", "%s: %d and %d bytes", where, def, rep)
		}
	}
	a.statistics(speaker{c, p.raw, where + ", header"}, stats, values)
}

// overlaps: what the footer points to lies behind the magic number, before the footer, and side by side.
func (a *audit) overlaps() {
	type span struct {
		from, to int
		what     string
	}
	spans := []span{{0, 4, "the magic number"}, {a.footerAt, len(a.b), "the footer"}}
	for i := range a.groups {
		for c := range a.groups[i].chunks {
			x := &a.groups[i].chunks[c]
			add := func(from, n int64, what string) {
				if n > 0 {
					spans = append(spans, span{int(from), int(from + n), fmt.Sprintf("%s of row group %d, column %d", what, i, c)})
				}
			}
			add(int64(x.at), int64(len(x.raw)), "the pages")
			add(x.outer.int(4), x.outer.int(5), "the offset index")
			add(x.outer.int(6), x.outer.int(7), "the column index")
			add(x.meta.int(14), x.meta.int(15), "the bloom filter")
		}
	}
	slices.SortFunc(spans, func(x, y span) int { return cmp.Compare(x.from, y.from) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			a.fault(nil, "overlap", "%s at %d and %s, which ends at %d", spans[i].what, spans[i].from, spans[i-1].what, spans[i-1].to)
		}
	}
}

// blooms: no filter denies a value that is there.
func (a *audit) blooms(vs [][]parquet.Value) {
	var f *parquet.File
	for i := range a.groups {
		g := &a.groups[i]
		for c := range g.chunks {
			if !g.chunks[c].meta.has(14) {
				continue
			}
			if f == nil {
				var err error
				if f, err = parquet.OpenFile(bytes.NewReader(a.b), int64(len(a.b)), parquet.SkipPageIndex(true)); err != nil {
					a.fault(nil, "parquet-go", "%v", err)
					return
				}
			}
			filter := f.RowGroups()[i].ColumnChunks()[c].BloomFilter()
			for _, v := range vs[c][g.first : g.first+g.rows] {
				if v.IsNull() {
					continue
				}
				if ok, err := filter.Check(v); err != nil || !ok {
					a.fault(g.chunks[c].raw, "bloom filter", "row group %d, column %d denies %v (%v)", i, c, v, err)
					break
				}
			}
		}
	}
}

func nulls(values [][]byte) int64 {
	n := int64(0)
	for _, v := range values {
		if v == nil {
			n++
		}
	}
	return n
}
