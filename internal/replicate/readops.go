package replicate

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// readOps reads the ops of both phases of a plan.
func (r *run) readOps(ctx context.Context, p *Plan) (phases [2][]Op, err error) {
	for phase := range p.Phases {
		if phases[phase], err = r.readPhase(ctx, p, phase); err != nil {
			return phases, err
		}
	}
	return phases, nil
}

// readPhase reads the ops of one phase of a plan, 0 or 1. What cannot be carried out as it stands is a halt: another
// version wrote it, or it was changed.
func (r *run) readPhase(ctx context.Context, p *Plan, phase int) (ops []Op, err error) {
	want := p.Phases[phase]
	if want.Ops == 0 {
		return nil, nil
	}
	var batches []Batch
	if err := readJSON(ctx, r.lake, want.Key, &batches); err != nil {
		return nil, err
	}
	for _, b := range batches {
		if b.Path != p.Path || b.ID != p.ID || b.Phase != phase+1 {
			return nil, haltf("bookkeeping", "%s is not of commit %s, phase %d; restore the object", want.Key, p.commitKey(), phase+1)
		}
		for _, op := range b.Ops {
			if err := op.check(p, r.t.lake); err != nil {
				return nil, haltf("bookkeeping", "%s: op %d %v; restore the object, or run the version of sluice that wrote it", want.Key, op.N, err)
			}
			ops = append(ops, op)
		}
	}
	if len(ops) != want.Ops {
		return nil, haltf("bookkeeping", "%s holds %d ops where the plan has %d; restore the object", want.Key, len(ops), want.Ops)
	}
	return ops, nil
}

// check says what keeps an op from being carried out as part of the plan, in the lake folder given.
func (op Op) check(p *Plan, folder string) error {
	outside := func(f OpFile) bool { return !strings.HasPrefix(f.Key, folder) || f.Key == folder || f.Rows < 0 }
	source := func(part int) bool { return part >= 0 && part < len(p.Sources) }
	switch {
	case len(op.Files) == 0 || slices.ContainsFunc(op.Files, outside):
		return fmt.Errorf("names no file of %s, or one of fewer than no rows", folder)
	case op.Size < 0 || op.Bytes < 0:
		return fmt.Errorf("is of %d bytes, of %d", op.Bytes, op.Size)
	case op.Changes != nil && (p.Changes == "" || op.Changes.From < 0 || op.Changes.To < op.Changes.From):
		return fmt.Errorf("has a slice of changes that cannot be")
	}
	for _, part := range op.Parts {
		if !source(part.File) {
			return fmt.Errorf("reads source %d of %d", part.File, len(p.Sources))
		}
	}
	creates := false
	switch op.Kind {
	case OpCreate, OpBlock:
		creates = true
	case OpRewrite, OpEmpty, OpRefresh, OpBlank:
	default:
		return fmt.Errorf("is of unknown kind %q", op.Kind)
	}
	switch {
	case creates != (op.ETag == ""):
		return fmt.Errorf("of kind %s has the ETag %q", op.Kind, op.ETag)
	case op.Kind == OpCreate && (op.Changes == nil) == (len(op.Parts) == 0), op.Kind == OpRewrite && op.Changes == nil:
		return fmt.Errorf("of kind %s does not say what it is made of", op.Kind)
	case len(op.Files) > 1 && len(op.Parts) == 0:
		return fmt.Errorf("of kind %s names %d files", op.Kind, len(op.Files))
	}
	return nil
}

// check says what keeps a plan from being carried out.
func (p *Plan) check(path string, seq uint64) error {
	switch p.Kind {
	case KindLoad, KindMerge, KindRecord, KindTruncate, KindRewrite, KindRebuild, KindCompact:
	case KindFence:
		if p.Old == "" {
			return fmt.Errorf("is a fence that does not say of what")
		}
	default:
		return fmt.Errorf("is of unknown kind %q", p.Kind)
	}
	for i, s := range p.Sources {
		if s.Size < 0 {
			return fmt.Errorf("has a source %d of %d bytes", i, s.Size)
		}
		if s.CSV != nil {
			if err := s.CSV.Check(); err != nil {
				return fmt.Errorf("has a source %d that cannot be: %w", i, err)
			}
		}
	}
	switch {
	case p.Path != path:
		return fmt.Errorf("is of table %s", p.Path)
	case p.Seq != seq:
		return fmt.Errorf("has sequence number %d, the control item %d", p.Seq, seq)
	}
	return nil
}
