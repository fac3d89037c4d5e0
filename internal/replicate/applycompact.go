package replicate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"sluice/internal/lake"
	"sluice/internal/object"
	"sluice/internal/parquetedit"
)

// writeCompact makes the missing files of an op from rows of lake files.
func (a *application) writeCompact(ctx context.Context, op Op, missing []OpFile) error {
	release, err := a.takeCompact(ctx, op)
	if err != nil {
		return err
	}
	defer release()
	work := lake.LoadOp{Parts: op.Parts}
	for _, f := range op.Files {
		work.Outputs = append(work.Outputs, lake.Output{Dir: f.Dir, Rows: f.Rows})
	}
	sink := &uniteSink{loadSink{application: a, ctx: ctx, op: op, files: op.Files}, missing}
	open := func(ctx context.Context, file int) (lake.LoadFile, error) {
		in, err := a.openAhead(ctx, file)
		if err == nil {
			err = a.within(op, file, len(in.Open.RowGroups()))
		}
		return in, err
	}
	if err := lake.Unite(ctx, work, op.Files[0].Columns, lake.Exchange{Open: open, Sink: sink}); err != nil {
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

// openAhead opens a source that is read once, from front to back.
func (a *application) openAhead(ctx context.Context, file int) (lake.LoadFile, error) {
	s := a.plan.Sources[file]
	from := &ahead{source: source{a.lake, object.Info{Key: s.Key, ETag: s.ETag, Size: s.Size}, a.meter}}
	open, err := a.e.memory.Open(ctx, from)
	if err != nil {
		return lake.LoadFile{}, fmt.Errorf("open %s: %w", s.Key, err)
	}
	from.large = slices.ContainsFunc(open.RowGroups(), func(g parquetedit.RowGroup) bool { return g.CompressedBytes > readAhead })
	return lake.LoadFile{Name: s.Key, Open: open}, nil
}

// uniteSink passes over the files that are there already.
type uniteSink struct {
	loadSink
	missing []OpFile
}

func (s *uniteSink) Open(n int) (io.Writer, lake.FileOptions, error) {
	if !slices.ContainsFunc(s.missing, func(f OpFile) bool { return f.Key == s.files[n].Key }) {
		return nil, lake.FileOptions{}, nil
	}
	return s.loadSink.Open(n)
}

// readAhead is how much of a lake file is read at once where it is read from front to back: many small
// row groups cost no more requests than a few large ones.
const readAhead = 8 << 20

// ahead reads a lake file by pieces of that size.
type ahead struct {
	source
	large bool // its row groups are larger, their columns are read one by one
	mu    sync.Mutex
	held  []byte
	off   int64 // of held
}

func (s *ahead) ReadRange(ctx context.Context, p []byte, off int64) error {
	if s.large || int64(len(p)) > readAhead/2 {
		return s.source.ReadRange(ctx, p, off)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	end := off + int64(len(p))
	if off < s.off || end > s.off+int64(len(s.held)) {
		from := min(off, max(s.info.Size-readAhead, 0)) // at the end of the file, what lies before
		held := make([]byte, max(min(readAhead, s.info.Size-from), end-from))
		if err := s.source.ReadRange(ctx, held, from); err != nil {
			return err
		}
		s.held, s.off = held, from
	}
	copy(p, s.held[off-s.off:])
	return nil
}
