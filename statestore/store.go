package statestore

import (
	"context"
	"errors"
	"fmt"
	"maps"
)

// Store is the control table with what the commit protocol does to it. The zero value is of no use: see New.
type Store struct{ Backend }

// New returns the protocol on top of a backend.
func New(b Backend) Store { return Store{Backend: b} }

// Register creates the table's item with the sample's defaults for what item does not name, and returns it. When
// the table has an item, that one is returned untouched and created is false. Call with item[Seq] set when the lake
// folder holds commits of an earlier item. ErrInvalid when item[Path] is not bucket/prefix/schema/table/.
func (s Store) Register(ctx context.Context, item Item) (registered Item, created bool, err error) {
	want, err := item.withDefaults()
	if err != nil {
		return nil, false, fmt.Errorf("register: %w", err)
	}
	path := want[Path]
	err = s.Create(ctx, want)
	if err == nil {
		return want, true, nil
	}
	got, readErr := s.Read(ctx, path)
	if readErr != nil {
		return nil, false, fmt.Errorf("register %s: %w", path, err)
	}
	return got, !errors.Is(err, ErrExists) && maps.Equal(got, want), nil
}

// change sends u; an answer in doubt is settled by what the item shows.
func (s Store) change(ctx context.Context, verb string, u Update) error {
	_, err := s.Update(ctx, u)
	if err = settled(ctx, s, u, err); err != nil {
		return fmt.Errorf("%s %s: %w", verb, u.Path, err)
	}
	return nil
}

// settled returns nil when err is, or when it leaves open whether u happened and the item is as u leaves it.
func settled(ctx context.Context, items Items, u Update, err error) error {
	if err == nil || refused(err) {
		return err
	}
	item, readErr := items.Read(ctx, u.Path)
	if readErr == nil && u.shows(item) {
		return nil
	}
	return err
}

// refused reports whether err says for certain that the change did not happen.
func refused(err error) bool {
	return errors.Is(err, ErrConflict) || errors.Is(err, ErrExists) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrInvalid)
}

// seqIs returns the condition that the item's Seq is seq, as an any-of: before its first commit an item has none.
func seqIs(seq uint64) []Condition {
	conds := []Condition{{Attr: Seq, Test: Equal, Value: FormatSeq(seq)}}
	if seq == 0 {
		conds = append(conds, Condition{Attr: Seq, Test: Blank})
	}
	return conds
}

// commitIs returns the condition that the commit id is the pending one; "" is none.
func commitIs(id string) Condition {
	if id == "" {
		return Condition{Attr: CommitID, Test: Absent}
	}
	return Condition{Attr: CommitID, Test: Equal, Value: id}
}

// at reports whether the item still stands at seq with the pending commit id ("": none).
func (i Item) at(seq uint64, id string) bool {
	have, err := ParseSeq(i[Seq])
	return err == nil && have == seq && i[CommitID] == id
}
