// Package objectlie makes stores that lie: each breaks one rule of package object, the way some server, proxy or file
// system does, and keeps the others.
//
// Words: a lie is a named case with the rule that it breaks. What a lying store tells, it believes: an ETag that it
// showed is accepted as If-Match.
//
// What it promises: everything but the lie is the store behind it. What it does not know: how the lie is found.
package objectlie

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync/atomic"

	"sluice/internal/object"
)

// Case is a store that lies, or, with an empty Rule, one that looks odd and is honest.
type Case struct {
	Name string
	Rule string // what a refusal has to say
	set  func(*Store)
}

// On returns the store with this case's lie.
func (c Case) On(store object.Store) *Store {
	s := &Store{Store: store, tell: func(_ view, i object.Info) string { return i.ETag }}
	c.set(s)
	return s
}

// view is the answer that an ETag is in.
type view string

const (
	putView   view = "PUT"
	partsView view = "CompleteMultipartUpload"
	headView  view = "HEAD"
	getView   view = "GET"
	listView  view = "LIST"
)

// Store is a store with a lie.
type Store struct {
	object.Store

	heedPut, heedParts func(object.Condition) object.Condition // what of a condition is looked at
	heedGet            func(object.GetInput) object.GetInput
	makesMissing       bool // If-Match on a missing key creates it
	tell               func(view, object.Info) string
	accepts            func(etag string) string // what an ETag in a condition is taken for, when not nil
	foldsCase          bool
	count              atomic.Int64
}

func (s *Store) fold(key string) string {
	if s.foldsCase {
		return strings.ToLower(key)
	}
	return key
}

// believed puts the ETag that is there in the place of one that was told of it.
func (s *Store) believed(ctx context.Context, key, ifMatch string) string {
	if ifMatch == "" {
		return ""
	}
	if s.accepts != nil {
		return s.accepts(ifMatch)
	}
	info, err := s.Store.Head(ctx, key)
	for _, v := range []view{putView, partsView, headView, getView, listView} {
		if err == nil && s.tell(v, info) == ifMatch {
			return info.ETag
		}
	}
	return ifMatch
}

func (s *Store) condition(ctx context.Context, key string, c object.Condition, heed func(object.Condition) object.Condition) object.Condition {
	if heed != nil {
		c = heed(c)
	}
	c.IfMatch = s.believed(ctx, key, c.IfMatch)
	if _, err := s.Store.Head(ctx, key); s.makesMissing && errors.Is(err, object.ErrNotFound) {
		c.IfMatch = ""
	}
	return c
}

// Head passes on.
func (s *Store) Head(ctx context.Context, key string) (object.Info, error) {
	info, err := s.Store.Head(ctx, s.fold(key))
	info.Key, info.ETag = key, s.told(headView, info, err)
	return info, err
}

func (s *Store) told(v view, info object.Info, err error) string {
	if err != nil {
		return ""
	}
	return s.tell(v, info)
}

// Get passes on.
func (s *Store) Get(ctx context.Context, key string, in object.GetInput) (io.ReadCloser, object.Info, error) {
	if s.heedGet != nil {
		in = s.heedGet(in)
	}
	in.IfMatch = s.believed(ctx, s.fold(key), in.IfMatch)
	body, info, err := s.Store.Get(ctx, s.fold(key), in)
	info.Key, info.ETag = key, s.told(getView, info, err)
	return body, info, err
}

// List passes on.
func (s *Store) List(ctx context.Context, in object.ListInput) iter.Seq2[object.Entry, error] {
	in.Prefix, in.StartAfter = s.fold(in.Prefix), s.fold(in.StartAfter)
	return func(yield func(object.Entry, error) bool) {
		for e, err := range s.Store.List(ctx, in) {
			if !e.Prefix {
				e.ETag = s.told(listView, e.Info, err)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// Put passes on.
func (s *Store) Put(ctx context.Context, key string, body []byte, in object.PutInput) (object.Info, error) {
	in.Condition = s.condition(ctx, s.fold(key), in.Condition, s.heedPut)
	info, err := s.Store.Put(ctx, s.fold(key), body, in)
	info.Key, info.ETag = key, s.told(putView, info, err)
	return info, err
}

// Create passes on. The condition is looked at when the upload begins as well as at its end, which only a test of
// lies can bear.
func (s *Store) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	heed, v := s.heedPut, putView
	if in.AsParts {
		heed, v = s.heedParts, partsView
	}
	in.Condition = s.condition(ctx, s.fold(key), in.Condition, heed)
	return &upload{s.Store.Create(ctx, s.fold(key), in), s, v}
}

type upload struct {
	object.Upload
	store *Store
	view  view
}

func (u *upload) Close(ctx context.Context) (object.Info, error) {
	info, err := u.Upload.Close(ctx)
	info.ETag = u.store.told(u.view, info, err)
	return info, err
}

// Lies returns the lies that Probe has to find.
func Lies() []Case {
	noneMatch := func(c object.Condition) object.Condition { c.IfNoneMatch = false; return c }
	match := func(c object.Condition) object.Condition { c.IfMatch = ""; return c }
	return []Case{
		{"ignores If-None-Match", "If-None-Match: * on an existing key is ignored", func(s *Store) { s.heedPut = noneMatch }},
		{"ignores If-Match", "If-Match with a wrong ETag is ignored", func(s *Store) { s.heedPut = match }},
		{"ignores If-None-Match of parts", "If-None-Match: * on an existing key is ignored", func(s *Store) { s.heedParts = noneMatch }},
		{"ignores If-Match of parts", "If-Match with a wrong ETag is ignored", func(s *Store) { s.heedParts = match }},
		{"creates what If-Match misses", "If-Match on a missing key is ignored", func(s *Store) { s.makesMissing = true }},
		{"ignores If-Match of GET", "If-Match of GET with a wrong ETag is ignored", func(s *Store) {
			s.heedGet = func(in object.GetInput) object.GetInput { in.IfMatch = ""; return in }
		}},
		{"weak ETags", "weak", tells(func(i object.Info) string { return "W/" + i.ETag })},
		{"weak ETags in listings", "weak", tells(func(i object.Info) string { return "W/" + i.ETag }, listView)},
		{"no ETags", "empty", tells(func(object.Info) string { return `""` })},
		{"one ETag for all contents", "does not change with the content", tells(func(i object.Info) string { return fmt.Sprintf(`"%x"`, i.Key) })},
		{"the size as ETag", "does not change with the content", tells(func(i object.Info) string { return fmt.Sprintf(`"%d"`, i.Size) })},
		{"another ETag every time", "the ETag changes without the content", func(s *Store) { s.tell = s.counted() }},
		{"another ETag every time, all of them accepted", "the ETag changes without the content", func(s *Store) {
			s.tell = s.counted()
			s.accepts = func(etag string) string {
				before, _, _ := strings.Cut(etag, "#")
				return strings.TrimSuffix(before, `"`) + `"`
			}
		}},
		{"another ETag in the answer to PUT", "the write answers with the ETag", tells(other, putView)},
		{"another ETag in the answer to parts", "the write answers with the ETag", tells(other, partsView)},
		{"another ETag in listings", "LIST shows", tells(other, listView)},
		{"another ETag of GET", "GET shows", tells(other, getView)},
		{"folds case", "keys that differ only by case are one object", func(s *Store) { s.foldsCase = true }},
	}
}

// Honest returns stores that look odd and keep every rule.
func Honest() []Case {
	return []Case{
		{"ETags of parts end in their number", "", tells(func(i object.Info) string { return strings.TrimSuffix(i.ETag, `"`) + `-17"` })},
		{"ETags that are no digest", "", tells(func(i object.Info) string { return `"v:` + strings.Trim(i.ETag, `"`) + `=/+"` })},
	}
}

// counted tells an ETag that nobody was told before.
func (s *Store) counted() func(view, object.Info) string {
	return func(_ view, i object.Info) string {
		return fmt.Sprintf(`"%s#%d"`, strings.Trim(i.ETag, `"`), s.count.Add(1))
	}
}

func other(i object.Info) string { return `"other-` + strings.Trim(i.ETag, `"`) + `"` }

// tells is a lie about ETags: in the views given, in all when none is.
func tells(etag func(object.Info) string, views ...view) func(*Store) {
	return func(s *Store) {
		s.tell = func(v view, i object.Info) string {
			for _, in := range views {
				if v == in {
					return etag(i)
				}
			}
			if len(views) == 0 {
				return etag(i)
			}
			return i.ETag
		}
	}
}
