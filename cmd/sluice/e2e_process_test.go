//go:build linux

package main_test

import (
	"bytes"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything that a process does may take on a busy machine.
const patience = time.Minute

// process is a running sluice. It ends with its test at the latest, also when it stands still, and with the test binary
// when that is killed.
type process struct {
	t              testing.TB
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	ended          chan struct{} // closed when outcome may be asked for
}

// start starts sluice. Entries of env count more than the site's.
func (s *site) start(env []string, args ...string) *process {
	s.t.Helper()
	p := &process{t: s.t, cmd: s.command(args...), ended: make(chan struct{})}
	p.cmd.Env = slices.Concat(p.cmd.Env, env)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // its status is in the outcome
	}()
	s.t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
	})
	return p
}

// outcome waits for the end. A process that was killed has the status -1.
func (p *process) outcome() outcome {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Errorf("sluice has not ended within %s; it said\n%s", patience, p.stderr.String())
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
	}
	return outcome{p.cmd.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String()}
}

// kill sends SIGKILL, waits for the end, and says whether the signal was what ended it.
func (p *process) kill() bool {
	p.t.Helper()
	_ = p.cmd.Process.Kill() // it may have ended
	return p.outcome().status < 0
}

// signal sends SIGSTOP or SIGCONT.
func (p *process) signal(signal syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatalf("%v: %v", signal, err)
	}
}
