package dms

import (
	"errors"
	"fmt"
	"strings"
)

// ErrWatermark is returned when a watermark names no CDC file of its table.
var ErrWatermark = errors.New("the watermark names no CDC file of the table")

// lowestName is the file that stands for "nothing yet" in the control table.
const lowestName = "0.parquet"

// LowestWatermark returns the watermark of a table of which nothing has been
// consumed. path is the table's "bucket/prefix/schema/table/".
func LowestWatermark(path string) string { return path + lowestName }

// ParseWatermark reads a LastIncrementalFile, "bucket/key", of the table with the given path,
// "bucket/prefix/schema/table/". The lowest watermark, and an empty one, give a key of
// kind [Other] that is lower than every CDC file. It returns [ErrWatermark] for anything else
// that is no CDC file in the table's folder.
func ParseWatermark(path, watermark string) (Key, error) {
	_, folder, ok := strings.Cut(path, "/")
	if !ok {
		return Key{}, fmt.Errorf("%w: path %q", ErrWatermark, path)
	}
	if watermark == "" || watermark == LowestWatermark(path) {
		return Key{Name: folder + lowestName}, nil
	}
	if strings.HasPrefix(watermark, path) {
		bucket := len(path) - len(folder)
		if k := ParseKey(folder, watermark[bucket:]); k.Kind == Change {
			return k, nil
		}
	}
	return Key{}, fmt.Errorf("%w: %q", ErrWatermark, watermark)
}
