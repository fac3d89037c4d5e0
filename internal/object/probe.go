package object

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
)

var (
	// ErrUnconditional is returned by Probe when the store breaks a rule that commits stand on; the text says which.
	ErrUnconditional = errors.New("store breaks a rule that commits stand on")
	// ErrFoldsCase is returned, as an ErrUnconditional, when keys that differ only by case are one object, as on most
	// file systems of macOS and Windows: two partitions, or two tables, would be one folder.
	ErrFoldsCase = fmt.Errorf("%w: keys that differ only by case are one object", ErrUnconditional)
)

// probeRounds is how often Probe looks again when another probe writes the same key, or a store seems to lie about it.
const probeRounds = 10

// Prober is what Probe needs of a store.
type Prober interface {
	Reader
	Writer
}

// Probe writes the small object prefix + "probe" and tries on it what commits rely on:
//   - If-None-Match on an existing key and a wrong If-Match are refused with ErrPrecondition, by single writes and by
//     multipart uploads; If-Match on a missing key with ErrNotFound; a wrong If-Match of a Get with ErrPrecondition.
//   - If-Match with the ETag that is there succeeds, that of a multipart upload (S3's "…-N") included.
//   - ETags are strong; another content of the same size has another one; while nobody writes it stays, and it is the
//     same in the answers of Put, Close, Head, Get and List.
//   - A key that differs by case only is another one.
//
// It returns an error wrapping ErrUnconditional when the store does otherwise, and any other error when it could not
// find out. Nothing is deleted. It may run again on the same key, also at the same time.
//
// It cannot find out whether a directory keeps its locks and renames on a power loss or between machines, whether the
// source's ETag holds in CopyFrom, and whether a store that heeds its rules today does so under load.
func Probe(ctx context.Context, store Prober, prefix string) error {
	p := probe{store: store, prefix: prefix, key: prefix + "probe"}
	if err := p.run(ctx); err != nil {
		return fmt.Errorf("probe %s: %w", p.key, err)
	}
	return nil
}

type probe struct {
	store       Prober
	prefix, key string
}

// probeWrite writes a content that was never there before, always of the same size.
type probeWrite func(ctx context.Context, key string, body []byte, c Condition) (Info, error)

func (p probe) run(ctx context.Context) error {
	_, err := p.put(ctx, p.key, []byte(rand.Text()), Condition{IfNoneMatch: true})
	if err != nil && !errors.Is(err, ErrPrecondition) {
		return err
	}
	if err := p.refusals(ctx); err != nil {
		return err
	}
	if err := p.twin(ctx); err != nil {
		return err
	}
	for _, write := range []probeWrite{p.putParts, p.put} { // the second replaces what has the ETag of an upload in parts
		if err := p.replaced(ctx, write); err != nil {
			return err
		}
	}
	return nil
}

// wrongETag is the MD5 of nothing that anybody writes.
const wrongETag = `"00000000000000000000000000000001"`

// refusals tries the conditions that cannot hold.
func (p probe) refusals(ctx context.Context) error {
	for _, write := range []probeWrite{p.put, p.putParts} {
		_, err := write(ctx, p.key, []byte(rand.Text()), Condition{IfNoneMatch: true})
		if err := expect(err, ErrPrecondition, "If-None-Match: * on an existing key"); err != nil {
			return err
		}
		_, err = write(ctx, p.key, []byte(rand.Text()), Condition{IfMatch: wrongETag})
		if err := expect(err, ErrPrecondition, "If-Match with a wrong ETag"); err != nil {
			return err
		}
	}
	_, err := p.put(ctx, p.key+"-"+rand.Text(), []byte(rand.Text()), Condition{IfMatch: wrongETag})
	if err := expect(err, ErrNotFound, "If-Match on a missing key"); err != nil {
		return err
	}
	body, _, err := p.store.Get(ctx, p.key, GetInput{IfMatch: wrongETag})
	if err == nil {
		_ = body.Close() // nothing was read from it
	}
	return expect(err, ErrPrecondition, "If-Match of GET with a wrong ETag")
}

// twin asks for the key in capitals, which nobody writes.
func (p probe) twin(ctx context.Context) error {
	twin := p.prefix + "PROBE"
	_, err := p.store.Head(ctx, twin)
	switch {
	case err == nil:
		return fmt.Errorf("%w: there is %s, too", ErrFoldsCase, twin)
	case errors.Is(err, ErrNotFound):
		return nil
	}
	return err
}

// replaced writes another content of the same size with the right If-Match, and looks at the ETags. What another probe
// has spoilt is tried again; a store that lies does so every time.
func (p probe) replaced(ctx context.Context, write probeWrite) error {
	var lie error
	for range probeRounds {
		content, _, err := p.read(ctx)
		if err != nil {
			return err
		}
		before, err := p.store.Head(ctx, p.key)
		if err != nil {
			return err
		}
		if err := strong("HEAD", before.ETag); err != nil {
			return err
		}
		body := []byte(rand.Text())
		after, err := p.written(ctx, body, func() (Info, error) {
			return write(ctx, p.key, body, Condition{IfMatch: before.ETag})
		})
		switch {
		case errors.Is(err, ErrPrecondition):
			if err := p.blame(ctx, before, content); errors.Is(err, ErrUnconditional) {
				lie = err
			} else if err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		case after.ETag == before.ETag:
			lie = fmt.Errorf("%w: the ETag %s does not change with the content", ErrUnconditional, after.ETag)
			continue
		}
		mine, err := p.agree(ctx, after, body)
		if mine && err == nil {
			return nil
		}
		if err != nil && !errors.Is(err, ErrUnconditional) {
			return err
		}
		lie = err
	}
	if lie == nil {
		return fmt.Errorf("others wrote the object all the time, %d times in a row", probeRounds)
	}
	return lie
}

// blame says what it means that a write with the ETag of HEAD is refused: nothing, when another probe wrote meanwhile.
func (p probe) blame(ctx context.Context, before Info, content []byte) error {
	after, err := p.store.Head(ctx, p.key)
	if err != nil {
		return err
	}
	now, _, err := p.read(ctx)
	switch {
	case err != nil || string(now) != string(content):
		return err
	case after.ETag != before.ETag:
		return fmt.Errorf("%w: the ETag changes without the content: HEAD shows %s, then %s", ErrUnconditional, before.ETag, after.ETag)
	}
	return fmt.Errorf("%w: If-Match with the ETag of HEAD, %s, is refused", ErrUnconditional, before.ETag)
}

// written writes, and looks again when that is refused: a write whose answer was lost meets itself when it is repeated.
func (p probe) written(ctx context.Context, body []byte, write func() (Info, error)) (Info, error) {
	info, err := write()
	if !errors.Is(err, ErrPrecondition) && !errors.Is(err, ErrNotFound) {
		return info, err
	}
	content, there, readErr := p.read(ctx)
	if readErr == nil && string(content) == string(body) {
		return there, nil
	}
	return info, err
}

// agree compares the ETags that the store shows of what was just written. mine is false when another probe wrote then.
func (p probe) agree(ctx context.Context, written Info, body []byte) (mine bool, err error) {
	head, err := p.store.Head(ctx, p.key)
	if err != nil {
		return false, err
	}
	listed, err := p.listed(ctx)
	if err != nil {
		return false, err
	}
	again, err := p.store.Head(ctx, p.key)
	if err != nil {
		return false, err
	}
	content, got, err := p.read(ctx) // last: while it is ours, so was what came before
	if err != nil || string(content) != string(body) {
		return false, err
	}
	if head.ETag != again.ETag {
		return true, fmt.Errorf("%w: the ETag changes without the content: HEAD shows %s, then %s", ErrUnconditional, head.ETag, again.ETag)
	}
	for verb, etag := range map[string]string{"HEAD": head.ETag, "GET": got.ETag, "LIST": listed.ETag} {
		if err := strong(verb, etag); err != nil {
			return true, err
		}
		if etag != written.ETag {
			return true, fmt.Errorf("%w: the write answers with the ETag %s, %s shows %s", ErrUnconditional, written.ETag, verb, etag)
		}
	}
	return true, nil
}

func (p probe) listed(ctx context.Context) (Info, error) {
	for e, err := range p.store.List(ctx, ListInput{Prefix: p.key}) {
		if err != nil {
			return Info{}, err
		}
		if e.Key == p.key {
			return e.Info, nil
		}
	}
	return Info{}, fmt.Errorf("%w: LIST does not show the object, HEAD does", ErrUnconditional)
}

func (p probe) read(ctx context.Context) ([]byte, Info, error) {
	body, info, err := p.store.Get(ctx, p.key, GetInput{})
	if err != nil {
		return nil, Info{}, err
	}
	content, err := io.ReadAll(body)
	return content, info, errors.Join(err, body.Close())
}

func strong(verb, etag string) error {
	if strings.HasPrefix(etag, "W/") || strings.Trim(etag, `"`) == "" {
		return fmt.Errorf("%w: the ETag %q that %s shows is weak or empty", ErrUnconditional, etag, verb)
	}
	return nil
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

func (p probe) put(ctx context.Context, key string, body []byte, c Condition) (Info, error) {
	return p.store.Put(ctx, key, body, PutInput{Condition: c})
}

func (p probe) putParts(ctx context.Context, key string, body []byte, c Condition) (Info, error) {
	var info Info
	var err error
	for range 2 { // an upload that is gone was completed or thrown away by a sending whose answer was lost
		u := p.store.Create(ctx, key, PutInput{Condition: c, AsParts: true})
		if _, err := u.Write(body); err != nil {
			return Info{}, errors.Join(err, u.Abort(ctx))
		}
		if info, err = u.Close(ctx); !errors.Is(err, ErrNotFound) {
			break
		}
	}
	return info, err
}
