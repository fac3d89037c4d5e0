package lake_test

import (
	"bytes"
	"context"
	"fmt"
	"syscall"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// BenchmarkVerify verifies a million rows of sixteen columns, of which every tenth was changed. The whole command, and
// what it takes of memory, is measured by scripts/bench, case verify.
func BenchmarkVerify(b *testing.B) {
	const rows = 1_000_000
	spec := "id int"
	for c := range 15 {
		spec += fmt.Sprintf(", c%d %s", c, []string{"bigint", "string", "us", "dec", "double"}[c%5])
	}
	file := func(name string, from, to, step int, op string) lake.ClaimFile {
		body := wide(b, spec, run{from, to, step, op})
		return lake.ClaimFile{Name: name, Rows: int64((to - from) / step), Open: func(context.Context) (dms.Columnar, error) {
			return openBody(b, body), nil //nolint:contextcheck // it lies in memory
		}}
	}
	claim := &lake.Claim{
		Schema: &lake.Schema{Columns: cols(spec), Key: []string{"id"}}, MemoryBytes: 64 << 20, Parallel: 2,
		Load: []lake.ClaimFile{file("load", 0, rows, 1, "")}, Changes: []lake.ClaimFile{file("change", 0, rows, 10, "U")},
		Lake: []lake.ClaimFile{file("part", 0, rows, 1, "")},
	}
	cpu := func() float64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
	}
	start := cpu()
	for b.Loop() {
		if v, err := claim.Verify(b.Context()); err != nil || !v.Equal() {
			b.Fatal(v, err)
		}
	}
	b.ReportMetric((cpu()-start)/float64(b.N), "cpu-s/op")
}

// run is rows of a wide file.
type run struct {
	from, to, step int
	op             string
}

// wide writes a file whose values follow from the id.
func wide(b *testing.B, spec string, r run) []byte {
	b.Helper()
	columns := cols(spec)
	if r.op != "" {
		columns = append(cols("Op string"), columns...)
	}
	var out bytes.Buffer
	w, err := parquetedit.NewWriter(&out, columns, parquetedit.WriterOptions{Compression: "snappy"})
	if err != nil {
		b.Fatal(err)
	}
	values := make([][]parquet.Value, len(columns))
	for id := r.from; id < r.to; id += r.step {
		for c, column := range columns {
			var v parquet.Value
			switch {
			case column.Name == "Op":
				v = parquet.ByteArrayValue([]byte(r.op))
			case column.Type.Physical == parquet.Int32:
				v = parquet.Int32Value(int32(id))
			case column.Type.Physical == parquet.Int64:
				v = parquet.Int64Value(int64(id * 7919))
			case column.Type.Physical == parquet.Double:
				v = parquet.DoubleValue(float64(id) / 3)
			case column.Type.Physical == parquet.ByteArray:
				v = parquet.ByteArrayValue(fmt.Appendf(nil, "carefully final deposits %d", id%5000))
			default:
				v = parquet.FixedLenByteArrayValue([]byte{0, 0, 0, 0, byte(id >> 16), byte(id >> 8), byte(id)})
			}
			values[c] = append(values[c], v)
		}
	}
	if err := w.Write(values); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}
