package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

//go:embed lake.py
var lakeScript string

// The table of the merges, and the codec of the lakes that are adopted.
const (
	key        = "l_orderkey"
	sparkFiles = 10
	sparkCodec = "snappy"
)

// sparkLake is the benchmark's full load as Spark writes it: ten files of one row group each.
func (b *bench) sparkLake() (string, error) {
	from, err := b.benchInputs()
	if err != nil {
		return "", err
	}
	return b.cached(fmt.Sprintf("spark-%d", b.rows), func(dir string) error {
		_, _, err := b.script(b.duckdb, lakeScript, "spark", from+"/raw/bench/lineitem", dir, strconv.Itoa(sparkFiles))
		return err
	})
}

// filledLake is so many copies of sparkLake, whose keys do not meet.
func (b *bench) filledLake(copies int) (string, error) {
	from, err := b.sparkLake()
	if err != nil || copies == 1 {
		return from, err
	}
	return b.cached(fmt.Sprintf("spark-%d-times-%d", b.rows, copies), func(dir string) error {
		_, _, err := b.script(b.duckdb, lakeScript, "fill", from, dir, strconv.Itoa(copies))
		return err
	})
}

// hugeLake is one file of four row groups, each of so many copies of sparkLake.
func (b *bench) hugeLake(copies int) (string, error) {
	from, err := b.sparkLake()
	if err != nil {
		return "", err
	}
	return b.cached(fmt.Sprintf("huge-%d-times-%d", b.rows, copies), func(dir string) error {
		_, _, err := b.script(b.duckdb, lakeScript, "huge", from, dir, strconv.Itoa(copies), strconv.Itoa(hugeGroups))
		return err
	})
}

// filledChanges are changes of one row in a hundred of as many copies.
func (b *bench) filledChanges(copies int) (string, error) {
	from, err := b.benchInputs()
	if err != nil {
		return "", err
	}
	dir, err := b.cached(fmt.Sprintf("changes-%d-times-%d", b.rows, copies), func(dir string) error {
		_, _, err := b.duck("changes", from+"/random/bench/lineitem", dir+"/all", strconv.Itoa(copies), fmt.Sprint(b.rows))
		return err
	})
	return dir + "/all", err
}

// adopted makes a lake of the files of lake that sluice has taken over from the AWS sample with everything merged so
// far. The full load is no longer in raw.
func (b *bench) adopted(name, lake string) ([]string, error) {
	env := append(b.lakeEnv(name), "SLUICE_COMPRESSION="+sparkCodec)
	if err := linkTree(lake, b.work+"/"+name+"/lake/lineitem"); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(b.work+"/"+name+"/raw/bench/lineitem", 0o777); err != nil {
		return nil, err
	}
	item, err := json.Marshal(map[string]string{
		"path": "raw/bench/lineitem/", "bucket": "raw", "prefix": "bench/", "folder": "lineitem/", "out_path": "lake/",
		"PrimaryKey": key, "PartitionKey": "null", "ActiveFlag": "true",
		"LastFullLoadDate": "2025-01-01 00:00:00", "LastIncrementalFile": "raw/bench/lineitem/0.parquet",
	})
	if err != nil {
		return nil, err
	}
	file := b.work + "/" + name + "/item.jsonl"
	if err := os.WriteFile(file, item, 0o666); err != nil {
		return nil, err
	}
	if _, _, err := b.process(env, b.sluice, "control", "import", file); err != nil {
		return nil, err
	}
	_, err = b.tick(env)
	return env, err
}

// scratch returns the name of a directory of this run that is not there yet.
func (b *bench) scratch() string {
	b.scratches++
	return fmt.Sprintf("%s/scratch-%d", b.work, b.scratches)
}

// discard deletes a directory of this run, unless all of them are kept.
func (b *bench) discard(dir string) error {
	if b.keep {
		return nil
	}
	return os.RemoveAll(dir)
}

// linkTree gives files a second name below another directory and reads them once, so that every side finds them in
// memory. Nobody here changes a file in place: all write new ones and rename.
func linkTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		name := filepath.Join(to, rest)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return err
		}
		if err := os.Link(path, name); err != nil {
			return err
		}
		return warm(name)
	})
}

func warm(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	_, err = io.Copy(io.Discard, file)
	return err
}

// bytesBelow adds up the sizes of files.
func bytesBelow(dir string) (int64, error) {
	var n int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return n, err
}
