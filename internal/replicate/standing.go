package replicate

import (
	"context"
	"errors"
	"fmt"

	"sluice/internal/object"
	"sluice/statestore"
)

// standing is what a file is to the op that writes it.
type standing int

const (
	unwritten standing = iota // as the plan found it
	written                   // as the op leaves it, or as good as that to a fence
	gone                      // not there where the plan found it
	strange                   // as neither leaves it
)

// missing looks which files of an op are not written yet. A file that is
// neither as the plan found it nor as the op leaves it was changed by somebody else: when the commit is still ours that halts the table.
func (a *application) missing(ctx context.Context, op Op) ([]OpFile, error) {
	var files []OpFile
	for _, f := range op.Files {
		is, err := a.standing(ctx, op, f)
		if err == nil && (is == gone || is == strange) {
			is, err = a.foreign(ctx, op, f)
		}
		if err != nil {
			return nil, err
		}
		if is == unwritten {
			files = append(files, f)
		}
	}
	return files, nil
}

// standing looks at one file of an op.
func (a *application) standing(ctx context.Context, op Op, f OpFile) (standing, error) {
	fencing := a.plan.Kind == KindFence
	info, err := a.lake.Head(ctx, f.Key)
	switch {
	case errors.Is(err, object.ErrNotFound) && op.ETag == "":
		return unwritten, nil
	case errors.Is(err, object.ErrNotFound) && fencing:
		return written, nil // to a fence a file that is gone is as good as fenced
	case errors.Is(err, object.ErrNotFound):
		return gone, nil
	case err != nil:
		return unwritten, err
	}
	ours, err := a.isOurs(ctx, info, op.N)
	switch {
	case err != nil:
		return unwritten, err
	case ours:
		a.saw(info)
		return written, nil
	case op.ETag != "" && info.ETag == op.ETag:
		return unwritten, nil
	case fencing:
		a.saw(info) // to a fence, a name that is taken or a file that changed is as good as fenced
		return written, nil
	default:
		return strange, nil
	}
}

func (a *application) saw(info object.Info) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.applied[info.Key] = info
}

// foreign decides about a file that was found to be nobody's. It looks once more: a gateway before a file system may
// answer a HEAD in the middle of a write with the ETag behind it and the metadata before it, and a halt wants an operator.
// Then it reads the item again: a commit that is no longer pending was finished elsewhere; one that is cannot be finished,
// which is a halt.
func (a *application) foreign(ctx context.Context, op Op, f OpFile) (standing, error) {
	is, err := a.standing(ctx, op, f)
	if err != nil || is == unwritten || is == written {
		return is, err
	}
	item, err := a.e.stores.State.Read(ctx, a.t.path)
	switch {
	case err != nil:
		return is, err
	case item[statestore.CommitID] != a.plan.ID:
		return is, errElsewhere
	}
	what := "was written by somebody else"
	if is == gone {
		what = "is gone"
	}
	return is, haltf("foreign", "lake file %s %s while commit %s was pending; look at the file, then acknowledge with --accept foreign to take the lake as it is now",
		f.Key, what, a.plan.commitKey())
}

// The marks that a body carries, in its object's metadata and in its Parquet footer.
const (
	commitMark = "sluice-commit"
	opMark     = "sluice-op"
)

func (a *application) marks(op Op) map[string]string {
	return map[string]string{commitMark: a.plan.commitKey(), opMark: fmt.Sprint(op.N)}
}

// isOurs says whether the object is what this commit's op wrote.
func (a *application) isOurs(ctx context.Context, info object.Info, op int) (bool, error) {
	commit, number, err := a.marksOf(ctx, info)
	return commit == a.plan.commitKey() && number == fmt.Sprint(op), err
}

// marksOf returns the marks that a lake file carries, empty ones for another
// writer's. Such a file, and any in a store that keeps no metadata, is asked for its footer.
func (r *run) marksOf(ctx context.Context, info object.Info) (commit, op string, err error) {
	if commit, ok := info.Metadata[commitMark]; ok {
		return commit, info.Metadata[opMark], nil
	}
	f, err := r.open(ctx, r.lake, info)
	switch {
	case inDoubt(err) || dataFault(err) != "":
		return "", "", nil
	case err != nil:
		return "", "", err
	}
	commit, _ = f.Metadata(commitMark)
	op, _ = f.Metadata(opMark)
	return commit, op, nil
}
