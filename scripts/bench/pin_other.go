//go:build unix && !linux

package main

// pin does nothing: only Linux can give a process some of the CPUs.
func pin() error { return nil }
