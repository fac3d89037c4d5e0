package replicate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/internal/object"
	"sluice/statestore"
)

// CommitState is what became of a plan that was written down.
type CommitState string

// The states of a commit.
const (
	Finished   CommitState = "finished"   // carried out whole
	Pending    CommitState = "pending"    // binding, and under way
	Replaced   CommitState = "replaced"   // it could not be finished: another plan took its place
	Lost       CommitState = "lost"       // never binding: another commit came first, or the run died
	Unbound    CommitState = "unbound"    // not binding: a run is at it now, or has died
	Unknown    CommitState = "unknown"    // too old to tell
	Unreadable CommitState = "unreadable" // the plan is not what sluice wrote
)

// Commit is one plan of a table's bookkeeping: the line that `sluice history --json` prints.
type Commit struct {
	Table      string      `json:"table"`
	Path       string      `json:"path"`
	Seq        uint64      `json:"seq"`
	ID         string      `json:"commit"`
	Kind       Kind        `json:"kind"`
	State      CommitState `json:"state"`
	Made       time.Time   `json:"made,omitzero"` // when it was planned
	Inputs     int         `json:"inputs"`
	FirstInput string      `json:"first_input,omitempty"` // keys in the raw bucket
	LastInput  string      `json:"last_input,omitempty"`
	Counts
	FilesCreated   int64    `json:"files_created"`
	FilesRewritten int64    `json:"files_rewritten"`
	FilesEmptied   int64    `json:"files_emptied"`
	InputKeys      []string `json:"input_keys,omitempty"` // all of them, when asked for
}

// HistoryQuery says which commits to tell of, newest first.
type HistoryQuery struct {
	Limit int    // at most so many; 0 = all
	Input string // only those that consumed this input: its key, s3://bucket/key, or the end of it, such as the file's name
	Keys  bool   // with the keys of all inputs
}

// HistoryRest is what a history did not tell of.
type HistoryRest struct {
	Older int    // plans beyond the limit
	First uint64 // the lowest sequence number still kept; 0 = there is none
}

// History reads a table's commits from its bookkeeping, newest first. It writes nothing.
func (e *Engine) History(ctx context.Context, name string, q HistoryQuery, report func(Commit)) (HistoryRest, error) {
	item, err := e.registered(ctx, name)
	if err != nil {
		return HistoryRest{}, err
	}
	r := &run{e: e, meter: &meter{}, result: &Result{}, dry: true}
	if err := r.adopt(ctx, item); err != nil {
		return HistoryRest{}, err
	}
	keys, err := r.planKeys(ctx)
	if err != nil || len(keys) == 0 {
		return HistoryRest{}, err
	}
	first := keys[len(keys)-1].seq
	h := &history{run: r, query: q, chain: newChain(r.t), report: report}
	for told := 0; len(keys) > 0; {
		if q.Limit > 0 && told >= q.Limit {
			break
		}
		n := wholeSeqs(keys, 4*cap(e.ops))
		if err := h.tell(ctx, keys[:n], &told); err != nil {
			return HistoryRest{}, err
		}
		keys = keys[n:]
	}
	return HistoryRest{Older: len(keys) + h.cut, First: first}, nil
}

// history is one table's being told.
type history struct {
	*run
	query  HistoryQuery
	chain  *chain
	report func(Commit)
	cut    int // plans that were read and are beyond the limit
}

// tell reports some plans, of which all of a sequence number come together.
func (h *history) tell(ctx context.Context, keys []planKey, told *int) error {
	plans, err := h.readPlans(ctx, keys)
	if err != nil {
		return err
	}
	states := h.chain.states(h.t, keys, plans)
	for i, p := range plans {
		c := h.commitOf(keys[i], p)
		if c.State = states[i]; c.State == "" {
			if c.State, err = h.byIndex(ctx, keys[i]); err != nil {
				return err
			}
		}
		switch {
		case h.query.Input != "" && (p == nil || !h.consumed(p)):
		case h.query.Limit > 0 && *told >= h.query.Limit:
			h.cut++
		default:
			*told++
			h.report(c)
		}
	}
	return nil
}

func (h *history) consumed(p *Plan) bool {
	wanted := strings.TrimPrefix(strings.TrimPrefix(h.query.Input, "s3://"), h.t.bucket+"/")
	return slices.ContainsFunc(p.Inputs, func(key string) bool { return key == wanted || strings.HasSuffix(key, "/"+wanted) })
}

func (h *history) commitOf(key planKey, p *Plan) Commit {
	c := Commit{Table: h.t.name(), Path: h.t.path, Seq: key.seq, ID: key.id}
	if p == nil {
		return c
	}
	c.Kind, c.Made, c.Inputs, c.Counts = p.Kind, p.Made, len(p.Inputs), p.Counts
	c.FilesCreated, c.FilesRewritten, c.FilesEmptied = p.Traffic.FilesCreated, p.Traffic.FilesRewritten, p.Traffic.FilesEmptied
	if n := len(p.Inputs); n > 0 {
		c.FirstInput, c.LastInput = p.Inputs[0], p.Inputs[n-1]
	}
	if h.query.Keys {
		c.InputKeys = p.Inputs
	}
	return c
}

// byIndex judges a plan that is older than what its successors say: an index is written when every op is in the lake.
func (h *history) byIndex(ctx context.Context, key planKey) (CommitState, error) {
	_, err := h.lake.Head(ctx, h.t.book+"index/"+key.name+".json")
	switch {
	case err == nil:
		return Finished, nil
	case errors.Is(err, object.ErrNotFound):
		return Unknown, nil
	}
	return "", err
}

// planKey names a plan: <seq>-<id>, and where it lies.
type planKey struct {
	key, name, id string
	seq           uint64
}

// planKeys lists the table's plans, newest first.
func (r *run) planKeys(ctx context.Context) ([]planKey, error) {
	prefix := r.t.book + "commits/"
	var keys []planKey
	for entry, err := range r.lake.List(ctx, object.ListInput{Prefix: prefix}) {
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", prefix, err)
		}
		name, plan := strings.CutSuffix(entry.Key[len(prefix):], ".json")
		number, id, _ := strings.Cut(name, "-")
		if seq, err := statestore.ParseSeq(number); plan && err == nil && id != "" && !strings.Contains(id, ".") {
			keys = append(keys, planKey{entry.Key, name, id, seq})
		}
	}
	slices.Reverse(keys)
	return keys, nil
}

// wholeSeqs is how many of the keys to read together: about n, and all of a sequence number.
func wholeSeqs(keys []planKey, n int) int {
	if n = min(n, len(keys)); n == len(keys) {
		return n
	}
	for n < len(keys) && keys[n].seq == keys[n-1].seq {
		n++
	}
	return n
}

// readPlans reads plans, some at once; one that cannot be read as such is nil.
func (r *run) readPlans(ctx context.Context, keys []planKey) ([]*Plan, error) {
	plans := make([]*Plan, len(keys))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cap(r.e.ops) * 4)
	for i, key := range keys {
		group.Go(func() error {
			var p Plan
			err := readJSON(ctx, r.lake, key.key, &p)
			if kind, _ := fate(err); err != nil && kind != halt {
				return err
			}
			if err == nil {
				plans[i] = &p
			}
			return nil
		})
	}
	return plans, group.Wait()
}

// plans gives the table's plans to each, newest first, until it has enough.
func (r *run) plans(ctx context.Context, each func(*Plan) (more bool)) error {
	keys, err := r.planKeys(ctx)
	for err == nil && len(keys) > 0 {
		n := min(len(keys), 4*cap(r.e.ops))
		var some []*Plan
		if some, err = r.readPlans(ctx, keys[:n]); err != nil {
			return err
		}
		for _, p := range some {
			if p != nil && !each(p) {
				return nil
			}
		}
		keys = keys[n:]
	}
	return err
}
