package model

// replace puts a fence in the place of a commit that cannot be finished
// (run.replace): every write of it that was not applied becomes impossible.
func (m *machine) replace(n *State, w int) {
	id := n.Item.Commit
	old := m.planOf(n, id)
	if m.mutant == ReplaceWithoutFence {
		m.draftAgain(n, w, again{old: old, id: id, replaces: id, accept: n.Item.Accept})
		return
	}
	p := Plan{
		Kind: kindFence, Base: n.Item.Seq, Seq: n.Item.Seq, Partition: n.Item.Partition, Accept: n.Item.Accept, Old: id,
		Aim: old.Aim, Was: old.Was, Doubles: old.Doubles,
	}
	for i := range old.N {
		op := old.Ops[i]
		fenced := Op{Kind: opRefresh, Name: op.Name, Pre: op.Pre, Before: op.Before}
		if op.creates() {
			fenced = Op{Kind: opBlock, Name: op.Name, Part: op.Part}
		}
		p.add(fenced)
	}
	m.draft(n, w, p)
}

// again is what a plan is made from that takes the place of another.
type again struct {
	old      *Plan
	id       uint8 // of old
	fence    uint8 // 0 in a mutant
	replaces uint8
	accept   Accept // as the item was read behind the fence
}

// planAgain is run.planAgain, when every op of the fence is applied.
func (m *machine) planAgain(s *State, w int) {
	n := *s
	me := &n.Workers[w]
	fence := m.planOf(s, me.Commit)
	m.draftAgain(&n, w, again{m.planOf(s, fence.Old), fence.Old, me.Commit, me.Commit, me.Item.Accept})
}

func (m *machine) draftAgain(n *State, w int, a again) {
	p := Plan{
		Kind: a.old.Kind, Base: a.old.Seq, Seq: a.old.Seq, Partition: a.old.Partition, Accept: a.old.Accept, Old: a.replaces,
		Moves: a.old.Moves, Keeps: a.old.Keeps, Doubles: a.old.Doubles, Aim: a.old.Aim, Was: a.old.Was,
	}
	stop := false
	switch {
	case a.old.Kind == kindMerge && m.sc.Keyless:
		p.Net, stop = m.unapplied(n, a)
		m.place(n, &p)
	case a.old.Kind == kindMerge:
		p.Net = a.old.Net
		m.place(n, &p)
	default:
		stop = m.emptyAgain(n, &p, a)
	}
	if stop {
		me := &n.Workers[w]
		*me = Worker{At: atHalt, Halt: haltForeign, Commit: a.replaces, Seq: a.old.Seq}
		m.emit(n, Step{Does: "cannot tell which rows are in the lake", Healthy: true})
		return
	}
	m.draft(n, w, p)
}

// mark is run.markOf: the commit that wrote a lake file, 0 for another writer's.
func (s *State) mark(name token) (commit uint8, there bool) {
	f := s.file(name)
	if f == nil {
		return 0, false
	}
	return f.Content.commit(), true
}

// unapplied is run.unapplied: the inserts of a key-less plan that are not in the
// lake. A created file is there or is the fence's; of a file that was rewritten by
// somebody else nothing tells whether the plan's rows are in it: an operator has to.
func (m *machine) unapplied(s *State, a again) (rows Net, stop bool) {
	for i := range a.old.N {
		op := &a.old.Ops[i]
		mark, there := s.mark(op.Name)
		switch {
		case mark == a.id, op.creates() && there && mark != a.fence && m.mutant != KeylessByMark:
			continue
		case there && !op.creates() && mark != a.fence && m.mutant != KeylessByMark:
			stop = stop || a.accept != acceptForeign
		}
		for k, v := range op.Set {
			if v != 0 {
				rows[k] = a.old.Net[k]
			}
		}
	}
	return rows, stop
}

// emptyAgain is run.emptyAgain: what is left of a load or a rewriting, when every
// create was there before the fence; else what it created to zero rows.
func (m *machine) emptyAgain(s *State, p *Plan, a again) (stop bool) {
	lacking := false
	targets := map[token]bool{}
	for i := range a.old.N {
		op := &a.old.Ops[i]
		mark, there := s.mark(op.Name)
		switch {
		case !op.creates():
			targets[op.Name] = true
		case !there || mark == a.fence:
			lacking = true
		}
	}
	forward := !lacking && a.old.Kind != kindUndo
	if a.old.movesRows() && (a.old.Kind != kindCompact || m.mutant != CompactReplacedAsLoad) {
		var undo bool
		if targets, undo, stop = m.mayEmpty(s, lacking, a); stop {
			return true
		}
		forward = !undo
	}
	if !forward && a.old.Kind != kindUndo {
		if targets, stop = m.undoing(s, a); stop {
			return true
		}
		p.Kind, p.Moves, p.Was = kindUndo, false, a.old.Aim
		p.Aim = s.Ghost.Aim
		p.Keeps = a.undone(m, s)
	}
	p.empty(s, func(f *File) bool { return targets[f.Name] })
	return false
}

// undoing is run.mayUndo: the files that the plan created are emptied, but not one of a
// rewriting in which somebody else wrote: what of it is to stay, an operator has to say.
func (m *machine) undoing(s *State, a again) (targets map[token]bool, stop bool) {
	targets = map[token]bool{}
	for i := range a.old.N {
		op := &a.old.Ops[i]
		if !op.creates() {
			continue
		}
		mark, there := s.mark(op.Name)
		kept := a.old.movesRows() && there && mark != a.id && mark != a.fence && m.mutant != UndoEverything
		targets[op.Name] = !kept
		stop = stop || kept && a.accept != acceptForeign
	}
	return targets, stop
}

// undone is again.undone: what was accepted for a plan that is undone holds for the next one.
func (a again) undone(m *machine, s *State) Accept {
	if a.fence == 0 {
		return acceptNothing
	}
	switch m.planOf(s, a.fence).Accept {
	case acceptReload:
		return acceptReload
	case acceptForeign:
		return a.old.Accept
	case acceptNothing:
	}
	return acceptNothing
}

// mayEmpty is run.mayEmpty: sources that somebody else wrote are the base now.
func (m *machine) mayEmpty(s *State, lacking bool, a again) (left map[token]bool, undo, stop bool) {
	left = map[token]bool{}
	begun, undo, changed := false, lacking, false
	for i := range a.old.N {
		op := &a.old.Ops[i]
		if op.creates() {
			continue
		}
		mark, there := s.mark(op.Name)
		switch {
		case mark == a.id:
			begun = true
		case mark == a.fence && a.fence != 0:
			left[op.Name] = true
		case !there:
			undo = true
		default:
			undo, changed = true, true
		}
	}
	if begun && (changed || lacking) && a.accept != acceptForeign {
		return nil, false, true
	}
	return left, undo && !begun, false
}
