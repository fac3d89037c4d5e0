//go:build linux

package main_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"sluice/scripts/rig"
)

// reader asks DuckDB for a table again and again, while the table is written. It reads in two ways: a query over the
// lake as it lies there, as every reader of a plain lake does, and a query over copies of files that were all there at
// one instant, which has to be perfect. What it may find is said at judge.
type reader struct {
	t       testing.TB
	history *history
	dir     string // of the table
	duck    *rig.Reader

	over    chan struct{}
	running sync.WaitGroup
	tally
}

func (s *site) reader(h *history) *reader {
	s.t.Helper()
	return &reader{t: s.t, history: h, dir: filepath.Join(s.lake, h.table.Name), duck: rig.DuckDB(s.t), over: make(chan struct{})}
}

// begin reads until stop.
func (r *reader) begin() {
	r.running.Go(func() {
		for {
			select {
			case <-r.over:
				return
			case <-r.t.Context().Done():
				return
			default:
				r.live()
				r.instant()
			}
		}
	})
}

func (r *reader) stop() {
	close(r.over)
	r.running.Wait()
}

// live queries the lake as it lies there.
func (r *reader) live() {
	from, _ := r.history.span()
	before := r.list()
	if len(before) == 0 {
		return
	}
	r.queries++
	rows, err := r.query(r.dir)
	still := maps.Equal(before, r.list())
	_, to := r.history.span()
	if !still {
		r.changing++
	}
	switch {
	case err != nil && still:
		r.t.Errorf("a query failed while no file changed: %v", err)
	case err != nil:
		r.repeated++
	default:
		r.hold(rows, from, to, still)
	}
}

// instant copies the files as they were at one instant, if it meets one, and queries the copies. Who lists, opens every
// file and lists again, and finds the same files both times, has opened what was there in between.
func (r *reader) instant() {
	from, _ := r.history.span()
	before := r.list()
	files := map[string]*os.File{}
	defer func() {
		for _, f := range files {
			_ = f.Close() // only read
		}
	}()
	for name, id := range before {
		f, err := os.Open(name)
		if err != nil {
			return // it is no more
		}
		files[name] = f
		if info, err := f.Stat(); err != nil || identity(info) != id {
			return // it is another
		}
	}
	if len(before) == 0 || !maps.Equal(before, r.list()) {
		return
	}
	_, to := r.history.span()
	copies, err := os.MkdirTemp(r.t.TempDir(), "instant")
	if err == nil {
		defer func() { _ = os.RemoveAll(copies) }() // the test's own directory goes at its end
		err = r.copy(files, copies)
	}
	var rows map[string][]string
	if err == nil {
		rows, err = r.query(copies)
	}
	if err != nil {
		r.t.Errorf("files that were there at one instant: %v", err)
		return
	}
	r.snapshots++
	r.hold(rows, from, to, true)
}

// copy writes opened files below another directory: a file's content never changes, its name gets another file.
func (r *reader) copy(files map[string]*os.File, to string) error {
	for name, f := range files {
		copied := filepath.Join(to, strings.TrimPrefix(name, r.dir))
		body, err := io.ReadAll(f)
		if err = errors.Join(err, os.MkdirAll(filepath.Dir(copied), 0o700)); err != nil {
			return err
		}
		if err := os.WriteFile(copied, body, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// hold judges what was read.
func (r *reader) hold(rows map[string][]string, from, to int, still bool) {
	v := r.history.judge(rows, from, to, still)
	r.keys += v.keys
	r.slipped += v.slipped
	r.missing += v.missing
	r.wrong += v.wrong
	r.doubled += v.doubled
	if len(v.faults) > 0 {
		r.t.Errorf("%s, read between the states %d and %d (files the same all the time: %v): %d missing, %d wrong, %d doubled:\n%.2000s",
			r.history.table.Name, from, to, still, v.missing, v.wrong, v.doubled, strings.Join(v.faults, "\n"))
	}
}

// query returns the rows of the files below a directory, by what tells them apart.
func (r *reader) query(dir string) (map[string][]string, error) {
	var columns []string
	for _, c := range r.history.table.Columns {
		columns = append(columns, c.Name)
	}
	sql := "select " + strings.Join(columns, ", ") + " from read_parquet(?, hive_partitioning=true, hive_types_autocast=false, union_by_name=true)"
	found, err := r.duck.Try(sql, filepath.Join(dir, "**", "*.parquet"))
	rows := map[string][]string{}
	for _, row := range found {
		texts := make([]string, len(row))
		for i, v := range row {
			texts[i] = rig.Text(v)
		}
		rows[texts[0]] = append(rows[texts[0]], strings.Join(texts, "|"))
	}
	return rows, err
}

// list returns the table's files with what tells one of a name from the next.
func (r *reader) list() map[string]string {
	files := map[string]string{}
	err := filepath.WalkDir(r.dir, func(name string, entry fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil && !entry.IsDir() && filepath.Ext(name) == ".parquet" {
			if info, err = entry.Info(); err == nil {
				files[name] = identity(info)
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		r.t.Error(err)
	}
	return files
}

// identity is an inode and its date: an inode's number may be used again.
func identity(info fs.FileInfo) string {
	st, _ := info.Sys().(*syscall.Stat_t)
	return fmt.Sprint(st.Ino, info.Size(), info.ModTime().UnixNano())
}
