package replicate

import (
	"testing"

	"sluice/internal/lake"
)

// TestACompactionComesToAnEnd: a layout that no compaction satisfies is let be after some rounds; files that are new to it are not.
func TestACompactionComesToAnEnd(t *testing.T) {
	files := []lake.Shape{{File: &lake.File{Key: "l/a"}}, {File: &lake.File{Key: "l/b"}}, {File: &lake.File{Key: "l/c"}}}
	plan := func() []lake.Compaction { return []lake.Compaction{{From: []int{0, 1}}, {From: []int{2}}} }
	r := &run{}
	for round := range 20 {
		left := r.fresh(files, plan())
		switch {
		case round < compactRounds && len(left) != 2:
			t.Fatalf("round %d: %d of the plan's compactions", round, len(left))
		case round >= compactRounds && len(left) != 0:
			t.Fatalf("round %d: goes on for ever", round)
		case round >= compactRounds:
			continue
		}
		d := &draft{}
		d.ops[0] = []Op{{Files: []OpFile{{Key: "l/a"}, {Key: "l/b"}, {Key: "l/c"}}}} // as if nothing had come of it
		r.count(d, files, left)
	}
	files = append(files, lake.Shape{File: &lake.File{Key: "l/new"}})
	if left := r.fresh(files, []lake.Compaction{{From: []int{0, 3}}}); len(left) != 1 {
		t.Error("a file that is new is left out, too")
	}
}
