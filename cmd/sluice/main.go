// Command sluice runs the engine on one machine, and is the operator's hand on
// the one in AWS: docs/OPERATIONS.md and `sluice help` say how.
//
// Results go to stdout, for people or, with --json, one object a line; logs and
// the progress bar go to stderr. It ends with 0 when all is well, 1 when
// something failed that a later run may do, 2 on wrong usage, 3 when a table is
// halted. A run that is interrupted, or dies, is taken up by the next one.
//
// The command holds no rule of replication: it reads flags and environment,
// opens the stores, calls the engine and prints what it says.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the process at once
	a := &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		env:      os.LookupEnv,
		terminal: term.IsTerminal(int(os.Stderr.Fd())),
		now:      time.Now,
		open:     openEngine,
		janitor:  openJanitor,
	}
	os.Exit(a.run(ctx, os.Args[1:]))
}
