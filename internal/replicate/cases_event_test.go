package replicate_test

import (
	"slices"
	"time"

	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// caseEvent is something that happens to a table whose eight rows are loaded. What is left to merge at its end is merged after it.
type caseEvent struct {
	name string
	play func(*scene)
}

func (s *scene) inserted(id, version int) dmsgen.Change {
	return dmsgen.Change{Op: dmsgen.Insert, Row: s.row(id, version)}
}

func (s *scene) updated(id, version int) dmsgen.Change {
	return dmsgen.Change{Op: dmsgen.Update, Row: s.row(id, version), Before: s.row(id, version-1)}
}

func (s *scene) removed(id int) dmsgen.Change {
	return dmsgen.Change{Op: dmsgen.Delete, Row: s.row(id, 0)}
}

// moved is an update that gives a row another key.
func (s *scene) moved(from, to, version int) dmsgen.Change {
	return dmsgen.Change{Op: dmsgen.Update, Row: s.row(to, version), Before: s.row(from, version-1)}
}

// caseEvents returns the events.
func caseEvents() []caseEvent {
	return slices.Concat(caseChangeEvents(), caseFileEvents(), caseColumnEvents())
}

// caseChangeEvents are changes of rows.
func caseChangeEvents() []caseEvent {
	return []caseEvent{
		{"load", func(*scene) {}},
		{"insert", func(s *scene) { s.change(s.inserted(9, 0), s.inserted(10, 0)) }},
		{"insert of a key that is there", func(s *scene) { s.change(s.inserted(1, 5)) }},
		{"update", func(s *scene) { s.change(s.updated(2, 1), s.updated(3, 1), s.updated(2, 2)) }},
		{"update of a key that is not there", func(s *scene) { s.change(s.updated(20, 1)) }},
		{"update that leaves columns out", func(s *scene) {
			c := s.updated(2, 1)
			c.Row[s.source.Index("price")], c.Row[s.source.Index("name")] = dmsgen.Missing{}, dmsgen.Missing{}
			s.change(s.updated(2, 1), c)
			c.Row = slices.Clone(c.Row)
			c.Row[s.source.Index("dept")] = dmsgen.Missing{}
			s.change(c)
		}},
		{"delete", func(s *scene) { s.change(s.removed(3), s.removed(4)) }},
		{"delete of a key that is not there", func(s *scene) { s.change(s.removed(20)) }},
		{"delete of everything", func(s *scene) {
			for id := range 8 {
				s.change(s.removed(id + 1))
			}
		}},
		{"one key many times", func(s *scene) {
			s.change(s.inserted(9, 0), s.updated(9, 1), s.removed(9), s.inserted(9, 2), s.updated(1, 1), s.removed(1), s.inserted(2, 3))
			s.change(s.removed(9), s.inserted(1, 4))
		}},
		{"key change", func(s *scene) { s.change(s.moved(5, 50, 1)) }},
		{"key change, on and back", func(s *scene) {
			s.change(s.moved(5, 50, 1), s.moved(50, 51, 2))
			s.change(s.moved(51, 5, 3))
		}},
		{"key change to a key that was deleted", func(s *scene) { s.change(s.removed(6), s.moved(5, 6, 1), s.inserted(5, 9)) }},
		{"a run for each file", func(s *scene) {
			for version := range 3 {
				s.change(s.updated(1, 1+version), s.inserted(100+version, 0), s.removed(8-version))
				s.equal()
			}
		}},
	}
}

// caseFileEvents are about the files that changes come in.
func caseFileEvents() []caseEvent {
	return []caseEvent{
		{"file without rows", func(s *scene) {
			s.change()
			s.equal()
			s.change(s.updated(1, 1))
			s.change()
		}},
		{"the same content again", func(s *scene) {
			changes := []dmsgen.Change{s.inserted(9, 0), s.updated(1, 1), s.removed(2), s.moved(3, 30, 1)}
			s.change(changes...)
			s.equal()
			s.change(changes...)
		}},
		{"late file", func(s *scene) {
			s.change(s.updated(1, 1))
			at := s.now().Add(time.Minute)
			s.pass(time.Minute)
			early, late := []dmsgen.Change{s.updated(1, 2), s.inserted(9, 0), s.removed(2)}, []dmsgen.Change{s.updated(1, 3), s.inserted(10, 0)}
			s.follow(early...)
			s.change(late...)
			s.tick() // does not know of the early one yet
			s.write(at, early...)
		}},
		{"reload", func(s *scene) {
			s.change(s.inserted(9, 0), s.removed(1))
			s.equal()
			s.pass(time.Hour)
			s.load(1, 2, 9, 11)
			s.equal()
			s.change(s.updated(11, 1))
		}},
		{"reload with changes that wait", func(s *scene) {
			s.change(s.inserted(9, 0), s.removed(1))
			s.pass(time.Hour)
			s.load(1, 2, 3, 9)
			s.change(s.updated(9, 1), s.removed(2))
		}},
		{"source truncated", func(s *scene) {
			s.change(s.inserted(9, 0))
			s.equal()
			s.removeRaw(append(s.loads, s.inputs...)...)
			s.loads = nil
			s.halts("vanished", "truncate")
			s.oracle.Load()
			s.equal()
			s.pass(time.Hour)
			s.load(1, 40)
			s.change(s.updated(40, 1))
		}},
	}
}

// caseColumnEvents are about columns that change.
func caseColumnEvents() []caseEvent {
	insert := func(at int, c dmsgen.Column) func([]dmsgen.Column) []dmsgen.Column {
		return func(columns []dmsgen.Column) []dmsgen.Column { return slices.Insert(columns, at, c) }
	}
	drop := func(name string) func([]dmsgen.Column) []dmsgen.Column {
		return func(columns []dmsgen.Column) []dmsgen.Column {
			return slices.DeleteFunc(columns, func(c dmsgen.Column) bool { return c.Name == name })
		}
	}
	retype := func(name, to string) func([]dmsgen.Column) []dmsgen.Column {
		return func(columns []dmsgen.Column) []dmsgen.Column {
			for i := range columns {
				if columns[i].Name == name {
					columns[i].Type = to
				}
			}
			return columns
		}
	}
	return []caseEvent{
		{"column added", func(s *scene) {
			s.alter(insert(2, dmsgen.Column{Name: "added", Type: "text"}))
			s.change(s.inserted(9, 0), s.updated(1, 1), s.removed(2))
		}},
		{"column dropped", func(s *scene) {
			s.alter(drop("price"))
			s.change(s.inserted(9, 0), s.updated(1, 1), s.removed(2))
		}},
		{"column renamed", func(s *scene) {
			s.alter(drop("name"))
			s.alter(insert(1, dmsgen.Column{Name: "title", Type: "text"}))
			s.change(s.inserted(9, 0), s.updated(1, 1))
		}},
		{"column dropped and added again", func(s *scene) {
			s.alter(drop("price"))
			s.change(s.updated(1, 1))
			s.alter(insert(1, dmsgen.Column{Name: "price", Type: "numeric(9,2)"}))
			s.change(s.updated(2, 1))
		}},
		{"column added by a reload", func(s *scene) {
			s.change(s.updated(1, 1))
			s.pass(time.Hour)
			s.alter(insert(0, dmsgen.Column{Name: "added", Type: "bigint"}))
			s.load(1, 2, 9)
			s.change(s.updated(9, 1))
		}},
		{"column widened, values fit", func(s *scene) {
			s.alter(retype("price", "numeric(12,2)"))
			s.change(s.inserted(9, 0), s.updated(1, 1))
		}},
		{"column widened, a value does not fit", func(s *scene) {
			s.alter(retype("price", "numeric(12,2)"))
			wide := s.updated(1, 1)
			wide.Row[s.source.Index("price")] = "1234567890.12"
			s.change(wide)
			switch {
			case s.settings.InsertsOnly || s.setting.misfit == "":
				s.equal() // the update was not written, or fits
			case s.setting.misfit == "schema":
				s.halts("schema", "schema")
			default:
				s.halts("input", "")
				s.set(s.path(), map[string]string{statestore.CSVSchema: csvSchema(s.settings, s.source)})
				s.halts("schema", "schema")
			}
			s.equal()
			s.change(s.updated(2, 1))
		}},
	}
}
