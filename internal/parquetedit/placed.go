package parquetedit

import (
	"fmt"
	"io"
	"math"
	"slices"
)

// placed is a row group that was written: its tree for the footer, and the indexes still to be written.
type placed struct {
	group   tree // RowGroup; its columns are put in at the end
	columns []placedChunk
	rows    int64
}

// placedChunk is a column chunk that was written.
type placedChunk struct {
	outer  tree   // ColumnChunk without pointers to its indexes
	column []byte // encoded ColumnIndex; nil when there is none
	offset []byte // encoded OffsetIndex; nil when there is none
	shift  int64  // of a copied chunk: new minus old position
}

// counted counts what is written.
type counted struct {
	w         io.Writer
	n         int64
	copyRange func(off, n int64) error // of the old file, when there is one; it counts by itself
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// placeChunk writes a chunk.
func placeChunk(w *counted, c *doneChunk) (placedChunk, error) {
	off := w.n
	// What would be refused when the file is opened again must not be written.
	limits := chunk{off: off, size: c.size, uncompressed: c.uncompressed}
	if err := limits.check(math.MaxInt64); err != nil {
		return placedChunk{}, fmt.Errorf("column %q: %w", c.column.Name, err)
	}
	if err := c.writeTo(w); err != nil {
		return placedChunk{}, fmt.Errorf("column %q: %w", c.column.Name, err)
	}
	p := placedChunk{outer: c.columnChunk(off), offset: c.offsetIndex(off).encode(nil)}
	if t := c.columnIndex(); t != nil {
		p.column = t.encode(nil)
	}
	return p, nil
}

// placeGroup writes the chunks of a row group. What the group's tree already says and a rewrite does
// not change stays.
func placeGroup(w *counted, group tree, chunks []*doneChunk) (placed, error) {
	p := placed{columns: make([]placedChunk, len(chunks))}
	off, size, uncompressed := w.n, int64(0), int64(0)
	for i, c := range chunks {
		if c.rows != chunks[0].rows {
			return p, fmt.Errorf("%w: column %q has %d, the first %d", ErrRows, c.column.Name, c.rows, chunks[0].rows)
		}
		var err error
		if p.columns[i], err = placeChunk(w, c); err != nil {
			return p, err
		}
		p.rows, size, uncompressed = c.rows, size+c.size, uncompressed+c.uncompressed
	}
	p.group = group.with(
		i64Field(groupBytes, uncompressed), i64Field(groupRows, p.rows),
		i64Field(groupOffset, off), i64Field(groupCompressed, size),
	)
	return p, nil
}

// placeIndexes writes the page indexes of all row groups and gives the footer's list of them.
func placeIndexes(w *counted, groups []placed) (field, error) {
	if len(groups) > maxRowGroups {
		return field{}, fmt.Errorf("%w: %d row groups, at most %d", ErrTooLarge, len(groups), maxRowGroups)
	}
	for _, g := range groups {
		for i := range g.columns {
			c := &g.columns[i]
			if c.offset == nil {
				continue // of no use without the places of the pages
			}
			if err := c.place(w, c.column, chunkColumnIndex); err != nil {
				return field{}, err
			}
		}
	}
	// Readers take ordinals either in every row group or in none.
	ordinals := !slices.ContainsFunc(groups, func(g placed) bool { _, ok := g.group.find(groupOrdinal); return !ok })
	elems := make([][]byte, len(groups))
	for n, g := range groups {
		columns := make([][]byte, len(g.columns))
		for i := range g.columns {
			c := &g.columns[i]
			if err := c.place(w, c.offset, chunkOffsetIndex); err != nil {
				return field{}, err
			}
			columns[i] = c.outer.encode(nil)
		}
		t := g.group.with(listField(groupColumns, tStruct, columns)).without(groupOrdinal)
		if ordinals {
			t = t.with(i16Field(groupOrdinal, int64(n)))
		}
		elems[n] = t.encode(nil)
	}
	return listField(metaRowGroups, tStruct, elems), nil
}

// place writes one index; the pointer is the field id of the offset, the length has the next.
func (c *placedChunk) place(w *counted, b []byte, pointer int16) error {
	if b == nil {
		return nil
	}
	c.outer = c.outer.with(i64Field(pointer, w.n), i32Field(pointer+1, int64(len(b))))
	_, err := w.Write(b)
	return err
}

// placeFooter writes the FileMetaData and what follows it.
func placeFooter(w *counted, footer tree) error {
	b := footer.encode(nil)
	n := len(b)
	if n > maxFooterBytes {
		return fmt.Errorf("%w: footer of %d bytes, at most %d", ErrTooLarge, n, maxFooterBytes)
	}
	b = append(b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	_, err := w.Write(append(b, magic...))
	return err
}
