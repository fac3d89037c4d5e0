package lake

import (
	"maps"
	"slices"
)

// dirOf returns the partition directory of a change's row.
func (c *Changes) dirOf(slot int32) string {
	if c.dirs == nil {
		return ""
	}
	return c.dirs[slot]
}

// place gives the rows that are new to a file their files. A moved row goes to
// a created file, so that phase 1 adds it before phase 2 removes it. A row with a new key goes, partition
// by partition, to a file that is rewritten anyway, else to the smallest file under the target size, else to a new one.
func (d *decision) place() {
	moved, fresh := d.byDir(d.moved), d.byDir(d.fresh)
	for _, dir := range slices.Sorted(maps.Keys(fresh)) {
		if file := d.roomIn(dir); file >= 0 {
			r := d.rewrite(file)
			r.appends = fresh[dir]
			delete(fresh, dir)
		}
	}
	for dir, slots := range fresh {
		moved[dir] = append(moved[dir], slots...)
	}
	for _, dir := range slices.Sorted(maps.Keys(moved)) {
		for part := range slices.Chunk(moved[dir], d.rowsPerFile()) {
			d.Creates = append(d.Creates, Create{Dir: dir, slots: part})
		}
	}
}

func (d *decision) byDir(slots []int32) map[string][]int32 {
	dirs := map[string][]int32{}
	for _, slot := range slots {
		dir := d.dirOf(slot)
		dirs[dir] = append(dirs[dir], slot)
	}
	return dirs
}

// roomIn returns the file of a partition that takes new rows, or -1.
func (d *decision) roomIn(dir string) int {
	best := -1
	for i, f := range d.files {
		if f.Dir != dir || !f.Live() || f.Size >= d.limits.TargetFileBytes || !d.takes(f) {
			continue
		}
		if best < 0 || d.better(i, best) {
			best = i
		}
	}
	return best
}

// better prefers a file that is rewritten anyway, then the smaller one.
func (d *decision) better(a, b int) bool {
	_, touched := d.rewrites[a]
	if _, other := d.rewrites[b]; touched != other {
		return touched
	}
	return d.files[a].Size < d.files[b].Size
}

// takes says whether any row of the table can be added to the file: it was
// looked into, and no column of it refuses NULL.
func (d *decision) takes(f *File) bool {
	for _, c := range f.Columns {
		if c.Required {
			return false
		}
	}
	return f.Columns != nil
}

// rowsPerFile is how many changed rows make a file of about the target size,
// judged by their decoded size; at least one.
func (d *decision) rowsPerFile() int {
	if len(d.ops) == 0 {
		return 1
	}
	bytes := 8 * int64(len(d.rows)) * int64(len(d.ops))
	for i := range d.rows {
		bytes += d.rows[i].text
	}
	const compression = 3 // decoded bytes that make one byte of a lake file, roughly
	each := max(bytes/int64(len(d.ops))/compression, 1)
	return int(max(d.limits.TargetFileBytes/each, 1))
}
