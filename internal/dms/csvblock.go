package dms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/parquet-go/parquet-go"
)

const (
	blockBytes = 1 << 20   // of text, decompressed: a row group of a CSV file ends behind it
	blockCells = 256 << 10 // fields of a block, at most
	maxRow     = 32 << 20  // bytes of one row, at most: what Athena takes
)

// block is some rows of a CSV file.
type block struct {
	text   []byte
	fields []span // row by row
	rows   int
	split  sync.Once
	err    error
}

// blocks reads a body block by block.
type blocks struct {
	body  *body
	split splitter
	rest  []byte // read, and behind the last block
	done  bool
	rows  int64 // of the blocks so far
	width int   // fields of a row; 0 = as the first has

	fields int // of the next block, about
}

// next returns the next rows; io.EOF behind the last.
func (b *blocks) next(ctx context.Context) (*block, error) {
	b.body.ctx = ctx
	for size := blockBytes; ; size *= 2 {
		if size > 2*maxRow {
			return nil, &InputError{Row: b.rows, Reason: fmt.Sprintf("it is longer than %d MiB: a delimiter or a closing quote is missing", maxRow>>20)}
		}
		if err := b.fill(size); err != nil {
			return nil, err
		}
		made, end, err := b.take()
		if err != nil {
			return nil, err
		}
		if made.rows == 0 && !b.done {
			continue
		}
		if made.rows == 0 && len(b.rest) > 0 {
			return nil, &InputError{Row: b.rows, Reason: "the file ends before the row does: it is cut off, a quote is not closed, or the last row lacks its row delimiter"}
		}
		if made.rows == 0 {
			return nil, io.EOF
		}
		made.text = b.rest[:end:end]
		b.rest, b.rows = bytes.Clone(b.rest[end:]), b.rows+int64(made.rows)
		return made, nil
	}
}

// fill reads on until so much text is there.
func (b *blocks) fill(size int) error {
	have := len(b.rest)
	if have >= size || b.done {
		return nil
	}
	text := make([]byte, size)
	copy(text, b.rest)
	n, err := b.body.read(text[have:])
	b.rest = text[:have+n]
	if errors.Is(err, io.EOF) {
		b.done = true
		return nil
	}
	return err
}

// take parts what was read into whole rows and returns where they end.
func (b *blocks) take() (*block, int, error) {
	made := &block{fields: make([]span, 0, b.fields)}
	end := 0
	for end < len(b.rest) && len(made.fields) < blockCells {
		fields, next, err := b.split.record(b.rest, end, made.fields)
		row := b.rows + int64(made.rows)
		if err != nil {
			return nil, 0, &InputError{Row: row, Reason: err.Error()}
		}
		if next < 0 {
			break
		}
		n := len(fields) - len(made.fields)
		if b.width == 0 {
			b.width = n
		}
		if n != b.width {
			return nil, 0, &InputError{Row: row, Reason: fmt.Sprintf("it has %d fields, the first row has %d", n, b.width)}
		}
		made.fields, made.rows, end = fields, made.rows+1, next
	}
	b.fields = len(made.fields) + len(made.fields)/8
	return made, end, nil
}

// column is how the fields of a column become values.
type column struct {
	null, noSup string
	textual     bool // an empty field is a value
	plain       bool // any text but the null value is a value as it is
	parse       parser
}

// value reads a field; false when it is none of the type's values.
func (c *column) value(f span, text []byte) (parquet.Value, bool) {
	b := f.bytes(text)
	switch {
	case !f.quoted():
		if len(b) == 0 && !c.textual || string(b) == c.null {
			return parquet.Value{}, true
		}
		if c.noSup != "" && string(b) == c.noSup {
			return Untold(), true
		}
	case f.doubled():
		b = f.unquoted(text)
	}
	if c.plain {
		return parquet.ByteArrayValue(b), true
	}
	return c.parse(b)
}

// countNulls is how many fields of a plain column are NULL. There is nothing else to check.
func (c *column) countNulls(b *block, at, width int) int64 {
	nulls := int64(0)
	for ; at < len(b.fields); at += width {
		if f := b.fields[at]; !f.quoted() && string(f.bytes(b.text)) == c.null {
			nulls++
		}
	}
	return nulls
}
