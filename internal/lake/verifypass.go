package lake

import (
	"context"

	"sluice/internal/dms"
)

// pass reads everything once for one part of the keys: the changes in their order, then the full load, then the lake.
type pass struct {
	*verifier

	keys    *keys
	only    func(hash128) bool // of which keys everything is kept; nil = of those that changed, the others go to buckets
	witness map[hash128]*witness

	rowsRaw, rowsLake int64
}

func (p *pass) run(ctx context.Context) error {
	p.verdict.Passes++
	before := 0
	for _, step := range []struct {
		files []ClaimFile
		role  roleOf
		take  func(*slab) error
	}{{p.Changes, changeFile, p.changes}, {p.Load, loadFile, p.loads}, {p.Lake, lakeFile, p.lake}} {
		for s, err := range p.slabs(ctx, step.files, step.role) {
			if err != nil {
				return err
			}
			if err := step.take(s); err != nil {
				return err
			}
			p.read(before + s.file.n + 1)
		}
		before += len(step.files)
		p.read(before)
		if step.role == loadFile {
			p.settle()
		}
	}
	return nil
}

// wanted says whether a key is looked at in this pass.
func (p *pass) wanted(h hash128) bool { return p.keys.mine(h) && (p.only == nil || p.only(h)) }

// changes folds the changes of a slab. In a key-less table inserts are rows like those of a load, and nothing else counts.
func (p *pass) changes(s *slab) error {
	if len(p.key) == 0 {
		return p.loads(s)
	}
	for i := range s.row {
		op := s.op(i)
		told := op == dms.Update || op == dms.Insert && s.file.op < 0 && s.file.gone < 0 // a row of a file without ops may be an update
		if told && s.old != nil && s.old[i] != s.key[i] {
			if err := p.change(s, i, effect{key: s.old[i], remove: true, order: s.orderOf(i)}); err != nil {
				return err
			}
		}
		if err := p.change(s, i, effect{key: s.key[i], row: s.row[i], remove: op == dms.Delete, order: s.orderOf(i)}); err != nil {
			return err
		}
	}
	return nil
}

func (p *pass) change(s *slab, i int, e effect) error {
	if !p.wanted(e.key) {
		return nil
	}
	applied, err := p.keys.change(e)
	if w := p.witness[e.key]; w != nil && applied {
		w.changed(s.at(i), e.remove)
	}
	return err
}

// loads takes rows that are in the lake as they are, unless a change says otherwise.
func (p *pass) loads(s *slab) error {
	for i, h := range s.key {
		if !p.wanted(h) || s.file.role == changeFile && s.op(i) != dms.Insert {
			continue
		}
		n, err := p.slotOf(h)
		switch {
		case err != nil:
			return err
		case n < 0:
			p.rowsRaw++
			p.buckets[p.bucketOf(h)].add(s.row[i])
			continue
		}
		if err := p.keys.loaded(n, effect{key: h, row: s.row[i], order: s.orderOf(i)}); err != nil {
			return err
		}
		if w := p.witness[h]; w != nil {
			w.loaded(s.at(i))
		}
	}
	return nil
}

// slotOf returns the slot of a row that no change names: -1 where the row goes to a bucket.
func (p *pass) slotOf(h hash128) (int, error) {
	if p.only != nil {
		return p.keys.slotFor(h)
	}
	if n, there := p.keys.find(h); there {
		return n, nil
	}
	return -1, nil
}

// settle ends the fold.
func (p *pass) settle() {
	for n := range p.keys.each() {
		outranked := p.keys.outranked(n)
		if w := p.witness[p.keys.slots[n].key]; w != nil {
			w.settle(outranked || p.keys.state[n]&changed == 0)
		}
		p.rowsRaw += int64(p.keys.slots[n].raw)
	}
}

// lake takes the lake's rows away from the fold's.
func (p *pass) lake(s *slab) error {
	for i, h := range s.key {
		if !p.wanted(h) {
			continue
		}
		p.rowsLake++
		n, err := p.slotOf(h)
		switch {
		case err != nil:
			return err
		case n < 0:
			p.buckets[p.bucketOf(h)].sub(s.row[i])
			continue
		}
		p.keys.slots[n].lake++
		p.keys.slots[n].sum.sub(s.row[i])
		if w := p.witness[h]; w != nil {
			w.inLake(s.at(i))
		}
	}
	return nil
}

// op returns what happened to a row.
func (s *slab) op(i int) dms.Op {
	if s.ops == nil {
		return dms.Insert
	}
	return s.ops[i]
}

func (s *slab) orderOf(i int) string {
	if s.order == nil {
		return ""
	}
	return s.order[i]
}

// at says where a row is.
func (s *slab) at(i int) rowAt { return rowAt{s.file.role, s.file.n, s.group, s.from + int64(i)} }
