// Command report reads the output of go test -json and prints it as go test would, then which tests were skipped and
// why, and each package's share of the time:
//
//	go test -json ./... | report
//
// It ends with status 1 when a test or a build failed, and when the input holds no package at all.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	ok, err := report(os.Stdin, os.Stdout, time.Now)
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
	if !ok {
		os.Exit(1)
	}
}

// report copies what matters of in to out, package by package, and says whether everything passed.
func report(in io.Reader, out io.Writer, now func() time.Time) (ok bool, err error) {
	begin := now()
	buffered := bufio.NewWriter(out)
	s := newSummary()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if _, err := buffered.WriteString(s.add(lines.Bytes())); err != nil {
			return false, err
		}
		if err := buffered.Flush(); err != nil { // a package at a time, for whoever waits
			return false, err
		}
	}
	if err := lines.Err(); err != nil {
		return false, err
	}
	s.print(buffered, now().Sub(begin))
	return s.passed(), buffered.Flush()
}
