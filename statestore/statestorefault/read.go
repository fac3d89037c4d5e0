package statestorefault

import (
	"context"
	"iter"

	"sluice/statestore"
)

// Read implements statestore.Items.
func (b *Backend) Read(ctx context.Context, path string) (statestore.Item, error) {
	if err := b.alive(); err != nil {
		return nil, err
	}
	return b.Backend.Read(ctx, path)
}

// List implements statestore.Items.
func (b *Backend) List(ctx context.Context) iter.Seq2[statestore.Item, error] {
	if err := b.alive(); err != nil {
		return func(yield func(statestore.Item, error) bool) { yield(nil, err) }
	}
	return b.Backend.List(ctx)
}
