package replicate_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
)

// step is what happens next, by the dice.
func (l *life) step() {
	l.t.Helper()
	switch n := l.rng.IntN(26); {
	case n == 0 && len(l.held) == 0: // a file that is older than a reload is part of it
		l.reload()
	case n < 3:
		l.changes(!l.nature.partial) // an update that leaves columns out wants the row that it is about
	case n < 5:
		l.arrive()
	case n < 6:
		l.again()
	case n < 8:
		l.alter()
	case n < 9:
		l.truncate()
	case n < 16:
		l.changes(false)
	case n < 24:
		l.checkedTick()
	case n < 25:
		l.compact()
	default:
		l.rebuild()
	}
}

// compact lays the lake out anew, which changes no row.
func (l *life) compact() {
	l.t.Helper()
	got, err := l.engine().Compact(l.t.Context(), l.name())
	l.note("compact: %s %s, %d files created, %v", got.Action, got.Reason, got.FilesCreated, err)
	if err == nil && (got.Action == replicate.Halted || got.Action == replicate.Failed) {
		l.fatal("compact: %s (%s)", got.Action, got.Reason)
	}
	if got.Action == replicate.Compacted {
		l.census.count("compacted")
	}
	l.checkedTick()
}

// fewParts keeps the partition column to a handful of values, NULL among them.
func (l *life) fewParts(row []any) {
	if len(row) != len(l.source.Columns) {
		return
	}
	at := l.source.Index("part")
	switch v := row[at].(type) {
	case int64:
		row[at] = v & 3
	case string:
		row[at] = []string{"north", "a/b=c", "Über Land", "100%", "d'or"}[len(v)%5]
	}
}

// reload puts a full load in the place of the one before: the rows that are there, or new ones.
func (l *life) reload() {
	l.t.Helper()
	l.pass(time.Hour)
	rows := l.rows()
	if len(rows) == 0 || l.rng.IntN(4) == 0 {
		rows = append(rows, l.stream.Rows(1+l.rng.IntN(100))...)
	}
	for _, row := range rows {
		l.fewParts(row)
	}
	// A load of the very same bytes is the one before it, touched (ruling 4), whatever was merged since: that no reload tells.
	if l.changed && fmt.Sprint(rows) == l.loaded {
		more := l.stream.Rows(1)
		l.fewParts(more[0])
		rows = append(rows, more...)
	}
	l.loaded, l.changed = fmt.Sprint(rows), false
	l.remove(l.loads)
	l.loads = nil
	l.truth.load(rows)
	l.note("full load of %d rows", len(rows))
	l.census.count("reload")
	if _, err := l.out.WriteLoad(l.t.Context(), l.source, l.now(), rows...); err != nil {
		l.fatal("%v", err)
	}
}

func (l *life) rows() [][]any { return l.truth.rows() }

func (l *life) remove(keys []string) {
	l.t.Helper()
	for _, key := range keys {
		if err := l.raw.Delete(l.t.Context(), key, ""); err != nil {
			l.fatal("%v", err)
		}
	}
}

// changes writes a CDC file, of no rows now and then; held back it comes late.
func (l *life) changes(hold bool) {
	l.t.Helper()
	l.last = l.stream.Changes(max(0, l.rng.IntN(32)-1))
	for _, c := range l.last {
		l.fewParts(c.Row)
	}
	l.write(hold)
}

func (l *life) write(hold bool) {
	l.t.Helper()
	l.changed = true
	l.pass(time.Duration(1+l.rng.IntN(120)) * time.Minute)
	changes := make([]dmsgen.Change, len(l.last))
	for i, c := range l.last {
		changes[i] = l.leaveOut(c)
		l.follow(changes[i])
	}
	l.hold = hold
	defer func() { l.hold = false }()
	key, err := l.out.WriteChanges(l.t.Context(), l.source, l.now(), changes...)
	if err != nil {
		l.fatal("%v", err)
	}
	l.note("%s: %d changes, held back: %v", key, len(l.last), hold)
	if len(l.last) == 0 {
		l.census.count("empty file")
	}
}

// leaveOut takes columns out of an update that the source's log does not have, where there is a row that has them.
func (l *life) leaveOut(c dmsgen.Change) dmsgen.Change {
	if !l.nature.partial || c.Op != dmsgen.Update || c.Before != nil {
		return c
	}
	if _, known := l.oracle.Row(l.oracle.Key(l.laid(c.Row))); !known {
		return c
	}
	c.Row = slices.Clone(c.Row)
	for i, column := range l.source.Columns {
		if !slices.Contains(l.source.Key, column.Name) && l.rng.IntN(3) == 0 {
			c.Row[i] = dmsgen.Missing{}
		}
	}
	return c
}

// arrive lets the files that were held back arrive.
func (l *life) arrive() {
	l.t.Helper()
	for _, f := range l.held {
		l.note("late: %s", f.key)
		l.census.count("late file")
		if err := l.put(l.t.Context(), f.key, f.body, l.now()); err != nil {
			l.fatal("%v", err)
		}
	}
	l.held = nil
}

// again writes the newest changes again in a file of their own, or the newest file again under its name.
func (l *life) again() {
	l.t.Helper()
	if l.rng.IntN(2) == 0 && len(l.last) > 0 {
		l.census.count("the same changes again")
		l.write(false)
		return
	}
	if len(l.inputs) == 0 {
		return
	}
	key := l.inputs[len(l.inputs)-1]
	l.note("the same file again: %s", key)
	l.census.count("the same file again")
	if err := l.raw.SetLastModified(key, l.now()); err != nil {
		l.fatal("%v", err)
	}
}

// truncate empties the source, which takes every file away; the operator accepts it.
func (l *life) truncate() {
	l.t.Helper()
	if len(l.held) > 0 {
		return
	}
	l.changes(false)
	l.checkedTick() // so that something was consumed within the horizon
	l.remove(slices.Concat(l.loads, l.inputs))
	l.loads, l.inputs, l.last = nil, nil, nil
	l.note("truncated")
	l.census.count("truncated")
	result := l.tick()[l.name()]
	if result.Action != replicate.Halted || !strings.HasPrefix(result.Reason, "vanished: ") {
		l.fatal("truncated: %s %s", result.Action, result.Reason)
	}
	l.compare() // the lake is kept
	l.acknowledge("truncate")
	l.oracle.Load()
	l.checkedTick()
}

// alter adds a column, drops one, brings one back or widens one.
func (l *life) alter() {
	l.t.Helper()
	if !l.nature.evolves {
		return
	}
	columns := slices.Clone(l.source.Columns)
	var free []int // columns that neither key nor partitions need
	for i, c := range columns {
		if !strings.HasPrefix(c.Name, "k") && c.Name != "part" {
			free = append(free, i)
		}
	}
	wide := slices.DeleteFunc(slices.Clone(free), func(at int) bool { return widerTypes()[columns[at].Type] == "" || l.settings.Format == dmsgen.CSV })
	switch n := l.rng.IntN(5); {
	case n > 3 && len(free) > 0:
		at := free[l.rng.IntN(len(free))]
		l.census.count("column dropped")
		l.gone = append(l.gone, columns[at])
		columns = slices.Delete(columns, at, at+1)
	case n < 2 && len(l.gone) > 0:
		l.census.count("column back")
		columns = append(columns, l.gone[0])
		l.gone = l.gone[1:]
	case n == 2 && len(wide) > 0:
		l.census.count("column widened")
		at := wide[l.rng.IntN(len(wide))]
		columns[at].Type = widerTypes()[columns[at].Type]
	default:
		l.census.count("column added")
		l.added++
		c := dmsgen.Column{Name: "added" + string(rune('a'+l.added%26)) + strings.Repeat("x", l.added/26), Type: l.newType()}
		columns = slices.Insert(columns, l.rng.IntN(len(columns)+1), c)
	}
	l.note("columns %v", columns)
	l.columns(columns)
	l.stream.Table = l.source
	l.changes(false)
}

// widerTypes are the types that a source's column becomes; a value that its lake cannot hold halts it.
func widerTypes() map[string]string {
	return map[string]string{"tinyint": "smallint", "smallint": "int", "int": "bigint", "real": "double", "numeric(15,2)": "numeric(20,2)"}
}

// newType draws the type of a new column. In CSV it is text in the lake, so only types are drawn that look the same as text.
func (l *life) newType() string {
	if l.settings.Format == dmsgen.CSV {
		return []string{"text", "bigint", "numeric(15,2)", "date"}[l.rng.IntN(4)]
	}
	types := dmsgen.Types()
	return types[l.rng.IntN(len(types))]
}

// rebuild writes the table anew, whatever its life was, and compares it as a tick does. Only a load that waits is in the way, or that a
// truncated source left nothing to write it from.
func (l *life) rebuild() {
	l.t.Helper()
	got, err := l.engine().Rebuild(l.t.Context(), l.name())
	l.note("rebuild: %s %s, %d inputs, %v", got.Action, got.Reason, got.Inputs, err)
	if got.Action == replicate.Halted && strings.HasPrefix(got.Reason, "schema: ") {
		l.checkedTick() // which accepts it
		got, err = l.engine().Rebuild(l.t.Context(), l.name())
		l.note("rebuild: %s %s, %d inputs, %v", got.Action, got.Reason, got.Inputs, err)
	}
	waits := err != nil && (strings.Contains(err.Error(), "a new full load") || strings.Contains(err.Error(), "not loaded yet") ||
		strings.Contains(err.Error(), "nothing in raw"))
	if !waits && (err != nil || got.Action != replicate.Rebuilt) {
		l.fatal("rebuild: %s (%s), %v", got.Action, got.Reason, err)
	}
	if !waits {
		l.census.count("rebuilt")
	}
	l.checkedTick()
}
