package main

import (
	"fmt"
	"strings"

	"sluice/internal/cost"
	"sluice/internal/replicate"
	"sluice/internal/setting"
)

// proposed is the line that activate --json prints with a proposal.
type proposed struct {
	replicate.Table

	Requests *cost.Requests `json:"requests,omitempty"` // of the next run on S3 and DynamoDB, roughly
}

// printProposal prints a table, the keys that it could have, and what its next run would do.
func (a *app) printProposal(o *options, t replicate.Table) error {
	if o.json {
		out := a.output(o, nil)
		out.print(proposed{t, requestsOf(t.Proposal.Run)}, "")
		return out.err
	}
	if err := a.printTables(o, []replicate.Table{t}); err != nil {
		return err
	}
	out := a.output(o, nil)
	out.print(nil, "\n"+proposalText(t, o.verbose))
	return out.err
}

// requestsOf is what a load takes; nil for anything else, which plan says in files and bytes.
func requestsOf(f *replicate.Forecast) *cost.Requests {
	if f == nil || f.Action != replicate.Loaded {
		return nil
	}
	r := cost.LoadOf(len(f.Inputs), int(f.FilesCreated), f.BytesToRead, f.BytesToWrite)
	return &r
}

func proposalText(t replicate.Table, verbose bool) string {
	p := t.Proposal
	var lines []string
	switch {
	case len(p.Keys) > 0:
		lines = append(lines, fmt.Sprintf("%s has no primary key. Unique and never NULL in the %s of the full load (%s, %s read):\n",
			t.Table, count(p.Rows, "row"), count(int64(p.Files), "file"), setting.Bytes(p.Read)))
		lines = append(lines, keysText(p, verbose))
		lines = append(lines, fmt.Sprintf("Set one:  sluice activate %s --primary-key %s\nOr none:  sluice activate %s --primary-key null", t.Table, strings.Join(p.Keys[0].Columns, ","), t.Table))
		if t.Active {
			lines = append(lines, "It is active without a key now: inserts are appended, updates and deletes are ignored.")
		}
	case p.Reason != "":
		lines = append(lines, fmt.Sprintf("%s has no primary key, and none to propose: %s.", t.Table, p.Reason))
		if verbose && len(p.Others) > 0 {
			lines = append(lines, "\n"+keysText(p, true))
		}
	}
	if p.Run != nil {
		lines = append(lines, "The next run:  "+string(p.Run.Action)+"  "+forecastSummary(*p.Run)+requestsText(requestsOf(p.Run)))
	}
	return strings.Join(lines, "\n")
}

func requestsText(r *cost.Requests) string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("; on S3 about %.0f GET, %.0f PUT and %.0f LIST requests", r.Gets, r.Puts, r.Lists)
}

// keysText lists the keys, and with all the other columns that were looked at.
func keysText(p *replicate.Proposal, all bool) string {
	rows := [][]string{{"COLUMNS", "ROWS", "DISTINCT", "NULL", "REPEATS", "COUNTED"}}
	list := p.Keys
	if all {
		list = append(list[:len(list):len(list)], p.Others...)
	}
	for _, k := range list {
		counted := "exactly"
		switch {
		case !k.Whole:
			counted = "in the first rows"
		case !k.Exact:
			counted = "estimated"
		}
		rows = append(rows, []string{strings.Join(k.Columns, ","), number(k.Rows), number(k.Distinct), number(k.Nulls), number(k.Repeats), counted})
	}
	return columns(rows)
}

func number(n int64) string { return fmt.Sprint(n) }
