package main

import (
	"bytes"
	"log/slog"
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"sluice/internal/replicate"
	"sluice/internal/setting"
)

func fakeLimits(env map[string]string, golang int64, cgroup, system uint64) limits {
	provide := func(bytes uint64) func() (uint64, error) {
		return func() (uint64, error) {
			if bytes == 0 {
				return 0, memlimit.ErrNoLimit
			}
			return bytes, nil
		}
	}
	return limits{
		env:    func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		golang: func() int64 { return golang }, cgroup: provide(cgroup), system: provide(system),
	}
}

func TestMemoryLimitIsTheLowestThatWasSet(t *testing.T) {
	const gib = 1 << 30
	for name, c := range map[string]struct {
		limits limits
		want   found
	}{
		"a container":                 {fakeLimits(nil, math.MaxInt64, gib, 8*gib), found{gib, "cgroup"}},
		"a function":                  {fakeLimits(map[string]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}, math.MaxInt64, 0, 8*gib), found{gib / 2, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"}},
		"the runtime":                 {fakeLimits(map[string]string{"GOMEMLIMIT": "900MiB"}, 900<<20, 4*gib, 8*gib), found{1000 << 20, "GOMEMLIMIT"}},
		"the container below it":      {fakeLimits(map[string]string{"GOMEMLIMIT": "3GiB"}, 3*gib, gib, 8*gib), found{gib, "cgroup"}},
		"a container above the house": {fakeLimits(nil, math.MaxInt64, 16*gib, 8*gib), found{8 * gib, "machine"}},
		"none":                        {fakeLimits(nil, math.MaxInt64, 0, 8*gib), found{8 * gib, "machine"}},
		"nobody knows":                {fakeLimits(nil, math.MaxInt64, 0, 0), found{0, "machine"}},
	} {
		if got := c.limits.find(); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestMemoryLimitIsSaidOnce(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	for name, c := range map[string]struct {
		flag   setting.Size
		limits limits
		bytes  int64 // that the engine gets
		heap   int64 // that the runtime gets
		says   string
	}{
		"by hand":    {512 << 20, fakeLimits(nil, math.MaxInt64, 1<<30, 8<<30), 512 << 20, 512 << 20 / 10 * 9, `bytes=512MiB from=--memory heap=460.8MiB`},
		"found":      {0, fakeLimits(nil, math.MaxInt64, 1<<30, 8<<30), 1 << 30, 1 << 30 / 10 * 9, "from=cgroup"},
		"a machine":  {0, fakeLimits(nil, math.MaxInt64, 0, 8<<30), 4 << 30, math.MaxInt64, "from=machine heap=unlimited"},
		"very small": {0, fakeLimits(nil, math.MaxInt64, 64<<20, 8<<30), replicate.MinMemoryBytes, 64 << 20 / 10 * 9, "level=WARN"},
		"none":       {0, fakeLimits(nil, math.MaxInt64, 0, 0), 0, math.MaxInt64, "nothing is held back"},
	} {
		t.Run(name, func(t *testing.T) {
			debug.SetMemoryLimit(math.MaxInt64)
			var log bytes.Buffer
			o := &options{memory: c.flag}
			if err := o.limitMemory(c.limits, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
				t.Fatal(err)
			}
			if got := debug.SetMemoryLimit(-1); o.settings.MemoryBytes != c.bytes || math.Abs(float64(got-c.heap)) > 10 {
				t.Errorf("engine %d, runtime %d, want %d, %d", o.settings.MemoryBytes, got, c.bytes, c.heap)
			}
			if !strings.Contains(log.String(), c.says) {
				t.Errorf("log %q lacks %q", log.String(), c.says)
			}
		})
	}
	o := &options{memory: 1 << 20}
	if err := o.limitMemory(fakeLimits(nil, math.MaxInt64, 0, 0), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "below the least") {
		t.Errorf("1 MiB: error %v, want wrong usage", err)
	}
}

// TestFirstCollectionComesLate: and the limit of the process is in force behind it.
func TestFirstCollectionComesLate(t *testing.T) {
	const limit = 512 << 20
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(limit))
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	unset := func(string) (string, bool) { return "", false }
	for name, c := range map[string]struct {
		limit int64
		env   func(string) (string, bool)
		want  int64 // before the first collection
	}{
		"a large limit": {limit, unset, lateBytes},
		"a small limit": {100 << 20, unset, 100 << 20},
		"GOGC is set":   {limit, func(name string) (string, bool) { return "50", name == "GOGC" }, limit},
	} {
		t.Run(name, func(t *testing.T) {
			debug.SetMemoryLimit(c.limit)
			collectLate(c.env)
			if got := debug.SetMemoryLimit(-1); got != c.want {
				t.Errorf("limit %d before the first collection, want %d", got, c.want)
			}
			for range 1000 {
				if runtime.GC(); debug.SetMemoryLimit(-1) == c.limit {
					break
				}
				time.Sleep(time.Millisecond) // finalizers have a goroutine of their own
			}
			if got, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100); got != c.limit || percent != 100 {
				t.Errorf("limit %d and GOGC %d behind the first collection, want %d and 100", got, percent, c.limit)
			}
		})
	}
}
