package parquetedit

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// index reads the index of a chunk that a pointer of the footer points to.
func index(t *testing.T, b []byte, outer tree, pointer int16) (tree, bool) {
	t.Helper()
	off, ok := outer.int(pointer)
	n, _ := outer.int(pointer + 1)
	if !ok {
		return nil, false
	}
	x, size, err := readTree(b[off : off+n])
	if err != nil || int64(size) != n {
		t.Fatalf("index of %d bytes, %d said: %v", size, n, err)
	}
	return x, true
}

// checkIndexes holds the page indexes of a file against its pages: every location is that of a page with those
// rows, every page's values lie between its bounds, its NULLs are counted.
func checkIndexes(t *testing.T, b []byte) (pages int) {
	t.Helper()
	f, err := Open(t.Context(), ReaderAt{ReaderAt: bytes.NewReader(b), N: int64(len(b))})
	if err != nil {
		t.Fatal(err)
	}
	for rg := range f.groups {
		for c := range f.columns {
			chunk := &f.groups[rg].chunks[c]
			outer, _, err := chunk.trees()
			if err != nil {
				t.Fatal(err)
			}
			offsets, ok := index(t, b, outer, chunkOffsetIndex)
			if !ok {
				continue
			}
			locations, err := offsets.list(1, tStruct)
			if err != nil {
				t.Fatal(err)
			}
			column, _ := index(t, b, outer, chunkColumnIndex)
			pages += len(locations)
			at := 0
			err = f.pages(t.Context(), rg, c, func(first int64, d *decoded) error {
				l, _, err := readTree(locations[at])
				if err != nil {
					t.Fatal(err)
				}
				off, _ := l.int(1)
				size, _ := l.int(2)
				row, _ := l.int(3)
				p, n, err := readPage(b[off:])
				if err != nil || int64(n) != size || p.values != d.rows || row != first || off < chunk.off || off+size > chunk.off+chunk.size {
					t.Errorf("row group %d, column %q, page %d: %d bytes of %d values at %d, row %d; %+v, %v", rg, f.columns[c].Name, at, n, d.rows, off, first, l, err)
				}
				if column != nil {
					checkPageBounds(t, f.columns[c].Type, column, at, d)
				}
				at++
				return nil
			})
			if err != nil || at != len(locations) {
				t.Errorf("row group %d, column %q: %d pages, %d locations, %v", rg, f.columns[c].Name, at, len(locations), err)
			}
		}
	}
	return pages
}

func checkPageBounds(t *testing.T, typ Type, column tree, at int, d *decoded) {
	t.Helper()
	present := countPresent(d.present, 0, d.rows)
	nullPages, err := column.list(1, tTrue)
	if err != nil {
		t.Fatal(err)
	}
	if null := nullPages[at][0] == tTrue; null != (present == 0) {
		t.Errorf("page %d: null page %v, %d values", at, null, present)
	}
	if counts, err := column.ints(5, tI64); err == nil && counts != nil && counts[at] != int64(d.rows-present) {
		t.Errorf("page %d: %d NULLs, want %d", at, counts[at], d.rows-present)
	}
	used := newVector(typ)
	for k := range present {
		i := k
		if d.indices != nil {
			i = int(d.indices[k])
		}
		used.appendFrom(d.values, i, i+1)
	}
	exact := vectorBounds(&used, typ)
	if !exact.ok {
		return
	}
	bound := func(id int16) []byte {
		elems, err := column.list(id, tBinary)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := tree{{id: 1, typ: tBinary, raw: elems[at]}}.bytes(1)
		return b
	}
	if lo, hi := bound(2), bound(3); compareStat(lo, exact.min, typ) > 0 || compareStat(hi, exact.max, typ) < 0 {
		t.Errorf("page %d: bounds %x … %x, values %x … %x", at, lo, hi, exact.min, exact.max)
	}
}

// TestPageIndexesTellTheTruth: after an edit the indexes of copied row groups point to the moved pages, those of
// new ones describe what they hold.
func TestPageIndexesTellTheTruth(t *testing.T) {
	names, err := filepath.Glob("testdata/*.parquet")
	if err != nil {
		t.Fatal(err)
	}
	copied := 0
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			copied += checkIndexes(t, b)
			src := ReaderAt{ReaderAt: bytes.NewReader(b), N: int64(len(b))}
			f, err := Open(t.Context(), src)
			if err != nil {
				t.Fatal(err)
			}
			s := Script{MaxRowGroupRows: 170, Add: []Column{{Name: "added", Type: Type{Physical: parquet.Int64}}}}
			for rg, g := range f.RowGroups() {
				if rg%2 == 0 && g.Rows > 0 { // every other one moves
					s.Deletes = append(s.Deletes, g.FirstRow)
				}
			}
			var out bytes.Buffer
			if _, err := Rewrite(t.Context(), f, s, NewOutput(src, &out)); err != nil {
				t.Fatal(err)
			}
			if checkIndexes(t, out.Bytes()) == 0 && f.NumRows() > 1 {
				t.Error("no page index")
			}
		})
	}
	if copied == 0 {
		t.Error("no file with page indexes is no test")
	}
}
