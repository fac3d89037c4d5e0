package lake

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// dirNamer names partition directories. Tables have far fewer partitions than
// rows, so each name is made once.
type dirNamer struct {
	schema  *Schema
	columns []int // places of the partition columns
	names   map[string]string
	scratch []byte
}

func newDirNamer(s *Schema) (*dirNamer, error) {
	columns, err := s.places(s.Partition)
	if err != nil {
		return nil, err
	}
	return &dirNamer{schema: s, columns: columns, names: map[string]string{}}, nil
}

// name returns the directory of the given partition values, in the order of the partition key.
func (n *dirNamer) name(values []value) (string, error) {
	n.scratch = n.scratch[:0]
	for i, v := range values {
		n.scratch = AppendKey(n.scratch, n.schema.Columns[n.columns[i]].Type, v)
	}
	if dir, ok := n.names[string(n.scratch)]; ok {
		return dir, nil
	}
	texts := make([]string, len(values))
	for i, v := range values {
		var err error
		if texts[i], err = FormatPartition(n.schema.Columns[n.columns[i]].Type, v); err != nil {
			return "", err
		}
		if err = checkDirName(texts[i]); err != nil {
			return "", fmt.Errorf("column %q: %w", n.schema.Partition[i], err)
		}
	}
	dir := PartitionDir(n.schema.Partition, texts)
	if len(dir) > maxDirBytes {
		return "", fmt.Errorf("%w: the directory of (%s) would have a name of %d bytes, where object keys end at 1024; choose another PartitionKey", ErrPartitionValue, strings.Join(n.schema.Partition, ","), len(dir))
	}
	n.names[string(n.scratch)] = dir
	return dir, nil
}

// maxDirBytes leaves room for the rest of an object's key, which has 1024 bytes at most.
const maxDirBytes = 800

// checkDirName refuses texts that no object of every store can be named by.
func checkDirName(text string) error {
	switch {
	case !utf8.ValidString(text):
		return fmt.Errorf("%w: a text of %d bytes is no UTF-8, which a directory's name has to be; correct it at the source, or choose another PartitionKey", ErrPartitionValue, len(text))
	case strings.ContainsRune(text, 0):
		return fmt.Errorf("%w: a text of %d bytes holds the character 0, which no directory's name may; correct it at the source, or choose another PartitionKey", ErrPartitionValue, len(text))
	}
	return nil
}

// each hands the partition directory of every row to use.
func (n *dirNamer) each(rows loadRows, use func(dir string)) error {
	values := make([]value, len(n.columns))
	for i := range rows.ops {
		for p, c := range n.columns {
			values[p] = value{}
			if rows.columns[c] != nil {
				values[p] = rows.columns[c][i]
			}
		}
		dir, err := n.name(values)
		if err != nil {
			return err
		}
		use(dir)
	}
	return nil
}
