package statestore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/statestore"
)

// A table from its registration to its first merge, and a plan that came too late.
func Example() {
	ctx := context.Background()
	const path = "raw/store/product/"
	s := statestore.New(statestore.NewMemory(time.Now))

	item, created, _ := s.Register(ctx, statestore.Item{statestore.Path: path, statestore.OutPath: "lake/"})
	fmt.Println(created, item[statestore.LastIncrementalFile], item.Active())

	_ = s.Activate(ctx, path, map[string]string{statestore.PrimaryKey: "id"})
	plan := statestore.Pending{
		Path: path, Base: 0, Seq: 1, CommitID: "5f0c9e21", PlanKey: "_sluice/product/commits/000000000001-5f0c9e21.json",
		Settings: map[string]string{statestore.PrimaryKey: "id"},
	}
	fmt.Println(s.Commit(ctx, plan))

	late := plan
	late.CommitID = "77aa0b13"
	fmt.Println(errors.Is(s.Commit(ctx, late), statestore.ErrConflict))

	_ = s.Finish(ctx, statestore.Finished{
		Path: path, Seq: 1, CommitID: "5f0c9e21",
		Set: map[string]string{statestore.LastIncrementalFile: path + "20260131-120000000.parquet"},
	})
	item, _ = s.Read(ctx, path)
	fmt.Println(item[statestore.Seq], item.Pending(), item[statestore.LastIncrementalFile])
	// Output:
	// true raw/store/product/0.parquet false
	// <nil>
	// true
	// 000000000001 false raw/store/product/20260131-120000000.parquet
}
