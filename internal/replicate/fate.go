package replicate

import (
	"context"
	"errors"
	"fmt"

	"sluice/internal/catalog"
	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/object"
	"sluice/internal/parquetedit"
	"sluice/statestore"
)

// HaltError is why a table stops until an operator acknowledges it: data or
// settings are wrong, and going on would be a guess.
type HaltError struct {
	Code string // one word; docs/OPERATIONS.md has a section for each
	Text string // what is wrong, where, and what to do
}

// Error is the code, a colon and the text: what StatusReason says.
func (e *HaltError) Error() string { return e.Code + ": " + e.Text }

func haltf(code, format string, args ...any) error {
	return &HaltError{Code: code, Text: fmt.Sprintf(format, args...)}
}

// errElsewhere is returned when another run finished or replaced the commit.
var errElsewhere = errors.New("finished elsewhere")

// fateOf is what an error means for a table.
type fateOf int

const (
	retry fateOf = iota // storage trouble: a later run may succeed
	halt                // data or settings are wrong
	quiet               // another run has the table
)

// fate decides what becomes of an error, and of which halt it is the reason.
func fate(err error) (fateOf, *HaltError) {
	var stop *HaltError
	switch {
	case errors.As(err, &stop):
		return halt, stop
	case errors.Is(err, errElsewhere), errors.Is(err, statestore.ErrLeased):
		return quiet, nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return retry, nil
	}
	var file *lake.FileError
	switch code := dataFault(err); {
	case code == "input" && errors.As(err, &file):
		errors.As(lakeFault(file.File, file.Err), &stop)
		return halt, stop
	case code != "":
		return halt, &HaltError{Code: code, Text: err.Error()}
	}
	return retry, nil
}

// dataFault returns the reason code of an error that the data is to blame for, or "".
func dataFault(err error) string {
	var (
		schema    *lake.SchemaError
		key       *lake.KeyError
		row       *lake.RowError
		types     *lake.TypeError
		value     *lake.ValueError
		input     *dms.InputError
		corrupted = errors.Is(err, parquetedit.ErrCorrupt) || errors.Is(err, parquetedit.ErrEncrypted) ||
			errors.Is(err, parquetedit.ErrCodec) || errors.Is(err, parquetedit.ErrEncoding) || errors.Is(err, parquetedit.ErrNested) || errors.Is(err, parquetedit.ErrTooLarge)
	)
	switch {
	case errors.As(err, &schema), errors.As(err, &types), errors.As(err, &value), errors.Is(err, dms.ErrNames):
		return "schema"
	case errors.As(err, &key):
		return "key"
	case errors.As(err, &row), errors.As(err, &input), corrupted:
		return "input"
	case errors.Is(err, lake.ErrPartitionType), errors.Is(err, lake.ErrPartitionValue):
		return "partition"
	case errors.Is(err, catalog.ErrTaken), errors.Is(err, catalog.ErrKeys):
		return "catalog"
	}
	return ""
}

// storageAdvice says what to do about an error that is not the data's fault.
func storageAdvice(err error) string {
	switch {
	case errors.Is(err, object.ErrDenied), errors.Is(err, statestore.ErrDenied), errors.Is(err, catalog.ErrDenied):
		return "; check the permissions (docs/DEPLOY.md: what each role may; sluice doctor tries yours); the next run goes on"
	case errors.Is(err, object.ErrNoBucket):
		return "; check --raw, --lake and the table's out_path"
	case errors.Is(err, object.ErrUnconditional):
		return "; nothing was committed; " + unconditionalRemedy(err)
	case errors.Is(err, object.ErrClock):
		return "; set this machine's clock, then the next run goes on"
	case errors.Is(err, object.ErrThrottled):
		return "; the next run goes on; if it stays so, run fewer tables at once (--parallel) or less often"
	case errors.Is(err, statestore.ErrThrottled):
		return "; the next run goes on; if it stays so, raise the control table's throughput or make it on-demand"
	case errors.Is(err, object.ErrUnavailable), errors.Is(err, statestore.ErrUnavailable), errors.Is(err, errStale):
		return "; the next run goes on; if it stays so, check the endpoint, the network and the store's health with sluice doctor"
	}
	return ""
}
