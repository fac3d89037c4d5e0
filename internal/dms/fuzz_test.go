package dms_test

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/dms"
)

// FuzzParseOp: an op is one of three letters, or nothing, which is an insert.
func FuzzParseOp(f *testing.F) {
	for _, text := range []string{"", "I", "U", "D", "i", " I", "II", "\x00"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		op, err := dms.ParseOp(text)
		want := string(text)
		if want == "" {
			want = "I"
		}
		if known := want == "I" || want == "U" || want == "D"; known != (err == nil) || known && op.String() != want {
			t.Fatalf("%q is %s, %v", text, op, err)
		}
	})
}

// FuzzWatermark: a watermark that is taken names a CDC file of the table, and is taken for the same again.
func FuzzWatermark(f *testing.F) {
	const path = "raw/dms/store/product/"
	for _, text := range []string{
		"", path + "0.parquet", path + "20211123-013830913.parquet", path + "2021/11/23/20211123-0138309130.csv.gz", path + "LOAD00000001.parquet",
		"raw/dms/store/other/20211123-013830913.parquet", "20211123-013830913.parquet",
	} {
		f.Add(path, text)
	}
	f.Fuzz(func(t *testing.T, path, text string) {
		k, err := dms.ParseWatermark(path, text)
		if err != nil {
			return
		}
		bucket, folder, _ := strings.Cut(path, "/")
		if k.Kind == dms.Other {
			if text != "" && text != path+"0.parquet" || k.Name != folder+"0.parquet" {
				t.Fatalf("%q is %+v", text, k)
			}
			return
		}
		if k.Kind != dms.Change || bucket+"/"+k.Name != text || !strings.HasPrefix(k.Name, folder) {
			t.Fatalf("%q of %q is %+v", text, path, k)
		}
		if low, err := dms.ParseWatermark(path, ""); err != nil || dms.Compare(low, k) >= 0 {
			t.Fatalf("%q is not above the lowest: %v", text, err)
		}
	})
}

// FuzzLayout: the name that DMS gives a file of a time is understood in every layout of date folders, and no listing that begins at
// an earlier time misses it.
func FuzzLayout(f *testing.F) {
	f.Add(byte(0), int64(1637631510), int64(913), int64(3600))
	f.Add(byte(3), int64(1616893200), int64(0), int64(86400*40))   // clocks are turned in Europe
	f.Add(byte(12), int64(-62135596800), int64(999), int64(0))     // year 1
	f.Add(byte(20), int64(253402300799), int64(1), int64(1<<31-1)) // year 9999
	layouts := dms.Layouts()
	f.Fuzz(func(t *testing.T, which byte, seconds, millis, before int64) {
		at := time.Unix(seconds, 0).UTC()
		if at.Year() < 1000 || at.Year() > 9999 || before < 0 || before > 500*86400 {
			return
		}
		l := layouts[int(which)%len(layouts)]
		at = at.Add(time.Duration(uint64(millis)%1000) * time.Millisecond)
		key := folder + l.Folder(at) + strings.ReplaceAll(at.Format("20060102-150405.000"), ".", "") + ".parquet"
		k := dms.ParseKey(folder, key)
		if k.Kind != dms.Change || !k.Time(time.UTC).Equal(at) {
			t.Fatalf("%s is %+v of %s", key, k, k.Time(time.UTC))
		}
		from := at.Add(-time.Duration(before) * time.Second)
		if from.Year() < 1000 {
			return
		}
		if anchor, ok := l.Anchor(folder, from); ok && anchor >= key {
			t.Fatalf("a listing behind %s misses %s", anchor, key)
		}
		for _, prefix := range l.Prefixes(folder, from, at) {
			if strings.HasPrefix(key, prefix) {
				return
			}
		}
		t.Fatalf("no prefix from %s to %s has %s", from, at, key)
	})
}
