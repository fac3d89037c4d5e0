package parquetedit

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
)

const (
	magic          = "PAR1"
	magicEncrypted = "PARE"
	tailBytes      = 256 << 10 // bytes of the first read of Open
)

// The fields of FileMetaData.
const (
	metaVersion      = 1
	metaSchema       = 2
	metaRows         = 3
	metaRowGroups    = 4
	metaKeyValue     = 5
	metaCreatedBy    = 6
	metaColumnOrders = 7
	metaEncryption   = 8
)

// The fields of RowGroup.
const (
	groupColumns    = 1
	groupBytes      = 2
	groupRows       = 3
	groupSorting    = 4
	groupOffset     = 5
	groupCompressed = 6
	groupOrdinal    = 7
)

// Open reads the footer with one read of the last 256 KiB, or two when the footer is larger.
// Its errors wrap ErrCorrupt, ErrEncrypted, ErrNested, ErrTooLarge or what the source returned.
// A codec that cannot be read is found when its column is.
func Open(ctx context.Context, src Source) (*File, error) {
	b, err := readFooter(ctx, src)
	if err != nil {
		return nil, err
	}
	t, n, err := readTree(b)
	if err != nil {
		return nil, fmt.Errorf("footer: %w", err)
	}
	if _, ok := t.find(metaEncryption); ok {
		return nil, ErrEncrypted // and behind it lies the signature of the footer
	}
	if n != len(b) {
		return nil, corrupt("footer: %d bytes behind its end", len(b)-n)
	}
	f := &File{src: src, footer: t, memory: new(Memory), pagesEnd: src.Size() - int64(len(b)) - 8}
	elems, err := t.list(metaSchema, tStruct)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	if f.columns, err = parseSchema(elems); err != nil {
		return nil, err
	}
	if err := f.parseGroups(); err != nil {
		return nil, err
	}
	return f, nil
}

// readFooter gives the encoded FileMetaData.
func readFooter(ctx context.Context, src Source) ([]byte, error) {
	size := src.Size()
	if size == 0 {
		return nil, corrupt("the file is empty")
	}
	if size < int64(2*len(magic)+4) {
		return nil, corrupt("the file is %d bytes long, too short for a parquet file", size)
	}
	tail := make([]byte, min(size, tailBytes))
	if err := src.ReadRange(ctx, tail, size-int64(len(tail))); err != nil {
		return nil, fmt.Errorf("read footer: %w", err)
	}
	end := len(tail) - 8
	switch string(tail[end+4:]) {
	case magic:
	case magicEncrypted:
		return nil, ErrEncrypted
	default:
		return nil, corrupt("the file does not end with %s: truncated, or no parquet file", magic)
	}
	n := int64(binary.LittleEndian.Uint32(tail[end:]))
	if n > size-8-int64(len(magic)) {
		return nil, corrupt("footer of %d bytes in a file of %d", n, size)
	}
	if n > maxFooterBytes {
		return nil, fmt.Errorf("%w: footer of %d bytes, at most %d", ErrTooLarge, n, maxFooterBytes)
	}
	if n <= int64(end) {
		return tail[int64(end)-n : end : end], nil
	}
	b := make([]byte, n)
	if err := src.ReadRange(ctx, b, size-8-n); err != nil {
		return nil, fmt.Errorf("read footer: %w", err)
	}
	return b, nil
}

func (f *File) parseGroups() error {
	elems, err := f.footer.list(metaRowGroups, tStruct)
	if err != nil {
		return fmt.Errorf("row groups: %w", err)
	}
	if len(elems) > maxRowGroups {
		return fmt.Errorf("%w: %d row groups, at most %d", ErrTooLarge, len(elems), maxRowGroups)
	}
	f.groups = make([]group, len(elems))
	for i, e := range elems {
		g := &f.groups[i]
		g.raw, g.first = e, f.rows
		if err := f.parseGroup(g); err != nil {
			return fmt.Errorf("row group %d: %w", i, err)
		}
		if f.rows += g.rows; f.rows < 0 {
			return corrupt("row count overflows")
		}
	}
	if n, ok := f.footer.int(metaRows); !ok || n != f.rows {
		return corrupt("footer counts %d rows, its row groups %d", n, f.rows)
	}
	if f.rows > freeRows && f.rows/maxRatio > f.src.Size() {
		return fmt.Errorf("%w: %d rows in a file of %d bytes", ErrTooLarge, f.rows, f.src.Size())
	}
	return f.apart()
}

// apart says whether no two column chunks share bytes: a reader that believed them would read some values as others, and a small
// file as often as its footer likes.
func (f *File) apart() error {
	type span struct{ off, end int64 }
	var all []span
	sorted, last := true, int64(0)
	for i := range f.groups {
		for _, c := range f.groups[i].chunks {
			sorted, last = sorted && c.off >= last, max(last, c.off+c.size)
		}
	}
	if sorted {
		return nil
	}
	for i := range f.groups {
		for _, c := range f.groups[i].chunks {
			if c.size > 0 {
				all = append(all, span{c.off, c.off + c.size})
			}
		}
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.off, b.off) })
	for i := 1; i < len(all); i++ {
		if all[i].off < all[i-1].end {
			return corrupt("two column chunks share the bytes from %d to %d", all[i].off, min(all[i].end, all[i-1].end))
		}
	}
	return nil
}

func (f *File) parseGroup(g *group) error {
	t, _, err := readTree(g.raw)
	if err != nil {
		return err
	}
	rows, ok := t.int(groupRows)
	if !ok || rows < 0 {
		return corrupt("%d rows", rows)
	}
	g.rows = rows
	elems, err := t.list(groupColumns, tStruct)
	if err != nil {
		return err
	}
	if len(elems) != len(f.columns) {
		return corrupt("%d column chunks, the schema has %d columns", len(elems), len(f.columns))
	}
	g.chunks = make([]chunk, len(elems))
	for c, e := range elems {
		if g.chunks[c], err = parseChunk(e, f.pagesEnd); err != nil {
			return fmt.Errorf("column %q: %w", f.columns[c].Name, err)
		}
		if kind := g.chunks[c].kind; kind != f.columns[c].Type.Physical {
			return corrupt("column %q: the chunk holds %v, the schema says %v", f.columns[c].Name, kind, f.columns[c].Type.Physical)
		}
		if n := g.chunks[c].values; n != rows {
			return corrupt("column %q: %d values in %d rows", f.columns[c].Name, n, rows)
		}
	}
	return nil
}
