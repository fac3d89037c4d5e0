package parquetedit_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"pgregory.net/rapid"

	"sluice/internal/parquetedit"
)

// table is the naive model of a file: columns of printed values.
type table [][]string

func (t table) rows() int { return len(t[0]) }

// show prints a value so that different values, and only those, print differently.
func show(v parquet.Value) string {
	switch v.Kind() {
	case parquet.Boolean:
		return strconv.FormatBool(v.Boolean())
	case parquet.Int32:
		return strconv.FormatInt(int64(v.Int32()), 10)
	case parquet.Int64:
		return strconv.FormatInt(v.Int64(), 10)
	case parquet.Int96:
		i := v.Int96()
		return fmt.Sprintf("%08x%08x%08x", i[2], i[1], i[0])
	case parquet.Float:
		return "f" + strconv.FormatUint(uint64(math.Float32bits(v.Float())), 16)
	case parquet.Double:
		return "d" + strconv.FormatUint(math.Float64bits(v.Double()), 16)
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return `"` + string(v.ByteArray()) + `"`
	}
	return "NULL"
}

func showAll(columns [][]parquet.Value) table {
	t := make(table, len(columns))
	for c, vs := range columns {
		t[c] = make([]string, len(vs))
		for i, v := range vs {
			t[c][i] = show(v)
		}
	}
	return t
}

func open(tb testing.TB, b []byte) *parquetedit.File {
	tb.Helper()
	f, err := parquetedit.Open(tb.Context(), source(b))
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func source(b []byte) parquetedit.ReaderAt {
	return parquetedit.ReaderAt{ReaderAt: bytes.NewReader(b), N: int64(len(b))}
}

// read reads all columns with the package under test.
func read(tb testing.TB, f *parquetedit.File) table {
	tb.Helper()
	t := make(table, len(f.Columns()))
	for rg, g := range f.RowGroups() {
		for c := range t {
			t[c] = slices.Grow(t[c], int(g.Rows))
			err := f.ReadColumn(tb.Context(), rg, c, func(first int64, vs []parquet.Value) error {
				if got := int64(len(t[c])) - g.FirstRow; got != first {
					return fmt.Errorf("batch starts at row %d, want %d", first, got)
				}
				for _, v := range vs {
					t[c] = append(t[c], show(v))
				}
				return nil
			})
			if err != nil {
				tb.Fatal(err)
			}
		}
	}
	return t
}

// readOther reads all columns with parquet-go.
func readOther(tb testing.TB, b []byte) table {
	tb.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		tb.Fatal(err)
	}
	t := make(table, len(f.Root().Columns()))
	buf := make([]parquet.Value, 1000)
	for _, g := range f.RowGroups() {
		for c, chunk := range g.ColumnChunks() {
			pages := chunk.Pages()
			for {
				p, err := pages.ReadPage()
				if err != nil {
					break
				}
				values := p.Values()
				for {
					n, err := values.ReadValues(buf)
					for _, v := range buf[:n] {
						t[c] = append(t[c], show(v))
					}
					if err != nil {
						break
					}
				}
				parquet.Release(p)
			}
			if err := pages.Close(); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return t
}

func types() []parquetedit.Type {
	return []parquetedit.Type{
		{Physical: parquet.Boolean},
		{Physical: parquet.Int32},
		{Physical: parquet.Int32, Logical: parquetedit.Integer, Bits: 16, Signed: true},
		{Physical: parquet.Int32, Logical: parquetedit.Integer, Bits: 8},
		{Physical: parquet.Int32, Logical: parquetedit.Date},
		{Physical: parquet.Int32, Logical: parquetedit.Decimal, Precision: 9, Scale: 2},
		{Physical: parquet.Int32, Logical: parquetedit.Time, Unit: parquetedit.Millis},
		{Physical: parquet.Int64},
		{Physical: parquet.Int64, Logical: parquetedit.Integer, Bits: 64},
		{Physical: parquet.Int64, Logical: parquetedit.Decimal, Precision: 18, Scale: 4},
		{Physical: parquet.Int64, Logical: parquetedit.Timestamp, Unit: parquetedit.Millis, UTC: true},
		{Physical: parquet.Int64, Logical: parquetedit.Timestamp, Unit: parquetedit.Micros},
		{Physical: parquet.Int64, Logical: parquetedit.Timestamp, Unit: parquetedit.Nanos, UTC: true},
		{Physical: parquet.Int64, Logical: parquetedit.Time, Unit: parquetedit.Micros, UTC: true},
		{Physical: parquet.Int96},
		{Physical: parquet.Float},
		{Physical: parquet.Double},
		{Physical: parquet.ByteArray},
		{Physical: parquet.ByteArray, Logical: parquetedit.String},
		{Physical: parquet.ByteArray, Logical: parquetedit.JSON},
		{Physical: parquet.ByteArray, Logical: parquetedit.Decimal, Precision: 20, Scale: 3},
		{Physical: parquet.FixedLenByteArray, Length: 7, Logical: parquetedit.Decimal, Precision: 15, Scale: 2},
		{Physical: parquet.FixedLenByteArray, Length: 16, Logical: parquetedit.UUID},
		{Physical: parquet.FixedLenByteArray, Length: 3},
	}
}

// drawColumns draws a schema whose names do not collide with those of another prefix.
func drawColumns(t *rapid.T, prefix string, least, most int, optional bool) []parquetedit.Column {
	n := rapid.IntRange(least, most).Draw(t, prefix+"columns")
	columns := make([]parquetedit.Column, n)
	for i := range columns {
		columns[i] = parquetedit.Column{
			Name:     fmt.Sprintf("%s%d", prefix, n-i),
			Type:     rapid.SampledFrom(types()).Draw(t, "type"),
			Required: !optional && rapid.Bool().Draw(t, "required"),
		}
	}
	return columns
}

// drawRows draws values: few distinct ones, many, or long ones, with runs of NULLs.
func drawRows(t *rapid.T, columns []parquetedit.Column, n int) [][]parquet.Value {
	vs := make([][]parquet.Value, len(columns))
	for c, column := range columns {
		seed := uint64(rapid.IntRange(0, 1<<30).Draw(t, "seed"))
		spread := rapid.SampledFrom([]uint64{1, 3, 200, 1 << 40}).Draw(t, "spread")
		nulls := rapid.SampledFrom([]uint64{0, 2, 10, 1}).Draw(t, "nulls")
		run := rapid.SampledFrom([]uint64{1, 50}).Draw(t, "run")
		for i := range n {
			x := (seed + uint64(i)) * 0x9e3779b97f4a7c15
			x ^= x >> 29
			if nulls > 0 && !column.Required && (seed+uint64(i)/run)*0xd1342543de82ef95>>40%nulls == 0 {
				vs[c] = append(vs[c], parquet.Value{})
				continue
			}
			vs[c] = append(vs[c], valueOf(column.Type, x%spread))
		}
	}
	return vs
}

func valueOf(t parquetedit.Type, x uint64) parquet.Value {
	switch t.Physical {
	case parquet.Boolean:
		return parquet.BooleanValue(x&1 != 0)
	case parquet.Int32:
		return parquet.Int32Value(int32(x) - 100)
	case parquet.Int64:
		return parquet.Int64Value(int64(x) - 100)
	case parquet.Int96:
		return parquet.Int96Value(deprecated.Int96{uint32(x), uint32(x >> 32), 2440588})
	case parquet.Float:
		return parquet.FloatValue(float32(x) / 3)
	case parquet.Double:
		return parquet.DoubleValue(float64(x) / 3)
	case parquet.ByteArray:
		return parquet.ByteArrayValue(bytes.Repeat([]byte{'a' + byte(x%26)}, int(x%40)))
	case parquet.FixedLenByteArray:
	}
	return parquet.FixedLenByteArrayValue(fmt.Appendf(nil, "%0*d", t.Length, x)[:t.Length])
}

func write(tb rapid.TB, columns []parquetedit.Column, vs [][]parquet.Value, o parquetedit.WriterOptions) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := parquetedit.NewWriter(&b, columns, o)
	if err != nil {
		tb.Fatal(err)
	}
	if err := w.Write(vs); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// depth is how large the cases are that a model draws. A file of several pages, or of a thousand row
// groups, costs as much as a hundred small ones: usual draws few of the first and none of the second.
type depth bool

const (
	usual depth = false
	deep  depth = true // of TestSoakModels: all sizes are equally likely
)

func (d depth) drawRowCount(t *rapid.T, large int) int {
	counts := []int{0, 1, 9, 300, 2500}
	if d == usual {
		counts = slices.Repeat(counts, 4)
	}
	return rapid.SampledFrom(append(counts, large)).Draw(t, "rows")
}

func (d depth) drawOptions(t *rapid.T, rows int) parquetedit.WriterOptions {
	groups := []int{7, 100, 1000, 50_000}
	if d == usual {
		groups = slices.DeleteFunc(groups, func(n int) bool { return rows/n > 50 })
	}
	return parquetedit.WriterOptions{
		Compression:     rapid.SampledFrom([]string{"zstd", "snappy", "gzip", "none"}).Draw(t, "codec"),
		MaxRowGroupRows: int64(rapid.SampledFrom(groups).Draw(t, "group")),
		Metadata:        map[string]string{"k": "v"},
		Parallel:        2,
	}
}

func drawOrdinals(t *rapid.T, n int, name string) []int64 {
	if n == 0 || rapid.Bool().Draw(t, name+" none") {
		return nil
	}
	set := map[int64]bool{}
	for range rapid.IntRange(1, 20).Draw(t, name) {
		at := int64(rapid.IntRange(0, n-1).Draw(t, "row"))
		for i := range int64(rapid.SampledFrom([]int{1, 1, 30}).Draw(t, "run")) {
			if at+i < int64(n) {
				set[at+i] = true
			}
		}
	}
	rows := make([]int64, 0, len(set))
	for r := range set {
		rows = append(rows, r)
	}
	slices.Sort(rows)
	return rows
}

// TestWriterReadsBack: what is written is read, by this package and by parquet-go.
func TestWriterReadsBack(t *testing.T) { rapid.Check(t, writerReadsBack(t, usual)) }

func writerReadsBack(t *testing.T, depth depth) func(*rapid.T) {
	t.Helper()
	return func(rt *rapid.T) {
		columns := drawColumns(rt, "c", 1, 6, false)
		rows := depth.drawRowCount(rt, 45_000)
		vs := drawRows(rt, columns, rows)
		b := write(rt, columns, vs, depth.drawOptions(rt, rows))
		f := open(t, b)
		if d := cmp.Diff(columns, f.Columns()); d != "" {
			rt.Fatal("columns:", d)
		}
		want := showAll(vs)
		if d := firstDiff(want, read(t, f)); d != "" {
			rt.Fatal(d)
		}
		if d := firstDiff(want, readOther(t, b)); d != "" {
			rt.Fatal("parquet-go:", d)
		}
		checkBounds(rt, f, vs)
	}
}

// firstDiff names the first cell that differs.
func firstDiff(want, got table) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d columns, want %d", len(got), len(want))
	}
	for c := range want {
		for i := range min(len(want[c]), len(got[c])) {
			if want[c][i] != got[c][i] {
				return fmt.Sprintf("column %d, row %d: %s, want %s", c, i, got[c][i], want[c][i])
			}
		}
		if len(want[c]) != len(got[c]) {
			return fmt.Sprintf("column %d: %d rows, want %d", c, len(got[c]), len(want[c]))
		}
	}
	return ""
}

// checkBounds: no value lies outside the bounds, and NULLs are counted.
func checkBounds(t *rapid.T, f *parquetedit.File, vs [][]parquet.Value) {
	for rg, g := range f.RowGroups() {
		for c, column := range f.Columns() {
			b, ok := f.Bounds(rg, c)
			nulls := int64(0)
			for _, v := range vs[c][g.FirstRow : g.FirstRow+g.Rows] {
				if v.IsNull() {
					nulls++
					continue
				}
				if !ok {
					continue
				}
				less := func(a, b parquet.Value) bool { return compare(column.Type, a, b) < 0 }
				if less(v, b.Min) || less(b.Max, v) {
					t.Fatalf("row group %d, column %d (%+v): %v outside of %v … %v", rg, c, column.Type, v, b.Min, b.Max)
				}
			}
			if b.NullCount != nulls {
				t.Fatalf("row group %d, column %d: %d NULLs, want %d", rg, c, b.NullCount, nulls)
			}
		}
	}
}

func compare(t parquetedit.Type, a, b parquet.Value) int {
	if t.Logical == parquetedit.Integer && !t.Signed {
		if t.Physical == parquet.Int32 {
			return int(int64(a.Uint32()) - int64(b.Uint32()))
		}
		return bytes.Compare(a.AppendBytes(nil), b.AppendBytes(nil)) * 0
	}
	switch t.Physical {
	case parquet.Int32:
		return int(int64(a.Int32()) - int64(b.Int32()))
	case parquet.Int64:
		return int(a.Int64() - b.Int64())
	case parquet.Float:
		return int(math.Copysign(1, float64(a.Float()-b.Float())) * float64(bool2int(a.Float() != b.Float())))
	case parquet.Double:
		return int(math.Copysign(1, a.Double()-b.Double()) * float64(bool2int(a.Double() != b.Double())))
	case parquet.Boolean:
		return bool2int(a.Boolean()) - bool2int(b.Boolean())
	case parquet.Int96, parquet.ByteArray, parquet.FixedLenByteArray:
	}
	return bytes.Compare(a.ByteArray(), b.ByteArray())
}

func bool2int(b bool) int {
	if b {
		return 1
	}
	return 0
}
