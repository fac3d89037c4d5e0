package lake

import (
	"context"
	"fmt"
	"slices"

	"sluice/internal/dms"
)

// Exchange opens the inputs of a compaction and takes its outputs.
type Exchange struct {
	Open func(ctx context.Context, file int) (LoadFile, error)
	Sink Sink
}

// Unite carries out one op of a compaction, whose outputs have the given columns, the op among them: the rows of its
// parts, in their order, go to its outputs, one after the other, as many to each as it is to have. Inputs are opened when
// their turn comes, and let go behind it. It holds a row group of the output, and of an input one that is copied whole, or
// some pages of it.
func Unite(ctx context.Context, op LoadOp, columns []Column, s Exchange) error {
	load := &Load{Schema: &Schema{Columns: columns}, Options: dms.Options{Lake: true, OpIsData: true}}
	u := &union{load: load, op: op, sink: s.Sink, at: -1}
	for _, p := range op.Parts {
		in, err := s.Open(ctx, p.File)
		if err != nil {
			return err
		}
		u.load.Inputs = []LoadFile{in}
		if err := u.part(ctx, p.Groups); err != nil {
			return err
		}
	}
	if u.left > 0 || u.at < len(op.Outputs)-1 {
		return fmt.Errorf("%d rows are missing in output %d", u.left, u.at)
	}
	return nil
}

// union is the outputs of an op in the making.
type union struct {
	load *Load
	op   LoadOp
	sink Sink
	at   int         // output under way
	left int64       // rows that it still is to have
	out  *loadOutput // nil when it is there already
}

// next opens the next output when the one before has all its rows.
func (u *union) next() error {
	if u.left > 0 {
		return nil
	}
	if u.at++; u.at == len(u.op.Outputs) {
		return fmt.Errorf("there are more rows than the %d outputs are to have", u.at)
	}
	u.left, u.out = u.op.Outputs[u.at].Rows, nil
	w, o, err := u.sink.Open(u.at)
	if err != nil || w == nil {
		return err
	}
	u.out, err = u.load.writer(w, o, &loadOutput{load: u.load, sink: u.sink, n: u.at, body: w})
	return err
}

// took counts rows that the output now has, and closes it with the last of them.
func (u *union) took(rows int64) error {
	if u.left -= rows; u.left > 0 || u.out == nil {
		return nil
	}
	return u.out.close()
}

// part copies row groups that fit whole into an output column by column, and reads the others as rows.
func (u *union) part(ctx context.Context, groups []int) error {
	in := u.load.Inputs[0]
	origins, err := u.load.origins(in, u.names())
	if err != nil {
		return err
	}
	if origins == nil {
		return u.rows(ctx, groups)
	}
	infos := in.Open.RowGroups()
	for _, group := range groups {
		rows := infos[group].Rows
		if rows == 0 {
			continue
		}
		if err := u.next(); err != nil {
			return err
		}
		switch {
		case rows > u.left, u.out != nil && !u.out.out.Takes(in.pages(), group):
			err = u.rows(ctx, []int{group})
		case u.out == nil:
			err = u.took(rows)
		default:
			if err = u.out.out.CopyRows(ctx, in.pages(), group, origins); err != nil {
				return fmt.Errorf("read %s: %w", in.Name, err)
			}
			err = u.took(rows)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// names are the columns of every output, which are all of the schema.
func (u *union) names() *loadOutput {
	names := make([]int, len(u.load.Schema.Columns))
	for i := range names {
		names[i] = i
	}
	return &loadOutput{names: names}
}

// rows reads row groups as rows, for one output or for several.
func (u *union) rows(ctx context.Context, groups []int) error {
	for rows, err := range u.load.rows(ctx, Part{Groups: groups}, nil) {
		if err != nil {
			return err
		}
		for n := len(rows.ops); n > 0; n = len(rows.ops) {
			if err := u.next(); err != nil {
				return err
			}
			n = int(min(int64(n), u.left))
			if u.out != nil {
				if err := u.out.write(rows.first(n)); err != nil {
					return err
				}
			}
			if err := u.took(int64(n)); err != nil {
				return err
			}
			rows = rows.behind(n)
		}
	}
	return nil
}

// first returns the first n rows.
func (r *loadRows) first(n int) loadRows { return r.cut(0, n) }

// behind returns the rows behind the first n.
func (r *loadRows) behind(n int) loadRows { return r.cut(n, len(r.ops)) }

func (r *loadRows) cut(from, to int) loadRows {
	part := loadRows{ops: r.ops[from:to], columns: slices.Clone(r.columns)}
	for c, column := range part.columns {
		if column != nil {
			part.columns[c] = column[from:to]
		}
	}
	return part
}
