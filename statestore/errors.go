package statestore

import "errors"

var (
	// ErrNotFound is returned when the table has no item.
	ErrNotFound = errors.New("table is not registered")

	// ErrExists is returned by Create when the table has an item already.
	ErrExists = errors.New("table is registered already")

	// ErrConflict is returned when a condition of an update does not hold: somebody else was there first, or what
	// the caller read is no longer so. Nothing was changed.
	ErrConflict = errors.New("control item has changed")

	// ErrLeased is returned when another owner holds the lease, and by Renew when it is no longer the caller's.
	ErrLeased = errors.New("table is leased by another run")

	// ErrNotHalted is returned when a halt is to be cleared and the table is not halted, or not for that reason.
	ErrNotHalted = errors.New("table is not halted")

	// ErrSeq is returned when a sequence number is not one, does not follow its base, or when an import would lower
	// it or drop a pending commit.
	ErrSeq = errors.New("sequence number out of order")

	// ErrType is returned when an attribute that this package knows is not a string in the control table.
	ErrType = errors.New("attribute is not a string")

	// ErrInvalid is returned when arguments cannot be: a path of another form, an update that names the key or
	// changes nothing, a setting that is not an operator's to set.
	ErrInvalid = errors.New("invalid control item")

	// ErrNoTable is returned when the DynamoDB table does not exist; EnsureTable makes it.
	ErrNoTable = errors.New("control table does not exist")

	// ErrDenied is returned when the credentials do not allow the call, or the file's permissions do not.
	ErrDenied = errors.New("access to the control table denied")

	// ErrThrottled is returned when DynamoDB refused a request for its rate, for as often as the client tries.
	ErrThrottled = errors.New("control table throttles")

	// ErrUnavailable is returned when DynamoDB could not be reached, did not answer, answered with 5xx or broke off, for
	// as often as the client tries.
	ErrUnavailable = errors.New("control table unavailable")

	// ErrLocked is returned when other processes kept the control file locked for longer than the wait allowed.
	ErrLocked = errors.New("control file is locked by another process")
)
