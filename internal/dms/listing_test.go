package dms_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/internal/dms"
)

// changeName draws the key of a CDC file of a layout, written at a time.
func changeName(t *rapid.T, l dms.Layout, at time.Time) string {
	digits := rapid.IntRange(3, 12).Draw(t, "digits")
	fraction := at.Format(".000000000")[1:] + "000"
	ext := rapid.SampledFrom([]string{"", ".csv", ".csv.gz", ".parquet"}).Draw(t, "extension")
	return folder + l.Folder(at) + at.Format("20060102-150405") + fraction[:digits] + ext
}

func someTime(t *rapid.T, label string) time.Time {
	const year1900, year9999 = -2_208_988_800, 253_402_300_799
	return time.Unix(rapid.Int64Range(year1900, year9999).Draw(t, label), rapid.Int64Range(0, 999_999_999).Draw(t, label+" ns")).UTC()
}

// near draws a time around another, so that days, months and hours in common are likely.
func near(t *rapid.T, at time.Time, label string) time.Time {
	span := rapid.SampledFrom([]time.Duration{time.Second, time.Hour, 48 * time.Hour, 2000 * time.Hour}).Draw(t, label+" span")
	return at.Add(time.Duration(rapid.Int64Range(int64(-span), int64(span)).Draw(t, label)))
}

// Any CDC file with a time not before t sorts after the anchor of t, and so do all LOAD files.
func TestLayout_Anchor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.SampledFrom(dms.Layouts()).Draw(t, "layout")
		at := someTime(t, "t")
		anchor, ok := l.Anchor(folder, at)
		if ok != l.Sorted() {
			t.Fatalf("%v: anchor %q, %v", l, anchor, ok)
		}
		if !ok {
			return
		}
		later := near(t, at, "later")
		if later.Before(at) || later.Year() > 9999 {
			later = at
		}
		name := changeName(t, l, later)
		k := dms.ParseKey(folder, name)
		if k.Kind != dms.Change || k.Layout != l {
			t.Fatalf("%q is %+v, not of layout %v", name, k, l)
		}
		if name <= anchor || folder+"LOAD00000001.csv" <= anchor {
			t.Fatalf("%q does not sort after %q", name, anchor)
		}
	})
}

// Any CDC file whose folder lies between two times has one of the prefixes.
func TestLayout_Prefixes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.SampledFrom(dms.Layouts()).Draw(t, "layout")
		from := someTime(t, "from")
		to := near(t, from, "to")
		between := near(t, from, "between")
		if between.Before(from) || between.After(to) || between.Year() > 9999 {
			return
		}
		prefixes := l.Prefixes(folder, from, to)
		name := changeName(t, l, between)
		if !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			t.Fatalf("%q has none of %q", name, prefixes)
		}
	})
}

func TestLayout_Prefixes_text(t *testing.T) {
	from, to := time.Date(2021, 12, 31, 23, 0, 0, 0, time.UTC), time.Date(2022, 1, 1, 1, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		layout dms.Layout
		want   []string
	}{
		"month first": {dms.Layout{Sequence: dms.MMYYYYDD, Delimiter: dms.Slash}, []string{"12/2021/31/", "01/2022/01/"}},
		"day first":   {dms.Layout{Sequence: dms.DDMMYYYY, Delimiter: dms.None}, []string{"31122021/", "01012022/"}},
		"hours":       {dms.Layout{Sequence: dms.YYYYMMDDHH, Delimiter: dms.Dash}, []string{"2021-12-31-", "2022-01-01-"}},
		"months":      {dms.Layout{Sequence: dms.YYYYMM, Delimiter: dms.Slash}, []string{"2021/12/", "2022/01/"}},
		"no folders":  {dms.Layout{}, []string{"20211231-", "20220101-"}},
	} {
		if got := c.layout.Prefixes("", from, to); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	for _, l := range dms.Layouts() {
		if got := l.Prefixes("", to, from.AddDate(0, 0, -1)); len(got) != 0 {
			t.Errorf("%v: got %q for no days", l, got)
		}
	}
}

// Clocks that are turned at midnight make days of 23 and 25 hours; each day is visited once.
func TestLayout_Prefixes_daylight(t *testing.T) {
	havana, err := time.LoadLocation("America/Havana")
	if err != nil {
		t.Skip(err)
	}
	l := dms.Layout{Sequence: dms.YYYYMMDD, Delimiter: dms.Dash}
	got := l.Prefixes("", time.Date(2024, 3, 9, 0, 0, 0, 0, havana), time.Date(2024, 3, 11, 0, 0, 0, 0, havana))
	if want := []string{"2024-03-09/", "2024-03-10/", "2024-03-11/"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
