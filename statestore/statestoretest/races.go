package statestoretest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"sluice/statestore"
	"sluice/statestore/statestorefault"
)

const racers = 40

// race calls do from 40 goroutines at once. Each must win or lose with lost; one wins.
func race(t *testing.T, lost error, do func(n int) (won bool, err error)) {
	t.Helper()
	var start, end sync.WaitGroup
	var wins atomic.Int64
	start.Add(1)
	for n := range racers {
		end.Go(func() {
			start.Wait()
			won, err := do(n)
			if err != nil {
				wantErr(t, err, lost)
			}
			if won {
				wins.Add(1)
			}
		})
	}
	start.Done()
	end.Wait()
	if wins.Load() != 1 {
		t.Errorf("%d winners", wins.Load())
	}
}

func runRaces(t *testing.T, open Open) {
	t.Helper()
	s := statestore.New(open(t))
	ctx := t.Context()
	id := func(n int) string { return fmt.Sprintf("id%02d", n) }
	t.Run("create", func(t *testing.T) {
		race(t, statestore.ErrExists, func(n int) (bool, error) {
			err := s.Create(ctx, changed(base(t), statestore.Item{"Steward": id(n)}))
			return err == nil, err
		})
	})
	t.Run("register", func(t *testing.T) {
		race(t, nil, func(int) (bool, error) {
			_, created, err := s.Register(ctx, statestore.Item{"path": table(1), "out_path": outPath})
			return created, err
		})
	})
	t.Run("claim", func(t *testing.T) {
		race(t, statestore.ErrLeased, func(n int) (bool, error) {
			err := s.Claim(ctx, tablePath, id(n), ttl)
			return err == nil, err
		})
	})
	t.Run("commit", func(t *testing.T) {
		race(t, statestore.ErrConflict, func(n int) (bool, error) {
			err := s.Commit(ctx, statestore.Pending{Path: tablePath, Seq: 1, CommitID: id(n), PlanKey: "p"})
			return err == nil, err
		})
	})
	t.Run("halt", func(t *testing.T) {
		item, err := s.Read(ctx, tablePath)
		wantErr(t, err, nil)
		race(t, nil, func(int) (bool, error) {
			return s.Halt(ctx, statestore.Halted{Path: tablePath, Seq: 1, CommitID: item[statestore.CommitID], Reason: "r"})
		})
	})
	t.Run("finish", func(t *testing.T) {
		item, err := s.Read(ctx, tablePath)
		wantErr(t, err, nil)
		race(t, statestore.ErrConflict, func(n int) (bool, error) {
			err := s.Finish(ctx, statestore.Finished{
				Path: tablePath, Seq: 1, CommitID: item[statestore.CommitID], Set: map[string]string{"Index": id(n)},
			})
			return err == nil, err
		})
	})
}

// runLost loses answers whose meaning depends on what others did meanwhile.
func runLost(t *testing.T, open Open) {
	t.Helper()
	p := statestore.Pending{Path: tablePath, Seq: 1, CommitID: "aaaa", PlanKey: "p"}
	f := statestore.Finished{Path: tablePath, Seq: 1, CommitID: "aaaa", Set: map[string]string{"Index": "i"}}
	t.Run("register", func(t *testing.T) {
		s := statestore.New(broken(open(t), statestorefault.After))
		item, created, err := s.Register(t.Context(), statestore.Item{"path": tablePath, "out_path": outPath})
		if err != nil || !created || item["ActiveFlag"] != "false" {
			t.Errorf("got %v, created %v, error %v", item, created, err)
		}
	})
	t.Run("import", func(t *testing.T) {
		s := statestore.New(broken(open(t), statestorefault.After))
		wantErr(t, s.Import(t.Context(), base(t), false), nil)
		wantItem(t, s, base(t))
	})
	t.Run("commit, another there", func(t *testing.T) {
		b := open(t)
		create(t, b, changed(base(t), over(pendingItem(), statestore.Item{"CommitId": "bbbb"})))
		err := statestore.New(broken(b, statestorefault.Before)).Commit(t.Context(), p)
		wantErr(t, err, statestore.ErrConflict)
	})
	t.Run("finish, finished the same way", func(t *testing.T) {
		b := open(t)
		create(t, b, changed(base(t), statestore.Item{"Seq": "000000000001", "Index": "i"}))
		wantErr(t, statestore.New(broken(b, statestorefault.Before)).Finish(t.Context(), f), nil)
	})
	t.Run("finish, finished another way", func(t *testing.T) {
		b := open(t)
		create(t, b, changed(base(t), statestore.Item{"Seq": "000000000001", "Index": "j"}))
		err := statestore.New(broken(b, statestorefault.Before)).Finish(t.Context(), f)
		wantErr(t, err, statestore.ErrConflict)
	})
	t.Run("nothing can be read back", func(t *testing.T) {
		b := open(t)
		create(t, b, base(t))
		wantErr(t, statestore.New(statestorefault.New(b, statestorefault.Fault{At: 1, How: statestorefault.After, Crash: true})).Commit(t.Context(), p), statestorefault.ErrInjected)
		wantItem(t, b, changed(base(t), statestore.Item{"Seq": "000000000001", "CommitId": "aaaa", "CommitPlan": "p"}))
	})
}
