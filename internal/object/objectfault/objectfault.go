// Package objectfault breaks a store in one place, for tests that ask what a crash leaves behind.
//
// Words: an effect is what changes what others see: Put, Close of an upload, Delete. Effects are counted from 1 in the
// order in which they begin. A fault says which effect goes wrong, and how.
//
// What it promises: every effect but the faulty one reaches the store as it is. What it does not know: which effects
// matter; a test counts them in a run without a fault and then tries each.
package objectfault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"sluice/internal/object"
)

// ErrInjected is returned by the effect that was chosen to fail, and by all that follow when the fault is a crash.
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

// Store passes everything on to another store but for its fault. It is safe for concurrent use where the other is.
type Store struct {
	store object.Store
	fault Fault

	mu      sync.Mutex
	effects int
	dead    bool
	killed  func() bool
	waiting func(context.Context) error
}

var _ object.Store = (*Store)(nil)

// New returns store with a fault.
func New(store object.Store, fault Fault) *Store {
	return &Store{store: store, fault: fault}
}

// Effects returns how many effects began.
func (s *Store) Effects() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.effects
}

// Fired tells whether the faulty effect was reached.
func (s *Store) Fired() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault.At > 0 && s.effects >= s.fault.At
}

// Dead tells whether the process that uses the store has ended by its fault.
func (s *Store) Dead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

// DieWith lets the store be out of reach, too, when the process has ended by the fault of something else that it uses.
// Call it before the store is used.
func (s *Store) DieWith(dead func() bool) { s.killed = dead }

// Arrive lets the request that waits arrive, a delayed one or the second of two, and returns the store's answer to
// it: nil when there is none waiting.
func (s *Store) Arrive(ctx context.Context) error {
	s.mu.Lock()
	effect := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	if effect == nil {
		return nil
	}
	return effect(ctx)
}

// next counts an effect and says what is to become of it: 0 for nothing special.
func (s *Store) next() (How, error) {
	if err := s.alive(); err != nil {
		return Before, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.effects++
	if s.effects != s.fault.At {
		return 0, nil
	}
	s.dead = s.fault.Crash
	return s.fault.How, fmt.Errorf("%w: effect %d", ErrInjected, s.effects)
}

func (s *Store) gone() bool { return s.Dead() || s.killed != nil && s.killed() }

func (s *Store) alive() error {
	if s.gone() {
		return fmt.Errorf("%w: the process is dead", ErrInjected)
	}
	return nil
}

// sendsTwice reports whether the fault is one of a request that arrives twice.
func (f Fault) sendsTwice() bool { return f.How == Twice || f.How == Resent }

// effect counts and performs do, or does to it what the fault says; again is the same request once more.
func (s *Store) effect(ctx context.Context, do, again func(context.Context) error) (how How, err error) {
	how, fault := s.next()
	switch how {
	case Before:
		return how, fault
	case After:
		_ = do(ctx) // the answer that is lost, whatever it was
		return how, fault
	case Delayed:
		s.wait(do)
		return how, fault
	case Twice:
		err = do(ctx)
		s.wait(again)
	case Resent:
		_ = do(ctx)
		err = again(ctx)
	default:
		return how, do(ctx)
	}
	if s.fault.Crash {
		return how, fault
	}
	return how, err
}

func (s *Store) wait(effect func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = effect
}

// List passes on.
func (s *Store) List(ctx context.Context, in object.ListInput) iter.Seq2[object.Entry, error] {
	if err := s.alive(); err != nil {
		return func(yield func(object.Entry, error) bool) { yield(object.Entry{}, err) }
	}
	return s.store.List(ctx, in)
}

// Head passes on.
func (s *Store) Head(ctx context.Context, key string) (object.Info, error) {
	if err := s.alive(); err != nil {
		return object.Info{}, err
	}
	return s.store.Head(ctx, key)
}

// Get passes on.
func (s *Store) Get(ctx context.Context, key string, in object.GetInput) (io.ReadCloser, object.Info, error) {
	if err := s.alive(); err != nil {
		return nil, object.Info{}, err
	}
	return s.store.Get(ctx, key, in)
}

// Put is an effect.
func (s *Store) Put(ctx context.Context, key string, body []byte, in object.PutInput) (info object.Info, err error) {
	body = append([]byte(nil), body...) // a delayed effect outlives the call
	put := func(ctx context.Context) (err error) {
		info, err = s.store.Put(ctx, key, body, in)
		return err
	}
	if _, err = s.effect(ctx, put, put); err != nil {
		return object.Info{}, err
	}
	return info, nil
}

// Delete is an effect.
func (s *Store) Delete(ctx context.Context, key, ifMatch string) error {
	remove := func(ctx context.Context) error { return s.store.Delete(ctx, key, ifMatch) }
	_, err := s.effect(ctx, remove, remove)
	return err
}

// Create passes on; the effect is Close.
func (s *Store) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	if s.fault.How == Delayed {
		ctx = context.WithoutCancel(ctx) // a delayed effect outlives its caller
	}
	return &upload{Upload: s.store.Create(ctx, key, in), store: s, key: key, in: in}
}

// upload keeps its body when its request may have to be sent again.
type upload struct {
	object.Upload
	store   *Store
	key     string
	in      object.PutInput
	body    []byte
	delayed bool
}

func (u *upload) Write(p []byte) (int, error) {
	if u.store.fault.sendsTwice() {
		u.body = append(u.body, p...)
	}
	return u.Upload.Write(p)
}

func (u *upload) CopyFrom(ctx context.Context, in object.CopyInput) error {
	if err := u.store.alive(); err != nil {
		return err
	}
	if err := u.Upload.CopyFrom(ctx, in); err != nil || in.Length == 0 || !u.store.fault.sendsTwice() {
		return err
	}
	body, _, err := u.store.store.Get(ctx, in.Key, object.GetInput{Offset: in.Offset, Length: in.Length, IfMatch: in.ETag})
	if err != nil {
		return err
	}
	copied, err := io.ReadAll(body)
	u.body = append(u.body, copied...)
	return errors.Join(err, body.Close())
}

func (u *upload) Close(ctx context.Context) (info object.Info, err error) {
	send := func(ctx context.Context) (err error) {
		info, err = u.Upload.Close(ctx)
		return err
	}
	again := func(ctx context.Context) (err error) {
		info, err = u.store.store.Put(ctx, u.key, u.body, u.in)
		return err
	}
	how, err := u.store.effect(ctx, send, again)
	if err != nil {
		u.delayed = how == Delayed
		return object.Info{}, err
	}
	return info, nil
}

// Abort passes on, except when Close was delayed or the process is dead: there is nobody left to send it.
func (u *upload) Abort(ctx context.Context) error {
	if u.delayed || u.store.gone() {
		return nil
	}
	return u.Upload.Abort(ctx)
}
