package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/scripts/dmsgen"
)

// age gives every object of the lake a date so long ago.
func (s *site) age(by time.Duration) {
	s.t.Helper()
	then := time.Now().Add(-by)
	err := filepath.WalkDir(s.lake, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(name) == ".db" {
			return err
		}
		return os.Chtimes(name, then, then)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestE2E_Janitor cleans a table some of whose partitions were emptied.
func TestE2E_Janitor(t *testing.T) {
	for name, open := range pairs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			truth := dmsgen.NewOracle(wide())
			for id := range 8 {
				truth.Apply(dmsgen.Change{Op: dmsgen.Insert, Row: []any{id, "entry", id % 4}})
			}
			s.load(wide(), 0, truth.Rows()...)
			s.tick("registered")
			s.well("activate", "shop.visit", "--primary-key", "id", "--partition-key", "shelf")
			s.tick("loaded")
			for _, id := range []int{2, 6} { // all of shelf 2
				before, _ := truth.Row(truth.Key([]any{id}))
				c := dmsgen.Change{Op: dmsgen.Delete, Row: before}
				truth.Apply(c)
				s.change(wide(), c)
				s.tick("merged")
			}
			if got := s.lines(s.well("janitor", "--json"))["shop.visit"]; got.text("action") != "idle" {
				t.Errorf("everything is young: %v", got)
			}
			s.age(40 * 24 * time.Hour)
			before := s.everything()
			dry := s.well("janitor", "--dry-run", "-v")
			if !strings.Contains(dry, "would delete 1 emptied lake file") || !strings.Contains(dry, "shelf=2/") {
				t.Errorf("dry run: %s", dry)
			}
			if len(s.everything()) != len(before) {
				t.Error("the dry run deleted something")
			}
			got := s.lines(s.well("janitor", "--json"))["shop.visit"]
			if got.text("action") != "cleaned" || got.number("files_deleted") != 1 || got.number("bookkeeping_deleted") == 0 {
				t.Errorf("got %v", got)
			}
			after := s.everything()
			for _, key := range got["keys"].([]any) {
				if slices.ContainsFunc(keysOf(after), func(name string) bool { return strings.HasSuffix(name, key.(string)) }) {
					t.Errorf("%s is still there", key)
				}
			}
			if want := len(before) - int(got.number("files_deleted")+got.number("bookkeeping_deleted")); len(after) != want {
				t.Errorf("%d objects are left, want %d", len(after), want)
			}
			s.equal(wide(), truth)
			c := dmsgen.Change{Op: dmsgen.Insert, Row: []any{2, "again", 2}}
			truth.Apply(c)
			s.change(wide(), c)
			s.tick("merged")
			s.equal(wide(), truth)
		})
	}
}

func keysOf(m map[string]string) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	return keys
}

// TestE2E_JanitorOfADirectoryNeedsALock refuses the one pair of stores in which a deleted file might come back.
func TestE2E_JanitorOfADirectoryNeedsALock(t *testing.T) {
	s := onDisk(t)
	got := s.run("janitor", "--state", "dynamodb://DMSCDC_Controller")
	if got.status != 2 || !strings.Contains(got.stderr, "--state FILE") {
		t.Errorf("exit %d: %s", got.status, got.stderr)
	}
}
