package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// lineitem measures the load of one big table, then merges into it.
func (b *bench) lineitem(cases []string) error {
	inputs, err := b.benchInputs()
	if err != nil {
		return err
	}
	if err := copyTree(inputs+"/raw", b.work+"/one/raw", nil); err != nil {
		return err
	}
	env := b.lakeEnv("one")
	if err := b.activated(env, "bench.lineitem", "--primary-key", "l_orderkey"); err != nil {
		return err
	}
	loaded, err := b.tick(env)
	if err != nil {
		return err
	}
	if slices.Contains(cases, "load") {
		duck, _, err := b.duck("load", inputs+"/raw/bench/lineitem", b.work+"/duck.parquet")
		if err != nil {
			return err
		}
		r := result{name: "load", sluice: loaded, duck: duck, note: fmt.Sprintf("%d rows", b.rows)}
		if err := b.compare(r, b.work+"/one/lake/lineitem/*.parquet", b.work+"/duck.parquet"); err != nil {
			return err
		}
	}
	for i, name := range []string{"tail", "random"} {
		if !slices.Contains(cases, name) {
			continue
		}
		if err := b.merge(name, fmt.Sprintf("20250101-%02d", 2+i)); err != nil {
			return err
		}
	}
	if slices.Contains(cases, "verify") {
		return b.verify(env)
	}
	return nil
}

// verify verifies the lake as it is now, in the memory that is the default and in the least. The merges before it say
// how many keys changed.
func (b *bench) verify(env []string) error {
	for _, memory := range []string{"256MiB", "16MiB"} {
		u, out, err := b.process(env, b.sluice, "verify", "bench.lineitem", "--memory", memory)
		if err != nil {
			return err
		}
		b.record(result{name: "verify " + memory, sluice: u, note: strings.Join(strings.Fields(string(out)), " ")})
	}
	return nil
}

// merge lets sluice merge the changes into its lake, and DuckDB into a copy of the same files.
func (b *bench) merge(name, hour string) error {
	inputs, err := b.benchInputs()
	if err != nil {
		return err
	}
	lake, other, changes := b.work+"/one/lake/lineitem", b.work+"/"+name+"/lake", b.work+"/"+name+"/changes"
	if err := copyTree(lake, other, nil); err != nil {
		return err
	}
	later := func(file string) string { return hour + strings.TrimPrefix(file, "20250101-01") }
	for _, to := range []string{changes, b.work + "/one/raw/bench/lineitem"} {
		if err := copyTree(inputs+"/"+name+"/bench/lineitem", to, later); err != nil {
			return err
		}
	}
	merged, err := b.tick(b.lakeEnv("one"))
	if err != nil {
		return err
	}
	duck, _, err := b.duck("merge", other, changes, "l_orderkey")
	if err != nil {
		return err
	}
	note := map[string]string{"tail": "10,000 updates, 1,000 inserts in the last 2 %", "random": "1 % of the rows"}[name]
	return b.compare(result{name: name, sluice: merged, duck: duck, note: note}, lake+"/*.parquet", other+"/*.parquet")
}

// compare records the result and says when the two lakes differ.
func (b *bench) compare(r result, one, other string, column ...string) error {
	hash := func(files string) (string, error) {
		_, out, err := b.duck("hash", files, strings.Join(column, ""))
		return out, err
	}
	mine, err := hash(one)
	if err != nil {
		return err
	}
	theirs, err := hash(other)
	if err != nil {
		return err
	}
	r.note += "; equal rows"
	if mine != theirs {
		b.failed = true
		r.note += fmt.Sprintf("; DIFFERENT: sluice %s, DuckDB %s", mine, theirs)
	}
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
	if err := b.activated(env, "bench.wide", "--primary-key", "l_orderkey", "--partition-key", "l_region"); err != nil {
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
	r := result{name: "partitions", sluice: loaded, duck: duck, note: fmt.Sprintf("1,000 partitions, %d files", files)}
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
