// Package setting has the settings that the command and the functions share: their names, their values as text, their
// defaults. A setting is a flag of the command, and the environment variable SLUICE_ and the flag's name of both.
package setting

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a flag of a time span: 90s, 30m, 12h, 7d, or 0.
type Duration time.Duration

// Set implements pflag.Value.
func (d *Duration) Set(text string) error {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil {
			return fmt.Errorf("%q is not a number of days", text)
		}
		*d = Duration(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	span, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is not a time span such as 90s, 30m, 12h or 7d", text)
	}
	*d = Duration(span)
	return nil
}

// String implements pflag.Value.
func (d *Duration) String() string {
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
func (*Duration) Type() string { return "duration" }

// Size is a flag of a number of bytes: 134217728, 128MiB, 1GiB.
type Size int64

// Set implements pflag.Value.
func (s *Size) Set(text string) error {
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
	*s = Size(n * unit)
	return nil
}

// String implements pflag.Value; of none it is empty, so that the help shows no default.
func (s *Size) String() string {
	if *s == 0 {
		return ""
	}
	return Bytes(int64(*s))
}

// Type implements pflag.Value.
func (*Size) Type() string { return "size" }

// Bytes writes a number of bytes for people, exactly where it is a round number of units.
func Bytes(n int64) string {
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

// opColumn is the flag of whether new lake files are without the Op column: keep or drop.
type opColumn bool

// Set implements pflag.Value.
func (c *opColumn) Set(text string) error {
	if text != "keep" && text != "drop" {
		return fmt.Errorf("%q is not one of keep, drop", text)
	}
	*c = text == "drop"
	return nil
}

// String implements pflag.Value.
func (c *opColumn) String() string {
	if *c {
		return "drop"
	}
	return "keep"
}

// Type implements pflag.Value.
func (*opColumn) Type() string { return "string" }
