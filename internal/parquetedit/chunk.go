package parquetedit

import (
	"fmt"

	"github.com/parquet-go/parquet-go"
)

// The fields of ColumnChunk.
const (
	chunkFile         = 1
	chunkFileOffset   = 2
	chunkMeta         = 3
	chunkOffsetIndex  = 4 // and its length in 5
	chunkOffsetLength = 5
	chunkColumnIndex  = 6 // and its length in 7
	chunkColumnLength = 7
	chunkCrypto       = 8
	chunkEncrypted    = 9
)

// The fields of ColumnMetaData.
const (
	colType          = 1
	colEncodings     = 2
	colPath          = 3
	colCodec         = 4
	colValues        = 5
	colUncompressed  = 6
	colCompressed    = 7
	colDataOffset    = 9
	colIndexOffset   = 10
	colDictOffset    = 11
	colStatistics    = 12
	colEncodingStats = 13
	colBloomOffset   = 14
	colBloomLength   = 15
)

// The fields of Statistics.
const (
	statLegacyMax = 1
	statLegacyMin = 2
	statNulls     = 3
	statMax       = 5
	statMin       = 6
	statMaxExact  = 7
	statMinExact  = 8
)

// chunk is what is needed of every ColumnChunk; the rest is read from raw when asked for.
type chunk struct {
	raw          []byte // ColumnChunk
	kind         parquet.Kind
	codec        codec
	values       int64
	off, size    int64 // the pages, dictionary included
	uncompressed int64
}

// trees gives the ColumnChunk and its ColumnMetaData.
func (c *chunk) trees() (outer, meta tree, err error) {
	if outer, _, err = readTree(c.raw); err != nil {
		return nil, nil, err
	}
	meta, ok, err := outer.sub(chunkMeta)
	if err == nil && !ok {
		err = corrupt("column chunk without metadata")
	}
	return outer, meta, err
}

func parseChunk(raw []byte, pagesEnd int64) (chunk, error) {
	c := chunk{raw: raw}
	outer, _, err := readTree(raw)
	if err != nil {
		return c, err
	}
	for _, id := range []int16{chunkCrypto, chunkEncrypted} {
		if _, ok := outer.find(id); ok {
			return c, ErrEncrypted
		}
	}
	if p, ok := outer.bytes(chunkFile); ok && len(p) > 0 {
		return c, corrupt("the column chunk lies in another file")
	}
	_, meta, err := c.trees()
	if err != nil {
		return c, err
	}
	if path, err := meta.list(colPath, tBinary); err != nil || len(path) > 1 {
		return c, ErrNested
	}
	ok := true
	must := func(id int16) int64 {
		v, has := meta.int(id)
		ok = ok && has && v >= 0
		return v
	}
	c.kind = parquet.Kind(must(colType))
	c.codec = codec(must(colCodec))
	c.values = must(colValues)
	c.uncompressed = must(colUncompressed)
	c.size = must(colCompressed)
	c.off = must(colDataOffset)
	if !ok {
		return c, corrupt("incomplete column metadata")
	}
	// Some writers put 0 where they mean that there is no dictionary.
	if dict, has := meta.int(colDictOffset); has && dict >= int64(len(magic)) && dict < c.off {
		c.off = dict
	}
	if c.values == 0 {
		// pyarrow writes a row group for a table without rows, with offsets that point nowhere.
		c.off, c.size, c.uncompressed = 0, 0, 0
	}
	return c, c.check(pagesEnd)
}

// check holds what the chunk declares against the limits, and against where the footer begins.
func (c *chunk) check(pagesEnd int64) error {
	if c.size > pagesEnd || c.off > pagesEnd-c.size || (c.size > 0 && c.off < int64(len(magic))) {
		return corrupt("column chunk of %d bytes at %d in a file of %d before its footer", c.size, c.off, pagesEnd)
	}
	if c.uncompressed > maxChunkBytes || c.size > maxChunkBytes {
		return fmt.Errorf("%w: column chunk of %d bytes, at most %d", ErrTooLarge, max(c.uncompressed, c.size), maxChunkBytes)
	}
	if c.uncompressed > freeBytes && c.uncompressed/maxRatio > c.size {
		return fmt.Errorf("%w: column chunk of %d bytes says it is %d uncompressed", ErrTooLarge, c.size, c.uncompressed)
	}
	return nil
}
