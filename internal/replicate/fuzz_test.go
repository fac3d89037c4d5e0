package replicate_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/statestore"
)

// FuzzBookkeeping: whatever stands in the plan, the batches, the index or the ledger of a pending commit, a run ends and says what
// became of the table.
func FuzzBookkeeping(f *testing.F) {
	from, keys := pendingMerge(f)
	slices.Sort(keys)
	for i, key := range keys {
		body, _ := readObject(f, from.lake, key)
		f.Add(byte(i), body)
	}
	f.Fuzz(func(t *testing.T, which byte, body []byte) {
		b := from.fork()
		b.t = t
		key := keys[int(which)%len(keys)]
		b.must(b.lake.Delete(t.Context(), key, ""))
		_, err := b.lake.Put(t.Context(), key, body, object.PutInput{})
		b.must(err)
		for range 3 {
			got := b.tickOn(b.lake, b.state)
			if got.Action == "" || got.Action == replicate.Halted && !strings.Contains(got.Reason, ": ") {
				t.Fatalf("%s (%s)", got.Action, got.Reason)
			}
		}
	})
}

// FuzzControlItem: whatever an operator writes into an attribute, a run ends, and a value that cannot be halts the table: to try it
// again every hour would not make it better.
func FuzzControlItem(f *testing.F) {
	from := partitioned(f)
	from.change(insert(6, "f", "new"), update(1, "A", "x"))
	names := []string{
		statestore.PrimaryKey, statestore.PartitionKey, statestore.LastFullLoadDate, statestore.LastIncrementalFile, statestore.ActiveFlag, statestore.OrderColumn,
		statestore.InputTimezone, statestore.LoadLead, statestore.ReloadPolicy, statestore.BeforeImagePrefix, statestore.Accept, statestore.Compact, statestore.Seq,
		statestore.Generation, statestore.LoadFingerprint, statestore.InputsDigest, statestore.ListedOn, statestore.Status, statestore.StatusReason,
		statestore.LeaseOwner, statestore.LeaseUntil, statestore.Catalog,
		"Dialect", "Contract", "SchemaPolicy", "CsvHeader", "CsvDelimiter", "CsvRowDelimiter", "CsvNull", "CsvNoSup", "CsvQuotes", "CsvSchema",
	}
	for i := range names {
		for _, value := range []string{"", "null", "true", "id", "id,name", "dept,", "Europe/Berlin", "-90s", "9223372036854775807h", "fence", "000000000001", "1970-01-01 00:00:00", "\x00", "../../etc"} {
			f.Add(byte(i), value)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, value string) {
		b := from.fork()
		b.t = t
		name := names[int(which)%len(names)]
		_, err := b.state.Update(t.Context(), statestore.Update{Path: benchPath, Set: map[string]string{name: value}})
		if err != nil {
			return
		}
		for range 2 {
			if got := b.tickOn(b.lake, b.state); got.Action == replicate.Failed || got.Action == "" {
				t.Fatalf("%s=%q: %s (%s)", name, value, got.Action, got.Reason)
			}
		}
	})
}

// FuzzImport: lines that are imported are exported as they are, but for what an item needs; a line that cannot be an item changes nothing, and
// the tables behind it run.
func FuzzImport(f *testing.F) {
	from := partitioned(f)
	var lines bytes.Buffer
	if err := from.engineOn(from.lake, from.state).Export(f.Context(), &lines); err != nil {
		f.Fatal(err)
	}
	f.Add(lines.Bytes(), true)
	f.Add(bytes.ReplaceAll(lines.Bytes(), []byte("product/"), []byte("other/")), false)
	f.Add([]byte(`{"path":"raw/store/product/","Seq":"000000000000"}`+"\n\n"), false)
	f.Add([]byte(`{"path":"raw/a/"}`), true)
	f.Add([]byte(`{"path":"/","folder":"/"}`), true)
	f.Add([]byte(`{"path":"raw/store/new/","bucket":"x","prefix":"","folder":"","out_path":"s3:///"}`), true)
	f.Add([]byte(`[]`), true)
	f.Fuzz(func(t *testing.T, lines []byte, force bool) {
		b := from.fork()
		b.t = t
		e := b.engineOn(b.lake, b.state)
		n, err := e.Import(t.Context(), bytes.NewReader(lines), force)
		if err != nil && n == 0 && !errors.Is(err, replicate.ErrUsage) && strings.Contains(err.Error(), "panic") {
			t.Fatal(err)
		}
		if err := e.Run(t.Context(), func(got replicate.Result) {
			if got.Action == "" {
				t.Errorf("nothing is said of %+v", got)
			}
		}); err != nil {
			t.Fatal(err)
		}
		var again bytes.Buffer
		if err := e.Export(t.Context(), &again); err != nil {
			t.Fatal(err)
		}
	})
}
