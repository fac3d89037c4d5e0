package parquetedit

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// footers gives the encoded footers of the files in testdata.
func footers(tb testing.TB) map[string][]byte {
	tb.Helper()
	names, err := filepath.Glob("testdata/*.parquet")
	if err != nil || len(names) == 0 {
		tb.Fatal("no files", err)
	}
	out := map[string][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		n := int(binary.LittleEndian.Uint32(b[len(b)-8:]))
		out[name] = b[len(b)-8-n : len(b)-8]
	}
	return out
}

// deep reads every struct and list below a tree and writes it again.
func deep(t tree) (tree, error) {
	out := make(tree, len(t))
	for i, f := range t {
		out[i] = f
		switch f.typ {
		case tStruct:
			s, _, err := readTree(f.raw)
			if err != nil {
				return nil, err
			}
			if s, err = deep(s); err != nil {
				return nil, err
			}
			g := structField(f.id, s)
			g.long = f.long
			out[i] = g
		case tList:
			typ, _, _, err := readListHeader(f.raw)
			if err != nil {
				return nil, err
			}
			elems, err := tree{f}.list(f.id, typ)
			if err != nil {
				return nil, err
			}
			if typ == tStruct {
				for k, e := range elems {
					s, _, err := readTree(e)
					if err != nil {
						return nil, err
					}
					if s, err = deep(s); err != nil {
						return nil, err
					}
					elems[k] = s.encode(nil)
				}
			}
			out[i].raw = listField(f.id, typ, elems).raw
		}
	}
	return out, nil
}

// TestFooterTreeRoundTrip: a footer taken apart and put together again is the same bytes.
func TestFooterTreeRoundTrip(t *testing.T) {
	for name, b := range footers(t) {
		x, n, err := readTree(b)
		if err != nil || n != len(b) {
			t.Fatalf("%s: %d of %d bytes, %v", name, n, len(b), err)
		}
		if !bytes.Equal(x.encode(nil), b) {
			t.Errorf("%s: other bytes", name)
		}
		x, err = deep(x)
		if err != nil {
			t.Fatal(name, err)
		}
		if !bytes.Equal(x.encode(nil), b) {
			t.Errorf("%s: other bytes when taken apart to the leaves", name)
		}
	}
}

// FuzzFooterTree: whatever the bytes are, reading ends; what it accepts it writes back, and reads again.
func FuzzFooterTree(f *testing.F) {
	for _, b := range footers(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, n, err := readTree(b)
		if err != nil {
			return
		}
		again := x.encode(nil)
		y, m, err := readTree(again)
		if err != nil || m != len(again) || len(y) != len(x) {
			t.Fatalf("%d of %d bytes, %d of %d fields: %v", m, n, len(y), len(x), err)
		}
		for i := range x {
			if x[i].id != y[i].id || x[i].typ != y[i].typ || !bytes.Equal(x[i].raw, y[i].raw) {
				t.Fatalf("field %d: %+v, was %+v", i, y[i], x[i])
			}
		}
		if _, err := deep(x); err != nil {
			return // what lies below is looked at only when it is asked for
		}
	})
}
