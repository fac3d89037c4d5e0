package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// lineitem measures the load of one big table, then merges into it.
func (b *bench) lineitem(cases []string) error {
	if err := b.load("load", "zstd", slices.Contains(cases, "load")); err != nil {
		return err
	}
	for i, name := range []string{"tail", "random"} {
		if !slices.Contains(cases, name) {
			continue
		}
		if err := b.intoOwn(name, fmt.Sprintf("20250101-%02d", 2+i)); err != nil {
			return err
		}
	}
	if slices.Contains(cases, "verify") {
		return b.verify(b.lakeEnv("load"))
	}
	return nil
}

// load measures a full load in a codec, beside the others if it is asked for.
func (b *bench) load(name, codec string, beside bool) error {
	inputs, err := b.benchInputs()
	if err != nil {
		return err
	}
	if err := copyTree(inputs+"/raw", b.work+"/"+name+"/raw", nil); err != nil {
		return err
	}
	env := append(b.lakeEnv(name), "SLUICE_COMPRESSION="+codec)
	if err := b.activated(env, "bench.lineitem", "--primary-key", key); err != nil {
		return err
	}
	loaded, err := b.tick(env)
	if err != nil || !beside {
		return err
	}
	return b.besideLoads(loaded, loading{name, "load", codec, inputs + "/raw/bench/lineitem", b.rows})
}

// csvRows is the size of the table that is loaded from CSV: one file as DMS writes it (MaxFileSize 1 GB).
const csvRows = 1_000_000

// loadCSV measures a full load of one compressed CSV file, beside the others with the same types.
func (b *bench) loadCSV(name string) error {
	inputs, err := b.cached(fmt.Sprintf("csv-%d", csvRows), func(dir string) error {
		if err := b.generate("bench", "--rows", fmt.Sprint(csvRows), "--dir", dir+"/parquet"); err != nil {
			return err
		}
		_, _, err := b.duck("csv", dir+"/parquet/raw/bench/lineitem", dir+"/raw/bench/lineitem")
		return errors.Join(err, os.RemoveAll(dir+"/parquet"))
	})
	if err != nil {
		return err
	}
	if err := copyTree(inputs+"/raw/bench/lineitem", b.work+"/"+name+"/raw/bench/lineitem", nil); err != nil {
		return err
	}
	if err := b.activated(b.lakeEnv(name), "bench.lineitem", "--primary-key", key, "--csv-schema", inputs+"/raw/bench/types"); err != nil {
		return err
	}
	loaded, err := b.tick(b.lakeEnv(name))
	if err != nil {
		return err
	}
	return b.besideLoads(loaded, loading{name, "loadcsv", "zstd", inputs + "/raw/bench/lineitem", csvRows})
}

// loading is a full load that everybody makes.
type loading struct {
	name, command, codec, raw string
	rows                      int64
}

// besideLoads measures the others' load, and compares.
func (b *bench) besideLoads(loaded usage, l loading) error {
	name, codec := l.name, l.codec
	lake := b.work + "/" + name + "/lake/lineitem"
	r := result{name: name, note: fmt.Sprintf("%d rows, %s", l.rows, codec)}
	r.add("sluice", loaded)
	if err := b.sized(&r, "sluice", lake); err != nil {
		return err
	}
	_, mine, err := b.duck("hash", "", lake+"/*.parquet")
	if err != nil {
		return err
	}
	for _, p := range b.peers() {
		if p.system != duckDB && p.system != polars {
			continue
		}
		out := b.scratch()
		if err := os.Mkdir(out, 0o777); err != nil {
			return err
		}
		u, _, err := b.script(p.python, p.script, l.command, l.raw, out+"/all.parquet", codec)
		if err != nil {
			return err
		}
		_, theirs, err := b.duck("hash", "", out+"/all.parquet")
		if err != nil {
			return err
		}
		r.add(p.system, u)
		if err := b.sized(&r, p.system, out); err != nil {
			return err
		}
		b.equal(&r, p.system, mine, theirs)
	}
	b.record(r)
	return nil
}

// sized notes how many bytes a system wrote.
func (b *bench) sized(r *result, system, dir string) error {
	n, err := bytesBelow(dir)
	r.note += fmt.Sprintf("; %s wrote %d MB", system, n/1e6)
	return err
}

// verify verifies the lake as it is now, in the memory that is the default and in the least. The merges before it say
// how many keys changed.
func (b *bench) verify(env []string) error {
	for _, memory := range []string{"256MiB", "16MiB"} {
		u, out, err := b.process(env, b.sluice, "verify", "bench.lineitem", "--memory", memory)
		if err != nil {
			return err
		}
		r := result{name: "verify " + memory, note: strings.Join(strings.Fields(string(out)), " ")}
		r.add("sluice", u)
		b.record(r)
	}
	return nil
}

// intoOwn lets sluice merge the changes into its lake, and DuckDB into a copy of the same files.
func (b *bench) intoOwn(name, hour string) error {
	inputs, err := b.benchInputs()
	if err != nil {
		return err
	}
	lake, other, changes := b.work+"/load/lake/lineitem", b.work+"/"+name+"/lake", b.work+"/"+name+"/changes"
	if err := copyTree(lake, other, nil); err != nil {
		return err
	}
	later := func(file string) string { return hour + strings.TrimPrefix(file, "20250101-01") }
	for _, to := range []string{changes, b.work + "/load/raw/bench/lineitem"} {
		if err := copyTree(inputs+"/"+name+"/bench/lineitem", to, later); err != nil {
			return err
		}
	}
	merged, err := b.tick(b.lakeEnv("load"))
	if err != nil {
		return err
	}
	duck, _, err := b.duck("merge", other, changes, key, "zstd")
	if err != nil {
		return err
	}
	note := map[string]string{"tail": "10,000 updates, 1,000 inserts in the last 2 %", "random": "1 % of the rows"}[name]
	r := result{name: name, note: note + ", into a lake of sluice's own"}
	r.add("sluice", merged)
	r.add(duckDB, duck)
	return b.compare(r, lake+"/*.parquet", other+"/*.parquet", "")
}

// compare records the result and says when the two lakes differ.
func (b *bench) compare(r result, one, other, column string) error {
	_, mine, err := b.duck("hash", column, one)
	if err != nil {
		return err
	}
	_, theirs, err := b.duck("hash", column, other)
	if err != nil {
		return err
	}
	b.equal(&r, duckDB, mine, theirs)
	b.record(r)
	return nil
}

// partitions measures a load into 1,000 partitions whose rows come in no order.
func (b *bench) partitions() error {
	inputs, err := b.wideInputs()
	if err != nil {
		return err
	}
	if err := copyTree(inputs+"/raw", b.work+"/wide/raw", nil); err != nil {
		return err
	}
	env := b.lakeEnv("wide")
	if err := b.activated(env, "bench.wide", "--primary-key", key, "--partition-key", "l_region"); err != nil {
		return err
	}
	loaded, err := b.tick(env)
	if err != nil {
		return err
	}
	out := b.work + "/wide-duck"
	duck, _, err := b.duck("partition", inputs+"/raw/bench/wide", out, "l_region")
	if err != nil {
		return err
	}
	files, err := count(b.work + "/wide/lake/wide")
	if err != nil {
		return err
	}
	r := result{name: "partitions", note: fmt.Sprintf("1,000 partitions, %d files", files)}
	r.add("sluice", loaded)
	r.add(duckDB, duck)
	return b.compare(r, b.work+"/wide/lake/wide/*/*.parquet", out+"/*/*.parquet", "l_region")
}

// count counts the files of partitions.
func count(dir string) (int, error) {
	dirs, err := os.ReadDir(dir)
	n := 0
	for _, d := range dirs {
		files, err := os.ReadDir(dir + "/" + d.Name())
		if err != nil {
			return 0, err
		}
		n += len(files)
	}
	return n, err
}
