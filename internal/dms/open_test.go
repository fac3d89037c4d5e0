package dms_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// TestAColumnThatIsOpButForItsCaseIsRefused: ops in a column "op" were taken for data, and every delete for an insert.
func TestAColumnThatIsOpButForItsCaseIsRefused(t *testing.T) {
	t.Parallel()
	file := &table{columns: []parquetedit.Column{column("op", parquet.ByteArray), column("id", parquet.ByteArray)}}
	if _, err := dms.Open(file, dms.Options{}); !errors.Is(err, dms.ErrNames) {
		t.Error(err)
	}
	if _, err := dms.Open(file, dms.Options{Lake: true}); err != nil {
		t.Errorf("a lake file: %v", err)
	}
}

func TestOpen_beforeImages(t *testing.T) {
	for name, c := range map[string]struct {
		prefix  string
		columns []string
		data    []string
		of      []int
	}{
		"default":              {"", []string{"a", "BI_a", "BI_b"}, []string{"a", "BI_b"}, []int{0}},
		"image first":          {"", []string{"BI_b", "a", "b"}, []string{"a", "b"}, []int{1}},
		"other prefix":         {"old_", []string{"a", "BI_a", "old_a"}, []string{"a", "BI_a"}, []int{0}},
		"image of an image":    {"", []string{"a", "BI_a", "BI_BI_a"}, []string{"a", "BI_BI_a"}, []int{0}},
		"op has none":          {"", []string{"Op", "BI_Op"}, []string{"BI_Op"}, nil},
		"prefix alone":         {"", []string{"BI_"}, []string{"BI_"}, nil},
		"column without image": {"", []string{"a"}, []string{"a"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			file := &table{page: 1}
			for _, c := range c.columns {
				file.columns = append(file.columns, column(c, parquet.ByteArray))
			}
			in, err := dms.Open(file, dms.Options{BeforeImagePrefix: c.prefix})
			if err != nil {
				t.Fatal(err)
			}
			var data []string
			for _, c := range in.Columns() {
				data = append(data, c.Name)
			}
			if !slices.Equal(data, c.data) || !slices.Equal(in.BeforeImage(), c.of) {
				t.Errorf("got %v, %v", data, in.BeforeImage())
			}
		})
	}
}

func TestOpen_refuses(t *testing.T) {
	for name, c := range map[string]struct {
		columns []parquetedit.Column
		column  string
	}{
		"op that is no text":    {[]parquetedit.Column{column("Op", parquet.Int32)}, "Op"},
		"names by case":         {[]parquetedit.Column{column("id", parquet.Int32), column("ID", parquet.Int32)}, "ID"},
		"op by case":            {[]parquetedit.Column{column("Op", parquet.ByteArray), column("op", parquet.ByteArray)}, "op"},
		"image of another type": {[]parquetedit.Column{column("id", parquet.Int32), column("BI_id", parquet.Int64)}, "BI_id"},
	} {
		_, err := dms.Open(&table{page: 1, columns: c.columns}, dms.Options{})
		var bad *dms.InputError
		if !errors.As(err, &bad) || bad.Column != c.column || bad.Row != -1 {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
