package dms_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"sluice/internal/dms"
)

// chosenRows prints the rows of some batches: number, op, columns, before images; "-" for a column that was not wanted.
func chosenRows(b dms.Batch, list []string) []string {
	for i, op := range b.Ops {
		line := fmt.Sprintf("%d %s", b.Row(i), op)
		for _, column := range slices.Concat(b.Columns, b.Before) {
			if column == nil {
				line += " -"
			} else {
				line += " " + column[i].String()
			}
		}
		list = append(list, line)
	}
	return list
}

// Whatever pages, row groups and choice are, what is chosen are rows of the batches, with the values that they have there.
func TestInput_Chosen_areRowsOfTheBatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		file := numbered(rapid.IntRange(1, 200).Draw(t, "page"))
		file.each = rapid.SampledFrom([]int64{0, 300_000, 1 << 30}).Draw(t, "bytes a row")
		for range rapid.IntRange(0, 3).Draw(t, "groups") {
			addGroup(file, rapid.SampledFrom([]int{0, 1, 64, 100, 300}).Draw(t, "rows"))
		}
		in, err := dms.Open(file, dms.Options{})
		if err != nil {
			t.Fatal(err)
		}
		wanted := rapid.SampledFrom([][]int{nil, {0}, {0, 1}, {1}}).Draw(t, "wanted")
		by := rapid.SampledFrom([][]int{{}, {0}, {1}, {0, 1}}).Draw(t, "by")
		by = slices.DeleteFunc(slices.Clone(by), func(c int) bool { return wanted != nil && !slices.Contains(wanted, c) })
		share, from := rapid.Int64Range(1, 50).Draw(t, "one of"), rapid.Int64Range(0, 400).Draw(t, "from")
		chosen := func(row int64) bool { return row >= from && row*7%share == 0 }
		var want []string
		for b, err := range in.Batches(t.Context(), wanted) {
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range chosenRows(b, nil) {
				if chosen(b.FirstRow + int64(i)) {
					want = append(want, line)
				}
			}
		}
		var got []string
		for b, err := range in.Chosen(t.Context(), wanted, dms.Choice{By: by, Rows: func(b dms.Batch) (rows []int32, err error) {
			for i := range b.Ops {
				if row := b.Row(i); chosen(row) {
					rows = append(rows, int32(i))
				}
			}
			for c, column := range b.Columns {
				if (column != nil) != slices.Contains(by, c) || column != nil && len(column) != len(b.Ops) {
					t.Fatalf("column %d of %d rows when choosing by %v: %d values", c, len(b.Ops), by, len(column))
				}
			}
			return rows, nil
		}}) {
			if err != nil {
				t.Fatal(err)
			}
			if len(b.Ops) == 0 {
				t.Fatal("a batch without rows")
			}
			got = chosenRows(b, got)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q\nwant %q", got, want)
		}
	})
}

// Before images come with the columns that they are of; what nothing is chosen of is not read; an error of the choice ends it.
func TestInput_Chosen(t *testing.T) {
	file := changes()
	in, err := dms.Open(file, dms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	for name, c := range map[string]struct {
		rows []int32
		err  error
		want []string
		read []int
	}{
		"of both groups":  {[]int32{0}, nil, []string{"0 I 1 a <null> <null>", "3 D 4 d <null> <null>"}, []int{0, 1, 2, 3, 4}},
		"of the first":    {[]int32{1, 2}, nil, []string{"1 U 2  <null> 9", "2 I 3 <null> 7 <null>"}, []int{0, 1, 2, 3, 4}},
		"nothing":         {nil, nil, nil, []int{0, 1, 3}},
		"refused at once": {nil, refused, nil, []int{0, 1, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			file.read = map[int]bool{}
			var got []string
			var last error
			choice := dms.Choice{By: []int{0}, Rows: func(b dms.Batch) (rows []int32, err error) {
				for _, row := range c.rows {
					if int(row) < len(b.Ops) {
						rows = append(rows, row)
					}
				}
				return rows, c.err
			}}
			for b, err := range in.Chosen(t.Context(), nil, choice) {
				got, last = chosenRows(b, got), err
			}
			if !slices.Equal(got, c.want) || !errors.Is(last, c.err) {
				t.Errorf("got %q, %v\nwant %q, %v", got, last, c.want, c.err)
			}
			for place := range file.columns {
				if file.read[place] != slices.Contains(c.read, place) {
					t.Errorf("column %d: read %v", place, file.read[place])
				}
			}
		})
	}
}
