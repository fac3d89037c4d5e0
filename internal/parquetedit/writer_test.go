package parquetedit_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

func TestWriterRoundTrip(t *testing.T) {
	cols := []parquetedit.Column{
		{Name: "z_id", Type: parquetedit.Type{Physical: parquet.Int64}},
		{Name: "a", Type: parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}},
		{Name: "d", Type: parquetedit.Type{Physical: parquet.FixedLenByteArray, Length: 7, Logical: parquetedit.Decimal, Precision: 15, Scale: 2}},
	}
	var buf bytes.Buffer
	w, err := parquetedit.NewWriter(&buf, cols, parquetedit.WriterOptions{MaxRowGroupRows: 50000, Metadata: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	var vs [3][]parquet.Value
	for i := range 120000 {
		vs[0] = append(vs[0], parquet.Int64Value(int64(i)))
		if i%7 == 0 {
			vs[1] = append(vs[1], parquet.NullValue())
		} else {
			vs[1] = append(vs[1], parquet.ByteArrayValue(fmt.Appendf(nil, "v%d", i%1000)))
		}
		vs[2] = append(vs[2], parquet.FixedLenByteArrayValue([]byte{0, 0, 0, 0, 0, byte(i >> 8), byte(i)}))
	}
	if err := w.Write(vs[:]); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := parquetedit.Open(t.Context(), parquetedit.ReaderAt{ReaderAt: bytes.NewReader(buf.Bytes()), N: int64(buf.Len())})
	if err != nil {
		t.Fatal(err)
	}
	for rg, g := range f.RowGroups() {
		for c := range cols {
			err := f.ReadColumn(t.Context(), rg, c, func(first int64, got []parquet.Value) error {
				for i, v := range got {
					if !parquet.Equal(v, vs[c][g.FirstRow+first+int64(i)]) {
						return fmt.Errorf("row %d: %v", first+int64(i), v)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
