package main

import (
	"os/exec"
	"syscall"
)

// own gives cmd a process group of its own and lets it die with this process.
func own(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
