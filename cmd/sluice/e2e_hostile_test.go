//go:build linux

package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/scripts/dmsgen"
	"sluice/scripts/hostile"
	"sluice/scripts/rig"
)

// What a hostile file may cost. The time is the processor's, so that a busy machine is not blamed on the file, and bounded
// generously: what is meant is two seconds. The memory is all that the process ever held.
const (
	hostileTime   = 10 * time.Second
	hostileMemory = 256 << 20 // bytes
	hostileSpace  = 3 << 20   // KiB of address space: beyond it the process dies rather than the machine
)

// worst is what the most expensive file took.
type worst struct {
	files  int
	time   time.Duration
	slow   string
	memory int64 // bytes
	large  string
}

func (w *worst) say(t *testing.T, kind string) {
	t.Helper()
	rig.Figure(t, "hostile files", "%s: %d files, at most %s of processor time (%s) and %d MiB (%s)",
		kind, w.files, w.time.Round(time.Millisecond), w.slow, w.memory>>20, w.large)
}

// measureTo names the variable that makes of the test binary a process that runs another one and writes to a file what it took: the
// child of a large process counts that one's memory as its own.
const measureTo = "SLUICE_MEASURE_TO"

// measure is what such a process does. It says whether this is one.
func measure() bool {
	file := os.Getenv(measureTo)
	if file == "" {
		return false
	}
	cmd := exec.Command(os.Args[1], os.Args[2:]...) //nolint:noctx // whoever waits for this process ends it
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	_ = cmd.Run() // its status says it
	used, _ := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	said := fmt.Sprint(int64(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()), " ", used.Maxrss<<10)
	if os.WriteFile(file, []byte(said), 0o600) != nil {
		os.Exit(2)
	}
	os.Exit(cmd.ProcessState.ExitCode())
	return true
}

func (s *site) usage() string { return filepath.Join(filepath.Dir(s.lake), "usage") }

// used is the processor's time and the memory, in bytes, that the last measured process took.
func (s *site) used(name string) (took time.Duration, held int64) {
	s.t.Helper()
	said, err := os.ReadFile(s.usage())
	if err == nil {
		_, err = fmt.Sscan(string(said), &took, &held)
	}
	if err != nil {
		s.t.Fatalf("%s: %v", name, err)
	}
	return took, held
}

// measured runs sluice in little space and holds what it took against the limits.
func (s *site) measured(w *worst, name string, files int, args ...string) outcome {
	s.t.Helper()
	cmd := s.command(args...)
	cmd.Args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -v %d; exec "$0" "$@"`, hostileSpace), os.Args[0], cmd.Path}, cmd.Args[1:]...)
	cmd.Path, cmd.Env = "/bin/sh", append(cmd.Env, measureTo+"="+s.usage())
	got := s.end(cmd)
	if got.status < 0 || got.status == 2 || strings.Contains(got.stderr, "goroutine ") {
		s.t.Fatalf("%s: exit %d\n%s%.3000s", name, got.status, got.stdout, got.stderr)
	}
	took, held := s.used(name)
	took /= time.Duration(files)
	if took > hostileTime {
		s.t.Errorf("%s: %s of processor time", name, took)
	}
	if held > hostileMemory {
		s.t.Errorf("%s: %d MiB", name, held>>20)
	}
	w.files += files
	if took > w.time {
		w.time, w.slow = took, name
	}
	if held > w.memory {
		w.memory, w.large = held, name
	}
	return got
}

// tables are the given number of tables with the rows of a good file, active. They are loaded unless told otherwise.
func (s *site) tables(n int, loaded bool) {
	s.t.Helper()
	for i := range n {
		s.write(s.rawFile(fmt.Sprintf("t%03d", i), "LOAD00000001.parquet"), hostile.Good())
	}
	s.tick("registered")
	items := s.items()
	var lines bytes.Buffer
	for _, item := range items {
		item["PrimaryKey"], item["ActiveFlag"] = "id", "true"
		if err := json.NewEncoder(&lines).Encode(item); err != nil {
			s.t.Fatal(err)
		}
	}
	file := filepath.Join(s.t.TempDir(), "items.jsonl")
	s.write(file, lines.Bytes())
	s.well("control", "import", "--force", file)
	if loaded {
		s.tick("loaded")
	}
}

func (s *site) rawFile(table, name string) string {
	s.t.Helper()
	file := filepath.Join(s.dirs[0], "shop", table, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		s.t.Fatal(err)
	}
	return file
}

func (s *site) write(file string, body []byte) {
	s.t.Helper()
	if err := os.WriteFile(file, body, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// now is the name of a change file, without its extension, that is newer than the ones before.
func now() string {
	time.Sleep(2 * time.Millisecond)
	return strings.ReplaceAll(time.Now().UTC().Format("20060102-150405.000"), ".", "")
}

// goodRows wants the rows of a good file in a table, as DuckDB reads it.
func (s *site) goodRows(table string) {
	s.t.Helper()
	got := rig.DuckDB(s.t).Strings("select id, v from read_parquet(?, union_by_name=true) order by id", s.glob(table))
	want := []string{}
	for id := range hostile.Rows {
		want = append(want, fmt.Sprintf("%d|name", id+1))
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("%s: the lake has %q", table, got)
	}
}

// halted wants a halt that names the file, or, where nobody can tell what is wrong, anything but a failure.
func halted(t *testing.T, l line, h hostile.File, key string) {
	t.Helper()
	reason := l.text("reason")
	switch action := l.text("action"); {
	case h.Legal && (action == "merged" || action == "loaded" || action == "idle"):
	case action != "halted" || !strings.Contains(reason, key) && !h.Legal:
		t.Errorf("%s: %s (%.300s), want a halt that names %s", h.Name, action, reason, key)
	case !h.Legal && !slices.Contains([]string{"input", "foreign", "schema", "key"}, strings.SplitN(reason, ":", 2)[0]):
		t.Errorf("%s: halted with %.300s, want input", h.Name, reason)
	}
}

func TestE2E_HostileChanges(t *testing.T) {
	t.Parallel()
	oneByOne(t, hostile.Files(), ".parquet", hostile.Good())
}

func TestE2E_HostileCSV(t *testing.T) {
	t.Parallel()
	oneByOne(t, hostile.CSVs(), ".csv", hostile.GoodCSV())
}

// oneByOne has each file come as a change file beside a good one of another table, and mended behind it.
func oneByOne(t *testing.T, files []hostile.File, extension string, mended []byte) {
	t.Helper()
	s := onDisk(t)
	s.tables(2, true)
	well := dmsgen.NewOracle(hostileTable())
	for id := range hostile.Rows {
		well.Load([]any{id + 1, "name"})
	}
	var w worst
	for i, h := range files {
		name := now() + extension
		file := s.rawFile("t000", name)
		s.write(file, h.Body)
		change := dmsgen.Change{Op: dmsgen.Update, Row: []any{1 + i%8, h.Name}}
		s.change(hostileTable(), change)
		well.Apply(change)
		l := s.lines(s.measured(&w, h.Name, 1, "run", "--json").stdout)
		halted(t, l["shop.t000"], h, "shop/t000/"+name)
		if l["shop.t001"].text("action") != "merged" {
			t.Fatalf("%s: the other table was not merged: %v", h.Name, l["shop.t001"])
		}
		s.write(file, mended)
		if l["shop.t000"].text("action") == "halted" {
			s.well("acknowledge", "shop.t000")
		}
		if got := s.run("run"); got.status != 0 {
			t.Fatalf("%s: after it was mended: %s", h.Name, got.stdout)
		}
	}
	s.goodRows("t000")
	s.equal(hostileTable(), well)
	w.say(t, "changes "+extension)
}

func hostileTable() dmsgen.Table {
	return dmsgen.Table{Schema: "shop", Name: "t001", Key: []string{"id"}, Columns: []dmsgen.Column{{Name: "id", Type: "int"}, {Name: "v", Type: "text"}}}
}

// herd is many hostile files in one run, each in a table of its own.
type herd struct {
	s     *site
	files []hostile.File
	put   func(table string, body []byte) (key string) // the file that is hostile
	mend  func(table, key string)
}

// goThrough wants every table halted, and right after all were mended.
func (c herd) goThrough(t *testing.T, kind string) {
	t.Helper()
	keys := map[string]string{}
	for i, h := range c.files {
		table := fmt.Sprintf("t%03d", i)
		keys[table] = c.put(table, h.Body)
	}
	var w worst
	l := c.s.lines(c.s.measured(&w, "all in one run", len(c.files), "run", "--json").stdout)
	legal := 0
	for i, h := range c.files {
		table := fmt.Sprintf("t%03d", i)
		got := l["shop."+table]
		halted(t, got, h, keys[table])
		if got.text("action") != "halted" {
			legal++
			continue
		}
		c.mend(table, keys[table])
		c.s.well("acknowledge", "shop."+table)
	}
	for name, got := range c.s.lines(c.s.run("run", "--json").stdout) {
		if got.text("action") == "halted" && strings.Contains(got.text("reason"), "--accept foreign") { // the commit read it already
			c.s.well("acknowledge", name, "--accept", "foreign")
		}
	}
	if got := c.s.run("run"); got.status != 0 {
		t.Fatalf("after all were mended: exit %d\n%s", got.status, got.stdout)
	}
	for i := range c.files {
		table := fmt.Sprintf("t%03d", i)
		switch l["shop."+table].text("action") {
		case "halted":
			c.s.goodRows(table)
		case "loaded": // other values, then, but never other rows
			if got := rig.DuckDB(t).Strings("select count(*) from read_parquet(?, union_by_name=true)", c.s.glob(table)); got[0] != fmt.Sprint(hostile.Rows) {
				t.Errorf("%s: %s rows", c.files[i].Name, got[0])
			}
		}
	}
	w.say(t, fmt.Sprintf("%s, of which %d may be read", kind, legal))
}

// few are files that a herd is made of where every kind is tried otherwise.
func few() []hostile.File {
	files := slices.Concat(hostile.Truncated(hostile.Good()), hostile.Flipped(hostile.Good(), 60, 7))
	for i, h := range hostile.Files() {
		if i%4 == 0 && !h.Legal {
			files = append(files, h)
		}
	}
	return files
}

func TestE2E_HostileLoads(t *testing.T) {
	t.Parallel()
	s := onDisk(t)
	files := few()
	s.tables(len(files), false)
	load := func(table string, body []byte) string {
		s.write(s.rawFile(table, "LOAD00000001.parquet"), body)
		return "shop/" + table + "/LOAD00000001.parquet"
	}
	herd{s, files, load, func(table, _ string) { load(table, hostile.Good()) }}.goThrough(t, "loads")
}

func TestE2E_HostileChangesOfManyTables(t *testing.T) {
	t.Parallel()
	s := onDisk(t)
	files := slices.Concat(hostile.Truncated(hostile.Good()), hostile.Flipped(hostile.Good(), 60, 8))
	s.tables(len(files), true)
	put := func(table string, body []byte) string {
		name := now() + ".parquet"
		s.write(s.rawFile(table, name), body)
		return "shop/" + table + "/" + name
	}
	herd{s, files, put, func(table, key string) { s.write(s.rawFile(table, filepath.Base(key)), hostile.Good()) }}.goThrough(t, "changes of many tables")
}

func TestE2E_HostileLakeFiles(t *testing.T) {
	t.Parallel()
	s := onDisk(t)
	files := few()
	s.tables(len(files), true)
	was := map[string][]byte{}
	put := func(table string, body []byte) string {
		key := s.lakeFiles(table)[0]
		was[table] = s.readLake(key)
		s.putLake(key, body)
		s.write(s.rawFile(table, now()+".parquet"), hostile.Good())
		return key
	}
	herd{s, files, put, func(table, key string) { s.putLake(key, was[table]) }}.goThrough(t, "lake files")
}
