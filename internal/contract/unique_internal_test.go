package contract

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// changes is a file of ops and keys, in row groups of three rows.
type changes struct {
	ops  string // a letter a row
	keys []int64
}

func (c changes) Columns() []parquetedit.Column {
	return []parquetedit.Column{
		{Name: dms.OpColumn, Type: parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}},
		{Name: "id", Type: parquetedit.Type{Physical: parquet.Int64}},
	}
}

func (c changes) NumRows() int64                             { return int64(len(c.keys)) }
func (c changes) Bounds(int, int) (parquetedit.Bounds, bool) { return parquetedit.Bounds{}, false }
func (c changes) ChunkBytes(int, int) (int64, int64)         { return 0, 0 }

func (c changes) RowGroups() []parquetedit.RowGroup {
	var groups []parquetedit.RowGroup
	for from := 0; from < len(c.keys); from += 3 {
		groups = append(groups, parquetedit.RowGroup{FirstRow: int64(from), Rows: int64(min(3, len(c.keys)-from))})
	}
	return groups
}

func (c changes) ReadColumn(_ context.Context, group, column int, yield func(int64, []parquet.Value) error) error {
	for row := 3 * group; row < min(3*group+3, len(c.keys)); row++ {
		v := parquet.Int64Value(c.keys[row])
		if column == 0 {
			v = parquet.ByteArrayValue([]byte(c.ops[row : row+1]))
		}
		if err := yield(int64(row-3*group), []parquet.Value{v}); err != nil {
			return err
		}
	}
	return nil
}

// TestKeysAreUniqueHoweverFewAreRemembered judges random files with a memory for few keys, and compares with a map.
func TestKeysAreUniqueHoweverFewAreRemembered(t *testing.T) {
	schema := &lake.Schema{Columns: []parquetedit.Column{{Name: "id", Type: parquetedit.Type{Physical: parquet.Int64}}}, Key: []string{"id"}}
	twice := 0
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 7))
		c, err := Parse("on_violation: quarantine\nrules: [{unique_key: true}]\n")
		if err != nil {
			t.Fatal(err)
		}
		c.keys = int64(1 + rng.IntN(30))
		var inputs []Input
		var found, want [][]Finding
		inserted := map[int64]bool{}
		var first *ViolationError
		for n := range 1 + rng.IntN(3) {
			file, name := changes{}, fmt.Sprint("file ", n)
			var out, bad []Finding
			for row := range rng.IntN(40) {
				op, key := "IIIIUD"[rng.IntN(6)], rng.Int64N(12)
				file.ops, file.keys = file.ops+string(op), append(file.keys, key)
				switch {
				case rng.IntN(8) == 0: // another rule keeps it out
					out = add(out, int64(row), verdict{"id", "min"})
				case op == 'D':
					delete(inserted, key)
				case op == 'I' && inserted[key]:
					bad = add(bad, int64(row), verdict{"", "unique_key"})
					if first == nil {
						first = &ViolationError{File: name, Rule: "unique_key", Row: int64(row)}
					}
				case op == 'I':
					inserted[key] = true
				}
			}
			reader, err := dms.Open(file, dms.Options{})
			if err != nil {
				t.Fatal(err)
			}
			inputs, found, want = append(inputs, Input{Name: name, Reader: reader}), append(found, out), append(want, merge(out, bad))
			twice += len(bad)
		}
		got := slices.Clone(found)
		if err := c.JudgeKeys(t.Context(), schema, inputs, got); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("seed %d, %d keys at once: got %v, want %v", seed, c.keys, got, want)
		}
		c.rules[0].quarantine = false
		err = c.JudgeKeys(t.Context(), schema, inputs, slices.Clone(found))
		var stop *ViolationError
		if errors.As(err, &stop); (stop == nil) != (first == nil) || stop != nil && *stop != *first {
			t.Fatalf("seed %d: halts at %v, want %v", seed, err, first)
		}
	}
	if twice < 500 {
		t.Errorf("%d keys came twice: too few to say anything", twice)
	}
}
