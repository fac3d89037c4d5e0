package replicate_test

import (
	"testing"

	"sluice/scripts/dmsgen"
)

// TestDefect_KeyChangeInAFileWithoutOps is a random life's: with CdcInsertsAndUpdates and no Op, the before image of the key
// was not looked at, as every row of such a file was an insert; the row stayed under its old key, too.
func TestDefect_KeyChangeInAFileWithoutOps(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "a", "x"}, []any{2, "b", "y"})
	settings := dmsgen.DefaultSettings()
	settings.InsertsAndUpdates, settings.NoOp, settings.BeforeImages = true, true, dmsgen.KeyImages
	w.changeAs(settings, w.now(), dmsgen.Change{Op: dmsgen.Update, Row: []any{9, "a", "x"}, Before: []any{1, "a", "x"}}, insert(3, "c", "z"))
	w.tick()
	w.wantProduct("2 b", "3 c", "9 a")
}
