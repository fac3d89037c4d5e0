package lake

import (
	"bytes"
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
// by partition, to the file among whose keys it belongs, where the files of the partition divide the keys among them; else to a file that is
// rewritten anyway, else to the smallest file under the target size, else to a new one.
func (d *decision) place() {
	moved, fresh := d.byDir(d.moved), d.byDir(d.fresh)
	files := map[string][]int{}
	for i, f := range d.files {
		if _, wanted := fresh[f.Dir]; wanted && f.Live() {
			files[f.Dir] = append(files[f.Dir], i)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(fresh)) {
		slots := fresh[dir]
		if ordered := d.dividing(files[dir]); ordered != nil {
			slots = d.placeSorted(ordered, slots, moved)
		}
		if len(slots) == 0 {
			continue
		}
		if file := d.roomIn(files[dir]); file >= 0 {
			r := d.rewrite(file)
			r.appends = append(r.appends, slots...)
		} else {
			moved[dir] = append(moved[dir], slots...)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(moved)) {
		for part := range slices.Chunk(moved[dir], d.rowsPerFile()) {
			d.Creates = append(d.Creates, Create{Dir: dir, slots: part})
		}
	}
}

// placeSorted keeps the files of a partition dividing its keys among them, if they do, so that bounds go on sparing
// the reading of most of them. It gives rows with new keys to the files that are rewritten anyway, to one more at most,
// and to new files those behind a last file that is full. It returns the rows that are left.
func (d *decision) placeSorted(files []int, slots []int32, created map[string][]int32) (left []int32) {
	homes := map[int][]int32{}
	for _, slot := range slots {
		key := []byte(d.keyOf(slot))
		n, _ := slices.BinarySearchFunc(files, key, func(file int, key []byte) int {
			if bytes.Compare(d.files[file].Min, key) <= 0 {
				return -1
			}
			return 1
		})
		home := files[max(n-1, 0)]
		homes[home] = append(homes[home], slot)
	}
	more := 0
	for home := range homes {
		if d.rewrites[home] == nil {
			more++
		}
	}
	last := files[len(files)-1]
	dir := d.files[last].Dir
	for _, home := range files {
		rows := homes[home]
		size, target := d.files[home].Size, d.limits.TargetFileBytes
		switch {
		case len(rows) == 0:
		case home == last && size >= target && d.beyond(home, rows):
			created[dir] = append(created[dir], rows...)
		case (d.rewrites[home] != nil || more == 1) && size < 2*target && d.takes(d.files[home]):
			r := d.rewrite(home)
			r.appends = append(r.appends, rows...)
		default:
			left = append(left, rows...)
		}
	}
	return left
}

// dividing returns the live files of a partition by their keys; nil unless there are several, whose bounds are
// known and do not overlap.
func (d *decision) dividing(files []int) []int {
	unknown := func(i int) bool { return d.files[i].Min == nil || d.files[i].Max == nil }
	if len(files) < 2 || len(d.key) == 0 || slices.ContainsFunc(files, unknown) {
		return nil
	}
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b int) int { return bytes.Compare(d.files[a].Min, d.files[b].Min) })
	for i := 1; i < len(files); i++ {
		if !above(d.files[files[i]].Min, d.files[files[i-1]].Max) {
			return nil
		}
	}
	return files
}

// above says whether a key is higher than an upper bound, which bounds the keys that begin with it, too.
func above(key, bound []byte) bool {
	return bytes.Compare(key, bound) > 0 && !bytes.HasPrefix(key, bound)
}

// beyond says whether all rows have keys above the file's.
func (d *decision) beyond(file int, rows []int32) bool {
	return !slices.ContainsFunc(rows, func(slot int32) bool { return !above([]byte(d.keyOf(slot)), d.files[file].Max) })
}

func (d *decision) byDir(slots []int32) map[string][]int32 {
	dirs := map[string][]int32{}
	for _, slot := range slots {
		dir := d.dirOf(slot)
		dirs[dir] = append(dirs[dir], slot)
	}
	return dirs
}

// roomIn returns the one of the live files of a partition that takes new rows, or -1.
func (d *decision) roomIn(files []int) int {
	best := -1
	for _, i := range files {
		if f := d.files[i]; f.Size >= d.limits.TargetFileBytes || !d.takes(f) {
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
