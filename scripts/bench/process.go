package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"text/tabwriter"
	"time"
)

// usage is what one process took.
type usage struct {
	wall, cpu float64 // seconds
	peak      int64   // resident bytes
}

// result is a case: what sluice took, and what DuckDB did.
type result struct {
	name         string
	sluice, duck usage // the zero duck: there is no other side
	note         string
}

// record adds a result, or takes its quicker sides over into the one that is there.
func (b *bench) record(r result) {
	fmt.Fprintf(os.Stderr, "bench: %s: sluice %.2f s, DuckDB %.2f s\n", r.name, r.sluice.wall, r.duck.wall)
	for i := range b.results {
		if have := &b.results[i]; have.name == r.name {
			have.sluice, have.duck, have.note = have.sluice.quicker(r.sluice), have.duck.quicker(r.duck), r.note
			return
		}
	}
	b.results = append(b.results, r)
}

// quicker takes the smaller times and the larger memory.
func (u usage) quicker(o usage) usage {
	return usage{min(u.wall, o.wall), min(u.cpu, o.cpu), max(u.peak, o.peak)}
}

func (b *bench) print(w io.Writer) {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	line("case\tsluice wall s\tCPU s\tpeak MiB\tDuckDB wall s\tCPU s\tpeak MiB\twall ratio\tCPU ratio\t  ")
	for _, r := range b.results {
		s, d := r.sluice, r.duck
		if d.wall == 0 {
			line("%s\t%.2f\t%.2f\t%d\t\t\t\t\t\t  %s", r.name, s.wall, s.cpu, s.peak>>20, r.note)
			continue
		}
		line("%s\t%.2f\t%.2f\t%d\t%.2f\t%.2f\t%d\t%.2f\t%.2f\t  %s", r.name,
			s.wall, s.cpu, s.peak>>20, d.wall, d.cpu, d.peak>>20, s.wall/d.wall, s.cpu/d.cpu, r.note)
	}
	_ = out.Flush()
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
