package replicate

import (
	"context"
	"slices"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/statestore"
)

// A table's inputs speak one dialect. The first file that speaks one decides, unless the operator did; from then on a file of
// another halts the table. Files of a full load without a column that would tell speak none.

// reading is the dialect that the table's files are read in. Where Debezium's are read, each file is read as its columns say,
// which is the same for those that [run.speaks] lets pass.
func (t *table) reading() dms.Dialect {
	if t.dialect == dms.DMS {
		return dms.DMS
	}
	return ""
}

// speaks makes sure that a file is in the table's dialect. An unknown one becomes the file's; the commit records it.
func (r *run) speaks(ctx context.Context, op opened) error {
	if r.e.origin != nil {
		return nil // of a rebuild: every file was judged when it was consumed
	}
	says := op.says
	if says == "" && op.name.Kind == dms.Change {
		says = dms.DMS // changes without an op are inserts there
	}
	switch {
	case says == "" || op.file.NumRows() == 0 || says == r.t.dialect:
		return nil
	case says == dms.DMS && r.t.dialect == dms.Debezium:
		return haltf("input", "%s is not of the table's dialect, debezium: %s; if DMS writes the table now, sluice activate %s --dialect dms, then acknowledge; else have the connector rewrite deletes (delete.tombstone.handling.mode=rewrite) and add the op (add.fields=op), write the file again or remove it, then acknowledge",
			op.key, dmsFeature(op), r.t.name())
	case says == dms.DMS:
		r.t.dialect = dms.DMS
		return nil
	}
	return r.speaksDebezium(ctx, op)
}

func dmsFeature(op opened) string {
	if op.says == dms.DMS {
		return "it has a column Op"
	}
	return "it has neither __op nor __deleted"
}

// speaksDebezium judges a file of Debezium's in a table that is DMS's, or of no dialect yet. DMS may write a table with such columns, too.
func (r *run) speaksDebezium(ctx context.Context, op opened) error {
	s, err := r.readState(ctx)
	if err != nil {
		return err
	}
	asData, begun := hasMarks(s.schema.Columns), !r.neverLoaded() || r.t.item[statestore.LastIncrementalFile] != r.t.path+statestore.FirstFile
	switch {
	case r.t.dialect == dms.DMS && (asData || !begun && r.t.item[statestore.Dialect] != ""):
		return nil // the operator said so before anything was consumed, or the lake has them as data
	case r.t.dialect == dms.DMS:
		return haltf("input", "%s is not of the table's dialect, dms: it has no column Op, but __op or __deleted, as Debezium writes them; if Debezium writes the table now, sluice activate %s --dialect debezium, then acknowledge; if they are columns of the source, set IncludeOpForFullLoad=true on the DMS endpoint and reload the table, then acknowledge",
			op.key, r.t.name())
	case asData:
		return haltf("input", "%s has no column Op, but __op or __deleted, which are columns of the lake; say whether they are data with sluice activate %s --dialect dms or what Debezium adds with --dialect debezium, then acknowledge", op.key, r.t.name())
	}
	r.t.dialect = dms.Debezium
	return nil
}

// hasMarks says whether columns of a lake are named as those are that Debezium adds: in this table they are data.
func hasMarks(columns []lake.Column) bool {
	return slices.ContainsFunc(columns, func(c lake.Column) bool { return c.Name == "__op" || c.Name == "__deleted" })
}

// readAgain has inputs that were consumed read as they were then, when the dialect may have been another one: as
// their columns say.
func (t *table) readAgain(columns []lake.Column) {
	if !hasMarks(columns) {
		t.dialect = ""
	}
}

// tells refuses changes of which a key-less table cannot tell inserts from updates.
func (r *run) tells(in input, reader *dms.Input) error {
	if dialect, op, deleted := reader.Marks(); dialect == dms.Debezium && op < 0 && deleted >= 0 && len(r.t.key) == 0 && in.name.Kind == dms.Change {
		return haltf("input", "%s has no column __op, and %s has no key: inserts cannot be told from updates; have the connector add the op (add.fields=op), or set PrimaryKey with sluice activate, then acknowledge", in.key, r.t.name())
	}
	return nil
}

// record has the finish keep a dialect that was not known.
func (d *draft) record(t *table) {
	if t.item[statestore.Dialect] == "" && t.dialect != "" {
		d.Set[statestore.Dialect] = string(t.dialect)
	}
}

// partial says whether changes may leave out what they did not change.
func (r *run) partial(b *batch) bool {
	return r.t.csv.NoSup != "" || r.t.reading() == "" && slices.ContainsFunc(b.apply, func(o opened) bool { return o.says == dms.Debezium })
}
