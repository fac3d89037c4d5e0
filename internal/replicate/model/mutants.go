package model

// Mutant is a deliberate change of the protocol. Each is one condition in the
// actions, where the protocol has the thing that it leaves out; the tests show that the checker finds every one.
type Mutant uint8

// The mutants. None is the protocol as the code has it.
const (
	None Mutant = iota

	// Apply.
	OnePhase             // rewrites do not wait for the creates
	MoveIntoRewrite      // a row that moves goes to a file that is rewritten, in phase 2
	HeadHaltsUnapplied   // a file that is as the plan found it counts as somebody else's
	DiffersIsApplied     // an ETag that differs from the plan's counts as applied
	RewriteUnconditional // PUT without If-Match
	CreateUnconditional  // PUT without If-None-Match
	NoReread             // whoever stood still does not read the item before it writes
	CatalogLate          // partitions are registered behind phase 2
	ZeroRowTarget        // an emptied file is written again
	WatermarkFirst       // the commit moves the watermark, not its Finish

	// Commit, Finish, Halt.
	CommitAnySettings  // not conditional on the settings
	CommitAnySeq       // not conditional on Seq
	FinishSkipsCreates // Finish does not look whether the creates are there
	FinishKeepsHalt    // a halt over the commit outlives it
	ReplaceKeepsHalt   // a halt over a fence outlives it
	DigestOfFinish     // InputsDigest is of a listing made at Finish
	HaltAnyCommit      // not conditional on CommitId and Seq

	// Plan.
	KeepOldListing // a listing from before the lease is used though somebody committed since
	LateOutranks   // a late file is applied to keys that later files mention, too

	// A commit that cannot be finished.
	ReplaceWithoutFence // the new plan takes the place of the old one in one update
	FenceKeepsBytes     // a fence writes the same bytes, which keep their ETag
	KeylessByMark       // of a key-less plan only what bears its mark counts as applied
	UndoEverything      // an undone rewriting empties what another writer wrote, too

	// Compaction.
	CompactEmptiesFirst   // files are emptied before their rows are elsewhere
	EmptyUnconditional    // they are emptied whatever they are by then
	CompactReplacedAsLoad // one that is replaced empties its sources whatever was written there since

	// Operator and janitor.
	RegisterAtZero        // a table that is registered anew counts from 0
	ImportKeepsSeq        // an import takes Seq from the export, whatever the bookkeeping says
	ImportOldCommit       // an import makes a commit pend again that the bookkeeping has passed
	JanitorIgnoresPending // the janitor does not skip a table with a pending commit
	JanitorTooEarly       // it does not wait 15 days
	JanitorSleeps         // its run is not bounded: a month may pass between its item and its LIST
	JanitorTakesDrafts    // it deletes old bookkeeping of any number

	mutants
)

// Mutants are all of them.
func Mutants() []Mutant {
	list := make([]Mutant, 0, mutants)
	for m := OnePhase; m < mutants; m++ {
		list = append(list, m)
	}
	return list
}

// String is the mutant's name.
func (m Mutant) String() string {
	return [...]string{
		"none",
		"one phase", "moved rows in rewrites", "HEAD halts on an unapplied write", "an ETag that differs is applied",
		"rewrite without If-Match", "create without If-None-Match", "no reading again before a write", "catalog behind phase 2",
		"emptied files are targets", "watermark first",
		"commit on any settings", "commit on any Seq", "Finish skips creates",
		"Finish keeps the halt", "the plan behind a fence keeps the halt", "digest of Finish", "halt over any commit",
		"old listing", "late files outrank",
		"no fence", "a fence of the same bytes", "key-less rows by mark alone", "undo everything",
		"a compaction empties first", "a compaction empties without If-Match", "a compaction is replaced as a load",
		"registered at 0", "import keeps Seq", "import of an old commit", "janitor ignores a pending commit", "janitor before 15 days",
		"janitor sleeps", "janitor takes drafts",
	}[m]
}
