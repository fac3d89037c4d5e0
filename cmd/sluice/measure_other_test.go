//go:build !linux

package main_test

func measure() bool { return false }
