package statestore

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// Items is the little that a control table must be able to do with items.
type Items interface {
	// Read returns the item as of now, or ErrNotFound.
	Read(ctx context.Context, path string) (Item, error)

	// List yields every item, in no order, as of now or later. An item that holds a known attribute of another type
	// comes as its path with ErrType, and the list goes on; any other error ends it.
	List(ctx context.Context) iter.Seq2[Item, error]

	// Create writes the item if its path has none, else ErrExists.
	Create(ctx context.Context, item Item) error

	// Update returns the item after the change; ErrConflict when a condition does not hold, ErrNotFound when there is
	// no item. It never creates one.
	Update(ctx context.Context, u Update) (Item, error)
}

// Leases keep runs of one table apart. Claiming or renewing for a table without an item is ErrNotFound.
type Leases interface {
	// Claim takes the lease if it is free, run out or the owner's already, else ErrLeased. It does not wait.
	Claim(ctx context.Context, path, owner string, ttl time.Duration) error

	// Renew lets the owner's lease last ttl from now; ErrLeased when it is not the owner's any more.
	Renew(ctx context.Context, path, owner string, ttl time.Duration) error

	// Release gives the lease up. Releasing what another holds, or nobody, does nothing.
	Release(ctx context.Context, path, owner string) error
}

// Backend is a control table: DynamoDB, File, Memory, or a wrapper of one.
type Backend interface {
	Items
	Leases

	// EnsureTable makes the table if there is none and returns when it can be used.
	EnsureTable(ctx context.Context) error
}

// validate returns ErrInvalid for an item that no backend can hold.
func (i Item) validate() error {
	if i[Path] == "" {
		return fmt.Errorf("%w: item without a path", ErrInvalid)
	}
	return nil
}
