package dms

import (
	"context"
	"iter"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// Chosen yields the rows that c chooses, in batches as [Input.Batches] does, without those that are empty. It reads the ops
// and the columns that c chooses by of every row. Of the others it copies what is chosen, and of a row group where nothing is
// it reads nothing. Errors are [*InputError], what c returned, or what the file returned.
func (in *Input) Chosen(ctx context.Context, wanted []int, c Choice) iter.Seq2[Batch, error] {
	return in.each(ctx, wanted, func(s *streams, first int64, rows int) (Batch, error) { return in.chosen(s, c, first, rows) })
}

func (in *Input) chosen(s *streams, c Choice, first int64, rows int) (Batch, error) {
	by, others := s.split(c.By, in.of)
	b, err := in.batch(by, first, rows)
	if err != nil {
		return Batch{}, err
	}
	if b.Chosen, err = c.Rows(b); err != nil {
		return Batch{}, err
	}
	if b.Chosen == nil {
		b.Chosen = []int32{}
	}
	b.Ops = keep(b.Ops, b.Chosen)
	for i := range b.Columns {
		if err := others.take(&b.Columns[i], others.columns[i], b, rows); err != nil {
			return Batch{}, err
		}
	}
	for i := range b.Before {
		if err := others.take(&b.Before[i], others.before[i], b, rows); err != nil {
			return Batch{}, err
		}
	}
	in.untell(b)
	return b, nil
}

// split divides the streams into those of some columns, with the op, and the others.
func (s *streams) split(by, of []int) (chosen, others *streams) {
	chosen = &streams{op: s.op, deleted: s.deleted, columns: slices.Clone(s.columns), before: slices.Clone(s.before)}
	others = &streams{columns: slices.Clone(s.columns), before: slices.Clone(s.before)}
	divide := func(column int, a, b **stream) {
		if slices.Contains(by, column) {
			*b = nil
		} else {
			*a = nil
		}
	}
	for i := range s.columns {
		divide(i, &chosen.columns[i], &others.columns[i])
	}
	for i := range s.before {
		divide(of[i], &chosen.before[i], &others.before[i])
	}
	return chosen, others
}

// take brings a column to the chosen rows: by reading it, or from what was read of every row.
func (s *streams) take(column *[]parquet.Value, from *stream, b Batch, rows int) error {
	if from == nil {
		*column = keep(*column, b.Chosen)
		return nil
	}
	var err error
	*column, err = from.takeChosen(b.FirstRow, rows, b.Chosen)
	return err
}

// keep moves the chosen values to the front and returns them; nil stays nil.
func keep[T any](values []T, chosen []int32) []T {
	if values == nil {
		return nil
	}
	for i, c := range chosen {
		values[i] = values[c]
	}
	return values[:len(chosen)]
}
