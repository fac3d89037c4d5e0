package statestore

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Finished is a commit that was carried out whole, and what the item is to say of it.
type Finished struct {
	Path     string
	Seq      uint64
	CommitID string            // "" records without a commit: conditional on nothing being pending
	Set      map[string]string // watermark, Index, Ledger, InputsDigest, …
	Remove   []string
}

// Finish ends the pending commit and records it, if Seq and the commit id are the item's. It ends a halt, too: one
// that was set while the commit was pending was over this commit, which is finished. ErrConflict when they are
// not any more: somebody else finished it, or put another plan in its place. An answer in doubt is settled by what the
// item shows: as this Finish leaves it is success, whoever wrote it.
func (s Store) Finish(ctx context.Context, f Finished) error {
	u := Update{
		Path:   f.Path,
		Set:    f.Set,
		Remove: slices.Clone(f.Remove),
		If:     []Condition{commitIs(f.CommitID)},
		IfAny:  seqIs(f.Seq),
	}
	for _, attr := range []string{Seq, CommitID, CommitPlan} {
		if _, set := f.Set[attr]; set || slices.Contains(f.Remove, attr) {
			return fmt.Errorf("finish %s: %w: %s is not the caller's", f.Path, ErrInvalid, attr)
		}
	}
	if f.CommitID != "" {
		u.Remove = append(u.Remove, CommitID, CommitPlan, Status, StatusReason)
	}
	_, err := s.Update(ctx, u)
	if err = s.finished(ctx, f, u, err); err != nil {
		return fmt.Errorf("finish %s: %w", f.Path, err)
	}
	return nil
}

func (s Store) finished(ctx context.Context, f Finished, u Update, err error) error {
	if err == nil || refused(err) {
		return err
	}
	item, readErr := s.Read(ctx, f.Path)
	switch {
	case readErr != nil:
		return err
	case item.at(f.Seq, "") && u.shows(item):
		return nil
	case !item.at(f.Seq, f.CommitID):
		return errors.Join(ErrConflict, err)
	default:
		return err
	}
}
