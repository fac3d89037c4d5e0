package statestore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"sluice/scripts/rig"
	"sluice/scripts/rig/proxy"
	"sluice/statestore"
)

// troubled is a control table that is reached through a proxy. On a busy machine the hasty client may give up what is
// merely slow.
type troubled struct {
	statestore.Store
	hasty statestore.Store
	proxy *proxy.Proxy
}

// isSilent says whether only a client that is hasty notices such a fault.
func isSilent(kind proxy.Kind) bool {
	return kind == proxy.NoAnswer || kind == proxy.LateAnswer || kind == proxy.Frozen
}

// newTroubled returns a table with one item. The client through the proxy has a patience that a test has time for.
func newTroubled(t *testing.T, options ...func(*statestore.Patience)) troubled {
	t.Helper()
	name, direct := rigTableOf(t, rigClient(t), time.Now)
	if _, _, err := statestore.New(direct).Register(t.Context(), statestore.Item{"path": product, "ActiveFlag": "true"}); err != nil {
		t.Fatal(err)
	}
	patience := statestore.DefaultPatience()
	patience.Pause, patience.Throttled, patience.MaxPause = 2*time.Millisecond, 4*time.Millisecond, 20*time.Millisecond
	for _, option := range options {
		option(&patience)
	}
	p := proxy.New(t, os.Getenv(rigEndpoint))
	open := func(patience statestore.Patience) statestore.Store {
		return statestore.New(statestore.NewDynamoDB(rigClientOf(t, p.URL, patience.Apply), name, time.Now))
	}
	quick := patience
	quick.Silence = 250 * time.Millisecond
	return troubled{open(patience), open(quick), p}
}

// TestDynamoDB_OneFaultOfEachKindIsSurvived: one more request, and the item is as if nothing had been.
func TestDynamoDB_OneFaultOfEachKindIsSurvived(t *testing.T) {
	p := newTroubled(t)
	seq, faults := uint64(0), 0
	for _, kind := range append(proxy.DynamoDBKinds(), proxy.NoAnswer, proxy.Frozen) {
		for _, operation := range []string{"UpdateItem", "GetItem", "Scan"} {
			t.Run(operation+" "+string(kind), func(t *testing.T) {
				s := p
				if isSilent(kind) {
					s.Store = p.hasty
				}
				s.proxy.Program(proxy.Rule{Kind: kind, Operation: operation, Times: 1, Delay: time.Second})
				before, met := len(s.proxy.Requests(operation)), s.proxy.Counts()[kind]
				began := time.Now()
				seq++
				pending := statestore.Pending{Path: product, Base: seq - 1, Seq: seq, CommitID: fmt.Sprint("c", seq), PlanKey: "p"}
				if err := s.Commit(t.Context(), pending); err != nil {
					t.Fatal(err)
				}
				if err := s.Finish(t.Context(), statestore.Finished{Path: product, Seq: seq, CommitID: pending.CommitID, Set: map[string]string{"Index": pending.CommitID}}); err != nil {
					t.Fatal(err)
				}
				item, err := s.Read(t.Context(), product)
				if err != nil || item["Index"] != pending.CommitID || item["CommitId"] != "" {
					t.Errorf("item %v, %v", item, err)
				}
				n := 0
				for _, err := range s.List(t.Context()) {
					if n++; err != nil {
						t.Error(err)
					}
				}
				met = s.proxy.Counts()[kind] - met
				faults += met
				sent, want := len(s.proxy.Requests(operation))-before, met+map[string]int{"UpdateItem": 2, "GetItem": 1, "Scan": 1}[operation]
				if n != 1 || met != 1 || sent < want || sent > want+1 && !isSilent(kind) { // an answer in doubt is settled by a GetItem, in which a fault may lie
					t.Errorf("%d items, %d faults, %d requests, want %d", n, met, sent, want)
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("took %s", took)
				}
			})
		}
	}
	rig.Figure(t, "store trouble", "%d single faults of DynamoDB survived by one more request", faults)
}

// TestDynamoDB_TroubleThatStaysIsGivenUp after the attempts that Patience allows, with an error that says what it is.
func TestDynamoDB_TroubleThatStaysIsGivenUp(t *testing.T) {
	for kind, want := range map[proxy.Kind]error{
		proxy.Refused500: statestore.ErrUnavailable, proxy.Throttled: statestore.ErrThrottled, proxy.Dropped: statestore.ErrUnavailable,
		proxy.CutAnswer: statestore.ErrUnavailable, proxy.CleanEnd: statestore.ErrUnavailable, proxy.NoAnswer: statestore.ErrUnavailable,
	} {
		t.Run(string(kind), func(t *testing.T) {
			s := newTroubled(t, func(p *statestore.Patience) {
				if p.Attempts = 3; isSilent(kind) {
					p.Silence = 250 * time.Millisecond
				}
			})
			s.proxy.Program(proxy.Rule{Kind: kind})
			_, err := s.Read(t.Context(), product)
			if got := len(s.proxy.Requests("")); !errors.Is(err, want) || got != 3 {
				t.Errorf("%d requests, want 3; %v, want %v", got, err, want)
			}
			s.proxy.Heal()
			if _, err := s.Read(t.Context(), product); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDynamoDB_AnUpdateInDoubtThatCannotBeLookedUpIsTrouble: its answer was lost, its repetition refused, and the item
// cannot be read. It ended as "the conditional request failed", which says neither that nor what to do.
func TestDynamoDB_AnUpdateInDoubtThatCannotBeLookedUpIsTrouble(t *testing.T) {
	s := newTroubled(t)
	s.proxy.Program(proxy.Rule{Kind: proxy.Lost500, Operation: "UpdateItem", Times: 1}, proxy.Rule{Kind: proxy.Refused500, Operation: "GetItem"})
	pending := statestore.Pending{Path: product, Seq: 1, CommitID: "c", PlanKey: "p"}
	if err := s.Commit(t.Context(), pending); !errors.Is(err, statestore.ErrUnavailable) || errors.Is(err, statestore.ErrConflict) {
		t.Errorf("got %v", err)
	}
	s.proxy.Heal()
	if item, err := s.Read(t.Context(), product); err != nil || item["CommitId"] != "c" {
		t.Errorf("item %v, %v", item, err)
	}
}

// TestDynamoDB_RequestsShareABudget: a table that is down is not asked six times by everybody.
func TestDynamoDB_RequestsShareABudget(t *testing.T) {
	s := newTroubled(t, func(p *statestore.Patience) { p.Budget = 4 })
	s.proxy.Program(proxy.Rule{Kind: proxy.Throttled})
	const calls = 20
	for range calls {
		if _, err := s.Read(t.Context(), product); !errors.Is(err, statestore.ErrThrottled) {
			t.Errorf("got %v", err)
		}
	}
	if got := len(s.proxy.Requests("GetItem")); got != calls+4 {
		t.Errorf("%d requests for %d calls, want %d", got, calls, calls+4)
	}
}

// TestDynamoDB_ADeadConnectionIsNoticed: the SDK's client waited for ever.
func TestDynamoDB_ADeadConnectionIsNoticed(t *testing.T) {
	s := newTroubled(t)
	s.proxy.Program(proxy.Rule{Kind: proxy.NoAnswer, Times: 2})
	began := time.Now()
	if _, err := s.hasty.Read(t.Context(), product); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < 400*time.Millisecond || took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

// TestDynamoDB_WhoIsToldToStopDoesNotWait for the end of a pause.
func TestDynamoDB_WhoIsToldToStopDoesNotWait(t *testing.T) {
	s := newTroubled(t, func(p *statestore.Patience) { p.Pause, p.MaxPause = time.Hour, time.Hour })
	s.proxy.Program(proxy.Rule{Kind: proxy.Refused500})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := s.Read(ctx, product); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}
