package replicate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/object"
	"sluice/internal/parquetedit"
	"sluice/statestore"
)

// csvSettings reads what the item says of the table's CSV files. A text may hold escapes, as \t and \u0001, and stand in double
// quotes: "" is the empty one, while an attribute that is empty is not set.
func csvSettings(item statestore.Item) (dms.CSVSettings, error) {
	c := dms.CSVSettings{Header: item[statestore.CSVHeader], Quotes: item[statestore.CSVQuotes], BeforeImagePrefix: item[statestore.BeforeImagePrefix]}
	null := ""
	for _, a := range []struct {
		name string
		into *string
	}{{statestore.CSVDelimiter, &c.Delimiter}, {statestore.CSVRowDelimiter, &c.RowDelimiter}, {statestore.CSVNull, &null}, {statestore.CSVNoSup, &c.NoSup}} {
		var err error
		if *a.into, err = unescape(item[a.name]); err != nil {
			return c, haltf("settings", "attribute %s %q: %v; set it with sluice activate", a.name, item[a.name], err)
		}
	}
	if item[statestore.CSVNull] != "" {
		c.Null = &null
	}
	if list := item[statestore.CSVSchema]; list != "" {
		var err error
		if c.Columns, err = dms.ParseColumns(list); err != nil {
			return c, haltf("settings", "attribute CsvSchema: %v; set it with sluice activate --csv-schema", err)
		}
	}
	if err := c.Validate(); err != nil {
		return c, haltf("settings", "attribute %v; set it with sluice activate", err)
	}
	return c, nil
}

func unescape(text string) (string, error) {
	quoted := len(text) > 1 && strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`)
	if !quoted && !strings.Contains(text, `\`) {
		return text, nil
	}
	if !quoted {
		text = `"` + strings.ReplaceAll(text, `"`, `\"`) + `"`
	}
	text, err := strconv.Unquote(text)
	if err != nil {
		return "", errors.New(`its escapes cannot be read; \t, \n, \r, \\, \x01 and \u0001 can`)
	}
	return text, nil
}

// openCSV opens an input that is CSV: the first time in a run, and when what it is read by has changed, it is read from front to back.
func (r *run) openCSV(ctx context.Context, in input, src parquetedit.Source) (dms.Columnar, error) {
	settings := r.t.csv
	settings.Widen = r.t.accepted(acceptSchema)
	var err error
	if settings.Known, err = r.knownColumns(ctx); err != nil {
		return nil, err
	}
	id := in.key + " " + in.etag
	r.mu.Lock()
	before, ok := r.scanned[id]
	r.mu.Unlock()
	if ok && reflect.DeepEqual(before.settings, settings) {
		return before.file.Reopen(src), nil
	}
	f, err := dms.ScanCSV(ctx, src, settings)
	if err != nil {
		return nil, csvFault(in, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.scanned == nil {
		r.scanned = map[string]scanned{}
	}
	r.scanned[id] = scanned{settings, f.Reopen(nil)}
	return f, nil
}

// scanned is a CSV input that was read from front to back, and what it was read by: settings and the lake's columns may change
// while a run goes on.
type scanned struct {
	settings dms.CSVSettings
	file     *dms.CSVFile
}

// openedCSV opens an input that is CSV and tells its columns apart.
func (r *run) openedCSV(ctx context.Context, in input, src parquetedit.Source) (opened, error) {
	file, err := r.openCSV(ctx, in, src)
	if err != nil {
		return opened{}, err
	}
	return r.openedFile(in, file)
}

// source is what a plan has to know of an input that is loaded.
func (o opened) source() Source {
	s := Source{Key: o.key, ETag: o.etag, Size: o.size}
	if f, ok := o.full.(*dms.CSVFile); ok {
		index := f.Index()
		s.CSV = &index
	}
	return s
}

// knownColumns are the table's columns in the lake, none before the first load.
func (r *run) knownColumns(ctx context.Context) ([]parquetedit.Column, error) {
	r.mu.Lock()
	known, ok := r.known[r.t.item[statestore.Index]]
	r.mu.Unlock()
	if ok {
		return known, nil
	}
	s, err := r.readState(ctx)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known = map[string][]parquetedit.Column{r.t.item[statestore.Index]: s.schema.Columns}
	return s.schema.Columns, nil
}

// leavesOut says whether changes in a file leave out columns (CsvNoSupValue).
func leavesOut(file dms.Columnar) bool {
	f, ok := dms.Whole(file).(*dms.CSVFile)
	return ok && f.Untold() != nil
}

// whole returns a halt when rows of an input leave out columns where there is nothing that they could have been before.
func (o opened) whole() error {
	if f, ok := dms.Whole(o.file).(*dms.CSVFile); ok && f.Untold() != nil {
		return csvFault(o.input, f.Untold())
	}
	return nil
}

// csvFault makes what is wrong with a CSV file a halt with the remedy.
func csvFault(in input, err error) error {
	var misfit *dms.MisfitError
	switch {
	case errors.Is(err, dms.ErrNoColumns):
		return haltf("input", "%s: %v; if its first line names the columns, set sluice activate --csv-header true; else say what they are with --csv-schema FILE; then acknowledge", in.key, err)
	case errors.Is(err, dms.ErrHeader):
		return haltf("input", "%s: %v; set sluice activate --csv-header true or false, then acknowledge", in.key, err)
	case errors.Is(err, dms.ErrUntold):
		return haltf("input", "%s: %v, and nothing says what that was; have the source log every column (supplemental logging, REPLICA IDENTITY FULL, binlog_row_image=FULL), reload the table, then acknowledge", in.key, err)
	case errors.As(err, &misfit) && misfit.Given:
		return haltf("input", "%s: row %d: column %q: a field of %d bytes is no %s, which CsvSchema says it is; correct it with sluice activate --csv-schema, or write the file again, then acknowledge",
			in.key, misfit.Row, misfit.Column, misfit.Length, lake.TypeName(misfit.Type))
	case errors.As(err, &misfit):
		return haltf("schema", "%s: row %d: column %q: a field of %d bytes does not fit the lake's %s; acknowledge with --accept schema to rewrite the table to a wider type, if there is one that holds both; or write the file again, then acknowledge",
			in.key, misfit.Row, misfit.Column, misfit.Length, lake.TypeName(misfit.Type))
	}
	return inputFault(in, err)
}

// openSource opens a source of a plan as the plan found it.
func (a *application) openSourceOf(ctx context.Context, s Source) (dms.Columnar, error) {
	info := object.Info{Key: s.Key, ETag: s.ETag, Size: s.Size}
	if s.CSV == nil {
		return a.openOnce(ctx, s)
	}
	return dms.OpenCSV(&source{a.storeOf(s), info, a.meter}, *s.CSV), nil
}

// CSVSchema reads a list of columns and types from a file, as the attribute CsvSchema holds it. Errors of the operator wrap [ErrUsage].
func CSVSchema(read io.Reader) (string, error) {
	const most = 64 << 10 // an item has 400 KB
	text, err := io.ReadAll(io.LimitReader(read, most+1))
	if err != nil {
		return "", err
	}
	if len(text) > most {
		return "", fmt.Errorf("%w: a schema of more than %d KiB", ErrUsage, most>>10)
	}
	if _, err := dms.ParseColumns(string(text)); err != nil {
		return "", fmt.Errorf("%w: --csv-schema: %w", ErrUsage, err)
	}
	return strings.TrimSpace(string(text)), nil
}
