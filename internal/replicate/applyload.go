package replicate

import (
	"context"
	"errors"
	"fmt"
	"io"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/object"
	"sluice/statestore"
)

// writeLoad makes the missing files of an op from the plan's sources.
func (a *application) writeLoad(ctx context.Context, op Op, missing []OpFile) error {
	load := &lake.Load{Schema: &a.plan.Schema, Options: a.plan.options()}
	load.Inputs = make([]lake.LoadFile, len(a.plan.Sources))
	for _, p := range op.Parts {
		s := a.plan.Sources[p.File]
		open, err := a.openSourceOf(ctx, s)
		if err != nil {
			return a.sourceFault(ctx, op, err)
		}
		if err := a.within(op, p.File, len(open.RowGroups())); err != nil {
			return err
		}
		rows, err := a.sourceRows(ctx, s)
		if err != nil {
			return err
		}
		load.Options.Lake = s.Lake
		load.Inputs[p.File] = lake.LoadFile{Name: s.Key, Dir: s.Dir, Open: dms.Without(open, rows)}
	}
	work := lake.LoadOp{Parts: op.Parts}
	for _, f := range missing {
		work.Outputs = append(work.Outputs, lake.Output{Dir: f.Dir, Rows: f.Rows})
	}
	release, err := a.takeLoad(ctx, load, work)
	if err != nil {
		return err
	}
	defer release()
	sink := &loadSink{application: a, ctx: ctx, op: op, files: missing}
	if err := load.Run(ctx, work, sink); err != nil {
		if sink.open != nil {
			err = errors.Join(err, sink.open.Abort(context.WithoutCancel(ctx)))
		}
		if sink.closing {
			return err
		}
		return a.sourceFault(ctx, op, err)
	}
	return nil
}

// within halts over an op that wants row groups of a source which it has not.
func (a *application) within(op Op, file, groups int) error {
	for _, p := range op.Parts {
		for _, g := range p.Groups {
			if p.File == file && (g < 0 || g >= groups) {
				return haltf("bookkeeping", "op %d of commit %s wants row group %d of %s, which has %d; restore the object", op.N, a.plan.commitKey(), g, a.plan.Sources[file].Key, groups)
			}
		}
	}
	return nil
}

// sourceError is returned when a source of an op is no longer what the plan found.
type sourceError struct {
	Source
	err error
}

// Error says which source, and what was met when reading it.
func (e *sourceError) Error() string { return e.Key + " changed: " + e.err.Error() }

// Unwrap returns what was met.
func (e *sourceError) Unwrap() error { return e.err }

// sourceFault tells a source that changed under the plan from trouble with
// storage: only a look at the source itself says which it is. A lake file whose bytes are damaged can be the operator's alone.
func (a *application) sourceFault(ctx context.Context, op Op, err error) error {
	if a.plan.movesRows() && dataFault(err) == "input" {
		return haltf("foreign", "commit %s cannot read a lake file whose rows it is to write elsewhere: %v; put the right file back, then acknowledge; or acknowledge with --accept foreign to leave the files as they were",
			a.plan.commitKey(), err)
	}
	if !inDoubt(err) {
		return err
	}
	for _, p := range op.Parts {
		s := a.plan.Sources[p.File]
		info, headErr := a.storeOf(s).Head(ctx, s.Key)
		if errors.Is(headErr, object.ErrNotFound) || headErr == nil && info.ETag != s.ETag {
			return &sourceError{s, err}
		}
	}
	return err
}

// lost says what a lost source means when the op's own file is not there: the
// commit was finished elsewhere, or it cannot be finished. For a load a complete newer
// generation replaces it, and until then the table is halted.
func (a *application) lost(ctx context.Context, err error) error {
	var s *sourceError
	if !errors.As(err, &s) {
		return nil
	}
	item, readErr := a.e.stores.State.Read(ctx, a.t.path)
	switch {
	case readErr != nil:
		return readErr
	case item[statestore.CommitID] != a.plan.ID:
		return errElsewhere
	case s.Lake:
		return haltf("foreign", "lake file %s changed while commit %s was reading it; acknowledge with --accept foreign to take the lake as it is now", s.Key, a.plan.commitKey())
	default:
		return haltf("reload", "LOAD object %s changed while it was being loaded (commit %s); a complete newer full load replaces it by itself; if none will come, acknowledge with --accept foreign to load what is there now", s.Key, a.plan.commitKey())
	}
}

// loadSink writes an op's outputs as lake files, one after the other.
type loadSink struct {
	*application
	ctx     context.Context //nolint:containedctx // lives as long as one call of Run
	op      Op
	files   []OpFile
	open    object.Upload
	closing bool
}

func (s *loadSink) Open(n int) (io.Writer, lake.FileOptions, error) {
	s.open = s.begin(s.ctx, s.op, s.files[n].Key)
	return s.open, s.options(s.op), nil
}

func (s *loadSink) Close(n int) error {
	u := s.open
	s.open, s.closing = nil, true
	if err := s.end(s.ctx, s.op, sent{u, s.files[n].Key}, nil); err != nil {
		return fmt.Errorf("output %d: %w", n, err)
	}
	s.closing = false
	return nil
}
