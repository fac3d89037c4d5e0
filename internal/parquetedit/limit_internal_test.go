package parquetedit

import (
	"bytes"
	"errors"
	"testing"
)

// TestNoChunkIsWrittenThatWouldBeRefused: 70 MiB in 7,000 bytes were written, and too suspicious to be read.
func TestNoChunkIsWrittenThatWouldBeRefused(t *testing.T) {
	for name, c := range map[string]doneChunk{
		"too large":        {size: 300 << 20, uncompressed: 513 << 20},
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
