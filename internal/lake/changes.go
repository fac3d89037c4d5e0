package lake

import (
	"slices"
	"strings"

	"sluice/internal/dms"
)

// Changes are the net changes of a fold, sorted by key: one upsert or delete
// for each key; for a key-less table the inserts in their order.
type Changes struct {
	Schema    *Schema
	Read      int64 // change rows read
	Anomalies int64 // updates and deletes of a key-less table
	key       []int
	order     int
	entries   []entry
	rows      []cells
	ops       []dms.Op
	dirs      []string  // partition directory by slot; nil when the table has no partitions
	first     *keyIndex // by the first key column
	index     *keyIndex // by the whole key, where it has several columns
	orders    cells     // value of the order column, by slot
	partial   *partial  // nil where no update leaves columns as they are
}

// Net ends the fold. Keys whose last change is in the lake already are left
// out. A partition value that no directory name can stand for is an error.
func (f *Fold) Net() (*Changes, error) {
	entries := slices.DeleteFunc(f.entries, func(e entry) bool { return e.context })
	if len(f.key) > 0 {
		slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	}
	c := &Changes{
		Schema: f.schema, Read: f.read, Anomalies: f.odd,
		key: f.key, order: f.order, entries: entries, rows: f.rows, ops: f.ops, orders: f.orders,
	}
	if f.partial != nil && len(f.partial.from)+len(f.partial.stands) > 0 {
		c.partial = f.partial
	}
	f.known = keyIndex{}
	return c, c.prepare()
}

// prepare indexes the keys and names the partitions.
func (c *Changes) prepare() error {
	if len(c.key) > 0 {
		c.first = c.firstIndex()
	}
	if len(c.key) > 1 {
		c.index = newKeyIndex(c.entries)
	}
	return c.nameDirs()
}

// nameDirs names the partition directory of every upsert.
func (c *Changes) nameDirs() error {
	if len(c.Schema.Partition) == 0 {
		return nil
	}
	c.dirs = make([]string, len(c.ops))
	namer, err := newDirNamer(c.Schema)
	if err != nil {
		return err
	}
	values := make([]value, len(c.Schema.Partition))
	for _, e := range c.entries {
		if e.gone {
			continue
		}
		for i, column := range namer.columns {
			values[i] = c.cell(column, e.slot)
		}
		if c.dirs[e.slot], err = namer.name(values); err != nil {
			return err
		}
	}
	return nil
}

// Len returns how many keys (or, without a key, rows) change.
func (c *Changes) Len() int { return len(c.entries) }

// any returns whether a changed key may lie between the bounds of a first key column.
func (c *Changes) any(low, high []byte) bool {
	from := 0
	if low != nil {
		from, _ = slices.BinarySearchFunc(c.entries, string(low), func(e entry, key string) int { return strings.Compare(e.key, key) })
	}
	return from < len(c.entries) && within(c.entries[from].key, low, high)
}

// row returns a cell of a change's row.
func (c *Changes) cell(column int, slot int32) value { return c.rows[column].at(slot) }
