package model

// list is the LIST of application.finish: every file of the plan that is not
// what this run itself saw applied is looked at.
func (m *machine) list(s *State, w int) {
	n := *s
	me := &n.Workers[w]
	p := m.planOf(s, me.Commit)
	me.Need = 0
	for i := range p.N {
		op := &p.Ops[i]
		if op.creates() && m.mutant == FinishSkipsCreates {
			continue
		}
		f := s.file(op.Name)
		if f == nil || me.Seen&(1<<i) == 0 || f.Content != m.content(me.Commit, i, op) {
			me.Need |= 1 << i
		}
	}
	me.verified(m, p)
	m.emit(&n, Step{Does: "lists the lake to finish", On: made(me.Commit, 0), Healthy: true})
}

// verified goes on when nothing is left to look at.
func (w *Worker) verified(m *machine, p *Plan) {
	switch {
	case w.Need != 0:
		w.At = atVerify
		return
	case p.Kind == kindFence:
		w.At = atPlanAgain
	case m.sc.Catalog:
		w.At = atCatalog
	default:
		w.At = atFinish
	}
	w.Op, w.Done, w.Seen, w.Known, w.Again = 0, 0, 0, false, false
}

// verify is application.verify for one file. One that is not written yet ends the run; the next one goes on.
func (m *machine) verify(s *State, w int) {
	n := *s
	me := &n.Workers[w]
	p := m.planOf(s, me.Commit)
	op := uint8(0)
	for me.Need&(1<<op) == 0 {
		op++
	}
	step := Step{Does: "looks, to finish, at", On: p.Ops[op].Name, Healthy: true}
	switch m.look(s, me.Commit, op) {
	case applied:
		me.Need &^= 1 << op
		me.verified(m, p)
		step.Outcome = "applied"
	case unapplied:
		*me = Worker{}
		step.Outcome = "not written yet: the run fails"
	case foreign:
		me.At, me.Op = atForeign, op
		step.Outcome = "somebody else's"
	}
	m.emit(&n, step)
}

// catalog registers the plan's partitions before Finish's update.
func (m *machine) catalog(s *State, w int) {
	n := *s
	me := &n.Workers[w]
	n.Catalog |= m.planOf(s, me.Commit).partitions()
	me.At = atFinish
	m.emit(&n, Step{Does: "registers, to finish, the partitions of", On: made(me.Commit, 0), Healthy: true})
}

// finish is statestore.Finish. Refused or in doubt: somebody else finished it, or the next run will.
func (m *machine) finish(s *State, w int) {
	r := Request{Kind: sendFinish, Commit: s.Workers[w].Commit}
	m.send(s, w, r, func(next *Worker, _ outcome) { *next = Worker{} })
}
