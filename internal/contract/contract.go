package contract

import (
	"fmt"
	"regexp"
	"slices"

	"sluice/internal/parquetedit"
)

// MaxBytes bounds the text of a contract.
const MaxBytes = 64 << 10

// Contract is what a YAML text says. It does not change.
type Contract struct {
	rules []rule
	keys  int64 // how many are remembered at once
}

// rule is an item of the list: a column and what holds of it, or the uniqueness of the key.
type rule struct {
	line       int
	column     string
	quarantine bool // else a violation halts

	required  bool
	typeName  string
	want      parquetedit.Type
	notNull   bool
	min, max  *literal
	in        []literal
	pattern   *regexp.Regexp
	minLength *int
	maxLength *int
	uniqueKey bool
}

// literal is a scalar of the YAML.
type literal struct {
	text string
	line int
}

// Error is returned when a contract cannot be what it is meant to be.
type Error struct {
	Line int // of the YAML, from 1; 0 when none is to blame
	Text string
}

// Error names the line and what is wrong with it.
func (e *Error) Error() string {
	if e.Line == 0 {
		return "contract: " + e.Text
	}
	return fmt.Sprintf("contract: line %d: %s", e.Line, e.Text)
}

func errorf(line int, format string, args ...any) error {
	return &Error{Line: line, Text: fmt.Sprintf(format, args...)}
}

// Fits makes sure that every rule makes sense for a table of these columns: its column is there and of a type that the rule can
// judge. It returns an [*Error].
func (c *Contract) Fits(columns []parquetedit.Column) error {
	for i := range c.rules {
		r := &c.rules[i]
		if r.uniqueKey {
			continue
		}
		at := slices.IndexFunc(columns, func(c parquetedit.Column) bool { return c.Name == r.column })
		if at < 0 {
			return errorf(r.line, "there is no column %q", r.column)
		}
		if r.typeName != "" && !r.takes(columns[at].Type) {
			continue // a violation, not a contract that is wrong
		}
		if _, err := r.checks(columns[at].Type); err != nil {
			return err
		}
	}
	return nil
}

// Known makes sure that every column of a rule is one of the table's, unless the rule wants it to be there: then each file is asked.
// It returns an [*Error].
func (c *Contract) Known(columns []parquetedit.Column) error {
	for i := range c.rules {
		r := &c.rules[i]
		if r.uniqueKey || r.required || r.notNull {
			continue
		}
		if !slices.ContainsFunc(columns, func(c parquetedit.Column) bool { return c.Name == r.column }) {
			return errorf(r.line, "there is no column %q", r.column)
		}
	}
	return nil
}

// Unique says whether a rule wants keys to be unique.
func (c *Contract) Unique() bool {
	return slices.ContainsFunc(c.rules, func(r rule) bool { return r.uniqueKey })
}
