package replicate_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/internal/replicate"
	"sluice/statestore"
)

// noMarks is a contract: texts with an exclamation mark are bad.
const noMarks = "on_violation: quarantine\nrules:\n  - {column: v, pattern: '[^!]*'}\n"

func TestContract_ThatIsWrongIsRefusedByActivate(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	for text, want := range map[string]string{
		"rules: [{column: w, not_null: true}]":        `no column "w"`,
		"rules: [{column: v, min: 1}]":                "string",
		"rules: [{column: v, max_long: 1}]":           "line 1",
		"rules: [{column: id, min: 1, min: 2}]":       "twice",
		strings.Repeat("#", 70_000) + "\nrules: [{}]": "64 KiB",
	} {
		if _, err := w.engine().Activate(t.Context(), storyTable, replicate.Activation{Contract: &text}); !errors.Is(err, replicate.ErrUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
	if w.item(storyPath)[statestore.Contract] != "" {
		t.Error("a contract that was refused is kept")
	}
	w.contracted(noMarks)
	w.contracted("")
	if _, kept := w.item(storyPath)[statestore.Contract]; kept {
		t.Error("a contract that was removed is kept")
	}
}

func TestContract_ThatIsWrongInTheControlItemHaltsWithTheRemedy(t *testing.T) {
	for name, text := range map[string]string{
		"no YAML":           "rules: [",
		"an unknown column": "rules: [{column: w, min: 1}]",
		"an unknown field":  "rules: [{column: v, longest: 1}]",
		"a range of text":   "rules: [{column: v, min: 1}]",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "", rowsOf("id, v", "1, 'a'"))
			w.set(storyPath, map[string]string{statestore.Contract: text})
			w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
			w.wantHalt("settings", "Contract", "line 1", "--contract")
			w.wantRows("id, v", "1 a")
			w.contracted("")
			w.acknowledge("")
			w.run(storyTable, replicate.Merged)
			w.wantRows("id, v", "1 A")
		})
	}
}

func TestContract_AHaltAppliesNothingOfTheBatch(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
	w.contracted("on_violation: quarantine\nrules:\n  - {column: v, pattern: '[^!]*'}\n  - {column: id, max: 10, on_violation: halt}\n")
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'", "'U', 2, 'B!'"))
	bad := w.changeOf(rowsOf(`"Op", id, v`, "'U', 2, 'B'", "'I', 3, 'c!'", "'I', 11, 'secret!'"))
	got := w.wantHalt("contract", bad, `column "id"`, "row 2 ", "rule max", "--contract")
	if strings.Contains(got.Reason, "secret") || strings.Contains(got.Reason, "11") {
		t.Errorf("the reason says a value: %s", got.Reason)
	}
	w.wantRows("id, v", "1 a", "2 b")
	w.wantKept("*")
	w.wantHalt("contract")
	w.write("raw", bad, rowsOf(`"Op", id, v`, "'U', 2, 'B'", "'I', 3, 'c!'"))
	w.acknowledge("")
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 A", "2 B")
	w.wantKept("id, v", "2 B!", "3 c!")
}

func TestContract_OfADeleteTheKeyIsJudgedAlone(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'", "20, 'c'"))
	w.contracted(noMarks + "  - {column: v, not_null: true}\n  - {column: id, max: 10}\n  - {column: id, required: true}\n")
	w.changeOf(rowsOf(`"Op", id, v`, "'D', 1, NULL", "'D', 2, 'b!'", "'D', 20, NULL"))
	if got := w.run(storyTable, replicate.Merged); got.Deletes != 2 || got.Quarantined != 1 {
		t.Errorf("%+v", got.Counts)
	}
	w.wantRows("id, v", "20 c")
	w.wantKept("_sluice_op, _sluice_column, id", "D id 20")
}

func TestContract_FilesThatLackAColumnOrHaveAnotherType(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v, n", "1, 'a', 1"))
	w.contracted("on_violation: quarantine\nrules:\n  - {column: v, required: true}\n  - {column: n, type: int, min: 0}\n")
	w.changeOf(rowsOf(`"Op", id, n`, "'U', 1, 5", "'D', 7, 0"))
	w.changeOf(rowsOf(`"Op", id, v, n`, "'U', 1, 'A', 3000000000", "'I', 2, 'b', 7"))
	w.changeOf(rowsOf(`"Op", id, v, n, extra`, "'I', 3, 'c', 9, 'x'", "'I', 4, 'd', -9, 'x'"))
	if got := w.run(storyTable, replicate.Merged); got.Quarantined != 4 || got.Inputs != 3 || got.Inserts != 1 {
		t.Errorf("%+v", got)
	}
	w.wantRows("id, v, n, extra", "1 a 1 NULL", "3 c 9 x")
	w.wantKept("id, _sluice_column, _sluice_rule, v, n, extra",
		"1 n type A 3000000000 NULL", "1 v required NULL 5 NULL", "2 n type b 7 NULL", "4 n min d -9 x")
	if v := w.verify(storyTable); !v.Well() {
		t.Errorf("verify: %+v", v)
	}
}

func TestContract_ALoadFileOfAnotherTypeIsKeptOutWhole(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 5", "2, 6"))
	w.loadOf(2, rowsOf("id, v", "3, 'c'"))
	w.loadOf(3, rowsOf("id, v", "NULL::int, 7", "4, 8"))
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	w.contracted("on_violation: quarantine\nrules:\n  - {column: v, type: int}\n  - {column: id, not_null: true}\n")
	if got := w.run(storyTable, replicate.Loaded); got.Quarantined != 2 || got.Inputs != 3 {
		t.Errorf("%+v", got)
	}
	w.wantRows("id, v, typeof(v)", "1 5 INTEGER", "2 6 INTEGER", "4 8 INTEGER")
	if v := w.verify(storyTable); !v.Well() {
		t.Errorf("verify: %+v", v)
	}
	w.run(storyTable, replicate.Idle)
}

func TestContract_AllRowsOfALoadMayBeBad(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 'a!'", "2, 'b!'"))
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	w.contracted(noMarks)
	if got := w.tick()[storyTable]; got.Quarantined != 2 || got.Inserts != 0 {
		t.Errorf("%s %s %+v", got.Action, got.Reason, got.Counts)
	}
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 A")
	if v := w.verify(storyTable); !v.Well() {
		t.Errorf("verify: %+v", v)
	}
}

// TestContract_WhatWasKeptOutStaysSoWhenTheContractChanges judges nothing twice: verify and late files go by what was kept out.
func TestContract_WhatWasKeptOutStaysSoWhenTheContractChanges(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
	w.contracted(noMarks)
	w.pass(time.Minute)
	late := "store/t/" + w.now().Format("20060102-150405") + "000.parquet"
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A!'", "'U', 2, 'B'"))
	w.run(storyTable, replicate.Merged)
	w.contracted("")
	w.write("raw", late, rowsOf(`"Op", id, v`, "'U', 1, 'late'", "'U', 2, 'late'"))
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 late", "2 B")
	if v := w.verify(storyTable); !v.Well() {
		t.Errorf("verify: %+v", v)
	}
}

// TestContract_VerifyKnowsWhatWasKeptOutBeyondTheHorizon has inputs that the ledger has forgotten.
func TestContract_VerifyKnowsWhatWasKeptOutBeyondTheHorizon(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 'a'", "2, 'b!'"))
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	w.contracted(noMarks)
	w.run(storyTable, replicate.Loaded)
	for range 4 {
		w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A!'", "'I', 3, 'c'"))
		w.run(storyTable, replicate.Merged)
		w.pass(5 * 24 * time.Hour)
	}
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'AA'"))
	w.run(storyTable, replicate.Merged)
	if v := w.verify(storyTable); !v.Well() {
		t.Errorf("verify: %+v", v)
	}
	w.wantRows("id, v", "1 AA", "3 c")
	if got := w.item(storyPath)[statestore.Quarantined]; got != "5" {
		t.Errorf("the item counts %s", got)
	}
	files, err := filepath.Glob(filepath.Join(w.root, "lake", "_sluice", storyFolder, "quarantine", "*"))
	if err != nil || len(files) != 5 {
		t.Fatalf("%q, %v", files, err)
	}
	if err := os.Remove(files[4]); err != nil {
		t.Fatal(err)
	}
	if v := w.verify(storyTable); v.Well() || !strings.Contains(v.Reason, "quarantine") {
		t.Errorf("verify without a file of the quarantine: %+v", v)
	}
	w.touched = true
}

func TestContract_ARebuildJudgesByTheContractOfNow(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 'a'", "2, 'b!'"))
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	w.contracted(noMarks)
	w.run(storyTable, replicate.Loaded)
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A!'", "'I', 3, 'c?'"))
	w.run(storyTable, replicate.Merged)
	w.contracted("rules:\n  - {column: v, pattern: '[^?]*'}\n")
	got, err := w.engine().Rebuild(t.Context(), storyTable)
	if err != nil || got.Action != replicate.Halted || !strings.HasPrefix(got.Reason, "contract: ") {
		t.Errorf("a rebuild against a contract that halts: %s %s %v", got.Action, got.Reason, err)
	}
	w.wantRows("id, v", "1 a", "3 c?")
	w.contracted("on_violation: quarantine\nrules:\n  - {column: v, pattern: '[^?]*'}\n")
	if got, err = w.engine().Rebuild(t.Context(), storyTable); err != nil || got.Action != replicate.Rebuilt || got.Quarantined != 1 {
		t.Errorf("%+v %v", got, err)
	}
	w.wantRows("id, v", "1 A!", "2 b!")
	w.wantKept("id, v", "1 A!", "2 b!", "3 c?")
	if v := w.verify(storyTable); !v.Well() {
		t.Errorf("verify: %+v", v)
	}
	w.run(storyTable, replicate.Idle)
}

func TestContract_AForecastCountsAndWritesNothing(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	w.contracted(noMarks)
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A!'", "'I', 2, 'b'"))
	before := fmt.Sprint(w.files(""))
	err := w.engine().Forecast(t.Context(), func(f replicate.Forecast) {
		if f.Quarantined != 1 || f.Inserts != 1 || f.Updates != 0 {
			t.Errorf("%+v", f)
		}
	})
	if err != nil || fmt.Sprint(w.files("")) != before {
		t.Errorf("%v, files %q", err, w.files(""))
	}
	w.run(storyTable, replicate.Merged)
	tables, err := w.engine().Tables(t.Context())
	if err != nil || len(tables) != 1 || tables[0].Quarantined != 1 {
		t.Errorf("tables: %+v, %v", tables, err)
	}
}

func TestContract_ThatKeepsOutFarTooMuchHalts(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id", "1"))
	w.changeOf(`select 'I' as "Op", 1 as id, i % 2 = 0 as flag from range(0, 2200000) r(i)`)
	w.contracted("on_violation: quarantine\nrules:\n  - {column: flag, in: [true]}\n")
	w.wantHalt("contract", "1048576", "--contract")
}

func TestContract_AHaltBehindItSaysHowRowsAreCounted(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	w.contracted(noMarks)
	key := w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A!'", "'I', NULL, 'b'"))
	w.wantHalt("key", key, "row 0", "without the 1 that the table's contract keeps out")
	w.wantRows("id, v", "1 a")
	w.wantKept("*")
}
