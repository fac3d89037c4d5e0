package dms

import (
	"fmt"
	"maps"
	"slices"
)

// maxMissing bounds how many missing names are listed.
const maxMissing = 100

// Complete says whether the names of a full load leave no gap: the counter of each
// segment runs from 1 without a hole ("LOAD00000009, LOAD0000000A", UG). It returns the names that are missing,
// below the table's folder and without extension, a hundred at most. Keys of other kinds are
// passed over; without any file of the load it is not complete. That no later file follows no name can tell.
func Complete(keys []Key) (missing []string, ok bool) {
	counters := map[string][]uint64{}
	for _, k := range keys {
		if k.Kind == Load {
			counters[k.Segment] = append(counters[k.Segment], k.Counter)
		}
	}
	for _, segment := range slices.Sorted(maps.Keys(counters)) {
		list := counters[segment]
		slices.Sort(list)
		next := uint64(1)
		for _, counter := range list {
			for ; next < counter && len(missing) < maxMissing; next++ {
				missing = append(missing, fmt.Sprintf("%sLOAD%08X", segment, next))
			}
			next = max(next, counter+1)
		}
	}
	return missing, len(counters) > 0 && len(missing) == 0
}
