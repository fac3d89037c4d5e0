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

// TestStatisticsOfEncodingsThatLie: a footer that counts pages of other kinds than there are does not show in the new file; the
// pages are read then.
func TestStatisticsOfEncodingsThatLie(t *testing.T) {
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
	src := ReaderAt{ReaderAt: bytes.NewReader(b.Bytes()), N: int64(b.Len())}
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
