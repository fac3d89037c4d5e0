// Package lake keeps the lake files of one table: it folds changes to one net
// effect per primary key, finds the lake files that hold those keys, and makes
// new bodies for exactly those files.
//
// Its words: a [File] is one Parquet object of the table; a [Schema] is the
// table's columns in lake order, its primary key and its partition key; a
// [Fold] turns an ordered run of changes into [Changes], one per key; a [Merge]
// says which rows of which lake files are replaced, deleted or added, and is a
// value: making it changes nothing; a [Compaction] says which files' rows are
// to lie in other files. A partition directory ("a=1/b=x/", Hive's form) is the
// part of a file's key between the table's folder and its name.
//
// What it promises on failure: every function either returns a whole result or
// an error; nothing outside the writer that a caller passed in is touched, so a
// body that was cut off is the caller's to throw away. Errors of data are typed
// ([SchemaError], [KeyError], [RowError]) and name file, column and row.
//
// It does not know stores, commits or clocks: files are opened by the caller
// and bodies go to the caller's writer.
package lake
