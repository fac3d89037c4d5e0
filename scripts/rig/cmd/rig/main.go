// Command rig runs a command with real servers in its environment:
//
//	go run ./scripts/rig/cmd/rig -- go test ./internal/object
//
// It installs what is missing, starts an S3 gateway and a DynamoDB stand-in on free ports of 127.0.0.1, runs the
// command with the variables of package rig, stops the servers and ends with the command's exit status. What the
// servers held is deleted. It fails when a server listens on any other address.
//
// The servers end with it whatever happens: on SIGINT and SIGTERM it stops the command first, and the kernel stops
// the servers when it is killed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// grace is how long a process may take to end after SIGTERM.
const grace = 10 * time.Second

func main() {
	// The kernel ties the servers to the thread that started them: it must not end before the process does.
	runtime.LockOSThread()
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: rig -- COMMAND [ARGUMENT…]")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, args)
	stop()
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		os.Exit(exit.ExitCode())
	default:
		fmt.Fprintln(os.Stderr, "rig:", err)
		os.Exit(1)
	}
}

// run starts the servers, runs the command and stops the servers.
func run(ctx context.Context, args []string) (err error) {
	begin := time.Now()
	found, err := install(ctx)
	if err != nil {
		return err
	}
	installed := time.Since(begin)
	dir, err := os.MkdirTemp("", "sluice-rig-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	begin = time.Now()
	up, err := start(ctx, found, dir)
	defer func() { err = errors.Join(err, up.stop()) }()
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "rig: tools ready in %.1f s (set-up), servers in %.1f s: S3 %s, DynamoDB %s\n",
		installed.Seconds(), time.Since(begin).Seconds(), up.s3.endpoint, up.dynamodb.endpoint)
	if err := command(ctx, args, up.environment(found)); err != nil {
		return err
	}
	return up.checkListeners() // once more: a server may open a listener when it is first used
}

// command runs args in a process group of its own and, when ctx ends, stops that whole group: go test leaves its test
// binaries behind when only it gets the signal.
func command(ctx context.Context, args, env []string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = env
	own(cmd)
	cmd.Cancel = func() error { return signalGroup(cmd, syscall.SIGTERM) }
	cmd.WaitDelay = grace
	err := cmd.Run()
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), signalGroup(cmd, syscall.SIGKILL)) // whatever did not heed the SIGTERM
	}
	return err
}
