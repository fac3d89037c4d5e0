package object

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
)

// ErrUnconditional is returned by Probe when the store breaks a rule that commits stand on; the text says which.
var ErrUnconditional = errors.New("store does not hold write conditions")

// probeRounds is how often Probe looks again when another probe writes the same key.
const probeRounds = 5

// Prober is what Probe needs of a store.
type Prober interface {
	Head(ctx context.Context, key string) (Info, error)
	Put(ctx context.Context, key string, body []byte, in PutInput) (Info, error)
	Create(ctx context.Context, key string, in PutInput) Upload
}

// Probe writes the small object prefix + "probe" and tries on it what commits rely on: If-None-Match on an existing
// key and a wrong If-Match are refused with ErrPrecondition, by single writes and by multipart uploads; If-Match on a
// missing key with ErrNotFound; ETags are strong, and another content of the same size has another one. It returns an
// error wrapping ErrUnconditional when the store does otherwise, and any other error when it could not find out.
//
// Nothing is deleted. It may run again on the same key, also at the same time.
func Probe(ctx context.Context, store Prober, prefix string) error {
	p := probe{store: store, key: prefix + "probe"}
	if err := p.run(ctx); err != nil {
		return fmt.Errorf("probe %s: %w", p.key, err)
	}
	return nil
}

type probe struct {
	store Prober
	key   string
}

func (p probe) run(ctx context.Context) error {
	_, err := p.put(ctx, p.key, Condition{IfNoneMatch: true})
	if err != nil && !errors.Is(err, ErrPrecondition) {
		return err
	}
	for _, write := range []func(context.Context, string, Condition) (Info, error){p.put, p.putParts} {
		if err := p.refused(ctx, write); err != nil {
			return err
		}
	}
	_, err = p.put(ctx, p.key+"-"+rand.Text(), Condition{IfMatch: wrongETag})
	if err := expect(err, ErrNotFound, "If-Match on a missing key"); err != nil {
		return err
	}
	return p.replaced(ctx)
}

// wrongETag is the MD5 of nothing that anybody writes.
const wrongETag = `"00000000000000000000000000000001"`

// refused tries the conditions that cannot hold on the existing key.
func (p probe) refused(ctx context.Context, write func(context.Context, string, Condition) (Info, error)) error {
	_, err := write(ctx, p.key, Condition{IfNoneMatch: true})
	if err := expect(err, ErrPrecondition, "If-None-Match: * on an existing key"); err != nil {
		return err
	}
	_, err = write(ctx, p.key, Condition{IfMatch: wrongETag})
	return expect(err, ErrPrecondition, "If-Match with a wrong ETag")
}

// replaced writes another content of the same size with the right If-Match.
func (p probe) replaced(ctx context.Context) error {
	for range probeRounds {
		before, err := p.store.Head(ctx, p.key)
		if err != nil {
			return err
		}
		if strings.HasPrefix(before.ETag, "W/") || strings.Trim(before.ETag, `"`) == "" {
			return fmt.Errorf("%w: the ETag %s is weak or empty", ErrUnconditional, before.ETag)
		}
		after, err := p.put(ctx, p.key, Condition{IfMatch: before.ETag})
		switch {
		case errors.Is(err, ErrPrecondition):
			continue // another probe was faster
		case err != nil:
			return err
		case after.ETag == before.ETag:
			return fmt.Errorf("%w: the ETag does not change with the content", ErrUnconditional)
		}
		return nil
	}
	return fmt.Errorf("%w: If-Match with the ETag of HEAD is refused %d times", ErrUnconditional, probeRounds)
}

func expect(err, want error, rule string) error {
	switch {
	case errors.Is(err, want):
		return nil
	case err == nil:
		return fmt.Errorf("%w: %s is ignored", ErrUnconditional, rule)
	case errors.Is(err, ErrPrecondition) || errors.Is(err, ErrNotFound):
		return fmt.Errorf("%w: %s is answered with: %w", ErrUnconditional, rule, err)
	}
	return err
}

// put writes a content that was never there before, always of the same size.
func (p probe) put(ctx context.Context, key string, c Condition) (Info, error) {
	return p.store.Put(ctx, key, []byte(rand.Text()), PutInput{Condition: c})
}

func (p probe) putParts(ctx context.Context, key string, c Condition) (Info, error) {
	u := p.store.Create(ctx, key, PutInput{Condition: c, AsParts: true})
	if _, err := u.Write([]byte(rand.Text())); err != nil {
		return Info{}, errors.Join(err, u.Abort(ctx))
	}
	return u.Close(ctx)
}
