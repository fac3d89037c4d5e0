package lake

import (
	"context"
	"math/bits"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"
)

// KeyCount says how well some columns tell the rows of a full load apart.
type KeyCount struct {
	Columns  []string `json:"columns"`
	Rows     int64    `json:"rows"`     // looked at: all of them if Whole
	Nulls    int64    `json:"nulls"`    // of them, with NULL in one of the columns
	Distinct int64    `json:"distinct"` // different values of the others
	Repeats  int64    `json:"repeats"`  // rows whose values an earlier row has too, as far as was seen; all of them if Exact
	Exact    bool     `json:"exact"`    // Distinct and Repeats are counted, by hashes of 64 bits; else Distinct is estimated, to about 2 %
	Whole    bool     `json:"whole"`    // every row was looked at; else it was plain early that they do not tell rows apart
}

// Unique says whether the columns were seen to tell all rows apart.
func (k KeyCount) Unique() bool { return k.Whole && k.Nulls == 0 && k.Repeats == 0 }

// KeyLimits bound the search for keys.
type KeyLimits struct {
	Hashes int // remembered at once, of 16 bytes each
	Passes int // over a column, to count exactly what has more values than that
	Pairs  int // of columns, when no single one is unique
}

// DefaultKeyLimits take 32 MiB, and count exactly up to thirty million rows.
func DefaultKeyLimits() KeyLimits { return KeyLimits{Hashes: duplicateKeys, Passes: 16, Pairs: 15} }

// CountKeys counts each column of the load that could be a key, in the order of the columns, and pairs of them when no single one is
// unique. Floats are left out: they are no names of rows. It reads one column after the other and holds one set of hashes
// and a sketch; of a column that has many NULLs or repeats it reads only the first rows. progress is told of columns done.
func (l *Load) CountKeys(ctx context.Context, limits KeyLimits, progress func(done, total int)) ([]KeyCount, error) {
	var counts []KeyCount
	unique := false
	for i, c := range l.Schema.Columns {
		progress(i, len(l.Schema.Columns))
		if f := familyOf(c.Type); f == famFloat || f == famOther || f == famBool {
			continue
		}
		count, err := l.CountKey(ctx, []string{c.Name}, limits)
		if err != nil {
			return nil, err
		}
		counts, unique = append(counts, count), unique || count.Unique()
	}
	progress(len(l.Schema.Columns), len(l.Schema.Columns))
	if unique || l.rowCount() == 0 {
		return counts, nil
	}
	for _, pair := range pairsOf(counts, limits.Pairs) {
		count, err := l.CountKey(ctx, pair, limits)
		if err != nil {
			return nil, err
		}
		counts = append(counts, count)
	}
	return counts, nil
}

// pairsOf returns pairs of the columns without NULL that have the most values, best first.
func pairsOf(counts []KeyCount, most int) [][]string {
	full := slices.DeleteFunc(slices.Clone(counts), func(k KeyCount) bool { return k.Nulls > 0 || k.Distinct < 2 })
	slices.SortStableFunc(full, func(a, b KeyCount) int { return compareFloats(b.share(), a.share()) })
	var pairs [][]string
	for second := range full {
		for first := range second {
			if len(pairs) == most {
				return pairs
			}
			names := []string{full[first].Columns[0], full[second].Columns[0]}
			place := func(name string) int {
				return slices.IndexFunc(counts, func(k KeyCount) bool { return k.Columns[0] == name })
			}
			slices.SortFunc(names, func(a, b string) int { return place(a) - place(b) })
			pairs = append(pairs, names)
		}
	}
	return pairs
}

func (k KeyCount) share() float64 { return float64(k.Distinct) / float64(max(k.Rows, 1)) }

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// CountKey counts some columns.
func (l *Load) CountKey(ctx context.Context, names []string, limits KeyLimits) (KeyCount, error) {
	k := KeyCount{Columns: names, Whole: true, Exact: true}
	seen, all := newHashSet(min(l.rowCount(), int64(limits.Hashes))), &sketch{}
	err := l.eachKey(ctx, names, func(hash uint64, null bool) bool {
		k.Rows++
		switch {
		case null:
			k.Nulls++
		default:
			all.add(hash)
			switch {
			case seen.has(hash):
				k.Repeats++
			case seen.held < limits.Hashes:
				seen.add(hash)
			default:
				k.Exact = false
			}
		}
		k.Whole = !hopeless(k)
		return k.Whole
	})
	if err != nil {
		return k, err
	}
	if k.Exact {
		k.Distinct = int64(seen.held)
		return k, nil
	}
	if parts := int((k.Rows-k.Nulls)/(int64(limits.Hashes)*9/10)) + 1; k.Whole && parts <= limits.Passes {
		k.Repeats, k.Exact, err = l.repeatsInParts(ctx, k, parts, limits)
	}
	if k.Distinct = k.Rows - k.Nulls - k.Repeats; !k.Exact {
		k.Distinct = min(all.estimate(), k.Distinct)
	}
	return k, err
}

// hopeless says that the rest of the rows need not be read.
func hopeless(k KeyCount) bool { return k.Nulls+k.Repeats > 100+k.Rows/100 }

// repeatsInParts counts repeats in one part of the hashes after the other, and says whether it came to the end.
func (l *Load) repeatsInParts(ctx context.Context, k KeyCount, parts int, limits KeyLimits) (repeats int64, exact bool, err error) {
	k.Repeats, exact = 0, true
	for part := range uint64(parts) {
		seen := newHashSet(int64(limits.Hashes))
		err := l.eachKey(ctx, k.Columns, func(hash uint64, null bool) bool {
			if of, _ := bits.Mul64(hash, uint64(parts)); null || of != part {
				return true
			}
			switch {
			case seen.has(hash):
				k.Repeats++
			case seen.held < limits.Hashes:
				seen.add(hash)
			default:
				exact = false
			}
			exact = exact && !hopeless(k)
			return exact
		})
		if err != nil || !exact {
			return k.Repeats, false, err
		}
	}
	return k.Repeats, true, nil
}

// eachKey hands the hash of each row's values to use, until it returns false. Columns in a partition directory do not count: inputs
// have none.
func (l *Load) eachKey(ctx context.Context, names []string, use func(hash uint64, null bool) bool) error {
	at, err := l.Schema.places(names)
	if err != nil {
		return err
	}
	var scratch []byte
	for file, in := range l.Inputs {
		groups := make([]int, len(in.Open.RowGroups()))
		for i := range groups {
			groups[i] = i
		}
		for rows, err := range l.rows(ctx, Part{file, groups}, names) {
			if err != nil {
				return err
			}
			for i := range rows.ops {
				scratch = scratch[:0]
				null := false
				for _, c := range at {
					v := rows.cell(c, i)
					null = null || v.IsNull()
					scratch = AppendKey(scratch, l.Schema.Columns[c].Type, v)
				}
				if !use(max(xxh3.Hash(scratch), 1), null) {
					return nil
				}
			}
		}
	}
	return nil
}

// Better says whether a key is likelier to be meant than another: one column before two, then names that speak of keys,
// then integers before texts before the rest, then the order of the columns.
func (s *Schema) Better(a, b KeyCount) bool {
	if len(a.Columns) != len(b.Columns) {
		return len(a.Columns) < len(b.Columns)
	}
	return s.rank(a) < s.rank(b)
}

func (s *Schema) rank(k KeyCount) int {
	rank := 0
	for _, name := range k.Columns {
		place := s.Index(name)
		rank += place
		if place < 0 {
			continue
		}
		switch folded := strings.ToLower(name); {
		case folded == "id":
		case strings.HasPrefix(folded, "__"):
			rank += 3 << 24
		case strings.HasSuffix(folded, "id"), strings.HasSuffix(folded, "key"):
			rank += 1 << 24
		default:
			rank += 2 << 24
		}
		switch familyOf(s.Columns[place].Type) {
		case famNumber, famUUID:
		case famBytes:
			rank += 1 << 16
		case famOther, famBool, famFloat, famDate, famTime, famTimestamp:
			rank += 2 << 16
		}
	}
	return rank
}
