package parquetedit

import (
	"context"
	"fmt"
	"io"
	"slices"
)

// repeatsSchema says of a key/value pair that it repeats the schema in a language of its own. A reader that prefers it
// to the schema would miss a column that was added.
func repeatsSchema(key string) bool {
	switch key {
	case "ARROW:schema", "org.apache.spark.sql.parquet.row.metadata", "parquet.avro.schema", "avro.schema":
		return true
	}
	return false
}

// footer is the old footer with the schema and the metadata that the script asks for.
func (r *rewriter) footer() tree {
	t := r.f.footer
	if len(r.s.Add) > 0 {
		t = r.withColumns(t)
	}
	return r.withMetadata(t, len(r.s.Add) > 0)
}

// withColumns appends the added columns to the schema. The elements already there stay as they are.
func (r *rewriter) withColumns(t tree) tree {
	// Open has read both lists; they parse.
	elems, _ := t.list(metaSchema, tStruct)
	root, _, _ := readTree(elems[0])
	elems = slices.Clone(elems)
	elems[0] = root.with(i32Field(elemChildren, int64(len(r.columns)))).encode(nil)
	for _, c := range r.s.Add {
		elems = append(elems, c.element().encode(nil))
	}
	t = t.with(listField(metaSchema, tStruct, elems))
	if orders, err := t.list(metaColumnOrders, tStruct); err == nil && len(orders) > 0 {
		for range r.s.Add {
			orders = append(orders, tree{structField(1, nil)}.encode(nil))
		}
		t = t.with(listField(metaColumnOrders, tStruct, orders))
	}
	return t
}

func (r *rewriter) withMetadata(t tree, schemaChanged bool) tree {
	pairs, err := t.list(metaKeyValue, tStruct)
	if err != nil || len(pairs) == 0 && len(r.s.Metadata) == 0 {
		return t
	}
	if schemaChanged {
		pairs = slices.DeleteFunc(slices.Clone(pairs), func(p []byte) bool { return repeatsSchema(pairKey(p)) })
	}
	if !schemaChanged && len(r.s.Metadata) == 0 {
		return t
	}
	return t.with(withMetadata(pairs, r.s.Metadata))
}

// finish writes what follows the row groups.
func (r *rewriter) finish(ctx context.Context, footer tree) error {
	if err := r.copyBlooms(ctx); err != nil {
		return err
	}
	if err := r.addNulls(ctx); err != nil {
		return err
	}
	if err := r.copyIndexes(ctx); err != nil {
		return err
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	at := r.w.n
	groups, err := placeIndexes(&r.w, r.groups)
	if err != nil {
		return fmt.Errorf("page index: %w", err)
	}
	if err := placeFooter(&r.w, footer.with(i64Field(metaRows, r.stats.Rows), groups)); err != nil {
		return err
	}
	r.stats.BytesWritten += r.w.n - at
	return nil
}

// empty writes the file without rows.
func (r *rewriter) empty(ctx context.Context) (Stats, error) {
	t := r.f.footer
	if r.s.Columns != nil {
		for _, c := range r.s.Columns {
			if err := c.validate(); err != nil {
				return Stats{}, err
			}
		}
		t = t.with(listField(metaSchema, tStruct, schemaElements(r.s.Columns)), columnOrders(len(r.s.Columns)))
	}
	t = r.withMetadata(t, r.s.Columns != nil)
	if _, err := io.WriteString(&r.w, magic); err != nil {
		return Stats{}, err
	}
	r.stats.BytesWritten = r.w.n
	r.s.Add = nil
	if err := r.finish(ctx, t); err != nil {
		return Stats{}, err
	}
	return r.stats, nil
}
