// Package catalog keeps the tables of a data catalog, AWS Glue's, equal to what its caller says of them.
//
// Words: a table has a name, columns, a location and, where it is partitioned, partition keys; a partition is the
// values of those keys and a location of its own. A backend is where they are kept: [Glue], [Memory].
//
// What it promises: [Catalog.Ensure] compares first and writes only what differs, so that repeating it costs reads and
// changes nothing. It may die after any write, or run beside another: the next call ends in the same table. A table is
// changed at the version that was compared, so nobody's change is undone unseen; what others added (comments,
// parameters, an owner) stays. A table that is somebody else's is never touched. Nothing is ever deleted: a partition
// whose rows are gone stays registered and is empty.
//
// What it does not know: lakes, Parquet, and what a table is for. It imports nothing of ours.
package catalog
