package model

// operator emits what an operator may do, inside the documented rules, at any
// time: while workers are mid-way, while requests are in flight.
func (m *machine) operator(s *State) {
	if !s.Item.Exists {
		m.register(s)
		m.importItem(s)
		return
	}
	m.acknowledge(s)
	m.flip(s)
	m.settings(s)
	m.restore(s)
}

// acknowledge answers a halt as it asks, or by a plain look again. The request may
// be late, as any other: then it must not clear a halt that nobody judged.
func (m *machine) acknowledge(s *State) {
	if s.Item.Halt == noHalt {
		return
	}
	accepts := map[Halt]Accept{haltForeign: acceptForeign, haltReload: acceptForeign, haltPartition: acceptReload}
	full := Request{Kind: sendAcknowledge, Halt: s.Item.Halt, Commit: s.Item.Commit, Accept: accepts[s.Item.Halt]}
	plain := full
	plain.Accept = acceptNothing
	for i, r := range [...]Request{full, plain} {
		n := *s
		m.takeOut(&n)
		m.deliver(&n, &r)
		m.emit(&n, Step{Does: r.verb(), Healthy: i == 0})
		if n = *s; m.sc.LateOperator && i == 0 && m.mayFly(&n, r) {
			m.emit(&n, Step{Does: r.verb(), Outcome: "times out, still on its way"})
		}
	}
}

// takeOut is what the operator does when a halt behind a fence asks for it: rows
// that the plan behind the fence will write go out of the file that somebody else wrote.
func (m *machine) takeOut(n *State) {
	if n.Item.Commit == 0 || n.Item.Halt != haltForeign {
		return
	}
	fence := m.planOf(n, n.Item.Commit)
	if fence.Kind != kindFence {
		return
	}
	old := m.planOf(n, fence.Old)
	for i := range old.N {
		op := &old.Ops[i]
		f := n.file(op.Name)
		if f == nil || f.Content < foreignContent {
			continue
		}
		was := f.Rows
		for k := range op.Set {
			if m.sc.Keyless && k < m.sc.Keys {
				f.Rows[k] -= min(f.Rows[k], op.Set[k])
			}
		}
		if old.movesRows() {
			f.Rows = Rows{}
			f.Rows[m.sc.Keys] = was[m.sc.Keys]
		}
		if f.Rows != was {
			f.Content++
		}
	}
}

// flip switches ActiveFlag off, and on again.
func (m *machine) flip(s *State) {
	n := *s
	switch {
	case !s.Item.Active:
		n.Item.Active = true
		m.emit(&n, Step{Does: "activates the table", Healthy: true})
	case s.Left.Flips > 0:
		n.Left.Flips--
		n.Item.Active = false
		m.emit(&n, Step{Does: "deactivates the table"})
	}
}

// settings changes PartitionKey, which stands for every setting.
func (m *machine) settings(s *State) {
	if s.Left.Partitions == 0 {
		return
	}
	n := *s
	n.Left.Partitions--
	n.Item.Partition = 1 - s.Item.Partition
	for i := range s.Files {
		n.Ghost.Settings = n.Ghost.Settings || s.Files[i].live()
	}
	n.Ghost.Settings = n.Ghost.Settings || s.Item.Commit != 0
	m.emit(&n, Step{Does: "changes PartitionKey"})
}

// register continues Seq from the bookkeeping (Engine.continueSeq).
func (m *machine) register(s *State) {
	n := *s
	n.Item = Item{Exists: true, Seq: s.BookSeq}
	if m.mutant == RegisterAtZero {
		n.Item.Seq = 0
	}
	m.emit(&n, Step{Does: "registers the table", Healthy: true})
}

// restore deletes the item, exports it, imports what was exported. An item is deleted
// only when nothing is pending: whoever drops a pending commit drops its fence.
func (m *machine) restore(s *State) {
	if s.Left.Exports > 0 {
		n := *s
		n.Left.Exports--
		n.Saved = s.Item
		m.emit(&n, Step{Does: "exports the item"})
	}
	if s.Left.Deletes > 0 && s.Item.Commit == 0 {
		n := *s
		n.Left.Deletes--
		n.Item = Item{}
		m.emit(&n, Step{Does: "deletes the item"})
	}
	m.importItem(s)
}

// importItem is Engine.Import: it raises Seq to that of the bookkeeping, and refuses
// to lower it or to drop a pending commit, unless it is forced.
func (m *machine) importItem(s *State) {
	if s.Left.Imports == 0 || !s.Saved.Exists {
		return
	}
	want, have := s.Saved, s.Item
	back := have.Exists && want.Seq < have.Seq
	drops := have.Commit != 0 && have.Commit != want.Commit
	drops = drops || want.Commit != 0 && want.Seq < s.BookSeq && m.mutant != ImportOldCommit // a commit that is not the latest
	if want.Commit == 0 && !back && m.mutant != ImportKeepsSeq {
		want.Seq = max(want.Seq, s.BookSeq)
	}
	if back || drops {
		return
	}
	n := *s
	n.Left.Imports--
	want.Halt, n.Item = have.Halt, want
	m.emit(&n, Step{Does: "imports the item"})
}
