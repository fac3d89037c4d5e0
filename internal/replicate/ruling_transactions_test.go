package replicate_test

import (
	"slices"
	"strings"
	"testing"

	"sluice/internal/replicate"
)

const txn = "CDC_TXN-20201117153046033.csv"

// transactionsAt are folders in which CdcPath may have put the files of PreserveTransactions, and what is named for it.
func transactionsAt() map[string]string {
	return map[string]string{
		"":             "raw/",         // --raw is the CdcPath
		"txn/":         "raw/txn/",     // beside the schemas
		"store/":       "raw/store/",   // beside the tables of a schema
		"cdc/txn/":     "raw/cdc/txn/", // like a table
		"a/b/c/d/":     "raw/a/b/",     // deeper
		"store/t/":     storyPath,      // in a table's folder
		"store/t/txn/": storyPath,      // in a folder of it
		"store/extra/": "raw/store/extra/",
	}
}

func TestPreserveTransactionsAreRefusedWhereverTheyLie(t *testing.T) {
	for folder, named := range transactionsAt() {
		t.Run("at "+folder, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "", rowsOf("id, v", "1, 'a'"))
			w.load(product(), []any{1, "a", "x"})
			w.run("store.product", replicate.Registered)
			w.activate("store.product", "id", "")
			w.tick()
			for _, name := range []string{txn, strings.Replace(txn, "033", "034", 1)} {
				w.put("raw", folder+name, []byte("I,t,store,1,a\n"))
			}
			w.change(product(), insert(2, "b", "y"))
			inTable := named == storyPath
			table := named
			if inTable {
				table = storyTable
			}
			for range 2 {
				got := w.tick()
				if r := got[table]; r.Action != replicate.Halted || !strings.HasPrefix(r.Reason, "input: ") ||
					!strings.Contains(r.Reason, named) || !strings.Contains(r.Reason, "PreserveTransactions=false") || !strings.Contains(r.Reason, "CdcPath") {
					t.Fatalf("%s: %s (%s)", table, r.Action, r.Reason)
				}
				if r := got["store.product"]; r.Action != replicate.Merged && r.Action != replicate.Idle {
					t.Fatalf("another table: %s (%s)", r.Action, r.Reason)
				}
				if len(got) > 3 {
					t.Errorf("said of %d: %v", len(got), got)
				}
			}
			if got := w.rows("product", "id, name"); !slices.Equal(got, []string{"1 a", "2 b"}) {
				t.Errorf("another table has %q", got)
			}
			w.toldOfTransactions(table, named)
			for _, name := range []string{txn, strings.Replace(txn, "033", "034", 1)} {
				w.drop("raw", folder+name)
			}
			if inTable {
				w.acknowledge("")
			}
			for name, r := range w.tick() {
				if r.Action != replicate.Idle {
					t.Errorf("after they were removed: %s %s (%s)", name, r.Action, r.Reason)
				}
			}
		})
	}
}

// toldOfTransactions: plan and doctor say it too, and nothing was registered for the folder.
func (w *world) toldOfTransactions(table, named string) {
	w.t.Helper()
	planned := false
	err := w.engine().Forecast(w.t.Context(), func(f replicate.Forecast) {
		planned = planned || f.Table == table && f.Action == replicate.Halted && strings.Contains(f.Reason, "PreserveTransactions")
	})
	if err != nil || !planned {
		w.t.Errorf("plan says nothing of %s (%v)", table, err)
	}
	examined := false
	err = w.engine().Doctor(w.t.Context(), func(c replicate.Check) {
		examined = examined || !c.OK && strings.Contains(c.Detail, "PreserveTransactions") && strings.Contains(c.Detail, named)
	})
	if err != nil || !examined {
		w.t.Errorf("doctor says nothing of %s (%v)", named, err)
	}
	tables, err := w.engine().Tables(w.t.Context())
	if err != nil || len(tables) != 2 {
		w.t.Errorf("%d tables are registered (%v)", len(tables), err)
	}
}

// TestControlTablesOfDMSAreNoTables: what DMS keeps beside the tables is neither registered, planned, examined nor verified.
func TestControlTablesOfDMSAreNoTables(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	for _, folder := range []string{
		"store/awsdms_apply_exceptions", "store/AWSDMS_STATUS", "awsdms_history/t", "awsdms_txn_state/awsdms_txn_state", "store/s3_validation_failures", "s3_validation_failures/t",
		"_hidden/t", "store/.tmp", "store/_sluice",
	} {
		w.write("raw", folder+"/LOAD00000001.parquet", rowsOf("id, v", "1, 'a'"))
	}
	if got := w.tick(); len(got) != 1 {
		t.Errorf("a tick says %v", got)
	}
	err := w.engine().Forecast(t.Context(), func(f replicate.Forecast) {
		if f.Table != storyTable {
			t.Errorf("planned: %s", f.Table)
		}
	})
	if err != nil {
		t.Error(err)
	}
	err = w.engine().Doctor(t.Context(), func(c replicate.Check) {
		if strings.Contains(c.Name+c.Detail, "awsdms") || strings.Contains(c.Detail, "validation") || !c.OK && c.Name != "clock" {
			t.Errorf("examined: %+v", c)
		}
	})
	if err != nil {
		t.Error(err)
	}
	for _, table := range []string{"store.awsdms_apply_exceptions", "store.s3_validation_failures"} {
		if _, err := w.engine().Verify(t.Context(), table, replicate.VerifyOptions{MemoryBytes: replicate.MinVerifyBytes}); err == nil || !strings.Contains(err.Error(), "no table") {
			t.Errorf("verify %s: %v", table, err)
		}
		if _, err := w.engine().Activate(t.Context(), table, replicate.Activation{PrimaryKey: new("id")}); err == nil || !strings.Contains(err.Error(), "no table") {
			t.Errorf("activate %s: %v", table, err)
		}
	}
}
