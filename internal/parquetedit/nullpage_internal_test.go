package parquetedit

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// nullFile is a file of one column with one page, of NULLs and of no bytes but their levels.
func nullFile(t *testing.T, typ Type, v2 bool, encoding int64) []byte {
	t.Helper()
	const rows = 9
	levels := []byte{rows << 1, 0}
	h := tree{i32Field(pageType, dataPage), {}, {}, structField(pageData, tree{
		i32Field(1, rows), i32Field(2, encoding), i32Field(3, encRLE), i32Field(4, encRLE),
	})}
	body := append([]byte{2, 0, 0, 0}, levels...)
	if v2 {
		body = levels
		h[0], h[3] = i32Field(pageType, dataPageV2), structField(pageDataV2, tree{
			i32Field(1, rows), i32Field(2, rows), i32Field(3, rows), i32Field(4, encoding), i32Field(5, 2), i32Field(6, 0),
		})
	}
	h[1], h[2] = i32Field(pageUncompressed, int64(len(body))), i32Field(pageCompressed, int64(len(body)))
	page := append(h.encode(nil), body...)
	column := Column{Name: "a", Type: typ}
	meta := tree{
		i32Field(colType, int64(typ.Physical)), listField(colEncodings, tI32, [][]byte{intElem(encoding)}),
		listField(colPath, tBinary, [][]byte{binaryElem("a")}), i32Field(colCodec, 0), i64Field(colValues, rows),
		i64Field(colUncompressed, int64(len(page))), i64Field(colCompressed, int64(len(page))), i64Field(colDataOffset, 4),
	}
	chunk := tree{i64Field(chunkFileOffset, 0), structField(chunkMeta, meta)}
	group := tree{
		listField(groupColumns, tStruct, [][]byte{chunk.encode(nil)}),
		i64Field(groupBytes, int64(len(page))), i64Field(groupRows, rows),
	}
	var b bytes.Buffer
	b.WriteString(magic)
	b.Write(page)
	err := placeFooter(&counted{w: &b}, tree{
		i32Field(metaVersion, 2), listField(metaSchema, tStruct, schemaElements([]Column{column})),
		i64Field(metaRows, rows), listField(metaRowGroups, tStruct, [][]byte{group.encode(nil)}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestPageOfNullsWithoutABody: some writers put nothing where a page has no values: no dictionary page, no header of
// the encoding. Such a file was refused as corrupt.
func TestPageOfNullsWithoutABody(t *testing.T) {
	text := Type{Physical: parquet.ByteArray, Logical: String}
	for _, tc := range []struct {
		name     string
		typ      Type
		encoding int64
	}{
		{"plain", text, encPlain},
		{"dictionary", text, encDictionary},
		{"the old dictionary", Type{Physical: parquet.Int96}, encPlainDictionary},
		{"delta", Type{Physical: parquet.Int32}, encDelta},
		{"delta length", text, encDeltaLength},
		{"delta bytes", text, encDeltaBytes},
		{"byte stream split", Type{Physical: parquet.Double}, encByteStreamSplit},
		{"booleans in runs", Type{Physical: parquet.Boolean}, encRLE},
	} {
		for _, v2 := range []bool{false, true} {
			t.Run(fmt.Sprint(tc.name, ", V2 ", v2), func(t *testing.T) {
				b := nullFile(t, tc.typ, v2, tc.encoding)
				src := ReaderAt{ReaderAt: bytes.NewReader(b), N: int64(len(b))}
				f, err := Open(t.Context(), src)
				if err != nil {
					t.Fatal(err)
				}
				rows := 0
				err = f.ReadColumn(t.Context(), 0, 0, func(_ int64, vs []parquet.Value) error {
					for _, v := range vs {
						if v.IsNull() {
							rows++
						}
					}
					return nil
				})
				if err != nil || rows != 9 {
					t.Errorf("%d NULLs, %v", rows, err)
				}
				var out bytes.Buffer
				stats, err := Rewrite(t.Context(), f, Script{Deletes: []int64{3}}, NewOutput(src, &out))
				if err != nil || stats.Rows != 8 {
					t.Errorf("%+v, %v", stats, err)
				}
			})
		}
	}
}
