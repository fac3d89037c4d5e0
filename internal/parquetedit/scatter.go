package parquetedit

import (
	"context"
	"fmt"
)

// Targets says where the rows of a row group go: row i to Writers[To[i]], or nowhere when To[i] is negative.
type Targets struct {
	Writers []*Writer
	To      []int32
}

// Scatter is CopyRows into several new files of the same columns. Each column is read once however many files
// there are. What a writer takes stays in its memory until a page or a row group of its own is full.
func Scatter(ctx context.Context, f *File, rg int, origins []Origin, t Targets) error {
	g, writers, to := &f.groups[rg], t.Writers, t.To
	if int64(len(to)) != g.rows || len(writers) == 0 {
		return fmt.Errorf("%w: %d rows to scatter over %d writers, the row group has %d", ErrScript, len(to), len(writers), g.rows)
	}
	for _, w := range writers {
		if w.err == nil {
			w.err = w.checkOrigins(f, origins)
		}
		if w.err != nil {
			return w.err
		}
	}
	s := &scatter{copier: copier{file: f, rg: rg, origins: origins}, writers: writers, to: to}
	if err := s.read(ctx, writers[0].spare); err != nil {
		return err
	}
	writers[0].spare = s.body
	err := eachColumn(writers[0].options.Parallel, len(origins), func(c int) error { return s.column(ctx, c) })
	if err != nil {
		for _, w := range writers {
			w.err = err
		}
		return err
	}
	return s.count()
}

// scatter is one row group on its way into several files.
type scatter struct {
	copier
	writers []*Writer
	to      []int32
}

// count adds the rows to the writers' own counts and ends the row groups that are full.
func (s *scatter) count() error {
	rows := make([]int64, len(s.writers))
	for _, t := range s.to {
		if t >= 0 {
			rows[t]++
		}
	}
	for i, w := range s.writers {
		w.rows += rows[i]
		w.group.rows += rows[i]
		w.estimate = max(w.estimate, w.group.size())
		if w.group.rows >= w.options.MaxRowGroupRows || w.estimate >= w.options.MaxRowGroupBytes {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// column gives the rows of a column to the encoders that they are for.
func (s *scatter) column(ctx context.Context, c int) error {
	k := s.writers[0].memory.compressor()
	defer s.writers[0].memory.out.Put(k)
	encoders := make([]*encoder, len(s.writers))
	for i, w := range s.writers {
		encoders[i] = w.group.encoders[c]
		encoders[i].k = k
		defer func() { encoders[i].k = nil }()
	}
	o := s.origins[c]
	if o.Column < 0 {
		return s.constant(encoders, o)
	}
	visit := func(first int64, d *decoded) error { return d.scatter(encoders, s.to[first:][:d.rows]) }
	if len(s.body) == 0 {
		return s.file.pages(ctx, s.rg, o.Column, visit)
	}
	chunk := &s.file.groups[s.rg].chunks[o.Column]
	return s.file.decode(ctx, s.rg, o.Column, s.body[chunk.off-s.off:][:chunk.size], visit)
}

// constant adds one value as often as an encoder has rows.
func (s *scatter) constant(encoders []*encoder, o Origin) error {
	rows := make([]int, len(encoders))
	for _, t := range s.to {
		if t >= 0 {
			rows[t]++
		}
	}
	for i, n := range rows {
		if n == 0 {
			continue
		}
		if err := encoders[i].repeat(o.Value, n); err != nil {
			return err
		}
	}
	return nil
}

// scatter adds the rows of a page to encoders[to[row]], run by run.
func (d *decoded) scatter(encoders []*encoder, to []int32) error {
	k := 0
	for i := 0; i < d.rows; {
		null := d.present != nil && d.present[i] == 0
		j := i + 1
		for j < d.rows && to[j] == to[i] && (d.present == nil || (d.present[j] == 0) == null) {
			j++
		}
		if to[i] >= 0 {
			if err := encoders[to[i]].take(d, k, run{j - i, null}); err != nil {
				return err
			}
		}
		if !null {
			k += j - i
		}
		i = j
	}
	return nil
}

// run is rows of one encoder side by side: all NULL, or none.
type run struct {
	rows int
	null bool
}

// take adds a run whose first value is value k. A dictionary's indices become values again: they are numbered
// anew page by page, which is cheaper than a translation for each of many files.
func (e *encoder) take(d *decoded, k int, r run) error {
	switch {
	case r.null:
		return e.appendNullRun(r.rows)
	case d.indices == nil && r.rows > 1:
		return e.appendVector(d.values, k, k+r.rows)
	}
	for ; r.rows > 0; r.rows-- {
		at := k
		if d.indices != nil {
			at = int(d.indices[k])
		}
		e.values.appendFrom(d.values, at, at+1)
		e.appendPresent(1)
		k++
		if e.rows >= pageRows || e.rows%64 == 0 && e.values.plainBytes() >= pageBytes/2 {
			e.seal()
			if err := e.flushFull(); err != nil {
				return err
			}
		}
	}
	return nil
}
