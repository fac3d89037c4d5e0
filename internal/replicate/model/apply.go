package model

// apply chooses the next op (applyPhase): phase 1, the catalog, phase 2. Inside a
// phase any order may happen. Then the run goes on to Finish.
func (m *machine) apply(s *State, w int) {
	me := &s.Workers[w]
	if m.pulse(s, w) {
		return
	}
	p := m.planOf(s, me.Commit)
	first, last := p.phase(me.Done, m.mutant)
	if first > 0 && !me.Known && m.sc.Catalog && m.mutant != CatalogLate {
		n := *s
		n.Workers[w].Known = true
		n.Catalog |= p.partitions()
		m.emit(&n, Step{Does: "registers the partitions of", On: made(me.Commit, 0), Healthy: true})
		return
	}
	for op := first; op < last; op++ {
		if me.Done&(1<<op) != 0 {
			continue
		}
		if me.Again {
			m.head(s, w, op)
			continue
		}
		m.write(s, w, op)
	}
	if me.Done == p.all() {
		n := *s
		n.Workers[w].At, n.Workers[w].Op = atList, 0
		m.list(&n, w)
	}
}

// pulse is application.pulse: after a long time the item is read again before anything is written.
// Inside a minute nothing is read; a worker that reads more often only stops earlier.
func (m *machine) pulse(s *State, w int) bool {
	me := &s.Workers[w]
	if !me.Slept || m.mutant == NoReread {
		return false
	}
	n := *s
	if n.Workers[w].Slept = false; s.Item.Commit != me.Commit {
		n.Workers[w] = Worker{}
	}
	m.emit(&n, Step{Does: "has slept: reads the item again", Healthy: true})
	return true
}

// status is what a HEAD says of an op's file.
type status uint8

const (
	applied status = iota
	unapplied
	foreign
)

// look is application.missing: a file is as the op leaves it, or as it was before, or else somebody else's.
func (m *machine) look(s *State, commit, n uint8) status {
	op := &m.planOf(s, commit).Ops[n]
	f := s.file(op.Name)
	switch {
	case f == nil && op.creates():
		return unapplied
	case f == nil && op.Kind == opRefresh:
		return applied
	case f == nil:
		return foreign
	case f.Content == m.content(commit, n, op):
		return applied
	case !op.creates() && f.Content == op.Pre && m.mutant == HeadHaltsUnapplied:
		return foreign
	case !op.creates() && f.Content == op.Pre:
		return unapplied
	case op.Kind == opBlock, op.Kind == opRefresh:
		return applied
	case m.mutant == DiffersIsApplied:
		return applied
	}
	return foreign
}

// content is what the op's body is: its marks.
func (m *machine) content(commit, n uint8, op *Op) token {
	if op.Kind == opRefresh && m.mutant == FenceKeepsBytes {
		return op.Pre
	}
	return made(commit, n)
}

// head looks at an op's file and decides how to go on (applyOp).
func (m *machine) head(s *State, w int, op uint8) {
	n := *s
	me := &n.Workers[w]
	lost := me.At == atLost
	step := Step{Does: "looks at", On: m.planOf(s, me.Commit).Ops[op].Name, Healthy: true}
	me.Op = op
	switch m.look(s, me.Commit, op) {
	case applied:
		me.did(op)
		step.Outcome = "applied"
	case unapplied:
		me.At = atWrite
		if lost {
			me.At = atLostRead
		}
		step.Outcome = "not applied"
	case foreign:
		me.At = atForeign
		step.Outcome = "somebody else's"
	}
	m.emit(&n, step)
}

func (w *Worker) did(op uint8) {
	w.At, w.Op = atApply, 0
	w.Done |= 1 << op
	w.Seen |= 1 << op
}

// write reads what the body is made of. A load's creates read LOAD objects, a
// rewriting of the table lake files, at the ETag of the plan; a rewrite reads its own file,
// of which the PUT's If-Match makes the same condition, so that both are one effect here.
func (m *machine) write(s *State, w int, op uint8) {
	me := &s.Workers[w]
	if m.pulse(s, w) {
		return
	}
	o := &m.planOf(s, me.Commit).Ops[op]
	if o.Source == noSource {
		m.put(s, w, op)
		return
	}
	n := *s
	n.Workers[w].Op, n.Workers[w].At = op, atPut
	step := Step{Does: "reads the source of", On: o.Name, Healthy: true}
	if !o.sourceIs(s) {
		n.Workers[w].At = atLost
		step.Outcome = "it changed"
	}
	m.emit(&n, step)
}

// put sends the body (application.end): conditional on no file, or on the ETag that the plan found.
func (m *machine) put(s *State, w int, op uint8) {
	me := &s.Workers[w]
	if m.pulse(s, w) {
		return
	}
	o := &m.planOf(s, me.Commit).Ops[op]
	body := File{Name: o.Name, Content: m.content(me.Commit, op, o), Part: o.Part, Rows: o.Set}
	if f := s.file(o.Name); !o.creates() {
		if f == nil || f.Content != o.Pre && !m.unconditional(o.Kind == opEmpty) {
			n := *s // GET If-Match fails: nothing is sent
			n.Workers[w].At, n.Workers[w].Op = atHead, op
			m.emit(&n, Step{Does: "reads", On: o.Name, Outcome: "it is not what it was", Healthy: true})
			return
		}
		body.Rows, body.Part = o.body(f.Rows, m.sc.Keyless), f.Part
	}
	r := Request{Kind: sendPut, Commit: me.Commit, File: body, Pre: o.Pre}
	m.send(s, w, r, func(next *Worker, out outcome) {
		if out == done {
			next.did(op)
			return
		}
		next.At, next.Op = atHead, op
	})
}

// judge reads the item when an op cannot be applied: the commit was finished
// elsewhere, or it cannot be finished, which is a halt (application.foreign, lost).
func (m *machine) judge(s *State, w int) {
	n := *s
	me := &n.Workers[w]
	if s.Item.Commit != me.Commit {
		*me = Worker{}
		m.emit(&n, Step{Does: "reads the item: finished elsewhere", Healthy: true})
		return
	}
	reason := haltForeign
	if me.At == atLostRead && m.planOf(s, me.Commit).Ops[me.Op].Source <= lastLoad {
		reason = haltReload
	}
	*me = Worker{At: atHalt, Halt: reason, Commit: me.Commit, Seq: me.Seq}
	m.emit(&n, Step{Does: "reads the item: the commit is pending and cannot be finished", Healthy: true})
}
