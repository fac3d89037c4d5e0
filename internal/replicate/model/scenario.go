package model

// Scenario is a small table, what happens to it, and which faults there are. Two
// workers run in all of them, and may die anywhere.
type Scenario struct {
	Name    string
	Keys    int
	Keyless bool
	Gens    []Generation
	Loaded  bool    // the lake holds the first generation when it begins
	Lake    [][]int // then: which keys lie together in a file
	Inputs  []Net   // change files, in order
	Arrived Set     // those that are there when it begins

	Moved bool // PartitionKey was changed, which was accepted: the first plan writes the rows again

	Lost         bool // answers and requests get lost
	Flights      int  // requests that may be late at once
	LateOperator bool // the operator's, too
	Late         bool // change files arrive in any order
	Listing      bool // runs list raw before they read the item
	Split        bool // a function of its own finishes
	Catalog      bool // readers know partitions from a catalog
	Books        bool // the item names ledger and index objects
	Janitor      bool
	Budget       Budget
}

// initial is the state in which a scenario begins.
func (m *machine) initial() State {
	sc := m.sc
	s := State{Item: Item{Exists: true, Active: true}, Raw: Raw{Arrived: sc.Arrived}, Catalog: 1, Left: sc.Budget}
	if len(sc.Gens) > 0 {
		s.Raw.Loads = [2]uint8{1, 1}
	}
	if !sc.Loaded {
		return s
	}
	s.Item.Gen, s.Ghost.Aim = 1, Aim{Gen: 1}
	if sc.Moved {
		s.Item.Partition, s.Item.Accept, s.Ghost.Settings = 1, acceptReload, true
	}
	for i, keys := range sc.Lake {
		f := File{Name: token(i + 1), Content: token(i + 1)}
		for _, k := range keys {
			row := sc.Gens[0].Rows[k]
			f.Rows[k], f.Part = row.Version, row.Part
		}
		s.Catalog |= 1 << f.Part
		s.put(f)
	}
	return s
}
