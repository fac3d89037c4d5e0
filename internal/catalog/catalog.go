package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Backend is one database of a data catalog. Errors wrap the sentinels of this package.
type Backend interface {
	// Name is the kind and the database, as in glue:sales.
	Name() string

	// Table returns a table, or ErrNotFound.
	Table(ctx context.Context, name string) (Registered, error)

	// PutTable makes the table, when was is zero, or gives the table that was looked at its new form. ErrChanged when
	// the table is not as was has it any more; ErrNoDatabase.
	PutTable(ctx context.Context, want Table, was Registered) error

	// Partitions returns those that are there, at most readBatch of them, in no order.
	Partitions(ctx context.Context, table string, values [][]string) ([]Partition, error)

	// AddPartitions registers at most writeBatch partitions. ErrChanged when one is there already: it stays as it is,
	// the others are registered.
	AddPartitions(ctx context.Context, table string, partitions []Partition) error

	// SetPartitions changes at most writeBatch partitions. ErrChanged when one is not there: the others are changed.
	SetPartitions(ctx context.Context, table string, partitions []Partition) error
}

// What Glue takes in one call: https://docs.aws.amazon.com/glue/latest/webapi/API_BatchGetPartition.html,
// https://docs.aws.amazon.com/glue/latest/webapi/API_BatchCreatePartition.html and
// https://docs.aws.amazon.com/glue/latest/webapi/API_BatchUpdatePartition.html.
const (
	readBatch  = 1000
	writeBatch = 100
)

// rounds bounds how often one Ensure looks again because somebody else wrote between its looking and its writing.
const rounds = 6

// Catalog keeps the tables of one database. It is safe for concurrent use where its backend is.
type Catalog struct {
	backend Backend
}

// New returns the catalog that a backend keeps.
func New(b Backend) *Catalog { return &Catalog{b} }

// Name is the kind and the database, as in glue:sales.
func (c *Catalog) Name() string { return c.backend.Name() }

// Ensure makes the catalog agree with want: it looks, and writes what differs. Before each write it asks still, whose
// error ends it: a caller that stood still learns there that what it wants is no longer wanted. ErrTaken and ErrKeys
// say that an operator has to decide; anything else may succeed when repeated.
func (c *Catalog) Ensure(ctx context.Context, want Table, still func(context.Context) error) error {
	want = want.normal()
	var err error
	for range rounds {
		if err = c.ensureOnce(ctx, want, still); !errors.Is(err, ErrChanged) {
			break
		}
	}
	return c.wrap(want, err)
}

func (c *Catalog) wrap(t Table, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("catalog table %s.%s: %w", c.Name(), t.Name, err)
}

// difference is what a look found: a table that is not as it is to be, and partitions.
type difference struct {
	table    bool // it has to be made, or changed
	was      Registered
	add, set []Partition
}

func (c *Catalog) ensureOnce(ctx context.Context, want Table, still func(context.Context) error) error {
	d, err := c.look(ctx, want)
	if err != nil {
		return err
	}
	if d.table {
		if err := still(ctx); err != nil {
			return err
		}
		if err := c.backend.PutTable(ctx, want, d.was); err != nil {
			return err
		}
	}
	add := func(some []Partition) error { return c.backend.AddPartitions(ctx, want.Name, some) }
	if err := inBatches(ctx, d.add, still, add); err != nil {
		return err
	}
	return inBatches(ctx, d.set, still, func(some []Partition) error { return c.backend.SetPartitions(ctx, want.Name, some) })
}

func inBatches(ctx context.Context, all []Partition, still func(context.Context) error, write func([]Partition) error) error {
	for some := range slices.Chunk(all, writeBatch) {
		if err := still(ctx); err != nil {
			return err
		}
		if err := write(some); err != nil {
			return err
		}
	}
	return nil
}

// look compares and writes nothing.
func (c *Catalog) look(ctx context.Context, want Table) (difference, error) {
	was, err := c.backend.Table(ctx, want.Name)
	switch {
	case errors.Is(err, ErrNotFound):
		return difference{table: true, add: want.Partitions}, nil
	case err != nil:
		return difference{}, err
	case was.Path != want.Path:
		return difference{}, taken(was, want)
	case !slices.Equal(names(was.Keys), names(want.Keys)):
		return difference{}, fmt.Errorf("%w: it is partitioned by %q, the lake by %q; drop the table from the catalog, then acknowledge: it is registered anew",
			ErrKeys, strings.Join(names(was.Keys), ","), strings.Join(names(want.Keys), ","))
	}
	d := difference{table: !was.agrees(want), was: was}
	for some := range slices.Chunk(want.Partitions, readBatch) {
		there, err := c.backend.Partitions(ctx, want.Name, valuesOf(some))
		if err != nil {
			return difference{}, err
		}
		d.compare(some, there)
	}
	return d, nil
}

func taken(was Registered, want Table) error {
	whose := "is not one of sluice's"
	if was.Path != "" {
		whose = "belongs to " + was.Path
	}
	return fmt.Errorf("%w: it %s; drop or rename it, or hand it over by setting its parameter %s to %s, or catalog this table in another database; then acknowledge",
		ErrTaken, whose, PathParameter, want.Path)
}

func (d *difference) compare(want, there []Partition) {
	have := map[string]Partition{}
	for _, p := range there {
		have[p.id()] = p
	}
	for _, p := range want {
		switch was, ok := have[p.id()]; {
		case !ok:
			d.add = append(d.add, p)
		case !was.agrees(p):
			d.set = append(d.set, p)
		}
	}
}

func valuesOf(partitions []Partition) [][]string {
	values := make([][]string, len(partitions))
	for i, p := range partitions {
		values[i] = p.Values
	}
	return values
}

// Compare says in words how the catalog differs from want, and "" when it agrees. It writes nothing.
func (c *Catalog) Compare(ctx context.Context, want Table) (string, error) {
	want = want.normal()
	d, err := c.look(ctx, want)
	switch {
	case err != nil:
		return "", c.wrap(want, err)
	case d.table && d.was.Name == "":
		return "the table is not there", nil
	case d.table:
		return "columns or location differ", nil
	case len(d.add)+len(d.set) > 0:
		return fmt.Sprintf("%d partitions are not there, %d differ", len(d.add), len(d.set)), nil
	}
	return "", nil
}
