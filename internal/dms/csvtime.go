package dms

import (
	"math"
	"time"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

const (
	secondsPerDay = 86_400
	dateLength    = len("2006-01-02")
	clockLength   = len("15:04:05")
)

// dayOf reads YYYY-MM-DD as days since 1970-01-01.
func dayOf(text []byte) (int64, bool) {
	if len(text) != dateLength || text[4] != '-' || text[7] != '-' {
		return 0, false
	}
	year, ok1 := digitsOf(text[:4])
	month, ok2 := digitsOf(text[5:7])
	day, ok3 := digitsOf(text[8:])
	if !ok1 || !ok2 || !ok3 || month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, false
	}
	at := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return at.Unix() / secondsPerDay, at.Day() == day
}

// digitsOf reads a few digits.
func digitsOf(text []byte) (int, bool) {
	n := 0
	for _, c := range text {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

func parseDate(text []byte) (parquet.Value, bool) {
	day, ok := dayOf(text)
	return parquet.Int32Value(int32(day)), ok
}

// clockOf reads HH:MM:SS and a fraction as nanoseconds of the day.
func clockOf(text []byte) (int64, bool) {
	if len(text) < clockLength || text[2] != ':' || text[5] != ':' {
		return 0, false
	}
	hour, ok1 := digitsOf(text[:2])
	minute, ok2 := digitsOf(text[3:5])
	second, ok3 := digitsOf(text[6:clockLength])
	if !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	nanos := int64(0)
	if fraction := text[clockLength:]; len(fraction) > 0 {
		if fraction[0] != '.' || len(fraction) == 1 || len(fraction) > 1+nanoDigits {
			return 0, false
		}
		n, ok := digitsOf(fraction[1:])
		if !ok {
			return 0, false
		}
		nanos = int64(n)
		for i := len(fraction) - 1; i < nanoDigits; i++ {
			nanos *= 10
		}
	}
	return (int64(hour)*3600+int64(minute)*60+int64(second))*int64(time.Second) + nanos, true
}

// tick is how long a unit is, in nanoseconds.
func tick(u parquetedit.Unit) int64 {
	switch u {
	case parquetedit.Millis:
		return int64(time.Millisecond)
	case parquetedit.Micros:
		return int64(time.Microsecond)
	case parquetedit.Nanos:
	}
	return 1
}

func parseTime(t parquetedit.Type) parser {
	each := tick(t.Unit)
	return func(text []byte) (parquet.Value, bool) {
		nanos, ok := clockOf(text)
		if !ok || nanos%each != 0 {
			return parquet.Value{}, false
		}
		if t.Physical == parquet.Int32 {
			return parquet.Int32Value(int32(nanos / each)), true
		}
		return parquet.Int64Value(nanos / each), true
	}
}

// parseTimestamp reads YYYY-MM-DD HH:MM:SS.ffffff, with T for the blank and Z behind it too, and a date alone.
func parseTimestamp(t parquetedit.Type) parser {
	each := tick(t.Unit)
	return func(text []byte) (parquet.Value, bool) {
		if n := len(text); n > 0 && text[n-1] == 'Z' {
			text = text[:n-1]
		}
		day, ok := dayOf(text[:min(dateLength, len(text))])
		nanos := int64(0)
		if rest := text[min(dateLength, len(text)):]; ok && len(rest) > 0 {
			if rest[0] != ' ' && rest[0] != 'T' {
				return parquet.Value{}, false
			}
			nanos, ok = clockOf(rest[1:])
		}
		if !ok || nanos%each != 0 {
			return parquet.Value{}, false
		}
		perDay := secondsPerDay * (int64(time.Second) / each)
		if day > math.MaxInt64/perDay-1 || day < math.MinInt64/perDay+1 {
			return parquet.Value{}, false
		}
		return parquet.Int64Value(day*perDay + nanos/each), true
	}
}
