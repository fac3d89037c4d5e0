package model

// place makes the ops of a merge (lake.PlanMerge): creates from the rows that
// move to another partition and from new ones that find no room, and one rewrite for each other file touched.
func (m *machine) place(s *State, p *Plan) {
	var creates [8]Rows // by partition
	var rewrites [maxFiles]Rows
	for k, change := range p.Net {
		if change.Version == 0 {
			continue
		}
		part := change.Part | p.Partition<<2
		keep, found := m.settle(s, k, change, &rewrites)
		switch {
		case change.Version == gone, found && keep:
		case m.mutant == MoveIntoRewrite && found, !found:
			if at := m.roomIn(s, part, &rewrites); at >= 0 {
				rewrites[at][k] = change.Version
				continue
			}
			creates[part][k] = change.Version
		default:
			creates[part][k] = change.Version // a moved row: always to a created file
		}
	}
	for part, rows := range creates {
		if rows != (Rows{}) {
			p.add(Op{Kind: opCreate, Part: uint8(part), Set: rows})
		}
	}
	for i, set := range rewrites {
		if set != (Rows{}) {
			f := &s.Files[i]
			p.add(Op{Kind: opRewrite, Name: f.Name, Pre: f.Content, Set: set, Before: f.Rows})
		}
	}
}

// settle is decision.settle and replace: one row of the key is kept in place, where it has the version already or lies in the
// right partition, the others are deleted. keep says whether there is such a row, found whether there is any.
func (m *machine) settle(s *State, k int, change Change, rewrites *[maxFiles]Rows) (keep, found bool) {
	if m.sc.Keyless {
		return false, false
	}
	kept := -1
	for i := range s.Files {
		if f := &s.Files[i]; f.live() && f.Rows[k] == change.Version && kept < 0 {
			kept = i
		}
	}
	for i := range s.Files {
		f := &s.Files[i]
		if f.live() && f.Rows[k] != 0 && f.Part&3 == change.Part && kept < 0 && change.Version != gone {
			kept = i
		}
	}
	for i := range s.Files {
		f := &s.Files[i]
		switch {
		case !f.live() || f.Rows[k] == 0:
		case i != kept:
			rewrites[i][k] = gone
			found = true
		case f.Rows[k] != change.Version:
			rewrites[i][k] = change.Version
			found = true
		default:
			found = true
		}
	}
	return kept >= 0, found
}

// roomIn is decision.roomIn: a live file of the partition, one that is rewritten anyway before others.
func (m *machine) roomIn(s *State, part uint8, rewrites *[maxFiles]Rows) int {
	best := -1
	for i := range s.Files {
		f := &s.Files[i]
		live := f.live() || m.mutant == ZeroRowTarget && f.Name != 0
		if m.mutant == ZeroRowTarget && f.live() {
			live = false
		}
		if live && f.Part == part && (best < 0 || rewrites[best] == (Rows{}) && rewrites[i] != (Rows{})) {
			best = i
		}
	}
	return best
}
