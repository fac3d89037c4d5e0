package model

// Change is what an input or a full load says of one key.
type Change struct {
	Version uint8 // 0 = nothing, gone = deleted
	Part    uint8 // partition of the row, 0 to 3
}

// Net are changes by key.
type Net [maxKeys]Change

// Generation is one full load in two LOAD objects.
type Generation struct {
	Rows   Net
	Object [maxKeys]uint8 // LOAD object of each row: 0 or 1
	Start  uint8          // change files before this one are older than the load
}

// superseded are the change files that are older than a full load.
func (sc *Scenario) superseded(gen uint8) Set {
	if gen == 0 {
		return 0
	}
	return 1<<sc.Gens[gen-1].Start - 1
}

// truth is the fold: the full load, and on top of it the change files in order. It is the oracle.
func (sc *Scenario) truth(aim Aim) Net {
	var rows Net
	if aim.Gen != 0 {
		rows = sc.Gens[aim.Gen-1].Rows
	}
	for i, input := range sc.Inputs {
		if aim.Consumed&^sc.superseded(aim.Gen)&(1<<i) == 0 {
			continue
		}
		for k, change := range input {
			switch change.Version {
			case 0:
			case gone:
				rows[k] = Change{}
			default:
				rows[k] = change
			}
		}
	}
	return rows
}

// net folds a batch (lake.Fold): the last change of each key, unless a file
// that was consumed before and sorts behind it mentions the key, too.
func (sc *Scenario) net(batch, consumed Set, gen uint8, mutant Mutant) Net {
	var net Net
	older := sc.superseded(gen)
	for i, input := range sc.Inputs {
		bit := Set(1) << i
		for k, change := range input {
			switch {
			case change.Version == 0 || older&bit != 0:
			case batch&bit != 0:
				net[k] = change
			case consumed&bit != 0 && !sc.Keyless && mutant != LateOutranks:
				net[k] = Change{}
			}
		}
	}
	return net
}

// generation is the newest full load of which something is there; whole says that all of it is.
func (r Raw) generation() (gen uint8, whole bool) {
	gen = max(r.Loads[0], r.Loads[1])
	return gen, r.Loads[0] == r.Loads[1]
}
