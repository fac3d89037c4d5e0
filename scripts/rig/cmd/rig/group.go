package main

import (
	"errors"
	"os/exec"
	"syscall"
)

// signalGroup sends a signal to the process group of cmd, which [own] made. A group that is gone is no error.
func signalGroup(cmd *exec.Cmd, signal syscall.Signal) error {
	if cmd.Process == nil {
		return nil
	}
	if err := syscall.Kill(-cmd.Process.Pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}
