package catalog

import "errors"

var (
	// ErrNotFound is returned when there is no such table.
	ErrNotFound = errors.New("table not found")

	// ErrNoDatabase is returned when the database of a table to be made is not there.
	ErrNoDatabase = errors.New("database not found")

	// ErrChanged is returned when a table or a partition is no longer as it was looked at: look again.
	ErrChanged = errors.New("changed meanwhile")

	// ErrTaken is returned when a table of that name belongs to somebody else.
	ErrTaken = errors.New("the table belongs to somebody else")

	// ErrKeys is returned when a table has other partition keys than it is to have, which cannot be changed.
	ErrKeys = errors.New("other partition keys")

	// ErrDenied is returned when the caller may not do what was asked; the text names the permission.
	ErrDenied = errors.New("access denied")
)
