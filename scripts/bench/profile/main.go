// Command profile is sluice run on the directories SLUICE_RAW and SLUICE_LAKE, with the settings that make bench runs it
// with, and writes a CPU profile:
//
//	profile FILE
//
// It prints a line for each table. bin/sluice has no such flag: the profile is for those who work on it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/statestore"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: profile FILE")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string) error {
	e, err := open(os.Getenv("SLUICE_RAW"), os.Getenv("SLUICE_LAKE"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	var failed error
	err = e.Run(ctx, func(r replicate.Result) {
		fmt.Println(r.Table, r.Action, r.Reason)
		if r.Action == replicate.Failed || r.Action == replicate.Halted {
			failed = errors.New(r.Reason)
		}
	})
	pprof.StopCPUProfile()
	return errors.Join(err, failed, file.Close())
}

// open builds the engine as the command does for two directories and a local control table.
func open(raw, lake string) (*replicate.Engine, error) {
	state, err := statestore.OpenFile(filepath.Join(lake, "_sluice", "control.db"))
	if err != nil {
		return nil, err
	}
	settings := replicate.DefaultSettings()
	settings.Settle, settings.FullLoadQuiet = 0, 0
	if codec := os.Getenv("SLUICE_COMPRESSION"); codec != "" {
		settings.Compression = codec
	}
	dirs := map[string]string{filepath.Base(raw): raw, filepath.Base(lake): lake}
	return replicate.New(replicate.Config{
		RawBucket: filepath.Base(raw), LakeBucket: filepath.Base(lake), Schema: "*", Owner: "profile", Settings: settings,
	}, replicate.Stores{
		Objects: func(_ context.Context, bucket string) (replicate.Objects, error) {
			return object.NewDirectory(dirs[bucket]), nil
		},
		State: statestore.New(state), Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
}
