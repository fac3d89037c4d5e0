package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/scripts/dmsgen"
)

// streamFlags are the flags of dmsgen stream.
type streamFlags struct {
	common
	seed                  uint64
	tables, rows, changes int
	mix                   []int
	partial, badText      bool
	emptyFiles, control   bool
	parallel              int
	segments              []string
}

// mixWeights is how many weights --mix has at most.
const mixWeights = 4

func streamCommand() *cobra.Command {
	var f streamFlags
	c := &cobra.Command{
		Use: "stream --dir D", Short: "Write random tables: a full load and CDC files each", Args: cobra.NoArgs,
		Long: `Invents tables t<seed>, t<seed+1>, … of the schema public: one or two key columns k1, k2 and up to ten
others of any type, with the values that careless readers get wrong among them. Each gets a full load of --rows rows, then
--changes changes in files a minute apart from 2025-01-01 on. Equal flags make equal files.

Files and their names are what an S3 target endpoint with the same settings writes: the flags below have the
names of its settings. Where a setting has two values only, the flag is a switch.`,
		Example: `  # two tables as DMS writes them to Parquet by default
  dmsgen stream --dir raw --tables 2

  # CSV in gzip with a header, date folders, key-only deletes
  dmsgen stream --dir raw --data-format csv --compression-type gzip --add-column-name \
    --date-partition-sequence YYYYMMDD --key-only-deletes

  # updates only, half a million rows, keys that change, with the images that tell where they were
  dmsgen stream --dir raw --rows 500000 --mix 0,90,0,10 --before-image-columns pk-only`,
		RunE: func(c *cobra.Command, _ []string) error { return writeStreams(c.Context(), c.OutOrStdout(), &f) },
	}
	flags := c.Flags()
	flags.Uint64Var(&f.seed, "seed", 1, "seed of the first table; the next has the next")
	flags.IntVar(&f.tables, "tables", 1, "tables")
	flags.IntVar(&f.rows, "rows", 10_000, "rows of each full load")
	flags.IntVar(&f.changes, "changes", 1_000, "changes of each table")
	flags.IntSliceVar(&f.mix, "mix", []int{10, 80, 10}, "weights of inserts, updates, deletes and, if wanted, updates that change the key")
	flags.BoolVar(&f.partial, "partial-updates", false, "updates have the key and some columns, as where the source's log is short")
	flags.BoolVar(&f.badText, "bad-text", false, "some texts are not UTF-8")
	flags.BoolVar(&f.emptyFiles, "empty-files", false, "a CDC file without rows at the end, as a task may leave when it stops")
	flags.IntVar(&f.parallel, "parallel-load", 0, "so many unnamed segments of each full load: SEGMENT1_LOAD…")
	flags.StringSliceVar(&f.segments, "segment-names", nil, "named segments of each full load: folders of the table's")
	f.register(c)
	flags.StringVar(&f.settings.CdcPath, "cdc-path", "", "PreserveTransactions: the changes of all tables in one folder of CSV files, CDC_TXN-…")
	flags.BoolVar(&f.control, "control-tables", false, "also the tables awsdms_… and what a validation leaves")
	return c
}

func writeStreams(ctx context.Context, out io.Writer, f *streamFlags) error {
	if len(f.mix) < mixWeights-1 || len(f.mix) > mixWeights {
		return fmt.Errorf("--mix has %d weights, not I,U,D or I,U,D,K", len(f.mix))
	}
	mix := dmsgen.Mix{Inserts: f.mix[0], Updates: f.mix[1], Deletes: f.mix[2]}
	if len(f.mix) == mixWeights {
		mix.Moves = f.mix[mixWeights-1]
	}
	w, err := f.writer("")
	if err != nil {
		return err
	}
	streams := make([]*dmsgen.Stream, f.tables)
	for i := range streams {
		seed := f.seed + uint64(i)
		s := dmsgen.NewStream(seed, dmsgen.RandomTable(seed), mix)
		s.Partial, s.BadText, s.Plain = f.partial, f.badText, !f.rfc4180
		if err := f.writeLoads(ctx, s); err != nil {
			return err
		}
		streams[i] = s
		fmt.Fprintf(out, "%s.%s: key %s, %d rows, %d changes\n", s.Table.Schema, s.Table.Name, strings.Join(s.Table.Key, ","), f.rows, f.changes)
	}
	if err := f.writeChanges(ctx, w, streams); err != nil {
		return err
	}
	if f.control {
		_, err = w.WriteControlTables(ctx, "public", clock())
	}
	return err
}

// writeChanges writes the changes of all tables, file by file; it holds one file in memory at a time.
func (f *streamFlags) writeChanges(ctx context.Context, w *dmsgen.Writer, streams []*dmsgen.Stream) error {
	at, size := clock(), max(1, f.settings.BatchSize)
	for left := f.changes; left > 0; left -= size {
		at = at.Add(time.Minute)
		if err := f.writeMinute(ctx, w, at, streams, min(left, size)); err != nil {
			return err
		}
	}
	if f.emptyFiles {
		return f.writeMinute(ctx, w, at.Add(time.Minute), streams, 0)
	}
	return nil
}

// writeMinute writes n changes of each table: a file each, or one for all with PreserveTransactions.
func (f *streamFlags) writeMinute(ctx context.Context, w *dmsgen.Writer, at time.Time, streams []*dmsgen.Stream, n int) error {
	var all []dmsgen.TableChanges
	for _, s := range streams {
		changes := s.Changes(n)
		if f.settings.CdcPath != "" {
			all = append(all, dmsgen.TableChanges{Table: s.Table, Changes: changes})
			continue
		}
		if _, err := w.WriteChanges(ctx, s.Table, at, changes...); err != nil {
			return err
		}
	}
	if f.settings.CdcPath == "" {
		return nil
	}
	_, err := w.WriteTransactions(ctx, at, all...)
	return err
}

// writeLoads writes a table's full load, segment by segment; it holds one file in memory at a time.
func (f *streamFlags) writeLoads(ctx context.Context, s *dmsgen.Stream) error {
	segments, err := f.segmentWriters()
	if err != nil {
		return err
	}
	for i, segment := range segments {
		if err := writeLoad(ctx, segment, s, (i+1)*f.rows/len(segments)-i*f.rows/len(segments)); err != nil {
			return err
		}
	}
	return nil
}

// segmentWriters returns a writer for each segment of a full load, one where it has none.
func (f *streamFlags) segmentWriters() ([]*dmsgen.Writer, error) {
	var settings []dmsgen.Settings
	for n := range f.parallel {
		s := f.settings
		s.Segment = n + 1
		settings = append(settings, s)
	}
	for _, name := range f.segments {
		s := f.settings
		s.SegmentFolder = name
		settings = append(settings, s)
	}
	if len(settings) == 0 {
		settings = append(settings, f.settings)
	}
	writers := make([]*dmsgen.Writer, len(settings))
	for i, s := range settings {
		var err error
		if writers[i], err = dmsgen.NewWriter(dmsgen.Directory(f.dir), s); err != nil {
			return nil, err
		}
	}
	return writers, nil
}

func writeLoad(ctx context.Context, w *dmsgen.Writer, s *dmsgen.Stream, rows int) error {
	load, err := w.StartLoad(s.Table, clock())
	if err != nil {
		return err
	}
	for range rows {
		if err := load.Append(ctx, s.Row()); err != nil {
			return err
		}
	}
	return load.Close(ctx)
}
