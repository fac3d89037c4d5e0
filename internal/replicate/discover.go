package replicate

import (
	"context"
	"fmt"
	"path"
	"strings"

	"sluice/internal/dms"
	"sluice/internal/object"
)

// found is what lies below the raw location.
type found struct {
	tables       []string // paths of table folders: two levels down
	transactions []string // above them, folders with files that PreserveTransactions made: "bucket/prefix/"
}

// discover lists the table folders below the raw location: two levels, every page.
func (e *Engine) discover(ctx context.Context) (*found, error) {
	raw, err := e.bucket(ctx, e.cfg.RawBucket)
	if err != nil {
		return nil, fmt.Errorf("%w%s", err, storageAdvice(err))
	}
	f := &found{}
	schemas, err := e.folders(ctx, raw, e.cfg.RawPrefix, f)
	if err != nil {
		return nil, err
	}
	for _, schema := range schemas {
		name := strings.TrimSuffix(schema[len(e.cfg.RawPrefix):], "/")
		if e.cfg.Schema != "*" && e.cfg.Schema != name {
			continue
		}
		tables, err := e.folders(ctx, raw, schema, f)
		if err != nil {
			return nil, err
		}
		for _, table := range tables {
			if !dms.Excluded(name, strings.TrimSuffix(table[len(schema):], "/")) {
				f.tables = append(f.tables, e.cfg.RawBucket+"/"+table)
			}
		}
	}
	return f, nil
}

// folders lists the folders inside a prefix. Of files of transactions, of which there may be many, it looks at the first.
func (e *Engine) folders(ctx context.Context, store Objects, prefix string, f *found) ([]string, error) {
	folders, transactions, err := e.foldersFrom(ctx, store, object.ListInput{Prefix: prefix, Delimiter: "/"})
	if err == nil && transactions {
		f.transactions = append(f.transactions, e.cfg.RawBucket+"/"+prefix)
		var more []string
		more, _, err = e.foldersFrom(ctx, store, object.ListInput{Prefix: prefix, Delimiter: "/", StartAfter: prefix + dms.TransactionsEnd})
		folders = append(folders, more...)
	}
	return folders, err
}

// foldersFrom lists folders up to the first file of transactions.
func (e *Engine) foldersFrom(ctx context.Context, store Objects, in object.ListInput) (folders []string, transactions bool, err error) {
	for entry, err := range store.List(ctx, in) {
		if err != nil {
			return nil, false, fmt.Errorf("list %s/%s: %w%s", e.cfg.RawBucket, in.Prefix, err, storageAdvice(err))
		}
		name := strings.TrimSuffix(entry.Key[len(in.Prefix):], "/")
		switch {
		case !entry.Prefix && dms.Transactions(name):
			return folders, true, nil
		case entry.Prefix && name != "" && !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, "."):
			folders = append(folders, entry.Key)
		}
	}
	return folders, false, nil
}

// holdsTransactions says whether a folder that looks like a new table's has files of transactions: in it, or, as far as its first
// thousand objects tell, deeper.
func (e *Engine) holdsTransactions(ctx context.Context, folder string) (bool, error) {
	raw, err := e.bucket(ctx, e.cfg.RawBucket)
	if err != nil {
		return false, err
	}
	_, prefix, _ := strings.Cut(folder, "/")
	for _, in := range []object.ListInput{{Prefix: prefix + dms.TransactionsBegin}, {Prefix: prefix}} {
		n := 0
		for entry, err := range raw.List(ctx, in) {
			if err != nil {
				return false, fmt.Errorf("list %s: %w", folder, err)
			}
			if dms.Transactions(path.Base(entry.Key)) {
				return true, nil
			}
			if n++; n == 1000 {
				break
			}
		}
	}
	return false, nil
}

// refuseTransactions is what is said, in every run, of a folder that no table can be made of.
func (e *Engine) refuseTransactions(folder string) Result {
	stop := transactionsHalt(folder)
	return Result{Table: folder, Path: folder, Action: Halted, Reason: stop.Error(), Err: stop}
}

func transactionsHalt(folder string) error {
	return haltf("input", "%s holds CDC_TXN files, the changes of all tables in the order of their transactions, which the DMS setting PreserveTransactions writes "+
		"and sluice does not read; set PreserveTransactions=false on the S3 endpoint and take CdcPath away, so that each table gets change files of its own; then remove these files and reload the tables", folder)
}
