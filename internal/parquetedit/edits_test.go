package parquetedit_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"

	"sluice/internal/parquetedit"
)

// choices gives a number from 0 up to, but not including, n. A random generator is one, and so are the bytes of a fuzzer.
type choices interface{ IntN(n int) int }

// valuesOf reads all columns with the package under test.
func valuesOf(tb testing.TB, f *parquetedit.File) [][]parquet.Value {
	tb.Helper()
	vs, err := tryValues(tb, f)
	if err != nil {
		tb.Fatal(err)
	}
	return vs
}

func tryValues(tb testing.TB, f *parquetedit.File) ([][]parquet.Value, error) {
	tb.Helper()
	vs := make([][]parquet.Value, len(f.Columns()))
	for rg := range f.RowGroups() {
		for c := range vs {
			err := f.ReadColumn(tb.Context(), rg, c, func(_ int64, batch []parquet.Value) error {
				for _, v := range batch {
					vs[c] = append(vs[c], v.Clone())
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return vs, nil
}

// firstOther reads all columns and names the first value that is not the wanted one.
func firstOther(tb testing.TB, f *parquetedit.File, want [][]parquet.Value) string {
	tb.Helper()
	if len(want) != len(f.Columns()) {
		return fmt.Sprintf("%d columns, want %d", len(f.Columns()), len(want))
	}
	other := ""
	for c := range want {
		row := 0
		for rg := range f.RowGroups() {
			err := f.ReadColumn(tb.Context(), rg, c, func(_ int64, batch []parquet.Value) error {
				for _, v := range batch {
					if other == "" && (row >= len(want[c]) || !same(v, want[c][row])) {
						other = fmt.Sprintf("column %d, row %d of %d: %s", c, row, len(want[c]), show(v))
					}
					row++
				}
				return nil
			})
			if err != nil {
				return err.Error()
			}
		}
		if other == "" && row != len(want[c]) {
			other = fmt.Sprintf("column %d: %d rows, want %d", c, row, len(want[c]))
		}
	}
	return other
}

// same says whether two values are the same to the bit.
func same(a, b parquet.Value) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case parquet.Int32:
		return a.Int32() == b.Int32()
	case parquet.Int64:
		return a.Int64() == b.Int64()
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return bytes.Equal(a.ByteArray(), b.ByteArray())
	case parquet.Boolean, parquet.Int96, parquet.Float, parquet.Double:
	}
	return show(a) == show(b)
}

// naive is Rewrite on values: it walks over all rows.
func naive(old [][]parquet.Value, s parquetedit.Script) [][]parquet.Value {
	rows := 0
	if len(old) > 0 {
		rows = len(old[0])
	}
	out := make([][]parquet.Value, len(old)+len(s.Add))
	d, r := 0, 0
	for row := range int64(rows) {
		if d < len(s.Deletes) && s.Deletes[d] == row {
			d++
			continue
		}
		replaced := r < len(s.Replaces) && s.Replaces[r] == row
		for c := range out {
			switch {
			case replaced:
				out[c] = append(out[c], s.Replace[c][r])
			case c < len(old):
				out[c] = append(out[c], old[c][row])
			default:
				out[c] = append(out[c], parquet.Value{})
			}
		}
		if replaced {
			r++
		}
	}
	for c := range s.Append {
		out[c] = append(out[c], s.Append[c]...)
	}
	return out
}

// someRows gives ascending rows: none, single ones, or a run of up to a page or three.
func someRows(c choices, rows int) []int64 {
	if rows == 0 {
		return nil
	}
	var out []int64
	switch c.IntN(5) {
	case 0, 1:
	case 2: // neighbors
		at := c.IntN(rows)
		for row := at; row < min(rows, at+1+c.IntN(120)); row++ {
			out = append(out, int64(row))
		}
	case 3: // the ends
		out = append(out, 0, int64(rows-1))
	case 4:
		for range 1 + c.IntN(6) {
			out = append(out, int64(c.IntN(rows)))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// someScript gives a script that fits a file of the given columns and values.
func someScript(c choices, columns []parquetedit.Column, vs [][]parquet.Value) parquetedit.Script {
	rows := 0
	if len(vs) > 0 {
		rows = len(vs[0])
	}
	s := parquetedit.Script{Deletes: someRows(c, rows), Replaces: someRows(c, rows), Parallel: 1}
	s.Replaces = slices.DeleteFunc(s.Replaces, func(r int64) bool { _, ok := slices.BinarySearch(s.Deletes, r); return ok })
	if c.IntN(8) == 0 {
		s.MaxRowGroupRows = int64(20 + c.IntN(300))
	}
	if c.IntN(8) == 0 {
		s.Add = []parquetedit.Column{column(fmt.Sprint("new", len(columns)), types()[c.IntN(len(types()))])}
	}
	all := slices.Concat(columns, s.Add)
	appended := []int{0, 0, 1, 45}[c.IntN(4)]
	for i, col := range all {
		var old []parquet.Value
		if i < len(vs) {
			old = vs[i]
		}
		same := c.IntN(3) > 0 // the column keeps its values in every replaced row
		if same && i < len(vs) && c.IntN(2) == 0 {
			s.Same = append(s.Same, i)
		}
		if len(s.Replaces) > 0 {
			s.Replace = append(s.Replace, nil)
		}
		for _, r := range s.Replaces {
			v := parquet.Value{}
			switch {
			case same && i < len(vs):
				v = old[r]
			case !same || col.Required:
				v = someValue(c, col, old)
			}
			s.Replace[i] = append(s.Replace[i], v)
		}
		if appended > 0 {
			s.Append = append(s.Append, nil)
		}
		for range appended {
			s.Append[i] = append(s.Append[i], someValue(c, col, old))
		}
	}
	if with := s.Replace; c.IntN(2) == 0 {
		s.ReplaceColumn = func(c, i, j int) ([]parquet.Value, error) { return slices.Clone(with[c][i:j]), nil }
	}
	return s
}

// someValue gives NULL, a value that the column has, or one that it may lack.
func someValue(c choices, column parquetedit.Column, old []parquet.Value) parquet.Value {
	n := c.IntN(8)
	switch {
	case n == 0 && !column.Required:
		return parquet.Value{}
	case n < 4 && len(old) > 0:
		return old[c.IntN(len(old))]
	}
	return newValue(c, column.Type)
}

// newValue gives a value that every reader takes for one of the type.
func newValue(c choices, t parquetedit.Type) parquet.Value {
	x := int64(c.IntN(1 << 12))
	switch t.Physical {
	case parquet.Boolean:
		return parquet.BooleanValue(x&1 != 0)
	case parquet.Int32:
		if t.Bits == 8 {
			x &= 127
		}
		if (t.Signed || t.Logical == parquetedit.None) && x&1 == 0 {
			x = -x
		}
		return parquet.Int32Value(int32(x))
	case parquet.Int64:
		return parquet.Int64Value(x << c.IntN(20))
	case parquet.Int96:
		return parquet.Int96Value(deprecated.Int96{uint32(x) * 1000, 0, 2440588 + uint32(x)})
	case parquet.Float:
		return parquet.FloatValue([]float32{float32(x) / 3, -float32(x), 0, float32(math.Copysign(0, -1)), float32(math.NaN())}[c.IntN(5)])
	case parquet.Double:
		return parquet.DoubleValue([]float64{float64(x) / 3, -float64(x), 0, math.Copysign(0, -1), math.Inf(1), math.NaN()}[c.IntN(6)])
	case parquet.ByteArray:
		if t.Logical == parquetedit.Decimal {
			return parquet.ByteArrayValue([]byte{byte(x >> 8), byte(x)})
		}
		return parquet.ByteArrayValue(fmt.Appendf(nil, "%d%s", x, bytes.Repeat([]byte("z"), c.IntN(3)*50)))
	case parquet.FixedLenByteArray:
	}
	b := make([]byte, t.Length)
	if t.Logical == parquetedit.Decimal && x&1 == 0 {
		b = bytes.Repeat([]byte{0xff}, t.Length)
	}
	b[t.Length-1] = byte(x)
	return parquet.FixedLenByteArrayValue(b)
}
