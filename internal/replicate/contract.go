package replicate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sluice/internal/contract"
	"sluice/internal/lake"
	"sluice/statestore"
)

// parseContract reads the attribute Contract.
func (t *table) parseContract(text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	c, err := contract.Parse(text)
	if err != nil {
		return haltf("settings", "attribute Contract: %v; set it with sluice activate --contract FILE, or remove it with --contract none", err)
	}
	t.contract = c
	return nil
}

// keepOut judges change files by the table's contract and takes the rows out of them that go to the quarantine.
func (r *run) keepOut(ctx context.Context, s *lake.Schema, inputs []opened) error {
	if err := r.keepRowsOut(ctx, inputs); err != nil {
		return err
	}
	for i := range inputs {
		if err := r.keepKeysOut(ctx, s, inputs[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// keepRowsOut takes out of inputs the rows that violate a rule by themselves.
func (r *run) keepRowsOut(ctx context.Context, inputs []opened) error {
	if r.t.contract == nil {
		return nil
	}
	runs := 0
	for i := range inputs {
		in := &inputs[i]
		var err error
		if in.found, err = r.t.contract.Judge(ctx, in.judged(r.t.key)); err != nil {
			return contractFault(inputFault(in.input, err))
		}
		if runs += len(in.found); runs > contract.MaxFindings {
			return contractFault(contract.ErrTooMany)
		}
		if err := r.without(in, contract.Rows(in.found)); err != nil {
			return err
		}
	}
	return nil
}

// keepFilesOut is keepRowsOut for a full load: the files of which nothing is left come apart, so that their types contradict nothing. When
// nothing is left of any, they are read for their columns.
func (r *run) keepFilesOut(ctx context.Context, loads []opened) (out, rest []opened, err error) {
	if err := r.keepRowsOut(ctx, loads); err != nil {
		return nil, nil, err
	}
	for _, in := range loads {
		if len(in.found) > 0 && in.reader.Rows() == 0 {
			out = append(out, in)
		} else {
			rest = append(rest, in)
		}
	}
	if len(rest) == 0 {
		return nil, out, nil
	}
	return out, rest, nil
}

// keepKeysOut takes out rows whose key an earlier row of these inputs has, where the contract wants that: all of a full
// load, or one change file. What the rows are about has to be in the table by now.
func (r *run) keepKeysOut(ctx context.Context, s *lake.Schema, inputs []opened) error {
	if r.t.contract == nil {
		return nil
	}
	if err := r.t.contract.Known(s.Columns); err != nil && len(s.Columns) > 0 {
		return contractFault(err)
	}
	judged, found := make([]contract.Input, len(inputs)), make([][]contract.Finding, len(inputs))
	for i := range inputs {
		judged[i], found[i] = inputs[i].judged(s.Key), inputs[i].found
	}
	if r.t.contract.Unique() {
		if err := r.hold(ctx, contract.KeyBytes(judged)); err != nil {
			return err
		}
		defer r.letGo()
	}
	if err := r.t.contract.JudgeKeys(ctx, s, judged, found); err != nil {
		return contractFault(err)
	}
	for i := range inputs {
		inputs[i].found = found[i]
		if err := r.without(&inputs[i], contract.Rows(found[i])); err != nil {
			return err
		}
	}
	return nil
}

// judged is an input as its contract sees it.
func (in *opened) judged(key []string) contract.Input {
	return contract.Input{Name: in.key, Reader: in.all, Key: key}
}

// contractFault makes a halt of what a contract says.
func contractFault(err error) error {
	var violation *contract.ViolationError
	var wrong *contract.Error
	switch {
	case errors.As(err, &violation):
		return haltf("contract", "%v; correct the source and write the file again, or change the contract with sluice activate --contract FILE, then acknowledge", violation)
	case errors.Is(err, contract.ErrTooMany):
		return haltf("contract", "%v, so that rather the contract is wrong: change it with sluice activate --contract FILE, then acknowledge", err)
	case errors.As(err, &wrong):
		return haltf("settings", "attribute Contract: %v; set it with sluice activate --contract FILE, then acknowledge", err)
	}
	return err
}

// numbered says so where an error names an input whose rows are counted without those that its contract keeps out.
func numbered(err error, inputs []opened) error {
	code := dataFault(err)
	if code == "" {
		return err
	}
	for _, in := range inputs {
		if len(in.found) > 0 && strings.Contains(err.Error(), in.key) {
			return haltf(code, "%v (rows of this file are counted without the %d that the table's contract keeps out)", err, contract.Rows(in.found).Count())
		}
	}
	return err
}

// keeps notes what the draft keeps out of its inputs, by quarantine file.
func (d *draft) keeps(inputs []opened) {
	var kept []contract.Kept
	for _, in := range inputs {
		if len(in.found) > 0 {
			kept = append(kept, contract.Kept{Name: in.key, ETag: in.etag, File: in.full, Rows: in.all, Found: in.found})
			d.Counts.Quarantined += contract.Rows(in.found).Count()
		}
	}
	d.out = contract.Groups(kept)
	d.countKept()
}

// countKept adds to the item's count.
func (d *draft) countKept() {
	if d.Counts.Quarantined > 0 {
		d.Set[statestore.Quarantined] = fmt.Sprint(d.table.quarantined + d.Counts.Quarantined)
	}
}

// holds notes in the ledger which quarantine file holds rows of some inputs.
func (l *ledger) holds(name string, inputs []contract.Kept) {
	for _, in := range inputs {
		for i := range l.Inputs {
			if l.Inputs[i].Key == in.Name {
				l.Inputs[i].Held = name
			}
		}
		for i := range l.Load {
			if l.Load[i].Key == in.Name {
				l.Load[i].Held = name
			}
		}
	}
}

// checkContract makes sure that a contract fits the columns.
func (t *table) checkContract(columns []lake.Column) error {
	if t.contract == nil {
		return nil
	}
	if err := t.contract.Fits(columns); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUsage, t.name(), err)
	}
	if t.contract.Unique() && len(t.key) == 0 {
		return fmt.Errorf("%w: %s: contract: unique_key asks for a primary key, and the table has none", ErrUsage, t.name())
	}
	return nil
}
