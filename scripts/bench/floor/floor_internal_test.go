package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/parquet-go/parquet-go"
)

type row struct {
	A int64 `parquet:"a"`
	B int64 `parquet:"b"`
}

// written is a lake of one file: two row groups of 1,000 rows, pages of 100 rows.
func written(t *testing.T) (dir string, body []byte) {
	t.Helper()
	var file bytes.Buffer
	w := parquet.NewGenericWriter[row](&file, parquet.Compression(&parquet.Snappy), parquet.PageBufferSize(800), parquet.DataPageVersion(1))
	for group := range int64(2) {
		for page := range int64(10) {
			rows := make([]row, 100)
			for i := range rows {
				rows[i] = row{A: 1000*group + 100*page + int64(i), B: int64(i)}
			}
			if _, err := w.Write(rows); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "part.parquet"), file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, file.Bytes()
}

func TestTouchesThePagesOfTheChangedRowsAndNoOthers(t *testing.T) {
	dir, body := written(t)
	for name, c := range map[string]struct {
		columns []string
		rows    []int64
		want    counted
	}{
		"one row":                       {nil, []int64{0}, counted{2, 40}},
		"two of a page":                 {nil, []int64{100, 199}, counted{2, 40}},
		"at the edges":                  {nil, []int64{99, 100, 999, 1000, 1999}, counted{10, 40}},
		"of one column":                 {[]string{"b"}, []int64{5, 1005}, counted{2, 40}},
		"no column of that name":        {[]string{"c"}, []int64{5}, counted{0, 40}},
		"a file without changed rows":   {nil, nil, counted{0, 40}},
		"every page of both row groups": {nil, each(2000), counted{40, 40}},
	} {
		t.Run(name, func(t *testing.T) {
			rows, out := t.TempDir(), t.TempDir()
			list := make([]byte, 0, 8*len(c.rows))
			for _, r := range c.rows {
				list = binary.LittleEndian.AppendUint64(list, uint64(r))
			}
			if err := os.WriteFile(filepath.Join(rows, "part.parquet.rows"), list, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := lake(t.Context(), c.columns, dir, rows, out)
			if err != nil || got != c.want {
				t.Fatalf("got %+v, %v, want %+v", got, err, c.want)
			}
			wrote, err := os.ReadFile(filepath.Join(out, "part.parquet"))
			if len(c.rows) == 0 {
				if !os.IsNotExist(err) {
					t.Errorf("wrote a file that nothing changes: %v", err)
				}
				return
			}
			if err != nil || !bytes.Equal(wrote[:4], body[:4]) || !bytes.Equal(wrote[len(wrote)-8:], body[len(body)-8:]) {
				t.Errorf("what lies around the pages is not copied: %v", err)
			}
		})
	}
}

func each(n int64) []int64 {
	rows := make([]int64, n)
	for i := range rows {
		rows[i] = int64(i)
	}
	return rows
}

func TestPagesHoldWhatTheyHeld(t *testing.T) {
	dir, body := written(t)
	in, err := os.Open(filepath.Join(dir, "part.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	pages, _, err := find(in, []string{"a"}, []int64{1050})
	if err != nil || len(pages) != 2 || pages[0].keep || !pages[1].keep {
		t.Fatalf("found %+v, %v, want a page of a and one of b to keep", pages, err)
	}
	if err := again(t.Context(), in, pages, new(sync.Pool)); err != nil {
		t.Fatal(err)
	}
	if pages[1].body != nil {
		t.Error("a page to keep was compressed again")
	}
	// The header stays as it is; the body is the values 1000 to 1099 in PLAIN.
	var want []byte
	for v := range uint64(100) {
		want = binary.LittleEndian.AppendUint64(want, 1000+v)
	}
	before := body[pages[0].offset : pages[0].offset+pages[0].bytes]
	for header := 1; header < len(pages[0].body); header++ {
		if !bytes.Equal(before[:header], pages[0].body[:header]) {
			break
		}
		if got, err := s2.Decode(nil, pages[0].body[header:]); err == nil && bytes.Equal(got, want) {
			return
		}
	}
	t.Error("the page's values are not in it, behind its header")
}
