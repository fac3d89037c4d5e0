package statestoretest

import (
	"context"
	"errors"
	"testing"

	"sluice/statestore"
	"sluice/statestore/statestorefault"
)

// step is one operation on one item, and what is to come of it.
type step struct {
	name string
	have statestore.Item // over base; "" removes
	do   func(ctx context.Context, s statestore.Store) error
	want error
	then statestore.Item // over what was there, when want is nil; "" removes
}

// runSteps runs each step as it is; those that succeed also with a lost answer, which must be a success too, and with
// an update that was never sent, which must change nothing. Each compares the whole item.
func runSteps(t *testing.T, open Open, steps []step) {
	t.Helper()
	b := open(t)
	for _, st := range steps {
		have := changed(base(t), st.have)
		after := changed(have, st.then)
		t.Run(st.name, func(t *testing.T) {
			reset(t, b, have)
			wantErr(t, st.do(t.Context(), statestore.New(b)), st.want)
			if st.want != nil {
				after = have
			}
			wantItem(t, b, after)
		})
		if st.want != nil {
			continue
		}
		t.Run(st.name+", answer lost", func(t *testing.T) {
			reset(t, b, have)
			wantErr(t, st.do(t.Context(), statestore.New(broken(b, statestorefault.After))), nil)
			wantItem(t, b, after)
		})
		t.Run(st.name+", sent twice", func(t *testing.T) {
			reset(t, b, have)
			twice := broken(b, statestorefault.Twice)
			wantErr(t, st.do(t.Context(), statestore.New(twice)), nil)
			if err := twice.Arrive(t.Context()); err != nil && !errors.Is(err, statestore.ErrConflict) {
				t.Errorf("the second: %v", err)
			}
			wantItem(t, b, after)
		})
		t.Run(st.name+", never sent", func(t *testing.T) {
			reset(t, b, have)
			err := st.do(t.Context(), statestore.New(broken(b, statestorefault.Before)))
			if len(st.then) > 0 {
				wantErr(t, err, statestorefault.ErrInjected)
			}
			wantItem(t, b, have)
		})
	}
}

// broken returns b with its first effect going wrong.
func broken(b statestore.Backend, how statestorefault.How) *statestorefault.Backend {
	return statestorefault.New(b, statestorefault.Fault{At: 1, How: how})
}

// reset makes the item be have, whatever it was.
func reset(t *testing.T, b statestore.Backend, have statestore.Item) {
	t.Helper()
	got, err := b.Read(t.Context(), tablePath)
	if err != nil {
		create(t, b, have)
		return
	}
	u := statestore.Update{Path: tablePath, Set: changed(have, statestore.Item{statestore.Path: ""})}
	for attr := range got {
		if _, ok := have[attr]; !ok {
			u.Remove = append(u.Remove, attr)
		}
	}
	if _, err := b.Update(t.Context(), u); err != nil {
		t.Fatal(err)
	}
}

// over returns a then b, for the have of a step.
func over(a, b statestore.Item) statestore.Item {
	both := statestore.Item{}
	for _, item := range []statestore.Item{a, b} {
		for attr, value := range item {
			both[attr] = value
		}
	}
	return both
}

func pendingItem() statestore.Item {
	return statestore.Item{"Seq": "000000000007", "CommitId": "aaaa", "CommitPlan": "commits/7-aaaa.json"}
}

func haltedItem() statestore.Item {
	return statestore.Item{"Status": "halted", "StatusReason": "schema: price"}
}
