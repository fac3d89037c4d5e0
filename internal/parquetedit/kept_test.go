package parquetedit_test

import (
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
	"sluice/scripts/rig"
)

// keptScripts give, for a file, the scripts after which its untouched pages are looked for.
func keptScripts() map[string]func(x subject) parquetedit.Script {
	at := func(part int) func(x subject) int64 {
		return func(x subject) int64 { return int64((len(x.values[0]) - 1) * part / 2) }
	}
	first, middle, last := at(0), at(1), at(2)
	return map[string]func(x subject) parquetedit.Script{
		"nothing":           func(subject) parquetedit.Script { return parquetedit.Script{Metadata: map[string]string{"a": "b"}} },
		"equal values":      func(x subject) parquetedit.Script { return replaced(x, false, first(x), middle(x), last(x)) },
		"replace the first": func(x subject) parquetedit.Script { return replaced(x, true, first(x)) },
		"replace a middle":  func(x subject) parquetedit.Script { return replaced(x, true, middle(x)) },
		"replace the last":  func(x subject) parquetedit.Script { return replaced(x, true, last(x)) },
		"replace in one":    func(x subject) parquetedit.Script { return inOne(x, middle(x)) },
		"delete the first":  func(x subject) parquetedit.Script { return parquetedit.Script{Deletes: []int64{first(x)}} },
		"delete a middle":   func(x subject) parquetedit.Script { return parquetedit.Script{Deletes: []int64{middle(x)}} },
		"delete the last":   func(x subject) parquetedit.Script { return parquetedit.Script{Deletes: []int64{last(x)}} },
		"delete and split": func(x subject) parquetedit.Script {
			return parquetedit.Script{Deletes: []int64{middle(x)}, MaxRowGroupRows: 150}
		},
		"append": func(x subject) parquetedit.Script { return parquetedit.Script{Append: someOf(x, 0, 1, 2)} },
		"append new values": func(x subject) parquetedit.Script {
			return parquetedit.Script{Append: replaced(x, true, 0, 1, 2).Replace}
		},
		"all of them at once": func(x subject) parquetedit.Script {
			s := replaced(x, true, middle(x))
			s.Deletes, s.Append = []int64{first(x)}, s.Replace
			return s
		},
	}
}

// replaced replaces rows by what they are, or every value of them by one that the column lacks.
func replaced(x subject, change bool, rows ...int64) parquetedit.Script {
	s := parquetedit.Script{Replaces: slices.Compact(rows)}
	s.Replace = someOf(x, s.Replaces...)
	for c := range s.Replace {
		for i := range s.Replace[c] {
			if change {
				s.Replace[c][i] = newValue(fixed(i+3001), x.columns[c].Type)
			}
		}
	}
	return s
}

// inOne replaces a row in which the second column changes.
func inOne(x subject, row int64) parquetedit.Script {
	s := replaced(x, false, row)
	c := min(1, len(s.Replace)-1)
	s.Replace[c] = replaced(x, true, row).Replace[c]
	return s
}

// someOf gives the values of rows.
func someOf(x subject, rows ...int64) [][]parquet.Value {
	out := make([][]parquet.Value, len(x.columns))
	for c := range out {
		for _, r := range rows {
			out[c] = append(out[c], x.values[c][r])
		}
	}
	return out
}

// fixed is a choice made before.
type fixed int

func (f fixed) IntN(n int) int { return int(f) % n }

// keptPage is a data page in whose rows a script changes nothing.
type keptPage struct {
	laidPage
	// open: the last of the file, when rows are appended: a small one takes them, so that pages do not crumble. Or one in which
	// one new row group ends and the next begins.
	open bool
}

// untouched gives the data pages of a column in whose rows a script changes nothing, those that must stay first: pages may be alike.
func untouched(x subject, s parquetedit.Script, after layout, c int) []keptPage {
	var out, open []keptPage
	for _, g := range layoutOf(x.body).groups {
		for _, p := range g.chunks[c].dataPages() {
			if p.rows > 0 && !changes(x, s, c, &p) {
				last := len(s.Append) > 0 && p.first+p.rows == int64(len(x.values[c]))
				if last || cut(after, s, &p) {
					open = append(open, keptPage{p, true})
				} else {
					out = append(out, keptPage{p, false})
				}
			}
		}
	}
	return append(out, open...)
}

// cut says whether the rows of a page lie in two row groups of the new file.
func cut(after layout, s parquetedit.Script, p *laidPage) bool {
	before := int64(0) // rows that are gone
	for _, r := range s.Deletes {
		if r < p.first {
			before++
		}
	}
	first := p.first - before
	return slices.ContainsFunc(after.groups, func(g laidGroup) bool { return first < g.first && g.first < first+p.rows })
}

// changes says whether a script deletes a row of a page or gives it another value.
func changes(x subject, s parquetedit.Script, c int, p *laidPage) bool {
	in := func(r int64) bool { return r >= p.first && r < p.first+p.rows }
	if slices.ContainsFunc(s.Deletes, in) {
		return true
	}
	for i, r := range s.Replaces {
		if in(r) && show(s.Replace[c][i]) != show(x.values[c][r]) {
			return true
		}
	}
	return false
}

// TestUntouchedPagesStay: a page in whose rows nothing changes is in the new file byte for byte, whoever wrote it, also when its
// neighbors are edited.
func TestUntouchedPagesStay(t *testing.T) {
	files, names := subjects(t)
	var pages, open, bytes, all int
	for _, name := range names {
		x := newSubject(t, name, files[name])
		if len(x.values[0]) < 5 {
			continue
		}
		for what, script := range keptScripts() {
			s := script(x)
			got, _ := rewrite(t, x.body, s)
			after := layoutOf(got)
			for c, column := range x.columns {
				now := pagesIn(after, c)
				for _, p := range untouched(x, s, after, c) {
					all++
					if now[string(p.raw)]--; now[string(p.raw)] >= 0 {
						pages, bytes = pages+1, bytes+len(p.raw)
					} else if open++; !p.open {
						t.Errorf("%s, %s: column %q, the page at row %d was encoded again", name, what, column.Name, p.first)
					}
				}
			}
		}
	}
	rig.Figure(t, "proof", "%d of %d untouched pages stay byte for byte, %d bytes; %d took new rows or were cut", pages, all, bytes, open)
}

// pagesIn counts the data pages of a column by their bytes.
func pagesIn(x layout, c int) map[string]int {
	out := map[string]int{}
	for _, g := range x.groups {
		for _, p := range g.chunks[c].dataPages() {
			out[string(p.raw)]++
		}
	}
	return out
}
