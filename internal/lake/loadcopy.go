package lake

import (
	"context"
	"fmt"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// streamAll writes every row of the parts to one output. Row groups whose columns have
// the lake's types already are copied column by column; the others are read as rows.
func (l *Load) streamAll(ctx context.Context, op LoadOp, out *loadOutput) error {
	for _, p := range op.Parts {
		in := l.Inputs[p.File]
		origins, err := l.origins(in, out)
		if err != nil {
			return err
		}
		if in.pages() == nil {
			if err := l.streamRows(ctx, p, out); err != nil {
				return err
			}
			continue
		}
		c := &groupCopy{load: l, in: in, out: out, origins: origins}
		for _, group := range p.Groups {
			if err := c.run(ctx, Part{p.File, []int{group}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// rowsAhead is how many row groups of an input without pages are read ahead of the one that is written.
const rowsAhead = 2

// streamRows writes the rows of an input that has no pages. Row groups are read while the one before them is written.
func (l *Load) streamRows(ctx context.Context, p Part, out *loadOutput) error {
	groups := func(yield func(int, error) bool) {
		for _, group := range p.Groups {
			if !yield(group, nil) {
				return
			}
		}
	}
	read := ahead(ctx, rowsAhead, groups, func(ctx context.Context, group int) ([]loadRows, error) {
		var all []loadRows
		for rows, err := range l.rows(ctx, Part{p.File, []int{group}}, nil) {
			if err != nil {
				return nil, err
			}
			all = append(all, rows)
		}
		return all, nil
	})
	for all, err := range read {
		if err != nil {
			return err
		}
		for _, rows := range all {
			if err := out.writeChecked(l.Inputs[p.File].Name, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// groupCopy copies row groups of an input into an output.
type groupCopy struct {
	load    *Load
	in      LoadFile
	out     *loadOutput
	origins []parquetedit.Origin // by column of the output; nil when some column has to be converted
}

// origins says where the columns of the output come from in rows that are inserts; nil when values have to be converted,
// or the input has no pages.
func (l *Load) origins(in LoadFile, out *loadOutput) ([]parquetedit.Origin, error) {
	if in.pages() == nil {
		return nil, nil
	}
	reader, err := dms.Open(in.Open, l.Options)
	if err != nil {
		return nil, inputError(in.Name, err)
	}
	m, err := l.match(in, reader, nil)
	if err != nil {
		return nil, err
	}
	file := in.Open.Columns()
	origins := make([]parquetedit.Origin, len(out.names))
	for i, c := range out.names {
		dirValue, inDir := m.constant[c]
		switch {
		case inDir: // a lake file of a partition that the new schema does not have
			origins[i] = parquetedit.Origin{Column: -1, Value: dirValue}
			continue
		case c < 0:
			origins[i] = parquetedit.Origin{Column: -1, Value: opValue(dms.Insert)}
			continue
		case m.at[c] < 0:
			origins[i] = parquetedit.Origin{Column: -1}
			continue
		}
		at := find(file, m.columns[m.at[c]].Name)
		want := l.Schema.Columns[c]
		if m.convert[c] != nil || file[at].Type.Physical != want.Type.Physical || file[at].Type.Length != want.Type.Length || want.Required && !file[at].Required {
			return nil, nil
		}
		origins[i] = parquetedit.Origin{Column: at}
	}
	return origins, nil
}

// run writes one row group.
func (c *groupCopy) run(ctx context.Context, p Part) error {
	l, group := c.load, p.Groups[0]
	plain := false
	if c.origins != nil && c.in.whole(group) && c.out.out.Takes(c.in.pages(), group) {
		var err error
		if plain, err = l.insertsOnly(ctx, p); err != nil {
			return err
		}
	}
	if plain {
		if err := c.out.out.CopyRows(ctx, c.in.pages(), group, c.origins); err != nil {
			return fmt.Errorf("read %s: %w", c.in.Name, err)
		}
		return nil
	}
	for rows, err := range l.rows(ctx, p, nil) {
		if err == nil {
			err = c.out.writeChecked(c.in.Name, rows)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// insertsOnly says whether every row of a row group is an insert.
func (l *Load) insertsOnly(ctx context.Context, p Part) (bool, error) {
	in := l.Inputs[p.File]
	reader, err := dms.Open(view{in.Open, p.Groups}, l.Options)
	if err != nil || !reader.HasOp() {
		return err == nil, err
	}
	for batch, err := range reader.Batches(ctx, []int{}) {
		if err != nil {
			return false, fmt.Errorf("read %s: %w", in.Name, err)
		}
		for _, op := range batch.Ops {
			if op != dms.Insert {
				return false, nil
			}
		}
	}
	return true, nil
}
