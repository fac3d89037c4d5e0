package model

import (
	"fmt"
	"strings"
)

// Line is one step of a trace and what it changed.
type Line struct {
	Step
	Changed string
}

// String is a line for people: who, what, on which object, what came of it, and what is different now.
func (l Line) String() string {
	text := l.Actor.String() + " " + l.Does
	if l.On != 0 {
		text += " " + l.On.String()
	}
	if l.Outcome != "" {
		text += ": " + l.Outcome
	}
	return fmt.Sprintf("%-80s %s", text, l.Changed)
}

// trace is the way to a state: its parents say which states, their successors which steps.
func (c *search) trace(id uint32) []Line {
	ids := []uint32{id}
	for id != 0 {
		id = c.parents[id]
		ids = append(ids, id)
	}
	s := c.initial()
	c.canonical(&s)
	var lines []Line
	swapped := false
	for i := len(ids) - 2; i >= 0; i-- {
		s = c.stepTo(s, ids[i], &swapped, &lines)
	}
	return lines
}

// stepTo adds the step from a state to its successor with the id. Workers that
// canonical swapped keep their names.
func (c *search) stepTo(s State, id uint32, swapped *bool, lines *[]Line) State {
	found, was := s, *swapped
	taken := false
	emit := c.next
	c.successors(&s, func(n *State, step Step) {
		if taken {
			return
		}
		next := *n
		turned := c.canonical(&next)
		if at, known := c.ids[c.digest(&next)]; !known || at != id {
			return
		}
		taken, found = true, next
		if step.Actor <= workerB && was {
			step.Actor = workerB - step.Actor
		}
		*swapped = was != turned
		*lines = append(*lines, Line{step, difference(&s, n)})
	})
	c.next = emit
	return found
}

// difference says what a step changed, but for where workers stand.
func difference(a, b *State) string {
	var parts []string
	if a.Item != b.Item {
		parts = append(parts, "item "+b.Item.String())
	}
	if a.Raw != b.Raw {
		parts = append(parts, fmt.Sprintf("raw %s, LOAD %v", b.Raw.Arrived, b.Raw.Loads))
	}
	for i := range b.Files {
		f := &b.Files[i]
		if was := a.file(f.Name); f.Name != 0 && (was == nil || *was != *f) {
			parts = append(parts, f.String())
		}
	}
	for i := range a.Files {
		if f := &a.Files[i]; f.Name != 0 && b.file(f.Name) == nil {
			parts = append(parts, f.Name.String()+" is gone")
		}
	}
	if a.Catalog != b.Catalog {
		parts = append(parts, fmt.Sprintf("catalog %b", b.Catalog))
	}
	if len(parts) == 0 {
		return ""
	}
	return "→ " + strings.Join(parts, "; ")
}

// String is what matters of an item.
func (i Item) String() string {
	if !i.Exists {
		return "none"
	}
	text := fmt.Sprintf("Seq %d, has %s", i.Seq, Aim{i.Consumed, i.Gen})
	if i.Commit != 0 {
		text += fmt.Sprintf(", pending c%d", i.Commit)
	}
	if i.Halt != noHalt {
		text += ", halted " + i.Halt.String()
	}
	if i.Accept != acceptNothing {
		text += ", accepted " + i.Accept.String()
	}
	if !i.Active {
		text += ", inactive"
	}
	return text
}

// String is a file with its rows.
func (f *File) String() string {
	return fmt.Sprintf("%s = %v by %s", f.Name, f.Rows, f.Content)
}

// String names a file or a content after who made it: c2.1 is op 1 of commit c2.
func (t token) String() string {
	switch {
	case t >= foreignContent:
		return "another writer"
	case t.commit() == 0:
		return fmt.Sprintf("file%d", t)
	}
	return fmt.Sprintf("c%d.%d", t>>3, t&7)
}

// String lists the change files.
func (s Set) String() string {
	var names []string
	for i := range maxInputs {
		if s&(1<<i) != 0 {
			names = append(names, fmt.Sprint(i))
		}
	}
	return "{" + strings.Join(names, " ") + "}"
}

// String is the full load and the change files on top of it.
func (a Aim) String() string { return fmt.Sprintf("load %d + %s", a.Gen, a.Consumed) }

// String is the reason code.
func (h Halt) String() string {
	return [...]string{"not", "foreign", "reload", "partition", "vanished", "bookkeeping"}[h]
}

// String is the operator's word.
func (a Accept) String() string { return [...]string{"nothing", "foreign", "reload"}[a] }

func (a actor) String() string {
	return [...]string{"worker A:", "worker B:", "network:", "operator:", "world:", "janitor:"}[a]
}

func (k kind) String() string {
	return [...]string{"", "a merge", "a load", "a rewriting", "a compaction", "an undoing", "a fence"}[k]
}
