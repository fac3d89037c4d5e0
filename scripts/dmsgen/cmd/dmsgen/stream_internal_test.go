package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// stream runs dmsgen stream and returns the files that it wrote, below the directory.
func stream(t *testing.T, args ...string) (string, []string) {
	t.Helper()
	dir := t.TempDir()
	c := root()
	c.SetArgs(append([]string{"stream", "--dir", dir, "--rows", "40", "--changes", "20", "--changes-per-file", "10"}, args...))
	c.SetOut(t.Output())
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			files = append(files, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir, files
}

func TestStreamWritesTheFilesOfTheSettings(t *testing.T) {
	for name, c := range map[string]struct {
		args string
		want []string
	}{
		"parquet": {"", []string{"public/t1/20250101-000100000.parquet", "public/t1/20250101-000200000.parquet", "public/t1/LOAD00000001.parquet"}},
		"csv in date folders, local time": {
			"--data-format csv --compression-type gzip --date-partition-sequence DDMMYYYY --date-partition-delimiter DASH --date-partition-timezone America/New_York",
			[]string{"public/t1/31-12-2024/20241231-190100000.csv.gz", "public/t1/31-12-2024/20241231-190200000.csv.gz", "public/t1/LOAD00000001.csv.gz"},
		},
		"segments, empty file, folder": {
			"--parallel-load 2 --segment-names north --changes 0 --empty-files --bucket-folder dms --rows-per-file 100",
			[]string{
				"dms/public/t1/20250101-000100000.parquet", "dms/public/t1/SEGMENT1_LOAD00000001.parquet",
				"dms/public/t1/SEGMENT2_LOAD00000001.parquet", "dms/public/t1/north/LOAD00000001.parquet",
			},
		},
		"transactions of two tables": {
			"--tables 2 --cdc-path cdc --changes-per-file 20",
			[]string{"cdc/CDC_TXN-20250101000100000.csv", "public/t1/LOAD00000001.parquet", "public/t2/LOAD00000001.parquet"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, got := stream(t, strings.Fields(c.args)...); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestStreamTakesEverySetting(t *testing.T) {
	for _, args := range [][]string{
		{"--dialect", "debezium", "--key-only-deletes"},
		{"--parquet-version", "parquet-2-0", "--encoding-type", "plain-dictionary", "--enable-statistics=false", "--row-group-length", "7", "--data-page-size", "100"},
		{"--dict-page-size-limit", "50", "--parquet-timestamp-in-millisecond", "--compression-type", "gzip"},
		{"--include-op-for-full-load", "--timestamp-column-name", "ts", "--add-column", "seq=$AR_H_CHANGE_SEQ", "--add-column", "op=$AR_H_OPERATION"},
		{"--cdc-inserts-only"},
		{"--cdc-inserts-and-updates"},
		{"--mix", "1,1,1,1", "--before-image-columns", "all", "--before-image-prefix", "OLD_"},
		{"--data-format", "csv", "--csv-delimiter", `\t`, "--csv-row-delimiter", `\x1e`, "--csv-null-value", `\N`, "--csv-no-sup-value", "?", "--partial-updates"},
		{"--data-format", "csv", "--rfc-4180=false", "--add-column-name", "--max-file-size", "1"},
		{"--bad-text", "--control-tables"},
	} {
		if _, files := stream(t, args...); len(files) < 3 {
			t.Errorf("%q: wrote %q", args, files)
		}
	}
}

func TestDelimitersAreUnescaped(t *testing.T) {
	dir, files := stream(t, "--data-format", "csv", "--csv-delimiter", `\t`, "--csv-row-delimiter", `\r\n`, "--add-column-name", "--changes", "0")
	body, err := os.ReadFile(filepath.Join(dir, files[0]))
	if err != nil {
		t.Fatal(err)
	}
	if header, _, ok := strings.Cut(string(body), "\r\n"); !ok || !strings.HasPrefix(header, "k1\t") {
		t.Errorf("the header is %q", header)
	}
}

func TestStreamRefusesWhatIsNoSetting(t *testing.T) {
	for _, args := range []string{
		"--data-format avro", "--parquet-version 3", "--before-image-columns some", "--date-partition-timezone Mars", "--mix 1,2",
		"--add-column seq=$AR_H_NOTHING", "--dialect debezium --data-format csv", "--cdc-inserts-only --cdc-inserts-and-updates",
	} {
		c := root()
		c.SetArgs(append([]string{"stream", "--dir", t.TempDir()}, strings.Fields(args)...))
		if err := c.ExecuteContext(t.Context()); err == nil {
			t.Errorf("%s: got no error", args)
		}
	}
}
