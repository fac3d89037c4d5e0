package model

// The sizes of a state. They are bounds of the arrays, not of the protocol: a scenario that needs more panics.
const (
	maxKeys    = 4
	maxFiles   = 12
	maxOps     = 8
	maxCommits = 12
	maxFlights = 2
	maxInputs  = 4
)

// State is everything that the protocol works on, at one instant. It is a value: two equal states are one.
type State struct {
	Item    Item
	Saved   Item // what an operator exported, to import it later
	Raw     Raw
	Files   [maxFiles]File     // of the lake, by name; Name 0 is none
	Commits [maxCommits]Commit // plans that somebody may still read, by id-1
	Workers [2]Worker
	Flights [maxFlights]Request // requests whose sender gave them up and that may still arrive
	Janitor Janitor
	Catalog uint8 // partitions that a reader's engine knows, one bit each
	BookSeq uint8 // largest sequence number in the folder's bookkeeping
	Left    Budget
	Ghost   Ghost
}

// Item is the control item. Consumed and Gen stand for the ledger, LastIncrementalFile and
// LoadFingerprint, which one update sets together.
type Item struct {
	Exists, Active bool
	Seq            uint8
	Commit         uint8 // CommitId and CommitPlan; 0 = nothing is pending
	Halt           Halt
	Accept         Accept
	Partition      uint8 // PartitionKey: 0 or 1, for all settings
	Consumed       Set
	Gen            uint8 // generation of the full load in the lake; 0 = none
	Digest         Set   // InputsDigest: the change files of the listing that it sums up
	Ledger         uint8 // commit whose ledger object is named; followed where a scenario has Books
	Index          uint8 // commit whose index object is named
}

// Set is a set of change files, one bit each, the first in order lowest.
type Set uint8

// Halt is why a table is halted.
type Halt uint8

// The halts. Partition, vanished and bookkeeping are the reason codes of those names.
const (
	noHalt Halt = iota
	haltForeign
	haltReload
	haltPartition
	haltVanished
	haltBookkeeping
)

// Accept is what an operator accepted.
type Accept uint8

// The accepts.
const (
	acceptNothing Accept = iota
	acceptForeign
	acceptReload
)

// Raw is what lies in the table's raw folder.
type Raw struct {
	Arrived Set
	Loads   [2]uint8 // generation of each LOAD object; 0 = not there
}

// File is a lake file. Content stands for its ETag and for the marks in it: a
// body carries commit and op, so that no two bodies are the same bytes.
type File struct {
	Name, Content token
	Part          uint8 // partition
	Old           bool  // without rows for more than 15 days
	Rows          Rows
}

// Rows are the rows of a file by key: their version; in a key-less table how often the row is there.
type Rows [maxKeys]uint8

// token names a file or a content: commit*8+op for what an op makes. What was
// there before has tokens below 8, what somebody else wrote [foreignContent].
type token uint8

const foreignContent token = 200

func made(commit, op uint8) token { return token(commit<<3 | op) }

// commit is who made it, 0 for nobody of us.
func (t token) commit() uint8 {
	if t >= foreignContent {
		return 0
	}
	return uint8(t >> 3)
}

// Commit is a plan written down and its bookkeeping.
type Commit struct {
	Plan uint16 // number of the plan plus 1; 0 = nobody can read it any more
	Seq  uint8  // in the names of its objects
	Old  bool   // they are older than 30 days
	Gone bool   // the janitor deleted its objects
}

// Janitor is the janitor's run.
type Janitor struct {
	At            janitorAt
	Name, Content token // of the file that it is about to delete
	Book          uint8 // or the commit whose bookkeeping it is about to delete
	Ledger, Index uint8 // what the item named
	Pending, Seq  uint8
}

// Budget is how often each disturbance may still happen.
type Budget struct {
	Flips, Partitions, Deletes, Exports, Imports, Foreign, Versions, Ages, Compacts uint8
}

// Ghost is what only the invariants look at.
type Ghost struct {
	Aim      Aim  // what the lake is to be, by the commits that were finished
	Foreign  bool // somebody else wrote a lake file
	Settings bool // the operator changed the partition key of a lake with rows
	Forced   bool // an import set the item back, or dropped a commit
}

// Aim is which inputs make a lake: a full load and the change files on top of it, or part of it.
type Aim struct {
	Consumed Set
	Gen      uint8
}

func (f *File) live() bool { return f.Name != 0 && f.Rows != Rows{} }

// file returns the lake file of a name, or nil.
func (s *State) file(name token) *File {
	for i := range s.Files {
		if s.Files[i].Name == name {
			return &s.Files[i]
		}
	}
	return nil
}

// put writes a lake file, whatever is there.
func (s *State) put(f File) {
	at := s.file(f.Name)
	if at == nil {
		at = s.file(0)
	}
	if at == nil {
		panic("model: a scenario needs more than maxFiles lake files")
	}
	*at = f
}

// remove deletes a lake file.
func (s *State) remove(name token) {
	if at := s.file(name); at != nil {
		*at = File{}
	}
}

func (s *State) fly(r Request) bool {
	for i := range s.Flights {
		if s.Flights[i].Kind == 0 {
			s.Flights[i] = r
			return true
		}
	}
	return false
}
