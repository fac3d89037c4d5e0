package replicate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/internal/object"
	"sluice/statestore"
)

// Doctor tries what a run relies on and says what to fix: that raw can be
// listed and read, that the lake's store keeps the rules that commits stand on, that the control table can be read,
// that the clocks agree, and for each active table that nothing was missed and that the catalog has it. It writes one probe object below the
// lake's _sluice/ folder, and lets the next run register what the catalog lost.
func (e *Engine) Doctor(ctx context.Context, report func(Check)) error {
	found := e.checkRaw(ctx, report)
	e.checkLake(ctx, report)
	items, err := e.items(ctx, func(r Result) {
		report(Check{Name: "control item " + r.Path, Detail: r.Reason, Remedy: "make every attribute a string (S)"})
	})
	if err != nil {
		report(Check{Name: "control table", Detail: err.Error(), Remedy: "check --state, the region and the permissions dynamodb:Scan, GetItem, PutItem, UpdateItem, DescribeTable, CreateTable"})
		return ctx.Err()
	}
	report(Check{Name: "control table", OK: true, Detail: fmt.Sprintf("%d tables registered", len(items))})
	e.checkFolders(ctx, found, items, report)
	for _, path := range sortedKeys(items) {
		if item := items[path]; item != nil && item.Active() && e.inScope(item) {
			report(e.checkTable(ctx, item))
			e.checkCatalog(ctx, item, report)
		}
	}
	return ctx.Err()
}

func (e *Engine) checkRaw(ctx context.Context, report func(Check)) *found {
	f, err := e.discover(ctx)
	check := Check{Name: "raw " + e.cfg.RawBucket + "/" + e.cfg.RawPrefix, OK: err == nil}
	switch {
	case err != nil:
		check.Detail, check.Remedy = err.Error(), "check --raw, the credentials, and the permissions s3:ListBucket and s3:GetObject"
		f = &found{}
	case len(f.tables) == 0:
		check.OK, check.Remedy = false, "--raw must name the folder that holds schema/table/ folders"
		fallthrough
	default:
		check.Detail = fmt.Sprintf("%d tables found", len(f.tables))
	}
	report(check)
	return f
}

// checkFolders tells of the folders that no table can be made of.
func (e *Engine) checkFolders(ctx context.Context, f *found, items map[string]statestore.Item, report func(Check)) {
	refused := f.transactions
	for _, path := range f.tables {
		if _, known := items[path]; known {
			continue
		}
		if transactions, err := e.holdsTransactions(ctx, path); err == nil && transactions {
			refused = append(refused, path)
		}
	}
	for _, folder := range refused {
		report(Check{Name: "folder " + folder, Detail: transactionsHalt(folder).Error(), Remedy: "set PreserveTransactions=false on the DMS endpoint, remove the CDC_TXN files, reload the tables"})
	}
}

func (e *Engine) checkLake(ctx context.Context, report func(Check)) {
	name := "lake " + e.cfg.LakeBucket + "/" + e.cfg.LakePrefix
	store, err := e.bucket(ctx, e.cfg.LakeBucket)
	if err == nil {
		err = object.Probe(ctx, store, e.cfg.LakePrefix+"_sluice/.")
	}
	switch {
	case errors.Is(err, object.ErrUnconditional):
		report(Check{Name: name, Detail: err.Error(), Remedy: unconditionalRemedy(err)})
		return
	case err != nil:
		report(Check{Name: name, Detail: err.Error(), Remedy: "check --lake, the credentials, and the permissions s3:ListBucket, s3:GetObject, s3:PutObject, s3:AbortMultipartUpload"})
		return
	}
	report(Check{Name: name, OK: true, Detail: "write conditions hold, ETags tell contents apart"})
	info, err := store.Head(ctx, e.cfg.LakePrefix+"_sluice/.probe")
	if err != nil {
		return
	}
	const most = 5 * time.Minute
	skew := e.now().Sub(info.LastModified).Round(time.Second)
	report(Check{
		Name: "clock", OK: skew.Abs() < most, Detail: fmt.Sprintf("this machine is %s from the store", skew),
		Remedy: "set this machine's clock: the settle delay and leases go by it",
	})
}

// unconditionalRemedy says what to do about a store that breaks a rule.
func unconditionalRemedy(err error) string {
	if errors.Is(err, object.ErrFoldsCase) {
		return "use a store that tells upper from lower case: ext4 or XFS without casefold, a case-sensitive APFS volume, Amazon S3"
	}
	return "use a store that holds If-Match and If-None-Match on PUT and on CompleteMultipartUpload and has strong ETags, as Amazon S3 does; if it does, look at what is between: a cache or a proxy that drops headers"
}

// checkTable lists the whole folder of a table and says what a run would not see or would stop at.
func (e *Engine) checkTable(ctx context.Context, item statestore.Item) Check {
	check := Check{Name: "table " + tableName(item)}
	if item.Halted() {
		check.Detail, check.Remedy = item[statestore.StatusReason], "see docs/OPERATIONS.md, then sluice acknowledge "+tableName(item)
		return check
	}
	r := &run{e: e, meter: &meter{}, result: &Result{}, dry: true}
	o, err := r.survey(ctx, item)
	switch {
	case err != nil:
		check.Detail, check.Remedy = err.Error(), "see docs/OPERATIONS.md"
	case len(o.fates.tooLate) > 0:
		check.Detail = fmt.Sprintf("%d change files came after the horizon and were never merged, the first %s", len(o.fates.tooLate), o.fates.tooLate[0].key)
		check.Remedy = "reload the table, or let the next run halt it and acknowledge to leave them out"
	default:
		check.OK = true
		check.Detail = fmt.Sprintf("%d LOAD and %d change files, %d waiting, %d other objects ignored",
			len(o.loads), len(o.changes), len(o.fates.fresh)+len(o.fates.late), o.ignored)
	}
	return check
}

// survey compares the whole folder with what was consumed.
func (r *run) survey(ctx context.Context, item statestore.Item) (*outlook, error) {
	if err := r.adopt(ctx, item); err != nil {
		return nil, err
	}
	whole, err := r.list(ctx, "")
	if err != nil {
		return nil, err
	}
	r.listed = whole
	return r.look(ctx)
}
