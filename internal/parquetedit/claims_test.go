package parquetedit_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// statOrder is how the format orders the bounds of a type, and false where it does not or where writers disagree.
func statOrder(t parquetedit.Type) (func(a, b []byte) int, bool) {
	le := binary.LittleEndian
	switch t.Physical {
	case parquet.Int32:
		if t.Logical == parquetedit.Integer && !t.Signed {
			return func(a, b []byte) int { return cmp.Compare(le.Uint32(a), le.Uint32(b)) }, true
		}
		return func(a, b []byte) int { return cmp.Compare(int32(le.Uint32(a)), int32(le.Uint32(b))) }, true
	case parquet.Int64:
		if t.Logical == parquetedit.Integer && !t.Signed {
			return func(a, b []byte) int { return cmp.Compare(le.Uint64(a), le.Uint64(b)) }, true
		}
		return func(a, b []byte) int { return cmp.Compare(int64(le.Uint64(a)), int64(le.Uint64(b))) }, true
	case parquet.Float:
		return func(a, b []byte) int { return cmp.Compare(float(a), float(b)) }, true
	case parquet.Double:
		return func(a, b []byte) int { return cmp.Compare(float(a), float(b)) }, true
	case parquet.ByteArray, parquet.FixedLenByteArray:
		switch t.Logical {
		case parquetedit.Decimal:
			return compareTwos, true
		case parquetedit.Float16, parquetedit.Interval:
			return nil, false
		case parquetedit.None, parquetedit.String, parquetedit.JSON, parquetedit.BSON, parquetedit.UUID, parquetedit.Integer,
			parquetedit.Date, parquetedit.Time, parquetedit.Timestamp:
		}
		return bytes.Compare, true
	case parquet.Boolean:
		return bytes.Compare, true
	case parquet.Int96:
	}
	return nil, false
}

// float is the number in four or eight bytes.
func float(b []byte) float64 {
	if len(b) == 4 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

// compareTwos compares signed big-endian numbers of any lengths.
func compareTwos(a, b []byte) int {
	n := max(len(a), len(b))
	wide := func(b []byte) []byte {
		fill := byte(0)
		if len(b) > 0 && b[0] > 127 {
			fill = 0xff
		}
		out := append(bytes.Repeat([]byte{fill}, n-len(b)), b...)
		if n > 0 {
			out[0] ^= 0x80
		}
		return out
	}
	return bytes.Compare(wide(a), wide(b))
}

// extremes are the smallest and the largest of values; neither NULL nor NaN is one.
func extremes(t parquetedit.Type, values [][]byte, compare func(a, b []byte) int) (lo, hi []byte) {
	for _, v := range values {
		if v == nil || isNaN(t, v) {
			continue
		}
		if lo == nil || compare(v, lo) < 0 {
			lo = v
		}
		if hi == nil || compare(v, hi) > 0 {
			hi = v
		}
	}
	return lo, hi
}

func isNaN(t parquetedit.Type, v []byte) bool {
	return (t.Physical == parquet.Float || t.Physical == parquet.Double) && math.IsNaN(float(v))
}

// fits says whether a bound has as many bytes as its type asks for.
func fits(t parquetedit.Type, b []byte) bool {
	switch t.Physical {
	case parquet.Boolean:
		return len(b) == 1
	case parquet.Int32, parquet.Float:
		return len(b) == 4
	case parquet.Int64, parquet.Double:
		return len(b) == 8
	case parquet.Int96:
		return len(b) == 12
	case parquet.ByteArray, parquet.FixedLenByteArray:
	}
	return true
}

// speaker is the part of a file that says something of a column's values.
type speaker struct {
	column  int
	subject []byte
	where   string
}

func (s speaker) in(what string) speaker { s.where += ", " + what; return s }

// statistics holds the Statistics of a chunk or page against its values.
func (a *audit) statistics(by speaker, s record, values [][]byte) {
	if s == nil {
		return
	}
	if got, n := s.int(3), nulls(values); s.has(3) && got != n {
		a.fault(by.subject, "null_count", "%s: %d, are %d", by.where, got, n)
	}
	if s.has(4) {
		distinct := map[string]bool{}
		for _, v := range values {
			if v != nil {
				distinct[string(v)] = true
			}
		}
		if got := s.int(4); got != int64(len(distinct)) {
			a.fault(by.subject, "distinct_count", "%s: %d, are %d", by.where, got, len(distinct))
		}
	}
	t := a.columns[by.column].Type
	compare, ok := statOrder(t)
	if !ok {
		for _, field := range []int16{1, 2, 5, 6} {
			if s.has(field) {
				a.fault(by.subject, "bounds without an order", "%s", by.where)
			}
		}
		return
	}
	lo, hi := extremes(t, values, compare)
	for _, x := range []struct {
		bound, exact int16
		extreme      []byte
		sign         int
	}{{6, 8, lo, 1}, {5, 7, hi, -1}} {
		if !s.has(x.bound) {
			continue
		}
		b := s.bytes(x.bound)
		a.bound(by.in("statistics"), b, x.extreme, x.sign)
		if exact, _ := s[x.exact].(bool); exact && x.extreme != nil && fits(t, b) && compare(b, x.extreme) != 0 {
			a.fault(by.subject, "exact bound", "%s: %q, the extreme is %q", by.where, b, x.extreme)
		}
	}
	a.legacy(by.in("legacy statistics"), s, lo, hi)
}

// legacy holds the bounds without an order against the values: they are signed, and that of bytes was so by mistake.
func (a *audit) legacy(by speaker, s record, lo, hi []byte) {
	t := a.columns[by.column].Type
	bytewise := t.Physical == parquet.ByteArray || t.Physical == parquet.FixedLenByteArray
	if bytewise || t.Logical == parquetedit.Integer && !t.Signed {
		return // old readers know to leave them alone, new ones never look
	}
	if s.has(2) {
		a.bound(by, s.bytes(2), lo, 1)
	}
	if s.has(1) {
		a.bound(by, s.bytes(1), hi, -1)
	}
}

// bound holds a lower (sign 1) or upper (sign -1) bound against the extreme value on its side.
func (a *audit) bound(by speaker, b, extreme []byte, sign int) {
	t := a.columns[by.column].Type
	compare, ok := statOrder(t)
	switch {
	case !ok || extreme == nil:
	case !fits(t, b):
		a.fault(by.subject, "bound", "%s: of %d bytes", by.where, len(b))
	case isNaN(t, b):
		a.fault(by.subject, "bound", "%s: NaN", by.where)
	case sign*compare(b, extreme) > 0:
		a.fault(by.subject, "bound", "%s: %q, but there is %q", by.where, b, extreme)
	}
}

// sizes holds SizeStatistics against the values of a chunk.
func (a *audit) sizes(by speaker, s record, values [][]byte) {
	if got, n := s.int(1), byteCount(values); s.has(1) && got != n {
		a.fault(by.subject, "unencoded bytes", "%s: %d, are %d", by.where, got, n)
	}
	if s.has(3) {
		a.histogram(by, s.list(3), [][][]byte{values})
	}
}

// histogram holds one definition level histogram per run of values, one behind the other, against them.
func (a *audit) histogram(by speaker, got []any, runs [][][]byte) {
	var want []any
	for _, values := range runs {
		n := nulls(values)
		if a.columns[by.column].Required {
			want = append(want, int64(len(values)))
		} else {
			want = append(want, n, int64(len(values))-n)
		}
	}
	if len(got) > 0 && !slices.Equal(got, want) {
		a.fault(by.subject, "definition levels", "%s: %v, are %v", by.where, got, want)
	}
}

func byteCount(values [][]byte) int64 {
	n := int64(0)
	for _, v := range values {
		n += int64(len(v))
	}
	return n
}

// indexes holds the page index of a chunk against its pages.
func (a *audit) indexes(c int, g *laidGroup, chunk *laidChunk, where string) {
	pages := chunk.dataPages()
	runs := make([][][]byte, len(pages))
	for i, p := range pages {
		runs[i] = a.values[c][p.first : p.first+p.rows]
	}
	index := func(field int16) record {
		if !chunk.outer.has(field) {
			return nil
		}
		from, n := chunk.outer.int(field), chunk.outer.int(field+1)
		x, size := readRecord(a.b[from : from+n])
		if size != int(n) {
			a.fault(chunk.raw, "index length", "%s: %d, it has %d", where, n, size)
		}
		return x
	}
	if x := index(4); x != nil {
		a.offsetIndex(g, chunk, x, runs, where)
	}
	if x := index(6); x != nil {
		a.columnIndex(speaker{c, chunk.raw, where + ", column index"}, x, runs)
	}
}

func (a *audit) offsetIndex(g *laidGroup, chunk *laidChunk, x record, runs [][][]byte, where string) {
	pages, locations := chunk.dataPages(), x.list(1)
	if len(pages) != len(locations) {
		a.fault(chunk.raw, "offset index", "%s: %d pages, are %d", where, len(locations), len(pages))
		return
	}
	for i, p := range pages {
		l := locations[i].(record)
		if int(l.int(1)) != p.at || int(l.int(2)) != len(p.raw) || l.int(3) != p.first-g.first {
			a.fault(chunk.raw, "offset index", "%s, page %d: %v, is at %d, of %d bytes, from row %d", where, i, l, p.at, len(p.raw), p.first-g.first)
		}
		if sizes := x.list(2); len(sizes) > 0 && (len(sizes) != len(pages) || sizes[i] != byteCount(runs[i])) {
			a.fault(chunk.raw, "unencoded bytes", "%s, page %d: %v, has %d", where, i, sizes, byteCount(runs[i]))
		}
	}
}

func (a *audit) columnIndex(by speaker, x record, runs [][][]byte) {
	empty, mins, maxs, counts := x.list(1), x.list(2), x.list(3), x.list(5)
	if n := len(runs); len(empty) != n || len(mins) != n || len(maxs) != n || x.has(5) && len(counts) != n {
		a.fault(by.subject, "column index", "%s: %d, %d, %d, %d pages, are %d", by.where, len(empty), len(mins), len(maxs), len(counts), n)
		return
	}
	t := a.columns[by.column].Type
	compare, ok := statOrder(t)
	var lower, upper [][]byte
	for i, values := range runs {
		n := nulls(values)
		if got := empty[i]; got != (n == int64(len(values))) {
			a.fault(by.subject, "null_pages", "%s, page %d: %v, has %d NULLs of %d", by.where, i, got, n, len(values))
		}
		if x.has(5) && counts[i] != n {
			a.fault(by.subject, "null_counts", "%s, page %d: %v, has %d", by.where, i, counts[i], n)
		}
		if n == int64(len(values)) || !ok {
			continue
		}
		lo, hi := extremes(t, values, compare)
		lower, upper = append(lower, mins[i].([]byte)), append(upper, maxs[i].([]byte))
		a.bound(by, lower[len(lower)-1], lo, 1)
		a.bound(by, upper[len(upper)-1], hi, -1)
	}
	if x.has(7) {
		a.histogram(by, x.list(7), runs)
	}
	for i := 1; i < len(lower) && ok; i++ {
		up := compare(lower[i-1], lower[i]) <= 0 && compare(upper[i-1], upper[i]) <= 0
		down := compare(lower[i-1], lower[i]) >= 0 && compare(upper[i-1], upper[i]) >= 0
		if o := x.int(4); o == 1 && !up || o == 2 && !down {
			a.fault(by.subject, "boundary_order", "%s: %d ends at bounds %d", by.where, o, i)
		}
	}
}
