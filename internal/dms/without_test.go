package dms_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// TestWithout takes random rows out of random files and reads them every way.
func TestWithout(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 3))
		file := &table{columns: []parquetedit.Column{column("id", parquet.Int64), column("v", parquet.ByteArray)}, page: 1 + rng.IntN(5)}
		var ids []int64
		for range 1 + rng.IntN(4) {
			var first, second []parquet.Value
			for range rng.IntN(9) {
				ids = append(ids, int64(len(ids)))
				first = append(first, parquet.Int64Value(ids[len(ids)-1]))
				second = append(second, parquet.ByteArrayValue([]byte(fmt.Sprint("row ", len(ids)-1))))
			}
			file.groups = append(file.groups, [][]parquet.Value{first, second})
		}
		var out dms.Rows
		for from := int64(0); from < int64(len(ids)); {
			from += rng.Int64N(4)
			to := min(from+1+rng.Int64N(4), int64(len(ids)))
			if from < to && rng.IntN(2) == 0 && (len(out) == 0 || out[len(out)-1].To < from) {
				out = append(out, dms.Span{From: from, To: to})
			}
			from = to + 1
		}
		want := slices.DeleteFunc(slices.Clone(ids), out.Has)
		rest := dms.Without(file, out)
		if rest.NumRows() != int64(len(want)) || out.Count() != int64(len(ids)-len(want)) {
			t.Fatalf("seed %d: %d rows left, %d out, want %d left of %d", seed, rest.NumRows(), out.Count(), len(want), len(ids))
		}
		if dms.Whole(rest) != dms.Columnar(file) {
			t.Fatalf("seed %d: the whole file is lost", seed)
		}
		in, err := dms.Open(rest, dms.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got, texts []string
		next := int64(0)
		for b, err := range in.Batches(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			for i := range b.Ops {
				if b.Row(i) != next {
					t.Fatalf("seed %d: row %d where %d comes", seed, b.Row(i), next)
				}
				next++
				got, texts = append(got, fmt.Sprint("row ", b.Columns[0][i].Int64())), append(texts, string(b.Columns[1][i].ByteArray()))
			}
		}
		var wanted []string
		for _, id := range want {
			wanted = append(wanted, fmt.Sprint("row ", id))
		}
		if !slices.Equal(got, wanted) || !slices.Equal(texts, wanted) {
			t.Fatalf("seed %d without %v: got %q and %q, want %q", seed, out, got, texts, wanted)
		}
		for first := range ids {
			n := rng.IntN(6)
			var inside []int32
			for i := range n {
				if out.Has(int64(first + i)) {
					inside = append(inside, int32(i))
				}
			}
			if in := out.In(int64(first), n); !slices.Equal(in, inside) {
				t.Fatalf("seed %d: in %d rows from %d: %v, want %v", seed, n, first, in, inside)
			}
		}
	}
}
