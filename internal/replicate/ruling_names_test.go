package replicate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
)

func TestRuling26_CSVInputsHaltWithTheRemedy(t *testing.T) {
	for name, file := range map[string]string{
		"full load": "LOAD00000001.csv", "changes": "20260314-130000000.csv", "zipped": "20260314-130000000.csv.gz",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if name != "full load" {
				w.begin("id", "", rowsOf("id, v", "1, 'a'"))
			}
			w.put("raw", "store/t/"+file, []byte("I,1,a\n"))
			if name == "full load" {
				w.run(storyTable, replicate.Registered)
				w.set(storyPath, map[string]string{"PrimaryKey": "id", "ActiveFlag": "true"})
			}
			w.wantHalt("input", file, "CSV", "acknowledge")
		})
	}
}

func TestRuling27_OtherNamesAreIgnoredAndNamed(t *testing.T) {
	w := newWorld(t)
	names := []string{
		"store/t/README.txt", "store/t/_SUCCESS", "store/t/load00000001.parquet", "store/t/LOAD1.parquet",
		"store/t/20260314.parquet", "store/t/awsdms_extra/x.parquet", "store/t/backup-20260314-120000000.parquet",
	}
	for _, name := range names {
		w.put("raw", name, []byte("not ours"))
	}
	got := w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	for _, name := range names {
		if !strings.Contains(strings.Join(got.IgnoredNames, " "), name) {
			t.Errorf("ignored %q, %s is not among them", got.IgnoredNames, name)
		}
	}
	if got.Ignored != int64(len(names)) || got.Inputs != 1 {
		t.Errorf("%d ignored, %d inputs, want %d and 1", got.Ignored, got.Inputs, len(names))
	}
	w.wantRows("id, v", "1 a")
	if got := w.run(storyTable, replicate.Idle); got.Ignored != int64(len(names)) {
		t.Errorf("an idle run counts %d ignored, want %d", got.Ignored, len(names))
	}
	w.put("raw", "store/t/zzz", nil)
	w.run(storyTable, replicate.Idle)
	if diff := cmp.Diff([]string{"1 a"}, w.rows(storyFolder, "id, v")); diff != "" {
		t.Error(diff)
	}
}
