package lake_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// A table of products lies in the lake as one file. Four changes arrive: product 2 got
// another name twice, product 1 is gone, product 3 is new. They are folded to one change per key,
// the plan says what becomes of which file, and the file is written again with its slice of the changes.
func Example() {
	ctx := context.Background()
	id, str := parquet.Int32Value, func(s string) parquet.Value { return parquet.ByteArrayValue([]byte(s)) }
	text := parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}
	op := parquetedit.Column{Name: lake.OpColumn, Type: text}
	columns := []parquetedit.Column{{Name: "id", Type: parquetedit.Type{Physical: parquet.Int32}}, {Name: "name", Type: text}}
	table := &lake.Schema{Columns: columns, Key: []string{"id"}, Op: true}
	withOp := append([]parquetedit.Column{op}, columns...)

	product := exampleBody(withOp, [][]parquet.Value{{str("I"), str("I")}, {id(1), id(2)}, {str("lamp"), str("chair")}})
	input := exampleBody(withOp, [][]parquet.Value{
		{str("U"), str("D"), str("I"), str("U")}, {id(2), id(1), id(3), id(2)}, {str("stool"), {}, str("table"), str("armchair")},
	})

	reader, _ := dms.Open(exampleOpen(input), dms.Options{})
	fold, _ := lake.NewFold(table, lake.FoldOptions{})
	_ = fold.Add(ctx, lake.Input{Name: "20211123-113401000.parquet", Reader: reader})
	changes, _ := fold.Net()
	fmt.Println(changes.Read, "changes of", changes.Len(), "keys")

	files := []*lake.File{{Key: "product/part-1.parquet", Rows: 2, Size: 600, Columns: withOp}}
	open := func(ctx context.Context, _ *lake.File) (*parquetedit.File, error) {
		return parquetedit.Open(ctx, exampleSource(product))
	}
	plan, _ := changes.PlanMerge(ctx, files, open, lake.Limits{TargetFileBytes: 128 << 20, Parallel: 4})
	fmt.Printf("%+v\n", plan.Counts)
	for _, r := range plan.Rewrites {
		fmt.Println("rewrite", files[r.File].Key, "delete rows", r.Deletes, "replace rows", r.Replaces, "append", r.Appends())
	}

	var object bytes.Buffer // what a commit keeps: the rows of every op
	spans, _ := plan.WriteChanges(ctx, &object)
	slice, _ := lake.ReadSlice(ctx, exampleOpen(object.Bytes()), table, spans[0])
	var body bytes.Buffer
	stats, err := slice.Rewrite(ctx, exampleOpen(product), parquetedit.NewOutput(exampleSource(product), &body), lake.FileOptions{})
	fmt.Println(stats.Rows, "rows written", err)
	after := exampleOpen(body.Bytes())
	for c, column := range after.Columns() {
		_ = after.ReadColumn(ctx, 0, c, func(_ int64, values []parquet.Value) error {
			fmt.Println(column.Name, values)
			return nil
		})
	}
	// Output:
	// 4 changes of 3 keys
	// {Inserts:1 Updates:1 Deletes:1 Noops:0 Stale:0 Duplicates:0 Strays:0}
	// rewrite product/part-1.parquet delete rows [0] replace rows [1] append 1
	// 2 rows written <nil>
	// Op [U I]
	// id [2 3]
	// name [armchair table]
}

func exampleBody(columns []parquetedit.Column, values [][]parquet.Value) []byte {
	var body bytes.Buffer
	w, _ := parquetedit.NewWriter(&body, columns, parquetedit.WriterOptions{})
	_ = w.Write(values)
	_ = w.Close()
	return body.Bytes()
}

func exampleSource(body []byte) parquetedit.Source {
	return parquetedit.ReaderAt{ReaderAt: bytes.NewReader(body), N: int64(len(body))}
}

func exampleOpen(body []byte) *parquetedit.File {
	f, _ := parquetedit.Open(context.Background(), exampleSource(body))
	return f
}
