package model

// Plan is what one commit does. It is immutable, so a state holds its number only.
type Plan struct {
	Kind      kind
	Base, Seq uint8 // Seq of the item that it is conditional on, and its own
	Partition uint8 // settings that it was made with
	Accept    Accept
	Old       uint8  // commit that it replaces; 0 = an ordinary one
	N, First  uint8  // ops, and how many of them are phase 1
	Moves     bool   // its Finish moves watermark and ledger to Aim
	Doubles   bool   // it writes rows a second time, which a reader may see
	Over      bool   // it does not fit
	Knows     bool   // made when another writer had written: what it wrote is the base
	Keeps     Accept // what its Finish leaves accepted (again.undone)
	Aim       Aim    // which inputs the lake is made of behind it
	Was       Aim    // of the plan in whose place it is: some of that may be in the lake
	Net       Net    // the changes object
	Ops       [maxOps]Op
}

// kind is what a plan does; truncations are loads of nothing.
type kind uint8

const (
	kindMerge   kind = iota + 1
	kindLoad         // creates, then every older file to zero rows
	kindRewrite      // the lake's rows written again, then the files that they were in to zero rows
	kindCompact      // rows of files of one partition written to one, then the files that they were in to zero rows
	kindUndo         // the creates of a fenced load to zero rows (KindRecord with ops)
	kindFence
)

// Op writes one lake file. An op of several files is several ops here: look and
// write treat each file by itself.
type Op struct {
	Kind   opKind
	Name   token
	Pre    token // content that the file must have; 0 = none: If-None-Match
	Part   uint8
	Set    Rows   // rows of a create; of a rewrite what it sets: 0 leaves a key, gone deletes it
	Before Rows   // rows of the content Pre
	Source source // what a create reads, beside the changes
	From   token  // lake file that is the source
	At     token  // its content, or the generation of the LOAD object
	From2  token  // another lake file that is a source, too; 0 = none
	At2    token  // its content
}

type opKind uint8

const (
	opCreate opKind = iota + 1
	opRewrite
	opEmpty
	opRefresh
	opBlock
)

// source is what a create is made of: LOAD object source-1, or a lake file.
type source uint8

const (
	noSource   source = 0
	lastLoad   source = 2
	lakeSource source = 3
)

// gone is the version of a key that is deleted.
const gone = 255

func (o *Op) creates() bool { return o.Kind == opCreate || o.Kind == opBlock }

func (o *Op) sourceIs(s *State) bool {
	if o.Source != lakeSource {
		return token(s.Raw.Loads[o.Source-1]) == o.At
	}
	is := func(name, content token) bool {
		f := s.file(name)
		return f != nil && f.Content == content
	}
	return is(o.From, o.At) && (o.From2 == 0 || is(o.From2, o.At2))
}

// body is what a file's rows are behind the op.
func (o *Op) body(rows Rows, keyless bool) Rows {
	switch o.Kind {
	case opCreate:
		return o.Set
	case opEmpty, opBlock:
		return Rows{}
	case opRefresh:
		return rows
	case opRewrite:
	}
	for k, v := range o.Set {
		switch {
		case keyless:
			rows[k] += v
		case v == gone:
			rows[k] = 0
		case v != 0:
			rows[k] = v
		}
	}
	return rows
}

// add appends an op; creates come first.
func (p *Plan) add(op Op) {
	if p.N == maxOps {
		p.Over = true
		return
	}
	p.Ops[p.N] = op
	p.N++
	if op.Kind == opCreate || p.Kind == kindFence {
		p.First++
	}
}

// movesRows says whether what it creates are rows of the files that it empties, and of nothing else.
func (p *Plan) movesRows() bool { return p.Kind == kindRewrite || p.Kind == kindCompact }

func (p *Plan) all() uint8 { return 1<<p.N - 1 }

// phase is which ops may be applied when those of done are.
func (p *Plan) phase(done uint8, mutant Mutant) (first, last uint8) {
	phase1 := uint8(1)<<p.First - 1
	switch {
	case mutant == OnePhase:
		return 0, p.N
	case mutant == CompactEmptiesFirst && p.Kind == kindCompact && done>>p.First != p.all()>>p.First:
		return p.First, p.N
	case done&phase1 != phase1:
		return 0, p.First
	}
	return p.First, p.N
}

// partitions are those of the files that it creates.
func (p *Plan) partitions() uint8 {
	var parts uint8
	for i := range p.N {
		if p.Ops[i].Kind == opCreate {
			parts |= 1 << p.Ops[i].Part
		}
	}
	return parts
}

func (m *machine) planOf(s *State, commit uint8) *Plan {
	n := s.Commits[commit-1].Plan
	if n == 0 {
		panic("model: a plan that is needed was forgotten")
	}
	return m.plans[n-1]
}

// number gives a plan its number.
func (m *machine) number(p *Plan) uint16 {
	if p.Over {
		panic("model: a scenario needs more than maxOps ops")
	}
	n, known := m.numbers[*p]
	if !known {
		clone := *p
		m.plans = append(m.plans, &clone)
		n = uint16(len(m.plans))
		if int(n) != len(m.plans) {
			panic("model: a scenario has more plans than numbers")
		}
		m.numbers[*p] = n
	}
	return n
}

// newID is a commit id that nothing in the state remembers: as good as one never used.
func (m *machine) newID(s *State) uint8 {
	used, _ := m.used(s)
	for id := range uint8(maxCommits) {
		if used&(1<<id) == 0 {
			return id + 1
		}
	}
	panic("model: a scenario needs more than maxCommits commits")
}

// used says which commit ids anything remembers, and whose plans anybody may still read; bit id-1.
func (m *machine) used(s *State) (ids, plans uint16) {
	id := func(set *uint16, commits ...uint8) {
		for _, c := range commits {
			if c != 0 {
				*set |= 1 << (c - 1)
			}
		}
	}
	id(&plans, s.Item.Commit, s.Saved.Commit)
	id(&ids, s.Item.Ledger, s.Item.Index, s.Saved.Ledger, s.Saved.Index, s.Janitor.Book,
		s.Janitor.Ledger, s.Janitor.Index, s.Janitor.Pending, s.Janitor.Name.commit(), s.Janitor.Content.commit())
	for i := range s.Workers {
		id(&ids, s.Workers[i].Item.Ledger, s.Workers[i].Item.Index)
		if s.Workers[i].At == atHalt {
			id(&ids, s.Workers[i].Commit)
			continue
		}
		id(&plans, s.Workers[i].Commit)
	}
	for i := range s.Flights {
		r := &s.Flights[i]
		id(&ids, r.File.Name.commit(), r.File.Content.commit(), r.Pre.commit(), r.Commit)
		if r.Kind == sendCommit || r.Kind == sendReplace || r.Kind == sendFinish {
			id(&plans, r.Commit)
		}
	}
	for i := range s.Files {
		id(&ids, s.Files[i].Name.commit(), s.Files[i].Content.commit())
	}
	for c := range s.Commits {
		if plans&(1<<c) != 0 {
			m.keep(s, uint8(c+1), &ids, &plans)
		}
	}
	return ids | plans, plans
}

// keep adds what a plan that may be read remembers: a fence the plan that it fences.
func (m *machine) keep(s *State, commit uint8, ids, plans *uint16) {
	if s.Commits[commit-1].Plan == 0 {
		return
	}
	p := m.planOf(s, commit)
	for i := range p.N {
		op := &p.Ops[i]
		for _, t := range [...]token{op.Name, op.Pre, op.From, op.At, op.From2, op.At2} {
			if c := t.commit(); c != 0 && (t != op.At || op.Source == lakeSource) {
				*ids |= 1 << (c - 1)
			}
		}
	}
	if p.Old == 0 {
		return
	}
	*ids |= 1 << (p.Old - 1)
	if old := uint16(1) << (p.Old - 1); p.Kind == kindFence && *plans&old == 0 {
		*plans |= old
		m.keep(s, p.Old, ids, plans)
	}
}
