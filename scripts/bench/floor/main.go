// Command floor does what no merge can do without: it reads, decompresses and compresses again every page that holds a
// changed value, and copies the rest. It is told the rows, looks up no key, decodes no value and edits nothing, so what
// it writes is no Parquet file. DMS gives whole rows, so nobody knows which columns changed before all of them have been
// looked at: pages of other columns that hold a changed row are read and decompressed, too, and then copied.
//
//	floor [--columns a,b] LAKE ROWS OUT
//
// ROWS holds for every file of LAKE a FILE.rows, the ordinals of its changed rows as 64-bit little-endian integers in
// ascending order. A file without changed rows is left out. --columns are those whose values change, else all.
// It understands what lake.py writes: snappy, V1 data pages, an offset index.
package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

func main() {
	columns := flag.String("columns", "", "columns that change, separated by commas; empty = all")
	flag.Parse()
	if flag.NArg() != 3 {
		fmt.Fprintln(os.Stderr, "usage: floor [--columns a,b] LAKE ROWS OUT")
		os.Exit(2)
	}
	var only []string
	if *columns != "" {
		only = strings.Split(*columns, ",")
	}
	got, err := lake(context.Background(), only, flag.Arg(0), flag.Arg(1), flag.Arg(2))
	if err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
	fmt.Printf("%d of %d pages hold a changed value\n", got.touched, got.pages)
}

// counted are the data pages of a lake, in all and those with a changed value.
type counted struct{ touched, pages int }

// lake goes through the files of a lake.
func lake(ctx context.Context, columns []string, from, rows, to string) (sum counted, err error) {
	names, err := filepath.Glob(rows + "/*.rows")
	if err != nil {
		return sum, err
	}
	if err := os.MkdirAll(to, 0o777); err != nil {
		return sum, err
	}
	for _, name := range names {
		file := strings.TrimSuffix(filepath.Base(name), ".rows")
		b, err := os.ReadFile(name)
		if err != nil {
			return sum, err
		}
		changed := make([]int64, len(b)/8)
		for i := range changed {
			changed[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
		}
		in, err := os.Open(filepath.Join(from, file))
		if err != nil {
			return sum, err
		}
		n, err := one(ctx, in, columns, changed, filepath.Join(to, file))
		_ = in.Close()
		if err != nil {
			return sum, fmt.Errorf("%s: %w", file, err)
		}
		sum.touched, sum.pages = sum.touched+n.touched, sum.pages+n.pages
	}
	return sum, nil
}

// one goes through a file.
func one(ctx context.Context, in *os.File, columns []string, changed []int64, to string) (counted, error) {
	pages, all, err := find(in, columns, changed)
	n := counted{pages: all}
	for _, p := range pages {
		if !p.keep {
			n.touched++
		}
	}
	if err != nil || len(changed) == 0 {
		return n, err
	}
	out, err := os.Create(to)
	if err != nil {
		return n, err
	}
	// As many pages at a time as keep every CPU busy, and no more memory than that.
	at := int64(0)
	var spare sync.Pool
	var done []page
	for batch := 32 * runtime.GOMAXPROCS(0); len(pages) > 0; pages = pages[min(batch, len(pages)):] {
		some := pages[:min(batch, len(pages))]
		for i := range min(len(done), len(some)) {
			some[i].room = done[i].room
		}
		done = some
		if err := again(ctx, in, some, &spare); err != nil {
			return n, err
		}
		for _, p := range some {
			if p.keep {
				continue
			}
			if err := copied(out, in, at, p.offset); err != nil {
				return n, err
			}
			if _, err := out.Write(p.body); err != nil {
				return n, err
			}
			at = p.offset + p.bytes
		}
	}
	end, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return n, err
	}
	if err := copied(out, in, at, end); err != nil {
		return n, err
	}
	return n, out.Close()
}

// copied copies a range, inside the kernel where the system can.
func copied(out, in *os.File, from, to int64) error {
	if from == to {
		return nil
	}
	if _, err := in.Seek(from, io.SeekStart); err != nil {
		return err
	}
	_, err := io.CopyN(out, in, to-from)
	return err
}
