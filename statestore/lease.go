package statestore

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// LeaseLayout is of fixed width, so that strings compare as times do.
const LeaseLayout = "2006-01-02T15:04:05.000Z"

// clockLease keeps the lease in the item: LeaseOwner, and LeaseUntil by the clock of whoever claims it.
type clockLease struct {
	items Items
	now   func() time.Time
}

// Claim implements Leases.
func (l clockLease) Claim(ctx context.Context, path, owner string, ttl time.Duration) error {
	u := l.hold(path, owner, ttl)
	u.IfAny = []Condition{
		{Attr: LeaseUntil, Test: Absent},
		{Attr: LeaseUntil, Test: Less, Value: l.stamp(0)},
		{Attr: LeaseOwner, Test: Equal, Value: owner},
	}
	return l.send(ctx, "claim", u)
}

// Renew implements Leases.
func (l clockLease) Renew(ctx context.Context, path, owner string, ttl time.Duration) error {
	u := l.hold(path, owner, ttl)
	u.If = []Condition{{Attr: LeaseOwner, Test: Equal, Value: owner}}
	return l.send(ctx, "renew", u)
}

// Release implements Leases.
func (l clockLease) Release(ctx context.Context, path, owner string) error {
	err := l.send(ctx, "release", Update{
		Path:   path,
		Remove: []string{LeaseOwner, LeaseUntil},
		If:     []Condition{{Attr: LeaseOwner, Test: Equal, Value: owner}},
	})
	if errors.Is(err, ErrLeased) || errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func (l clockLease) hold(path, owner string, ttl time.Duration) Update {
	return Update{Path: path, Set: map[string]string{LeaseOwner: owner, LeaseUntil: l.stamp(ttl)}}
}

func (l clockLease) stamp(in time.Duration) string { return l.now().Add(in).UTC().Format(LeaseLayout) }

func (l clockLease) send(ctx context.Context, verb string, u Update) error {
	_, err := l.items.Update(ctx, u)
	err = settled(ctx, l.items, u, err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrConflict):
		return fmt.Errorf("%s %s: %w", verb, u.Path, ErrLeased)
	default:
		return fmt.Errorf("%s %s: %w", verb, u.Path, err)
	}
}
