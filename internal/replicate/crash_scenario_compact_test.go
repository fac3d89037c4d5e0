package replicate_test

import (
	"fmt"
	"testing"

	"sluice/internal/replicate"
)

// compactOnce is what an operator does who wants the table compacted, and looks with a run what a halt is about.
func compactOnce(b *bench, e *replicate.Engine) (replicate.Result, error) {
	if b.item().Halted() {
		return tickOnce(b, e)
	}
	return e.Compact(b.t.Context(), "store.product")
}

// scattered is a table whose rows lie in many small files: each came to its partition by an update of its own.
func scattered(t testing.TB) *bench {
	t.Helper()
	b := partitioned(t)
	for _, row := range [][]any{{1, "a", "y"}, {2, "b", "z"}, {3, "c", "z"}, {5, "e", "y"}} {
		b.change(update(row...))
		b.must(b.settle())
	}
	return b
}

// compactScattered has two partitions of several files to unite.
func compactScattered(t testing.TB) *bench {
	t.Helper()
	b := scattered(t)
	b.do = compactOnce
	return b.keep(b.rows())
}

// compactKeyless has rows of which only the count says that none is there twice.
func compactKeyless(t testing.TB) *bench {
	t.Helper()
	b := keylessPartitioned(t)
	for i := range 3 { // each appends a file, since the ones before are full
		b.config.TargetFileBytes = 1 << 20
		b.change(insert(10+i, wide(uint64(i), 1<<20), "x"), insert(20+i, "same", "y"))
		b.must(b.settle())
	}
	b.config.TargetFileBytes = 16 << 20
	b.do = compactOnce
	return b.keep(b.rows())
}

// compactBySelf has a merge, behind which a run compacts by itself: a file far above the target, of one row group.
func compactBySelf(t testing.TB) *bench {
	t.Helper()
	b := newBench(t, product())
	b.config.TargetFileBytes = 16 << 20
	var rows [][]any
	for i := range 3 {
		rows = append(rows, []any{i, wide(uint64(i), 720<<10), "x"})
	}
	b.load(10, rows...)
	b.begin("id", "dept")
	b.must(b.settle())
	before := b.rows()
	b.config.TargetFileBytes, b.config.Compact = 1<<20, true
	b.change(update(1, fmt.Sprint(wide(1, 720<<10), "A"), "x"), insert(9, "new", "y"))
	return b.keep(before)
}
