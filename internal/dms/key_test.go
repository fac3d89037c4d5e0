package dms_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/dms"
)

const folder = "raw/store/product/"

func TestParseKey_load(t *testing.T) {
	for name, c := range map[string]struct {
		key     string
		segment string
		counter uint64
		format  dms.Format
		gzip    bool
	}{
		"first":                {"LOAD00000001.parquet", "", 1, dms.Parquet, false},
		"hexadecimal":          {"LOAD0000000A.csv", "", 10, dms.CSV, false},
		"compressed":           {"LOAD00000010.csv.gz", "", 16, dms.CSV, true},
		"bare gz":              {"LOAD00000010.gz", "", 16, dms.CSV, true},
		"more digits":          {"LOAD000000001F.parquet", "", 31, dms.Parquet, false},
		"no extension":         {"LOAD00000001", "", 1, dms.Unknown, false},
		"segment folder":       {"p 1/LOAD00000001.parquet", "p 1/", 1, dms.Parquet, false},
		"segment name":         {"SEGMENT12_LOAD00000001.csv", "SEGMENT12_", 1, dms.CSV, false},
		"segment named a date": {"2021/LOAD00000001.csv", "2021/", 1, dms.CSV, false},
	} {
		t.Run(name, func(t *testing.T) {
			k := dms.ParseKey(folder, folder+c.key)
			if k.Kind != dms.Load || k.Segment != c.segment || k.Counter != c.counter || k.Format != c.format || k.Gzip != c.gzip {
				t.Errorf("got %+v", k)
			}
			if k.Name != folder+c.key || !k.Time(time.UTC).IsZero() {
				t.Errorf("got %+v, %v", k, k.Time(time.UTC))
			}
		})
	}
}

func TestParseKey_change(t *testing.T) {
	at := time.Date(2021, 11, 23, 1, 38, 30, 913_000_000, time.UTC)
	for name, c := range map[string]struct {
		key       string
		sequence  dms.Sequence
		delimiter dms.Delimiter
		want      time.Time
	}{
		"direct":                 {"20211123-013830913.parquet", dms.NoFolder, "", at},
		"ten digits":             {"20211123-0138309130.csv", dms.NoFolder, "", at},
		"many digits":            {"20211123-0138309130000000000001.csv.gz", dms.NoFolder, "", at},
		"suffix":                 {"20211123-013830913_1.csv", dms.NoFolder, "", at},
		"slash":                  {"2021/11/23/20211123-013830913.parquet", dms.YYYYMMDD, dms.Slash, at},
		"dash":                   {"2021-11-23/20211123-013830913.parquet", dms.YYYYMMDD, dms.Dash, at},
		"underscore":             {"2021_11_23/20211123-013830913.parquet", dms.YYYYMMDD, dms.Underscore, at},
		"none":                   {"20211123/20211123-013830913.parquet", dms.YYYYMMDD, dms.None, at},
		"hours":                  {"2021/11/23/01/20211123-013830913.parquet", dms.YYYYMMDDHH, dms.Slash, at},
		"hours none":             {"2021112301/20211123-013830913.parquet", dms.YYYYMMDDHH, dms.None, at},
		"months":                 {"2021-11/20211123-013830913.parquet", dms.YYYYMM, dms.Dash, at},
		"month first":            {"11/2021/23/20211123-013830913.parquet", dms.MMYYYYDD, dms.Slash, at},
		"month first none":       {"11202123/20211123-013830913.parquet", dms.MMYYYYDD, dms.None, at},
		"day first":              {"23_11_2021/20211123-013830913.parquet", dms.DDMMYYYY, dms.Underscore, at},
		"day first none":         {"23112021/20211123-013830913.parquet", dms.DDMMYYYY, dms.None, at},
		"eight ambiguous digits": {"12112012/20121112-000000000.csv", dms.DDMMYYYY, dms.None, time.Date(2012, 11, 12, 0, 0, 0, 0, time.UTC)},
		"folder of another day":  {"2021/11/20/20211123-013830913.parquet", dms.YYYYMMDD, dms.Slash, at},
	} {
		t.Run(name, func(t *testing.T) {
			k := dms.ParseKey(folder, folder+c.key)
			if k.Kind != dms.Change || k.Layout.Sequence != c.sequence || k.Layout.Delimiter != c.delimiter {
				t.Errorf("got %+v", k)
			}
			if got := k.Time(time.UTC); !got.Equal(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestParseKey_other(t *testing.T) {
	for name, key := range map[string]string{
		"another table":        "raw/store/products/LOAD00000001.parquet",
		"folder itself":        folder,
		"seven digits":         folder + "LOAD0000001.parquet",
		"small letters":        folder + "LOAD0000000a.parquet",
		"load with suffix":     folder + "LOAD00000001_tmp.parquet",
		"counter too large":    folder + "LOAD11111111111111111.parquet",
		"two folders":          folder + "a/b/LOAD00000001.parquet",
		"empty folder":         folder + "/LOAD00000001.parquet",
		"segment not numbered": folder + "SEGMENT_LOAD00000001.csv",
		"month 13":             folder + "20211323-013830913.parquet",
		"February 29":          folder + "20210229-013830913.parquet",
		"hour 24":              folder + "20211123-243830913.parquet",
		"two fractional":       folder + "20211123-01383091.parquet",
		"nine digits of date":  folder + "202111230-013830913.parquet",
		"date only":            folder + "20211123",
		"odd folder":           folder + "tmp/20211123-013830913.parquet",
		"impossible folder":    folder + "2021/13/23/20211123-013830913.parquet",
		"marker":               folder + "_SUCCESS",
		"transactions":         folder + "CDC_TXN-20201117153046033.csv",
		"ancestor's lowest":    folder + "0.parquet",
	} {
		if k := dms.ParseKey(folder, key); k.Kind != dms.Other || k.Name != key {
			t.Errorf("%s: got %+v", name, k)
		}
	}
}

func TestCompare(t *testing.T) {
	ascending := []string{
		"0.parquet",
		"2021/11/24/20211123-013830001.parquet",
		"20211123-013830002.parquet",
		"2020/01/01/20211123-0138300021.parquet",
		"20211123-01383002.parquet",  // not a CDC file: below
		"20211123-113401000.parquet", // the same time: the bytes of the key decide
		"20211123-1134010000.csv",
		"20211123-1134010000.parquet",
		"20211123-113401001.csv",
		"20211124-000000000.csv",
	}
	var keys []dms.Key
	for _, name := range ascending {
		if k := dms.ParseKey(folder, folder+name); k.Kind == dms.Change || name == "0.parquet" {
			keys = append(keys, k)
		}
	}
	for i, a := range keys {
		for j, b := range keys {
			if got := dms.Compare(a, b); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%s and %s: got %d", a.Name, b.Name, got)
			}
		}
	}
}

func TestParseWatermark(t *testing.T) {
	path := "bucket/" + folder
	for name, c := range map[string]struct {
		watermark string
		want      string // key, "" = error
		kind      dms.Kind
	}{
		"lowest":          {path + "0.parquet", folder + "0.parquet", dms.Other},
		"empty":           {"", folder + "0.parquet", dms.Other},
		"CDC file":        {path + "20211123-013830913.parquet", folder + "20211123-013830913.parquet", dms.Change},
		"in date folder":  {path + "2021/11/23/20211123-013830913.parquet", folder + "2021/11/23/20211123-013830913.parquet", dms.Change},
		"without bucket":  {folder + "20211123-013830913.parquet", "", dms.Other},
		"another table":   {"bucket/raw/store/products/20211123-013830913.parquet", "", dms.Other},
		"no CDC file":     {path + "LOAD00000001.parquet", "", dms.Other},
		"impossible date": {path + "20211323-013830913.parquet", "", dms.Other},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := dms.ParseWatermark(path, c.watermark)
			if (err != nil) != (c.want == "") || k.Name != c.want || k.Kind != c.kind {
				t.Errorf("got %+v, %v", k, err)
			}
		})
	}
	lowest, _ := dms.ParseWatermark(path, dms.LowestWatermark(path))
	if first := dms.ParseKey(folder, folder+"00000101-000000000.csv"); dms.Compare(lowest, first) >= 0 {
		t.Errorf("%v is not lower than %v", lowest, first)
	}
}

func TestComplete(t *testing.T) {
	for name, c := range map[string]struct {
		keys    []string
		missing []string
		ok      bool
	}{
		"nothing":         {nil, nil, false},
		"changes only":    {[]string{"20211123-013830913.csv"}, nil, false},
		"one":             {[]string{"LOAD00000001.csv"}, nil, true},
		"ten, any order":  {[]string{"LOAD0000000A.csv", "LOAD00000009.csv", "LOAD00000008.csv", "LOAD00000007.csv", "LOAD00000006.csv", "LOAD00000005.csv", "LOAD00000004.csv", "LOAD00000003.csv", "LOAD00000002.csv", "LOAD00000001.csv"}, nil, true},
		"gap":             {[]string{"LOAD00000001.csv", "LOAD00000004.csv"}, []string{"LOAD00000002", "LOAD00000003"}, false},
		"first missing":   {[]string{"LOAD00000002.csv"}, []string{"LOAD00000001"}, false},
		"twice":           {[]string{"LOAD00000001.csv", "LOAD00000001.parquet"}, nil, true},
		"segments":        {[]string{"a/LOAD00000001.csv", "b/LOAD00000001.csv", "b/LOAD00000002.csv"}, nil, true},
		"gap in segments": {[]string{"a/LOAD00000002.csv", "SEGMENT1_LOAD00000002.csv"}, []string{"SEGMENT1_LOAD00000001", "a/LOAD00000001"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var keys []dms.Key
			for _, key := range c.keys {
				keys = append(keys, dms.ParseKey(folder, folder+key))
			}
			missing, ok := dms.Complete(keys)
			if !slices.Equal(missing, c.missing) || ok != c.ok {
				t.Errorf("got %v, %v, want %v, %v", missing, ok, c.missing, c.ok)
			}
		})
	}
	huge := []dms.Key{dms.ParseKey(folder, folder+"LOADFFFFFFFFFFFFFFFF.csv")}
	if missing, ok := dms.Complete(huge); len(missing) != 100 || ok {
		t.Errorf("got %d missing names", len(missing))
	}
}

func TestExcluded(t *testing.T) {
	for name, c := range map[string]struct {
		schema, table string
		want          bool
	}{
		"table":              {"store", "product", false},
		"control table":      {"store", "awsdms_apply_exceptions", true},
		"in capitals":        {"STORE", "AWSDMS_STATUS", true},
		"control schema":     {"awsdms_control", "status", true},
		"validation":         {"s3_validation_failures", "product", true},
		"validation table":   {"store", "s3_validation_failures", true},
		"begins differently": {"store", "my_awsdms_table", false},
	} {
		if got := dms.Excluded(c.schema, c.table); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestParseOp(t *testing.T) {
	for text, want := range map[string]dms.Op{"": dms.Insert, "I": dms.Insert, "U": dms.Update, "D": dms.Delete} {
		if got, err := dms.ParseOp([]byte(text)); got != want || err != nil {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"i", "X", "II", " I", "\x00"} {
		if _, err := dms.ParseOp([]byte(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
	if got := dms.Insert.String() + dms.Update.String() + dms.Delete.String(); got != "IUD" {
		t.Errorf("got %s", got)
	}
}

func FuzzParseKey(f *testing.F) {
	for _, name := range []string{
		"LOAD00000001.parquet", "p1/LOAD0000000A.csv.gz", "SEGMENT1_LOAD00000001.csv",
		"20211123-013830913.parquet", "2021/11/23/20211123-0138309130.csv", "11202123/20211123-013830913.csv", "0.parquet",
	} {
		f.Add(name, "20211123-013830914.csv", "2021-11-23/20211123-01383091300.csv")
	}
	f.Fuzz(func(t *testing.T, x, y, z string) {
		var keys []dms.Key
		for _, name := range []string{x, y, z} {
			k := dms.ParseKey(folder, folder+name)
			if again := dms.ParseKey(folder, k.Name); again != k {
				t.Fatalf("%q: %+v, then %+v", name, k, again)
			}
			checkKey(t, k)
			keys = append(keys, k)
		}
		for _, a := range keys {
			for _, b := range keys {
				if dms.Compare(a, b) != -dms.Compare(b, a) || (dms.Compare(a, b) == 0) != (a == b) {
					t.Fatalf("%+v and %+v are not in one order", a, b)
				}
				for _, c := range keys {
					if dms.Compare(a, b) < 0 && dms.Compare(b, c) < 0 && dms.Compare(a, c) >= 0 {
						t.Fatalf("%+v, %+v, %+v are in no order", a, b, c)
					}
				}
			}
		}
	})
}

func checkKey(t *testing.T, k dms.Key) {
	t.Helper()
	at := k.Time(time.UTC)
	switch k.Kind {
	case dms.Other:
		if k != (dms.Key{Name: k.Name}) {
			t.Fatalf("a name of no kind says more: %+v", k)
		}
	case dms.Load:
		if !strings.Contains(k.Name, k.Segment+"LOAD") {
			t.Fatalf("segment %q is not in %q", k.Segment, k.Name)
		}
	case dms.Change:
		base := k.Name[strings.LastIndexByte(k.Name, '/')+1:]
		if !strings.HasPrefix(base, at.Format("20060102-150405")) {
			t.Fatalf("%q has the time %v", k.Name, at)
		}
	}
}
