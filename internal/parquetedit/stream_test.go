package parquetedit_test

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

var errDead = errors.New("the line is dead")

// dying is a Source whose n-th read fails.
type dying struct {
	parquetedit.ReaderAt
	reads atomic.Int64
	n     int64
}

func (d *dying) ReadRange(ctx context.Context, p []byte, off int64) error {
	if d.reads.Add(1) == d.n {
		return errDead
	}
	return d.ReaderAt.ReadRange(ctx, p, off)
}

const largeRows = 5000

// largeChunk is a file with one row group and one column of about 20 MB that does not compress, in pages of about
// 250 values of 4 KB each, or one page of all of them.
func largeChunk(tb testing.TB, onePage bool) []byte {
	tb.Helper()
	values := make([]parquet.Value, largeRows)
	x := uint64(88172645463325252)
	for i := range values {
		b := make([]byte, 4096)
		for j := range b {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			b[j] = byte(x)
		}
		values[i] = parquet.ByteArrayValue(b)
	}
	var body bytes.Buffer
	if onePage {
		type row struct {
			V []byte `parquet:"v"`
		}
		w := parquet.NewGenericWriter[row](&body, parquet.PageBufferSize(1<<30))
		for _, v := range values {
			if _, err := w.Write([]row{{v.ByteArray()}}); err != nil {
				tb.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			tb.Fatal(err)
		}
		return body.Bytes()
	}
	columns := []parquetedit.Column{column("v", parquetedit.Type{Physical: parquet.ByteArray})}
	w, err := parquetedit.NewWriter(&body, columns, parquetedit.WriterOptions{Compression: "none", MaxRowGroupBytes: 1 << 30})
	if err != nil {
		tb.Fatal(err)
	}
	if err := errors.Join(w.Write([][]parquet.Value{values}), w.Close()); err != nil {
		tb.Fatal(err)
	}
	return body.Bytes()
}

func TestALargeChunkIsReadInWindows(t *testing.T) {
	for name, onePage := range map[string]bool{"many pages": false, "one page": true} {
		t.Run(name, func(t *testing.T) {
			body := largeChunk(t, onePage)
			g := &metered{ReaderAt: source(body)}
			f, err := parquetedit.Open(t.Context(), g)
			if err != nil {
				t.Fatal(err)
			}
			g.sum, g.longest = 0, 0
			got, sum := int64(0), 0
			if err := f.ReadColumn(t.Context(), 0, 0, func(first int64, values []parquet.Value) error {
				if first != got {
					t.Fatalf("rows from %d on, want %d", first, got)
				}
				got += int64(len(values))
				for _, v := range values {
					sum += len(v.ByteArray())
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if got != largeRows || sum != largeRows*4096 {
				t.Errorf("%d rows of %d bytes, want %d of %d", got, sum, largeRows, largeRows*4096)
			}
			if size, _ := f.ChunkBytes(0, 0); int64(g.sum) != size {
				t.Errorf("read %d bytes of a chunk of %d", g.sum, size)
			}
			if n := g.longest; !onePage && n > 4<<20 {
				t.Errorf("a read of %d bytes", n)
			}
		})
	}
}

func TestReadingEndsEarly(t *testing.T) {
	body := largeChunk(t, false)
	g := &metered{ReaderAt: source(body)}
	f, err := parquetedit.Open(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	g.sum = 0
	enough := errors.New("enough")
	if err := f.ReadColumn(t.Context(), 0, 0, func(int64, []parquet.Value) error { return enough }); !errors.Is(err, enough) {
		t.Fatalf("error %v, want the caller's", err)
	}
	if n := g.sum; n > 8<<20 {
		t.Errorf("%d bytes were read for the first rows, want two windows at most", n)
	}
}

func TestALateWindowFails(t *testing.T) {
	body := largeChunk(t, false)
	for n := int64(2); n <= 6; n++ { // the first read is the footer's
		g := &dying{ReaderAt: source(body), n: n}
		f, err := parquetedit.Open(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.ReadColumn(t.Context(), 0, 0, func(int64, []parquet.Value) error { return nil }); !errors.Is(err, errDead) {
			t.Errorf("read %d fails: error %v", n, err)
		}
	}
}
