package dmsgen

import (
	"errors"
	"fmt"
	"time"
)

// Files of the dialect Debezium have flattened records, as a Kafka Connect sink writes them behind the
// transformation ExtractNewRecordState with delete.tombstone.handling.mode=rewrite and add.fields=op,source.ts_ms
// (https://debezium.io/documentation/reference/stable/transformations/event-flattening.html): the row's own columns, then
//
//	__deleted       "true" or "false"
//	__op            c, u, d; r for a row of the snapshot, which is the full load here
//	__source_ts_ms  when the source made the change, milliseconds since 1970
//
// What is [Missing] is the text __debezium_unavailable_value in a column of text or bytes, as where PostgreSQL's log leaves out a
// large value that did not change, and NULL in any other. A key that changes is a delete of the old key and a create of the new one. Keys, layout and names of files are those of
// DMS. The footer is not: logical types, a page index, created by parquet-mr.

// unavailable is the default of unavailable.value.placeholder.
const unavailable = "__debezium_unavailable_value"

// holdsUnavailable says whether a column of a type can hold that text.
func (t sourceType) holdsUnavailable() bool { return t.name == "text" || t.name == "bytea" }

func debeziumFields() []field {
	return []field{
		textField("__deleted", false), textField("__op", false), {name: "__source_ts_ms", typ: sourceType{name: "bigint"}},
	}
}

// debeziumRecord lays out a row of an op, which is one of c, u, d and r.
func debeziumRecord(row []any, op string, at time.Time) []any {
	record := append(append(make([]any, 0, len(row)+3), row...), fmt.Sprint(op == "d"), op, at.UnixMilli())
	return record
}

// debeziumRows lays a change out.
func (w *Writer) debeziumRows(t Table, c Change, at time.Time) [][]any {
	letter := map[Op]string{Insert: "c", Update: "u", Delete: "d"}[c.Op]
	switch {
	case c.Op == Delete:
		return [][]any{debeziumRecord(w.deleted(t, c.Row), letter, at)}
	case c.Op == Update && c.Before != nil && NewOracle(t).Key(c.Before) != NewOracle(t).Key(c.Row):
		return [][]any{debeziumRecord(w.deleted(t, c.Before), "d", at), debeziumRecord(c.Row, "c", at)}
	}
	return [][]any{debeziumRecord(c.Row, letter, at)}
}

// validateDialect names the first setting that is not one of the dialect's.
func (s Settings) validateDialect() error {
	switch s.Dialect {
	case DMS, "":
		return nil
	case Debezium:
		if s.Format == CSV || s.NoOp || s.OpInLoad || s.InsertsOnly || s.InsertsAndUpdates ||
			s.TimestampColumn != "" || len(s.headers()) > 0 || s.BeforeImages != NoImages || s.CdcPath != "" {
			return errors.New("a file of Debezium is Parquet with columns of its own: settings of DMS about CSV, columns and ops do not go with it")
		}
		return nil
	}
	return fmt.Errorf("dialect %q is not one of dms, debezium", s.Dialect)
}
