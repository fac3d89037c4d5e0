package model

import "fmt"

// Invariant is a promise of the protocol.
type Invariant string

// What holds in every state, and of every state's healthy continuation.
const (
	Exact     Invariant = "nothing lost, nothing twice, never behind a finished commit"
	Reader    Invariant = "a reader never misses a key, and sees one that does not move once"
	Watermark Invariant = "the watermark is never ahead of the lake"
	Halts     Invariant = "a halt only where somebody else changed the lake, a load was overtaken, or the operator changed settings"
	Catalogs  Invariant = "the partitions of a finished commit are in the catalog"
	Converges Invariant = "whatever happened, the next runs end in the same lake with nothing pending"
)

// Violation is a promise that a state breaks.
type Violation struct {
	Invariant Invariant
	Text      string
}

// check returns what a state breaks, or nil.
func (m *machine) check(s *State) *Violation {
	if v := m.checkItem(s); v != nil {
		return v
	}
	if s.Item.Commit != 0 {
		if s.Commits[s.Item.Commit-1].Gone {
			return &Violation{Converges, "the plan of the pending commit was deleted"}
		}
		return m.checkPending(s, m.planOf(s, s.Item.Commit))
	}
	return m.checkRows(s, m.sc.truth(s.Ghost.Aim), Exact)
}

func (m *machine) checkItem(s *State) *Violation {
	item := &s.Item
	ahead := item.Gen > s.Ghost.Aim.Gen || item.Gen == s.Ghost.Aim.Gen && item.Consumed&^s.Ghost.Aim.Consumed != 0
	if ahead {
		return &Violation{Watermark, fmt.Sprintf("the item has consumed %s, the lake is %s", Aim{item.Consumed, item.Gen}, s.Ghost.Aim)}
	}
	for _, book := range [...]uint8{item.Ledger, item.Index} {
		if book != 0 && s.Commits[book-1].Gone {
			return &Violation{Converges, "the item names bookkeeping that was deleted"}
		}
	}
	switch item.Halt {
	case noHalt:
		return nil
	case haltForeign:
		if s.Ghost.Foreign && item.Commit != 0 && m.impossible(s) {
			return nil
		}
	case haltReload:
		if item.Commit != 0 && m.overtaken(s, m.planOf(s, item.Commit)) {
			return nil
		}
	case haltPartition:
		if s.Ghost.Settings {
			return nil
		}
	case haltVanished, haltBookkeeping:
	}
	return &Violation{Halts, "halted " + item.Halt.String() + " without a cause"}
}

// impossible says whether the pending commit may not know what another writer
// wrote: it was planned before, or it is a fence, behind which an operator may have to be asked.
func (m *machine) impossible(s *State) bool {
	p := m.planOf(s, s.Item.Commit)
	return p.Kind == kindFence || !p.Knows
}

// overtaken says whether a source of a load is no longer what it was.
func (m *machine) overtaken(s *State, p *Plan) bool {
	for i := range p.N {
		if src := p.Ops[i].Source; src != noSource && src <= lastLoad && !p.Ops[i].sourceIs(s) {
			return true
		}
	}
	return false
}

// checkRows compares the lake with what it is to be when nothing is pending.
func (m *machine) checkRows(s *State, want Net, broken Invariant) *Violation {
	for k := range m.sc.Keys {
		n, versions := m.count(s, k, false)
		switch wanted := want[k].Version; {
		case wanted == 0 && n > 0:
			return &Violation{broken, fmt.Sprintf("key %d is in the lake %d times and was to be gone", k, n)}
		case wanted != 0 && n != 1:
			return &Violation{broken, fmt.Sprintf("key %d is in the lake %d times", k, n)}
		case wanted != 0 && versions != 1<<wanted:
			return &Violation{broken, fmt.Sprintf("key %d has not version %d", k, wanted)}
		}
		if v := m.checkCatalog(s, k, want[k].Version); v != nil {
			return v
		}
	}
	return m.checkForeign(s, broken)
}

func (m *machine) checkCatalog(s *State, k int, wanted uint8) *Violation {
	if !m.sc.Catalog || wanted == 0 {
		return nil
	}
	if n, _ := m.count(s, k, true); n == 0 {
		return &Violation{Catalogs, fmt.Sprintf("key %d lies in a partition that the catalog does not know", k)}
	}
	return nil
}

// checkForeign: another writer's row is kept, unless a full load took the place of its file.
func (m *machine) checkForeign(s *State, broken Invariant) *Violation {
	if m.sc.Budget.Foreign == 0 {
		return nil
	}
	n, _ := m.count(s, m.sc.Keys, false)
	switch {
	case n > 1:
		return &Violation{broken, fmt.Sprintf("the other writer's row is there %d times", n)}
	case n == 0 && s.Ghost.Foreign && len(m.sc.Gens) < 2:
		return &Violation{broken, "the other writer's row is lost"}
	}
	return nil
}

// count counts the rows of a key, of those that a reader sees through the catalog or of all, and the versions it has.
func (m *machine) count(s *State, k int, visible bool) (n int, versions uint64) {
	for i := range s.Files {
		f := &s.Files[i]
		if f.Name == 0 || f.Rows[k] == 0 || visible && s.Catalog&(1<<f.Part) == 0 {
			continue
		}
		if m.sc.Keyless {
			n += int(f.Rows[k])
			versions |= 1 << 1
			continue
		}
		n++
		versions |= 1 << f.Rows[k]
	}
	return n, versions
}

// checkPending is what a reader may see while a commit is carried out: of each
// key the row before it or behind it, at least one of them, one where it stays in its partition.
func (m *machine) checkPending(s *State, p *Plan) *Violation {
	lakes := [...]Net{m.sc.truth(s.Ghost.Aim), m.sc.truth(p.Aim), m.sc.truth(p.Was)}
	for k := range m.sc.Keys {
		allowed, stays, moves := uint64(0), true, false
		for _, rows := range lakes {
			allowed |= 1 << rows[k].Version
			stays = stays && rows[k].Version != 0
			moves = moves || rows[k].Version != 0 && rows[k].Part != lakes[0][k].Part
		}
		n, versions := m.count(s, k, m.sc.Catalog)
		all, _ := m.count(s, k, false)
		most := 1
		if p.Doubles || moves {
			most = 2
		}
		if p.Doubles && p.Was != p.Aim {
			most = 3 // a load that is undone, beside one that overtakes it
		}
		switch {
		case stays && n == 0:
			return &Violation{Reader, fmt.Sprintf("key %d is missing while a commit is carried out", k)}
		case versions&^allowed != 0:
			return &Violation{Reader, fmt.Sprintf("key %d is neither as before nor as behind the commit", k)}
		case all > most:
			return &Violation{Reader, fmt.Sprintf("key %d is there %d times", k, all)}
		}
	}
	return nil
}

// settled says what is wrong with a state in which every worker has nothing left to do.
func (m *machine) settled(s *State) *Violation {
	gen, _ := s.Raw.generation()
	switch {
	case !s.Item.Exists, !s.Item.Active:
		return &Violation{Converges, "the table is not active"}
	case s.Item.Commit != 0:
		return &Violation{Converges, "a commit stays pending"}
	case s.Item.Halt != noHalt:
		return &Violation{Converges, "the halt stays"}
	case s.Item.Consumed != s.Raw.Arrived || s.Item.Gen != gen:
		return &Violation{Converges, fmt.Sprintf("the item has consumed %s of %s", Aim{s.Item.Consumed, s.Item.Gen}, Aim{s.Raw.Arrived, gen})}
	}
	return m.checkRows(s, m.sc.truth(Aim{s.Raw.Arrived, gen}), Converges)
}
