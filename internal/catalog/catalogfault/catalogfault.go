// Package catalogfault breaks a catalog in one place, for tests that ask what a crash leaves behind.
//
// Words: an effect is a call that writes: PutTable, AddPartitions, SetPartitions. Effects are counted from 1 in the
// order in which they begin. A fault says which effect goes wrong, and how.
//
// What it promises: every effect but the faulty one reaches the catalog as it is. What it does not know: which effects
// matter; a test counts them in a run without a fault and then tries each.
package catalogfault

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"sluice/internal/catalog"
)

// ErrInjected is returned by the effect that was chosen to fail, and by everything after the death of its process.
var ErrInjected = errors.New("injected fault")

// How says what becomes of the faulty effect.
type How int

const (
	// Before says that the effect does not take place.
	Before How = iota + 1
	// After says that the effect takes place and its answer is lost.
	After
	// Delayed says that the effect takes place when Arrive is called, like a request that was under way when its sender died.
	Delayed
	// Twice says that the effect takes place and is answered, and that the same request arrives once more when Arrive
	// is called, like one that the network kept a copy of.
	Twice
	// Resent says that the client sends the request again because the first answer was lost: the effect takes place,
	// the request arrives once more at once, and the second answer is the one that is heard.
	Resent
)

// Fault chooses the effect. At 0 is none. With Crash the answer is lost, and every later effect and read fails, too, as
// if the process had ended.
type Fault struct {
	At    int
	How   How
	Crash bool
}

// Backend is a catalog with a fault. It is safe for concurrent use where the other is.
type Backend struct {
	catalog.Backend

	fault Fault

	mu      sync.Mutex
	effects int
	dead    bool
	killed  func() bool
	waiting func(context.Context) error
}

// New returns b with a fault.
func New(b catalog.Backend, fault Fault) *Backend { return &Backend{Backend: b, fault: fault} }

// Effects returns how many effects began.
func (b *Backend) Effects() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.effects
}

// Fired tells whether the faulty effect was reached.
func (b *Backend) Fired() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fault.At > 0 && b.effects >= b.fault.At
}

// Dead tells whether the process that uses the catalog has ended by its fault.
func (b *Backend) Dead() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dead
}

// DieWith lets the catalog be out of reach, too, when the process has ended by the fault of something else that it
// uses. Call it before the catalog is used.
func (b *Backend) DieWith(dead func() bool) { b.killed = dead }

// Arrive lets the request that waits arrive, a delayed one or the second of two, and returns the catalog's answer to
// it: nil when there is none waiting.
func (b *Backend) Arrive(ctx context.Context) error {
	b.mu.Lock()
	effect := b.waiting
	b.waiting = nil
	b.mu.Unlock()
	if effect == nil {
		return nil
	}
	return effect(ctx)
}

// next counts an effect and says what is to become of it: 0 for nothing special.
func (b *Backend) next() (How, error) {
	if err := b.alive(); err != nil {
		return Before, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.effects++
	if b.effects != b.fault.At {
		return 0, nil
	}
	b.dead = b.fault.Crash
	return b.fault.How, fmt.Errorf("%w: catalog effect %d", ErrInjected, b.effects)
}

func (b *Backend) alive() error {
	if b.Dead() || b.killed != nil && b.killed() {
		return fmt.Errorf("%w: the process is dead", ErrInjected)
	}
	return nil
}

// effect counts and performs do, or does to it what the fault says.
func (b *Backend) effect(ctx context.Context, do func(context.Context) error) (err error) {
	how, fault := b.next()
	switch how {
	case Before:
		return fault
	case After:
		_ = do(ctx) // the answer that is lost, whatever it was
		return fault
	case Delayed:
		b.wait(do)
		return fault
	case Twice:
		err = do(ctx)
		b.wait(do)
	case Resent:
		_ = do(ctx)
		err = do(ctx)
	default:
		return do(ctx)
	}
	if b.fault.Crash {
		return fault
	}
	return err
}

func (b *Backend) wait(effect func(context.Context) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = effect
}

// Table passes on.
func (b *Backend) Table(ctx context.Context, name string) (catalog.Registered, error) {
	if err := b.alive(); err != nil {
		return catalog.Registered{}, err
	}
	return b.Backend.Table(ctx, name)
}

// Partitions passes on.
func (b *Backend) Partitions(ctx context.Context, table string, values [][]string) ([]catalog.Partition, error) {
	if err := b.alive(); err != nil {
		return nil, err
	}
	return b.Backend.Partitions(ctx, table, values)
}

// PutTable is an effect.
func (b *Backend) PutTable(ctx context.Context, want catalog.Table, was catalog.Registered) error {
	return b.effect(ctx, func(ctx context.Context) error { return b.Backend.PutTable(ctx, want, was) })
}

// AddPartitions is an effect.
func (b *Backend) AddPartitions(ctx context.Context, table string, partitions []catalog.Partition) error {
	return b.effect(ctx, func(ctx context.Context) error { return b.Backend.AddPartitions(ctx, table, partitions) })
}

// SetPartitions is an effect.
func (b *Backend) SetPartitions(ctx context.Context, table string, partitions []catalog.Partition) error {
	return b.effect(ctx, func(ctx context.Context) error { return b.Backend.SetPartitions(ctx, table, partitions) })
}
