package replicate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
)

func TestKeysOfEveryType(t *testing.T) {
	// one key, another, and the first in another type or form
	for name, key := range map[string][3]string{
		"int":                {"1::int", "-2::int", "1::bigint"},
		"bigint":             {"9007199254740993::bigint", "9007199254740992::bigint", "9007199254740993::decimal(20,0)"},
		"smallint":           {"1::smallint", "-2::smallint", "1::int"},
		"decimal":            {"1.50::decimal(10,2)", "-1.50::decimal(10,2)", "1.5::decimal(4,1)"},
		"wide decimal":       {"12345678901234567890.50::decimal(30,2)", "12345678901234567890.51::decimal(30,2)", "12345678901234567890.5000::decimal(38,4)"},
		"decimal as integer": {"7::decimal(10,0)", "8::decimal(10,0)", "7::int"},
		"text":               {"'a'", "'A'", "'a'"},
		"text with a space":  {"'a '", "'a'", "'a '"},
		"empty text":         {"''", "' '", "''"},
		"text beyond ASCII":  {"'é'", "'e\u0301'", "'é'"},
		"date":               {"date '2026-01-02'", "date '1950-01-02'", "date '2026-01-02'"},
		"timestamp":          {"timestamp '2026-01-02 03:04:05.678'", "timestamp '2026-01-02 03:04:05.678001'", "timestamp_ms '2026-01-02 03:04:05.678'"},
		"boolean":            {"true", "false", "true"},
		"double":             {"1.5::double", "-1.5::double", "1.5::float"},
		"binary":             {"'\\xAA'::blob", "'\\xAB'::blob", "'\\xAA'::blob"},
		"uuid":               {"'11111111-1111-1111-1111-111111111111'::uuid", "'11111111-1111-1111-1111-111111111112'::uuid", "'11111111-1111-1111-1111-111111111111'::uuid"},
	} {
		for _, columns := range []string{"k", "n,k", "k,n"} {
			t.Run(name+" in "+columns, func(t *testing.T) {
				w := newWorld(t)
				w.begin(columns, "", rowsOf("k, n, v", key[0]+", 1, 'a'", key[1]+", 1, 'b'"))
				w.changeOf(rowsOf(`"Op", k, n, v`, "'U', "+key[2]+", 1, 'A'"))
				w.changeOf(rowsOf(`"Op", k, n, v`, "'D', "+key[1]+", 1, NULL::varchar"))
				got := w.run(storyTable, replicate.Merged)
				if got.Updates != 1 || got.Deletes != 1 || got.Inserts != 0 {
					t.Errorf("counts: %+v", got.Counts)
				}
				w.wantRows("v, k = "+key[0], "A true")
			})
		}
	}
}

func TestRuling16_NamesThatDifferByCaseAmongFilesOfOneBatch(t *testing.T) {
	t.Run("full load", func(t *testing.T) {
		w := newWorld(t)
		w.loadOf(1, rowsOf("id, name", "1, 'a'"))
		second := w.loadOf(2, rowsOf(`id, "Name"`, "2, 'b'"))
		w.run(storyTable, replicate.Registered)
		w.activate(storyTable, "id", "")
		w.wantHalt("schema", second, `"Name"`, `"name"`)
	})
	t.Run("changes", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id", "1"))
		w.changeOf(rowsOf(`"Op", id, extra`, "'U', 1, 'a'"))
		second := w.changeOf(rowsOf(`"Op", id, "EXTRA"`, "'U', 1, 'a'"))
		w.wantHalt("schema", second, `"EXTRA"`, `"extra"`)
		w.wantRows("*", "I 1")
	})
}

func TestRuling17_ActivateWarnsOfAKeyThatIsNone(t *testing.T) {
	for key, warns := range map[string]bool{"id": true, "id,v": true, "v": true, "n": false, "id,n": false} {
		t.Run(key, func(t *testing.T) {
			w := newWorld(t)
			w.loadOf(1, rowsOf("id, v, n", "1, 'a', 1", "2, 'b', 2"))
			w.loadOf(2, rowsOf("id, v, n", "1, 'a', 3"))
			w.run(storyTable, replicate.Registered)
			table, err := w.engine().Activate(t.Context(), storyTable, replicate.Activation{PrimaryKey: &key})
			if err != nil || !table.Active {
				t.Fatalf("activate: %+v, %v", table, err)
			}
			if got := table.Warning != ""; got != warns {
				t.Errorf("warning %q, want one: %t", table.Warning, warns)
			}
		})
	}
}

func TestRuling19_OnePartitionForEqualValuesOfTwoTypes(t *testing.T) {
	for name, p := range map[string][2]string{
		"decimals":     {"12.50::decimal(10,2)", "12.5000::decimal(12,4)"},
		"integers":     {"12::int", "12::bigint"},
		"timestamps":   {"timestamp '2026-01-02 03:04:05'", "timestamp_ms '2026-01-02 03:04:05'"},
		"int, decimal": {"12::int", "12.00::decimal(10,2)"},
		"NULL, empty":  {"null::varchar", "''"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "p", "select 1 as id, "+p[0]+" as p, 'a' as v")
			before := w.dirs()
			w.changeOf(`select 'U' as "Op", 1 as id, ` + p[1] + ` as p, 'A' as v`)
			if got := w.run(storyTable, replicate.Merged); got.FilesCreated != 0 || got.Updates != 1 {
				t.Errorf("%+v %+v", got.Counts, got.Traffic)
			}
			if diff := cmp.Diff(before, w.dirs()); diff != "" {
				t.Errorf("directories (-want +got):\n%s", strings.TrimSpace(diff))
			}
			w.wantRows("id, v", "1 A")
		})
	}
}
