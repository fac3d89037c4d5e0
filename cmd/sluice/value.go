package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// duration is a flag of a time span: 90s, 30m, 12h, 7d, or 0.
type duration time.Duration

// Set implements pflag.Value.
func (d *duration) Set(text string) error {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil {
			return fmt.Errorf("%q is not a number of days", text)
		}
		*d = duration(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	span, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is not a time span such as 90s, 30m, 12h or 7d", text)
	}
	*d = duration(span)
	return nil
}

// String implements pflag.Value.
func (d *duration) String() string {
	const day = 24 * time.Hour
	span := time.Duration(*d)
	switch {
	case span > 0 && span%day == 0:
		return fmt.Sprintf("%dd", span/day)
	case span > 0 && span%time.Minute == 0 && span < time.Hour:
		return fmt.Sprintf("%dm", span/time.Minute)
	default:
		return span.String()
	}
}

// Type implements pflag.Value.
func (*duration) Type() string { return "duration" }

// size is a flag of a number of bytes: 134217728, 128MiB, 1GiB.
type size int64

// Set implements pflag.Value.
func (s *size) Set(text string) error {
	number, unit := text, int64(1)
	for suffix, bytes := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if cut, ok := strings.CutSuffix(text, suffix); ok {
			number, unit = strings.TrimSpace(cut), bytes
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/unit {
		return fmt.Errorf("%q is not a size such as 134217728, 128MiB or 1GiB", text)
	}
	*s = size(n * unit)
	return nil
}

// String implements pflag.Value; of none it is empty, so that the help shows no default.
func (s *size) String() string {
	if *s == 0 {
		return ""
	}
	return bytesText(int64(*s))
}

// Type implements pflag.Value.
func (*size) Type() string { return "size" }

// bytesText writes a number of bytes for people, exactly where it is a round number of units.
func bytesText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	value, unit := float64(n), 0
	for value >= 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	if value == float64(int64(value)) {
		return fmt.Sprintf("%d%s", int64(value), units[unit])
	}
	return fmt.Sprintf("%.1f%s", value, units[unit])
}
