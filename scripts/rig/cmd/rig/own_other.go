//go:build unix && !linux

package main

import (
	"os/exec"
	"syscall"
)

// own gives cmd a process group of its own. Only Linux can let it die with this process.
func own(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
