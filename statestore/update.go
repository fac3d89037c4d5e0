package statestore

import (
	"fmt"
	"maps"
	"slices"
)

// Test is what a Condition asks of an attribute.
type Test int

// The tests. Strings compare byte by byte, in every backend.
const (
	Equal   Test = iota // there, and the value
	Absent              // not there
	Exists              // there
	Less                // there, and below the value
	Differs             // not there, or not the value
	Blank               // not there, or empty
)

// Condition is one test of one attribute. Value means something to Equal, Less and Differs only.
type Condition struct {
	Attr  string
	Test  Test
	Value string
}

// Update changes named attributes of one item, if the item is there and the conditions hold.
type Update struct {
	Path   string
	Set    map[string]string
	Remove []string
	If     []Condition // all of them
	IfAny  []Condition // at least one, unless empty
}

func (c Condition) met(i Item) bool {
	value, ok := i[c.Attr]
	switch c.Test {
	case Equal:
		return ok && value == c.Value
	case Absent:
		return !ok
	case Exists:
		return ok
	case Less:
		return ok && value < c.Value
	case Differs:
		return !ok || value != c.Value
	case Blank:
		return value == ""
	}
	return false
}

// validate returns ErrInvalid for an update that DynamoDB would refuse, so that every backend refuses the same.
func (u Update) validate() error {
	_, setsKey := u.Set[Path]
	switch {
	case u.Path == "":
		return fmt.Errorf("%w: update without a path", ErrInvalid)
	case setsKey || slices.Contains(u.Remove, Path):
		return fmt.Errorf("%w: the path of %s cannot be changed", ErrInvalid, u.Path)
	case len(u.Set)+len(u.Remove) == 0:
		return fmt.Errorf("%w: update of %s changes nothing", ErrInvalid, u.Path)
	}
	seen := make(map[string]bool, len(u.Remove))
	for _, attr := range u.Remove {
		if _, both := u.Set[attr]; both || seen[attr] {
			return fmt.Errorf("%w: update of %s names %s twice", ErrInvalid, u.Path, attr)
		}
		seen[attr] = true
	}
	return nil
}

// apply returns the item after u, or ErrConflict. i stays as it is.
func (u Update) apply(i Item) (Item, error) {
	met := func(c Condition) bool { return c.met(i) }
	unmet := func(c Condition) bool { return !c.met(i) }
	if slices.ContainsFunc(u.If, unmet) || len(u.IfAny) > 0 && !slices.ContainsFunc(u.IfAny, met) {
		return nil, ErrConflict
	}
	after := maps.Clone(i)
	maps.Copy(after, u.Set)
	for _, attr := range u.Remove {
		delete(after, attr)
	}
	return after, nil
}

// shows reports whether i is as u leaves it.
func (u Update) shows(i Item) bool {
	for attr, value := range u.Set {
		if got, ok := i[attr]; !ok || got != value {
			return false
		}
	}
	for _, attr := range u.Remove {
		if _, ok := i[attr]; ok {
			return false
		}
	}
	return true
}
