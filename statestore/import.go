package statestore

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// importTries bounds how often an import starts over because the item changed under it.
const importTries = 8

// Import writes an item that List gave once, or that the sample keeps. A table without an item gets it, with the
// sample's defaults for what it does not name. Of an item that is there, the attributes named are set and the others
// left; an item that names Seq is a whole record, so that the engine's attributes it does not name are removed, but
// for a halt, which stays. Leases are not imported. ErrSeq when that would lower Seq or drop a pending commit, unless
// force; ErrConflict when the item kept changing.
func (s Store) Import(ctx context.Context, item Item, force bool) error {
	want, err := imported(item)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	for range importTries {
		err = s.importOnce(ctx, want, force)
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrExists) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("import %s: %w", want[Path], err)
	}
	return nil
}

func (s Store) importOnce(ctx context.Context, want Item, force bool) error {
	have, err := s.Read(ctx, want[Path])
	if errors.Is(err, ErrNotFound) {
		return s.importNew(ctx, want)
	}
	if err != nil {
		return err
	}
	if err := overwrites(have, want); err != nil && !force {
		return err
	}
	u := importUpdate(have, want)
	if len(u.Set)+len(u.Remove) == 0 {
		return nil
	}
	_, err = s.Update(ctx, u)
	return settled(ctx, s, u, err)
}

func (s Store) importNew(ctx context.Context, want Item) error {
	full, err := want.withDefaults()
	if err != nil {
		return err
	}
	err = s.Create(ctx, full)
	return settled(ctx, s, importUpdate(nil, full), err)
}

// imported returns what of item is to be written, or ErrSeq or ErrInvalid when it cannot be an item.
func imported(item Item) (Item, error) {
	if _, err := item.withDefaults(); err != nil {
		return nil, err
	}
	if _, err := ParseSeq(item[Seq]); err != nil {
		return nil, err
	}
	want := Item{}
	for attr, value := range item {
		if attr != LeaseOwner && attr != LeaseUntil {
			want[attr] = value
		}
	}
	return want, nil
}

// overwrites returns ErrSeq when importing want would lower the Seq of have or drop its pending commit.
func overwrites(have, want Item) error {
	if id, named := want[CommitID]; have.Pending() && id != have[CommitID] && (named || want.whole()) {
		return fmt.Errorf("%w: commit %s is pending and would be dropped", ErrSeq, have[CommitID])
	}
	if want.whole() && want[Seq] < have[Seq] {
		return fmt.Errorf("%w: %s is below %s", ErrSeq, want[Seq], have[Seq])
	}
	return nil
}

// whole reports whether an imported item is a whole record rather than some attributes.
func (i Item) whole() bool { return i[Seq] != "" }

// importUpdate returns the update from have to want, conditional on the Seq and the commit of have.
func importUpdate(have, want Item) Update {
	u := Update{Path: want[Path], Set: map[string]string{}, If: []Condition{asRead(have, Seq), asRead(have, CommitID)}}
	for attr, value := range want {
		if attr != Path {
			u.Set[attr] = value
		}
	}
	for attr := range have {
		if _, named := want[attr]; !named && want.whole() && slices.Contains(engineAttrs(), attr) {
			u.Remove = append(u.Remove, attr)
		}
	}
	return u
}

// asRead returns the condition that attr is still as have shows it.
func asRead(have Item, attr string) Condition {
	if value, ok := have[attr]; ok {
		return Condition{Attr: attr, Test: Equal, Value: value}
	}
	return Condition{Attr: attr, Test: Absent}
}

// engineAttrs returns what the engine keeps between runs: together they describe one state of the lake.
func engineAttrs() []string {
	return []string{CommitID, CommitPlan, Index, Ledger, Generation, LoadFingerprint, InputsDigest, ListedOn, Catalog}
}
