package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// cached returns the directory of inputs of this name, made the first time it is asked for.
func (b *bench) cached(name string, fill func(dir string) error) (string, error) {
	dir := filepath.Join(b.inputs, name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	fmt.Fprintf(os.Stderr, "bench: making %s, once\n", dir)
	half, err := os.MkdirTemp(b.inputs, name+".half-")
	if err != nil {
		return "", err
	}
	if err := fill(half); err != nil {
		return "", errors.Join(err, os.RemoveAll(half))
	}
	return dir, os.Rename(half, dir)
}

// generate runs scripts/dmsgen.
func (b *bench) generate(args ...string) error {
	_, _, err := b.process(nil, "go", append([]string{"run", "./scripts/dmsgen/cmd/dmsgen"}, args...)...)
	return err
}

// benchInputs are the files of dmsgen bench.
func (b *bench) benchInputs() (string, error) {
	return b.cached(fmt.Sprintf("inputs-%d", b.rows), func(dir string) error {
		return b.generate("bench", "--rows", fmt.Sprint(b.rows), "--dir", dir)
	})
}

// wideInputs are the LOAD files of a table with a column of 1,000 values in no order.
func (b *bench) wideInputs() (string, error) {
	from, err := b.benchInputs()
	if err != nil {
		return "", err
	}
	return b.cached(fmt.Sprintf("wide-%d", b.rows), func(dir string) error {
		_, _, err := b.duck("wide", from+"/raw/bench/lineitem", dir+"/raw/bench/wide")
		return err
	})
}

// streamInputs are small tables with a full load and a file of changes each.
func (b *bench) streamInputs() (string, error) {
	return b.cached(fmt.Sprintf("stream-%d", b.tables), func(dir string) error {
		return b.generate("stream", "--tables", fmt.Sprint(b.tables), "--rows", "20", "--changes", "10", "--dir", dir)
	})
}

// copyTree copies files as another writer would leave them: new files, dates kept.
func copyTree(from, to string, rename func(name string) string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if rename != nil {
			rest = filepath.Join(filepath.Dir(rest), rename(filepath.Base(rest)))
		}
		return copyFile(path, filepath.Join(to, rest))
	})
}

func copyFile(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = out.ReadFrom(in)
	return errors.Join(err, out.Close(), os.Chtimes(to, time.Time{}, info.ModTime()))
}
