package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
)

func TestText(t *testing.T) {
	everything := &fakeEngine{
		results: append(someResults(), halted(), failed()), tables: someTables(),
		forecasts: []replicate.Forecast{
			{
				Table: "store.product", Action: replicate.Merged, Inputs: []string{"store/product/20250102-000000000.parquet"},
				Files: []string{"product/part-1.parquet"}, Rewritten: 1, Untouched: 40, Rows: 6, BytesToRead: 3 << 20, BytesToWrite: 1 << 20,
			},
			{Table: "store.off", Action: replicate.Inactive, Reason: "not active"},
			{Table: "store.calm", Action: replicate.Idle},
		},
		checks: []replicate.Check{
			{Name: "conditional writes", OK: true, Detail: "held by bucket lake"},
			{Name: "clock", Detail: "9 s behind S3", Remedy: "set the clock by NTP"},
		},
		cleanings: someCleanings(),
	}
	everything.commits, everything.rest = someCommits(), replicate.HistoryRest{First: 7}
	for name, args := range map[string][]string{
		"cost": {"cost"}, "cost-json": {"cost", "--table-metrics", "--json"},
		"janitor": {"janitor"}, "janitor-verbose": {"janitor", "-v"}, "janitor-json": {"janitor", "--json"}, "janitor-dry": {"janitor", "--dry-run", "-v"},
		"history": {"history", "store.product"}, "history-json": {"history", "store.product", "--json"},
		"run": {"run"}, "run-verbose": {"run", "-v"}, "run-json": {"run", "--json"},
		"plan": {"plan"}, "plan-verbose": {"plan", "-v"}, "plan-json": {"plan", "--json"},
		"tables": {"tables"}, "tables-verbose": {"tables", "-v"}, "tables-json": {"tables", "--json"},
		"activate": {"activate", "store.product"}, "doctor": {"doctor"}, "doctor-json": {"doctor", "--json"},
		"export": {"control", "export"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{engine: everything}
			s.run(t, args...)
			if s.stderr.Len() > 0 {
				t.Errorf("stderr: %s", s.stderr.String())
			}
			golden(t, name, s.stdout.String())
		})
	}
}

func TestHelp(t *testing.T) {
	for _, command := range []string{
		"", "run", "plan", "tables", "activate", "deactivate", "acknowledge", "rebuild", "compact", "history", "control", "control export", "control import",
		"verify", "janitor", "cost", "doctor", "demo", "version",
	} {
		t.Run(command, func(t *testing.T) {
			s := &session{}
			if got := s.run(t, append(strings.Fields(command), "--help")...); got != exitWell {
				t.Errorf("exit %d", got)
			}
			text := s.stdout.String()
			if !strings.Contains(text, "Examples:") && command != "control" {
				t.Error("no example")
			}
			text, _, _ = strings.Cut(text, "Global Flags:")
			text = strings.ReplaceAll(text, fmt.Sprintf("(default %d)", newOptions().settings.Parallel), "(default CPUS)")
			golden(t, strings.ReplaceAll(strings.TrimSpace("help "+command), " ", "-"), text)
		})
	}
}

func TestExitStatus(t *testing.T) {
	tick := errors.New("list raw: access denied; run sluice doctor")
	usage := fmt.Errorf("%w: no table store.x", replicate.ErrUsage)
	for name, tc := range map[string]struct {
		args   []string
		engine fakeEngine
		want   int
		stderr string
	}{
		"well":                    {[]string{"run"}, fakeEngine{results: someResults()}, 0, ""},
		"no command":              {nil, fakeEngine{}, 0, ""},
		"halted":                  {[]string{"run"}, fakeEngine{results: append(someResults(), halted())}, 3, ""},
		"failed before halted":    {[]string{"run"}, fakeEngine{results: []replicate.Result{failed(), halted()}}, 1, ""},
		"tick not made":           {[]string{"run"}, fakeEngine{err: tick}, 1, "sluice: list raw: access denied; run sluice doctor\n"},
		"tick and table":          {[]string{"run"}, fakeEngine{results: []replicate.Result{failed()}, err: tick}, 1, "sluice: list raw"},
		"plan halted":             {[]string{"plan"}, fakeEngine{forecasts: []replicate.Forecast{{Action: replicate.Halted}}}, 3, ""},
		"plan failed":             {[]string{"plan"}, fakeEngine{forecasts: []replicate.Forecast{{Action: replicate.Failed}}}, 1, ""},
		"rebuilt":                 {[]string{"rebuild", "a.b"}, fakeEngine{results: []replicate.Result{rebuilt()}}, 0, ""},
		"rebuild halted":          {[]string{"rebuild", "a.b"}, fakeEngine{results: []replicate.Result{halted()}}, 3, ""},
		"rebuild failed":          {[]string{"rebuild", "a.b"}, fakeEngine{results: []replicate.Result{failed()}}, 1, ""},
		"rebuild refused":         {[]string{"rebuild", "a.b"}, fakeEngine{err: usage}, 2, "no table store.x"},
		"rebuild of nothing":      {[]string{"rebuild"}, fakeEngine{}, 2, "accepts 1 arg"},
		"dry rebuild":             {[]string{"rebuild", "a.b", "--dry-run"}, fakeEngine{forecasts: []replicate.Forecast{{Action: replicate.Rebuilt}}}, 0, ""},
		"dry rebuild halted":      {[]string{"rebuild", "a.b", "--dry-run"}, fakeEngine{forecasts: []replicate.Forecast{{Action: replicate.Halted}}}, 3, ""},
		"compacted":               {[]string{"compact", "a.b"}, fakeEngine{results: []replicate.Result{compacted()}}, 0, ""},
		"compact halted":          {[]string{"compact", "a.b"}, fakeEngine{results: []replicate.Result{halted()}}, 3, ""},
		"compact refused":         {[]string{"compact", "a.b"}, fakeEngine{err: usage}, 2, "no table store.x"},
		"compact of nothing":      {[]string{"compact"}, fakeEngine{}, 2, "accepts 1 arg"},
		"dry compact":             {[]string{"compact", "a.b", "--dry-run"}, fakeEngine{forecasts: []replicate.Forecast{{Action: replicate.Compacted}}}, 0, ""},
		"dry compact refused":     {[]string{"compact", "a.b", "--dry-run"}, fakeEngine{err: usage}, 2, "no table store.x"},
		"history":                 {[]string{"history", "a.b"}, fakeEngine{commits: someCommits()}, 0, ""},
		"history of nothing":      {[]string{"history", "a.b"}, fakeEngine{err: usage}, 2, "no table store.x"},
		"history below zero":      {[]string{"history", "a.b", "--limit", "-1"}, fakeEngine{}, 2, "below zero"},
		"tables shows a halt":     {[]string{"tables"}, fakeEngine{tables: someTables()}, 0, ""},
		"no tables":               {[]string{"tables"}, fakeEngine{}, 0, ""},
		"doctor is well":          {[]string{"doctor"}, fakeEngine{checks: []replicate.Check{{OK: true}}}, 0, ""},
		"doctor is not":           {[]string{"doctor"}, fakeEngine{checks: []replicate.Check{{OK: true}, {}}}, 1, ""},
		"unknown table":           {[]string{"activate", "store.x"}, fakeEngine{err: usage}, 2, "no table store.x"},
		"table missing":           {[]string{"activate"}, fakeEngine{}, 2, "accepts 1 arg"},
		"unknown command":         {[]string{"rum"}, fakeEngine{}, 2, "did you mean run?"},
		"unknown control":         {[]string{"control", "exprot"}, fakeEngine{}, 2, "did you mean export?"},
		"unknown flag":            {[]string{"run", "--fast"}, fakeEngine{}, 2, "--fast"},
		"argument to run":         {[]string{"run", "store.product"}, fakeEngine{}, 2, "see sluice run --help"},
		"bad duration":            {[]string{"run", "--settle", "soon"}, fakeEngine{}, 2, "not a time span"},
		"bad size":                {[]string{"run", "--batch-bytes", "lots"}, fakeEngine{}, 2, "not a size"},
		"bad choice":              {[]string{"run", "--op-column", "maybe"}, fakeEngine{}, 2, "keep, drop"},
		"bad accept":              {[]string{"acknowledge", "a.b", "--accept", "all"}, fakeEngine{}, 2, "reload, truncate, foreign, schema"},
		"contract of no file":     {[]string{"activate", "a.b", "--contract", "/no/such/file"}, fakeEngine{}, 2, "no such file"},
		"contract of nothing":     {[]string{"activate", "a.b", "--contract", "/dev/null"}, fakeEngine{}, 2, "none removes a contract"},
		"import of no such file":  {[]string{"control", "import", "/no/such/file"}, fakeEngine{}, 2, "no such file"},
		"janitor is well":         {[]string{"janitor"}, fakeEngine{cleanings: someCleanings()[:2]}, 0, ""},
		"janitor failed":          {[]string{"janitor"}, fakeEngine{cleanings: someCleanings()}, 1, ""},
		"cost of a part":          {[]string{"cost", "--changing", "5"}, fakeEngine{}, 2, "share from 0 to 1"},
		"cost of an unknown arch": {[]string{"cost", "--arch", "mips"}, fakeEngine{}, 2, "neither x86_64 nor arm64"},
		"cost somewhere else":     {[]string{"cost", "--region", "mars-1"}, fakeEngine{}, 2, "eu-west-1, us-east-1"},
		"cost without a list":     {[]string{"cost", "--prices", "nowhere.json"}, fakeEngine{}, 2, "nowhere.json"},
		"janitor wants no table":  {[]string{"janitor", "store.product"}, fakeEngine{}, 2, "see sluice janitor --help"},
		"version":                 {[]string{"version"}, fakeEngine{}, 0, ""},
		"completion":              {[]string{"completion", "bash"}, fakeEngine{}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{engine: &tc.engine}
			if got := s.run(t, tc.args...); got != tc.want {
				t.Errorf("got exit %d, want %d; stderr %q", got, tc.want, s.stderr.String())
			}
			if got := s.stderr.String(); !strings.Contains(got, tc.stderr) || tc.stderr == "" && got != "" {
				t.Errorf("got stderr %q, want %q in it", got, tc.stderr)
			}
		})
	}
}

func TestInterruptIsFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &session{engine: &fakeEngine{results: someResults(), cancel: cancel}, ctx: ctx}
	if got := s.run(t, "run"); got != exitFailed {
		t.Errorf("got exit %d, want %d", got, exitFailed)
	}
	if !strings.Contains(s.stderr.String(), "interrupted") {
		t.Errorf("stderr does not say so: %q", s.stderr.String())
	}
}

// TestRunJSON holds the contract's names, in the contract's order.
func TestRunJSON(t *testing.T) {
	s := &session{engine: &fakeEngine{results: someResults()[:1]}}
	s.run(t, "run", "--json")
	var got map[string]any
	if err := json.Unmarshal(s.stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"table", "path", "action", "reason", "inputs", "inserts", "updates", "deletes", "files_created", "files_rewritten",
		"files_emptied", "files_untouched", "bytes_read", "bytes_written", "bytes_copied", "seconds", "last_full_load_date", "last_incremental_file",
	} {
		if _, ok := got[name]; !ok {
			t.Errorf("no field %s in %s", name, s.stdout.String())
		}
	}
}

func TestActivation(t *testing.T) {
	id, day, none, out := "id,line", "day", "", "lake/sales/"
	rules, strict := "rules: [{column: id, not_null: true}]\n", "strict"
	file := filepath.Join(t.TempDir(), "contract.yaml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		want replicate.Activation
	}{
		"nothing": {nil, replicate.Activation{}},
		"keys":    {[]string{"--primary-key", id, "--partition-key", day}, replicate.Activation{PrimaryKey: &id, PartitionKey: &day}},
		"cleared": {[]string{"--order-column", ""}, replicate.Activation{OrderColumn: &none}},
		"place":   {[]string{"--out-path=" + out}, replicate.Activation{OutPath: &out}},
		"rules":   {[]string{"--contract", file, "--schema-policy", strict}, replicate.Activation{Contract: &rules, SchemaPolicy: &strict}},
		"none":    {[]string{"--contract", "none"}, replicate.Activation{Contract: &none}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{engine: &fakeEngine{tables: someTables()}}
			if got := s.run(t, append([]string{"activate", "store.product"}, tc.args...)...); got != exitWell {
				t.Fatalf("exit %d: %s", got, s.stderr.String())
			}
			if diff := cmp.Diff(tc.want, s.engine.activation); diff != "" || s.engine.table != "store.product" {
				t.Errorf("table %s (-want +got):\n%s", s.engine.table, diff)
			}
		})
	}
}

func TestAcknowledge(t *testing.T) {
	s := &session{engine: &fakeEngine{tables: someTables()}}
	if got := s.run(t, "acknowledge", "store.bad", "--accept", "reload"); got != exitWell {
		t.Fatalf("exit %d: %s", got, s.stderr.String())
	}
	if s.engine.table != "store.bad" || s.engine.accept != "reload" {
		t.Errorf("got %q, %q", s.engine.table, s.engine.accept)
	}
}

func TestControl(t *testing.T) {
	file := filepath.Join(t.TempDir(), "items.jsonl")
	s := &session{engine: &fakeEngine{}}
	if got := s.run(t, "control", "export", file); got != exitWell {
		t.Fatalf("exit %d: %s", got, s.stderr.String())
	}
	if got := s.run(t, "control", "import", file, "--force"); got != exitWell {
		t.Fatalf("exit %d: %s", got, s.stderr.String())
	}
	if want := `{"path":"raw/s/t/"}` + "\n"; s.engine.imported != want || !s.engine.force {
		t.Errorf("imported %q, force %v", s.engine.imported, s.engine.force)
	}
	if got := s.stdout.String(); got != "imported 1 item\n" {
		t.Errorf("stdout %q", got)
	}
	piped := &session{engine: &fakeEngine{}, stdin: "a\nb\n"}
	if piped.run(t, "control", "import", "-", "--json"); piped.stdout.String() != `{"imported":2}`+"\n" {
		t.Errorf("stdout %q", piped.stdout.String())
	}
}

func TestBrokenExportLeavesTheFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "items.jsonl")
	if err := os.WriteFile(file, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &session{engine: &fakeEngine{err: errors.New("throttled")}}
	if got := s.run(t, "control", "export", file); got != exitFailed {
		t.Errorf("exit %d", got)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "before" {
		t.Errorf("file is %q, %v", got, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d files are there, %v", len(entries), err)
	}
}

func TestCompletionOfTables(t *testing.T) {
	twins := append(someTables(), replicate.Table{Table: "store.off", Path: "raw/other/store/off/"})
	for name, tc := range map[string]struct {
		args   []string
		tables []replicate.Table
		want   []string
	}{
		"activate offers all":         {[]string{"activate", ""}, someTables(), []string{"store.bad", "store.off", "store.product"}},
		"what was begun":              {[]string{"activate", "store.p"}, someTables(), []string{"store.product"}},
		"deactivate offers active":    {[]string{"deactivate", ""}, someTables(), []string{"store.bad", "store.product"}},
		"acknowledge offers halted":   {[]string{"acknowledge", ""}, someTables(), []string{"store.bad"}},
		"paths where names are twice": {[]string{"activate", "raw/"}, twins, []string{"raw/other/store/off/", "raw/store/off/"}},
		"one table only":              {[]string{"activate", "store.bad", ""}, someTables(), nil},
		"accept":                      {[]string{"acknowledge", "x", "--accept", ""}, nil, []string{"reload", "truncate", "foreign", "schema"}},
		"compression":                 {[]string{"run", "--compression", ""}, nil, []string{"zstd", "snappy", "gzip", "none"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{engine: &fakeEngine{tables: tc.tables}}
			s.run(t, append([]string{"__complete"}, tc.args...)...)
			lines := strings.Split(strings.TrimSpace(s.stdout.String()), "\n")
			if got := lines[:len(lines)-1]; !slices.Equal(got, tc.want) { // the last line is the directive
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func someCleanings() []replicate.Cleaning {
	return []replicate.Cleaning{
		{
			Table: "store.product", Path: "raw/store/product/", Action: replicate.Cleaned, Files: 1, Bookkeeping: 2, Bytes: 5 << 20, Uploads: 1,
			Keys: []string{"_sluice/product/ledger/1-a.json", "_sluice/product/ledger/2-b.json", "product/part-1-0-a.parquet"},
		},
		{Table: "store.calm", Path: "raw/store/calm/", Action: replicate.Idle, Keys: []string{}},
		{Table: "store.slow", Path: "raw/store/slow/", Action: replicate.Failed, Reason: "delete slow/x: access denied; check the permissions with sluice doctor", Keys: []string{}},
	}
}

func TestJanitorDryRun(t *testing.T) {
	s := &session{engine: &fakeEngine{}}
	if s.run(t, "janitor"); s.dry {
		t.Error("dry without --dry-run")
	}
	if s.run(t, "janitor", "--dry-run"); !s.dry {
		t.Error("not dry with --dry-run")
	}
}
