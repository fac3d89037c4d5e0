package dms

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// keptBlocks is how many blocks of a CSV file are held: those whose columns are being read, and what lies between.
const keptBlocks = 6

// CSVFile is a CSV object that is read by columns: its row groups are blocks of about 1 MiB of text. It is a [Columnar], safe for concurrent
// use, and best read from front to back: to go back in a compressed object is to decompress it anew.
type CSVFile struct {
	src   parquetedit.Source
	index CSVIndex
	read  []column
	nulls [][]int64 // by block and column; nil = not known

	untold *InputError // the first field that the source left out

	mu   sync.Mutex
	body *body
	held []heldBlock // as they came
}

type heldBlock struct {
	number int
	*block
}

// OpenCSV returns the object that an index was made of. Nothing is read.
func OpenCSV(src parquetedit.Source, x CSVIndex) *CSVFile {
	return &CSVFile{src: src, index: x, read: x.readers()}
}

// Reopen returns the same file from another source; what was learnt when it was scanned stays.
func (f *CSVFile) Reopen(src parquetedit.Source) *CSVFile {
	again := OpenCSV(src, f.index)
	again.nulls, again.untold = f.nulls, f.untold
	return again
}

// Untold is an error that names the first field which holds CsvNoSupValue, nil where none does or the file was not scanned.
func (f *CSVFile) Untold() error {
	if f.untold == nil {
		return nil
	}
	return f.untold
}

// Index is what OpenCSV needs to open the object again.
func (f *CSVFile) Index() CSVIndex { return f.index }

// Columns are the columns of the file, the op and before images among them.
func (f *CSVFile) Columns() []parquetedit.Column { return f.index.Columns }

// NumRows is how many rows the file has, without its header.
func (f *CSVFile) NumRows() int64 {
	n := int64(0)
	for _, rows := range f.index.Rows {
		n += rows
	}
	return n
}

// RowGroups are the blocks.
func (f *CSVFile) RowGroups() []parquetedit.RowGroup {
	groups := make([]parquetedit.RowGroup, len(f.index.Rows))
	first := int64(0)
	for i, rows := range f.index.Rows {
		bytes := f.index.Offsets[i+1] - f.index.Offsets[i]
		groups[i] = parquetedit.RowGroup{Rows: rows, FirstRow: first, CompressedBytes: bytes, UncompressedBytes: bytes}
		first += rows
	}
	return groups
}

// Bounds knows how many NULLs a column of a block has, if the file was scanned.
func (f *CSVFile) Bounds(group, column int) (parquetedit.Bounds, bool) {
	if f.nulls == nil {
		return parquetedit.Bounds{}, false
	}
	return parquetedit.Bounds{NullCount: f.nulls[group][column]}, true
}

// ChunkBytes is a column's share of a block.
func (f *CSVFile) ChunkBytes(group, _ int) (compressed, uncompressed int64) {
	share := (f.index.Offsets[group+1] - f.index.Offsets[group]) / int64(max(len(f.read), 1))
	return share, share
}

// ReadColumn hands over the values of a column of a block, all at once. They stay valid.
func (f *CSVFile) ReadColumn(ctx context.Context, group, column int, yield func(int64, []parquet.Value) error) error {
	b, err := f.block(ctx, group)
	if err != nil {
		return err
	}
	values := make([]parquet.Value, b.rows)
	width, c := len(f.read), &f.read[column]
	for row := range values {
		v, ok := c.value(b.fields[row*width+column], b.text)
		if !ok {
			return &InputError{Column: f.index.Columns[column].Name, Row: f.RowGroups()[group].FirstRow + int64(row), Reason: "it is no longer what it was when the file was scanned"}
		}
		values[row] = v
	}
	return yield(0, values)
}

// OwnValues says that the values which ReadColumn hands over belong to whoever gets them.
func (f *CSVFile) OwnValues() bool { return true }

// block returns a block, parted into fields. Of the object, what comes before it is passed over, or read again where the
// object was read further.
func (f *CSVFile) block(ctx context.Context, n int) (*block, error) {
	b, err := f.fetch(ctx, n)
	if err != nil {
		return nil, err
	}
	b.split.Do(func() {
		parted := blocks{rest: b.text, split: f.index.splitter(), width: len(f.read), done: true, fields: int(f.index.Rows[n]) * len(f.read)}
		made, end, err := parted.take()
		switch {
		case err != nil:
			b.err = err
		case int64(made.rows) != f.index.Rows[n] || end != len(b.text):
			b.err = &InputError{Row: -1, Reason: fmt.Sprintf("block %d has %d rows, and had %d when the file was scanned", n, made.rows, f.index.Rows[n])}
		default:
			b.fields, b.rows = made.fields, made.rows
		}
	})
	return b, b.err
}

func (f *CSVFile) fetch(ctx context.Context, n int) (*block, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.IndexFunc(f.held, func(h heldBlock) bool { return h.number == n }); i >= 0 {
		return f.held[i].block, nil
	}
	from := n
	if f.body != nil {
		if at, ok := slices.BinarySearch(f.index.Offsets, f.body.at); ok && at < n && n-at < keptBlocks/2 {
			from = at // whoever reads the blocks between is only a little late
		}
	}
	var made *block
	for i := from; i <= n; i++ {
		var err error
		if made, err = f.fetchOne(ctx, i); err != nil {
			f.body = nil
			return nil, err
		}
	}
	return made, nil
}

// fetchOne reads a block and holds it.
func (f *CSVFile) fetchOne(ctx context.Context, n int) (*block, error) {
	if err := f.seek(ctx, n); err != nil {
		return nil, err
	}
	made := &block{text: make([]byte, f.index.Offsets[n+1]-f.index.Offsets[n])}
	if read, err := f.body.read(made.text); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	} else if read < len(made.text) {
		return nil, &InputError{Row: -1, Reason: "the file ends before its rows do"}
	}
	if len(f.held) == keptBlocks {
		f.held = slices.Delete(f.held, 0, 1)
	}
	f.held = append(f.held, heldBlock{n, made})
	return made, nil
}

// seek brings the body to the beginning of a block.
func (f *CSVFile) seek(ctx context.Context, n int) error {
	if f.body == nil {
		var err error
		if f.body, err = newBody(ctx, f.src); err != nil {
			return err
		}
	}
	return f.body.seek(ctx, f.index.Offsets[n])
}
