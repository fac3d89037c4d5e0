package lake

import (
	"math"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"

	"sluice/internal/parquetedit"
)

// instant is a point in time: seconds since 1970-01-01 and nanoseconds 0 … 999,999,999 after them.
type instant struct {
	seconds int64
	nanos   int64
}

const (
	nanosPerSecond = 1_000_000_000
	secondsPerDay  = 86_400
	// julianEpoch is the Julian day number of 1970-01-01. INT96 holds nanoseconds
	// of the day in 8 bytes and the Julian day in 4, little-endian, as Spark and Impala write it.
	julianEpoch = 2_440_588
)

// perSecond returns how many ticks of a unit a second has, 0 for an unknown unit.
func perSecond(u parquetedit.Unit) int64 {
	switch u {
	case parquetedit.Millis:
		return 1_000
	case parquetedit.Micros:
		return 1_000_000
	case parquetedit.Nanos:
		return nanosPerSecond
	}
	return 0
}

// floorDiv divides with a remainder that is never negative.
func floorDiv(a, b int64) (quotient, rest int64) {
	quotient, rest = a/b, a%b
	if rest < 0 {
		return quotient - 1, rest + b
	}
	return quotient, rest
}

// instantOf reads a Timestamp (INT64 or INT96), a Time or a Date. The zone flag is
// of no account: legacy writers did not have it.
func instantOf(t parquetedit.Type, v value) instant {
	switch {
	case t.Physical == parquet.Int96:
		raw := v.Int96()
		seconds, nanos := floorDiv(int64(uint64(raw[1])<<32|uint64(raw[0])), nanosPerSecond)
		return instant{(int64(int32(raw[2]))-julianEpoch)*secondsPerDay + seconds, nanos}
	case t.Logical == parquetedit.Date:
		return instant{seconds: int64(v.Int32()) * secondsPerDay}
	}
	ticks := v.Int64()
	if t.Physical == parquet.Int32 {
		ticks = int64(v.Int32())
	}
	per := perSecond(t.Unit)
	seconds, rest := floorDiv(ticks, per)
	return instant{seconds, rest * (nanosPerSecond / per)}
}

// valueOf makes a value of a Timestamp or Time; ok is false when the type is too coarse or too short for it.
func (i instant) valueOf(t parquetedit.Type) (v value, ok bool) {
	if t.Physical == parquet.Int96 {
		return i.int96()
	}
	ticks, ok := i.ticks(perSecond(t.Unit))
	switch {
	case !ok:
		return value{}, false
	case t.Physical == parquet.Int64:
		return parquet.Int64Value(ticks), true
	case ticks < math.MinInt32 || ticks > math.MaxInt32:
		return value{}, false
	}
	return parquet.Int32Value(int32(ticks)), true
}

func (i instant) int96() (value, bool) {
	days, seconds := floorDiv(i.seconds, secondsPerDay)
	if days < math.MinInt32 || days+julianEpoch > math.MaxInt32 {
		return value{}, false
	}
	nanos := seconds*nanosPerSecond + i.nanos
	return parquet.Int96Value(deprecated.Int96{uint32(nanos), uint32(nanos >> 32), uint32(int32(days + julianEpoch))}), true
}

func (i instant) ticks(per int64) (int64, bool) {
	size := nanosPerSecond / per
	if i.nanos%size != 0 {
		return 0, false
	}
	whole, part := i.seconds, i.nanos/size
	if whole < 0 && part > 0 { // count from the second above, so that the earliest tick of int64 fits
		whole, part = whole+1, part-per
	}
	if whole > math.MaxInt64/per || whole < math.MinInt64/per {
		return 0, false
	}
	sum := whole*per + part
	return sum, whole < 0 == (sum < 0) || whole == 0 || sum == 0
}

func (i instant) compare(j instant) int {
	switch {
	case i.seconds < j.seconds || i.seconds == j.seconds && i.nanos < j.nanos:
		return -1
	case i == j:
		return 0
	default:
		return 1
	}
}
