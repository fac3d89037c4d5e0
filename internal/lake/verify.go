package lake

import (
	"context"
	"errors"
	"fmt"

	"sluice/internal/dms"
)

// Claim is that the rows of lake files are the fold of a table's inputs. [Claim.Verify] tests it by a fold of
// its own, which shares types, conversions and canonical values with the merge and nothing else: inputs are never
// made into changes, nor located, nor applied.
//
// Every row is hashed, column by column, and only hashes are kept. Keys that a change file mentions are kept one by
// one; rows of the full load under other keys, which have to be in the lake as they are, are added up in buckets of
// keys, from which the lake's rows are taken away again: what does not come out as zero differs. So memory grows with
// the keys that changed, not with the table. Only when something differs are the keys of those buckets looked at one
// by one, and then the rows themselves.
//
// Hashes are XXH3 of 128 bits, seeded anew by every Verify: that two rows or keys are taken for one another happens
// once in 2^128 pairs.
type Claim struct {
	Schema            *Schema // of the lake, with every column of every file (Extend)
	OrderColumn       string
	Dialect           dms.Dialect // "" = as each input's columns say
	BeforeImagePrefix string      // "" is the default
	Load              []ClaimFile // files of the full load
	Changes           []ClaimFile // change files, in their order
	Lake              []ClaimFile
	CompareOp         bool  // the column Op, too; else it is left out
	MemoryBytes       int64 // bound of what is kept of keys; at least MinVerifyBytes
	Parallel          int   // row groups read at once
	Differences       int   // how many are looked up
	Parts             int   // least number of parts of the keys; more are made when memory asks for it
	Progress          func(done, total int)
}

// ClaimFile is an input or a lake file.
type ClaimFile struct {
	Name string // for differences and errors
	Dir  string // partition directory of a lake file
	Rows int64
	Open func(ctx context.Context) (dms.Columnar, error)
}

// MinVerifyBytes is the least memory that a claim can be verified in.
const MinVerifyBytes = 16 << 20

// Verdict is what came of a claim. Counts are rows: Missing and Surplus are in one place only, Duplicates
// are in the lake more often than the fold has them, Different have the right key and other values.
type Verdict struct {
	RowsRaw, RowsLake                       int64 // of the fold, of the lake
	Missing, Surplus, Duplicates, Different int64
	// Undecided keys were deleted and then written with a lower value of the order column: whether the row is there
	// depends on which files were merged together, so either is right.
	Undecided   int64
	Passes      int // how often everything was read
	Parts       int // of which each pass of the first kind took one
	Uncounted   bool
	Differences []Difference
}

// Equal says whether the claim holds.
func (v *Verdict) Equal() bool {
	return !v.Uncounted && v.Missing+v.Surplus+v.Duplicates+v.Different == 0
}

// maxCountParts bounds how many passes are made to count differences: a lake in which everything differs is
// counted in so many parts of its keys and no more.
const maxCountParts = 16

// Verify tests the claim. It reads everything once for each part of the keys; when something differs, the inputs
// and the lake once more to count it, and once more to show it. It writes nothing.
func (c *Claim) Verify(ctx context.Context) (*Verdict, error) {
	v, err := c.verifier()
	if err != nil {
		return nil, err
	}
	suspects, err := v.survey(ctx)
	if err != nil || len(suspects) == 0 {
		return &v.verdict, err
	}
	targets, err := v.count(ctx, suspects)
	if err != nil {
		return nil, err
	}
	return &v.verdict, v.show(ctx, targets)
}

// verifier is a claim being tested.
type verifier struct {
	*Claim
	hash    *hasher
	key     []int // places of the key columns
	order   int   // place of the order column, or -1
	buckets []hash128
	verdict Verdict
}

func (c *Claim) verifier() (*verifier, error) {
	key, err := c.Schema.places(c.Schema.Key)
	if err != nil {
		return nil, err
	}
	v := &verifier{Claim: c, key: key, order: -1, hash: newHasher(c.Schema, key)}
	if c.OrderColumn != "" && len(key) > 0 {
		at, err := c.Schema.places([]string{c.OrderColumn})
		if err != nil {
			return nil, err
		}
		v.order = at[0]
	}
	if c.MemoryBytes < MinVerifyBytes {
		return nil, fmt.Errorf("memory of %d bytes is below the least of %d", c.MemoryBytes, MinVerifyBytes)
	}
	rows, size := rowsOf(c.Load)+rowsOf(c.Lake), 1<<10
	for size < 1<<18 && int64(size)*16 < rows { // at most 4 MiB
		size *= 2
	}
	v.buckets = make([]hash128, size)
	return v, nil
}

func rowsOf(files []ClaimFile) int64 {
	var n int64
	for _, f := range files {
		n += f.Rows
	}
	return n
}

// errFull is returned when the keys of a part do not fit.
var errFull = errors.New("more keys than fit into the memory")

// inParts makes a pass over each part of the keys, in more parts when those planned turn out not to fit. It begins
// anew then: reset drops what the passes before found.
func (v *verifier) inParts(ctx context.Context, keys int64, most int, reset func(), do func(context.Context, *keys) error) (parts int, err error) {
	room := newRoom(v.MemoryBytes-int64(len(v.buckets))*hashBytes, keys, v.order >= 0, max(v.Parts, 1))
	for {
		reset()
		err := error(nil)
		for part := range min(room.parts, most) {
			if err = do(ctx, room.table(part)); err != nil {
				break
			}
		}
		if !errors.Is(err, errFull) {
			return room.parts, err
		}
		if err := room.grow(); err != nil {
			return room.parts, err
		}
	}
}

// survey finds the buckets in which something differs.
func (v *verifier) survey(ctx context.Context) (map[uint64]bool, error) {
	var suspects map[uint64]bool
	reset := func() {
		suspects = map[uint64]bool{}
		clear(v.buckets)
		v.verdict = Verdict{Passes: v.verdict.Passes}
	}
	changed := rowsOf(v.Changes)
	if len(v.key) == 0 {
		changed = 0
	}
	parts, err := v.inParts(ctx, changed, 1<<30, reset, func(ctx context.Context, k *keys) error {
		p := &pass{verifier: v, keys: k}
		if err := p.run(ctx); err != nil {
			return err
		}
		v.verdict.RowsRaw += p.rowsRaw
		v.verdict.RowsLake += p.rowsLake
		for n := range k.each() {
			switch {
			case k.state[n]&undecided != 0:
				v.verdict.Undecided++
			case k.differs(n):
				suspects[v.bucketOf(k.slots[n].key)] = true
			}
		}
		return nil
	})
	v.verdict.Parts = parts
	for n, sum := range v.buckets {
		if sum != (hash128{}) {
			suspects[uint64(n)] = true
		}
	}
	return suspects, err
}

// count counts what differs in the suspected buckets, key by key, and returns the first keys that do.
func (v *verifier) count(ctx context.Context, suspects map[uint64]bool) (map[hash128]*witness, error) {
	var targets map[hash128]*witness
	verdict := &v.verdict
	reset := func() {
		targets = map[hash128]*witness{}
		verdict.Missing, verdict.Surplus, verdict.Duplicates, verdict.Different = 0, 0, 0, 0
	}
	share := float64(len(suspects)) / float64(len(v.buckets))
	usual := share * float64(max(rowsOf(v.Load)+rowsOf(v.Changes), rowsOf(v.Lake)))
	estimate := int64(usual) + int64(len(suspects)) // beside the key that differs, a bucket has as many as any other
	parts, err := v.inParts(ctx, estimate, maxCountParts, reset, func(ctx context.Context, k *keys) error {
		p := &pass{verifier: v, keys: k, only: func(h hash128) bool { return suspects[v.bucketOf(h)] }}
		if err := p.run(ctx); err != nil {
			return err
		}
		for n := range k.each() {
			if k.state[n]&undecided != 0 || !k.differs(n) {
				continue
			}
			verdict.add(k.slots[n])
			if len(targets) < v.Differences {
				targets[k.slots[n].key] = &witness{}
			}
		}
		return nil
	})
	verdict.Uncounted = parts > maxCountParts
	return targets, err
}

func (v *Verdict) add(s slot) {
	raw, lake := int64(s.raw), int64(s.lake)
	switch {
	case raw == 0:
		v.Surplus += lake
	case lake < raw:
		v.Missing += raw - lake
	case lake > raw:
		v.Duplicates += lake - raw
	default:
		v.Different += raw
	}
}

func (v *verifier) bucketOf(h hash128) uint64 { return h.hi >> 8 & uint64(len(v.buckets)-1) }

// comparesOp says whether the column Op is compared: in a key-less table only inserts count.
func (v *verifier) comparesOp() bool { return v.CompareOp && len(v.key) > 0 }

// options say how inputs are read.
func (c *Claim) options() dms.Options {
	return dms.Options{Dialect: c.Dialect, BeforeImagePrefix: c.BeforeImagePrefix}
}

// read says that so many files of a pass are read.
func (v *verifier) read(files int) {
	if v.Progress != nil {
		v.Progress(files, len(v.Load)+len(v.Changes)+len(v.Lake))
	}
}
