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

// What the names of PreserveTransactions' files begin with, and a text that sorts behind all of them.
const (
	TransactionsBegin = "CDC_TXN-"
	TransactionsEnd   = "CDC_TXN."
)

// Transactions says whether a file, named without its folder, holds the changes of all tables in the order of their transactions: those
// of PreserveTransactions are named CDC_TXN-20201117153046033.csv and lie in one folder, CdcPath, wherever that
// is (UG, "Capturing data changes (CDC) including transaction order on the S3 target").
func Transactions(name string) bool {
	rest, ok := strings.CutPrefix(name, TransactionsBegin)
	return ok && prefixOf(rest, isDigit) >= dateDigits
}
