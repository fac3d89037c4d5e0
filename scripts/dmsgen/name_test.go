package dmsgen_test

import (
	"testing"
	"time"

	"sluice/scripts/dmsgen"
)

func TestLoadKey(t *testing.T) {
	table := dmsgen.Table{Schema: "s", Name: "t"}
	for name, tc := range map[string]struct {
		n    int
		edit func(*dmsgen.Settings)
		want string
	}{
		"first":             {1, nil, "s/t/LOAD00000001.parquet"},
		"tenth is A":        {10, nil, "s/t/LOAD0000000A.parquet"},
		"sixteenth is 10":   {16, nil, "s/t/LOAD00000010.parquet"},
		"bucket folder":     {1, func(s *dmsgen.Settings) { s.Folder = "dms/" }, "dms/s/t/LOAD00000001.parquet"},
		"named segment":     {1, func(s *dmsgen.Settings) { s.SegmentFolder = "p1" }, "s/t/p1/LOAD00000001.parquet"},
		"unnamed segment":   {2, func(s *dmsgen.Settings) { s.Segment = 3 }, "s/t/SEGMENT3_LOAD00000002.parquet"},
		"never date folder": {1, func(s *dmsgen.Settings) { s.DateFolders = "YYYYMMDD" }, "s/t/LOAD00000001.parquet"},
	} {
		t.Run(name, func(t *testing.T) {
			s := dmsgen.DefaultSettings()
			if tc.edit != nil {
				tc.edit(&s)
			}
			if got := s.LoadKey(table, tc.n); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestChangeKey(t *testing.T) {
	table := dmsgen.Table{Schema: "s", Name: "t"}
	at := time.Date(2021, 11, 23, 1, 38, 30, 913e6, time.UTC)
	for name, tc := range map[string]struct {
		sequence, delimiter string
		location            *time.Location
		want                string
	}{
		"plain":          {"", "", nil, "s/t/20211123-013830913.parquet"},
		"slash":          {"YYYYMMDD", "SLASH", nil, "s/t/2021/11/23/20211123-013830913.parquet"},
		"dash":           {"YYYYMMDD", "DASH", nil, "s/t/2021-11-23/20211123-013830913.parquet"},
		"none":           {"YYYYMM", "NONE", nil, "s/t/202111/20211123-013830913.parquet"},
		"hour":           {"YYYYMMDDHH", "UNDERSCORE", nil, "s/t/2021_11_23_01/20211123-013830913.parquet"},
		"month first":    {"MMYYYYDD", "SLASH", nil, "s/t/11/2021/23/20211123-013830913.parquet"},
		"day first":      {"DDMMYYYY", "SLASH", nil, "s/t/23/11/2021/20211123-013830913.parquet"},
		"in a time zone": {"YYYYMMDD", "DASH", time.FixedZone("", -2*3600), "s/t/2021-11-22/20211122-233830913.parquet"},
	} {
		t.Run(name, func(t *testing.T) {
			s := dmsgen.DefaultSettings()
			s.DateFolders, s.DateDelimiter, s.Location = tc.sequence, tc.delimiter, tc.location
			if got := s.ChangeKey(table, at); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
