package statestore

import (
	"context"
	"errors"
	"fmt"
)

// Halted is why a table stops, and what was judged.
type Halted struct {
	Path     string
	Seq      uint64
	CommitID string // the pending commit, "" for none
	Reason   string
}

// Halt stops the table if Seq and the pending commit are still those that were judged; else ErrConflict, and there
// is nothing to stop. It reports whether this call set it: an earlier halt stays, with its reason, and was told of
// then. After a lost answer it reports true when the item shows the reason: better told twice than never.
func (s Store) Halt(ctx context.Context, h Halted) (bool, error) {
	_, err := s.Update(ctx, Update{
		Path:  h.Path,
		Set:   map[string]string{Status: StatusHalted, StatusReason: h.Reason},
		If:    []Condition{commitIs(h.CommitID), {Attr: Status, Test: Differs, Value: StatusHalted}},
		IfAny: seqIs(h.Seq),
	})
	if err == nil {
		return true, nil
	}
	if !refused(err) || errors.Is(err, ErrConflict) {
		item, readErr := s.Read(ctx, h.Path)
		if readErr == nil && item.Halted() && item.at(h.Seq, h.CommitID) {
			return !errors.Is(err, ErrConflict) && item[StatusReason] == h.Reason, nil
		}
	}
	return false, fmt.Errorf("halt %s: %w", h.Path, err)
}

// Acknowledge clears a halt that an operator has judged, if its reason is still the one that was judged, and records
// what was accepted, if anything: an answer to one halt that comes late is no answer to the next. ErrNotHalted when there is
// no such halt.
func (s Store) Acknowledge(ctx context.Context, path, reason, accept string) error {
	u := unhalt(path, reason)
	if accept != "" {
		u.Set = map[string]string{Accept: accept}
	}
	return s.clear(ctx, "acknowledge", u)
}

// Clear removes a halt that has resolved itself, if its reason is still the one that was judged; else ErrNotHalted.
func (s Store) Clear(ctx context.Context, path, reason string) error {
	return s.clear(ctx, "clear", unhalt(path, reason))
}

func unhalt(path, reason string) Update {
	why := Condition{Attr: StatusReason, Test: Equal, Value: reason}
	if reason == "" {
		why.Test = Blank
	}
	return Update{
		Path:   path,
		Remove: []string{Status, StatusReason},
		If:     []Condition{{Attr: Status, Test: Equal, Value: StatusHalted}, why},
	}
}

func (s Store) clear(ctx context.Context, verb string, u Update) error {
	err := s.change(ctx, verb, u)
	if errors.Is(err, ErrConflict) {
		return fmt.Errorf("%s %s: %w", verb, u.Path, ErrNotHalted)
	}
	return err
}
