package statestoretest

import (
	"context"

	"sluice/statestore"
)

func commitSteps() []step {
	p := statestore.Pending{
		Path: tablePath, Base: 6, Seq: 7, CommitID: "aaaa", PlanKey: "commits/7-aaaa.json",
		Settings: map[string]string{"PrimaryKey": "id", "PartitionKey": "null", "OrderColumn": ""},
		Remove:   []string{"Accept"},
	}
	first, loose, backwards, huge, nameless, resolving := p, p, p, p, p, p
	first.Base, first.Seq = 0, 7
	loose.Settings = nil
	backwards.Seq = 6
	huge.Seq = statestore.MaxSeq + 1
	nameless.CommitID = ""
	resolving.Halt = "schema: price"
	six := statestore.Item{"Seq": "000000000006", "PrimaryKey": "id"}
	then := over(pendingItem(), statestore.Item{"Accept": ""})
	do := func(p statestore.Pending) func(context.Context, statestore.Store) error {
		return func(ctx context.Context, s statestore.Store) error { return s.Commit(ctx, p) }
	}
	conflict := statestore.ErrConflict
	return []step{
		{"as planned", six, do(p), nil, then},
		{"ends an accept", over(six, statestore.Item{"Accept": "reload"}), do(p), nil, then},
		{"first ever", statestore.Item{"PrimaryKey": "id"}, do(first), nil, then},
		{"first, seq zero", statestore.Item{"PrimaryKey": "id", "Seq": "000000000000"}, do(first), nil, then},
		{"first, but not", six, do(first), conflict, nil},
		{"no seq", statestore.Item{"PrimaryKey": "id"}, do(p), conflict, nil},
		{"seq ahead", over(six, statestore.Item{"Seq": "000000000007"}), do(p), conflict, nil},
		{"pending", over(six, statestore.Item{"CommitId": "bbbb"}), do(p), conflict, nil},
		{"inactive", over(six, statestore.Item{"ActiveFlag": "false"}), do(p), conflict, nil},
		{"no flag", over(six, statestore.Item{"ActiveFlag": ""}), do(p), conflict, nil},
		{"flag as the sample reads it", over(six, statestore.Item{"ActiveFlag": "True"}), do(p), conflict, nil},
		{"halted", over(six, haltedItem()), do(p), conflict, nil},
		{"halted, ends that halt", over(six, haltedItem()), do(resolving), nil, over(then, statestore.Item{"Status": "", "StatusReason": ""})},
		{"halted for another reason", over(six, statestore.Item{"Status": "halted", "StatusReason": "vanished: x"}), do(resolving), conflict, nil},
		{"acknowledged meanwhile", six, do(resolving), conflict, nil},
		{"another status", over(six, statestore.Item{"Status": "other"}), do(p), nil, then},
		{"setting changed", over(six, statestore.Item{"PrimaryKey": "other"}), do(p), conflict, nil},
		{"setting gone", over(six, statestore.Item{"PartitionKey": ""}), do(p), conflict, nil},
		{"setting came", over(six, statestore.Item{"OrderColumn": "scn"}), do(p), conflict, nil},
		{"no settings", over(six, statestore.Item{"OrderColumn": "scn"}), do(loose), nil, then},
		{"seq does not follow", six, do(backwards), statestore.ErrSeq, nil},
		{"seq too large", six, do(huge), statestore.ErrSeq, nil},
		{"no id", six, do(nameless), statestore.ErrInvalid, nil},
	}
}

func replaceSteps() []step {
	p := statestore.Pending{
		Path: tablePath, Base: 7, Seq: 8, CommitID: "ffff", PlanKey: "commits/8-ffff.json",
		Remove: []string{"Status", "StatusReason"},
	}
	same, backwards, keyed := p, p, p
	same.Seq = 7
	backwards.Seq = 6
	keyed.Settings = map[string]string{"PrimaryKey": "id"}
	then := statestore.Item{
		"Seq": "000000000008", "CommitId": "ffff", "CommitPlan": "commits/8-ffff.json", "Status": "", "StatusReason": "",
	}
	do := func(old string, p statestore.Pending) func(context.Context, statestore.Store) error {
		return func(ctx context.Context, s statestore.Store) error { return s.Replace(ctx, old, p) }
	}
	conflict := statestore.ErrConflict
	return []step{
		{"the pending one", pendingItem(), do("aaaa", p), nil, then},
		{"halted and inactive", over(over(pendingItem(), haltedItem()), statestore.Item{"ActiveFlag": "false"}), do("aaaa", p), nil, then},
		{"same seq", pendingItem(), do("aaaa", same), nil, over(then, statestore.Item{"Seq": "000000000007"})},
		{"another one", pendingItem(), do("bbbb", p), conflict, nil},
		{"none", statestore.Item{"Seq": "000000000007"}, do("aaaa", p), conflict, nil},
		{"another seq", over(pendingItem(), statestore.Item{"Seq": "000000000008"}), do("aaaa", p), conflict, nil},
		{"setting changed", pendingItem(), do("aaaa", keyed), conflict, nil},
		{"seq below", pendingItem(), do("aaaa", backwards), statestore.ErrSeq, nil},
		{"by itself", pendingItem(), do("ffff", p), statestore.ErrInvalid, nil},
		{"nothing", pendingItem(), do("", p), statestore.ErrInvalid, nil},
	}
}

func finishSteps() []step {
	f := statestore.Finished{
		Path: tablePath, Seq: 7, CommitID: "aaaa",
		Set:    map[string]string{"LastIncrementalFile": "raw/x.parquet", "Index": "index/7-aaaa.json"},
		Remove: []string{"Accept"},
	}
	record, meddling := f, f
	record.CommitID = ""
	meddling.Set = map[string]string{"Seq": "000000000009"}
	then := statestore.Item{
		"CommitId": "", "CommitPlan": "", "LastIncrementalFile": "raw/x.parquet", "Index": "index/7-aaaa.json", "Accept": "",
	}
	do := func(f statestore.Finished) func(context.Context, statestore.Store) error {
		return func(ctx context.Context, s statestore.Store) error { return s.Finish(ctx, f) }
	}
	conflict := statestore.ErrConflict
	return []step{
		{"ours", over(pendingItem(), statestore.Item{"Accept": "schema"}), do(f), nil, then},
		{
			"halted over the commit, and inactive", over(over(pendingItem(), haltedItem()), statestore.Item{"ActiveFlag": "false"}), do(f), nil,
			over(then, statestore.Item{"Status": "", "StatusReason": ""}),
		},
		{"finished elsewhere", statestore.Item{"Seq": "000000000007"}, do(f), conflict, nil},
		{"replaced", over(pendingItem(), statestore.Item{"CommitId": "ffff"}), do(f), conflict, nil},
		{"another seq", over(pendingItem(), statestore.Item{"Seq": "000000000008"}), do(f), conflict, nil},
		{"record without a commit", statestore.Item{"Seq": "000000000007"}, do(record), nil, then},
		{"record while halted", over(statestore.Item{"Seq": "000000000007"}, haltedItem()), do(record), nil, then},
		{"record while pending", pendingItem(), do(record), conflict, nil},
		{"sets what is not its own", pendingItem(), do(meddling), statestore.ErrInvalid, nil},
	}
}
