package parquetedit

import (
	"bytes"
	"errors"
	"testing"
)

// TestNoChunkIsWrittenThatWouldBeRefused: 70 MiB in 7,000 bytes were written, and too suspicious to be read.
func TestNoChunkIsWrittenThatWouldBeRefused(t *testing.T) {
	for name, c := range map[string]doneChunk{
		"too large":        {size: 300 << 20, uncompressed: maxChunkBytes + 1},
		"too much of less": {size: 7000, uncompressed: 70 << 20},
	} {
		var out bytes.Buffer
		if _, err := placeChunk(&counted{w: &out, n: 4}, &c); !errors.Is(err, ErrTooLarge) || out.Len() > 0 {
			t.Errorf("%s: got %v, want ErrTooLarge", name, err)
		}
	}
}

// TestNoRowGroupIsWrittenThatWouldBeRefused: the 10,001st row group was written, and the file could not be opened again.
func TestNoRowGroupIsWrittenThatWouldBeRefused(t *testing.T) {
	for _, n := range []int{maxRowGroups, maxRowGroups + 1} {
		var out bytes.Buffer
		if _, err := placeIndexes(&counted{w: &out}, make([]placed, n)); errors.Is(err, ErrTooLarge) != (n > maxRowGroups) {
			t.Errorf("%d row groups: %v", n, err)
		}
	}
}

// TestChunksMayBeLargePagesMayNot: a file of Spark's with row groups of 1 GiB was refused for a column of comments of 900 MB, though no more
// than some pages of it are held.
func TestChunksMayBeLargePagesMayNot(t *testing.T) {
	c := chunk{off: 4, size: 300 << 20, uncompressed: 900 << 20}
	if err := c.check(1 << 30); err != nil {
		t.Errorf("a chunk of 900 MiB: %v", err)
	}
	for _, bytes := range []int64{maxPageBytes, maxPageBytes + 1} {
		header := dataPageHeader(1, encPlain).with(i32Field(pageUncompressed, bytes), i32Field(pageCompressed, 0)).encode(nil)
		if _, _, err := readPage(header); errors.Is(err, ErrCorrupt) != (bytes > maxPageBytes) {
			t.Errorf("a page of %d bytes: %v", bytes, err)
		}
	}
}
