package lake

import (
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// TestColumnsThatAreTheSameInRowsOfOneKey: values that are equal as keys may lie differently in a file.
func TestColumnsThatAreTheSameInRowsOfOneKey(t *testing.T) {
	long := parquetedit.Type{Physical: parquet.Int64}
	text := parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}
	cents := parquetedit.Type{Physical: parquet.Int64, Logical: parquetedit.Decimal, Precision: 10, Scale: 2}
	mills := parquetedit.Type{Physical: parquet.Int64, Logical: parquetedit.Decimal, Precision: 10, Scale: 3}
	wide := parquetedit.Type{Physical: parquet.FixedLenByteArray, Length: 16, Logical: parquetedit.Decimal, Precision: 30, Scale: 2}
	float := parquetedit.Type{Physical: parquet.Double}
	for name, c := range map[string]struct {
		table, file parquetedit.Type
		key, dir    []string
		want        []int
	}{
		"integers":             {long, long, []string{"k"}, nil, []int{1}},
		"text":                 {text, text, []string{"k"}, nil, []int{1}},
		"decimals":             {cents, cents, []string{"k"}, nil, []int{1}},
		"of another scale":     {mills, cents, []string{"k"}, nil, nil},
		"decimals in bytes":    {wide, wide, []string{"k"}, nil, nil}, // may begin with redundant signs
		"zeros of both signs":  {float, float, []string{"k"}, nil, nil},
		"no key":               {long, long, []string{"other"}, nil, nil},
		"the directory counts": {long, long, []string{"k"}, []string{"k"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Schema{Columns: []parquetedit.Column{{Name: "k", Type: c.table}, {Name: "other", Type: float}}, Key: c.key, Partition: c.dir}
			got := s.unchanging([]parquetedit.Column{{Name: OpColumn, Type: text}, {Name: "k", Type: c.file}, {Name: "gone", Type: long}})
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
