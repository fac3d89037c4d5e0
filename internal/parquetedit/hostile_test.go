package parquetedit_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"sluice/internal/parquetedit"
	"sluice/scripts/hostile"
)

// TestHostileFiles: a file that lies is refused with a known error, or read for what it is.
func TestHostileFiles(t *testing.T) {
	if err := readAll(t.Context(), source(hostile.Good())); err != nil {
		t.Fatal("the good file:", err)
	}
	refusals := map[string]string{ // of files that would be refused later anyway, when they have cost too much
		"16 million fields":                     "struct of more than 1000 fields",
		"16 million empty columns":              "list of 16777116 elements",
		"500 MB of prefixes in 300 KB":          "524288000 bytes of values in a page of 131072",
		"a page header of eight million fields": "struct of more than 1000 fields",
	}
	for _, h := range hostile.Files() {
		t.Run(h.Name, func(t *testing.T) {
			start := time.Now()
			err := readAll(t.Context(), source(h.Body))
			t.Logf("%d bytes, %v: %v", len(h.Body), time.Since(start).Round(time.Millisecond), err)
			if why, ok := refusals[h.Name]; ok && (err == nil || !strings.Contains(err.Error(), why)) {
				t.Errorf("%v, want %s", err, why)
			}
			switch {
			case err == nil && !h.Legal:
				t.Error("was read")
			case err != nil && !known(err):
				t.Errorf("%v", err)
			}
			f, err := parquetedit.Open(t.Context(), source(h.Body))
			if err != nil {
				return
			}
			_, err = parquetedit.Rewrite(t.Context(), f, parquetedit.Script{Deletes: []int64{0}}, parquetedit.NewOutput(source(h.Body), io.Discard))
			if err != nil && !known(err) && f.NumRows() > 0 {
				t.Errorf("rewrite: %v", err)
			}
		})
	}
}
