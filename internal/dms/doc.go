// Package dms knows what AWS Database Migration Service writes to S3: the names
// of its files and their order, the folders they lie in, and the rows inside.
//
// Its words: a [Key] is an object key of a table's folder, classified as a file
// of the full load, a CDC file or something else. CDC files are ordered by [Compare]: by
// the time in their name, never by their folder. A [Layout] is the scheme of date folders; from
// it follow the places where a listing begins. An [Op] says what happened to a row. An
// [Input] reads the rows of one file in batches, without the column Op and without before images,
// which it hands over beside them. [Reader] is what every dialect of file satisfies.
//
// What it promises on failure: names that it does not know are [Other], never an error;
// what cannot be read is an [*InputError] with column, row and reason. Nothing is written and nothing is kept.
//
// It does not know stores, buckets, tables' settings or the lake; names are text and files are
// opened by the caller. Facts are cited from the AWS DMS User Guide ("Using Amazon S3
// as a target", https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.S3.html, here UG) and from
// types.S3Settings of the AWS SDK for Go, service databasemigrationservice (here SDK).
package dms
