package replicate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// brought returns the columns that the table's inputs brought last: what the ledger says, or for a ledger that
// does not know it the columns of the lake; nil when there are none yet.
func (r *run) brought(ctx context.Context, o *outlook) ([]parquetedit.Column, error) {
	if !r.t.strict || o.ledger.Columns != nil {
		return o.ledger.Columns, nil
	}
	s, err := r.readState(ctx)
	if err != nil || !s.known {
		return nil, err
	}
	return s.schema.Columns, nil
}

// keeps returns a halt when an input brings other columns than those before it and SchemaPolicy is strict. A file
// without rows contradicts nothing, and before the first column everything may come.
func (t *table) keeps(columns []parquetedit.Column, in opened) error {
	if !t.strict || columns == nil || in.reader.Rows() == 0 {
		return nil
	}
	changes := changesOf(columns, in.reader.Columns())
	if len(changes) == 0 {
		return nil
	}
	return haltf("schema", "%s changes columns: %s; SchemaPolicy is strict: acknowledge with --accept schema to take that, or correct the source and write the file again, then acknowledge",
		in.key, some(changes))
}

// changesOf says what is new, gone or of another type in the columns now; their order does not count.
func changesOf(before, now []parquetedit.Column) []string {
	var changes []string
	at := func(list []parquetedit.Column, name string) int {
		return slices.IndexFunc(list, func(c parquetedit.Column) bool { return c.Name == name })
	}
	for _, c := range now {
		switch old := at(before, c.Name); {
		case old < 0:
			changes = append(changes, fmt.Sprintf("%q (%s) is new", c.Name, lake.TypeName(c.Type)))
		case lake.TypeName(before[old].Type) != lake.TypeName(c.Type):
			changes = append(changes, fmt.Sprintf("%q is %s and was %s", c.Name, lake.TypeName(c.Type), lake.TypeName(before[old].Type)))
		}
	}
	for _, c := range before {
		if at(now, c.Name) < 0 {
			changes = append(changes, fmt.Sprintf("%q is gone", c.Name))
		}
	}
	return changes
}

// brings notes which columns the last of some inputs with rows has.
func (d *draft) brings(inputs []opened) {
	for _, in := range slices.Backward(inputs) {
		if in.all.Rows() > 0 {
			d.ledger.Columns = slices.Clone(in.all.Columns())
			return
		}
	}
}

// strictBatch cuts a batch where columns change: what comes before is merged first. At the first input it is a halt, unless the
// operator has accepted the change.
func (r *run) strictBatch(ctx context.Context, o *outlook, b *batch) error {
	columns, err := r.brought(ctx, o)
	if err != nil {
		return err
	}
	for i, in := range b.apply {
		err := r.t.keeps(columns, in)
		switch {
		case err != nil && i > 0:
			b.consumed = b.consumed[:slices.IndexFunc(b.consumed, func(c input) bool { return c.key == in.key })]
			b.apply = b.apply[:i]
			return nil
		case err != nil && !r.t.accepted(acceptSchema):
			return err
		}
		if in.reader.Rows() > 0 {
			columns = in.reader.Columns()
		}
	}
	return nil
}

// strictLoad refuses a full load whose files have other columns than the inputs before, or than one another. Who asks for a reload
// asks for its columns, too.
func (r *run) strictLoad(ctx context.Context, o *outlook, loads []opened) error {
	if r.t.accepted(acceptSchema) || r.t.accepted(acceptReload) {
		return nil
	}
	columns, err := r.brought(ctx, o)
	if err != nil {
		return err
	}
	for _, in := range loads {
		if err := r.t.keeps(columns, in); err != nil {
			return err
		}
		if columns == nil && in.reader.Rows() > 0 {
			columns = in.reader.Columns()
		}
	}
	return nil
}

// strictLate refuses late files with other columns than the table's inputs have now.
func (r *run) strictLate(ctx context.Context, o *outlook, b *batch) error {
	if r.t.accepted(acceptSchema) {
		return nil
	}
	columns, err := r.brought(ctx, o)
	for i := 0; i < len(b.apply) && err == nil; i++ {
		err = r.t.keeps(columns, b.apply[i])
	}
	return err
}

// schemaPolicy reads the attribute SchemaPolicy.
func (t *table) schemaPolicy(policy string) error {
	switch policy {
	case "", "evolve":
	case "strict":
		t.strict = true
	default:
		return haltf("settings", "attribute SchemaPolicy %q is neither strict nor evolve; set it with sluice activate --schema-policy", strings.ToValidUTF8(policy, "?"))
	}
	return nil
}
