package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// The tests named TestE2E run the command as a process on real stores.

func TestMain(m *testing.M) {
	if measure() {
		return
	}
	flag.Bool("update", false, "write the golden files")
	flag.Parse()
	status := m.Run()
	if dir := filepath.Dir(theBinary.path); theBinary.path != "" {
		_ = os.RemoveAll(dir) // what is left of a temporary directory is of no interest
	}
	os.Exit(status)
}

// theBinary is built once for a test binary: tests have no common owner that could hold it.
var theBinary struct {
	sync.Once

	path string
	err  error
}

// binary returns the path of the command, built as make build does.
func binary(t testing.TB) string {
	t.Helper()
	theBinary.Do(func() {
		dir, err := os.MkdirTemp("", "sluice-e2e-") //nolint:usetesting // it outlives the test that came first
		if err != nil {
			theBinary.err = err
			return
		}
		theBinary.path = filepath.Join(dir, "sluice")
		build := exec.Command("go", "build", "-o", theBinary.path, ".") //nolint:noctx // it outlives the test that came first
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if said, err := build.CombinedOutput(); err != nil {
			theBinary.err = fmt.Errorf("build: %w\n%s", err, said)
		}
	})
	if theBinary.err != nil {
		t.Fatal(theBinary.err)
	}
	return theBinary.path
}

// site is one installation: where raw, lake and control table are.
type site struct {
	t     testing.TB
	where []string // flags
	env   []string
	sink  dmsgen.Sink // into raw
	lake  string      // directory in which the lake's objects are files
	s3    *rig.Buckets
	table *rig.ControlTable
	dirs  []string // raw and lake, when they are directories
}

// onDisk returns a site of two directories and the control table beside the lake.
func onDisk(t testing.TB) *site {
	t.Helper()
	rig.DuckDB(t) // or skip
	root := t.TempDir()
	raw, lake := filepath.Join(root, "raw"), filepath.Join(root, "lake")
	if err := os.Mkdir(raw, 0o755); err != nil {
		t.Fatal(err)
	}
	return &site{t: t, where: []string{"--raw", raw, "--lake", lake}, sink: dmsgen.Directory(raw), lake: lake, dirs: []string{raw, lake}}
}

// onS3 returns a site on the rig's S3 server. The control table is a file, or a DynamoDB table that is not there yet.
func onS3(t testing.TB, dynamo bool) *site {
	t.Helper()
	rig.DuckDB(t)
	buckets := rig.S3(t)
	s := &site{t: t, s3: buckets, env: buckets.Env, lake: filepath.Join(buckets.LakeDir, "tables")}
	state := filepath.Join(t.TempDir(), "control.db")
	if dynamo {
		s.table = rig.DynamoDB(t)
		state, s.env = "dynamodb://"+s.table.Name, append(s.env, s.table.Env...)
	}
	s.where = []string{"--raw", "s3://" + buckets.Raw + "/dms", "--lake", "s3://" + buckets.Lake + "/tables", "--state", state}
	s.sink = dmsgen.SinkFunc(func(ctx context.Context, key string, body []byte, _ time.Time) error {
		_, err := buckets.Client.PutObject(ctx, &s3.PutObjectInput{Bucket: &buckets.Raw, Key: aws.String("dms/" + key), Body: bytes.NewReader(body)})
		return err
	})
	return s
}

// pairs are the pairs of stores.
func pairs() map[string]func(testing.TB) *site {
	return map[string]func(testing.TB) *site{
		"directory and file": onDisk,
		"S3 and DynamoDB":    func(t testing.TB) *site { t.Helper(); return onS3(t, true) },
		"S3 and file":        func(t testing.TB) *site { t.Helper(); return onS3(t, false) },
	}
}

// outcome is a process that ended.
type outcome struct {
	status         int
	stdout, stderr string
}

// command returns a process of sluice that sees nothing of the environment but what the site gives it.
func (s *site) command(args ...string) *exec.Cmd {
	s.t.Helper()
	args = slices.Concat(args, s.where, []string{"--settle", "0", "--full-load-quiet", "0"})
	cmd := exec.CommandContext(s.t.Context(), binary(s.t), args...)
	cmd.Env = append([]string{"HOME=" + s.t.TempDir(), "AWS_EC2_METADATA_DISABLED=true"}, s.env...)
	return cmd
}

// run runs sluice to its end.
func (s *site) run(args ...string) outcome {
	s.t.Helper()
	return s.end(s.command(args...))
}

func (s *site) end(cmd *exec.Cmd) outcome {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// well runs sluice, which has to end with 0 and to log nothing, and returns its standard output.
func (s *site) well(args ...string) string {
	s.t.Helper()
	got := s.run(args...)
	if got.status != 0 || got.stderr != "" {
		s.t.Fatalf("sluice %s: exit %d\n%s%s", strings.Join(args, " "), got.status, got.stdout, got.stderr)
	}
	return got.stdout
}

// line is an object that sluice printed.
type line map[string]any

func (l line) number(name string) int64 { n, _ := l[name].(float64); return int64(n) }

func (l line) text(name string) string { text, _ := l[name].(string); return text }

// lines parses JSON lines, by table.
func (s *site) lines(stdout string) map[string]line {
	s.t.Helper()
	found := map[string]line{}
	for text := range strings.Lines(stdout) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			s.t.Fatalf("%v in %q", err, text)
		}
		if found[l.text("table")] != nil {
			s.t.Fatalf("two lines of %s", l.text("table"))
		}
		found[l.text("table")] = l
	}
	return found
}

// tick runs once; every table has to have done one of the actions.
func (s *site) tick(actions ...string) map[string]line {
	s.t.Helper()
	found := s.lines(s.well("run", "--json"))
	for name, l := range found {
		if !slices.Contains(actions, l.text("action")) {
			s.t.Fatalf("%s: %s (%s), want %v", name, l["action"], l["reason"], actions)
		}
	}
	return found
}

// everything says what lies in both buckets, so that two moments can be compared: name, size, ETag and date.
func (s *site) everything() map[string]string {
	s.t.Helper()
	found := map[string]string{}
	for _, dir := range s.dirs {
		err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			info, err := entry.Info()
			found[name] = fmt.Sprint(info.Size(), info.ModTime())
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.t.Fatal(err)
		}
	}
	if s.s3 == nil {
		return found
	}
	for _, bucket := range []string{s.s3.Raw, s.s3.Lake} {
		pages := s3.NewListObjectsV2Paginator(s.s3.Client, &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(s.t.Context())
			if err != nil {
				s.t.Fatal(err)
			}
			for _, o := range page.Contents {
				found[bucket+"/"+*o.Key] = fmt.Sprint(*o.Size, *o.ETag, o.LastModified)
			}
		}
	}
	return found
}

// writer returns a DMS writer into raw.
func (s *site) writer(settings dmsgen.Settings) *dmsgen.Writer {
	s.t.Helper()
	w, err := dmsgen.NewWriter(s.sink, settings)
	if err != nil {
		s.t.Fatal(err)
	}
	return w
}

// load writes a full load in files of at most so many rows. It is newer than every change before it.
func (s *site) load(t dmsgen.Table, rowsPerFile int, rows ...[]any) {
	s.t.Helper()
	settings := dmsgen.DefaultSettings()
	settings.RowsPerFile = rowsPerFile
	if _, err := s.writer(settings).WriteLoad(s.t.Context(), t, time.Now(), rows...); err != nil {
		s.t.Fatal(err)
	}
}

// change writes one CDC file, named now. Before-images of all columns are in it.
func (s *site) change(t dmsgen.Table, changes ...dmsgen.Change) string {
	s.t.Helper()
	settings := dmsgen.DefaultSettings()
	settings.BeforeImages = dmsgen.AllImages
	time.Sleep(2 * time.Millisecond) // names have milliseconds
	key, err := s.writer(settings).WriteChanges(s.t.Context(), t, time.Now(), changes...)
	if err != nil {
		s.t.Fatal(err)
	}
	return key
}
