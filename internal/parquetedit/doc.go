// Package parquetedit edits one Parquet file: it reads the columns of a file, writes new files,
// and rewrites a file so that only what was touched is encoded again.
//
// Its words are those of the Parquet format. A file is a sequence of row groups; a row group holds
// one column chunk per column; a chunk is a run of pages. A row's ordinal counts from the first row
// of the file. Values travel as parquet.Value, one per row; NULL is the value whose IsNull is true.
// Levels and column numbers inside the values are ignored on the way in and unset on the way out.
//
// What it promises:
//
//   - Nothing that is not asked for changes. Rewrite copies untouched row groups and pages byte for
//     byte and keeps the footer as the writer of the file left it: schema, field ids, key/value
//     metadata, fields this package has never heard of.
//   - On failure nothing is half done here: a Source is only read, and an output that ends with an
//     error is to be thrown away. No error leaves a valid footer behind.
//   - A file is not believed. Sizes are checked before memory is taken for them, and a broken file
//     is an error that wraps ErrCorrupt, never a panic.
//
// It supports flat schemas. It knows nothing of DMS, lakes, S3 or keys.
package parquetedit
