// Command bench measures bin/sluice as whole processes, beside DuckDB on the same files, and says what came out different:
//
//	make bench                                     # everything, 10 M rows
//	make bench BENCH_FLAGS='--rows 1000000 --only load,tail'
//
// Its cases: load (LOAD files to a lake; DuckDB: COPY to one zstd file), tail (10,000 updates and 1,000 inserts in the last
// 2 % of the keys), random (1 % of the rows updated), partitions (a load into 1,000 partitions that the input does not
// follow), verify (the lake of load, tail and random against its inputs, in two sizes of memory), idle and idle-s3 (1,200
// tables with nothing new, on a directory and on the rig's S3 server).
// DuckDB's side of a merge rewrites the files that hold a changed key, and no others.
//
// It prints wall and CPU seconds and the peak resident memory of each process, as the kernel counts them (rusage), and
// the ratio to DuckDB's. Both lakes are then compared by row count and a hash that does not depend on order; a
// difference ends it with status 1. Inputs are generated once and kept in .tools/bench. With --repeat the two sides
// take turns and the quicker run of each counts, which is what another load on the machine disturbs least.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"sluice/scripts/rig"
)

// bench is what every case needs.
type bench struct {
	ctx     context.Context //nolint:containedctx // the whole command is one run
	rows    int64
	tables  int
	sluice  string // the binary
	duckdb  string // a Python that has it
	inputs  string // generated once
	work    string // of this run
	results []result
	failed  bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	b := &bench{ctx: ctx}
	only := flag.String("only", "load,tail,random,verify,partitions,idle,idle-s3", "cases to run")
	repeat := flag.Int("repeat", 1, "runs of each case; the quickest counts")
	keep := flag.Bool("keep", false, "keep the lakes and print where they are")
	flag.Int64Var(&b.rows, "rows", 10_000_000, "rows of the full load")
	flag.IntVar(&b.tables, "tables", 1200, "tables of the idle cases")
	flag.StringVar(&b.sluice, "sluice", "bin/sluice", "the binary to measure")
	flag.Parse()
	b.duckdb = os.Getenv(rig.EnvDuckDB)
	if b.duckdb == "" {
		return fmt.Errorf("%s is not set: run make bench", rig.EnvDuckDB)
	}
	var err error
	if b.sluice, err = filepath.Abs(b.sluice); err != nil {
		return err
	}
	if b.inputs, err = filepath.Abs(".tools/bench"); err != nil {
		return err
	}
	if err := os.MkdirAll(b.inputs, 0o777); err != nil {
		return err
	}
	cases := strings.Split(*only, ",")
	for range *repeat {
		if err := b.once(cases, *keep); err != nil {
			return err
		}
	}
	b.print(os.Stdout)
	if b.failed {
		return fmt.Errorf("the two sides differ")
	}
	return nil
}

// once runs every case in a directory of its own.
func (b *bench) once(cases []string, keep bool) (err error) {
	if b.work, err = os.MkdirTemp(b.inputs, "run-"); err != nil {
		return err
	}
	defer func() {
		if keep {
			fmt.Fprintln(os.Stderr, "bench: kept", b.work)
		} else if removed := os.RemoveAll(b.work); err == nil {
			err = removed
		}
	}()
	for _, c := range []struct {
		run  func() error
		when []string
	}{
		{func() error { return b.lineitem(cases) }, []string{"load", "tail", "random", "verify"}},
		{b.partitions, []string{"partitions"}},
		{b.idleDirectory, []string{"idle"}},
		{b.idleS3, []string{"idle-s3"}},
	} {
		if !slices.ContainsFunc(c.when, func(name string) bool { return slices.Contains(cases, name) }) {
			continue
		}
		if err := c.run(); err != nil {
			return err
		}
	}
	return nil
}
