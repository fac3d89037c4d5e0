package lake

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"golang.org/x/sync/errgroup"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// slabRows is how many rows are hashed at a time: more than a row group of ours holds. Of a larger row group
// columns are decoded again for each slab.
const slabRows = 1 << 19

// roleOf says what a file is to a claim.
type roleOf int

const (
	changeFile roleOf = iota
	loadFile
	lakeFile
)

// checked is a file of a claim, open, with its columns matched to the table's.
type checked struct {
	ClaimFile
	role   roleOf
	n      int // index in its list
	open   dms.Columnar
	cells  []cellReader
	before []cellReader // before images of key columns
	op     int          // place of the op, or -1
	gone   int          // place of __deleted in a file of Debezium's, or -1
	parse  func(value) (dms.Op, error)
	leaves bool          // changes may leave out what they did not change
	order  int           // index into cells of the order column, or -1
	dir    map[int]value // values that a lake file's directory stands for, by column of the table
}

// checkFile opens a file and matches its columns.
func (v *verifier) checkFile(ctx context.Context, f ClaimFile, role roleOf, n int) (*checked, error) {
	open, err := f.Open(ctx)
	if err != nil {
		return nil, err
	}
	c := &checked{ClaimFile: f, role: role, n: n, open: open, order: -1, op: find(open.Columns(), OpColumn), gone: -1, parse: parseOp}
	names := withoutOpColumn(open.Columns())
	if role == lakeFile {
		if c.dir, err = v.Schema.dirValues(f.Dir); err != nil {
			c.dir = nil // the rows have no partition, and so differ from what they should be
		}
	} else {
		reader, err := dms.Open(open, v.options())
		if err != nil {
			return nil, inputError(f.Name, err)
		}
		names = reader.Columns()
		var dialect dms.Dialect
		if dialect, c.op, c.gone = reader.Marks(); dialect == dms.Debezium {
			c.parse, c.leaves = dms.ParseDebeziumOp, role == changeFile
		}
		v.matchBefore(c, reader)
	}
	for _, column := range names {
		at := v.Schema.Index(column.Name)
		if _, byDir := c.dir[at]; at < 0 || byDir {
			continue
		}
		if at == v.order {
			c.order = len(c.cells)
		}
		c.cells = append(c.cells, v.cellReader(find(open.Columns(), column.Name), at, column.Type))
	}
	return c, nil
}

func withoutOpColumn(columns []parquetedit.Column) []parquetedit.Column {
	return slices.DeleteFunc(slices.Clone(columns), func(c parquetedit.Column) bool { return c.Name == OpColumn })
}

// matchBefore finds the before images of key columns.
func (v *verifier) matchBefore(c *checked, reader *dms.Input) {
	prefix := v.BeforeImagePrefix
	if prefix == "" {
		prefix = dms.DefaultBeforeImagePrefix
	}
	for _, of := range reader.BeforeImage() {
		name := reader.Columns()[of].Name
		column := v.Schema.Index(name)
		if place := find(c.open.Columns(), prefix+name); slices.Contains(v.key, column) && place >= 0 {
			c.before = append(c.before, v.cellReader(place, column, c.open.Columns()[place].Type))
		}
	}
}

// slab is a run of rows of a row group, hashed.
type slab struct {
	file     *checked
	group    int
	from     int64 // number of the first row in the row group
	row, key []hash128
	old      []hash128 // keys before an update; nil where the file has no before images of the key
	ops      []dms.Op  // nil = all inserts
	order    []string  // nil without an order column
}

// files yields the open files of a role, a few of them opened ahead.
func (v *verifier) files(ctx context.Context, list []ClaimFile, role roleOf) iter.Seq2[*checked, error] {
	const opened = 8 // requests in flight: opening waits for the store, not for the processor
	numbers := func(yield func(int, error) bool) {
		for n := range list {
			if !yield(n, nil) {
				return
			}
		}
	}
	return ahead(ctx, opened, numbers, func(ctx context.Context, n int) (*checked, error) {
		return v.checkFile(ctx, list[n], role, n)
	})
}

// slabs yields the rows of the files in order, hashed by several goroutines.
func (v *verifier) slabs(ctx context.Context, list []ClaimFile, role roleOf) iter.Seq2[*slab, error] {
	parts := func(yield func(*slab, error) bool) {
		for f, err := range v.files(ctx, list, role) {
			if err != nil {
				yield(nil, err)
				return
			}
			for group, info := range f.open.RowGroups() {
				for from := int64(0); from < info.Rows; from += slabRows {
					n := min(info.Rows-from, slabRows)
					if !yield(&slab{file: f, group: group, from: from, row: make([]hash128, n)}, nil) {
						return
					}
				}
			}
		}
	}
	return ahead(ctx, max(v.Parallel, 1), parts, v.hashSlab)
}

// answer is what a goroutine made of an item.
type answer[R any] struct {
	value R
	err   error
}

// ahead yields what do makes of each item, in the order of the items, while further ones are being made: as many at once
// as the window is wide. It ends with the first error; its goroutines end with it.
func ahead[T, R any](ctx context.Context, window int, items iter.Seq2[T, error], do func(context.Context, T) (R, error)) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		inner, stop := context.WithCancel(ctx)
		group, inner := errgroup.WithContext(inner)
		defer func() { stop(); _ = group.Wait() }()
		queue := make(chan chan answer[R], window-1)
		group.Go(func() error {
			defer close(queue)
			for item, err := range items {
				place := make(chan answer[R], 1)
				select {
				case queue <- place:
				case <-inner.Done():
					return nil
				}
				if err != nil {
					place <- answer[R]{err: err}
					return nil
				}
				group.Go(func() error {
					value, err := do(inner, item)
					place <- answer[R]{value, err}
					return nil
				})
			}
			return nil
		})
		for place := range queue {
			a := <-place
			if !yield(a.value, a.err) || a.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			var none R
			yield(none, err)
		}
	}
}

// hashSlab hashes the rows of a slab, one column after the other.
func (v *verifier) hashSlab(ctx context.Context, s *slab) (*slab, error) {
	s.key = make([]hash128, len(s.row))
	h := &slabHasher{verifier: v, slab: s, parts: map[int][]hash128{}}
	for i := range s.file.cells {
		if err := h.column(ctx, i); err != nil {
			return nil, fmt.Errorf("read %s: %w", s.file.Name, err)
		}
	}
	h.partition()
	if err := h.beforeImages(ctx); err != nil {
		return nil, fmt.Errorf("read %s: %w", s.file.Name, err)
	}
	if err := h.ops(ctx); err != nil {
		return nil, fmt.Errorf("read %s: %w", s.file.Name, err)
	}
	h.finish()
	return s, nil
}
