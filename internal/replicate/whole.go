package replicate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"sluice/internal/object"
	"sluice/internal/parquetedit"
)

// What a listing lacks may be there all the same: S3's listings are strongly consistent, other stores' need not be. A
// live lake file that a plan does not know of would get its keys a second time, in another file; so a listing is held
// against what is known from before, and what it lacks is asked for by name. What nobody has recorded yet (a file of
// a lake that was just adopted, or somebody else's) cannot be missed.

// errStale is returned when a listing lacks an object that is there.
var errStale = errors.New("the store's listing is behind")

// wholeLake lists the lake files, every known one among them that is still there. One that somebody deleted between two
// runs is gone: the lake as it is is the base. A listing that stays behind is trouble with the store.
func (r *run) wholeLake(ctx context.Context, known []string) ([]object.Info, error) {
	var late []object.Info
	for again := range attempts {
		if again > 0 {
			if err := r.e.pause(ctx, again); err != nil {
				return nil, err
			}
		}
		infos, err := r.listLake(ctx)
		if err != nil {
			return nil, err
		}
		if late, err = r.there(ctx, r.lake, unlisted(known, infos)); err != nil || len(late) == 0 {
			return infos, err
		}
		if at := slices.IndexFunc(late, func(info object.Info) bool { return info.Size == 0 }); at >= 0 {
			return nil, lakeFault(late[at].Key, fmt.Errorf("%w: the file is empty", parquetedit.ErrCorrupt))
		}
	}
	return nil, fmt.Errorf("list lake folder %s/%s: %w: %s is there and is not listed", r.t.outBucket, r.t.lake, errStale, late[0].Key)
}

// unlisted returns the known keys that a listing lacks.
func unlisted(known []string, infos []object.Info) []string {
	listed := map[string]bool{}
	for _, info := range infos {
		listed[info.Key] = true
	}
	return slices.DeleteFunc(slices.Clone(known), func(key string) bool { return listed[key] })
}

// live returns the keys of the index's files with rows.
func (x *index) live(t *table) []string {
	var keys []string
	for _, f := range x.Files {
		if f.Rows > 0 {
			keys = append(keys, t.lake+f.Key)
		}
	}
	return keys
}

// filesOf returns the keys of the files that a plan's ops write.
func (r *run) filesOf(ctx context.Context, p *Plan) ([]string, error) {
	var keys []string
	phases, err := r.readOps(ctx, p)
	for _, ops := range phases {
		for _, op := range ops {
			for _, f := range op.Files {
				keys = append(keys, f.Key)
			}
		}
	}
	return keys, err
}

// there returns those of the objects that exist, in any order.
func (r *run) there(ctx context.Context, store Objects, keys []string) ([]object.Info, error) {
	var mu sync.Mutex
	var infos []object.Info
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(cap(r.e.ops) * 4)
	for _, key := range keys {
		group.Go(func() error {
			info, err := store.Head(gctx, key)
			if errors.Is(err, object.ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			infos = append(infos, info)
			return nil
		})
	}
	return infos, group.Wait()
}

// reallyGone makes sure that inputs which a listing lacks are not there: a listing that is behind is no halt.
func (r *run) reallyGone(ctx context.Context, o *outlook) error {
	const most = 20 // a listing that is behind lacks a page, or what came last
	var keys []string
	for _, old := range o.fates.vanished {
		keys = append(keys, old.Key)
	}
	keys = append(keys, o.diff.gone...)
	late, err := r.there(ctx, r.raw, keys[:min(len(keys), most)])
	if err == nil && len(late) > 0 {
		err = fmt.Errorf("list %s/%s: %w: %s is there and is not listed", r.t.bucket, r.t.raw, errStale, late[0].Key)
	}
	return err
}
