package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	patience = 30 * time.Second // for a server to answer
	attempts = 3                // another process may take the port between our asking and the server's listening
)

// program is a server and how to start it on a port of 127.0.0.1.
type program struct {
	name  string
	path  string
	args  func(port int) []string
	env   func(port int) []string
	ready string // path of a URL that is answered, whatever the answer, once the server is up
}

// server is a running program. Its nil value is one that never started.
type server struct {
	name     string
	endpoint string
	log      string // file with everything it said
	cmd      *exec.Cmd
	ended    chan struct{} // closed when the process is gone
}

// launch starts p, with its log in dir, and waits until it answers.
func launch(ctx context.Context, dir string, p program) (*server, error) {
	var err error
	for range attempts {
		var s *server
		if s, err = p.start(ctx, dir); err != nil {
			return nil, err
		}
		if err = s.await(ctx, s.endpoint+p.ready); err == nil {
			return s, nil
		}
		said, _ := os.ReadFile(s.log)
		err = fmt.Errorf("%s: %w\n%s", p.name, err, said)
		if stopErr := s.stop(); stopErr != nil {
			return nil, stopErr
		}
	}
	return nil, err
}

func (p program) start(ctx context.Context, dir string) (*server, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	s := &server{
		name:     p.name,
		endpoint: fmt.Sprintf("http://127.0.0.1:%d", port),
		log:      filepath.Join(dir, p.name+".log"),
		ended:    make(chan struct{}),
	}
	log, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the server has its own handle
	// Not CommandContext: a signal ends the command first and the servers after it.
	s.cmd = exec.Command(p.path, p.args(port)...) //nolint:noctx // see above
	s.cmd.Dir = dir
	s.cmd.Env = append(withoutAWS(os.Environ()), p.env(port)...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	own(s.cmd)
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	go func() {
		_ = s.cmd.Wait() // its status is of no interest: a server that ends early is found by await
		close(s.ended)
	}()
	return s, nil
}

// await returns when url is answered.
func (s *server) await(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	for {
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
		select {
		case <-s.ended:
			return fmt.Errorf("ended before it answered: %s", s.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("no answer from %s: %w", url, ctx.Err())
		case <-time.After(20 * time.Millisecond):
			if err == nil {
				return nil
			}
		}
	}
}

// stop ends the server and everything it started, with force when it takes too long.
func (s *server) stop() error {
	if s == nil {
		return nil
	}
	if err := signalGroup(s.cmd, syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", s.name, err)
	}
	select {
	case <-s.ended:
	case <-time.After(grace):
	}
	return signalGroup(s.cmd, syscall.SIGKILL) // what is left of its group, if anything
}

// freePort returns a port of 127.0.0.1 that nobody listens on.
func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	return port, listener.Close()
}
