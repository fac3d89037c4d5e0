package lake

import (
	"bytes"
	"context"
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
func (d *decision) place(ctx context.Context) error {
	files := map[string][]int{}
	for i, f := range d.files {
		if _, wanted := d.fresh[f.Dir]; wanted && f.Live() {
			files[f.Dir] = append(files[f.Dir], i)
		}
	}
	dirs := slices.Sorted(maps.Keys(d.fresh))
	homes, err := d.homes(ctx, dirs, files)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		rows := d.fresh[dir]
		if homes := homes[dir]; homes != nil {
			rows = d.placeSorted(dir, homes)
		}
		if len(rows) == 0 {
			continue
		}
		if file := d.roomIn(files[dir]); file >= 0 {
			r := d.rewrite(file)
			r.appends = append(r.appends, rows...)
		} else {
			d.moved[dir] = append(d.moved[dir], rows...)
		}
	}
	d.fresh = nil
	for _, dir := range slices.Sorted(maps.Keys(d.moved)) {
		for part := range slices.Chunk(d.moved[dir], d.rowsPerFile()) {
			d.Creates = append(d.Creates, Create{Dir: dir, adds: part})
		}
	}
	return nil
}

// home is one of the files that divide the keys of a partition among them.
type home struct {
	file   int
	from   int32 // the first change whose key is the file's lowest or above
	behind int32 // the first change whose key is above the file's
}

// homes returns the files of the partitions where they divide the keys among them, by their keys.
func (d *decision) homes(ctx context.Context, dirs []string, files map[string][]int) (map[string][]home, error) {
	homes := map[string][]home{}
	var bounds []string
	for _, dir := range dirs {
		for _, file := range d.dividing(files[dir]) {
			homes[dir] = append(homes[dir], home{file: file})
			bounds = append(bounds, string(d.files[file].Min), behind(d.files[file].Max))
		}
	}
	ranks, err := d.ranks(ctx, bounds)
	if err != nil {
		return nil, err
	}
	at := 0
	for _, dir := range dirs {
		for i := range homes[dir] {
			homes[dir][i].from, homes[dir][i].behind = ranks[at], ranks[at+1]
			at += 2
		}
	}
	return homes, nil
}

// placeSorted keeps the files of a partition dividing its keys among them, so that bounds go on sparing
// the reading of most of them. It gives rows with new keys to the files that are rewritten anyway, to one more at most,
// and to new files those behind a last file that is full. It returns the rows that are left.
func (d *decision) placeSorted(dir string, homes []home) (left []int32) {
	rows := make([][]int32, len(homes))
	for _, number := range d.fresh[dir] {
		n, _ := slices.BinarySearchFunc(homes, number, func(h home, number int32) int {
			if h.from <= number {
				return -1
			}
			return 1
		})
		at := max(n-1, 0)
		rows[at] = append(rows[at], number)
	}
	more := 0
	for i, h := range homes {
		if len(rows[i]) > 0 && d.rewrites[h.file] == nil {
			more++
		}
	}
	for i, h := range homes {
		size, target := d.files[h.file].Size, d.limits.TargetFileBytes
		switch {
		case len(rows[i]) == 0:
		case i == len(homes)-1 && size >= target && rows[i][0] >= h.behind:
			d.moved[dir] = append(d.moved[dir], rows[i]...)
		case (d.rewrites[h.file] != nil || more == 1) && size < 2*target && d.takes(d.files[h.file]):
			r := d.rewrite(h.file)
			r.appends = append(r.appends, rows[i]...)
		default:
			left = append(left, rows[i]...)
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

// behind is the lowest text above every key that is not [above] a bound.
func behind(bound []byte) string {
	b := slices.Clone(bound)
	for len(b) > 0 && b[len(b)-1] == 0xFF {
		b = b[:len(b)-1]
	}
	if len(b) > 0 {
		b[len(b)-1]++
	}
	return string(b)
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
	if d.slots == 0 {
		return 1
	}
	bytes := 8*int64(len(d.Schema.Columns))*d.slots + d.text
	const compression = 3 // decoded bytes that make one byte of a lake file, roughly
	each := max(bytes/d.slots/compression, 1)
	return int(max(d.limits.TargetFileBytes/each, 1))
}
