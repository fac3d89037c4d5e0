package catalogfault_test

import (
	"context"
	"errors"
	"testing"

	"sluice/internal/catalog"
	"sluice/internal/catalog/catalogfault"
)

func TestBackend(t *testing.T) {
	for name, c := range map[string]struct {
		fault catalogfault.Fault
		err   error
		wrote bool // at once
		late  bool // when it arrives
		dead  bool
	}{
		"none":          {wrote: true},
		"another":       {fault: catalogfault.Fault{At: 2, How: catalogfault.Before, Crash: true}, wrote: true},
		"before":        {fault: catalogfault.Fault{At: 1, How: catalogfault.Before}, err: catalogfault.ErrInjected},
		"after":         {fault: catalogfault.Fault{At: 1, How: catalogfault.After}, err: catalogfault.ErrInjected, wrote: true},
		"delayed":       {fault: catalogfault.Fault{At: 1, How: catalogfault.Delayed}, err: catalogfault.ErrInjected, late: true},
		"twice":         {fault: catalogfault.Fault{At: 1, How: catalogfault.Twice}, wrote: true},
		"resent":        {fault: catalogfault.Fault{At: 1, How: catalogfault.Resent}, err: catalog.ErrChanged, wrote: true},
		"dead before":   {fault: catalogfault.Fault{At: 1, How: catalogfault.Before, Crash: true}, err: catalogfault.ErrInjected, dead: true},
		"dead after":    {fault: catalogfault.Fault{At: 1, How: catalogfault.After, Crash: true}, err: catalogfault.ErrInjected, wrote: true, dead: true},
		"dead, delayed": {fault: catalogfault.Fault{At: 1, How: catalogfault.Delayed, Crash: true}, err: catalogfault.ErrInjected, late: true, dead: true},
		"dead, twice":   {fault: catalogfault.Fault{At: 1, How: catalogfault.Twice, Crash: true}, err: catalogfault.ErrInjected, wrote: true, dead: true},
	} {
		t.Run(name, func(t *testing.T) {
			memory := catalog.NewMemory()
			b := catalogfault.New(memory, c.fault)
			there := func() bool { _, err := memory.Table(t.Context(), "t"); return err == nil }
			if err := b.PutTable(t.Context(), catalog.Table{Name: "t"}, catalog.Registered{}); !errors.Is(err, c.err) {
				t.Errorf("got %v, want %v", err, c.err)
			}
			if there() != c.wrote {
				t.Errorf("written %t, want %t", there(), c.wrote)
			}
			_ = b.Arrive(context.Background()) // a second request is refused
			if there() != (c.wrote || c.late) {
				t.Errorf("written in the end %t", there())
			}
			_, err := b.Table(t.Context(), "t")
			if dead := errors.Is(err, catalogfault.ErrInjected); dead != c.dead || b.Dead() != c.dead {
				t.Errorf("dead %t and %t, want %t", dead, b.Dead(), c.dead)
			}
			if b.Effects() != 1 || b.Fired() != (c.fault.At == 1) {
				t.Errorf("%d effects, fired %t", b.Effects(), b.Fired())
			}
		})
	}
}

func TestBackend_DiesWithAnother(t *testing.T) {
	b := catalogfault.New(catalog.NewMemory(), catalogfault.Fault{})
	b.DieWith(func() bool { return true })
	for _, err := range []error{
		b.AddPartitions(t.Context(), "t", nil), b.SetPartitions(t.Context(), "t", nil),
		b.PutTable(t.Context(), catalog.Table{Name: "t"}, catalog.Registered{}),
	} {
		if !errors.Is(err, catalogfault.ErrInjected) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := b.Partitions(t.Context(), "t", nil); !errors.Is(err, catalogfault.ErrInjected) {
		t.Errorf("got %v", err)
	}
}
