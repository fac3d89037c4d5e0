package parquetedit_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// A file of three rows is written, edited and read: row 0 is dropped, row 1 replaced, one row and one
// column are added.
func Example() {
	columns := []parquetedit.Column{
		{Name: "id", Type: parquetedit.Type{Physical: parquet.Int64}},
		{Name: "name", Type: parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}},
	}
	id, name := parquet.Int64Value, func(s string) parquet.Value { return parquet.ByteArrayValue([]byte(s)) }

	var file bytes.Buffer
	w, _ := parquetedit.NewWriter(&file, columns, parquetedit.WriterOptions{})
	_ = w.Write([][]parquet.Value{{id(1), id(2), id(3)}, {name("Ada"), name("Bob"), name("Cyd")}})
	_ = w.Close()

	ctx := context.Background()
	src := parquetedit.ReaderAt{ReaderAt: bytes.NewReader(file.Bytes()), N: int64(file.Len())}
	f, _ := parquetedit.Open(ctx, src)
	script := parquetedit.Script{
		Deletes:  []int64{0},
		Replaces: []int64{1},
		Replace:  [][]parquet.Value{{id(2)}, {name("Bea")}, {parquet.NullValue()}},
		Append:   [][]parquet.Value{{id(4)}, {name("Dan")}, {parquet.BooleanValue(true)}},
		Add:      []parquetedit.Column{{Name: "active", Type: parquetedit.Type{Physical: parquet.Boolean}}},
	}
	var edited bytes.Buffer
	stats, err := parquetedit.Rewrite(ctx, f, script, parquetedit.NewOutput(src, &edited))
	fmt.Println(stats.Rows, "rows", err)

	f, _ = parquetedit.Open(ctx, parquetedit.ReaderAt{ReaderAt: bytes.NewReader(edited.Bytes()), N: int64(edited.Len())})
	for c, column := range f.Columns() {
		_ = f.ReadColumn(ctx, 0, c, func(_ int64, values []parquet.Value) error {
			fmt.Println(column.Name, values)
			return nil
		})
	}
	// Output:
	// 3 rows <nil>
	// id [2 3 4]
	// name [Bea Cyd Dan]
	// active [<null> <null> true]
}
