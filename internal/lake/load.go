package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// Load is a set of inputs that becomes lake files of one schema.
type Load struct {
	Inputs  []LoadFile
	Schema  *Schema
	Options dms.Options
}

// RowError is returned when an input's bytes cannot be read as the rows they claim to be.
type RowError struct {
	File string
	Err  error
}

// Error names the file and what was wrong with it.
func (e *RowError) Error() string { return e.File + ": " + e.Err.Error() }

// Unwrap returns what was wrong.
func (e *RowError) Unwrap() error { return e.Err }

func inputError(name string, err error) error { return &RowError{File: name, Err: err} }

// view is some row groups of a file: what an op of a load reads.
type view struct {
	dms.Columnar
	groups []int
}

func (v view) RowGroups() []parquetedit.RowGroup {
	all, some := v.Columnar.RowGroups(), make([]parquetedit.RowGroup, len(v.groups))
	for i, g := range v.groups {
		some[i] = all[g]
	}
	return some
}

// OwnValues passes on what the file says of its values.
func (v view) OwnValues() bool {
	o, ok := v.Columnar.(interface{ OwnValues() bool })
	return ok && o.OwnValues()
}

func (v view) NumRows() int64 {
	var n int64
	for _, g := range v.RowGroups() {
		n += g.Rows
	}
	return n
}

func (v view) ReadColumn(ctx context.Context, group, column int, yield func(int64, []value) error) error {
	return v.Columnar.ReadColumn(ctx, v.groups[group], column, yield)
}

// loadRows are rows of an input in the table's types.
type loadRows struct {
	ops     []dms.Op
	columns [][]value // by column of the table; nil = NULL in all of them
}

// rows yields the rows of one part. With names only these columns of the table are read.
func (l *Load) rows(ctx context.Context, p Part, names []string) iter.Seq2[loadRows, error] {
	return func(yield func(loadRows, error) bool) {
		in := l.Inputs[p.File]
		reader, err := dms.Open(view{in.Open, p.Groups}, l.Options)
		if err != nil {
			yield(loadRows{}, inputError(in.Name, err))
			return
		}
		m, err := l.match(in, reader, names)
		if err != nil {
			yield(loadRows{}, err)
			return
		}
		for batch, err := range reader.Batches(ctx, m.wanted) {
			if err != nil {
				yield(loadRows{}, fmt.Errorf("read %s: %w", in.Name, err))
				return
			}
			rows, err := m.rows(batch)
			if !yield(rows, err) || err != nil {
				return
			}
		}
	}
}

// match is an input's columns matched with the table's.
type match struct {
	load     *Load
	in       LoadFile
	columns  []parquetedit.Column
	at       []int
	convert  []convertFunc
	constant map[int]value
	wanted   []int
}

func (l *Load) match(in LoadFile, reader dms.Reader, names []string) (*match, error) {
	n := len(l.Schema.Columns)
	m := &match{load: l, in: in, columns: reader.Columns(), at: make([]int, n), convert: make([]convertFunc, n)}
	var err error
	if m.constant, err = l.Schema.dirValues(in.Dir); err != nil && in.Dir != "" {
		return nil, err
	}
	if names != nil {
		m.wanted = []int{}
	}
	for c, column := range l.Schema.Columns {
		m.at[c] = find(m.columns, column.Name)
		if m.at[c] < 0 {
			continue
		}
		if names != nil && !slices.Contains(names, column.Name) {
			m.at[c] = -1
			continue
		}
		if names != nil {
			m.wanted = append(m.wanted, m.at[c])
		}
		if m.convert[c], err = Converter(m.columns[m.at[c]].Type, column.Type); err != nil {
			return nil, typeError(in.Name, column, m.columns[m.at[c]].Type)
		}
	}
	return m, nil
}

func (m *match) rows(b dms.Batch) (loadRows, error) {
	rows := loadRows{ops: b.Ops, columns: make([][]value, len(m.at))}
	for c, at := range m.at {
		if v, ok := m.constant[c]; ok && m.in.Dir != "" {
			rows.columns[c] = slices.Repeat([]value{v}, len(b.Ops))
			continue
		}
		if at < 0 {
			continue
		}
		rows.columns[c] = b.Columns[at]
		if m.convert[c] == nil {
			continue
		}
		for i, v := range rows.columns[c] {
			converted, err := m.convert[c](v)
			if err != nil {
				return rows, valueError(place{m.in.Name, b.FirstRow + int64(i)}, m.load.Schema.Columns[c], m.columns[at].Type, err)
			}
			rows.columns[c][i] = converted
		}
	}
	return rows, nil
}

// Sink opens the body of an op's n-th output and closes it when it is complete. One is open at a
// time, and all outputs of an op have the same options. To [Unite] a nil body says that the output is there already.
type Sink interface {
	Open(n int) (io.Writer, FileOptions, error)
	Close(n int) error
}

// errOp is wrapped when an input says that a row of a full load was deleted.
var errOp = errors.New("a full load holds a row whose Op is D")

// Run carries out one op of a load: it writes the op's outputs one after the
// other. An op of one output streams; one of several holds their rows, encoded as far as whole pages go.
func (l *Load) Run(ctx context.Context, op LoadOp, sink Sink) error {
	if len(l.Schema.Partition) > 0 {
		return l.runSplit(ctx, op, sink)
	}
	out, err := l.output(sink, 0)
	if err != nil {
		return err
	}
	if err := l.streamAll(ctx, op, out); err != nil {
		return err
	}
	return out.close()
}

// take appends the picked rows of other.
func (r *loadRows) take(other loadRows, picked []int) {
	for _, i := range picked {
		r.ops = append(r.ops, other.ops[i])
	}
	for c, column := range other.columns {
		for _, i := range picked {
			if column == nil {
				r.columns[c] = append(r.columns[c], value{})
			} else {
				r.columns[c] = append(r.columns[c], column[i])
			}
		}
	}
}
