package dms

import (
	"context"
	"iter"
	"slices"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

const (
	maxBatchRows  = 16_384
	minBatchRows  = 64
	maxBatchBytes = 32 << 20 // decoded; a batch of the fewest rows may be larger
)

// Batches yields the rows row group by row group, in batches of at most 16,384 rows and about
// 32 MiB. A file without rows yields none. It reads the ops, the wanted columns and their before images
// alone; their pages do not end at the same rows, so every one is read in step with the
// others: memory is the compressed row group's read columns, one page of each, and the batch. Errors
// are [*InputError] or what the file returned.
func (in *Input) Batches(ctx context.Context, wanted []int) iter.Seq2[Batch, error] {
	return in.each(ctx, wanted, in.batch)
}

// each yields what read makes of the next rows, row group by row group.
func (in *Input) each(ctx context.Context, wanted []int, read func(s *streams, first int64, rows int) (Batch, error)) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for g, group := range in.src.RowGroups() {
			if !in.group(ctx, groupOf{g, group, wanted, read}, yield) {
				return
			}
		}
	}
}

// groupOf is a row group, its number, and what is read of it how.
type groupOf struct {
	number int
	parquetedit.RowGroup
	wanted []int
	read   func(s *streams, first int64, rows int) (Batch, error)
}

// group yields the batches of a row group; it returns false when there is to be no further one.
func (in *Input) group(ctx context.Context, g groupOf, yield func(Batch, error) bool) bool {
	streams := in.open(ctx, g.number, g.wanted)
	defer streams.stop()
	rows := batchRows(g.RowGroup)
	for at := int64(0); at < g.Rows; at += rows {
		if err := ctx.Err(); err != nil {
			yield(Batch{}, err)
			return false
		}
		batch, err := g.read(streams, g.FirstRow+at, int(min(rows, g.Rows-at)))
		if err != nil {
			yield(Batch{}, err)
			return false
		}
		if batch.Chosen != nil && len(batch.Chosen) == 0 {
			continue
		}
		if !yield(batch, nil) {
			return false
		}
	}
	return true
}

// batchRows is how many rows of a group make a batch.
func batchRows(g parquetedit.RowGroup) int64 {
	if g.Rows == 0 {
		return maxBatchRows
	}
	each := max(g.UncompressedBytes/g.Rows, 1)
	return min(max(maxBatchBytes/each, minBatchRows), maxBatchRows)
}

// streams are the columns of a row group that are read, nil for those that are not.
type streams struct {
	op      *stream
	deleted *stream
	columns []*stream
	before  []*stream
}

func (in *Input) open(ctx context.Context, group int, wanted []int) *streams {
	s := &streams{columns: make([]*stream, len(in.data)), before: make([]*stream, len(in.before))}
	if in.marks.op >= 0 {
		s.op = in.stream(ctx, group, in.marks.op)
	}
	if in.marks.deleted >= 0 {
		s.deleted = in.stream(ctx, group, in.marks.deleted)
	}
	for i, place := range in.data {
		if wanted == nil || slices.Contains(wanted, i) {
			s.columns[i] = in.stream(ctx, group, place)
		}
	}
	for i, place := range in.before {
		if s.columns[in.of[i]] != nil {
			s.before[i] = in.stream(ctx, group, place)
		}
	}
	return s
}

func (s *streams) stop() {
	for _, list := range [][]*stream{{s.op, s.deleted}, s.columns, s.before} {
		for _, one := range list {
			if one != nil {
				one.stop()
			}
		}
	}
}

func (in *Input) batch(s *streams, first int64, rows int) (Batch, error) {
	b := Batch{FirstRow: first, Columns: make([][]parquet.Value, len(s.columns)), Before: make([][]parquet.Value, len(s.before))}
	var err error
	if b.Ops, err = in.ops(s, first, rows); err != nil {
		return Batch{}, err
	}
	for i, column := range s.columns {
		if b.Columns[i], err = column.take(first, rows); err != nil {
			return Batch{}, err
		}
	}
	for i, column := range s.before {
		if b.Before[i], err = column.take(first, rows); err != nil {
			return Batch{}, err
		}
	}
	in.untell(b)
	return b, nil
}
