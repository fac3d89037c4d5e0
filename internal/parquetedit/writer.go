package parquetedit

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"

	"github.com/parquet-go/parquet-go"
)

const (
	defaultRowGroupRows  = 262_144
	defaultRowGroupBytes = 32 << 20
	segmentRows          = 8192 // rows between two looks at the size of the row group
	defaultCreatedBy     = "sluice version 0 (build none)"
)

// WriterOptions are the choices of a new file. The zero value is good.
type WriterOptions struct {
	Compression      string            // zstd (default), snappy, gzip, none
	Metadata         map[string]string // key/value pairs of the footer
	MaxRowGroupRows  int64             // default 262,144
	MaxRowGroupBytes int64             // bytes before encoding and compression, default 32 MiB
	CreatedBy        string            // "program version v (build b)"
	Parallel         int               // columns encoded at a time; default GOMAXPROCS
	Memory           *Memory           // to take from; default its own
}

// Writer writes a new file. It holds the encoded pages of the current row group, and nothing of the
// values it was given. It is not safe for concurrent use. After an error it is of no more use; without
// Close what was written is no Parquet file.
type Writer struct {
	out      counted
	options  WriterOptions
	columns  []Column
	codings  []coding
	memory   *Memory
	group    *groupWriter
	estimate int64 // bytes of the current row group before encoding
	rows     int64
	placed   []placed
	spare    []byte // of CopyRows
	err      error
}

// NewWriter begins a file with these columns in this order. Nothing is written to w before the first
// row group is full. An unknown codec is ErrCodec, a column that cannot be ErrScript.
func NewWriter(w io.Writer, columns []Column, o WriterOptions) (*Writer, error) {
	codec, err := parseCodec(o.Compression)
	if err != nil {
		return nil, err
	}
	if len(columns) == 0 || len(columns) > MaxColumns {
		return nil, fmt.Errorf("%w: %d columns", ErrScript, len(columns))
	}
	codings := make([]coding, len(columns))
	for i, c := range columns {
		if err := c.validate(); err != nil {
			return nil, err
		}
		codings[i] = newCoding(c.Type, codec)
	}
	o.MaxRowGroupRows, o.MaxRowGroupBytes, o.Parallel = limits(o.MaxRowGroupRows, o.MaxRowGroupBytes, o.Parallel)
	if o.Memory == nil {
		o.Memory = new(Memory)
	}
	if o.CreatedBy == "" {
		o.CreatedBy = defaultCreatedBy
	}
	x := &Writer{out: counted{w: w}, options: o, columns: slices.Clone(columns), codings: codings, memory: o.Memory}
	x.group = newGroupWriter(x.columns, codings, x.memory, o.Parallel)
	return x, nil
}

// Another begins another file of the same columns and options. Both share what compresses pages, which is
// a megabyte and more for each writer, and may be used at the same time.
func (w *Writer) Another(out io.Writer) *Writer {
	x := &Writer{out: counted{w: out}, options: w.options, columns: w.columns, codings: w.codings, memory: w.memory}
	x.group = newGroupWriter(x.columns, x.codings, x.memory, x.options.Parallel)
	return x
}

func limits(rows, bytes int64, parallel int) (int64, int64, int) {
	if rows <= 0 {
		rows = defaultRowGroupRows
	}
	if bytes <= 0 {
		bytes = defaultRowGroupBytes
	}
	if parallel <= 0 {
		parallel = runtime.GOMAXPROCS(0)
	}
	return rows, bytes, parallel
}

// Write appends rows: columns[c][i] is the value of column c in row i. All columns are the same length.
// A value that does not fit its column is ErrValue, and nothing of the call is written. The values are
// not kept.
func (w *Writer) Write(columns [][]parquet.Value) error {
	if w.err != nil {
		return w.err
	}
	if err := w.group.check(columns); err != nil {
		return err
	}
	for i, rows := 0, len(columns[0]); i < rows; {
		n := min(rows-i, segmentRows, int(w.options.MaxRowGroupRows-w.group.rows))
		n, size := w.group.fit(columns, i, n, w.options.MaxRowGroupBytes-w.estimate)
		if w.err = w.group.append(columns, i, i+n); w.err != nil {
			return w.err
		}
		w.estimate += size
		w.rows += int64(n)
		i += n
		if w.group.rows >= w.options.MaxRowGroupRows || w.estimate >= w.options.MaxRowGroupBytes {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Flush ends the row group; it does nothing when no row was written since the last one.
func (w *Writer) Flush() error {
	if w.err == nil && w.group.rows > 0 {
		w.err = w.flush()
	}
	return w.err
}

func (w *Writer) flush() error {
	if err := w.begin(); err != nil {
		return err
	}
	chunks, err := w.group.finish()
	if err != nil {
		return err
	}
	w.estimate = 0
	p, err := placeGroup(&w.out, tree{i16Field(groupOrdinal, 0)}, chunks)
	if err != nil {
		return fmt.Errorf("row group %d: %w", len(w.placed), err)
	}
	w.placed = append(w.placed, p)
	return nil
}

func (w *Writer) begin() error {
	if w.out.n > 0 {
		return nil
	}
	_, err := io.WriteString(&w.out, magic)
	return err
}

// Close ends the file. It does not close the writer below. A file without rows is a legal file.
func (w *Writer) Close() error {
	if err := w.Flush(); err != nil {
		return err
	}
	w.err = w.close()
	if w.err != nil {
		return w.err
	}
	w.err = fmt.Errorf("%w: the writer is closed", ErrScript)
	return nil
}

func (w *Writer) close() error {
	if err := w.begin(); err != nil {
		return err
	}
	groups, err := placeIndexes(&w.out, w.placed)
	if err != nil {
		return fmt.Errorf("page index: %w", err)
	}
	footer := tree{
		i32Field(metaVersion, 2),
		listField(metaSchema, tStruct, schemaElements(w.columns)),
		i64Field(metaRows, w.rows),
		groups,
		binaryField(metaCreatedBy, w.options.CreatedBy),
		columnOrders(len(w.columns)),
	}
	if len(w.options.Metadata) > 0 {
		footer = footer.with(withMetadata(nil, w.options.Metadata))
	}
	return placeFooter(&w.out, footer)
}

// columnOrders says of every column that its bounds follow the order of its type.
func columnOrders(n int) field {
	elems := make([][]byte, n)
	for i := range elems {
		elems[i] = tree{structField(1, nil)}.encode(nil)
	}
	return listField(metaColumnOrders, tStruct, elems)
}

// withMetadata gives the key/value pairs with those of m replaced, or added in the order of their keys.
func withMetadata(pairs [][]byte, m map[string]string) field {
	pairs = slices.DeleteFunc(slices.Clone(pairs), func(p []byte) bool {
		_, ok := m[pairKey(p)]
		return ok
	})
	for _, k := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, tree{binaryField(1, k), binaryField(2, m[k])}.encode(nil))
	}
	return listField(metaKeyValue, tStruct, pairs)
}

func pairKey(p []byte) string {
	t, _, err := readTree(p)
	if err != nil {
		return ""
	}
	k, _ := t.bytes(1)
	return string(k)
}

// Rows is the number of rows written.
func (w *Writer) Rows() int64 { return w.rows }

// Bytes is the number of bytes written so far, and an estimate of what the current row group will take.
func (w *Writer) Bytes() int64 { return w.out.n + w.group.size() }
