package lake

import (
	"bytes"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// TestOnlyRowGroupsThatLackRowsAreNotCopied holds that pages of the other row groups are still copied as they are.
func TestOnlyRowGroupsThatLackRowsAreNotCopied(t *testing.T) {
	type row struct {
		ID int64 `parquet:"id,optional"`
	}
	var body bytes.Buffer
	out := parquet.NewGenericWriter[row](&body, parquet.MaxRowsPerRowGroup(3))
	if _, err := out.Write(make([]row, 8)); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := parquetedit.Open(t.Context(), parquetedit.ReaderAt{ReaderAt: bytes.NewReader(body.Bytes()), N: int64(body.Len())})
	if err != nil {
		t.Fatal(err)
	}
	in := LoadFile{Open: dms.Without(file, dms.Rows{{From: 4, To: 5}})}
	if in.pages() != file || !in.whole(0) || in.whole(1) || !in.whole(2) {
		t.Errorf("pages %v, whole %t %t %t", in.pages() == file, in.whole(0), in.whole(1), in.whole(2))
	}
}
