package model

// Request is a write on its way. Whether it is carried out is decided where it arrives, by its condition.
type Request struct {
	Kind   sending
	Commit uint8
	Seq    uint8
	Halt   Halt
	Accept Accept
	File   File  // of a PUT: the file as it leaves it; of a DELETE: the file as it was listed
	Pre    token // of a PUT: If-Match; 0 = If-None-Match
}

// sending is what a request does.
type sending uint8

const (
	noRequest sending = iota
	sendPut
	sendCommit
	sendReplace
	sendFinish
	sendHalt
	sendAcknowledge
	sendDelete
)

// outcome is what the sender learns.
type outcome uint8

const (
	done outcome = iota
	refused
	doubt // an error that leaves open whether it was carried out
)

// send emits every fate of a request: carried out or refused; carried out and
// the answer lost; lost on its way; still on its way when its sender stops waiting.
func (m *machine) send(s *State, w int, r Request, after func(*Worker, outcome)) {
	step := Step{Does: r.verb(), On: r.on()}
	n := *s
	o := refused
	if m.deliver(&n, &r) {
		o = done
	}
	after(&n.Workers[w], o)
	carried := step
	carried.Healthy, carried.Outcome = true, "done"
	if o == refused {
		carried.Outcome = "refused"
	}
	m.emit(&n, carried)
	if m.sc.Lost {
		n = *s
		after(&n.Workers[w], doubt)
		step.Outcome = "lost on its way"
		m.emit(&n, step)
	}
	if m.sc.Lost && o == done {
		n = *s
		m.deliver(&n, &r)
		after(&n.Workers[w], doubt)
		step.Outcome = "done, but the answer is lost"
		m.emit(&n, step)
	}
	if n = *s; m.mayFly(&n, r) {
		after(&n.Workers[w], doubt)
		step.Outcome = "times out, still on its way"
		m.emit(&n, step)
	}
}

func (m *machine) mayFly(n *State, r Request) bool {
	inTheAir := 0
	for _, f := range n.Flights {
		if f.Kind != noRequest {
			inTheAir++
		}
		if f == r {
			return false // a second copy: arrive does that
		}
	}
	return inTheAir < m.sc.Flights && n.fly(r)
}

// arrive lets a request in flight arrive, the last time or to come again.
func (m *machine) arrive(s *State) {
	for i := range s.Flights {
		r := s.Flights[i]
		if r.Kind == noRequest {
			continue
		}
		n := *s
		done := m.deliver(&n, &r)
		step := Step{Does: "late: " + r.verb(), On: r.on(), Outcome: "refused"}
		if done {
			step.Outcome = "done, and will arrive again"
			m.emit(&n, step)
			step.Outcome = "done"
		}
		n.Flights[i] = Request{}
		m.emit(&n, step)
	}
}

// deliver carries a request out if its condition holds.
func (m *machine) deliver(n *State, r *Request) bool {
	switch r.Kind {
	case noRequest:
	case sendPut:
		return m.deliverPut(n, r)
	case sendCommit:
		return m.deliverCommit(n, r)
	case sendReplace:
		return m.deliverReplace(n, r)
	case sendFinish:
		return m.deliverFinish(n, r)
	case sendHalt:
		return m.deliverHalt(n, r)
	case sendAcknowledge:
		return m.deliverAcknowledge(n, r)
	case sendDelete:
		if f := n.file(r.File.Name); f != nil && f.Content == r.File.Content {
			n.remove(r.File.Name)
			return true
		}
	}
	return false
}

func (m *machine) deliverPut(n *State, r *Request) bool {
	f := n.file(r.File.Name)
	switch {
	case r.Pre == 0 && f != nil && m.mutant != CreateUnconditional:
		return false
	case r.Pre != 0 && (f == nil || f.Content != r.Pre) && !m.unconditional(r.File.Rows == Rows{}):
		return false
	}
	n.put(r.File)
	return true
}

// unconditional says whether a rewrite, which empties a file or not, is not conditional on what it rewrites.
func (m *machine) unconditional(empties bool) bool {
	return m.mutant == RewriteUnconditional || m.mutant == EmptyUnconditional && empties
}

// deliverCommit is the conditional update of Store.Commit.
func (m *machine) deliverCommit(n *State, r *Request) bool {
	item, p := &n.Item, m.planOf(n, r.Commit)
	settings := item.Partition == p.Partition && item.Accept == p.Accept
	switch {
	case !item.Exists, !item.Active, item.Halt != noHalt:
		return false
	case item.Seq != p.Base && m.mutant != CommitAnySeq:
		return false
	case item.Commit != 0: // implied by Seq, unless an import brought an older one back
		return false
	case !settings && m.mutant != CommitAnySettings:
		return false
	}
	m.bind(n, r.Commit, p)
	return true
}

// deliverReplace is that of Store.Replace, conditional on Seq and on the commit that it replaces.
func (m *machine) deliverReplace(n *State, r *Request) bool {
	item, p := &n.Item, m.planOf(n, r.Commit)
	if !item.Exists || item.Seq != p.Base || item.Commit != p.Old {
		return false
	}
	if p.Kind == kindFence || m.mutant != ReplaceKeepsHalt {
		item.Halt = noHalt // it was over the commit that is replaced
	}
	m.bind(n, r.Commit, p)
	return true
}

func (m *machine) bind(n *State, commit uint8, p *Plan) {
	n.Item.Seq, n.Item.Commit, n.Item.Accept = p.Seq, commit, acceptNothing
	if m.mutant == WatermarkFirst && p.Moves {
		n.Item.Consumed, n.Item.Gen = p.Aim.Consumed, p.Aim.Gen
	}
}

// deliverFinish is that of Store.Finish.
func (m *machine) deliverFinish(n *State, r *Request) bool {
	item, p := &n.Item, m.planOf(n, r.Commit)
	if !item.Exists || item.Seq != p.Seq || item.Commit != r.Commit {
		return false
	}
	item.Commit = 0
	if m.mutant != FinishKeepsHalt {
		item.Halt = noHalt // it was over this commit
	}
	if p.Keeps != acceptNothing {
		item.Accept = p.Keeps
	}
	if p.Kind == kindCompact && m.sc.Books {
		item.Index = r.Commit
	}
	if !p.Moves {
		return true
	}
	item.Consumed, item.Gen, item.Digest = p.Aim.Consumed, p.Aim.Gen, p.Aim.Consumed
	if m.mutant == DigestOfFinish {
		item.Digest = n.Raw.Arrived
	}
	if m.sc.Books {
		item.Ledger, item.Index = r.Commit, r.Commit
	}
	n.Ghost.Aim = p.Aim
	return true
}

// deliverHalt is that of Store.Halt.
func (m *machine) deliverHalt(n *State, r *Request) bool {
	item := &n.Item
	ours := item.Commit == r.Commit && item.Seq == r.Seq || m.mutant == HaltAnyCommit
	if !item.Exists || !ours || item.Halt != noHalt {
		return false
	}
	item.Halt = r.Halt
	return true
}

// deliverAcknowledge is that of Store.Acknowledge: conditional on the reason that the operator judged, which names the commit.
func (m *machine) deliverAcknowledge(n *State, r *Request) bool {
	item := &n.Item
	judged := item.Halt == r.Halt && item.Commit == r.Commit
	if !item.Exists || item.Halt == noHalt || !judged {
		return false
	}
	item.Halt = noHalt
	if r.Accept != acceptNothing {
		item.Accept = r.Accept
	}
	return true
}

func (r *Request) verb() string {
	switch r.Kind {
	case noRequest:
	case sendPut:
		if r.Pre == 0 {
			return "PUT If-None-Match"
		}
		return "PUT If-Match"
	case sendCommit:
		return "commits"
	case sendReplace:
		return "replaces the pending commit by"
	case sendFinish:
		return "finishes"
	case sendHalt:
		return "halts the table (" + r.Halt.String() + ")"
	case sendAcknowledge:
		return "acknowledges (" + r.Halt.String() + ", accepting " + r.Accept.String() + ")"
	case sendDelete:
		return "DELETE If-Match"
	}
	return "?"
}

func (r *Request) on() token {
	switch {
	case r.Kind == sendPut, r.Kind == sendDelete:
		return r.File.Name
	case r.Commit != 0:
		return made(r.Commit, 0)
	}
	return 0
}
