package dms

import "strings"

// Excluded says whether a folder is no table of the source: the control tables
// awsdms_* (UG, "Control table task settings": awsdms_apply_exceptions, awsdms_status,
// awsdms_suspended_tables, awsdms_history, awsdms_txn_state and others), which some engines write in
// capitals, and s3_validation_failures (UG, "Validating data for Amazon S3 targets"), as table or as schema.
func Excluded(schema, table string) bool { return control(schema) || control(table) }

func control(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "awsdms_") || name == "s3_validation_failures"
}
