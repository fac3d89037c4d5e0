package statestore

import (
	"context"
	"fmt"
)

// Activate lets the table be replicated and sets the operator's settings by attribute name; "" unsets one, which for
// PrimaryKey and PartitionKey means NoColumns. ErrInvalid for an attribute that is the engine's. Whether the columns
// exist, and whether the lake may still move, is the caller's to check.
func (s Store) Activate(ctx context.Context, path string, settings map[string]string) error {
	u := Update{Path: path, Set: map[string]string{ActiveFlag: True}}
	for attr, value := range settings {
		switch {
		case known(attr) && !setting(attr):
			return fmt.Errorf("activate %s: %w: %s is not a setting", path, ErrInvalid, attr)
		case value == "" && (attr == PrimaryKey || attr == PartitionKey):
			u.Set[attr] = NoColumns
		case value == "":
			u.Remove = append(u.Remove, attr)
		default:
			u.Set[attr] = value
		}
	}
	return s.change(ctx, "activate", u)
}

// Deactivate stops the table from the next plan on; a pending commit is still carried out.
func (s Store) Deactivate(ctx context.Context, path string) error {
	return s.change(ctx, "deactivate", Update{Path: path, Set: map[string]string{ActiveFlag: False}})
}

// setting reports whether a known attribute is an operator's to set.
func setting(attr string) bool {
	switch attr {
	case PrimaryKey, PartitionKey, OutPath, OrderColumn, InputTimezone, LoadLead, ReloadPolicy, BeforeImagePrefix,
		CSVHeader, CSVDelimiter, CSVRowDelimiter, CSVNull, CSVNoSup, CSVQuotes, CSVSchema, Dialect, Compact, SchemaPolicy, Contract:
		return true
	}
	return false
}
