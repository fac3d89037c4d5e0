package parquetedit_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/scripts/rig"
)

// TestSoakModels checks the models, small cases and large ones alike, and breaks files in new ways until the time of make
// soak is over.
func TestSoakModels(t *testing.T) {
	end := time.Now().Add(rig.Soak(t, 0.03))
	for seed := uint64(2); time.Now().Before(end) && !t.Failed(); seed++ {
		t.Run("writer", func(t *testing.T) { rapid.Check(t, writerReadsBack(t, deep)) })
		t.Run("copy", func(t *testing.T) { rapid.Check(t, copyRowsModel(t, deep)) })
		t.Run("scatter", func(t *testing.T) { rapid.Check(t, scatterModel(t, deep)) })
		t.Run("scatter", func(t *testing.T) { rapid.Check(t, scatterModel(t, deep)) })
		t.Run("rewrite", func(t *testing.T) { rapid.Check(t, rewriteModel(t, deep)) })
		t.Run("broken", func(t *testing.T) { brokenBytes(t, seed) })
	}
}
