// Package model is a model of the commit protocol, small enough to look at every
// state that it can come to. It is no part of the program: its tests are the proof that an engineer who
// distrusts the protocol can run, and read.
//
// # Words
//
// A state is all that the protocol works on, at one instant: control item, lake
// files, raw inputs, two workers, requests in flight, janitor. A step is one effect: one request to S3 or DynamoDB, or
// something that happens outside. A scenario is a small table, what happens to it, and which faults there are. The checker goes
// from a scenario's first state breadth first to every state that steps lead to, so that what it finds is reached by the shortest
// way. A step is healthy when nothing goes wrong in it; following the first healthy step from any state on is what the next
// runs do. A ghost is what only invariants look at. A mutant is the protocol with one of its conditions left out.
//
// # What is checked
//
// In every state: the lake is exactly what the finished commits say while nothing
// is pending; while a commit is carried out every key that is there before and behind it is seen, old or new, once where it
// keeps its partition; the watermark is not ahead of the lake; a halt has a cause; readers find the partitions of rows in the catalog.
// From every state the healthy continuation ends, with nothing pending and nothing halted, in the fold of
// the inputs (truth.go, the oracle).
//
// # What is in it
//
// The actions follow the code function by function, and name it: worker.go is
// run.step, pending and Store.Commit; draft.go, place.go and again.go are the planning, the last behind a fence;
// apply.go is application.applyOp, finish.go application.finish, request.go the conditional writes and what becomes of them,
// janitor.go the janitor, operator.go and world.go everybody else. There is no lease. A worker may die, or stand still for any
// time, between any two effects; a request may be lost, carried out with its answer lost, arrive when its sender is dead, and
// arrive twice. An operator flips ActiveFlag, changes the partition key, acknowledges, deletes, exports and imports the item at any time. Another writer
// changes a lake file, or restores an old version of one.
//
// # What is left out, and why that loses nothing
//
//   - Bytes and ETags: a body carries commit and op, so that a content is named by them ([token]).
//   - Reading the item once a minute: a worker that reads it stops earlier, which is one that dies. After a month it has to: age.
//   - Signatures that expire: a month ends every request in flight. A process that stands still between its last look at the item
//     and the sending of a request, for 15 days, is not in it: for that instant nothing can speak.
//   - How often something is tried again: any number of times.
//   - GET and PUT of a rewrite are one effect: both are conditional on the same ETag, and the body is made of nothing else.
//     Reading the source of a load is an effect of its own.
//   - LIST of raw and LIST of the lake in one plan are one effect: see plan.
//   - Ops of several files are several ops: the code looks at each file and writes each by itself.
//   - Several goroutines of a worker: they are several workers.
//   - The index: a cache that counts only for files whose ETag it has. That it and the ledger are there when the item names them is looked at.
//   - Objects of the bookkeeping are written by one effect: nothing names them before the commit, and their names are never used again.
//   - Sequences of ids: an id that nothing remembers is used again, as good as a new one.
//   - Which worker is which: they are alike, so that two states that differ in that are one.
//   - How many files a compaction unites, and splitting: two become one, which is what every other number and way comes to.
//   - Schemas, digests of contents, the horizon, truncation (a load of nothing), and everything about values.
//
// A forced import, which may set the item back, is not in it: force is the operator's word that nothing runs.
//
// # Adding to it
//
// A scenario is a value in scenarios.go; it has to exhaust in the soak, and the
// arrays' bounds in state.go panic when it needs more. A condition that the protocol gains becomes one in the action, and a
// mutant that leaves it out, with the scenario that catches it, in mutants_test.go.
package model
