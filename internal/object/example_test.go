package object_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/internal/object"
)

// A rewrite replaces an object only if it is still the one that was read; ranges that do not change are copied inside
// the store.
func Example() {
	ctx := context.Background()
	store := object.NewMemory(time.Now)
	old, err := store.Put(ctx, "lake/product/part-1.parquet", []byte("head|rows|tail"), object.PutInput{})
	if err != nil {
		fmt.Println(err)
		return
	}

	rewrite := func(head string) error {
		in := object.PutInput{Condition: object.Condition{IfMatch: old.ETag}}
		u := store.Create(ctx, old.Key, in)
		if _, err := u.Write([]byte(head)); err != nil {
			return errors.Join(err, u.Abort(ctx))
		}
		if err := u.CopyFrom(ctx, object.CopyInput{Key: old.Key, ETag: old.ETag, Offset: 4, Length: 10}); err != nil {
			return errors.Join(err, u.Abort(ctx))
		}
		_, err := u.Close(ctx)
		fmt.Printf("%+v\n", u.Counts())
		return err
	}

	fmt.Println(rewrite("HEAD"))
	fmt.Println(errors.Is(rewrite("Head"), object.ErrSource)) // it is no longer the object that was read
	for e, err := range store.List(ctx, object.ListInput{Prefix: "lake/"}) {
		fmt.Println(e.Key, e.Size, err)
	}
	// Output:
	// {BytesWritten:4 BytesCopied:10 BytesRead:0}
	// <nil>
	// true
	// lake/product/part-1.parquet 14 <nil>
}
