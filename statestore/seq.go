package statestore

import (
	"fmt"
	"strconv"
)

const (
	seqDigits = 12

	// MaxSeq is the largest sequence number that the fixed width holds.
	MaxSeq uint64 = 999_999_999_999
)

// FormatSeq writes a sequence number as Seq holds it: 12 decimal digits, so that strings compare as numbers do.
// A number above MaxSeq gets longer, and ParseSeq refuses it.
func FormatSeq(seq uint64) string { return fmt.Sprintf("%0*d", seqDigits, seq) }

// ParseSeq reads what FormatSeq wrote. An absent Seq, the empty string, is 0; anything else is ErrSeq.
func ParseSeq(s string) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || len(s) != seqDigits {
		return 0, fmt.Errorf("%w: %q is not %d digits", ErrSeq, s, seqDigits)
	}
	return n, nil
}
