package replicate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"sluice/internal/lake"
	"sluice/internal/object"
	"sluice/internal/parquetedit"
)

// Bookkeeping objects are immutable: they are written once, under names that
// hold the commit's id, and read by the names that the control item holds.

// ledger is what is known of the inputs: those consumed within the horizon,
// and the full load that the lake was made from.
type ledger struct {
	Inputs    []ledgerInput `json:"inputs"`
	Load      []loadObject  `json:"load"`
	LoadStart time.Time     `json:"load_start,omitzero"` // change files older than this are superseded; zero = unknown
	Emptied   string        `json:"emptied,omitempty"`   // watermark when the operator had the lake emptied: no input up to it counts, the load neither
	Gone      []string      `json:"gone,omitempty"`      // inputs whose rows are in the lake and that raw no longer has
	Made      *tally        `json:"made,omitempty"`      // every input that the lake's rows come from; absent = unknown
	Columns   []lake.Column `json:"columns,omitempty"`   // that the last of them with rows brought; absent = unknown
}

// ledgerInput is a change file that was consumed.
type ledgerInput struct {
	Key      string    `json:"key"`
	ETag     string    `json:"etag"`
	Modified time.Time `json:"modified"`
	Held     string    `json:"held,omitempty"` // quarantine file that holds rows of it
	Out      bool      `json:"out,omitempty"`  // its changes are not in the lake: superseded, left out, or emptied with the table
}

// loadObject is a LOAD object of the generation in the lake.
type loadObject struct {
	Key      string    `json:"key"`
	ETag     string    `json:"etag"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Digest   string    `json:"digest,omitempty"` // of its content; absent for an adopted load
	Held     string    `json:"held,omitempty"`   // quarantine file that holds rows of it
}

// index is the live lake files after a commit: a cache, of which an entry
// counts only while its ETag is the listing's.
type index struct {
	Schema  lake.Schema            `json:"schema"`
	Layouts [][]parquetedit.Column `json:"layouts"` // columns of files
	Files   []indexFile            `json:"files"`
}

type indexFile struct {
	Key    string `json:"key"` // below the table's folder
	ETag   string `json:"etag"`
	Size   int64  `json:"size"`
	Rows   int64  `json:"rows"`
	Layout int    `json:"layout"`
	Min    []byte `json:"min,omitempty"`
	Max    []byte `json:"max,omitempty"`
}

// has says whether the index has such a layout.
func (x *index) has(layout int) bool { return layout >= 0 && layout < len(x.Layouts) }

// readJSON reads a bookkeeping object that has to be there.
func readJSON(ctx context.Context, store Objects, key string, into any) error {
	err := findJSON(ctx, store, key, into)
	if errors.Is(err, object.ErrNotFound) {
		return haltf("bookkeeping", "%s is gone; restore the object", key)
	}
	return err
}

// findJSON reads a bookkeeping object, or returns an error wrapping object.ErrNotFound.
func findJSON(ctx context.Context, store Objects, key string, into any) error {
	body, _, err := store.Get(ctx, key, object.GetInput{})
	if err != nil {
		return fmt.Errorf("read bookkeeping %s: %w", key, err)
	}
	defer func() { _ = body.Close() }()
	data, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("read bookkeeping %s: %w", key, err)
	}
	err = json.Unmarshal(data, into)
	if text := string(bytes.TrimSpace(data)); err == nil && (text == "null" || text == "{}") {
		err = errors.New("it says nothing") // no object of ours does
	}
	if err != nil {
		return haltf("bookkeeping", "%s is not what sluice wrote: %v; restore the object, or import a control item without it", key, err)
	}
	return nil
}

// writeJSON writes a bookkeeping object. That it is there already is success:
// its name says whose it is.
func writeJSON(ctx context.Context, store Objects, key string, what any) error {
	data, err := json.Marshal(what)
	if err != nil {
		return err
	}
	_, err = store.Put(ctx, key, data, object.PutInput{Condition: object.Condition{IfNoneMatch: true}})
	if err != nil && !errors.Is(err, object.ErrPrecondition) {
		return fmt.Errorf("write bookkeeping %s: %w", key, err)
	}
	return nil
}

// owner is what owner.json holds: the table that a lake folder belongs to.
type owner struct {
	Path string `json:"path"`
}

// own makes the lake folder the table's, or returns a halt when it is another's. Nobody owned the folder before: then
// the store is tried first, because from here on everything relies on its conditions.
func (r *run) own(ctx context.Context) error {
	err := r.t.owned(ctx, r.lake)
	if !errors.Is(err, object.ErrNotFound) {
		return err
	}
	if err := r.e.probe(ctx, r.t.outBucket, r.t.books); err != nil {
		return err
	}
	mine, err := json.Marshal(owner{Path: r.t.path})
	if err != nil {
		return err
	}
	_, err = r.lake.Put(ctx, r.t.ownerKey(), mine, object.PutInput{Condition: object.Condition{IfNoneMatch: true}})
	if err == nil || !errors.Is(err, object.ErrPrecondition) {
		return err
	}
	return r.t.owned(ctx, r.lake) // somebody was faster, perhaps our own first sending
}

func (t *table) ownerKey() string { return t.book + "owner.json" }

// owned returns nil when the lake folder is the table's, a halt when it is another's, and an error wrapping
// object.ErrNotFound when it is nobody's.
func (t *table) owned(ctx context.Context, store Objects) error {
	var there owner
	if err := findJSON(ctx, store, t.ownerKey(), &there); err != nil {
		return err
	}
	if there.Path != t.path {
		return haltf("location", "lake folder %s/%s belongs to %s; give this table another out_path with sluice activate --out-path",
			t.outBucket, t.lake, there.Path)
	}
	return nil
}

// indexOf makes the index of the files.
func indexOf(t *table, s lake.Schema, files []*lake.File) *index {
	x := &index{Schema: s}
	known := map[string]int{}
	for _, f := range files {
		if f.Columns == nil {
			continue
		}
		layout, err := json.Marshal(f.Columns)
		if err != nil {
			continue
		}
		n, ok := known[string(layout)]
		if !ok {
			n = len(x.Layouts)
			known[string(layout)] = n
			x.Layouts = append(x.Layouts, f.Columns)
		}
		x.Files = append(x.Files, indexFile{
			Key: f.Key[len(t.lake):], ETag: f.ETag, Size: f.Size, Rows: f.Rows, Layout: n,
			Min: bytes.Clone(f.Min), Max: bytes.Clone(f.Max),
		})
	}
	return x
}
