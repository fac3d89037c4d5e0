package lake

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// splitter writes rows of a partitioned table, each to the output of its partition.
type splitter struct {
	load    *Load
	sink    Sink
	namer   *dirNamer
	outputs []*loadOutput
	writers []*parquetedit.Writer // of the outputs
	bodies  []*bytes.Buffer       // of the outputs; nil when the one output goes to the sink as it grows
	into    map[string]int32      // output by directory
}

// runSplit carries out an op of a partitioned load.
func (l *Load) runSplit(ctx context.Context, op LoadOp, sink Sink) error {
	namer, err := newDirNamer(l.Schema)
	if err != nil {
		return err
	}
	s := &splitter{load: l, sink: sink, namer: namer, into: map[string]int32{}}
	first, err := l.output(sink, 0)
	if err != nil {
		return err
	}
	s.outputs = []*loadOutput{first}
	if len(op.Outputs) > 1 {
		s.hold(first, len(op.Outputs))
	}
	for n, out := range op.Outputs {
		s.into[out.Dir] = int32(n)
		s.writers = append(s.writers, s.outputs[n].out)
	}
	for _, p := range op.Parts {
		for _, group := range p.Groups {
			if err := s.group(ctx, Part{p.File, []int{group}}); err != nil {
				return err
			}
		}
	}
	if s.bodies == nil {
		return first.close()
	}
	return s.close(first)
}

// hold gives every output a body in memory.
func (s *splitter) hold(first *loadOutput, outputs int) {
	s.outputs = s.outputs[:0]
	for n := range outputs {
		held := &bytes.Buffer{}
		s.bodies = append(s.bodies, held)
		s.outputs = append(s.outputs, &loadOutput{load: s.load, sink: s.sink, n: n, names: first.names, out: first.out.Another(held)})
	}
}

// close ends the bodies that were held and hands them over.
func (s *splitter) close(first *loadOutput) error {
	to := first.body
	for n, out := range s.outputs {
		if err := out.out.Close(); err != nil {
			return err
		}
		if n > 0 {
			var err error
			if to, _, err = s.sink.Open(n); err != nil {
				return err
			}
		}
		if _, err := s.bodies[n].WriteTo(to); err != nil {
			return err
		}
		if err := s.sink.Close(n); err != nil {
			return err
		}
		s.outputs[n], s.writers[n], s.bodies[n] = nil, nil, nil
	}
	return nil
}

// group writes one row group.
func (s *splitter) group(ctx context.Context, p Part) error {
	to, plain, err := s.targets(ctx, p)
	if err != nil || !slices.ContainsFunc(to, func(t int32) bool { return t >= 0 }) {
		return err
	}
	l, in, group := s.load, s.load.Inputs[p.File], p.Groups[0]
	if pages := in.pages(); plain && pages != nil && in.whole(group) && s.outputs[0].out.Takes(pages, group) {
		origins, err := l.origins(in, s.outputs[0])
		if err != nil {
			return err
		}
		if origins != nil {
			if err := parquetedit.Scatter(ctx, pages, group, origins, parquetedit.Targets{Writers: s.writers, To: to}); err != nil {
				return fmt.Errorf("read %s: %w", in.Name, err)
			}
			return nil
		}
	}
	for rows, err := range l.rows(ctx, p, nil) {
		if err == nil {
			err = s.rows(rows, to[:len(rows.ops)])
		}
		if err != nil {
			return err
		}
		to = to[len(rows.ops):]
	}
	return nil
}

// rows writes rows that had to be read as such.
func (s *splitter) rows(rows loadRows, to []int32) error {
	picked := map[int32][]int{}
	for i, t := range to {
		if t >= 0 {
			picked[t] = append(picked[t], i)
		}
	}
	for t, some := range picked {
		part := loadRows{columns: make([][]value, len(rows.columns))}
		part.take(rows, some)
		if err := s.outputs[t].write(part); err != nil {
			return err
		}
	}
	return nil
}

// targets reads the partition columns of a row group and says which output each
// row is for, -1 for none of the op's, and whether all of its rows are inserts.
func (s *splitter) targets(ctx context.Context, p Part) (to []int32, plain bool, err error) {
	plain = true
	for rows, err := range s.load.rows(ctx, p, s.load.Schema.Partition) {
		if err != nil {
			return nil, false, err
		}
		for _, op := range rows.ops {
			plain = plain && op == dms.Insert
			if op == dms.Delete {
				return nil, false, inputError(s.load.Inputs[p.File].Name, errOp)
			}
		}
		err := s.namer.each(rows, func(dir string) {
			n, ok := s.into[dir]
			if !ok {
				n = -1
			}
			to = append(to, n)
		})
		if err != nil {
			return nil, false, err
		}
	}
	return to, plain, nil
}
