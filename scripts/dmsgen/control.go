package dmsgen

import (
	"context"
	"time"
)

// ControlTables returns tables that no source has: what DMS tells about its tasks (user guide, "Control table task
// settings") and what it found when it validated (user guide, "Validating data for Amazon S3 targets").
func ControlTables(schema string) []Table {
	text := func(names ...string) []Column {
		columns := make([]Column, len(names))
		for i, name := range names {
			columns[i] = Column{name, "text"}
		}
		return columns
	}
	return []Table{
		{Schema: schema, Name: "awsdms_apply_exceptions", Columns: text("TASK_NAME", "TABLE_OWNER", "TABLE_NAME", "ERROR_TIME", "STATEMENT", "ERROR")},
		{Schema: schema, Name: "awsdms_history", Columns: text("server_name", "task_name", "timeslot_type", "timeslot", "timeslot_duration")},
		{Schema: schema, Name: "awsdms_status", Columns: text("server_name", "task_name", "task_status", "status_time", "pending_changes")},
		{Schema: schema, Name: "awsdms_suspended_tables", Columns: text("server_name", "task_name", "table_owner", "table_name", "suspend_reason")},
		{Schema: "s3_validation_failures", Name: "awsdms_validation_failures_v1", Columns: text("TASK_NAME", "TABLE_OWNER", "TABLE_NAME", "FAILURE_TIME", "KEY_TYPE", "KEY", "FAILURE_TYPE", "DETAILS")},
	}
}

// WriteControlTables writes one file of one row for each of the control tables, and returns their keys.
func (w *Writer) WriteControlTables(ctx context.Context, schema string, at time.Time) ([]string, error) {
	var keys []string
	for _, t := range ControlTables(schema) {
		row := make([]any, len(t.Columns))
		for i, c := range t.Columns {
			row[i] = "some " + c.Name
		}
		key, err := w.WriteChanges(ctx, t, at, Change{Op: Insert, Row: row})
		if err != nil {
			return keys, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}
