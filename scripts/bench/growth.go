package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// doubled merges the same changes into the lake and into the lake with as many rows again. The two take turns.
func (b *bench) doubled() error {
	inputs, err := b.benchInputs()
	if err != nil {
		return err
	}
	const turns = 5
	var took [2][]usage
	for range turns {
		for i := range took {
			lake, err := b.filledLake(i + 1)
			if err != nil {
				return err
			}
			u, err := b.folded("doubled", lake, inputs+"/tail/bench/lineitem")
			if err != nil {
				return err
			}
			took[i] = append(took[i], u)
		}
	}
	b.record(result{name: "doubled", sides: []side{{"sluice", took[1]}, {single, took[0]}}, note: "tail changes; quickest of 5; equal to the fold"})
	return nil
}

// folded lets sluice merge the changes into an adopted lake and compares it with the fold that DuckDB finds.
func (b *bench) folded(name, lake, changes string) (usage, error) {
	u, hash, err := b.intoAdopted(name, lake, changes)
	if err != nil {
		return usage{}, err
	}
	want, ok := b.folds[lake+changes]
	if !ok {
		if _, want, err = b.duck("fold", lake, changes, key); err != nil {
			return usage{}, err
		}
		b.folds[lake+changes] = want
	}
	if hash != want {
		return usage{}, fmt.Errorf("%s: the lake has %s, the fold has %s", name, hash, want)
	}
	return u, nil
}

// memory merges changes of one row in a hundred into a lake of --lake-mib, and with --big into one of ten times that.
func (b *bench) memory() error {
	copies, err := b.copies(b.lakeMiB << 20)
	if err != nil {
		return err
	}
	small, err := b.grown("memory", copies)
	if err != nil {
		return err
	}
	b.record(small)
	if !b.big {
		return nil
	}
	// Beside the lake: its rewritten files, the changes, and the bookkeeping.
	if err := b.room(10*b.lakeMiB<<20, 2.5); err != nil {
		return err
	}
	big, err := b.grown("memory-big", 10*copies)
	if err != nil {
		return err
	}
	big.add("sluice, a tenth", small.sides[0].runs[0])
	b.record(big)
	return nil
}

func (b *bench) grown(name string, copies int) (result, error) {
	lake, err := b.filledLake(copies)
	if err != nil {
		return result{}, err
	}
	return b.changed(name, lake, copies)
}

// changed merges changes of one row in a hundred into a lake of so many copies.
func (b *bench) changed(name, lake string, copies int) (result, error) {
	changes, err := b.filledChanges(copies)
	if err != nil {
		return result{}, err
	}
	u, err := b.folded(name, lake, changes)
	if err != nil {
		return result{}, err
	}
	size, err := bytesBelow(lake)
	if err != nil {
		return result{}, err
	}
	r := result{name: name, note: fmt.Sprintf("1 %% of %.3g M rows, %d MiB; equal to the fold", float64(copies)*float64(b.rows)/1e6, size>>20)}
	r.add("sluice", u)
	return r, nil
}

// hugeGroups is the number of row groups of the file of huge-groups.
const hugeGroups = 4

// huge merges into a file of four row groups of --lake-mib each.
func (b *bench) huge() error {
	copies, err := b.copies(b.lakeMiB << 20)
	if err != nil {
		return err
	}
	if err := b.room(hugeGroups*b.lakeMiB<<20, 3.5); err != nil {
		return err
	}
	lake, err := b.hugeLake(copies)
	if err != nil {
		return err
	}
	r, err := b.changed("huge-groups", lake, hugeGroups*copies)
	if err != nil {
		return err
	}
	b.record(r)
	return nil
}

// copies is how many of the Spark lake give so many bytes.
func (b *bench) copies(bytes int64) (int, error) {
	lake, err := b.sparkLake()
	if err != nil {
		return 0, err
	}
	one, err := bytesBelow(lake)
	return max(1, int((bytes+one/2)/max(1, one))), err
}

// room refuses a lake of so many bytes when the disk does not hold so many times that.
func (b *bench) room(bytes int64, times float64) error {
	var disk unix.Statfs_t
	if err := unix.Statfs(b.inputs, &disk); err != nil {
		return err
	}
	need, free := int64(times*float64(bytes)), int64(disk.Bavail)*disk.Bsize
	if free < need {
		return fmt.Errorf("%s has %d MiB free, a lake of %d MiB and what is made of it need %d MiB", b.inputs, free>>20, bytes>>20, need>>20)
	}
	return nil
}
