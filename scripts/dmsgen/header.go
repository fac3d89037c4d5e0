package dmsgen

import (
	"fmt"
	"time"
)

// HeaderColumn is a column that an add-column rule of the task fills from a change's header. It is NULL in full loads.
type HeaderColumn struct {
	Name       string
	Expression Header
}

// Header is the expression of an add-column rule.
type Header string

// The headers of a change (user guide, "Using transformation rule expressions to define column content").
const (
	ChangeSeq       Header = "$AR_H_CHANGE_SEQ"       // 35 digits that increase: hundredths of a second, then a number of the source's
	StreamPosition  Header = "$AR_H_STREAM_POSITION"  // where the source's log has the change
	Timestamp       Header = "$AR_H_TIMESTAMP"        // when the change was captured
	CommitTimestamp Header = "$AR_H_COMMIT_TIMESTAMP" // when it was committed
	Operation       Header = "$AR_H_OPERATION"        // INSERT, UPDATE or DELETE
)

// Headers returns every header that changes have.
func Headers() []Header {
	return []Header{ChangeSeq, StreamPosition, Timestamp, CommitTimestamp, Operation}
}

// headers returns the columns of the add-column rules in their order.
func (s Settings) headers() []HeaderColumn {
	if s.SequenceColumn == "" {
		return s.Headers
	}
	return append([]HeaderColumn{{s.SequenceColumn, ChangeSeq}}, s.Headers...)
}

func (h HeaderColumn) field() field {
	typ := "text"
	if h.Expression == Timestamp || h.Expression == CommitTimestamp {
		typ = "timestamp"
	}
	return field{name: h.Name, typ: sourceType{name: typ}}
}

// value returns the header of the change with an ordinal in its file, which makes positions increase.
func (h Header) value(op Op, at time.Time, ordinal int) any {
	at = at.UTC()
	switch h {
	case ChangeSeq:
		return fmt.Sprintf("%s%02d%019d", at.Format("20060102150405"), at.Nanosecond()/10_000_000, ordinal)
	case StreamPosition:
		return fmt.Sprintf("%08x:%08x:%04x", at.Unix(), at.Nanosecond(), ordinal)
	case Timestamp, CommitTimestamp:
		return at.Format(timestampForm)
	case Operation:
		return map[Op]string{Insert: "INSERT", Update: "UPDATE", Delete: "DELETE"}[op]
	}
	return nil
}
