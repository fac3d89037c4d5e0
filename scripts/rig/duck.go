package rig

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

//go:embed duck.py
var duckSource string

// duck is a running duck.py. It ends when its standard input does: at the latest with the process that started it.
type duck struct {
	mu     sync.Mutex
	in     io.Writer
	out    *bufio.Reader
	number int
}

//nolint:gochecknoglobals // one process for a test binary: tests have no common owner that could hold it
var theDuck struct {
	sync.Once
	duck *duck
	err  error
}

// startDuck returns the process's one duck.
func startDuck(python string) (*duck, error) {
	theDuck.Do(func() { theDuck.duck, theDuck.err = newDuck(python) })
	return theDuck.duck, theDuck.err
}

func newDuck(python string) (*duck, error) {
	// Not bound to a test's context: it outlives the test that came first.
	cmd := exec.Command(python, "-I", "-c", duckSource) //nolint:noctx // see above
	cmd.Env = append(os.Environ(), "TZ=UTC")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	return &duck{in: in, out: bufio.NewReader(out)}, cmd.Start()
}

// newNumber returns the number of a database that nobody used.
func (d *duck) newNumber() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.number++
	return d.number
}

// ask sends a request and returns its answer. Callers in parallel wait for each other.
func (d *duck) ask(r request) (reply, error) {
	line, err := json.Marshal(r)
	if err != nil {
		return reply{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.in.Write(append(line, '\n')); err != nil {
		return reply{}, ended(err)
	}
	answer, err := d.out.ReadBytes('\n')
	if err != nil {
		return reply{}, ended(err)
	}
	return parseReply(answer)
}

// ended explains a pipe that broke; what Python said is on the standard error.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("the DuckDB process ended: %w", err)
}
