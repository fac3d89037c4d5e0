package replicate_test

import (
	"errors"
	"strings"

	"sluice/internal/replicate"
)

// some are a few of the members.
func (f *fleet) some() []*member {
	var list []*member
	for range 3 {
		list = append(list, f.members[f.rng.IntN(len(f.members))])
	}
	return list
}

// compactOn compacts members, beside a run perhaps. Only what was broken may fail, and who is off is refused.
func (f *fleet) compactOn(s fleetStores, members []*member) {
	for _, m := range members {
		got, err := f.engineOn(s).Compact(f.t.Context(), "shop."+m.table.Name)
		refused := errors.Is(err, replicate.ErrUsage)
		switch {
		case refused && (m.asleep || strings.Contains(err.Error(), "no run has worked")):
		case err != nil && (!s.wrong || refused), got.Action == replicate.Halted, got.Action == replicate.Failed && !s.wrong:
			f.fatal("compact %s: %s %s, %v", m.table.Name, got.Action, got.Reason, err)
		case got.Action == replicate.Compacted:
			f.compacted.Add(got.FilesEmptied)
		}
	}
}
