package lake

import (
	"context"
	"slices"

	"sluice/internal/parquetedit"
)

// Check returns a [SchemaError] when a lake file cannot hold what the merge
// puts into it. It runs before the commit, because a commit must be possible to finish.
func (m *Merge) Check(ctx context.Context, files []*File) error {
	if m.batch != nil {
		return m.checkAgain(ctx, files)
	}
	for i := range m.Rewrites {
		r := &m.Rewrites[i]
		f := files[r.File]
		for _, c := range f.Columns {
			check, err := m.columnCheck(f, c)
			if err != nil {
				return err
			}
			if check == nil {
				continue
			}
			for _, n := range slices.Concat(r.with, r.appends) {
				if err := check.value(m.cell(check.at, m.entries[n].slot)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// columnCheck tells whether a lake file's column can hold values of the table's.
type columnCheck struct {
	file    *File
	column  parquetedit.Column // of the file
	table   parquetedit.Column
	at      int // place of the table's column
	convert convertFunc
}

// columnCheck returns the check of a column of a file, nil where it holds every value.
func (m *Merge) columnCheck(f *File, c parquetedit.Column) (*columnCheck, error) {
	at := m.Schema.Index(c.Name)
	if at < 0 {
		return nil, nil
	}
	table := m.Schema.Columns[at]
	convert, err := Converter(table.Type, c.Type)
	if err != nil {
		return nil, typeError(f.Key, c, table.Type)
	}
	if convert == nil && !c.Required {
		return nil, nil
	}
	return &columnCheck{f, c, table, at, convert}, nil
}

func (k *columnCheck) value(v value) error {
	if k.column.Required && v.IsNull() {
		return &SchemaError{File: k.file.Key, Column: k.column.Name, Got: "NULL", Want: "column, which is REQUIRED", Widen: true}
	}
	if k.convert == nil {
		return nil
	}
	if _, err := k.convert(v); err != nil {
		return valueError(place{k.file.Key, -1}, k.column, k.table.Type, err)
	}
	return nil
}

// checkAgain reads the rows again whose values may not fit, if there are any. The first file and column with such a value are told.
func (m *Merge) checkAgain(ctx context.Context, files []*File) error {
	checks := map[int][]*columnCheck{} // by number of the rewrite
	for i := range m.Rewrites {
		f := files[m.Rewrites[i].File]
		for _, c := range f.Columns {
			check, err := m.columnCheck(f, c)
			if err != nil {
				return err
			}
			if check != nil {
				checks[i] = append(checks[i], check)
			}
		}
	}
	if len(checks) == 0 {
		return nil
	}
	rewrites := m.rewriteOf(checks)
	columns := map[int]bool{}
	for _, list := range checks {
		for _, k := range list {
			columns[k.at] = true
		}
	}
	first := checkFault{rewrite: len(m.Rewrites)}
	err := m.batch.again(ctx, reading{
		columns: columns,
		want:    func(n int32) bool { return rewrites[n] > 0 },
		take: func(n int32, c change) error {
			i := int(rewrites[n] - 1)
			for at, k := range checks[i] {
				if err := k.value(c.cell(k.at)); err != nil {
					first = first.or(checkFault{i, at, err})
				}
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	return first.err
}

// rewriteOf says for each change which of the rewrites it is written to, plus one; 0 for those that are not checked.
func (m *Merge) rewriteOf(checks map[int][]*columnCheck) []int32 {
	of := make([]int32, m.batch.changes)
	for i := range checks {
		r := &m.Rewrites[i]
		for _, list := range [][]int32{r.with, r.appends} {
			for _, n := range list {
				of[n] = int32(i + 1)
			}
		}
	}
	return of
}

// checkFault is a value that does not fit.
type checkFault struct {
	rewrite, column int
	err             error
}

// or returns the one that is told: of the first file, of its first column.
func (f checkFault) or(o checkFault) checkFault {
	if o.rewrite < f.rewrite || o.rewrite == f.rewrite && o.column < f.column {
		return o
	}
	return f
}
