package statestore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Pending is a plan that is to become binding.
type Pending struct {
	Path     string
	Base     uint64            // Seq of the item that the plan was made from; 0 also stands for an item without one
	Seq      uint64            // Seq of this commit
	CommitID string            // unique to this attempt, never used again
	PlanKey  string            // object key of the plan, written before
	Settings map[string]string // attributes that the plan was made with; "" is an attribute absent or empty
	Remove   []string          // attributes that end with this commit, such as Accept or the Status that it resolves
	Halt     string            // StatusReason of the halt that ends with this commit; "" = the table must not be halted
}

// Commit makes the plan binding, if the item is as it was planned with: Seq is the base, nothing is pending, the
// table is active and not halted, or halted for the very reason that ends with it, and every setting has its value.
// Otherwise ErrConflict: plan again. An answer in doubt is settled by the commit id that the item shows. ErrSeq when Seq
// does not follow Base.
func (s Store) Commit(ctx context.Context, p Pending) error {
	if p.Seq <= p.Base {
		return fmt.Errorf("commit %s: %w: %d after %d", p.Path, ErrSeq, p.Seq, p.Base)
	}
	conds := []Condition{
		commitIs(""),
		{Attr: ActiveFlag, Test: Equal, Value: True},
	}
	if p.Halt == "" {
		conds = append(conds, Condition{Attr: Status, Test: Differs, Value: StatusHalted})
	} else {
		conds = append(conds, Condition{Attr: StatusReason, Test: Equal, Value: p.Halt})
		p.Remove = append(slices.Clone(p.Remove), Status, StatusReason)
	}
	return s.bind(ctx, "commit", p, conds)
}

// Replace puts a plan in the place of the pending commit old: a fence, or the new plan behind one. It is conditional
// on Seq, on old and on the settings given, not on the table's being active or halted, for what was begun must end.
// p.Seq may stay p.Base. Otherwise as Commit.
func (s Store) Replace(ctx context.Context, old string, p Pending) error {
	switch {
	case p.Seq < p.Base:
		return fmt.Errorf("replace %s: %w: %d after %d", p.Path, ErrSeq, p.Seq, p.Base)
	case old == "" || old == p.CommitID:
		return fmt.Errorf("replace %s: %w: commit id %q by %q", p.Path, ErrInvalid, old, p.CommitID)
	}
	return s.bind(ctx, "replace", p, []Condition{commitIs(old)})
}

func (s Store) bind(ctx context.Context, verb string, p Pending, conds []Condition) error {
	switch {
	case p.Seq > MaxSeq:
		return fmt.Errorf("%s %s: %w: %d is above %d", verb, p.Path, ErrSeq, p.Seq, MaxSeq)
	case p.CommitID == "" || p.PlanKey == "":
		return fmt.Errorf("%s %s: %w: commit without id or plan", verb, p.Path, ErrInvalid)
	}
	_, err := s.Update(ctx, Update{
		Path:   p.Path,
		Set:    map[string]string{Seq: FormatSeq(p.Seq), CommitID: p.CommitID, CommitPlan: p.PlanKey},
		Remove: p.Remove,
		If:     append(conds, settingsAre(p.Settings)...),
		IfAny:  seqIs(p.Base),
	})
	if err = s.bound(ctx, p, err); err != nil {
		return fmt.Errorf("%s %s: %w", verb, p.Path, err)
	}
	return nil
}

// bound settles an answer in doubt: our id in the item is success; an item that has moved on past the base can no
// longer be ours to commit to.
func (s Store) bound(ctx context.Context, p Pending, err error) error {
	if err == nil || refused(err) {
		return err
	}
	item, readErr := s.Read(ctx, p.Path)
	switch have, seqErr := ParseSeq(item[Seq]); {
	case readErr != nil:
		return err
	case item[CommitID] == p.CommitID:
		return nil
	case seqErr == nil && have > p.Base:
		return errors.Join(ErrConflict, err)
	default:
		return err
	}
}

// settingsAre returns the conditions that each setting has the value planned with, in the order of their names.
func settingsAre(settings map[string]string) []Condition {
	var conds []Condition
	for _, attr := range slices.Sorted(maps.Keys(settings)) {
		c := Condition{Attr: attr, Test: Equal, Value: settings[attr]}
		if c.Value == "" {
			c.Test = Blank
		}
		conds = append(conds, c)
	}
	return conds
}
