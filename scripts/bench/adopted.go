package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// adoptedCase is a set of changes that is merged into a lake as Spark wrote it.
type adoptedCase struct {
	name, changes, note string
	columns             string // that the changes change, for the floor; "" = all
}

func adoptedCases() []adoptedCase {
	return []adoptedCase{
		{"adopted-tail", "tail", "10,000 updates, 1,000 inserts in the last 2 %", ""},
		{"adopted-random", "random", "1 % of the rows, every value new", ""},
		{"columns", "columns", "1 % of the rows, 2 of 16 columns", "Op,l_quantity,l_extendedprice"},
	}
}

// adoptedLakes merges each set of changes into a fresh copy of the lake, with every system.
func (b *bench) adoptedLakes(cases []string) error {
	inputs, err := b.benchInputs()
	if err != nil {
		return err
	}
	lake, err := b.sparkLake()
	if err != nil {
		return err
	}
	for _, c := range adoptedCases() {
		if !slices.Contains(cases, c.name) {
			continue
		}
		if err := b.adoptedCase(c, lake, inputs+"/"+c.changes+"/bench/lineitem"); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) adoptedCase(c adoptedCase, lake, changes string) error {
	if b.profile != "" {
		u, err := b.folded(c.name, lake, changes)
		if err != nil {
			return err
		}
		b.record(result{name: c.name, note: c.note + "; equal to the fold", sides: []side{{"sluice", []usage{u}}}})
		return nil
	}
	mine, hash, err := b.intoAdopted(c.name, lake, changes)
	if err != nil {
		return err
	}
	r := result{name: c.name, note: c.note}
	r.add("sluice", mine)
	for _, p := range b.peers() {
		u, theirs, err := b.merge(p, lake, changes, sparkCodec)
		if err != nil {
			return err
		}
		r.add(p.system, u)
		b.equal(&r, p.system, hash, theirs)
	}
	u, touched, err := b.floor(lake, changes, c.columns)
	if err != nil {
		return err
	}
	r.add("floor", u)
	r.note += "; " + touched
	if b.rows == fullRows && b.spark == "" && b.python != "" {
		r.sides = append(r.sides, recordedSides(c.name)...)
	}
	b.record(r)
	return nil
}

// intoAdopted lets sluice merge the changes into an adopted lake and returns the hash of its rows. Then the lake is gone.
func (b *bench) intoAdopted(name, lake, changes string) (usage, string, error) {
	env, err := b.adopted(name, lake)
	if err != nil {
		return usage{}, "", err
	}
	if err := linkTree(changes, b.work+"/"+name+"/raw/bench/lineitem"); err != nil {
		return usage{}, "", err
	}
	u, err := b.measured(name, env)
	if err != nil {
		return usage{}, "", err
	}
	_, hash, err := b.duck("hash", "", b.work+"/"+name+"/lake/lineitem/*.parquet")
	return u, hash, errors.Join(err, b.discard(b.work+"/"+name))
}

// measured is the tick that a case is about. With --profile the engine runs in a program that writes a CPU profile.
func (b *bench) measured(name string, env []string) (usage, error) {
	if b.profile == "" {
		return b.tick(env)
	}
	program, err := b.build("profile")
	if err != nil {
		return usage{}, err
	}
	u, out, err := b.process(env, program, filepath.Join(b.profile, name+".prof"))
	fmt.Fprintf(os.Stderr, "bench: %s: %s", name, out)
	return u, err
}

// equal notes whether two lakes have the same rows.
func (b *bench) equal(r *result, system, mine, theirs string) {
	if mine != theirs {
		b.failed = true
		r.note += fmt.Sprintf("; DIFFERENT: sluice %s, %s %s", mine, system, theirs)
		return
	}
	r.note = strings.ReplaceAll(r.note, "; equal rows", "") + "; equal rows"
}

// floor runs the program that touches the pages of the changed rows and looks up no key.
func (b *bench) floor(lake, changes, columns string) (usage, string, error) {
	program, err := b.build("floor")
	if err != nil {
		return usage{}, "", err
	}
	rows, out := b.scratch(), b.scratch()
	if _, _, err := b.duck("rows", lake, changes, key, rows); err != nil {
		return usage{}, "", err
	}
	u, said, err := b.process(nil, program, "--columns", columns, lake, rows, out)
	if err != nil {
		return usage{}, "", err
	}
	return u, strings.TrimSpace(string(said)), b.discard(out)
}

// build builds a program beside this one.
func (b *bench) build(name string) (string, error) {
	program := b.inputs + "/bin/" + name
	_, _, err := b.process(nil, "go", "build", "-o", program, "./scripts/bench/"+name)
	return program, err
}
