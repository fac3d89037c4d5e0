package parquetedit_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// wideGroup is a file of one row group of 20 pages a column, as Spark writes one: numbers, text, and text that repeats.
func wideGroup(tb testing.TB) ([][]parquet.Value, []byte) {
	tb.Helper()
	const rows = 400_000
	columns := []parquetedit.Column{column("n", parquetedit.Type{Physical: parquet.Int64}), column("s", textType()), column("few", textType())}
	vs := make([][]parquet.Value, len(columns))
	for c := range vs {
		vs[c] = make([]parquet.Value, rows)
	}
	texts := make([]parquet.Value, 50)
	for i := range texts {
		texts[i] = parquet.ByteArrayValue(fmt.Appendf(nil, "text %d", i))
	}
	for i := range rows {
		x := uint64(i) * 0x9e3779b97f4a7c15
		x ^= x >> 29
		vs[0][i] = parquet.Int64Value(int64(x))
		if i%13 > 0 {
			vs[1][i] = parquet.ByteArrayValue(fmt.Appendf(nil, "%x", x))
		}
		vs[2][i] = texts[x%50]
	}
	return vs, write(tb, columns, vs, parquetedit.WriterOptions{Compression: "snappy", MaxRowGroupRows: rows, MaxRowGroupBytes: 1 << 30})
}

// TestPagesAreCopiedUnread: of a large row group with edits in few pages, the long stretches between them are neither read nor
// written but copied, and the row group stays whole.
func TestPagesAreCopiedUnread(t *testing.T) {
	vs, file := wideGroup(t)
	old := showAll(vs)
	unseen := [][]parquet.Value{{parquet.Int64Value(-5)}, text("neither seen before"), text("nor this")}
	appended := [][]parquet.Value{{parquet.Int64Value(-6)}, {parquet.Value{}}, text("text 7")}
	for name, c := range map[string]struct {
		s      parquetedit.Script
		copied float64 // of the file's bytes, at least
		groups int
	}{
		"the end":                {parquetedit.Script{Replaces: []int64{399_000}, Replace: unseen}, 0.8, 1},
		"the beginning":          {parquetedit.Script{Replaces: []int64{0}, Replace: unseen}, 0.8, 1},
		"the middle":             {parquetedit.Script{Replaces: []int64{200_000}, Replace: unseen, Deletes: []int64{200_001, 210_000}}, 0.65, 1},
		"a whole page, and rows": {parquetedit.Script{Deletes: span(200_000, 220_000), Append: appended}, 0.65, 2},
		"every page":             {parquetedit.Script{Deletes: every(10_000, 400_000)}, 0, 2},
	} {
		src := &metered{ReaderAt: source(file)}
		f, err := parquetedit.Open(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		src.sum = 0
		var out bytes.Buffer
		kept := &ranges{Buffer: &out, file: file}
		stats, err := parquetedit.Rewrite(t.Context(), f, c.s, kept)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if float64(stats.BytesCopied) < c.copied*float64(len(file)) || stats.BytesCopied != kept.copied || int(stats.BytesCopied+stats.BytesWritten) != out.Len() {
			t.Errorf("%s: %d bytes of %d copied (%d), %d written, %d in the file", name, stats.BytesCopied, len(file), kept.copied, stats.BytesWritten, out.Len())
		}
		if most := (1.2 - c.copied) * float64(len(file)); float64(src.sum) > most {
			t.Errorf("%s: %d bytes read of %d", name, src.sum, len(file))
		}
		want := apply(old, c.s)
		g := open(t, out.Bytes())
		if n := len(g.RowGroups()); n != c.groups {
			t.Errorf("%s: %d row groups, want %d", name, n, c.groups)
		}
		if d := firstDiff(want, read(t, g)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		for _, fault := range audited(g.Columns(), naive(vs, c.s), out.Bytes()) {
			t.Errorf("%s: %s", name, fault.text)
		}
	}
}

// ranges is an Output that copies from the file itself.
type ranges struct {
	*bytes.Buffer
	file   []byte
	copied int64
}

// CopyRange implements parquetedit.Output.
func (r *ranges) CopyRange(_ context.Context, off, n int64) error {
	r.copied += n
	_, err := r.Write(r.file[off : off+n])
	return err
}

func every(step, end int64) []int64 {
	var rows []int64
	for row := int64(0); row < end; row += step {
		rows = append(rows, row)
	}
	return rows
}
