package parquetedit_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"sluice/internal/parquetedit"
	"sluice/scripts/rig"
)

// TestRandomEditsOfMixedPages: files whose chunks mix versions, encodings and forms of levels, and whose dictionaries hold values twice,
// hold after random scripts the values of the naive rewrite, and say nothing of themselves that is not so.
func TestRandomEditsOfMixedPages(t *testing.T) {
	const files = 400
	rig.Figure(t, "proof", "%d files of mixed pages, three random scripts each", mixedEdits(t, files, 0, nil))
}

// TestRandomEditsBesidePagesThatAreCopied: so do such files where most pages are copied without being read.
func TestRandomEditsBesidePagesThatAreCopied(t *testing.T) {
	const files, wide = 40, 20_000
	copied := 0
	mixedEdits(t, files, wide, func(did parquetedit.Stats) {
		if did.RowGroupsRewritten > 0 && did.BytesCopied > 1<<20 {
			copied++
		}
	})
	if copied < files/2 {
		t.Errorf("%d of %d rewritings copied pages", copied, 3*files)
	}
}

// mixedEdits tries three scripts one after the other on each of so many files, and gives their number.
func mixedEdits(t *testing.T, files, wide int, did func(parquetedit.Stats)) int {
	t.Helper()
	for seed := range uint64(files) {
		rng := rand.New(rand.NewPCG(7, seed))
		b, values := mixed(t, rng, wide)
		x := newSubject(t, fmt.Sprint("seed ", seed), b)
		if d := firstOther(t, x.file, values); d != "" {
			t.Fatalf("%s: %s", x.name, d)
		}
		for _, f := range x.faults {
			t.Fatalf("%s, as it was made: %s", x.name, f.text)
		}
		for range 3 {
			if x = x.edited(t, someScript(rng, x.columns, x.values), false); t.Failed() {
				return 0
			}
			if did != nil {
				did(x.did)
			}
		}
	}
	return files
}
