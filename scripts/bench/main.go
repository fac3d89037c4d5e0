// Command bench measures bin/sluice as whole processes, beside others on the same files, and says what came out different:
//
//	make bench                                     # beside DuckDB, 10 M rows
//	make bench BENCH_FLAGS='--rows 1000000 --only load,tail'
//	make bench-peers                               # also beside Polars and delta-rs; SPARK=1: and Spark
//	make bench-guard                               # 1 M rows, ratios held against guard.txt
//
// Its cases:
//
//	load, load-snappy    LOAD files to a lake; the others: to one file of the same codec
//	csv                  1,000,000 rows in one LOAD file of CSV with gzip, typed by a schema; the others with the same types
//	tail, random         10,000 updates and 1,000 inserts in the last 2 % of the keys, 1 % of the rows updated: into the
//	                     lake of load
//	verify               that lake against its inputs, in two sizes of memory
//	adopted-tail, adopted-random, columns
//	                     the same, and 2 of 16 columns of 1 % of the rows: into a lake as Spark writes it, 10 files of
//	                     one row group, taken over from the AWS sample; also beside the floor (see floor/main.go)
//	doubled              the changes of tail into that lake, and into one with as many rows again
//	memory               1 % of the rows of a lake of 1 GiB; with --big of 10 GiB, too
//	huge-groups          1 % of the rows of a file of 4 GiB with 4 row groups; only when it is named
//	partitions           a load into 1,000 partitions that the input does not follow
//	idle, idle-s3        1,200 tables with nothing new, on a directory and on the rig's S3 server
//	functions            the Lambda functions: cold start, and a warm tick of 100 tables with nothing new
//
// It prints wall and CPU seconds and the peak resident memory of each process, as the kernel counts them (rusage), and
// sluice's part of each. Everybody has the same two CPUs and finds its files in memory. The lakes are then compared by
// row count and a hash that does not depend on order; a difference ends it with status 1. Inputs are generated once and
// kept in .tools/bench. With --repeat the sides take turns and the quicker run of each counts, which is what another
// load on the machine disturbs least.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"sluice/scripts/rig"
)

// bench is what every case needs.
type bench struct {
	ctx     context.Context //nolint:containedctx // the whole command is one run
	rows    int64
	tables  int
	lakeMiB int64
	big     bool
	keep    bool
	sluice  string // the binary
	duckdb  string // a Python that has it
	python  string // one that has Polars and delta-rs, or ""
	spark   string // one that has Spark, or ""
	profile string // a directory for CPU profiles, or ""
	inputs  string // generated once
	work    string // of this run

	scratches int               // directories that scratch named
	folds     map[string]string // hashes that duck.py found
	results   []result
	failed    bool
}

// fullRows is the size of the table for which there are goals, and figures of Spark that are recorded.
const fullRows = 10_000_000

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
	b := &bench{ctx: ctx, duckdb: os.Getenv(rig.EnvDuckDB), folds: map[string]string{}}
	only := flag.String("only", "load,load-snappy,csv,tail,random,verify,adopted-tail,adopted-random,columns,doubled,memory,partitions,idle,idle-s3,functions", "cases to run")
	repeat := flag.Int("repeat", 1, "runs of each case; the quickest counts")
	guard := flag.String("guard", "", "a file of bounds: fail when the median of a CPU ratio is above one")
	flag.BoolVar(&b.keep, "keep", false, "keep the lakes and print where they are")
	flag.Int64Var(&b.rows, "rows", fullRows, "rows of the full load")
	flag.IntVar(&b.tables, "tables", 1200, "tables of the idle cases")
	flag.Int64Var(&b.lakeMiB, "lake-mib", 1024, "size of the lake of memory and of a row group of huge-groups")
	flag.BoolVar(&b.big, "big", false, "memory: also a lake of ten times --lake-mib")
	flag.StringVar(&b.sluice, "sluice", "bin/sluice", "the binary to measure")
	flag.StringVar(&b.python, "peers", "", "a Python with Polars and delta-rs (scripts/bench/peers.lock)")
	flag.StringVar(&b.spark, "spark", "", "a Python with Spark (scripts/bench/spark.lock)")
	flag.StringVar(&b.profile, "profile", "", "write CPU profiles of the cases of adopted lakes into this directory, where nobody else runs then")
	flag.Parse()
	if b.duckdb == "" {
		return fmt.Errorf("%s is not set: run make bench", rig.EnvDuckDB)
	}
	for _, path := range []*string{&b.sluice, &b.profile} {
		if *path == "" {
			continue
		}
		var err error
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	var err error
	if b.inputs, err = filepath.Abs(".tools/bench"); err != nil {
		return err
	}
	if err := os.MkdirAll(b.inputs, 0o777); err != nil {
		return err
	}
	runtime.LockOSThread() // processes that this thread starts have its CPUs
	if err := pin(); err != nil {
		return err
	}
	for range *repeat {
		if err := b.once(strings.Split(*only, ",")); err != nil {
			return err
		}
	}
	b.print(os.Stdout)
	if b.failed {
		return fmt.Errorf("the two sides differ")
	}
	return b.guard(*guard)
}

// once runs every case in a directory of its own.
func (b *bench) once(cases []string) (err error) {
	if b.work, err = os.MkdirTemp(b.inputs, "run-"); err != nil {
		return err
	}
	defer func() {
		if b.keep {
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
		{func() error { return b.loadCSV("csv") }, []string{"csv"}},
		{func() error { return b.load("load-snappy", "snappy", true) }, []string{"load-snappy"}},
		{func() error { return b.adoptedLakes(cases) }, []string{"adopted-tail", "adopted-random", "columns"}},
		{b.doubled, []string{"doubled"}},
		{b.memory, []string{"memory"}},
		{b.huge, []string{"huge-groups"}},
		{b.partitions, []string{"partitions"}},
		{b.idleDirectory, []string{"idle"}},
		{b.idleS3, []string{"idle-s3"}},
		{b.functions, []string{"functions"}},
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
