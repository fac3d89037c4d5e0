package parquetedit

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/parquet-go/parquet-go"
)

const scanRows = 100_000

// counting is a Source that counts the bytes it gives.
type counting struct {
	ReaderAt
	bytes atomic.Int64
}

func (c *counting) ReadRange(ctx context.Context, p []byte, off int64) error {
	c.bytes.Add(int64(len(p)))
	return c.ReaderAt.ReadRange(ctx, p, off)
}

// scanFile is a file of the numbers 0, 2, 4 … in pages of some hundred rows; every hundredth is NULL, and so are the last thousand.
func scanFile(t *testing.T) (*File, *counting, []byte) {
	t.Helper()
	type row struct {
		N *int64 `parquet:"n,optional"`
	}
	var body bytes.Buffer
	w := parquet.NewGenericWriter[row](&body, parquet.PageBufferSize(4096), parquet.DataPageStatistics(true), parquet.WriteBufferSize(1<<20))
	rows := make([]row, scanRows)
	for i := range rows {
		if n := int64(2 * i); i%100 != 99 && i < scanRows-1000 {
			rows[i].N = &n
		}
	}
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	src := &counting{ReaderAt: ReaderAt{bytes.NewReader(body.Bytes()), int64(body.Len())}}
	f, err := Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	src.bytes.Store(0)
	return f, src, body.Bytes()
}

// scanFor gives the values of the pages that may hold v, by row.
func scanFor(t *testing.T, f *File, v int64) (map[int64]int64, error) {
	t.Helper()
	got := map[int64]int64{}
	err := f.Scan(t.Context(), 0, 0, func(b Bounds) bool {
		return !b.Min.IsNull() && b.Min.Int64() <= v && v <= b.Max.Int64()
	}, func(p *Page) error {
		k := 0
		for i := range p.Rows {
			if p.Present == nil || p.Present[i] != 0 {
				got[p.First+int64(i)] = p.Int64s()[k]
				k++
			}
		}
		return nil
	})
	return got, err
}

func TestScan_readsTheWantedPagesAlone(t *testing.T) {
	f, src, _ := scanFile(t)
	o, err := f.pageIndex(t.Context(), 0, 0)
	if err != nil || len(o.pages) < 50 {
		t.Fatalf("%d pages are no test, %v", len(o.pages), err)
	}
	var rows []int64
	for i := range o.pages { // both sides of every boundary between pages
		rows = append(rows, o.pages[i].first, max(o.pages[i].first-1, 0))
	}
	for _, row := range append(rows, scanRows-1) {
		src.bytes.Store(0)
		got, err := scanFor(t, f, 2*row)
		if err != nil {
			t.Fatal(err)
		}
		v, there := got[row]
		if null := row%100 == 99 || row >= scanRows-1000; there == null || there && v != 2*row {
			t.Fatalf("row %d: got %d, %v", row, v, there)
		}
		for r, v := range got {
			if v != 2*r {
				t.Fatalf("row %d: got %d", r, v)
			}
		}
		if size, _ := f.ChunkBytes(0, 0); src.bytes.Load() > size/4 {
			t.Fatalf("row %d: %d bytes were read of %d", row, src.bytes.Load(), size)
		}
	}
	if got, err := scanFor(t, f, 7*scanRows); err != nil || len(got) > 0 {
		t.Errorf("%d rows for a value above all, %v", len(got), err)
	}
}

// TestScan_ofEveryWantedSet: whichever pages are wanted, these come, each once and whole.
func TestScan_ofEveryWantedSet(t *testing.T) {
	f, _, _ := scanFile(t)
	for stride := range 7 {
		page, want := 0, map[int64]bool{}
		o, err := f.pageIndex(t.Context(), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		err = f.Scan(t.Context(), 0, 0, func(Bounds) bool {
			page++
			wanted := page%(stride*stride*9+1) == 0
			if wanted {
				want[o.pages[page-1].first] = true
			}
			return wanted
		}, func(p *Page) error {
			got = append(got, p.First)
			return nil
		})
		if err != nil || !slices.IsSorted(got) || len(slices.Compact(got)) != len(want) {
			t.Fatalf("stride %d: %d pages, want %d, %v", stride, len(got), len(want), err)
		}
		for _, first := range got {
			if !want[first] {
				t.Errorf("stride %d: the page at row %d was not wanted", stride, first)
			}
		}
	}
}

// TestScan_trustsNoIndexThatIsWrong: where a page index is not there, does not hold together or contradicts
// what else the file says, every page is read, or the scan says that it may not be trusted.
func TestScan_trustsNoIndexThatIsWrong(t *testing.T) {
	low, high := intElem8(-5), intElem8(5*scanRows)
	for name, edit := range map[string]func(offset, column tree) (tree, tree){
		"no offset index":    func(_, column tree) (tree, tree) { return nil, column },
		"no column index":    func(offset, _ tree) (tree, tree) { return offset, nil },
		"garbage":            func(offset, _ tree) (tree, tree) { return offset, tree{binaryField(9, "garbage")} },
		"a page is missing":  func(offset, column tree) (tree, tree) { return cutList(t, offset, 1, tStruct), column },
		"a minimum too few":  func(offset, column tree) (tree, tree) { return offset, cutList(t, column, 2, tBinary) },
		"a maximum too few":  func(offset, column tree) (tree, tree) { return offset, cutList(t, column, 3, tBinary) },
		"bounds of one byte": func(offset, column tree) (tree, tree) { return offset, setList(t, column, 2, binaryElem("x")) },
		"below the chunk":    func(offset, column tree) (tree, tree) { return offset, setList(t, column, 2, binaryElem(low)) },
		"above the chunk":    func(offset, column tree) (tree, tree) { return offset, setList(t, column, 3, binaryElem(high)) },
		"upside down": func(offset, column tree) (tree, tree) {
			return offset, setList(t, setList(t, column, 2, binaryElem(intElem8(200))), 3, binaryElem(intElem8(100)))
		},
		"rows shifted": func(offset, column tree) (tree, tree) {
			locations, _ := offset.list(1, tStruct)
			for i := range locations {
				l, _, _ := readTree(locations[i])
				if first, _ := l.int(3); i > 0 {
					locations[i] = l.with(i64Field(3, first-1)).encode(nil)
				}
			}
			return offset.with(listField(1, tStruct, locations)), column
		},
		"rows shifted, and NULLs not counted": func(offset, column tree) (tree, tree) {
			locations, _ := offset.list(1, tStruct)
			for i := range locations {
				l, _, _ := readTree(locations[i])
				if first, _ := l.int(3); i > 0 {
					locations[i] = l.with(i64Field(3, first-1)).encode(nil)
				}
			}
			return offset.with(listField(1, tStruct, locations)), column.without(5)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, _, body := scanFile(t)
			outer, _, err := f.groups[0].chunks[0].trees()
			if err != nil {
				t.Fatal(err)
			}
			offsets, _ := index(t, body, outer, chunkOffsetIndex)
			columns, _ := index(t, body, outer, chunkColumnIndex)
			offsets, columns = edit(offsets, columns)
			body = slices.Clone(body)
			for pointer, x := range map[int16]tree{chunkOffsetIndex: offsets, chunkColumnIndex: columns} {
				if x == nil {
					outer = outer.without(pointer, pointer+1)
					continue
				}
				raw := x.encode(nil)
				outer = outer.with(i64Field(pointer, int64(len(body)))).with(i32Field(pointer+1, int64(len(raw))))
				body = append(body, raw...)
			}
			f.src = ReaderAt{bytes.NewReader(body), int64(len(body))}
			f.groups[0].chunks[0].raw = outer.encode(nil)
			got, err := scanFor(t, f, 40_000)
			if errors.Is(err, ErrPageIndex) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(got) < scanRows*9/10 {
				t.Errorf("%d rows came, want all", len(got))
			}
		})
	}
}

func intElem8(v int64) []byte {
	return []byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24), byte(v >> 32), byte(v >> 40), byte(v >> 48), byte(v >> 56)}
}

// cutList is a tree with a list that is shorter by one.
func cutList(t *testing.T, x tree, id int16, typ byte) tree {
	t.Helper()
	elems, err := x.list(id, typ)
	if err != nil || len(elems) == 0 {
		t.Fatal(len(elems), err)
	}
	return x.with(listField(id, typ, elems[:len(elems)-1]))
}

// setList is a tree with another element in the midst of a list of texts.
func setList(t *testing.T, x tree, id int16, elem []byte) tree {
	t.Helper()
	elems, err := x.list(id, tBinary)
	if err != nil || len(elems) == 0 {
		t.Fatal(len(elems), err)
	}
	elems[len(elems)/3] = elem
	return x.with(listField(id, tBinary, elems))
}
