package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/internal/setting"
)

func TestOptionsDefault(t *testing.T) {
	s := &session{engine: &fakeEngine{}}
	s.run(t, "run")
	got := s.options.settings
	if got.Parallel < 1 {
		t.Errorf("parallel is %d", got.Parallel)
	}
	want := replicate.Settings{
		Settle: 60 * time.Second, FullLoadQuiet: 30 * time.Minute, Horizon: 7 * 24 * time.Hour,
		BatchBytes: replicate.DefaultSettings().BatchBytes, TargetFileBytes: 128 << 20, Compression: "zstd", Parallel: got.Parallel,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if s.options.schema != "*" {
		t.Errorf("schema is %q", s.options.schema)
	}
}

func TestOptionsFromEnvironmentAndFlags(t *testing.T) {
	env := map[string]string{
		"SLUICE_RAW": "s3://r", "SLUICE_LAKE": "s3://l", "SLUICE_STATE": "dynamodb://T", "SLUICE_SCHEMA": "sales",
		"SLUICE_SETTLE": "0", "SLUICE_FULL_LOAD_QUIET": "5m", "SLUICE_HORIZON": "2d", "SLUICE_BATCH_BYTES": "16MiB",
		"SLUICE_TARGET_FILE_BYTES": "1048576", "SLUICE_COMPRESSION": "snappy", "SLUICE_PARALLEL": "9", "SLUICE_OP_COLUMN": "drop",
		"SLUICE_CATALOG": "glue:sales", "SLUICE_MEMORY": "1GiB",
	}
	s := &session{engine: &fakeEngine{}, env: env}
	if got := s.run(t, "run", "--raw", "s3://flag", "--settle", "3s", "--compression", "gzip"); got != exitWell {
		t.Fatalf("exit %d: %s", got, s.stderr.String())
	}
	want := replicate.Settings{
		Settle: 3 * time.Second, FullLoadQuiet: 5 * time.Minute, Horizon: 48 * time.Hour,
		BatchBytes: 16 << 20, TargetFileBytes: 1 << 20, Compression: "gzip", Parallel: 9, DropOp: true,
	}
	if diff := cmp.Diff(want, s.options.settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if s.options.memory != 1<<30 {
		t.Errorf("memory is %d", s.options.memory)
	}
	got := []string{s.options.raw, s.options.lake, s.options.state, s.options.schema, s.options.catalog}
	if diff := cmp.Diff([]string{"s3://flag", "s3://l", "dynamodb://T", "sales", "glue:sales"}, got); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

func TestBadEnvironmentNamesTheVariable(t *testing.T) {
	for name, value := range map[string]string{"SLUICE_SETTLE": "soon", "SLUICE_PARALLEL": "many", "SLUICE_TARGET_FILE_BYTES": "big"} {
		t.Run(name, func(t *testing.T) {
			s := &session{engine: &fakeEngine{}, env: map[string]string{name: value}}
			if got := s.run(t, "run"); got != exitUsage || !strings.Contains(s.stderr.String(), name) {
				t.Errorf("exit %d, stderr %q", got, s.stderr.String())
			}
		})
	}
}

func TestLocations(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Symlink(dir, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		raw, lake string
		want      places
		refused   string
	}{
		"buckets":          {"s3://r", "s3://l", places{location{bucket: "r"}, location{bucket: "l"}}, ""},
		"prefixes":         {"s3://r/dms/x/", "s3://l/a", places{location{bucket: "r", prefix: "dms/x/"}, location{bucket: "l", prefix: "a/"}}, ""},
		"one bucket":       {"s3://b/raw", "s3://b/lake", places{location{bucket: "b", prefix: "raw/"}, location{bucket: "b", prefix: "lake/"}}, ""},
		"directories":      {"/d/raw", "/d/lake/", places{location{bucket: "raw", dir: "/d/raw"}, location{bucket: "lake", dir: "/d/lake"}}, ""},
		"relative":         {"raw", "x/../lake", places{location{bucket: "raw", dir: dir + "/raw"}, location{bucket: "lake", dir: dir + "/lake"}}, ""},
		"mixed":            {"/d/raw", "s3://l", places{location{bucket: "raw", dir: "/d/raw"}, location{bucket: "l"}}, ""},
		"a link":           {"link", "/d/lake", places{location{bucket: "link", dir: dir + "/link"}, location{bucket: "lake", dir: "/d/lake"}}, ""},
		"no raw":           {"", "s3://l", places{}, "SLUICE_RAW"},
		"no lake":          {"s3://r", "", places{}, "SLUICE_LAKE"},
		"no bucket":        {"s3://", "s3://l", places{}, "neither"},
		"other scheme":     {"gs://r", "s3://l", places{}, "neither"},
		"root":             {"/", "/d/lake", places{}, "root of a file system"},
		"same last":        {"/a/data", "/b/data", places{}, "rename one"},
		"same directory":   {"/a/data", "/a/data/", places{}, "rename one"},
		"same as bucket":   {"/a/data", "s3://data", places{}, "rename one"},
		"lake in raw":      {"/a", "/a/lake", places{}, "beside it"},
		"in raw by a link": {dir, "link/lake", places{}, "beside it"},
		"lake in raw, S3":  {"s3://b", "s3://b/lake", places{}, "another prefix"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := (&options{raw: tc.raw, lake: tc.lake}).locate()
			if tc.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tc.refused) {
					t.Errorf("got %v, want %q in it", err, tc.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestControlTable(t *testing.T) {
	for name, tc := range map[string]struct {
		state       string
		lake        location
		table, file string
	}{
		"default of S3":          {"", location{bucket: "l"}, "DMSCDC_Controller", ""},
		"default of a directory": {"", location{bucket: "lake", dir: "/d/lake"}, "", "/d/lake/_sluice/control.db"},
		"another table":          {"dynamodb://Other", location{dir: "/d/lake"}, "Other", ""},
		"a file":                 {"/var/c.db", location{bucket: "l"}, "", "/var/c.db"},
	} {
		t.Run(name, func(t *testing.T) {
			table, file, err := (&options{state: tc.state}).control(tc.lake)
			if err != nil || table != tc.table || file != tc.file {
				t.Errorf("got %q, %q, %v", table, file, err)
			}
		})
	}
	for _, state := range []string{"dynamodb://", "http://x"} {
		if _, _, err := (&options{state: state}).control(location{}); err == nil {
			t.Errorf("%s: got no error", state)
		}
	}
}

func TestRawDirectoryMustExist(t *testing.T) {
	dir := t.TempDir()
	a := &app{stdout: os.Stdout, stderr: os.Stderr, now: time.Now}
	o := newOptions()
	o.raw, o.lake, o.makeLake = filepath.Join(dir, "raw"), filepath.Join(dir, "lake"), true
	_, err := openEngine(t.Context(), o, a.quiet(o))
	if err == nil || !strings.Contains(err.Error(), o.raw) || a.status(t.Context(), nil) != exitWell {
		t.Fatalf("got %v, want the directory's name in it", err)
	}
	if _, err := os.Stat(o.lake); err == nil {
		t.Error("the lake was made although there is no raw directory")
	}
	if err := os.Mkdir(o.raw, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := openEngine(t.Context(), o, a.quiet(o)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(o.lake); err != nil {
		t.Errorf("the lake directory was not made: %v", err)
	}
}

func TestBuckets(t *testing.T) {
	b := newBuckets(places{raw: location{bucket: "raw", dir: "/d/raw"}, lake: location{bucket: "lake", dir: "/d/lake"}})
	if _, err := b.open(t.Context(), "lake"); err != nil {
		t.Errorf("lake: %v", err)
	}
	if _, err := b.open(t.Context(), "elsewhere"); err == nil || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("elsewhere: got %v", err)
	}
}

func TestValues(t *testing.T) {
	for text, want := range map[string]string{"0": "0s", "60s": "1m", "90s": "1m30s", "30m": "30m", "7d": "7d", "168h": "7d"} {
		var d setting.Duration
		if err := d.Set(text); err != nil || d.String() != want {
			t.Errorf("duration %s: got %s, %v, want %s", text, d.String(), err, want)
		}
	}
	for text, want := range map[string]int64{"0": 0, "134217728": 128 << 20, "128MiB": 128 << 20, "2 GiB": 2 << 30, "1KiB": 1024} {
		var s setting.Size
		if err := s.Set(text); err != nil || int64(s) != want {
			t.Errorf("size %s: got %d, %v, want %d", text, s, err, want)
		}
	}
	for n, want := range map[int64]string{0: "0B", 1023: "1023B", 1536: "1.5KiB", 128 << 20: "128MiB", 5 << 40: "5TiB"} {
		if got := setting.Bytes(n); got != want {
			t.Errorf("bytes %d: got %s, want %s", n, got, want)
		}
	}
}
