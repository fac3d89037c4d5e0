package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
)

func demoCommand(a *app, o *options) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show it all on a sample database in a directory",
		Long: `Plays a small database of stores, products and orders: writes its full load as
DMS does, runs, activates the tables, runs, changes the source twice and runs
again. After each step it prints what became of the lake's rows and files. The
directory is kept, so that you can look at it; without --dir it is a temporary one.`,
		Example: `  sluice demo
  sluice demo --dir ./sluice-demo`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return a.demo(c.Context(), o, dir) },
	}
	c.Flags().StringVar(&dir, "dir", "", "empty directory, or one of a demo before, which is emptied (default a temporary one)")
	return c
}

// demo plays all steps.
func (a *app) demo(ctx context.Context, o *options, dir string) error {
	dir, err := demoDir(dir)
	if err != nil {
		return err
	}
	d, err := a.newDemo(ctx, o, dir)
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		d.fullLoad, d.activate, d.roundOne, d.roundTwo,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	look := fmt.Sprintf("sluice tables --raw %s --lake %s", d.raw, d.lake)
	d.out.print(map[string]string{"dir": dir, "look": look}, "\nEverything lies in "+dir+". Look further:\n  "+look)
	return d.out.err
}

// demoMark names the file that tells a directory of a demo from any other.
const demoMark = ".sluice-demo"

// demoDir returns an empty directory with the mark in it.
func demoDir(dir string) (string, error) {
	if dir == "" {
		made, err := os.MkdirTemp("", "sluice-demo-")
		if err != nil {
			return "", fmt.Errorf("demo: %w", err)
		}
		dir = made
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", usagef("--dir: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("demo: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("demo: %w", err)
	}
	_, err = os.Stat(filepath.Join(dir, demoMark))
	if len(entries) > 0 && err != nil {
		return "", usagef("--dir %s is not empty and not of a demo: name another directory", dir)
	}
	return dir, errors.Join(
		os.WriteFile(filepath.Join(dir, demoMark), []byte("sluice demo may empty this directory\n"), 0o644),
		os.RemoveAll(filepath.Join(dir, "raw")), os.RemoveAll(filepath.Join(dir, "lake")),
		os.Mkdir(filepath.Join(dir, "raw"), 0o755), os.Mkdir(filepath.Join(dir, "lake"), 0o755),
	)
}

// demo is one play: the database, DMS, the engine, the lake as it was seen last.
type demo struct {
	raw, lake string
	start     time.Time // of the full load; changes come an hour later each
	sample    *dmsgen.Sample
	dms       *dmsgen.Writer
	engine    engine
	out       *output
	verbose   bool
	seen      lakeState
}

func (a *app) newDemo(ctx context.Context, o *options, dir string) (*demo, error) {
	settings := dmsgen.DefaultSettings()
	settings.RowsPerFile = 2000
	raw, lake := filepath.Join(dir, "raw"), filepath.Join(dir, "lake")
	dms, err := dmsgen.NewWriter(dmsgen.Directory(raw), settings)
	if err != nil {
		return nil, err
	}
	here := *o
	here.raw, here.lake, here.state, here.schema, here.catalog = raw, lake, "", "*", ""
	here.settings.Settle, here.settings.FullLoadQuiet = 0, 0
	e, err := a.open(ctx, &here, a.quiet(o))
	if err != nil {
		return nil, err
	}
	const played = 3 * time.Hour
	return &demo{
		raw: raw, lake: lake, start: a.now().Add(-played), sample: dmsgen.NewSample(a.now()), dms: dms,
		engine: e, out: a.output(o, nil), verbose: o.verbose, seen: lakeState{},
	}, nil
}

func (d *demo) fullLoad(ctx context.Context) error {
	for _, t := range d.sample.Tables() {
		if _, err := d.dms.WriteLoad(ctx, t, d.start, d.sample.Rows(t.Name)...); err != nil {
			return err
		}
	}
	return d.step(ctx, "1. DMS has written the full load; sluice run finds the tables, and waits for you to activate them")
}

func (d *demo) activate(ctx context.Context) error {
	id, day := "id", "create_dt"
	for table, a := range map[string]replicate.Activation{
		"sampledb.store": {PrimaryKey: &id}, "sampledb.product": {PrimaryKey: &id},
		"sampledb.productorder": {PrimaryKey: &id, PartitionKey: &day},
	} {
		if _, err := d.engine.Activate(ctx, table, a); err != nil {
			return err
		}
	}
	if err := d.step(ctx, "2. sluice activate set the keys (id; productorder is partitioned by create_dt); sluice run loads"); err != nil {
		return err
	}
	return d.compare()
}

func (d *demo) roundOne(ctx context.Context) error {
	return d.change(ctx, 1, d.sample.RoundOne(), `3. The source changes; sluice run merges:
     update product set name='Sample Product', dept='Sample Dept', category='Sample Category' where id=1001
     delete from product where id=1002
     call loadorders(1345, current_date)
     insert into store values(1009,'125 Technology Dr.','Irvine','CA','US','92618')`)
}

func (d *demo) roundTwo(ctx context.Context) error {
	return d.change(ctx, 2, d.sample.RoundTwo(), `4. The source changes again, one order goes to another partition; sluice run merges:
     update product set price=99.50 where id=1003
     delete from productorder where id in (7, 1300)
     update productorder set qty=99 where id=8
     update productorder set create_dt='2025-01-08' where id=9
     update store set address1='1 Harbor Plaza' where id=1004`)
}

// change writes a round's CDC files, so many hours after the load, and runs.
func (d *demo) change(ctx context.Context, hours int, round []dmsgen.TableChanges, title string) error {
	at := d.start.Add(time.Duration(hours) * time.Hour)
	for _, c := range round {
		if _, err := d.dms.WriteChanges(ctx, c.Table, at, c.Changes...); err != nil {
			return err
		}
	}
	if err := d.step(ctx, title); err != nil {
		return err
	}
	return d.compare()
}
