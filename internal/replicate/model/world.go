package model

// world emits what happens outside: inputs arrive, another writer changes lake
// files, somebody restores an old version of one, a long time passes.
func (m *machine) world(s *State) {
	m.input(s)
	m.fullLoad(s)
	m.otherWriter(s)
	m.oldVersion(s)
	m.age(s)
}

// input lets a change file arrive: the next one, or, late files, any.
func (m *machine) input(s *State) {
	for i := range m.sc.Inputs {
		bit := Set(1) << i
		if s.Raw.Arrived&bit != 0 {
			continue
		}
		n := *s
		n.Raw.Arrived |= bit
		m.emit(&n, Step{Does: "DMS writes change file " + string(rune('0'+i))})
		if !m.sc.Late {
			return
		}
	}
}

// fullLoad lets the LOAD objects of the next generation arrive, one after the
// other. One that has begun is completed some day.
func (m *machine) fullLoad(s *State) {
	gen, whole := s.Raw.generation()
	n := *s
	switch {
	case !whole:
		n.Raw.Loads[1] = gen
		m.emit(&n, Step{Does: "DMS completes the full load", Healthy: true})
	case int(gen) < len(m.sc.Gens):
		n.Raw.Loads[0] = gen + 1
		m.emit(&n, Step{Does: "DMS begins a full load"})
	}
}

// otherWriter writes a lake file again with one more row, of a key that only it writes.
func (m *machine) otherWriter(s *State) {
	if s.Left.Foreign == 0 {
		return
	}
	for i := range s.Files {
		f := s.Files[i]
		if !f.live() {
			continue
		}
		n := *s
		n.Left.Foreign--
		n.Ghost.Foreign = true
		n.Files[i].Content = foreignContent + 2*token(s.Left.Foreign)
		n.Files[i].Rows[m.sc.Keys] = 1
		m.emit(&n, Step{Does: "another writer adds a row to", On: f.Name})
	}
}

// oldVersion restores what a file was before a pending commit's rewrite (S3
// versioning), while nobody has begun to finish it: behind that it is a change that nobody can know of.
func (m *machine) oldVersion(s *State) {
	if s.Left.Versions == 0 || s.Item.Commit == 0 || s.Commits[s.Item.Commit-1].Gone || m.finishing(s) {
		return
	}
	p := m.planOf(s, s.Item.Commit)
	for i := range p.N {
		op := &p.Ops[i]
		f := s.file(op.Name)
		if op.creates() || f == nil || f.Content != made(s.Item.Commit, i) {
			continue
		}
		n := *s
		n.Left.Versions--
		n.put(File{Name: f.Name, Content: op.Pre, Part: f.Part, Rows: op.Before})
		m.emit(&n, Step{Does: "somebody restores the old version of", On: op.Name})
	}
}

// finishing says whether a Finish is under way.
func (m *machine) finishing(s *State) bool {
	for i := range s.Workers {
		if s.Workers[i].At >= atVerify {
			return true
		}
	}
	for i := range s.Flights {
		if s.Flights[i].Kind == sendFinish || s.Flights[i].Kind == sendReplace {
			return true
		}
	}
	return false
}

// age lets more than 30 days pass: no request that was sent before can arrive
// any more (S3 and DynamoDB refuse signatures older than 15 minutes), a janitor's run has ended, whoever stood still reads the item
// before it writes, and everything that lies there is old.
func (m *machine) age(s *State) {
	if s.Left.Ages == 0 {
		return
	}
	n := *s
	n.Left.Ages--
	n.Flights = [maxFlights]Request{}
	if m.mutant != JanitorSleeps {
		n.Janitor = Janitor{}
	}
	for i := range n.Files {
		f := &n.Files[i]
		f.Old = f.Name != 0 && f.Rows == Rows{}
	}
	for i := range n.Workers {
		n.Workers[i].Slept = n.Workers[i].At != idle
	}
	for i := range n.Commits {
		n.Commits[i].Old = n.Commits[i] != Commit{}
	}
	m.emit(&n, Step{Does: "a month passes"})
}
