package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDemoDirectory(t *testing.T) {
	parent := t.TempDir()
	fresh := filepath.Join(parent, "fresh")
	if _, err := demoDir(fresh); err != nil {
		t.Fatalf("a new directory: %v", err)
	}
	old := filepath.Join(fresh, "lake", "old.parquet")
	if err := os.WriteFile(old, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := demoDir(fresh); err != nil {
		t.Fatalf("a directory of a demo before: %v", err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("the demo before was not cleared")
	}
	mine := filepath.Join(parent, "mine.txt")
	if err := os.WriteFile(mine, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &session{engine: &fakeEngine{}}
	if got := s.run(t, "demo", "--dir", parent); got != exitUsage {
		t.Errorf("a directory of somebody else's: exit %d, %s", got, s.stderr.String())
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
}

func TestDemoDifferences(t *testing.T) {
	columns := []string{"id", "name"}
	before := lakeState{"t": {
		columns: columns,
		rows:    map[string][]string{"1": {"1", "a"}, "2": {"2", "b"}, "3": {"3", "c"}},
		files:   map[string]string{"t/p1": "v1", "t/p2": "v1"},
	}}
	after := lakeState{"t": {
		columns: columns,
		rows:    map[string][]string{"1": {"1", "a"}, "2": {"2", "B"}, "4": {"4", "d"}},
		files:   map[string]string{"t/p1": "v2", "t/p2": "v1", "t/p3": "v1"},
	}}
	changes := after.changesSince(before)
	if len(changes) != 1 {
		t.Fatalf("got %d tables, want 1", len(changes))
	}
	const want = `   t: 1 row inserted, 1 updated, 1 deleted
     ~ 2  name: b → B
     - 3 | c
     + 4 | d
     created    t/p3
     rewritten  t/p1
     left alone t/p2
`
	if diff := cmp.Diff(want, changes[0].text()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	if got := after.changesSince(after)[0]; got.Inserted+got.Updated+got.Deleted != 0 || len(got.LeftAlone) != 3 {
		t.Errorf("nothing changed, got %+v", got)
	}
}
