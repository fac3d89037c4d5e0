package parquetedit_test

import (
	"bytes"
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

const benchRows = 1_000_000

// cpu reports CPU seconds, garbage collection included: on a busy machine the clock says nothing.
func cpu(b *testing.B) func() {
	b.Helper()
	used := func() float64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
	}
	start := used()
	return func() {
		seconds := (used() - start) / float64(b.N)
		b.ReportMetric(seconds, "cpu-s/op")
		b.ReportMetric(benchRows/seconds/1e6, "Mrows/cpu-s")
	}
}

// lineitem gives a table like TPC-H lineitem: 16 columns of the usual kinds.
func lineitem() ([]parquetedit.Column, [][]parquet.Value) {
	text := parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}
	money := parquetedit.Type{Physical: parquet.FixedLenByteArray, Length: 7, Logical: parquetedit.Decimal, Precision: 15, Scale: 2}
	long := parquetedit.Type{Physical: parquet.Int64}
	date := parquetedit.Type{Physical: parquet.Int32, Logical: parquetedit.Date}
	columns := []parquetedit.Column{
		{Name: "l_orderkey", Type: long},
		{Name: "l_partkey", Type: long},
		{Name: "l_suppkey", Type: long},
		{Name: "l_linenumber", Type: parquetedit.Type{Physical: parquet.Int32}},
		{Name: "l_quantity", Type: money},
		{Name: "l_extendedprice", Type: money},
		{Name: "l_discount", Type: money},
		{Name: "l_tax", Type: money},
		{Name: "l_returnflag", Type: text},
		{Name: "l_linestatus", Type: text},
		{Name: "l_shipdate", Type: date},
		{Name: "l_commitdate", Type: date},
		{Name: "l_receiptdate", Type: date},
		{Name: "l_shipinstruct", Type: text},
		{Name: "l_shipmode", Type: text},
		{Name: "l_comment", Type: text},
	}
	words := []string{"carefully ", "final ", "deposits ", "sleep ", "quickly ", "ironic ", "requests ", "among "}
	x := uint64(88172645463325252)
	next := func(n uint64) uint64 { x ^= x << 13; x ^= x >> 7; x ^= x << 17; return x % n }
	fixed := func(v uint64) parquet.Value {
		return parquet.FixedLenByteArrayValue([]byte{0, 0, 0, byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
	}
	str := func(s string) parquet.Value { return parquet.ByteArrayValue([]byte(s)) }
	vs := make([][]parquet.Value, len(columns))
	for c := range vs {
		vs[c] = make([]parquet.Value, 0, benchRows)
	}
	for i := range benchRows {
		day := int32(8036 + next(2500))
		row := []parquet.Value{
			parquet.Int64Value(int64(i / 4)), parquet.Int64Value(int64(next(200_000))), parquet.Int64Value(int64(next(10_000))),
			parquet.Int32Value(int32(i % 4)), fixed(100 * (1 + next(50))), fixed(next(10_000_000)), fixed(next(11)), fixed(next(9)),
			str("RAN"[next(3):][:1]), str("OF"[next(2):][:1]), parquet.Int32Value(day), parquet.Int32Value(day + 20), parquet.Int32Value(day + 7),
			str([]string{"DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"}[next(4)]),
			str([]string{"AIR", "MAIL", "RAIL", "SHIP", "TRUCK", "FOB", "REG AIR"}[next(7)]),
			str(words[next(8)] + words[next(8)] + words[next(8)] + fmt.Sprint(next(1000))),
		}
		for c := range vs {
			vs[c] = append(vs[c], row[c])
		}
	}
	return columns, vs
}

func benchFile(tb testing.TB, codec string) ([]parquetedit.Column, [][]parquet.Value, []byte) {
	tb.Helper()
	columns, vs := lineitem()
	var b bytes.Buffer
	w, err := parquetedit.NewWriter(&b, columns, parquetedit.WriterOptions{Compression: codec, MaxRowGroupRows: 100_000, MaxRowGroupBytes: 1 << 30})
	if err != nil {
		tb.Fatal(err)
	}
	if err := w.Write(vs); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return columns, vs, b.Bytes()
}

// BenchmarkWriter writes 1 M rows of 16 columns on one core.
func BenchmarkWriter(b *testing.B) {
	columns, vs := lineitem()
	for _, codec := range []string{"snappy", "zstd"} {
		b.Run(codec, func(b *testing.B) {
			done := cpu(b)
			for b.Loop() {
				w, err := parquetedit.NewWriter(io.Discard, columns, parquetedit.WriterOptions{Compression: codec, Parallel: 1})
				if err != nil {
					b.Fatal(err)
				}
				if err := w.Write(vs); err != nil {
					b.Fatal(err)
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(w.Bytes())/1e6, "MB")
			}
			done()
		})
	}
}

// BenchmarkCopyRows writes the same rows on one core without making values of them.
func BenchmarkCopyRows(b *testing.B) {
	columns, _, file := benchFile(b, "none")
	f := open(b, file)
	origins := make([]parquetedit.Origin, len(columns))
	for i := range origins {
		origins[i].Column = i
	}
	done := cpu(b)
	for b.Loop() {
		w, err := parquetedit.NewWriter(io.Discard, columns, parquetedit.WriterOptions{Parallel: 1})
		if err != nil {
			b.Fatal(err)
		}
		copyRows(b, w, f, origins)
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	done()
}

// BenchmarkRead reads 1 M rows of 16 columns on one core.
func BenchmarkRead(b *testing.B) {
	_, _, file := benchFile(b, "snappy")
	f := open(b, file)
	done := cpu(b)
	for b.Loop() {
		rows := 0
		for rg := range f.RowGroups() {
			for c := range f.Columns() {
				err := f.ReadColumn(b.Context(), rg, c, func(_ int64, vs []parquet.Value) error { rows += len(vs); return nil })
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		if rows != 16*benchRows {
			b.Fatal(rows)
		}
	}
	done()
}

// BenchmarkRewrite edits a file of 1 M rows in 10 row groups on one core.
func BenchmarkRewrite(b *testing.B) {
	columns, vs, file := benchFile(b, "snappy")
	spark := write(b, columns, vs, parquetedit.WriterOptions{Compression: "snappy", MaxRowGroupRows: benchRows, MaxRowGroupBytes: 1 << 30})
	for _, bench := range []struct {
		name        string
		file        []byte
		every, last int64
		changed     int // columns
	}{
		{"every row group, 1 % of the rows", file, 100, 0, 16},
		{"every row group, 1 % of the rows, 2 columns of 16", file, 100, 0, 2},
		{"one row group of ten, 1 % of its rows", file, 100, 900_000, 16},
		{"the last 2 % of the only row group", spark, 2, 980_000, 16},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var s parquetedit.Script
			s.Parallel = 1
			s.Replace = make([][]parquet.Value, len(vs))
			for row := bench.last; row < benchRows; row += bench.every {
				s.Replaces = append(s.Replaces, row)
				for c := range vs {
					from := row
					if c < bench.changed {
						from = benchRows - 1 - row
					}
					s.Replace[c] = append(s.Replace[c], vs[c][from])
				}
			}
			f := open(b, bench.file)
			done := cpu(b)
			for b.Loop() {
				out := parquetedit.NewOutput(source(bench.file), io.Discard)
				if _, err := parquetedit.Rewrite(b.Context(), f, s, out); err != nil {
					b.Fatal(err)
				}
			}
			done()
		})
	}
}
