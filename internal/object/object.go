// Package object is the little of S3 that sluice needs, over three stores: S3 itself, a directory and memory.
//
// Words: a store is one bucket. A key names an object; an object is a body that appears, changes and goes as a whole.
// An ETag names one content of one key: it is opaque, strong and compared byte by byte. A condition is what must be
// true of the key at the moment a write becomes visible.
//
// What it promises on failure: a reader sees the old object or the new one, never a mixture and never a part. A write
// that answers ErrPrecondition, ErrNotFound or ErrNoBucket at its first sending changed nothing. Any other error of
// Put, Close or Delete, and those three after a repeated sending, leave open whether the write took place: a client
// repeats what was not answered, and the second sending meets the object of the first. Head tells what is there.
//
// What it does not know: tables, Parquet, commits, and when to try again. S3 repeats throttled and broken requests, and
// takes broken bodies up where they broke, within the client's Patience; everything after that is the caller's.
package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"
)

var (
	// ErrNotFound is returned when the key, or the key that If-Match speaks of, does not exist (HTTP 404). Close also
	// returns it for a multipart upload that is gone: completed by a sending whose answer was lost, or aborted.
	ErrNotFound = errors.New("object not found")
	// ErrPrecondition is returned when a condition was not met: HTTP 412, or 409 ConditionalRequestConflict, which S3
	// answers when another write of the key came in between
	// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
	ErrPrecondition = errors.New("precondition failed")
	// ErrNoBucket is returned when the bucket or the directory does not exist. S3's HEAD has no body to tell it, so
	// Head and Delete answer ErrNotFound there.
	ErrNoBucket = errors.New("no such bucket")
	// ErrDenied is returned for HTTP 401 and 403 and for EACCES and EPERM. S3 answers 403 for a missing key, too, when
	// the caller may not list the bucket.
	ErrDenied = errors.New("access denied")
	// ErrRange is returned when a range begins at or behind the end of the object (HTTP 416).
	ErrRange = errors.New("range outside the object")
	// ErrSource is returned, together with ErrNotFound or ErrPrecondition, when it is the source of CopyFrom that is
	// gone or has another ETag. The key being written is not meant.
	ErrSource = errors.New("source of the copy changed")
	// ErrThrottled is returned when the store asked to slow down (503 SlowDown, 429) for as often as the client tries.
	ErrThrottled = errors.New("store throttles")
	// ErrUnavailable is returned when the store could not be reached, did not answer, answered with 5xx or broke off
	// for as often as the client tries.
	ErrUnavailable = errors.New("store unavailable")
	// ErrClock is returned when the store refuses requests because this machine's clock differs from its own
	// (RequestTimeTooSkewed, more than 15 minutes).
	ErrClock = errors.New("clock differs from the store's")
	// ErrKey is returned when the store cannot hold such a key. A directory cannot hold empty elements, ".", "..",
	// a key that is also a prefix of others, or the names it keeps for itself.
	ErrKey = errors.New("impossible key")
)

// Info describes one object. ETag is in quotes, as HTTP writes it. Size is in bytes and always the whole object's.
// LastModified is zero in the answers of Put and Close where the store does not tell it (S3). Metadata comes from
// Head and Get only, with lower-case names; it is nil where the store keeps none (directory).
type Info struct {
	Key, ETag    string
	Size         int64
	LastModified time.Time
	Metadata     map[string]string
}

// Entry is one line of a listing: an object, or, when Prefix is set, a common prefix that ends in the delimiter; then
// only Key is set.
type Entry struct {
	Info
	Prefix bool
}

// ListInput says what to list. Prefix may end anywhere in a name. Every entry, common prefixes included, is greater
// than StartAfter, which is a whole key, bucket not included. Delimiter is "" or "/".
type ListInput struct {
	Prefix, StartAfter, Delimiter string
}

// GetInput says what to read: Length bytes from Offset on, to the end when Length is 0 or goes beyond it. IfMatch, when
// not empty, is the ETag that the object must have.
type GetInput struct {
	Offset, Length int64
	IfMatch        string
}

// Condition is what must be true of the key when the write becomes visible: IfMatch that it exists with this ETag,
// IfNoneMatch (If-None-Match: *) that it does not exist. Both at once are refused; neither means any.
type Condition struct {
	IfMatch     string
	IfNoneMatch bool
}

// PutInput says how to write. Metadata names are lower-case letters, digits and "-", values printable ASCII, 2 KB in
// all; a directory forgets it. AsParts makes Create send even a small body as a multipart upload: Probe asks with it
// whether a store holds conditions there.
type PutInput struct {
	Condition
	Metadata map[string]string
	AsParts  bool
}

// CopyInput names Length bytes from Offset on of another object of the same bucket, which must still have this ETag.
// The range must lie within the object. Length 0 is nothing.
type CopyInput struct {
	Key, ETag      string
	Offset, Length int64
}

// Counts says how an upload's body came together, in bytes. Copied never left the store; Read was fetched by CopyFrom
// to be written again and is contained in Written.
type Counts struct {
	BytesWritten, BytesCopied, BytesRead int64
}

// Upload is one object being written; nothing of it is visible before Close. It is for one goroutine. The context
// given to Create bounds what Write sends. An error of Write or CopyFrom ends the upload. Every upload is ended by
// Close or Abort.
type Upload interface {
	// Write appends p; it may send parts in the background, whose errors come with a later call.
	Write(p []byte) (int, error)
	// CopyFrom appends a range of another object, within the store where that is possible. A source that is gone or
	// changed gives ErrSource here or, when the copy runs in the background, with a later call.
	CopyFrom(ctx context.Context, in CopyInput) error
	// Close makes the object visible, whole, if its condition holds. After an error the upload is aborted.
	Close(ctx context.Context) (Info, error)
	// Abort throws the upload away. It does nothing after Close or Abort.
	Abort(ctx context.Context) error
	// Counts returns the bytes appended so far.
	Counts() Counts
}

// Reader is what reads. List goes through all pages in byte order of the keys; an error ends it. A body from Get may
// fail while it is read, and must be closed.
type Reader interface {
	List(ctx context.Context, in ListInput) iter.Seq2[Entry, error]
	Head(ctx context.Context, key string) (Info, error)
	Get(ctx context.Context, key string, in GetInput) (io.ReadCloser, Info, error)
}

// Writer is what workers write with. It has no Delete: workers are not allowed to.
type Writer interface {
	Put(ctx context.Context, key string, body []byte, in PutInput) (Info, error)
	Create(ctx context.Context, key string, in PutInput) Upload
}

// Store is what all three stores are. Delete is the janitor's: it removes the object if it has the ETag ifMatch (any,
// when that is empty); a missing key is ErrNotFound.
type Store interface {
	Reader
	Writer
	Delete(ctx context.Context, key, ifMatch string) error
}

// errEnded is returned by calls on an upload that was closed or aborted.
var errEnded = errors.New("upload has ended")

func (c Condition) validate() error {
	if c.IfNoneMatch && c.IfMatch != "" {
		return errors.New("If-Match and If-None-Match exclude each other")
	}
	return nil
}

// check holds c against what is there: exists and etag describe the key now.
func (c Condition) check(exists bool, etag string) error {
	switch {
	case c.IfNoneMatch && exists:
		return fmt.Errorf("%w: the key exists", ErrPrecondition)
	case c.IfMatch != "" && !exists:
		return ErrNotFound
	case c.IfMatch != "" && c.IfMatch != etag:
		return fmt.Errorf("%w: the ETag is %s, not %s", ErrPrecondition, etag, c.IfMatch)
	}
	return nil
}

// span clips in to an object of size bytes and returns the bounds to read.
func (in GetInput) span(size int64) (from, to int64, err error) {
	if in.Offset < 0 || in.Length < 0 {
		return 0, 0, fmt.Errorf("%w: negative offset or length", ErrRange)
	}
	if in.Offset >= size && (in.Offset > 0 || in.Length > 0) {
		return 0, 0, fmt.Errorf("%w: offset %d of %d bytes", ErrRange, in.Offset, size)
	}
	if in.Length == 0 || in.Length > size-in.Offset {
		return in.Offset, size, nil
	}
	return in.Offset, in.Offset + in.Length, nil
}

func (in CopyInput) validate() error {
	if in.Offset < 0 || in.Length < 0 {
		return fmt.Errorf("copy %s: %w: negative offset or length", in.Key, ErrRange)
	}
	if in.ETag == "" {
		return fmt.Errorf("copy %s: an ETag is needed", in.Key)
	}
	return nil
}

// sourceError marks err as one about the source of a copy where that is what it says.
func (in CopyInput) sourceError(err error) error {
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrPrecondition) {
		return fmt.Errorf("copy %s: %w: %w", in.Key, ErrSource, err)
	}
	return fmt.Errorf("copy %s: %w", in.Key, err)
}

func (in ListInput) validate() error {
	if in.Delimiter != "" && in.Delimiter != "/" {
		return fmt.Errorf("list %s: delimiter %q is neither empty nor /", in.Prefix, in.Delimiter)
	}
	return nil
}

// commonPrefix returns the common prefix that key is rolled up into, or "".
func (in ListInput) commonPrefix(key string) string {
	if in.Delimiter == "" {
		return ""
	}
	i := strings.Index(key[len(in.Prefix):], in.Delimiter)
	if i < 0 {
		return ""
	}
	return key[:len(in.Prefix)+i+len(in.Delimiter)]
}
