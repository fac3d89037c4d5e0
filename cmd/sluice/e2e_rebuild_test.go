package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"sluice/scripts/dmsgen"
)

// commits returns the lines of sluice history --json.
func (s *site) commits(args ...string) []line {
	s.t.Helper()
	var all []line
	for text := range strings.Lines(s.well(append([]string{"history", "shop.visit", "--json"}, args...)...)) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			s.t.Fatalf("%v in %q", err, text)
		}
		all = append(all, l)
	}
	return all
}

// TestE2E_Rebuild damages a lake in the ways that nothing else mends, and rebuilds it; DuckDB judges.
func TestE2E_Rebuild(t *testing.T) {
	for name, open := range pairs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			truth := s.fewVisits()
			for id := range 2 {
				s.visit(truth, dmsgen.Change{Op: dmsgen.Update, Row: []any{id, "moved", 3}, Before: []any{id, "entry", id % 4}})
				s.tick("merged")
			}
			s.damage()
			s.wants(1, []string{"verify", "shop.visit"})
			before := s.everything()
			s.wants(0, []string{"rebuild", "shop.visit", "--dry-run"}, "shop.visit", "from 3 files in raw")
			if after := s.everything(); len(before) != len(after) {
				t.Error("a dry run wrote something")
			}
			got := s.lines(s.well("rebuild", "shop.visit", "--json"))["shop.visit"]
			if got.text("action") != "rebuilt" || got.number("inputs") != 3 || got.number("inserts") != int64(len(truth.Rows())) || got.number("files_emptied") == 0 {
				t.Errorf("rebuild: %v", got)
			}
			s.equal(wide(), truth)
			s.well("verify", "shop.visit")
			s.writesNothing()
			key := s.visit(truth, dmsgen.Change{Op: dmsgen.Insert, Row: []any{1_000_000, "new", 1}})
			s.tick("merged")
			s.equal(wide(), truth)

			all := s.commits()
			var kinds []string
			for _, c := range all {
				kinds = append(kinds, c.text("kind")+" "+c.text("state"))
			}
			if got := strings.Join(kinds, ", "); got != "merge finished, rebuild finished, merge finished, merge finished, load finished" {
				t.Errorf("history: %s", got)
			}
			if found := s.commits("--input", key); len(found) != 1 || found[0].number("seq") != 5 {
				t.Errorf("%s was taken by %v", key, found)
			}
			s.wants(0, []string{"history", "shop.visit", "--limit", "1"}, "4 older commits more", "SEQ")
		})
	}
}

// fewVisits loads the table in four partitions.
func (s *site) fewVisits() *dmsgen.Oracle {
	s.t.Helper()
	truth := dmsgen.NewOracle(wide())
	for id := range 40 {
		truth.Apply(dmsgen.Change{Op: dmsgen.Insert, Row: []any{id, "entry", id % 4}})
	}
	s.load(wide(), 0, truth.Rows()...)
	s.tick("registered")
	s.well("activate", "shop.visit", "--primary-key", "id", "--partition-key", "shelf")
	s.tick("loaded")
	return truth
}

// visit writes one change.
func (s *site) visit(truth *dmsgen.Oracle, c dmsgen.Change) (key string) {
	s.t.Helper()
	truth.Apply(c)
	return s.change(wide(), c)
}

// damage takes one lake file away, cuts one off, and puts the rows of one there twice.
func (s *site) damage() {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.lake, "visit", "*", "*.parquet"))
	if err != nil || len(files) < 4 {
		s.t.Fatalf("%d lake files, %v", len(files), err)
	}
	body, err := os.ReadFile(files[2])
	if err != nil {
		s.t.Fatal(err)
	}
	s.put(files[0], nil)
	s.put(files[1], body[:len(body)-9])
	s.put(filepath.Join(filepath.Dir(files[2]), "again.parquet"), body)
}

// put writes a lake file as somebody else does; nil removes it.
func (s *site) put(file string, body []byte) {
	s.t.Helper()
	name, err := filepath.Rel(s.lake, file)
	if err != nil {
		s.t.Fatal(err)
	}
	switch key := aws.String("tables/" + name); {
	case s.s3 == nil && body == nil:
		err = os.Remove(file)
	case s.s3 == nil:
		err = os.WriteFile(file, body, 0o600)
	case body == nil:
		_, err = s.s3.Client.DeleteObject(s.t.Context(), &s3.DeleteObjectInput{Bucket: &s.s3.Lake, Key: key})
	default:
		_, err = s.s3.Client.PutObject(s.t.Context(), &s3.PutObjectInput{Bucket: &s.s3.Lake, Key: key, Body: bytes.NewReader(body)})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestE2E_RebuildRefused ends with status 2, says what is missing, and writes nothing.
func TestE2E_RebuildRefused(t *testing.T) {
	s := onDisk(t)
	opened(s, "item")
	key := s.change(shop("item"), dmsgen.Change{Op: dmsgen.Insert, Row: []any{3, "c"}})
	s.tick("merged")
	if err := os.Remove(filepath.Join(s.dirs[0], key)); err != nil {
		t.Fatal(err)
	}
	before := s.everything()
	s.wants(2, []string{"rebuild", "shop.item"}, "missing "+key, "new full load")
	s.wants(2, []string{"rebuild", "shop.item", "--dry-run"}, "missing "+key)
	s.wants(2, []string{"rebuild", "shop.itme"}, `no table "shop.itme" is registered`)
	s.wants(2, []string{"history", "shop.itme"}, `no table "shop.itme" is registered`)
	if diff := cmp.Diff(before, s.everything()); diff != "" {
		t.Errorf("something was written:\n%s", diff)
	}
	s.wants(0, []string{"history", "shop.item"}, "merge", "load", "finished", filepath.Base(key))
}
