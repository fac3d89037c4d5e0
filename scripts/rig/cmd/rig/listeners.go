package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// checkListeners fails when a process of the server's group listens on an address other than a loopback one.
// It reads /proc and finds nothing where there is none.
func (s *server) checkListeners() error {
	open, err := listening()
	if err != nil {
		return err
	}
	sockets, err := socketsOfGroup(s.cmd.Process.Pid)
	if err != nil {
		return err
	}
	var wrong []error
	for inode, address := range open {
		if sockets[inode] && !address.Addr().Unmap().IsLoopback() {
			wrong = append(wrong, fmt.Errorf("%s listens on %s: other machines may reach it", s.name, address))
		}
	}
	return errors.Join(wrong...)
}

// listening returns the TCP sockets that listen on this machine, as inode and address.
func listening() (map[string]netip.AddrPort, error) {
	open := map[string]netip.AddrPort{}
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		file, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			const address, state, inode, listen = 1, 3, 9, "0A"
			fields := strings.Fields(lines.Text())
			if len(fields) <= inode || fields[state] != listen {
				continue
			}
			if open[fields[inode]], err = parseAddress(fields[address]); err != nil {
				break
			}
		}
		if err := errors.Join(err, lines.Err(), file.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return open, nil
}

// parseAddress reads an address as /proc/net/tcp writes it, 0100007F:1F90: hex, each four bytes in the order of a
// little-endian machine.
func parseAddress(text string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(text, ":")
	bytes, err := hex.DecodeString(host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for word := range slices.Chunk(bytes, 4) {
		slices.Reverse(word)
	}
	address, ok := netip.AddrFromSlice(bytes)
	number, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q", text)
	}
	return netip.AddrPortFrom(address, uint16(number)), nil
}

// socketsOfGroup returns the inodes of the sockets that the processes of a group hold.
func socketsOfGroup(group int) (map[string]bool, error) {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	sockets := map[string]bool{}
	for _, dir := range processes {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			return nil, err
		}
		if its, err := syscall.Getpgid(pid); err != nil || its != group {
			continue // gone, or not ours
		}
		handles, err := filepath.Glob(filepath.Join(dir, "fd", "*"))
		if err != nil {
			return nil, err
		}
		for _, handle := range handles {
			target, err := os.Readlink(handle)
			if err != nil {
				continue // closed since
			}
			if inode, ok := strings.CutPrefix(target, "socket:["); ok {
				sockets[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	return sockets, nil
}
