package main

import (
	_ "embed"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

//go:embed duck.py
var duckScript string

//go:embed polars.py
var polarsScript string

//go:embed delta.py
var deltaScript string

//go:embed spark.py
var sparkScript string

// The names of the sides that goals know.
const (
	duckDB        = "DuckDB"
	polars        = "Polars"
	deltaRS       = "delta-rs"
	sparkJob      = "Spark, warm"
	sparkRecorded = "Spark, warm*"
	single        = "sluice, once"
)

// peer merges the change files of a directory into the files of another, by a script in the language of its users.
type peer struct {
	system, python, script string
}

// peers are the systems that merge.
func (b *bench) peers() []peer {
	all := []peer{{duckDB, b.duckdb, duckScript}}
	if b.python != "" {
		all = append(all, peer{polars, b.python, polarsScript}, peer{deltaRS, b.python, deltaScript})
	}
	if b.spark != "" {
		all = append(all, peer{sparkJob, b.spark, sparkScript})
	}
	return all
}

// script runs a command of a Python script, with -c because the scripts have the names of what they import.
func (b *bench) script(python, script string, args ...string) (usage, string, error) {
	u, out, err := b.process(nil, python, append([]string{"-c", script}, args...)...)
	return u, strings.TrimSpace(string(out)), err
}

// duck runs a command of duck.py.
func (b *bench) duck(args ...string) (usage, string, error) {
	return b.script(b.duckdb, duckScript, args...)
}

// merge lets the peer merge into a lake of its own, whose files are those of lake, and returns the hash of its rows.
func (b *bench) merge(p peer, lake, changes, codec string) (usage, string, error) {
	own := b.scratch()
	if err := linkTree(lake, own); err != nil {
		return usage{}, "", err
	}
	args := []string{"merge", own, changes, key, codec}
	switch p.system {
	case deltaRS:
		if _, _, err := b.script(p.python, p.script, "convert", own); err != nil {
			return usage{}, "", err
		}
	case sparkJob:
		args = append(args, b.scratch())
		if err := linkTree(lake, args[len(args)-1]); err != nil {
			return usage{}, "", err
		}
	}
	u, out, err := b.script(p.python, p.script, args...)
	if err != nil {
		return usage{}, "", err
	}
	files := []string{own + "/*.parquet"}
	switch p.system {
	case deltaRS:
		files = nil
		for uri := range strings.Lines(out) {
			files = append(files, filepath.Join("/", strings.TrimPrefix(strings.TrimSpace(uri), "file://")))
		}
	case sparkJob:
		if _, err := fmt.Sscan(out, &u.wall, &u.cpu, &u.peak); err != nil {
			return usage{}, "", fmt.Errorf("spark.py said %q: %w", out, err)
		}
	}
	_, hash, err := b.duck(append([]string{"hash", ""}, files...)...)
	return u, hash, errors.Join(err, b.discard(own))
}

// recorded says whether the table shows figures of Spark that were not measured here.
func (b *bench) recorded() bool {
	for _, r := range b.results {
		for _, s := range r.sides {
			if strings.HasSuffix(s.system, "*") {
				return true
			}
		}
	}
	return false
}

const recordedNote = `* recorded, not measured in this run: on 2 cores (Zen 5), a lake of 10 M rows × 16 columns in 10 files, 438 MB snappy,
  written by the AWS sample's own Spark job; the same job merging, and Delta Lake's MERGE on Spark, in a warm JVM.`

// recordedSides are the recorded figures of a case on 10 M rows.
func recordedSides(name string) []side {
	const mib = 1 << 20
	one := func(system string, wall, cpu float64, peak int64) side {
		return side{system, []usage{{wall, cpu, peak * mib}}}
	}
	switch name {
	case "adopted-tail":
		return []side{one(sparkRecorded, 32, 45, 3150), one("Delta on Spark*", 14.5, 27, 3150)}
	case "adopted-random":
		return []side{one(sparkRecorded, 91, 111, 3150), one("Delta on Spark*", 98, 113, 4670)}
	}
	return nil
}
