package contract

import (
	"context"
	"fmt"
	"slices"

	"sluice/internal/dms"
)

// Input is a file to be judged.
type Input struct {
	Name   string
	Reader dms.Reader
	Key    []string // the table's primary key
}

// Finding is a run of rows that violate a condition.
type Finding struct {
	dms.Span        // numbers of the rows in the file, from 0
	Column   string // "" for unique_key
	Rule     string // the condition's name
}

// ViolationError is returned when a row violates a rule that halts.
type ViolationError struct {
	File   string
	Column string // "" for unique_key
	Rule   string
	Row    int64 // number in the file, from 0
}

// Error names file, column, row and rule.
func (e *ViolationError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("%s: row %d violates the contract's rule %s: an earlier row has its key", e.File, e.Row, e.Rule)
	}
	return fmt.Sprintf("%s: column %q: row %d violates the contract's rule %s", e.File, e.Column, e.Row, e.Rule)
}

// MaxFindings bounds how many runs of rows a merge or a load may keep out.
const MaxFindings = 1 << 20

// ErrTooMany is returned when so many runs of rows violate rules that rather the contract is wrong.
var ErrTooMany = fmt.Errorf("more than %d runs of rows violate the contract", MaxFindings)

// Judge reads the columns that rules are about and returns the rows that are to be kept out, in order: each once, with the first rule that
// it violates. The first row that violates a rule that halts is a [*ViolationError]; a rule that cannot judge the file's
// type of a column is an [*Error]; others are the reader's. Uniqueness is for [Contract.JudgeKeys].
func (c *Contract) Judge(ctx context.Context, in Input) ([]Finding, error) {
	if in.Reader.Rows() == 0 {
		return nil, nil
	}
	j, err := c.judge(in)
	if err != nil || len(j.columns) == 0 {
		return nil, err
	}
	for b, err := range in.Reader.Batches(ctx, j.wanted) {
		if err == nil {
			err = j.batch(b)
		}
		if err != nil {
			return nil, err
		}
	}
	return j.found, nil
}

// judged is a column of a file and a rule about it.
type judged struct {
	*rule
	at     int  // column of the reader, or -1
	key    bool // of the primary key: rows that were deleted are judged, too
	checks []check
	all    string // the condition that every row violates; "" = none
}

// judge is a file being judged.
type judge struct {
	in      Input
	columns []judged
	wanted  []int
	found   []Finding
}

func (c *Contract) judge(in Input) (*judge, error) {
	j := &judge{in: in, wanted: []int{}}
	columns := in.Reader.Columns()
	mistyped := map[string]bool{}
	for i := range c.rules {
		r := &c.rules[i]
		if r.uniqueKey {
			continue
		}
		d := judged{rule: r, at: -1, key: slices.Contains(in.Key, r.column)}
		for at, column := range columns {
			if column.Name == r.column {
				d.at = at
			}
		}
		switch {
		case d.at < 0 && r.required:
			d.all = "required"
		case d.at < 0 && r.notNull:
			d.all = "not_null"
		case d.at >= 0 && r.typeName != "" && !r.takes(columns[d.at].Type):
			d.all = "type"
			mistyped[r.column] = true
		}
		j.columns = append(j.columns, d)
	}
	for i := range j.columns {
		d := &j.columns[i]
		if d.at < 0 || mistyped[d.column] {
			continue
		}
		var err error
		if d.checks, err = d.rule.checks(columns[d.at].Type); err != nil {
			return nil, err
		}
		if len(d.checks) > 0 && !slices.Contains(j.wanted, d.at) {
			j.wanted = append(j.wanted, d.at)
		}
	}
	j.columns = slices.DeleteFunc(j.columns, func(d judged) bool { return d.all == "" && len(d.checks) == 0 })
	return j, nil
}

// batch judges the rows of a batch.
func (j *judge) batch(b dms.Batch) error {
	first := make([]verdict, len(b.Ops))
	halts := len(b.Ops)
	var stop verdict
	for n := range j.columns {
		d := &j.columns[n]
		take := func(row int, rule string) {
			if d.quarantine && first[row].rule == "" {
				first[row] = verdict{d.column, rule}
			}
			if !d.quarantine && row < halts {
				halts, stop = row, verdict{d.column, rule}
			}
		}
		if d.all != "" {
			for row, op := range b.Ops {
				if op != dms.Delete || d.key {
					take(row, d.all)
				}
			}
			continue
		}
		d.each(b, take)
	}
	if halts < len(b.Ops) {
		return &ViolationError{File: j.in.Name, Column: stop.column, Rule: stop.rule, Row: b.Row(halts)}
	}
	for i, v := range first {
		if v.rule != "" {
			j.found = add(j.found, b.Row(i), v)
		}
	}
	if len(j.found) > MaxFindings {
		return ErrTooMany
	}
	return nil
}

// each hands the rows to take that violate a check, with its name.
func (d *judged) each(b dms.Batch, take func(row int, rule string)) {
	values := b.Columns[d.at]
	for _, c := range d.checks {
		for row, op := range b.Ops {
			if (op != dms.Delete || d.key) && c.bad(values[row]) {
				take(row, c.name)
			}
		}
	}
}

// verdict is what of a row is wrong.
type verdict struct{ column, rule string }

// add adds a row, which is behind all others.
func add(found []Finding, row int64, v verdict) []Finding {
	if n := len(found) - 1; n >= 0 && found[n].To == row && found[n].Column == v.column && found[n].Rule == v.rule {
		found[n].To++
		return found
	}
	return append(found, Finding{dms.Span{From: row, To: row + 1}, v.column, v.rule})
}

// Rows are the rows of some findings.
func Rows(found []Finding) dms.Rows {
	var rows dms.Rows
	for _, f := range found {
		if n := len(rows) - 1; n >= 0 && rows[n].To == f.From {
			rows[n].To = f.To
			continue
		}
		rows = append(rows, f.Span)
	}
	return rows
}
