package parquetedit_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// TestNoColumnIsAddedThatWouldBeRefused: a file of more than 4,096 columns was written, and could not be opened again.
func TestNoColumnIsAddedThatWouldBeRefused(t *testing.T) {
	long := parquetedit.Type{Physical: parquet.Int64}
	b := write(t, []parquetedit.Column{column("n", long)}, [][]parquet.Value{ints(1)}, parquetedit.WriterOptions{})
	var s parquetedit.Script
	for i := range 4096 {
		s.Add = append(s.Add, column(fmt.Sprint("c", i), long))
	}
	_, err := parquetedit.Rewrite(t.Context(), open(t, b), s, parquetedit.NewOutput(source(b), io.Discard))
	if !errors.Is(err, parquetedit.ErrScript) {
		t.Errorf("got %v, want ErrScript", err)
	}
}
