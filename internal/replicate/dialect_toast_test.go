package replicate_test

import (
	"fmt"
	"strings"
	"testing"

	"sluice/internal/replicate"
	"sluice/statestore"
)

// toast is what Debezium writes where PostgreSQL's log leaves out a large value that an update did not change.
const toast = "'__debezium_unavailable_value'"

// TestDebezium_valuesThatTheLogLeftOutStayAsTheyAre: by the lake's row, or by a change before it.
func TestDebezium_valuesThatTheLogLeftOutStayAsTheyAre(t *testing.T) {
	load := debezium("id, big, v", "1, 'one', 'a', 'r', 1, 'false'", "2, null, 'b', 'r', 1, 'false'", "3, 'three', 'c', 'r', 1, 'false'")
	for name, c := range map[string]struct {
		partition string
		changes   []string
		want      []string
	}{
		"the lake says it":            {"", []string{debezium("id, big, v", "1, "+toast+", 'A', 'u', 2, 'false'", "2, "+toast+", 'B', 'u', 2, 'false'")}, []string{"1 one A", "2 NULL B", "3 three c"}},
		"a change before it":          {"", []string{debezium("id, big, v", "1, 'ONE', 'A', 'u', 2, 'false'", "1, "+toast+", 'AA', 'u', 3, 'false'", "4, 'four', 'd', 'c', 3, 'false'", "4, "+toast+", 'D', 'u', 4, 'false'")}, []string{"1 ONE AA", "2 NULL b", "3 three c", "4 four D"}},
		"a file before it":            {"", []string{debezium("id, big, v", "1, 'ONE', 'A', 'u', 2, 'false'"), debezium("id, big, v", "1, "+toast+", 'AA', 'u', 3, 'false'")}, []string{"1 ONE AA", "2 NULL b", "3 three c"}},
		"the partition":               {"big", []string{debezium("id, big, v", "3, "+toast+", 'C', 'u', 2, 'false'")}, []string{"1 one a", "2 NULL b", "3 three C"}},
		"bytes":                       {"", []string{debezium("id, big, v", "3, "+toast+", 'C', 'u', 2, 'false'")}, []string{"1 one a", "2 NULL b", "3 three C"}},
		"a delete says what it likes": {"", []string{debezium("id, big, v", "3, "+toast+", null, 'd', 2, 'true'")}, []string{"1 one a", "2 NULL b"}},
	} {
		t.Run(name, func(t *testing.T) {
			load := load
			if name == "bytes" {
				load = "select * replace (big::blob as big) from (" + load + ")"
				for i := range c.changes {
					c.changes[i] = "select * replace (big::blob as big) from (" + c.changes[i] + ")"
				}
			}
			w, _ := story{key: "id", partition: c.partition, loads: []string{load}, changes: c.changes, columns: "id, big::varchar, v", want: c.want}.play(t)
			if v := w.verify(storyTable); v.Well() || !strings.Contains(v.Reason, "left out") {
				t.Errorf("verify: %+v", v)
			}
		})
	}
}

// TestDebezium_valuesThatTheLogLeftOutHaltWhereNothingTellsThem, and nothing is merged.
func TestDebezium_valuesThatTheLogLeftOutHaltWhereNothingTellsThem(t *testing.T) {
	for name, change := range map[string]string{
		"no row":         debezium("id, big, v", "9, "+toast+", 'A', 'u', 2, 'false'"),
		"deleted before": debezium("id, big, v", "1, null, null, 'd', 2, 'true'", "1, "+toast+", 'A', 'u', 3, 'false'"),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "", debezium("id, big, v", "1, 'one', 'a', 'r', 1, 'false'"))
			w.changeOf(change)
			w.wantHalt("input", "left out", "acknowledge")
			w.wantRows("id, big, v", "1 one a")
		})
	}
}

// TestDebezium_valuesThatTheLogLeftOutOfABatchThatIsLarge: it would be folded in parts, where they could not be told.
func TestDebezium_valuesThatTheLogLeftOutOfABatchThatIsLarge(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, "select i as id, 'big' || i as big, 'v' as v, 'r' as __op, 1 as __source_ts_ms, 'false' as __deleted from range(4000) t(i)")
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	w.run(storyTable, replicate.Loaded)
	w.cramped = 64 << 10
	w.changeOf(fmt.Sprintf("select i as id, %s as big, 'V' as v, 'u' as __op, 2 as __source_ts_ms, 'false' as __deleted from range(4000) t(i)", toast))
	w.run(storyTable, replicate.Merged)
	w.wantRows("count(*), count(*) filter (v = 'V' and big = 'big' || id)", "4000 4000")
}

// TestDebezium_unavailableIsATextElsewhere: in files of DMS's, and in a snapshot.
func TestDebezium_unavailableIsATextElsewhere(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, big", "1, "+toast, "2, 'two'"))
	w.changeOf(rowsOf(`"Op", id, big`, "'U', 2, "+toast))
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, big", "1 __debezium_unavailable_value", "2 __debezium_unavailable_value")
	if got := w.item(storyPath)[statestore.Dialect]; got != "dms" {
		t.Errorf("dialect %q", got)
	}
}
