// Package statestore keeps the control table: one item per replicated table, flat strings under the names that
// the AWS sample "DMS and Glue" gave them, and a few of ours beside them.
//
// Words. An item is a table's attributes by name; its key is [Path]. A pending commit is a plan that is binding and
// not finished: [CommitID] and [CommitPlan] name it, and they are absent when nothing is pending. [Seq] counts
// commits. A lease keeps two runs of one table apart; it saves work and is never what makes anything correct.
// A halt is a table stopped with a reason until somebody clears it.
//
// A [Backend] holds the items: [DynamoDB], [File] (one machine, several processes) or [Memory] (tests). Each of them
// knows only how to read, list, create and conditionally update one item. What a commit, a finish or a halt is
// stands once, in [Store], on top of any of them.
//
// Promises. Every change is one conditional update of named attributes of one item: it happens whole or not at all,
// and attributes that this package does not know stay as they are. [ErrConflict], [ErrExists] and [ErrNotFound] say
// that the change did not happen. Any other error of a change leaves open whether it did; the methods of [Store]
// then read the item back and answer by what it shows, so that a lost answer of one's own commit is a success.
// Reads are strongly consistent. Everything here may be used by many goroutines at once.
//
// It does not know what a plan holds, where the lake is, whether a column exists, when to halt or whom to tell.
package statestore
