package replicate_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"sluice/internal/object"
	"sluice/scripts/dmsgen"
)

// rows are what a reader sees: texts of rows by the text of their key columns.
func (b *bench) rows() map[string][]string {
	seen := map[string][]string{}
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "product/"}) {
		b.must(err)
		file := b.decode(entry.Info)
		if file == nil {
			seen["what cannot be read"] = []string{entry.Key}
			continue
		}
		for _, row := range file.Rows {
			key, text := b.text(func(column string) any {
				if at := file.Column(column); at >= 0 {
					return row[at]
				}
				if _, v, ok := strings.Cut("/"+entry.Key, "/"+column+"="); ok {
					v, _, _ = strings.Cut(v, "/")
					return v
				}
				return nil
			})
			seen[key] = append(seen[key], text)
		}
	}
	return seen
}

func (b *bench) text(cell func(column string) any) (key, row string) {
	var keys, cells []string
	for _, c := range b.table.Columns {
		text, ok := cell(c.Name).(string)
		if !ok {
			text = fmt.Sprint(cell(c.Name))
		}
		text = text[:min(len(text), 20)]
		cells = append(cells, text)
		if slices.Contains(b.table.Key, c.Name) || len(b.table.Key) == 0 {
			keys = append(keys, text)
		}
	}
	return strings.Join(keys, "|"), strings.Join(cells, "|")
}

func (b *bench) wanted() map[string][]string {
	want := map[string][]string{}
	for _, row := range b.oracle.Rows() {
		key, text := b.text(func(column string) any {
			if at := b.table.Index(column); at < len(row) {
				return row[at]
			}
			return nil
		})
		want[key] = append(want[key], text)
	}
	return want
}

// decodings are lake files as they were read, by ETag.
type decodings struct {
	mu    sync.Mutex
	files map[string]*dmsgen.Rows
}

func (d *decodings) clone() *decodings {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &decodings{files: maps.Clone(d.files)}
}

// decode reads a lake file; the same content is read once. It is nil for the one that was broken and still is.
func (b *bench) decode(info object.Info) *dmsgen.Rows {
	b.decoded.mu.Lock()
	defer b.decoded.mu.Unlock()
	if file := b.decoded.files[info.ETag]; file != nil {
		return file
	}
	body, _ := readObject(b.t, b.lake, info.Key)
	file, err := dmsgen.Read(body)
	if err != nil && info.Key == b.broken {
		return nil
	}
	if err != nil {
		b.t.Fatalf("%s: %v", info.Key, err)
	}
	b.decoded.files[info.ETag] = file
	return file
}

// torn says what a reader misses now: no key that was there before and is there
// after may be missing, and each of its rows is the old or the new one.
func (b *bench) torn() error {
	got := b.rows()
	for key, texts := range b.always {
		switch {
		case len(got[key]) == 0:
			return fmt.Errorf("key %s is missing", key)
		case len(got[key]) > 1 && !b.doubles && len(b.table.Key) > 0:
			return fmt.Errorf("key %s is there %d times", key, len(got[key]))
		}
		for _, row := range got[key] {
			if !slices.Contains(texts, row) {
				return fmt.Errorf("key %s: %s is none of %v", key, row, texts)
			}
		}
	}
	return nil
}

// watched is a lake whose reader looks after every write of a lake file.
type watched struct {
	object.Store
	look func()
	mu   *sync.Mutex
}

func (w watched) Put(ctx context.Context, key string, body []byte, in object.PutInput) (object.Info, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	info, err := w.Store.Put(ctx, key, body, in)
	w.saw(key)
	return info, err
}

func (w watched) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	return &watchedUpload{Upload: w.Store.Create(context.WithoutCancel(ctx), key, in), key: key, store: w}
}

func (w watched) saw(key string) {
	if strings.HasPrefix(key, "product/") {
		w.look()
	}
}

type watchedUpload struct {
	object.Upload
	key   string
	store watched
}

func (u *watchedUpload) Close(ctx context.Context) (object.Info, error) {
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	info, err := u.Upload.Close(ctx)
	u.store.saw(u.key)
	return info, err
}
