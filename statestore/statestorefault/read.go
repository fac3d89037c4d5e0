package statestorefault

import (
	"context"
	"iter"

	"sluice/statestore"
)

// Read implements statestore.Items.
func (b *Backend) Read(ctx context.Context, path string) (statestore.Item, error) {
	if b.gone() {
		return nil, ErrInjected
	}
	return b.Backend.Read(ctx, path)
}

// List implements statestore.Items.
func (b *Backend) List(ctx context.Context) iter.Seq2[statestore.Item, error] {
	if b.gone() {
		return func(yield func(statestore.Item, error) bool) { yield(nil, ErrInjected) }
	}
	return b.Backend.List(ctx)
}

// gone reports whether the effect that the table died of lies behind.
func (b *Backend) gone() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dead(b.effects + 1)
}
