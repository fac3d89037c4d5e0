package model

import "slices"

// Scenarios are small tables that exhaust, each with the disturbances that its name says.
func Scenarios() []Scenario {
	return slices.Concat(merges(), loads(), compactions(), others(), operators(), janitors())
}

// row is a key's version in a partition.
func row(version, part uint8) Change { return Change{version, part} }

func drop() Change { return Change{Version: gone} }

// two is a full load of two keys, each in a partition of its own and in a LOAD object of its own.
func two() []Generation {
	return []Generation{{Rows: Net{row(1, 0), row(1, 1)}, Object: [maxKeys]uint8{0, 1}}}
}

// one is a full load of one key.
func one() []Generation { return []Generation{{Rows: Net{row(1, 0)}}} }

// apart are two files with a key each.
func apart() [][]int { return [][]int{{0}, {1}} }

// merges merge, in place, across partitions, with and without a key.
func merges() []Scenario {
	return []Scenario{
		{
			Name: "merge", Keys: 3, Gens: []Generation{{Rows: Net{row(1, 0), row(1, 0)}}}, Loaded: true, Lake: [][]int{{0}, {1}},
			Inputs: []Net{{row(2, 0), drop(), row(2, 0)}, {row(3, 0), row(3, 0)}}, Flights: 1,
		},
		{
			Name: "move", Keys: 2, Gens: two(), Loaded: true, Lake: apart(),
			Inputs: []Net{{row(2, 1), row(2, 1)}, {row(3, 0)}}, Flights: 1,
		},
		{
			Name: "swap", Keys: 2, Gens: two(), Loaded: true, Lake: apart(), Arrived: 1,
			Inputs: []Net{{row(2, 1), row(2, 0)}}, Flights: 2,
		},
		{
			Name: "finish elsewhere", Keys: 3, Gens: two(), Loaded: true, Lake: apart(), Arrived: 1,
			Inputs: []Net{{2: row(1, 2)}, {row(2, 1)}}, Lost: true, Split: true,
		},
		{
			Name: "catalog", Keys: 2, Gens: two(), Loaded: true, Lake: apart(), Arrived: 1,
			Inputs: []Net{{row(2, 2)}, {row(3, 0), row(3, 2)}}, Lost: true, Catalog: true,
		},
		{
			Name: "key-less", Keys: 3, Keyless: true, Gens: one(), Loaded: true, Lake: [][]int{{0}}, Arrived: 1,
			Inputs: []Net{{1: row(1, 0)}, {2: row(1, 1)}}, Flights: 2,
		},
		{
			Name: "late file", Keys: 2, Gens: []Generation{{Rows: Net{row(1, 0), row(1, 0)}}}, Loaded: true, Lake: [][]int{{0, 1}},
			Inputs: []Net{{row(2, 0), row(2, 0)}, {row(3, 1)}, {1: row(4, 0)}}, Late: true, Lost: true,
		},
		{
			Name: "listing before the item", Keys: 1, Gens: one(), Loaded: true, Lake: [][]int{{0}},
			Inputs: []Net{{row(2, 0)}, {row(3, 0)}}, Listing: true, Flights: 1,
		},
	}
}

// loads load and reload.
func loads() []Scenario {
	return []Scenario{
		{
			Name: "first load", Keys: 2, Gens: []Generation{{Rows: Net{row(1, 0), row(1, 0)}, Object: [maxKeys]uint8{0, 1}, Start: 1}},
			Inputs: []Net{{row(9, 0)}, {row(2, 0)}}, Flights: 1,
		},
		{
			Name: "reload", Keys: 2, Gens: []Generation{{Rows: Net{row(1, 0), row(1, 0)}}, {Rows: Net{row(4, 0), 1: row(4, 0)}, Object: [maxKeys]uint8{0, 1}, Start: 1}},
			Loaded: true, Lake: [][]int{{0, 1}}, Arrived: 1, Inputs: []Net{{row(2, 0)}, {row(5, 0)}}, Lost: true,
		},
		{
			Name: "overtaken load", Keys: 2, Gens: []Generation{
				{Rows: Net{row(1, 0), row(1, 0)}, Object: [maxKeys]uint8{0, 1}},
				{Rows: Net{row(4, 0), row(4, 0)}, Object: [maxKeys]uint8{0, 1}, Start: 1},
			}, Inputs: []Net{{row(2, 0)}}, Flights: 1,
		},
		{
			Name: "overtaken reload", Keys: 1, Gens: []Generation{{Rows: Net{row(1, 0)}}, {Rows: Net{row(4, 0)}}, {Rows: Net{row(6, 0)}}},
			Loaded: true, Lake: [][]int{{0}}, Lost: true,
		},
	}
}

// compactions meet merges, another writer and the janitor.
func compactions() []Scenario {
	together := []Generation{{Rows: Net{row(1, 0), row(1, 0)}}}
	return []Scenario{
		{
			Name: "compact", Keys: 2, Gens: together, Loaded: true, Lake: apart(),
			Inputs: []Net{{row(2, 0), row(2, 1)}}, Flights: 1, Budget: Budget{Compacts: 1},
		},
		{
			Name: "compact without a key", Keys: 3, Keyless: true, Gens: together, Loaded: true, Lake: apart(),
			Inputs: []Net{{2: row(1, 0)}}, Lost: true, Budget: Budget{Compacts: 2},
		},
		{
			Name: "compact and another writer", Keys: 2, Gens: together, Loaded: true, Lake: apart(),
			Budget: Budget{Compacts: 1, Foreign: 1},
		},
		{
			Name: "compact, another writer and a merge", Keys: 2, Gens: together, Loaded: true, Lake: apart(),
			Inputs: []Net{{row(2, 0)}}, Flights: 1, Budget: Budget{Compacts: 1, Foreign: 1},
		},
		{
			Name: "compact and reload", Keys: 2, Gens: []Generation{{Rows: Net{row(1, 0), row(1, 0)}}, {Rows: Net{row(4, 0), row(4, 0)}}},
			Loaded: true, Lake: apart(), Lost: true, Budget: Budget{Compacts: 1},
		},
		{
			Name: "compact and janitor", Keys: 2, Gens: together, Loaded: true, Lake: apart(),
			Inputs: []Net{{row(2, 0)}}, Janitor: true, Books: true, Flights: 1, Budget: Budget{Ages: 1, Compacts: 1},
		},
	}
}

// others meet another writer.
func others() []Scenario {
	return []Scenario{
		{
			Name: "foreign", Keys: 2, Gens: two(), Loaded: true, Lake: apart(), Arrived: 1,
			Inputs: []Net{{row(2, 1)}}, Flights: 1, Budget: Budget{Foreign: 1},
		},
		{
			Name: "foreign, key-less", Keys: 3, Keyless: true, Gens: one(), Loaded: true, Lake: [][]int{{0}}, Arrived: 1,
			Inputs: []Net{{1: row(1, 0), 2: row(1, 1)}}, Flights: 1, Budget: Budget{Foreign: 1},
		},
		{
			Name: "foreign in a reload", Keys: 1, Gens: []Generation{{Rows: Net{row(1, 0)}}, {Rows: Net{row(4, 0)}}},
			Loaded: true, Lake: [][]int{{0}}, Flights: 1, Budget: Budget{Foreign: 1},
		},
		{
			Name: "foreign in a rewriting", Keys: 2, Gens: two(), Loaded: true, Lake: apart(), Moved: true,
			Budget: Budget{Foreign: 1},
		},
		{
			Name: "old version", Keys: 2, Gens: two(), Loaded: true, Lake: apart(), Arrived: 1,
			Inputs: []Net{{row(2, 1), row(2, 1)}}, Flights: 1, Budget: Budget{Versions: 1},
		},
		{
			Name: "late operator", Keys: 2, Gens: two(), Loaded: true, Lake: apart(), Arrived: 1,
			Inputs: []Net{{row(2, 1)}, {row(3, 1)}}, LateOperator: true, Flights: 1, Budget: Budget{Foreign: 1, Flips: 1},
		},
	}
}

// operators meet an operator.
func operators() []Scenario {
	return []Scenario{
		{
			Name: "other partitions", Keys: 2, Gens: two(), Loaded: true, Lake: apart(), Inputs: []Net{{row(2, 0)}},
			Flights: 1, Budget: Budget{Partitions: 1},
		},
		{
			Name: "settings before the first load", Keys: 1, Gens: one(), Inputs: []Net{{row(2, 0)}},
			Flights: 1, Budget: Budget{Partitions: 2, Flips: 1},
		},
		{
			Name: "deleted item", Keys: 2, Gens: []Generation{{Rows: Net{row(1, 0), row(1, 0)}}}, Loaded: true, Lake: apart(), Arrived: 1,
			Inputs: []Net{{row(2, 0)}, {row(3, 0), drop()}}, Flights: 1, Budget: Budget{Deletes: 1},
		},
		{
			Name: "imported item", Keys: 2, Gens: two(), Loaded: true, Lake: apart(), Arrived: 1,
			Inputs: []Net{{row(2, 1)}, {row(3, 0)}}, Budget: Budget{Deletes: 1, Exports: 1, Imports: 1},
		},
	}
}

// janitors meet the janitor.
func janitors() []Scenario {
	return []Scenario{
		{
			Name: "janitor", Keys: 2, Gens: two(), Loaded: true, Lake: apart(), Arrived: 1,
			Inputs: []Net{{row(2, 1)}, {row(3, 0)}}, Flights: 1, Janitor: true, Budget: Budget{Ages: 1},
		},
		{
			Name: "janitor and fence", Keys: 2, Gens: two(), Loaded: true, Lake: apart(), Arrived: 1,
			Inputs: []Net{{row(2, 1), row(2, 1)}}, Flights: 1, Janitor: true, Budget: Budget{Ages: 1, Foreign: 1},
		},
		{
			Name: "sleeper", Keys: 1, Gens: one(), Loaded: true, Lake: [][]int{{0}}, Arrived: 1,
			Inputs: []Net{{row(2, 1)}, {row(3, 2)}}, Janitor: true, Budget: Budget{Ages: 2},
		},
		{
			Name: "emptied file", Keys: 3, Gens: two(), Loaded: true, Lake: apart(),
			Inputs: []Net{{drop()}, {2: row(1, 0)}}, Janitor: true, Budget: Budget{Ages: 1},
		},
		{
			Name: "bookkeeping", Keys: 1, Gens: one(), Loaded: true, Lake: [][]int{{0}},
			Inputs: []Net{{row(2, 0)}, {row(3, 0)}}, Janitor: true, Books: true, Flights: 1, Budget: Budget{Ages: 1},
		},
	}
}
