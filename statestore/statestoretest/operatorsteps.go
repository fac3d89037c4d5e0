package statestoretest

import (
	"context"
	"testing"

	"sluice/statestore"
)

func haltSteps() []step {
	h := statestore.Halted{Path: tablePath, Seq: 7, CommitID: "aaaa", Reason: "foreign: part-1"}
	idle, fresh := h, h
	idle.CommitID = ""
	fresh.Seq, fresh.CommitID = 0, ""
	then := statestore.Item{"Status": "halted", "StatusReason": "foreign: part-1"}
	do := func(h statestore.Halted) func(context.Context, statestore.Store) error {
		return func(ctx context.Context, s statestore.Store) error {
			_, err := s.Halt(ctx, h)
			return err
		}
	}
	conflict := statestore.ErrConflict
	return []step{
		{"pending", pendingItem(), do(h), nil, then},
		{"nothing pending", statestore.Item{"Seq": "000000000007"}, do(idle), nil, then},
		{"before any commit", nil, do(fresh), nil, then},
		{"already, keeps the reason", over(pendingItem(), haltedItem()), do(h), nil, nil},
		{"seq moved on", over(pendingItem(), statestore.Item{"Seq": "000000000008"}), do(h), conflict, nil},
		{"finished elsewhere", statestore.Item{"Seq": "000000000007"}, do(h), conflict, nil},
		{"replaced", over(pendingItem(), statestore.Item{"CommitId": "ffff"}), do(h), conflict, nil},
		{"committed elsewhere", pendingItem(), do(idle), conflict, nil},
		{"halted, but moved on", over(over(pendingItem(), haltedItem()), statestore.Item{"Seq": "000000000008"}), do(h), conflict, nil},
	}
}

func clearSteps() []step {
	acknowledge := func(accept string) func(context.Context, statestore.Store) error {
		return func(ctx context.Context, s statestore.Store) error {
			return s.Acknowledge(ctx, tablePath, haltedItem()["StatusReason"], accept)
		}
	}
	clearing := func(reason string) func(context.Context, statestore.Store) error {
		return func(ctx context.Context, s statestore.Store) error { return s.Clear(ctx, tablePath, reason) }
	}
	none := statestore.Item{"Status": "", "StatusReason": ""}
	notHalted := statestore.ErrNotHalted
	return []step{
		{"acknowledge", haltedItem(), acknowledge(""), nil, none},
		{"acknowledge while pending", over(haltedItem(), pendingItem()), acknowledge("foreign"), nil, over(none, statestore.Item{"Accept": "foreign"})},
		{"accept", haltedItem(), acknowledge("reload"), nil, over(none, statestore.Item{"Accept": "reload"})},
		{"acknowledge keeps an accept", over(haltedItem(), statestore.Item{"Accept": "reload"}), acknowledge(""), nil, none},
		{"acknowledge nothing", nil, acknowledge("reload"), notHalted, nil},
		{"acknowledge the halt before", over(haltedItem(), statestore.Item{"StatusReason": "foreign: x"}), acknowledge("reload"), notHalted, nil},
		{"acknowledge another status", statestore.Item{"Status": "other"}, acknowledge(""), notHalted, nil},
		{"clear", haltedItem(), clearing("schema: price"), nil, none},
		{"clear another reason", haltedItem(), clearing("vanished: x"), notHalted, nil},
		{"clear nothing", nil, clearing(""), notHalted, nil},
	}
}

func activateSteps() []step {
	activate := func(settings map[string]string) func(context.Context, statestore.Store) error {
		return func(ctx context.Context, s statestore.Store) error { return s.Activate(ctx, tablePath, settings) }
	}
	deactivate := func(ctx context.Context, s statestore.Store) error { return s.Deactivate(ctx, tablePath) }
	off := statestore.Item{"ActiveFlag": "false"}
	on := statestore.Item{"ActiveFlag": "true"}
	return []step{
		{"flag alone", off, activate(nil), nil, on},
		{
			"settings", off, activate(map[string]string{"PrimaryKey": "a,b", "OrderColumn": "scn", "out_path": "lake/x/", "CsvHeader": "a,b"}), nil,
			over(on, statestore.Item{"PrimaryKey": "a,b", "OrderColumn": "scn", "out_path": "lake/x/", "CsvHeader": "a,b"}),
		},
		{
			"unset", over(off, statestore.Item{"PrimaryKey": "a", "OrderColumn": "scn"}), activate(map[string]string{"PrimaryKey": "", "PartitionKey": "", "OrderColumn": ""}), nil,
			over(on, statestore.Item{"PrimaryKey": "null", "PartitionKey": "null", "OrderColumn": ""}),
		},
		{"keeps halt and pending commit", over(over(off, haltedItem()), pendingItem()), activate(nil), nil, on},
		{"not a setting", off, activate(map[string]string{"Seq": "000000000001"}), statestore.ErrInvalid, nil},
		{"the key", off, activate(map[string]string{"path": "x"}), statestore.ErrInvalid, nil},
		{"deactivate", nil, deactivate, nil, off},
		{"deactivate while pending", pendingItem(), deactivate, nil, off},
	}
}

// runHaltOnce checks which halts report that they were newly set.
func runHaltOnce(t *testing.T, open Open) {
	t.Helper()
	t.Run("until acknowledged", func(t *testing.T) {
		s := statestore.New(open(t))
		create(t, s, base(t))
		halt := func(want bool) {
			t.Helper()
			got, err := s.Halt(t.Context(), statestore.Halted{Path: tablePath, Reason: "input: x"})
			if err != nil || got != want {
				t.Errorf("newly halted %v, error %v, want %v", got, err, want)
			}
		}
		halt(true)
		halt(false)
		wantErr(t, s.Acknowledge(t.Context(), tablePath, "input: x", ""), nil)
		halt(true)
	})
}
