package statestoretest

import (
	"context"
	"testing"

	"sluice/statestore"
)

func importSteps() []step {
	do := func(item statestore.Item, force bool) func(context.Context, statestore.Store) error {
		full := over(statestore.Item{"path": tablePath}, item)
		return func(ctx context.Context, s statestore.Store) error { return s.Import(ctx, full, force) }
	}
	adopted := statestore.Item{"LastIncrementalFile": "raw/x.parquet", "PrimaryKey": "id"}
	seq := func(s string) statestore.Item { return statestore.Item{"Seq": s} }
	eight, nine := seq("000000000008"), seq("000000000009")
	records := statestore.Item{"Index": "index/9", "Ledger": "ledger/9", "InputsDigest": "d", "ListedOn": "2026-01-01"}
	gone := statestore.Item{"Index": "", "Ledger": "", "InputsDigest": "", "ListedOn": ""}
	dropped := statestore.Item{"CommitId": "", "CommitPlan": ""}
	other := over(pendingItem(), statestore.Item{"CommitId": "bbbb"})
	return []step{
		{"some attributes", over(pendingItem(), haltedItem()), do(adopted, false), nil, adopted},
		{"nothing", nil, do(nil, false), nil, nil},
		{"higher seq", eight, do(nine, false), nil, nine},
		{"first seq", nil, do(nine, false), nil, nine},
		{"same seq", nine, do(over(nine, adopted), false), nil, over(nine, adopted)},
		{"lower seq", nine, do(eight, false), statestore.ErrSeq, nil},
		{"lower seq forced", over(nine, records), do(eight, true), nil, over(eight, gone)},
		{
			"whole record over another", over(eight, records), do(over(nine, statestore.Item{"Index": "index/x"}), false), nil,
			over(nine, over(gone, statestore.Item{"Index": "index/x"})),
		},
		{"a halt stays", over(eight, haltedItem()), do(nine, false), nil, nine},
		{"pending dropped", pendingItem(), do(nine, false), statestore.ErrSeq, nil},
		{"pending dropped forced", pendingItem(), do(nine, true), nil, over(nine, dropped)},
		{"pending exchanged", pendingItem(), do(other, false), statestore.ErrSeq, nil},
		{"pending exchanged forced", pendingItem(), do(other, true), nil, other},
		{"pending kept", pendingItem(), do(over(pendingItem(), adopted), false), nil, adopted},
		{"commit id alone", pendingItem(), do(statestore.Item{"CommitId": "bbbb"}, false), statestore.ErrSeq, nil},
		{"lease is not imported", nil, do(statestore.Item{"LeaseOwner": "x", "LeaseUntil": "y", "PrimaryKey": "id"}, false), nil, statestore.Item{"PrimaryKey": "id"}},
		{"seq of another width", nil, do(seq("9"), true), statestore.ErrSeq, nil},
		{"path of another form", nil, do(statestore.Item{"path": "raw/x"}, true), statestore.ErrInvalid, nil},
	}
}

func runImportNew(t *testing.T, open Open) {
	t.Helper()
	s := statestore.New(open(t))
	item := statestore.Item{
		"path": tablePath, "ActiveFlag": "true", "LastIncrementalFile": "raw/x.parquet", "Seq": "000000000005",
		"Steward": "somebody else's", "LeaseOwner": "x", "LeaseUntil": "2999-01-01T00:00:00.000Z",
	}
	wantErr(t, s.Import(t.Context(), item, false), nil)
	want := changed(base(t), item)
	want = changed(want, statestore.Item{"LeaseOwner": "", "LeaseUntil": "", "out_path": ""})
	wantItem(t, s, want)
	t.Run("what was exported", func(t *testing.T) {
		copied := statestore.New(open(t))
		for item, err := range s.List(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			wantErr(t, copied.Import(t.Context(), item, false), nil)
		}
		wantItem(t, copied, want)
	})
}
