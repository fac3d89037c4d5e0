package lake_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// TestNoColumnIsTakenThatNoLakeFileCouldHold: a table of 4,096 columns was planned, and its lake files, which have Op as well,
// could not be written.
func TestNoColumnIsTakenThatNoLakeFileCouldHold(t *testing.T) {
	t.Parallel()
	var s lake.Schema
	columns := make([]lake.Column, parquetedit.MaxColumns)
	for i := range columns {
		columns[i] = lake.Column{Name: fmt.Sprintf("c%d", i), Type: parquetedit.Type{Physical: parquet.Int32}}
	}
	if err := s.Extend(columns[1:], "a"); err != nil {
		t.Error(err)
	}
	var refused *lake.SchemaError
	if err := s.Extend(columns, "b"); !errors.As(err, &refused) || refused.Column != "c0" {
		t.Error(err)
	}
}
