// Package replicate keeps tables of a lake equal to their sources. It is the
// only place that knows the order of effects, and what an error means.
//
// Its words: a tick looks at every table once; a table run carries one table as
// far as there is work: (load) → merge … until nothing is new. Each load or
// merge is plan → commit → apply → finish. A plan is a value: which inputs are
// consumed and which lake files are created and rewritten; making it changes
// nothing. The commit makes it binding by one conditional update of the control
// item. Apply carries it out op by op; every op writes one lake file under a condition and may
// be repeated, by anyone. Finish moves the watermark.
//
// What it promises: a run may die after any effect; the next run ends in the
// same lake. A commit that is pending is rolled forward before anything else is
// looked at. Creates come before rewrites, so that a row that changes its file
// may be seen twice for a moment, never zero times. Nothing is ever deleted: a file is emptied by
// rewriting it to zero rows.
//
// An error has one of three fates, decided here alone ([fate]): trouble with
// storage ends the table run as failed, and the next one goes on; data or settings that
// are wrong halt the table until an operator acknowledges it; a commit that somebody else
// finished, or a lease that somebody else holds, ends the run quietly.
//
// It does not know which store it works on, nor how a lake file is edited.
package replicate
