package parquetedit

import (
	"fmt"
)

// File is an opened Parquet file. It holds the footer; everything else is read from the Source when
// asked for. It is safe for concurrent use.
type File struct {
	src     Source
	footer  tree // FileMetaData
	columns []Column
	groups  []group
	rows    int64
	memory  *Memory

	pagesEnd int64 // where the footer begins
}

// RowGroup is what the footer says about a row group. The bytes are those of all its column chunks.
type RowGroup struct {
	Rows, FirstRow                     int64
	CompressedBytes, UncompressedBytes int64
	Compression                        string // codec of the first column: none, snappy, gzip, brotli, zstd
}

type group struct {
	raw    []byte // RowGroup
	rows   int64
	first  int64 // ordinal of its first row
	chunks []chunk
}

// Columns gives the columns in file order. The caller must not change the slice.
func (f *File) Columns() []Column { return f.columns }

// NumRows is the number of rows.
func (f *File) NumRows() int64 { return f.rows }

// RowGroups describes the row groups in file order.
func (f *File) RowGroups() []RowGroup {
	gs := make([]RowGroup, len(f.groups))
	for i, g := range f.groups {
		gs[i] = RowGroup{Rows: g.rows, FirstRow: g.first}
		for c, ch := range g.chunks {
			if c == 0 {
				gs[i].Compression = ch.codec.String()
			}
			gs[i].CompressedBytes += ch.size
			gs[i].UncompressedBytes += ch.uncompressed
		}
	}
	return gs
}

// ChunkBytes is the size of one column chunk.
func (f *File) ChunkBytes(rg, col int) (compressed, uncompressed int64) {
	c := &f.groups[rg].chunks[col]
	return c.size, c.uncompressed
}

// Metadata gives a key/value pair of the footer; the last one when a key is there twice.
func (f *File) Metadata(key string) (string, bool) {
	pairs, err := f.footer.list(metaKeyValue, tStruct)
	if err != nil {
		return "", false
	}
	value, found := "", false
	for _, p := range pairs {
		t, _, err := readTree(p)
		if err != nil {
			return "", false
		}
		if k, _ := t.bytes(1); string(k) == key {
			v, _ := t.bytes(2)
			value, found = string(v), true
		}
	}
	return value, found
}

// CreatedBy names the program that wrote the file.
func (f *File) CreatedBy() string {
	b, _ := f.footer.bytes(metaCreatedBy)
	return string(b)
}

// where names a chunk in an error.
func (f *File) where(rg, col int, err error) error {
	return fmt.Errorf("row group %d, column %q: %w", rg, f.columns[col].Name, err)
}
