package replicate

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
	"sluice/statestore"
)

// foundLake is a table's lake as a rebuild finds it. Nothing of it has to be
// right: neither the index nor any file.
type foundLake struct {
	columns []parquetedit.Column // as the index has them, else as the files have them
	live    []*lake.File
	broken  []*lake.File // cannot be read
	noIndex bool         // the one that the item names cannot be read
}

func (f *foundLake) rows() int64 {
	var n int64
	for _, file := range f.live {
		n += file.Rows
	}
	return n
}

// findLake looks at the lake. A file that cannot be read and that no name tells to be
// a lake file is refused: it may be somebody's notes.
func (r *run) findLake(ctx context.Context) (*foundLake, error) {
	s, err := r.readState(ctx)
	if kind, _ := fate(err); err != nil && kind != halt {
		return nil, err
	}
	found := &foundLake{}
	var x index
	if key := r.t.item[statestore.Index]; key != "" {
		wrong := readJSON(ctx, r.lake, key, &x)
		if kind, _ := fate(wrong); wrong != nil && kind != halt {
			return nil, wrong
		}
		found.noIndex = wrong != nil
	}
	found.columns = x.Schema.Columns
	if err == nil {
		found.live = s.live()
	} else if err := r.openAll(ctx, found); err != nil {
		return nil, err
	}
	if len(found.columns) == 0 {
		found.columns = columnsOf(found.live)
	}
	return found, nil
}

// openAll opens every lake file and tells those that can be read from the others.
func (r *run) openAll(ctx context.Context, found *foundLake) error {
	infos, err := r.listLake(ctx)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(cap(r.e.ops) * 4)
	for _, info := range infos {
		f := r.lakeFile(info)
		group.Go(func() error {
			open, err := r.openLake(gctx, f)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				if f.Observe(open, &lake.Schema{}); f.Live() {
					found.live = append(found.live, f)
				}
			case dataFault(err) == "":
				return err
			case path.Ext(f.Key) == "":
				return fmt.Errorf("%w: %s in the lake folder of %s is no Parquet file and is not named like one; take it away first", ErrUsage, f.Key, r.t.name())
			default:
				found.broken = append(found.broken, f)
			}
			return nil
		})
	}
	err = group.Wait()
	byKey := func(a, b *lake.File) int { return strings.Compare(a.Key, b.Key) }
	slices.SortFunc(found.live, byKey)
	slices.SortFunc(found.broken, byKey)
	return err
}

// columnsOf are the columns of the files, as far as their names do not contradict each other.
func columnsOf(files []*lake.File) []parquetedit.Column {
	var s lake.Schema
	for _, f := range files {
		if with := s.Clone(); with.Extend(withoutOp(f.Columns), f.Key) == nil {
			s = with
		}
	}
	return s.Columns
}

// blank adds an op for each file that puts one without rows in its place, in
// phase 2. What the file holds is not read.
func (d *draft) blank(files []*lake.File) {
	columns := d.Schema.FileColumns()
	for _, f := range files {
		d.ops[1] = append(d.ops[1], Op{
			N: d.nextOp(), Kind: OpBlank, ETag: f.ETag, Size: f.Size, Bytes: 1,
			Files: []OpFile{{Key: f.Key, Dir: f.Dir, Columns: columns}},
		})
	}
	d.Traffic.FilesEmptied += int64(len(files))
}
