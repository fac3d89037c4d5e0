package parquetedit_test

import (
	"cmp"
	"maps"
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
		"append":            func(x subject) parquetedit.Script { return parquetedit.Script{Append: someOf(x, 0, 1, 2)} },
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

// notKeptYet are the pages that an edit may encode again though it changes none of their rows, while a whole row group without edits is always
// copied. To ask for a kind of pages, delete its line.
func notKeptYet() map[string]func(p keptPage) bool {
	return map[string]func(p keptPage) bool{
		"V2 pages":                         func(p keptPage) bool { return p.page.kind == kindDataV2 },
		"pages behind an edited small one": func(p keptPage) bool { return p.index > p.touched },
		"booleans in runs":                 func(p keptPage) bool { return p.column.Type.Physical == parquet.Boolean && p.page.encoding == 3 },
		"DELTA_BYTE_ARRAY of a fixed length": func(p keptPage) bool {
			return p.column.Type.Physical == parquet.FixedLenByteArray && p.page.encoding == 7
		},
		"from a page of NULLs in a dictionary": func(p keptPage) bool { return p.index >= p.nulls && p.chunk.pages[0].kind == kindDictionary },
	}
}

// keptPage is a data page in whose rows a script changes nothing.
type keptPage struct {
	column  parquetedit.Column
	chunk   *laidChunk
	page    *laidPage
	index   int // among the data pages of the chunk
	touched int // index of the first page that the script changes; behind all pages when there is none
	nulls   int // index of the first page of nothing but NULLs
	copied  bool
}

// untouched gives the data pages of a column in whose rows a script changes nothing.
func untouched(x subject, s parquetedit.Script, c int) []keptPage {
	var out []keptPage
	groups := layoutOf(x.body).groups
	for n := range groups {
		g := &groups[n]
		in := func(r int64) bool { return r >= g.first && r < g.first+g.rows }
		edited := slices.ContainsFunc(s.Deletes, in) || slices.ContainsFunc(s.Replaces, in) || n == len(groups)-1 && len(s.Append) > 0
		pages := g.chunks[c].dataPages()
		at, touched, empty := len(out), len(pages), len(pages)
		for i := range pages {
			p := &pages[i]
			if p.rows == 0 {
				continue
			}
			if changes(x, s, c, p) {
				touched = min(touched, i)
				continue
			}
			if !slices.ContainsFunc(x.values[c][p.first:p.first+p.rows], func(v parquet.Value) bool { return !v.IsNull() }) {
				empty = min(empty, i)
			}
			out = append(out, keptPage{x.columns[c], &g.chunks[c], p, i, 0, 0, !edited})
		}
		for i := at; i < len(out); i++ {
			out[i].touched, out[i].nulls = touched, empty
		}
	}
	return out
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
	notYet, waiting := notKeptYet(), map[string]int{}
	kept, all, bytes, allBytes := 0, 0, 0, 0
	for _, name := range names {
		x := newSubject(t, name, files[name])
		if len(x.values[0]) < 5 {
			continue
		}
		for what, script := range keptScripts() {
			s := script(x)
			got, _ := rewrite(t, x.body, s)
			after := layoutOf(got)
			for c := range x.columns {
				now := pagesIn(after, c)
				pages := untouched(x, s, c)
				// Pages of the same bytes: those that must stay come first.
				slices.SortStableFunc(pages, func(a, b keptPage) int { return cmp.Compare(reason(notYet, a), reason(notYet, b)) })
				for _, p := range pages {
					all, allBytes = all+1, allBytes+len(p.page.raw)
					if now[string(p.page.raw)]--; now[string(p.page.raw)] >= 0 {
						kept, bytes = kept+1, bytes+len(p.page.raw)
					} else if why := reason(notYet, p); why != "" {
						waiting[why]++
					} else {
						t.Errorf("%s, %s: column %q, the page at row %d was encoded again", name, what, p.column.Name, p.page.first)
					}
				}
			}
		}
	}
	for _, why := range slices.Sorted(maps.Keys(waiting)) {
		t.Logf("encoded again: %d pages: %s", waiting[why], why)
	}
	rig.Figure(t, "proof", "%d of %d untouched pages stay byte for byte, %d of %d bytes", kept, all, bytes, allBytes)
}

// reason is "" when the page is to be kept.
func reason(notYet map[string]func(p keptPage) bool, p keptPage) string {
	if p.copied {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(notYet)) {
		if notYet[name](p) {
			return name
		}
	}
	return ""
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
