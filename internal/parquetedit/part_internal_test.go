package parquetedit

import (
	"slices"
	"testing"
)

// TestRowGroupIsDividedWherePagesEnd: else two pages of every column are taken apart twice for each border.
func TestRowGroupIsDividedWherePagesEnd(t *testing.T) {
	pagesOf := func(rows ...int64) []oldPage {
		var pages []oldPage
		for _, r := range rows {
			pages = append(pages, oldPage{first: r})
		}
		return pages
	}
	every := func(n, rows int64) []oldPage {
		var pages []oldPage
		for r := int64(0); r < rows; r += n {
			pages = append(pages, oldPage{first: r})
		}
		return pages
	}
	for name, c := range map[string]struct {
		old            []oldChunk
		rows, n, limit int64
		want           []int64
	}{
		"no page index":             {[]oldChunk{{}}, 1000, 4, 300, []int64{250, 500, 750, 1000}},
		"pages of one size":         {[]oldChunk{{pages: every(20_000, 1_000_000)}}, 1_000_000, 4, 262_144, []int64{240_000, 500_000, 740_000, 1_000_000}},
		"the row of most columns":   {[]oldChunk{{pages: pagesOf(0, 490)}, {pages: pagesOf(0, 510)}, {pages: pagesOf(0, 510)}}, 1000, 2, 600, []int64{510, 1000}},
		"the nearest of as many":    {[]oldChunk{{pages: pagesOf(0, 480)}, {pages: pagesOf(0, 510)}}, 1000, 2, 600, []int64{510, 1000}},
		"not beyond the limit":      {[]oldChunk{{pages: pagesOf(0, 510)}, {pages: pagesOf(0, 490)}}, 1000, 2, 500, []int64{500, 1000}},
		"what is left has room":     {[]oldChunk{{pages: pagesOf(0, 300, 600)}}, 1000, 3, 340, []int64{333, 666, 1000}},
		"parts that are larger":     {[]oldChunk{{pages: pagesOf(0, 450)}}, 1000, 2, 100, []int64{500, 1000}},
		"pages far from the middle": {[]oldChunk{{pages: every(100_000, 1_000_000)}}, 1_000_000, 4, 300_000, []int64{250_000, 500_000, 750_000, 1_000_000}},
		"one part":                  {[]oldChunk{{pages: pagesOf(0, 490)}}, 1000, 1, 5000, []int64{1000}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := borders(c.old, c.rows, c.n, c.limit); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
