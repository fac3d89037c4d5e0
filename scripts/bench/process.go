package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// usage is what one process took.
type usage struct {
	wall, cpu float64 // seconds
	peak      int64   // resident bytes
}

// quicker takes the smaller times and the larger memory.
func (u usage) quicker(o usage) usage {
	return usage{min(u.wall, o.wall), min(u.cpu, o.cpu), max(u.peak, o.peak)}
}

// process runs a command to its end and returns its output.
func (b *bench) process(env []string, name string, args ...string) (usage, []byte, error) {
	cmd := exec.CommandContext(b.ctx, name, args...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	cmd.Env = append(os.Environ(), env...)
	began := time.Now()
	err := cmd.Run()
	wall := time.Since(began).Seconds()
	if err != nil {
		return usage{}, nil, fmt.Errorf("%s %.60q: %w\n%s%s", name, args, err, out.Bytes(), problems.Bytes())
	}
	used, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return usage{}, nil, errors.New("this system does not tell what a process used")
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return usage{wall, cpu.Seconds(), used.Maxrss << 10}, out.Bytes(), nil
}

// lakeEnv is the environment of sluice on directories of this run.
func (b *bench) lakeEnv(name string) []string {
	return []string{"SLUICE_RAW=" + b.work + "/" + name + "/raw", "SLUICE_LAKE=" + b.work + "/" + name + "/lake"}
}

// tick is one run of sluice over inputs that do not change any more.
func (b *bench) tick(env []string) (usage, error) {
	u, _, err := b.process(env, b.sluice, "run", "--settle", "0s", "--full-load-quiet", "0s")
	return u, err
}

// activated registers the tables and activates the named one.
func (b *bench) activated(env []string, table string, flags ...string) error {
	if _, err := b.tick(env); err != nil {
		return err
	}
	_, _, err := b.process(env, b.sluice, append([]string{"activate", table}, flags...)...)
	return err
}
