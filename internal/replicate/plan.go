package replicate

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"sluice/internal/contract"
	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/parquetedit"
	"sluice/statestore"
)

// Kind is what a plan does.
type Kind string

// The kinds of plan.
const (
	KindLoad     Kind = "load"     // a full load becomes the table: creates, then older files to zero rows
	KindMerge    Kind = "merge"    // changes are merged
	KindRecord   Kind = "record"   // only the watermark and what is known of the inputs move
	KindTruncate Kind = "truncate" // every lake file to zero rows
	KindRewrite  Kind = "rewrite"  // the table's rows are written again: wider types, another partition key
	KindFence    Kind = "fence"    // the unapplied writes of a commit become impossible
	KindRebuild  Kind = "rebuild"  // rows made from raw anew become the table: creates, then older files to zero rows
	KindCompact  Kind = "compact"  // rows of some lake files lie in other files: creates, then the files they were in to zero rows
)

// Plan is what one commit does: a value, written down before it becomes
// binding. It goes through JSON unchanged.
type Plan struct {
	Path       string            `json:"path"`
	Seq        uint64            `json:"seq"`
	ID         string            `json:"id"`
	Kind       Kind              `json:"kind"`
	Made       time.Time         `json:"made"`
	Settings   map[string]string `json:"settings"`         // attributes it was made with
	Schema     lake.Schema       `json:"schema"`           // of the table behind it
	Index      string            `json:"index,omitempty"`  // the item's when it was planned
	Ledger     string            `json:"ledger,omitempty"` // the item's when it was planned
	Phases     [2]Phase          `json:"phases"`
	Changes    string            `json:"changes,omitempty"`    // object key of the net changes
	Creates    int64             `json:"creates"`              // rows that phase 1 adds
	Sources    []Source          `json:"sources,omitempty"`    // what the creates of a load read
	Before     string            `json:"before,omitempty"`     // prefix of before-image columns in the sources
	Dialect    dms.Dialect       `json:"dialect,omitempty"`    // that the sources are read in; "" = as their columns say
	Codec      string            `json:"codec"`                // of new files
	Inputs     []string          `json:"inputs,omitempty"`     // keys consumed, in order
	Quarantine []Quarantined     `json:"quarantine,omitempty"` // rows that are kept out of them
	Again      int64             `json:"again,omitempty"`      // of a rebuild: inputs that were consumed before and read again
	Counts     Counts            `json:"counts"`
	Traffic    Traffic           `json:"traffic"` // files only: bytes are known when they were moved
	Set        map[string]string `json:"set,omitempty"`
	Old        string            `json:"old,omitempty"` // key of the plan whose place it takes: a fence's, or one behind a fence
}

// Phase names the object that holds a phase's ops in batches.
type Phase struct {
	Key     string `json:"key,omitempty"`
	Ops     int    `json:"ops"`
	Batches int    `json:"batches,omitempty"`
	Bytes   int64  `json:"bytes,omitempty"` // weight of its ops
	Wide    bool   `json:"wide,omitempty"`  // an op takes more than a workflow's state may hold: it is applied where it was planned
}

// Source is a file that the creates of a load, a rewrite or a compaction read.
type Source struct {
	Key  string `json:"key"`
	ETag string `json:"etag"`
	Size int64  `json:"size"`
	Lake bool   `json:"lake,omitempty"` // a lake file, not a LOAD object
	Dir  string `json:"dir,omitempty"`  // partition directory of a lake file

	CSV *dms.CSVIndex `json:"csv,omitempty"` // of an object that is CSV
}

// Batch is some ops of a phase: what one worker carries out.
type Batch struct {
	Path  string `json:"path"`
	Seq   uint64 `json:"seq"`
	ID    string `json:"id"`
	Plan  string `json:"plan"`
	Phase int    `json:"phase"` // 1 or 2
	Ops   []Op   `json:"ops"`
}

// OpKind says how an op makes its files.
type OpKind string

// The kinds of op.
const (
	OpCreate  OpKind = "create"  // new files, of changes or of sources
	OpRewrite OpKind = "rewrite" // one file with its slice of the changes applied
	OpEmpty   OpKind = "empty"   // one file to zero rows
	OpRefresh OpKind = "refresh" // one file with the same rows and a new footer: what a fence does
	OpBlock   OpKind = "block"   // a zero-row file under a name that a fenced create would use
	OpBlank   OpKind = "blank"   // one file that cannot be read to zero rows, whatever it holds
)

// Op writes one lake file, or, creating in a load, one for each of several
// partitions. It may be carried out any number of times, by anyone.
type Op struct {
	N       int         `json:"n"`
	Kind    OpKind      `json:"kind"`
	Files   []OpFile    `json:"files"`
	ETag    string      `json:"etag,omitempty"`    // what the file must be before it is rewritten
	Size    int64       `json:"size,omitempty"`    // of that
	Changes *lake.Span  `json:"changes,omitempty"` // its slice of the changes object
	Parts   []lake.Part `json:"parts,omitempty"`   // what it reads of the sources
	Bytes   int64       `json:"bytes"`             // weight: about what it reads
}

// OpFile is a lake file as the op leaves it.
type OpFile struct {
	Key     string               `json:"key"`
	Dir     string               `json:"dir,omitempty"`
	Rows    int64                `json:"rows"`
	Columns []parquetedit.Column `json:"columns,omitempty"`
	Min     []byte               `json:"min,omitempty"` // bounds of the first key column; absent = unknown
	Max     []byte               `json:"max,omitempty"`
}

// draft is a plan with everything that is written down with it.
type draft struct {
	Plan
	ops      [2][]Op
	merge    *lake.Merge // behind Changes
	ledger   *ledger
	table    *table
	inputs   []input
	shadowed []string          // of a rebuild: files of the shadow's quarantine
	out      [][]contract.Kept // what goes to the quarantine, by file
	forget   []string          // attributes that the commit makes untrue
	ends     []string          // attributes of the item that end with the commit, beside Accept
	halt     string            // reason of the halt that ends with it
}

// commitKey is seq and id: what names a commit's objects and marks its bodies.
func (p *Plan) commitKey() string { return statestore.FormatSeq(p.Seq) + "-" + p.ID }

// fileName is the name of the n-th file that a commit creates.
func (p *Plan) fileName(n int) string {
	return fmt.Sprintf("part-%s-%d-%s.parquet", statestore.FormatSeq(p.Seq), n, p.ID[:8])
}

// idLength is the length of a commit's id: hexadecimal digits.
const idLength = 32

func newID() string {
	var b [idLength / 2]byte
	_, _ = rand.Read(b[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	return hex.EncodeToString(b[:])
}

// options say how the plan's sources are read.
func (p *Plan) options() dms.Options {
	return dms.Options{Dialect: p.Dialect, BeforeImagePrefix: p.Before}
}
