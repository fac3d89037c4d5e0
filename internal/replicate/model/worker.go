package model

// Worker is one table run. There is no lease: both may work at any time, and
// stand still between any two effects.
type Worker struct {
	At      at
	Commit  uint8 // the commit that is drafted or carried out
	Op      uint8 // the op in hand
	Done    uint8 // ops that are applied as far as this run knows, one bit each
	Seen    uint8 // application.applied: ops that this run saw applied
	Need    uint8 // ops that Finish has to look at one by one
	Seq     uint8 // of the item that was judged
	Halt    Halt  // what is to be recorded
	Again   bool  // application.again
	Slept   bool  // so long ago that the item was read that it is read again before the next write
	Known   bool  // the partitions of the creates are in the catalog
	Listed  Raw   // run.listed: taken before the item was read
	Looked  bool  // Listed is to be used
	Compact bool  // it was told to compact
	Item    Item  // as read, until there is a draft
}

// at is where a worker stands: what its next effect is.
type at uint8

const (
	idle          at = iota
	atRead           // listed; the item is read next (run.start → run.work)
	atPlan           // run.plan: list inputs and lake, write the draft down
	atCommit         // statestore.Commit or Replace
	atCommitDoubt    // Store.bound: read the item back
	atApply          // applyPhase: choose an op
	atHead           // application.missing for the op in hand
	atWrite          // application.write: read what the body is made of
	atPut            // Upload.Close
	atLost           // a source changed: look at the op's own file
	atLostRead       // application.lost: read the item
	atForeign        // application.foreign: read the item
	atHalt           // statestore.Halt
	atList           // application.finish: LIST
	atVerify         // application.verify: HEAD
	atCatalog        // the plan's partitions, again, before Finish's update
	atFinish         // statestore.Finish
	atPlanAgain      // run.planAgain behind a fence
)

// run emits everything that worker w may do next.
func (m *machine) run(s *State, w int) {
	me := &s.Workers[w]
	if me.At != idle {
		n := *s
		n.Workers[w] = Worker{}
		m.emit(&n, Step{Does: "dies"})
	}
	switch me.At {
	case idle:
		m.start(s, w)
	case atRead:
		m.read(s, w)
	case atPlan:
		m.plan(s, w)
	case atCommit:
		m.commit(s, w)
	case atCommitDoubt:
		m.readBack(s, w)
	case atApply:
		m.apply(s, w)
	case atHead, atLost:
		m.head(s, w, me.Op)
	case atWrite:
		m.write(s, w, me.Op)
	case atPut:
		m.put(s, w, me.Op)
	case atLostRead, atForeign:
		m.judge(s, w)
	case atHalt:
		m.halt(s, w)
	case atList:
		m.list(s, w)
	case atVerify:
		m.verify(s, w)
	case atCatalog:
		m.catalog(s, w)
	case atFinish:
		m.finish(s, w)
	case atPlanAgain:
		m.planAgain(s, w)
	}
}

// start begins a run (run.start): where the scenario says so with a listing that
// is taken before the item is read again under the lease (run.resting).
func (m *machine) start(s *State, w int) {
	m.read(s, w)
	m.startCompact(s, w)
	if !m.sc.Listing || !s.Item.Exists || s.Item.Commit != 0 || s.Item.Halt != noHalt || !s.Item.Active {
		return
	}
	n := *s
	n.Workers[w] = Worker{At: atRead, Listed: s.Raw, Looked: true, Item: s.Item}
	m.emit(&n, Step{Does: "lists raw before it reads the item"})
}

// startCompact begins a compaction (run.compact), which the operator asks for, or the end of a run.
func (m *machine) startCompact(s *State, w int) {
	item := s.Item
	if s.Left.Compacts == 0 || !item.Exists || !item.Active || item.Commit != 0 || item.Halt != noHalt || item.Accept != acceptNothing || item.Gen == 0 {
		return
	}
	n := *s
	n.Left.Compacts--
	n.Workers[w] = Worker{At: atPlan, Item: item, Seq: item.Seq, Compact: true}
	m.emit(&n, Step{Does: "reads the item to compact"})
}

// read is run.step: what the item says comes next. A worker that has nothing to do stays as it is.
func (m *machine) read(s *State, w int) {
	me, item := s.Workers[w], s.Item
	n := *s
	next := &n.Workers[w]
	*next = Worker{}
	step := Step{Does: "reads the item", Healthy: true}
	switch {
	case !item.Exists:
	case item.Commit != 0:
		m.readPending(&n, w)
		return
	case item.Halt != noHalt || !item.Active:
	case m.idle(s) && !me.Looked:
	default:
		*next = Worker{At: atPlan, Item: item, Seq: item.Seq, Listed: me.Listed, Looked: me.Looked}
		sameLedger := me.Item.Consumed == item.Consumed && me.Item.Gen == item.Gen
		if !sameLedger && m.mutant != KeepOldListing {
			next.Looked, next.Listed = false, Raw{}
		}
	}
	if *next != me {
		m.emit(&n, step)
	}
}

// idle says whether the listing is the one that the item sums up (run.resting),
// or shows a full load that is still arriving, for which a run waits.
func (m *machine) idle(s *State) bool {
	gen, whole := s.Raw.generation()
	return !whole || s.Item.Digest == s.Raw.Arrived && gen == s.Item.Gen && s.Item.Accept == acceptNothing
}

// readPending is run.stepPending: roll forward, or replace what cannot be finished.
func (m *machine) readPending(n *State, w int) {
	item, next := n.Item, &n.Workers[w]
	old := m.planOf(n, item.Commit)
	carry := Worker{At: atApply, Commit: item.Commit, Seq: item.Seq, Again: true}
	if old.Kind == kindFence {
		carry.Item.Accept = item.Accept // asked behind the fence
	}
	switch {
	case n.Commits[item.Commit-1].Gone:
		if item.Halt != noHalt {
			break
		}
		*next = Worker{At: atHalt, Halt: haltBookkeeping, Commit: item.Commit, Seq: item.Seq}
		m.emit(n, Step{Does: "reads the item; its plan is gone", Healthy: true})
	case m.mayReplace(n, old):
		m.replace(n, w)
	case item.Halt != noHalt:
		if *next != (Worker{}) {
			*next = Worker{}
			m.emit(n, Step{Does: "reads the item: halted", Healthy: true})
		}
	default:
		*next = carry
		m.emit(n, Step{Does: "reads the item and rolls forward", On: made(item.Commit, 0), Healthy: true})
		if m.sc.Split { // a function of its own finishes: it does not know who applied what
			carry.At = atList
			*next = carry
			m.emit(n, Step{Does: "reads the item to finish", On: made(item.Commit, 0)})
		}
	}
}

// readBack is Store.bound: the item tells whether the commit with the lost answer is ours.
func (m *machine) readBack(s *State, w int) {
	n := *s
	me := &n.Workers[w]
	if s.Item.Commit == me.Commit {
		me.carry(m, s)
		m.emit(&n, Step{Does: "reads back: its commit is binding", Healthy: true})
		return
	}
	*me = Worker{}
	m.emit(&n, Step{Does: "reads back: its commit is not binding", Healthy: true})
}

// carry goes on from a binding commit to its ops.
func (w *Worker) carry(m *machine, s *State) {
	if m.planOf(s, w.Commit).Kind == kindFence { // run.replace ends the step: the item is read again
		*w = Worker{}
		return
	}
	*w = Worker{At: atApply, Commit: w.Commit, Seq: m.planOf(s, w.Commit).Seq, Slept: w.Slept}
}

// commit is statestore.Commit, or Replace for a fence and for the plan behind one.
// However long a draft lay there: the janitor leaves what bears a number that the item has not passed.
func (m *machine) commit(s *State, w int) {
	me := s.Workers[w]
	kind := sendCommit
	if m.planOf(s, me.Commit).Old != 0 {
		kind = sendReplace
	}
	r := Request{Kind: kind, Commit: me.Commit}
	m.send(s, w, r, func(next *Worker, o outcome) {
		switch o {
		case done:
			next.carry(m, s)
		case refused:
			*next = Worker{}
		case doubt:
			next.At = atCommitDoubt
		}
	})
}

// halt is statestore.Halt; whatever comes of it, the run ends.
func (m *machine) halt(s *State, w int) {
	me := s.Workers[w]
	r := Request{Kind: sendHalt, Commit: me.Commit, Seq: me.Seq, Halt: me.Halt}
	m.send(s, w, r, func(next *Worker, _ outcome) { *next = Worker{} })
}

// mayReplace is run.mayReplace: the operator accepted the lake as it is, or a complete newer full load is there.
func (m *machine) mayReplace(s *State, p *Plan) bool {
	gen, whole := s.Raw.generation()
	known := s.Item.Gen
	if p.Kind == kindLoad {
		known = p.Aim.Gen
	}
	switch {
	case p.Kind == kindFence:
		return false
	case s.Item.Accept == acceptForeign:
		return true
	case s.Item.Halt != noHalt, s.Item.Accept == acceptReload:
		return whole && gen != known
	}
	return false
}
