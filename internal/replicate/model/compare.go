package model

import "cmp"

// The orders of canonical: any total order does.

func compareFiles(a, b File) int { return cmp.Compare(a.Name, b.Name) }

func compareRequests(a, b Request) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Commit, b.Commit), cmp.Compare(a.File.Name, b.File.Name),
		cmp.Compare(a.File.Content, b.File.Content), cmp.Compare(a.Pre, b.Pre), cmp.Compare(a.Seq, b.Seq),
		cmp.Compare(a.Halt, b.Halt), cmp.Compare(a.Accept, b.Accept), compareRows(&a.File.Rows, &b.File.Rows))
}

func compareWorkers(a, b *Worker) int {
	if a.At != b.At {
		return cmp.Compare(a.At, b.At)
	}
	if *a == *b {
		return 0
	}
	return cmp.Or(cmp.Compare(a.Commit, b.Commit), cmp.Compare(a.Op, b.Op), cmp.Compare(a.Done, b.Done),
		cmp.Compare(a.Seen, b.Seen), cmp.Compare(a.Need, b.Need), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Halt, b.Halt),
		compareBools(a.Again, b.Again), compareBools(a.Slept, b.Slept), compareBools(a.Known, b.Known), compareBools(a.Looked, b.Looked),
		cmp.Compare(a.Listed.Arrived, b.Listed.Arrived), compareItems(&a.Item, &b.Item))
}

func compareItems(a, b *Item) int {
	return cmp.Or(compareBools(a.Exists, b.Exists), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Commit, b.Commit),
		cmp.Compare(a.Accept, b.Accept), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Consumed, b.Consumed),
		cmp.Compare(a.Gen, b.Gen), cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.Ledger, b.Ledger), cmp.Compare(a.Index, b.Index))
}

func compareRows(a, b *Rows) int {
	for k := range a {
		if a[k] != b[k] {
			return cmp.Compare(a[k], b[k])
		}
	}
	return 0
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
