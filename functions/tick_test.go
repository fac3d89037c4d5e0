package functions_test

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// TestTickOfManyTables: more tables than a page of S3 or of DynamoDB holds, of which some have work.
func TestTickOfManyTables(t *testing.T) {
	t.Parallel()
	const tables, working = 1200, 20
	a := deploy(t, nil)
	var group errgroup.Group
	group.SetLimit(16)
	for n := range tables {
		group.Go(func() error {
			table := product()
			table.Name = fmt.Sprintf("t%04d", n)
			_, err := a.out.WriteLoad(t.Context(), table, time.Now(), []any{int64(n), "a", "x"})
			return err
		})
	}
	a.must(group.Wait())
	if got := a.tick(); got.Registered != tables || got.Tables != tables {
		t.Fatalf("first tick: %+v", got)
	}
	for n := range working {
		path := fmt.Sprintf("%s/dms/store/t%04d/", a.raw, n*(tables/working))
		a.set(path, "ActiveFlag", "true")
		a.set(path, "PrimaryKey", "id")
	}
	if got := a.tick(); got.Started != working || got.Inactive != tables-working {
		t.Errorf("second tick: %+v", got)
	}
	if got := a.tick(); got.Started != 0 || got.Idle != working {
		t.Errorf("third tick: %+v", got)
	}
	for n := range working {
		folder := fmt.Sprintf("t%04d", n*(tables/working))
		if got := a.rows(a.lake, folder, "id, name, dept"); len(got) != 1 {
			t.Errorf("%s: %v", folder, got)
		}
	}
}
