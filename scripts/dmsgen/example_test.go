package dmsgen_test

import (
	"context"
	"fmt"
	"time"

	"sluice/scripts/dmsgen"
)

func Example() {
	ctx := context.Background()
	product := dmsgen.Table{
		Schema: "sampledb", Name: "product", Key: []string{"id"},
		Columns: []dmsgen.Column{{"id", "bigint"}, {"name", "text"}, {"price", "numeric(10,2)"}},
	}
	sink := dmsgen.SinkFunc(func(_ context.Context, key string, body []byte, _ time.Time) error {
		rows, err := dmsgen.Read(body)
		if err != nil {
			return err
		}
		fmt.Println(key, rows.Columns, rows.Rows)
		return nil
	})
	w, err := dmsgen.NewWriter(sink, dmsgen.DefaultSettings())
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2025, 1, 2, 3, 4, 5, 678e6, time.UTC)
	if _, err := w.WriteLoad(ctx, product, at, []any{1, "kettle", "12.50"}); err != nil {
		fmt.Println(err)
	}
	change := dmsgen.Change{Op: dmsgen.Update, Row: []any{1, "kettle", "13.00"}}
	if _, err := w.WriteChanges(ctx, product, at.Add(time.Minute), change); err != nil {
		fmt.Println(err)
	}
	// Output:
	// sampledb/product/LOAD00000001.parquet [id name price] [[1 kettle 12.50]]
	// sampledb/product/20250102-030505678.parquet [Op id name price] [[U 1 kettle 13.00]]
}
