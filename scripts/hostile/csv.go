package hostile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// GoodCSV is the good file's rows as CSV with a header.
func GoodCSV() []byte {
	text := "Op,id,v\n"
	for id := range Rows {
		text += fmt.Sprintf("I,%d,name\n", id+1)
	}
	return []byte(text)
}

// CSVs are hostile files that are named as CSV.
func CSVs() []File {
	const mib = 1 << 20
	header := "Op,id,v\n"
	good := GoodCSV()
	row := []byte("I,1,name\n")
	text := func(name, body string) File { return File{Name: name, Body: []byte(body)} }
	files := []File{
		text("one byte", "O"),
		text("half a header", "Op,id"),
		text("no delimiter at the end", strings.TrimSuffix(string(good), "\n")),
		text("a quote that is not closed", header+"I,1,\"name\nI,2,name\n"),
		text("text behind a quote", header+"I,1,\"na\"me\n"),
		text("a field too few", header+"I,1\n"),
		text("a field too many", header+"I,1,name,more\n"),
		text("an op that is none", header+"X,1,name\n"),
		text("a key that is no number", header+"I,one,name\n"),
		text("a key that is too large", header+"I,99999999999,name\n"),
		text("no key", header+"I,,name\n"),
		text("two columns of one name", "Op,id,id\nI,1,2\n"),
		text("names that differ by case", "Op,id,ID\nI,1,2\n"),
		text("a column without a name", "Op,id,\nI,1,name\n"),
		text("a name that is no UTF-8", "Op,id,\xff\xfe\nI,1,name\n"),
		text("UTF-16", "\xff\xfeO\x00p\x00,\x00i\x00d\x00\n\x00I\x00,\x001\x00\n\x00"),
		text("100,000 columns", "Op,id"+strings.Repeat(",v", 100_000)+"\n"),
		text("100,000 empty columns", strings.Repeat(",", 100_000)+"\n"),
		text("a row of 100 MiB", header+"I,1,"+strings.Repeat("x", 100*mib)+"\n"),
		text("a quoted field of 100 MiB", header+"I,1,\""+strings.Repeat("x\n", 50*mib)),
		text("100 MiB of quotes", header+"I,1,\""+strings.Repeat(`""`, 50*mib)),
		text("20 million rows of nothing", header+strings.Repeat("\n", 20*mib)),
		text("zeros", strings.Repeat("\x00", mib)),
		{Name: "a good Parquet file", Body: Good()},
		{Name: "compressed twice", Body: gzipped(gzipped(good))},
		{Name: "a compressed file that is cut off", Body: gzipped(good)[:60]},
		{Name: "a compressed file and more", Body: append(gzipped(good), "more"...)},
		{Name: "a compressed file whose checksum differs", Body: flipAt(gzipped(good), -5)},
		{Name: "300 MiB of one row, compressed", Body: append(gzipped([]byte(header)), gzipped(bytes.Repeat(row, 300*mib/len(row)))...)},
		{Name: "300 MiB in one field, compressed", Body: append(gzipped([]byte(header+"I,1,")), gzipped(make([]byte, 300*mib))...)},
		{Name: "300 MiB of line breaks, compressed", Body: gzipped(bytes.Repeat([]byte("\n"), 300*mib))},
	}
	for _, f := range strangers() {
		if f.Name == "a JPEG" {
			files = append(files, f)
		}
	}
	return slices.Concat(files, truncatedCSV(gzipped(longCSV())))
}

// longCSV is text that compresses to some KB.
func longCSV() []byte {
	b := []byte("Op,id,v\n")
	for i := range 5000 {
		b = fmt.Appendf(b, "I,%d,name %x\n", i+1, i*7919)
	}
	return b
}

// truncatedCSV are a compressed file's first 1/64 … 63/64. Of one that is not compressed nobody can tell that whole rows are missing.
func truncatedCSV(whole []byte) []File { return Truncated(whole)[1:] }

func flipAt(b []byte, at int) []byte {
	b[len(b)+at] ^= 1
	return b
}
