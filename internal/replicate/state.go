package replicate

import (
	"context"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"sluice/internal/lake"
	"sluice/internal/object"
	"sluice/internal/parquetedit"
	"sluice/statestore"
)

// state is a table's lake as a plan finds it.
type state struct {
	files  []*lake.File
	schema lake.Schema // as the index has it, or as the files have it
	known  bool        // the schema stems from an index: partition types are known
}

// live returns the files with rows.
func (s *state) live() []*lake.File {
	return slices.DeleteFunc(slices.Clone(s.files), func(f *lake.File) bool { return !f.Live() })
}

// rows counts the rows of the lake.
func (s *state) rows() int64 {
	var n int64
	for _, f := range s.files {
		n += f.Rows
	}
	return n
}

// isLakeFile says whether an object in a table's folder is one of its files,
// as Athena, Spark and Hive see it: no element of its name begins with "_" or ".".
func isLakeFile(name string, size int64) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, "_") || strings.HasPrefix(part, ".") {
			return false
		}
	}
	ext := strings.ToLower(path.Ext(name))
	return size > 0 && (ext == ".parquet" || ext == ".parq" || ext == "")
}

// listLake lists the lake files of the table.
func (r *run) listLake(ctx context.Context) ([]object.Info, error) {
	var infos []object.Info
	for entry, err := range r.lake.List(ctx, object.ListInput{Prefix: r.t.lake}) {
		if err != nil {
			return nil, err
		}
		if isLakeFile(entry.Key[len(r.t.lake):], entry.Size) {
			infos = append(infos, entry.Info)
		}
	}
	return infos, nil
}

// readState lists the lake and takes what the index knows of each file; files
// that the index does not know, or not as they are now, are opened. What the index or the
// caller knows of is missed when the listing lacks it.
func (r *run) readState(ctx context.Context, known ...string) (*state, error) {
	x := index{Schema: lake.Schema{Columns: r.e.origin.columns()}}
	if key := r.t.item[statestore.Index]; key != "" {
		if err := readJSON(ctx, r.lake, key, &x); err != nil {
			return nil, err
		}
	}
	infos, err := r.wholeLake(ctx, append(x.live(r.t), known...))
	if err != nil {
		return nil, err
	}
	s := &state{known: len(x.Schema.Columns) > 0, schema: x.Schema.Clone()}
	cached := map[string]indexFile{}
	for _, f := range x.Files {
		cached[r.t.lake+f.Key] = f
	}
	sameKey := slices.Equal(x.Schema.Key, r.t.key)
	var unknown []*lake.File
	for _, info := range infos {
		f := r.lakeFile(info)
		s.files = append(s.files, f)
		entry, ok := cached[info.Key]
		if !ok || entry.ETag != info.ETag || !x.has(entry.Layout) {
			unknown = append(unknown, f)
			continue
		}
		f.Rows, f.Columns = entry.Rows, x.Layouts[entry.Layout]
		if sameKey {
			f.Min, f.Max = entry.Min, entry.Max
		}
	}
	return s, r.learn(ctx, s, unknown)
}

func (r *run) lakeFile(info object.Info) *lake.File {
	dir, _ := path.Split(info.Key[len(r.t.lake):])
	return &lake.File{Key: info.Key, Dir: dir, ETag: info.ETag, Size: info.Size}
}

// learn opens the files that the index does not know and adds their columns to the schema.
func (r *run) learn(ctx context.Context, s *state, unknown []*lake.File) error {
	var mu sync.Mutex
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(cap(r.e.ops) * 4)
	for _, f := range unknown {
		group.Go(func() error {
			open, err := r.openLake(gctx, f)
			if err != nil {
				return lakeFault(f.Key, err)
			}
			mu.Lock()
			defer mu.Unlock()
			f.Observe(open, &lake.Schema{})
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	fresh := slices.ContainsFunc(unknown, (*lake.File).Live)
	for _, f := range unknown {
		if fresh && !f.Live() {
			continue // an emptied file says nothing of the table's columns
		}
		if err := s.schema.Extend(withoutOp(f.Columns), f.Key); err != nil {
			return err
		}
	}
	return nil
}

// lakeFault tells a broken lake file from a broken input.
func lakeFault(key string, err error) error {
	if code := dataFault(err); code != "" {
		return haltf("foreign", "lake file %s cannot be read: %v; put the right file back, then acknowledge; or write the table again from raw with sluice rebuild", key, err)
	}
	return err
}

func withoutOp(columns []parquetedit.Column) []parquetedit.Column {
	return slices.DeleteFunc(slices.Clone(columns), func(c parquetedit.Column) bool { return c.Name == lake.OpColumn })
}

func (r *run) openLake(ctx context.Context, f *lake.File) (*parquetedit.File, error) {
	return r.open(ctx, r.lake, object.Info{Key: f.Key, ETag: f.ETag, Size: f.Size})
}

// partitionNames returns the partition columns that the lake's directories name, outermost first.
func partitionNames(files []*lake.File) ([]string, error) {
	for _, f := range files {
		if !f.Live() {
			continue
		}
		if f.Dir == "" {
			return nil, nil
		}
		parts, err := lake.ParsePartitionDir(f.Dir)
		if err != nil {
			return nil, err
		}
		names := make([]string, len(parts))
		for i, p := range parts {
			names[i] = p.Name
		}
		return names, nil
	}
	return nil, nil
}
