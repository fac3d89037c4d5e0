package replicate_test

import (
	"bytes"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/replicate"
	"sluice/statestore"
)

func TestRuling15_KeyAndPartitionColumnsAreWidenedToo(t *testing.T) {
	for _, key := range []string{"id", "p,id", "id,p"} {
		t.Run(key, func(t *testing.T) {
			w := newWorld(t)
			w.begin(key, "p", rowsOf("id, p, v", "1, 10, 'a'", "2, 20, 'b'"))
			w.changeOf(rowsOf(`"Op", id, p, v`, "'I', 3000000000, 5000000000, 'c'", "'U', 2, 20, 'B'"))
			w.wantHalt("schema", "--accept schema")
			w.acknowledge("schema")
			got := w.run(storyTable, replicate.Merged)
			if got.Inserts != 1 || got.Updates != 1 {
				t.Errorf("counts: %+v", got.Counts)
			}
			w.changeOf(rowsOf(`"Op", id, p, v`, "'D', 1, 10, 'a'", "'U', 3000000000, 5000000000, 'C'"))
			w.run(storyTable, replicate.Merged)
			w.wantRows("id, p::bigint, v", "2 20 B", "3000000000 5000000000 C")
		})
	}
}

func TestRuling15_AcceptSchemaLiftsAColumnThatRefusesNull(t *testing.T) {
	type row struct {
		ID int32  `parquet:"id"`
		V  string `parquet:"v"`
	}
	var body bytes.Buffer
	if err := parquet.Write(&body, []row{{1, "a"}, {2, "b"}}); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 'a'"))
	w.run(storyTable, replicate.Registered)
	w.put("lake", "t/part-00000.parquet", body.Bytes())
	w.set(storyPath, map[string]string{statestore.LastFullLoadDate: w.now().Format("2006-01-02 15:04:05")})
	w.activate(storyTable, "id", "")
	w.run(storyTable, replicate.Idle)
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, NULL::varchar", "'I', 3, NULL"))
	w.wantHalt("schema", "part-00000.parquet", `"v"`, "--accept schema")
	w.acknowledge("schema")
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 NULL", "2 b", "3 NULL")
}

func TestRuling25_ChangesBehindATruncateAreMerged(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	w.drop("raw", "store/t/LOAD00000001.parquet")
	w.wantHalt("vanished", "--accept truncate")
	w.changeOf(rowsOf(`"Op", id, v`, "'I', 2, 'new'"))
	w.wantHalt("vanished")
	w.acknowledge("truncate")
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "2 new")
}

func TestPendingCommitFinishesWithItsOwnSettings(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, code, v", "1, 'a', 10", "2, 'b', 20"))
	w.changeOf(rowsOf(`"Op", id, code, v`, "'U', 1, 'b', 11", "'D', 2, 'b', 20"))
	w.die()
	w.activate(storyTable, "code", "code")
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, code, v", "1 b 11")
	w.changeOf(rowsOf(`"Op", id, code, v`, "'U', 9, 'b', 12"))
	w.wantHalt("partition")
	w.activate(storyTable, "code", "")
	w.acknowledge("")
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, code, v", "9 b 12")
}

func TestPendingCommitFinishesWhenTheTableIsInactive(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.die()
	if _, err := w.engine().Deactivate(t.Context(), storyTable); err != nil {
		t.Fatal(err)
	}
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'AA'"))
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 A")
	w.run(storyTable, replicate.Inactive)
	w.wantRows("id, v", "1 A")
}

func TestSettingsThatCannotBeHalt(t *testing.T) {
	for name, value := range map[string]string{
		statestore.InputTimezone: "Mars/Olympus", statestore.LoadLead: "soon", statestore.ReloadPolicy: "never",
		statestore.OrderColumn: "nothing", statestore.PartitionKey: "nothing", statestore.LastIncrementalFile: "nonsense",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "", rowsOf("id, v", "1, 'a'"))
			right := w.item(storyPath)[name]
			w.set(storyPath, map[string]string{name: value})
			w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
			got := w.run(storyTable, replicate.Halted)
			t.Log(got.Reason)
			if right == "" {
				_, err := w.state.Update(t.Context(), statestore.Update{Path: storyPath, Remove: []string{name}})
				if err != nil {
					t.Fatal(err)
				}
			} else {
				w.set(storyPath, map[string]string{name: right})
			}
			w.acknowledge("")
			w.run(storyTable, replicate.Merged)
			w.wantRows("id, v", "1 A")
		})
	}
}
