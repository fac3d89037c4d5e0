package parquetedit

import (
	"bytes"
	"fmt"
	"maps"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// TestWhatIsLeftOfThePagesRead: the kinds of the pages that are copied are those told, less those read.
func TestWhatIsLeftOfThePagesRead(t *testing.T) {
	v1, v2 := pageKind{dataPage, encDictionary}, pageKind{dataPageV2, encDictionary}
	plain := pageKind{dataPage, encPlain}
	for name, x := range map[string]struct{ told, read, left map[pageKind]int }{
		"some":                       {map[pageKind]int{v1: 5, plain: 3}, map[pageKind]int{v1: 2}, map[pageKind]int{v1: 3, plain: 3}},
		"all of a kind":              {map[pageKind]int{v1: 5, plain: 3}, map[pageKind]int{plain: 3}, map[pageKind]int{v1: 5}},
		"version 2 told as 1":        {map[pageKind]int{v1: 5}, map[pageKind]int{v2: 2}, map[pageKind]int{v2: 3}},
		"two of version 2 told as 1": {map[pageKind]int{v1: 5, plain: 3}, map[pageKind]int{v2: 2}, map[pageKind]int{v2: 3, {dataPageV2, encPlain}: 3}},
		"both versions":              {map[pageKind]int{v1: 5, v2: 3}, map[pageKind]int{v2: 2}, map[pageKind]int{v1: 5, v2: 1}},
		"a kind that was not told":   {map[pageKind]int{v1: 5}, map[pageKind]int{plain: 1}, map[pageKind]int{v1: 5, plain: -1}},
	} {
		o := oldChunk{kinds: x.told}
		if got := o.without(x.read); !maps.Equal(got, x.left) {
			t.Errorf("%s: %v, want %v", name, got, x.left)
		}
	}
}

// manyTexts is a file of one row group of one column of different texts, without compression.
func manyTexts(t *testing.T) ([]parquet.Value, []byte) {
	t.Helper()
	const rows = 300_000
	values := make([]parquet.Value, rows)
	for i := range values {
		values[i] = parquet.ByteArrayValue(fmt.Appendf(nil, "%x", uint64(i)*0x9e3779b97f4a7c15))
	}
	var b bytes.Buffer
	w, err := NewWriter(&b, []Column{{Name: "s", Type: Type{Physical: parquet.ByteArray, Logical: String}}},
		WriterOptions{Compression: "none", MaxRowGroupRows: rows, MaxRowGroupBytes: 1 << 30})
	if err == nil {
		err = w.Write([][]parquet.Value{values})
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return values, b.Bytes()
}

// TestPagesWithOtherRowsThanTheIndexSays: a page that is read beside copied ones and has more rows than the offset index says, or
// fewer, ended the rewriting. Now the whole chunk is read, and the new file has the rows that there are.
func TestPagesWithOtherRowsThanTheIndexSays(t *testing.T) {
	values, b := manyTexts(t)
	plain, err := Open(t.Context(), ReaderAt{ReaderAt: bytes.NewReader(b), N: int64(len(b))})
	if err != nil {
		t.Fatal(err)
	}
	o, err := plain.pageIndex(t.Context(), 0, 0)
	if err != nil || len(o.pages) < 10 {
		t.Fatal(len(o.pages), err)
	}
	last, middle := len(o.pages)-1, len(o.pages)/2
	for name, c := range map[string]struct {
		later  map[int]int64 // by page: how many rows later the index has it begin
		edited int           // page
		copied bool
	}{
		"the truth":                    {nil, middle, true},
		"more than there are":          {map[int]int64{middle + 1: 100}, middle, false},
		"fewer than there are":         {map[int]int64{middle + 1: -100}, middle, false},
		"its first one later":          {map[int]int64{middle: 100}, middle, false},
		"its first one earlier":        {map[int]int64{middle: -100}, middle, false},
		"the last page, later":         {map[int]int64{last: 100}, last, false},
		"the last page, earlier":       {map[int]int64{last: -100}, last, false},
		"the first page, more":         {map[int]int64{1: 100}, 0, false},
		"a page that nobody looks at":  {map[int]int64{2: 100}, middle, true},
		"as many as two pages have":    {map[int]int64{middle + 1: o.rows(middle + 1), middle + 2: 10}, middle, false},
		"a whole page more in another": {map[int]int64{middle + 1: o.rows(middle) - 1}, middle, false},
	} {
		t.Run(name, func(t *testing.T) {
			f, src := withFirstRows(t, b, c.later)
			row := o.pages[c.edited].first + 300
			changed := parquet.ByteArrayValue([]byte("changed"))
			var out bytes.Buffer
			did, err := Rewrite(t.Context(), f, Script{Replaces: []int64{row}, Replace: [][]parquet.Value{{changed}}}, NewOutput(src, &out))
			if err != nil {
				t.Fatal(err)
			}
			if (did.BytesCopied > 1000) != c.copied {
				t.Errorf("%d bytes copied", did.BytesCopied)
			}
			g, err := Open(t.Context(), ReaderAt{ReaderAt: bytes.NewReader(out.Bytes()), N: int64(out.Len())})
			if err != nil {
				t.Fatal(err)
			}
			rows := int64(0)
			for group := range g.groups {
				err = g.ReadColumn(t.Context(), group, 0, func(_ int64, got []parquet.Value) error {
					for _, v := range got {
						want := values[rows]
						if rows == row {
							want = changed
						}
						if !bytes.Equal(v.ByteArray(), want.ByteArray()) {
							return fmt.Errorf("row %d is %q, want %q", rows, v, want)
						}
						rows++
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if rows != int64(len(values)) {
				t.Errorf("%d rows of %d", rows, len(values))
			}
		})
	}
}

// withFirstRows gives a file whose first chunk has an offset index that says other first rows, so many later by page. The index lies behind the footer.
func withFirstRows(t *testing.T, b []byte, later map[int]int64) (*File, Source) {
	t.Helper()
	f, err := Open(t.Context(), ReaderAt{ReaderAt: bytes.NewReader(b), N: int64(len(b))})
	if err != nil {
		t.Fatal(err)
	}
	o, err := f.pageIndex(t.Context(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	locations := make([][]byte, len(o.pages))
	for i, p := range o.pages {
		locations[i] = tree{i64Field(1, p.off), i32Field(2, p.n), i64Field(3, p.first+later[i])}.encode(nil)
	}
	index := tree{listField(1, tStruct, locations)}.encode(nil)
	c := &f.groups[0].chunks[0]
	outer, _, err := c.trees()
	if err != nil {
		t.Fatal(err)
	}
	c.raw = outer.with(i64Field(chunkOffsetIndex, int64(len(b))), i32Field(chunkOffsetLength, int64(len(index)))).encode(nil)
	lying := append(bytes.Clone(b), index...)
	src := ReaderAt{ReaderAt: bytes.NewReader(lying), N: int64(len(lying))}
	f.src = src
	return f, src
}

// TestStatisticsOfEncodingsThatLie: a footer that counts pages of other kinds than there are does not show in the new file; the
// pages are read then.
func TestStatisticsOfEncodingsThatLie(t *testing.T) {
	values, b := manyTexts(t)
	src := ReaderAt{ReaderAt: bytes.NewReader(b), N: int64(len(b))}
	f, err := Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	c := &f.groups[0].chunks[0]
	outer, meta, err := c.trees()
	if err != nil {
		t.Fatal(err)
	}
	stats, err := meta.list(colEncodingStats, tStruct)
	if err != nil || len(stats) != 1 {
		t.Fatal(len(stats), err)
	}
	told, _, _ := readTree(stats[0])
	c.raw = outer.with(structField(chunkMeta, meta.with(listField(colEncodingStats, tStruct, [][]byte{
		told.with(i32Field(2, encDelta)).encode(nil),
	})))).encode(nil)
	var out bytes.Buffer
	changed := parquet.ByteArrayValue([]byte("changed"))
	did, err := Rewrite(t.Context(), f, Script{Replaces: []int64{5}, Replace: [][]parquet.Value{{changed}}}, NewOutput(src, &out))
	if err != nil {
		t.Fatal(err)
	}
	if did.BytesCopied > 1000 {
		t.Errorf("%d bytes copied by a footer that lies", did.BytesCopied)
	}
	g, err := Open(t.Context(), ReaderAt{ReaderAt: bytes.NewReader(out.Bytes()), N: int64(out.Len())})
	if err != nil {
		t.Fatal(err)
	}
	values[5] = changed
	err = g.ReadColumn(t.Context(), 0, 0, func(first int64, got []parquet.Value) error {
		for i, v := range got {
			if !bytes.Equal(v.ByteArray(), values[first+int64(i)].ByteArray()) {
				return fmt.Errorf("row %d is %q", first+int64(i), v)
			}
		}
		return nil
	})
	if err != nil || len(g.groups) != 1 {
		t.Error(len(g.groups), err)
	}
	if _, meta, _ = g.groups[0].chunks[0].trees(); bytes.Contains(meta.encode(nil), told.with(i32Field(2, encDelta)).encode(nil)) {
		t.Error("the new footer tells of pages in another encoding")
	}
}
