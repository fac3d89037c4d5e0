package main

import (
	"cmp"
	"log/slog"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"sluice/internal/replicate"
	"sluice/internal/setting"
)

// limits are where the memory that a process may take is read from: what a test replaces.
type limits struct {
	env    func(name string) (string, bool)
	golang func() int64           // limit of the Go runtime, math.MaxInt64 = none
	cgroup func() (uint64, error) // of the container, v1 or v2, the lowest on the way up from the process's own
	system func() (uint64, error) // of the machine
}

// found is a limit and who set it.
type found struct {
	bytes  int64
	source string
}

// find returns the lowest of the limits that were set, else what the machine has; nothing when nobody knows.
func (l limits) find() found {
	machine, err := l.system()
	if err != nil || machine > math.MaxInt64 {
		machine = 0
	}
	var set []found
	if _, ok := l.env("GOMEMLIMIT"); ok && l.golang() != math.MaxInt64 {
		set = append(set, found{int64(float64(l.golang()) / heapShare), "GOMEMLIMIT"})
	}
	if text, ok := l.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"); ok {
		if mib, err := strconv.ParseInt(text, 10, 32); err == nil && mib > 0 {
			set = append(set, found{mib << 20, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"})
		}
	}
	if bytes, err := l.cgroup(); err == nil && bytes <= math.MaxInt64 && (machine == 0 || bytes < machine) {
		set = append(set, found{int64(bytes), "cgroup"})
	}
	if len(set) == 0 {
		return found{int64(machine), "machine"}
	}
	return slices.MinFunc(set, func(a, b found) int { return cmp.Compare(a.bytes, b.bytes) })
}

// heapShare is how much of a limit the Go runtime gets: the kernel counts what it does not, such as the program and the
// files being written.
const heapShare = 0.9

// machineShare is how much of a machine that set no limit the engine plans with: it is not alone there.
const machineShare = 2

// limitMemory settles what the engine may take, and has the garbage collector work harder before the process grows beyond
// it. It says so in the log.
func (o *options) limitMemory(l limits, log *slog.Logger) error {
	limit := found{int64(o.memory), "--memory"}
	switch {
	case limit.bytes != 0 && limit.bytes < replicate.MinMemoryBytes:
		return usagef("--memory %s is below the least of %s", setting.Bytes(limit.bytes), setting.Bytes(replicate.MinMemoryBytes))
	case limit.bytes == 0:
		limit = l.find()
	}
	heap := int64(float64(limit.bytes) * heapShare)
	switch {
	case limit.bytes == 0:
		log.Info("no memory limit was found: nothing is held back")
		return nil
	case limit.source == "machine":
		limit.bytes /= machineShare
		heap = math.MaxInt64
	case limit.bytes < replicate.MinMemoryBytes:
		log.Warn("the memory limit is below what is planned with", "limit", setting.Bytes(limit.bytes), "from", limit.source, "least", setting.Bytes(replicate.MinMemoryBytes))
		limit.bytes = replicate.MinMemoryBytes
	}
	if limit.source != "GOMEMLIMIT" && heap != math.MaxInt64 {
		debug.SetMemoryLimit(heap)
	}
	o.settings.MemoryBytes = limit.bytes
	log.Info("memory limit", "bytes", setting.Bytes(limit.bytes), "from", limit.source, "heap", heapText(heap))
	return nil
}

// lateBytes is how large a process gets before it looks for garbage: a merge of few changes is over by then.
const lateBytes = 64 << 20

// collectLate keeps the garbage collector off until the process has lateBytes; what was set counts from the first collection
// on. It does nothing where GOGC is set, or where the limit is near.
func collectLate(env func(string) (string, bool)) {
	limit := debug.SetMemoryLimit(-1)
	if _, ok := env("GOGC"); ok || limit < 2*lateBytes {
		return
	}
	percent := debug.SetGCPercent(-1)
	debug.SetMemoryLimit(lateBytes)
	first := new([64]byte) // garbage at once
	runtime.SetFinalizer(first, func(*[64]byte) {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	})
}

func heapText(bytes int64) string {
	if bytes == math.MaxInt64 {
		return "unlimited"
	}
	return setting.Bytes(bytes)
}

// processLimits are those of this process.
func processLimits(env func(string) (string, bool)) limits {
	return limits{
		env: env, golang: func() int64 { return debug.SetMemoryLimit(-1) },
		cgroup: memlimit.FromCgroup, system: memlimit.FromSystem,
	}
}
