package replicate

// Action says what a tick did with one table.
type Action string

// The actions of a tick. Loaded, merged, rebuilt and compacted changed the lake's files; the others did not.
const (
	Loaded     Action = "loaded"     // a full load arrived in the lake
	Merged     Action = "merged"     // changes arrived in the lake (after a load in the same tick, too)
	Rebuilt    Action = "rebuilt"    // a fresh generation was written from raw
	Idle       Action = "idle"       // nothing to do now; Reason says what is waited for, if anything
	Inactive   Action = "inactive"   // the operator has not set ActiveFlag to "true"
	Registered Action = "registered" // seen for the first time; an operator has to activate it
	Halted     Action = "halted"     // data or settings are wrong; Reason says which, and the remedy
	Failed     Action = "failed"     // storage trouble or the like; a later run may succeed
	Busy       Action = "busy"       // another run works on the table
	Compacted  Action = "compacted"  // the same rows lie in other files
	Cleaned    Action = "cleaned"    // the janitor deleted something
	Started    Action = "started"    // a table run of its own was started for the table
)

// Counts are the figures of what happened to rows. All but Changes are net
// effects: what the lake's rows went through, not what the inputs say.
type Counts struct {
	Changes     int64 `json:"changes"`     // change rows read
	Inserts     int64 `json:"inserts"`     // rows whose key was new to the lake
	Updates     int64 `json:"updates"`     // rows whose key was replaced
	Deletes     int64 `json:"deletes"`     // keys removed
	Noops       int64 `json:"noops"`       // upserts that left a row as it was
	Stale       int64 `json:"stale"`       // changes below the order column's value in the lake
	Duplicates  int64 `json:"duplicates"`  // surplus rows of one key found in the lake
	Strays      int64 `json:"strays"`      // those of the inserts that came as updates: docs/LIFE.md
	Anomalies   int64 `json:"anomalies"`   // updates and deletes of a key-less table
	Superseded  int64 `json:"superseded"`  // change files older than the full load: consumed, not applied
	Quarantined int64 `json:"quarantined"` // rows that the table's contract kept out
	Ignored     int64 `json:"ignored"`     // objects whose names are not DMS's
}

// Traffic is what the lake files cost.
type Traffic struct {
	FilesCreated   int64 `json:"files_created"`
	FilesRewritten int64 `json:"files_rewritten"`
	FilesEmptied   int64 `json:"files_emptied"`   // rewritten to zero rows
	FilesUntouched int64 `json:"files_untouched"` // live lake files that were not rewritten
	BytesRead      int64 `json:"bytes_read"`
	BytesWritten   int64 `json:"bytes_written"`
	BytesCopied    int64 `json:"bytes_copied"` // copied within the store or as raw bytes, not encoded again
}

// Result is what one tick did with one table: the line that `sluice run --json` prints.
type Result struct {
	Table  string `json:"table"` // schema.table
	Path   string `json:"path"`
	Action Action `json:"action"`
	Reason string `json:"reason"` // empty, or a sentence; for Halted it starts with the reason code and a colon
	Inputs int64  `json:"inputs"` // files consumed, empty and superseded ones too
	Counts
	Traffic
	Seconds             float64  `json:"seconds"`
	LastFullLoadDate    string   `json:"last_full_load_date"`
	LastIncrementalFile string   `json:"last_incremental_file"`
	IgnoredNames        []string `json:"ignored_names,omitempty"` // up to ten of the ignored objects
	NewlyHalted         bool     `json:"-"`                       // this very run recorded the halt
	Err                 error    `json:"-"`                       // behind Failed
}

// Forecast is what a run would do with one table: the line that `sluice plan --json` prints.
type Forecast struct {
	Table        string   `json:"table"`
	Path         string   `json:"path"`
	Action       Action   `json:"action"` // what run would report; Idle when there is nothing to do
	Reason       string   `json:"reason"`
	Inputs       []string `json:"inputs"`       // keys that the next commit would consume, in order; the figures are that commit's
	InputsAfter  int      `json:"inputs_after"` // change files that the same run would merge behind it
	Files        []string `json:"files"`        // lake keys that would be rewritten
	Counts       `json:"counts"`
	FilesCreated int64 `json:"files_created"`
	Rewritten    int64 `json:"files_rewritten"`
	Untouched    int64 `json:"files_untouched"`
	Rows         int64 `json:"rows"`           // rows that would be inserted, replaced or removed
	BytesToRead  int64 `json:"bytes_to_read"`  // estimate
	BytesToWrite int64 `json:"bytes_to_write"` // estimate
	Err          error `json:"-"`
}

// Table is a registered table as operators see it: the line that `sluice tables --json` prints.
type Table struct {
	Table               string            `json:"table"`
	Path                string            `json:"path"`
	Active              bool              `json:"active"`
	PrimaryKey          string            `json:"primary_key"`   // comma list, "null" = none
	PartitionKey        string            `json:"partition_key"` // comma list, "null" = none
	OutPath             string            `json:"out_path"`
	Dialect             string            `json:"dialect,omitempty"` // of the inputs, "" while none has told it
	LastFullLoadDate    string            `json:"last_full_load_date"`
	LastIncrementalFile string            `json:"last_incremental_file"`
	LagSeconds          int64             `json:"lag_seconds"` // now − the time in the newest consumed change file's name (or the load's date); -1 = nothing consumed yet
	Status              string            `json:"status"`      // "ok", "halted", "pending"; "unreadable" when the item cannot be read
	Reason              string            `json:"reason"`
	Proposal            *Proposal         `json:"proposal,omitempty"` // by activate
	Quarantined         int64             `json:"quarantined"`        // rows that contracts kept out so far
	Warning             string            `json:"warning,omitempty"`  // what activate found and let pass
	Attributes          map[string]string `json:"-"`                  // the whole control item
}

// Check is one finding of `sluice doctor`.
type Check struct {
	Name   string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"` // what was found
	Remedy string `json:"remedy"` // what to do, when not OK
}
