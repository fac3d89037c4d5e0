package parquetedit_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// readAll opens and reads everything.
func readAll(ctx context.Context, src parquetedit.Source) error {
	f, err := parquetedit.Open(ctx, src)
	if err != nil {
		return err
	}
	for rg := range f.RowGroups() {
		for c := range f.Columns() {
			f.Bounds(rg, c)
			if err := f.ReadColumn(ctx, rg, c, func(int64, []parquet.Value) error { return nil }); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestBrokenBytes: a file with random bytes changed is read or refused with a known error, soon.
func TestBrokenBytes(t *testing.T) { brokenBytes(t, 1) }

func brokenBytes(t *testing.T, seed uint64) {
	t.Helper()
	for name, b := range foreign(t) {
		rng := rand.New(rand.NewPCG(seed, 2))
		for i := range 100 {
			bad := slices.Clone(b)
			for range 1 + rng.IntN(4) {
				at := rng.IntN(len(bad))
				if i%2 == 0 { // the footer and the page headers matter most
					at = len(bad) - 1 - rng.IntN(min(len(bad), 3000))
				}
				bad[at] = byte(rng.Uint32())
			}
			start := time.Now()
			if err := readAll(t.Context(), source(bad)); err != nil && !known(err) {
				t.Errorf("%s, seed %d, round %d: %v", name, seed, i, err)
			}
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("%s, seed %d, round %d: took %v", name, seed, i, d)
			}
		}
	}
}

// TestTruncated: a file cut anywhere is corrupt, and the empty one says so.
func TestTruncated(t *testing.T) {
	b := foreign(t)["dms_test_table_LOAD00000001.parquet"]
	for n := 0; n < len(b); n += 1 + n/20 {
		if _, err := parquetedit.Open(t.Context(), source(b[:n])); !errors.Is(err, parquetedit.ErrCorrupt) {
			t.Errorf("%d bytes: %v, want ErrCorrupt", n, err)
		}
	}
	if _, err := parquetedit.Open(t.Context(), source(nil)); err == nil || err.Error() != "corrupt parquet file: the file is empty" {
		t.Errorf("empty file: %v", err)
	}
}

// TestRefused: what cannot be edited is refused with its own error.
func TestRefused(t *testing.T) {
	var nested, flat bytes.Buffer
	type row struct{ A []int64 }
	if err := parquet.Write(&nested, []row{{A: []int64{1}}}); err != nil {
		t.Fatal(err)
	}
	type number struct{ A int64 }
	if err := parquet.Write(&flat, []number{{1}, {2}}); err != nil {
		t.Fatal(err)
	}
	refused := func(name string) []byte {
		b, err := os.ReadFile("testdata/refused/" + name + ".parquet")
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	large := slices.Clone(flat.Bytes())
	copy(large[len(large)-8:], []byte{0xff, 0xff, 0xff, 0x7f})
	for _, tc := range []struct {
		name string
		file []byte
		want error
	}{
		{"a repeated column", nested.Bytes(), parquetedit.ErrNested},
		{"LZ4_RAW, which parquet-go reads as garbage", refused("lz4raw"), parquetedit.ErrCodec},
		{"an encrypted footer", refused("encrypted_footer"), parquetedit.ErrEncrypted},
		{"an encrypted column under a plain footer", refused("encrypted_column"), parquetedit.ErrEncrypted},
		{"a footer longer than the file", large, parquetedit.ErrCorrupt},
		{"no parquet at all", bytes.Repeat([]byte("a,b\n"), 100), parquetedit.ErrCorrupt},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := readAll(t.Context(), source(tc.file)); !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
			f, err := parquetedit.Open(t.Context(), source(tc.file))
			if err == nil {
				s := parquetedit.Script{Deletes: []int64{0}}
				_, err = parquetedit.Rewrite(t.Context(), f, s, parquetedit.NewOutput(source(tc.file), io.Discard))
			}
			if !errors.Is(err, tc.want) {
				t.Errorf("rewrite: %v, want %v", err, tc.want)
			}
		})
	}
}

// faulty fails the nth read.
type faulty struct {
	parquetedit.ReaderAt
	left *int
}

var errFault = errors.New("the source failed")

func (f faulty) ReadRange(ctx context.Context, p []byte, off int64) error {
	if *f.left--; *f.left == 0 {
		return errFault
	}
	return f.ReaderAt.ReadRange(ctx, p, off)
}

// TestSourceFails: whichever read fails, its error is returned, and nothing that is a Parquet file remains.
func TestSourceFails(t *testing.T) {
	b := foreign(t)["arrow_v2_zstd_index.parquet"]
	s := parquetedit.Script{Deletes: []int64{5}, Parallel: 1}
	for n := 1; ; n++ {
		left := n
		src := faulty{source(b), &left}
		var out bytes.Buffer
		f, err := parquetedit.Open(t.Context(), src)
		if err == nil {
			_, err = parquetedit.Rewrite(t.Context(), f, s, parquetedit.NewOutput(src, &out))
		}
		if err == nil {
			if left > 0 && n > 5 {
				return // no read was left to fail
			}
			t.Fatalf("read %d failed and nobody noticed", n)
		}
		if !errors.Is(err, errFault) {
			t.Fatalf("read %d: %v", n, err)
		}
		if _, err := parquetedit.Open(t.Context(), source(out.Bytes())); err == nil {
			t.Fatalf("read %d: a valid file remains", n)
		}
	}
}

// failing fails the write that goes beyond left bytes.
type failing struct{ left int }

func (w *failing) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errFault
	}
	return len(p), nil
}

// TestOutputFails: a write error is returned by Rewrite and by Writer.
func TestOutputFails(t *testing.T) {
	b := foreign(t)["arrow_default.parquet"]
	f := open(t, b)
	for n := 0; n < 30_000; n += 1500 {
		_, err := parquetedit.Rewrite(t.Context(), f, parquetedit.Script{Deletes: []int64{120}}, parquetedit.NewOutput(source(b), &failing{n}))
		if !errors.Is(err, errFault) {
			t.Errorf("rewrite, %d bytes: %v", n, err)
		}
	}
	columns := []parquetedit.Column{{Name: "a", Type: parquetedit.Type{Physical: parquet.Int64}}}
	for n := range 26 {
		w, err := parquetedit.NewWriter(&failing{10 * n}, columns, parquetedit.WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(w.Write([][]parquet.Value{{parquet.Int64Value(1)}}), w.Close())
		if !errors.Is(err, errFault) {
			t.Errorf("writer, %d bytes: %v", 10*n, err)
		}
	}
}

// TestYieldError: what yield returns ends the reading and comes back as it is.
func TestYieldError(t *testing.T) {
	f := open(t, foreign(t)["arrow_default.parquet"])
	calls := 0
	err := f.ReadColumn(t.Context(), 0, 0, func(int64, []parquet.Value) error { calls++; return io.EOF })
	if err != io.EOF || calls != 1 { //nolint:errorlint // unwrapped is what is promised
		t.Errorf("%v after %d calls", err, calls)
	}
}
