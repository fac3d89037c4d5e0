package model

import "math/bits"

// plan makes the plan of what the table needs next (run.plan), or says that
// there is nothing to do, or halts. LIST of raw and LIST of the lake are one effect: what
// arrives between the two might as well have arrived behind both, and a commit between them
// changes Seq.
func (m *machine) plan(s *State, w int) {
	n := *s
	me := &n.Workers[w]
	item, raw := me.Item, s.Raw
	if me.Looked {
		raw = me.Listed
	}
	gen, whole := raw.generation()
	switch {
	case me.Compact:
		m.planCompact(&n, w)
	case item.Consumed&^raw.Arrived != 0:
		m.stop(&n, w, haltVanished)
	case !whole:
		*me = Worker{}
		m.emit(&n, Step{Does: "waits for the full load", Healthy: true})
	case gen != item.Gen:
		m.draft(&n, w, m.planLoad(s, &item, gen))
	default:
		m.planChanges(&n, w, raw)
	}
}

// planChanges merges late files, then the new ones (run.planChanges).
func (m *machine) planChanges(n *State, w int, raw Raw) {
	me := &n.Workers[w]
	item := me.Item
	fresh := raw.Arrived &^ item.Consumed
	if late := m.late(fresh, &item); late != 0 {
		fresh = late
	}
	if fresh == 0 && item.Accept != acceptReload {
		m.note(n, w)
		return
	}
	if m.repartitioned(n, item.Partition) {
		if item.Accept != acceptReload {
			m.stop(n, w, haltPartition)
			return
		}
		m.draft(n, w, m.planRewrite(n, &item))
		return
	}
	p := Plan{Kind: kindMerge, Moves: true, Aim: Aim{item.Consumed | fresh, item.Gen}}
	p.begin(&item)
	p.Was, p.Net = p.Aim, m.sc.net(fresh, item.Consumed, item.Gen, m.mutant)
	m.place(n, &p)
	m.draft(n, w, p)
}

// begin is newDraft: the plan follows the item as it was read.
func (p *Plan) begin(item *Item) {
	p.Base, p.Seq, p.Partition, p.Accept = item.Seq, item.Seq+1, item.Partition, item.Accept
}

// late are the files that sort before one consumed and do not belong to the load.
func (m *machine) late(fresh Set, item *Item) Set {
	if item.Consumed == 0 {
		return 0
	}
	below := Set(1)<<(bits.Len8(uint8(item.Consumed))-1) - 1
	return fresh & below &^ m.sc.superseded(item.Gen)
}

// note is run.note: what was accepted and nobody needs is taken back.
func (m *machine) note(n *State, w int) {
	me := &n.Workers[w]
	if n.Item.Exists && n.Item.Seq == me.Item.Seq && n.Item.Commit == 0 && me.Item.Accept != acceptNothing {
		n.Item.Accept = acceptNothing
	}
	*me = Worker{}
	m.emit(n, Step{Does: "finds nothing to do", Healthy: true})
}

// stop halts the table on what the item showed.
func (m *machine) stop(n *State, w int, reason Halt) {
	me := &n.Workers[w]
	*me = Worker{At: atHalt, Halt: reason, Seq: me.Seq}
	m.emit(n, Step{Does: "judges: " + reason.String(), Healthy: true})
}

// draft writes a plan down; it is not binding.
func (m *machine) draft(n *State, w int, p Plan) {
	me := &n.Workers[w]
	if p.Over && n.Item.Seq != p.Base {
		*me = Worker{} // more files than any lake here has at rest: it saw a commit half applied, and would be refused
		m.emit(n, Step{Does: "plans on an item that has moved on", Healthy: true})
		return
	}
	p.Knows = n.Ghost.Foreign
	id := m.newID(n)
	for i := range p.N {
		if op := &p.Ops[i]; op.Kind == opCreate {
			op.Name = made(id, i)
		}
	}
	n.Commits[id-1] = Commit{Plan: m.number(&p), Seq: p.Seq}
	n.BookSeq = max(n.BookSeq, p.Seq)
	*me = Worker{At: atCommit, Commit: id, Slept: me.Slept}
	m.emit(n, Step{Does: "plans " + p.Kind.String() + ", writes it down as", On: made(id, 0), Healthy: true})
}

// repartitioned says whether the rows lie in partitions of another key.
func (m *machine) repartitioned(s *State, key uint8) bool {
	for i := range s.Files {
		if f := &s.Files[i]; f.live() && f.Part>>2 != key {
			return true
		}
	}
	return false
}

// planLoad is draftLoad: a create for each LOAD object, then every older file to zero rows.
func (m *machine) planLoad(s *State, item *Item, gen uint8) Plan {
	consumed := s.Raw.Arrived & m.sc.superseded(gen)
	p := Plan{Kind: kindLoad, Moves: true, Doubles: true, Aim: Aim{consumed, gen}}
	p.begin(item)
	p.Was = p.Aim
	for object := range source(2) {
		op := Op{Kind: opCreate, Source: object + 1, At: token(gen)}
		for k, row := range m.sc.Gens[gen-1].Rows {
			if m.sc.Gens[gen-1].Object[k] == uint8(object) && row.Version != 0 {
				op.Set[k] = row.Version
				op.Part = row.Part | item.Partition<<2 // the rows of a LOAD object share theirs
			}
		}
		if op.Set != (Rows{}) {
			p.add(op)
		}
	}
	p.empty(s, func(*File) bool { return true })
	return p
}

// empty adds the rewriting of live files to zero rows.
func (p *Plan) empty(s *State, which func(*File) bool) {
	for i := range s.Files {
		if f := &s.Files[i]; f.live() && which(f) {
			p.add(Op{Kind: opEmpty, Name: f.Name, Pre: f.Content, Before: f.Rows})
		}
	}
}

// planRewrite is draftRewrite: the rows of each lake file go to a new one.
func (m *machine) planRewrite(s *State, item *Item) Plan {
	p := Plan{Kind: kindRewrite, Moves: true, Doubles: true, Aim: Aim{item.Consumed, item.Gen}}
	p.begin(item)
	p.Was = p.Aim
	for i := range s.Files {
		if f := &s.Files[i]; f.live() {
			p.add(Op{Kind: opCreate, Source: lakeSource, From: f.Name, At: f.Content, Part: f.Part&3 | item.Partition<<2, Set: f.Rows})
		}
	}
	p.empty(s, func(*File) bool { return true })
	return p
}

// planCompact is run.draftCompact: two files of one partition, the first that has two, become one.
func (m *machine) planCompact(n *State, w int) {
	me := &n.Workers[w]
	item := me.Item
	p := Plan{Kind: kindCompact, Doubles: true, Aim: Aim{item.Consumed, item.Gen}}
	p.begin(&item)
	p.Was = p.Aim
	for i := range n.Files {
		for j := range i {
			a, b := &n.Files[j], &n.Files[i]
			if p.N > 0 || !a.live() || !b.live() || a.Part != b.Part || m.repartitioned(n, item.Partition) {
				continue
			}
			op := Op{Kind: opCreate, Source: lakeSource, From: a.Name, At: a.Content, From2: b.Name, At2: b.Content, Part: a.Part, Set: a.Rows}
			for k, v := range b.Rows {
				switch {
				case m.sc.Keyless:
					op.Set[k] += v
				case v != 0:
					op.Set[k] = v
				}
			}
			p.add(op)
			p.empty(n, func(f *File) bool { return f.Name == a.Name || f.Name == b.Name })
		}
	}
	if p.N == 0 {
		*me = Worker{}
		m.emit(n, Step{Does: "finds nothing to compact", Healthy: true})
		return
	}
	m.draft(n, w, p)
}
