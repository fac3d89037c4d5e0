package main_test

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestE2E_ActivateProposesKeys of the file that a real DMS task wrote; then one is set, and the run does what was said.
func TestE2E_ActivateProposesKeys(t *testing.T) {
	for name, open := range pairs() {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			body, err := os.ReadFile("../../internal/parquetedit/testdata/dms_test_table_LOAD00000001.parquet")
			if err != nil {
				t.Fatal(err)
			}
			if err := s.sink.Put(t.Context(), "public/test_table/LOAD00000001.parquet", body, time.Now().Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
			s.tick("registered")
			text := s.well("activate", "public.test_table", "--dry-run")
			for _, want := range []string{"Unique and never NULL in the 10 rows", "sluice activate public.test_table --primary-key id", "exactly", "loaded", "10 rows", "GET"} {
				if !strings.Contains(text, want) {
					t.Errorf("says nothing of %q:\n%s", want, text)
				}
			}
			s.tick("inactive")
			l := s.lines(s.well("activate", "public.test_table", "--json"))["public.test_table"]
			keys := l["proposal"].(map[string]any)["keys"].([]any)
			first := keys[0].(map[string]any)
			if l["active"] != true || l.text("primary_key") != "null" || first["columns"].([]any)[0] != "id" || first["distinct"] != 10.0 || first["exact"] != true {
				t.Errorf("%v", l)
			}
			if text := s.well("activate", "public.test_table", "--primary-key", "id"); strings.Contains(text, "Unique") {
				t.Errorf("proposes again:\n%s", text)
			}
			if got := s.tick("loaded")["public.test_table"]; got.number("inserts") != 10 {
				t.Errorf("%v", got)
			}
			if l := s.lines(s.well("tables", "--json"))["public.test_table"]; l.text("primary_key") != "id" || l["proposal"] != nil {
				t.Errorf("%v", l)
			}
		})
	}
}
