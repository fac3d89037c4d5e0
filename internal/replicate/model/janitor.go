package model

// janitorAt is where the janitor stands.
type janitorAt uint8

const (
	janitorIdle   janitorAt = iota
	janitorReady            // has read the item
	janitorFile             // has listed: deletes a file next
	janitorBook             // has listed: deletes a commit's bookkeeping next
	janitorListed           // in a mutant: has listed, reads the item next
)

// janitor emits what the janitor may do: read the item, skip the table when a
// commit is pending, LIST, delete with If-Match. A run deletes one thing here; one that
// deletes several is several that listed at the same instant.
func (m *machine) janitor(s *State) {
	switch s.Janitor.At {
	case janitorIdle:
		m.janitorReads(s)
	case janitorReady:
		m.janitorLists(s)
	case janitorListed:
		n := *s
		n.Janitor.At = janitorFile
		if s.Item.Commit != 0 {
			n.Janitor = Janitor{}
		}
		m.emit(&n, Step{Does: "reads the item"})
	case janitorFile:
		m.janitorDeletes(s)
	case janitorBook:
		n := *s
		n.Commits[s.Janitor.Book-1].Gone = n.Commits[s.Janitor.Book-1] != Commit{}
		n.Janitor = Janitor{}
		m.emit(&n, Step{Does: "deletes the bookkeeping of", On: made(s.Janitor.Book, 0)})
	}
}

func (m *machine) janitorReads(s *State) {
	if !s.Item.Exists || s.Item.Commit != 0 && m.mutant != JanitorIgnoresPending {
		return
	}
	n := *s
	n.Janitor = Janitor{At: janitorReady, Ledger: s.Item.Ledger, Index: s.Item.Index, Pending: s.Item.Commit, Seq: s.Item.Seq}
	m.emit(&n, Step{Does: "reads the item"})
}

// janitorLists chooses from a LIST: zero-row files of ours that are 15 days old,
// not the folder's last; bookkeeping 30 days old, of a number below the item's, that it does not name.
func (m *machine) janitorLists(s *State) {
	files := 0
	for i := range s.Files {
		if s.Files[i].Name != 0 {
			files++
		}
	}
	j := s.Janitor
	for i := range s.Files {
		f := &s.Files[i]
		old := f.Old || m.mutant == JanitorTooEarly
		if f.Name == 0 || f.live() || !old || f.Content.commit() == 0 || files < 2 {
			continue
		}
		n := *s
		n.Janitor = Janitor{At: janitorFile, Name: f.Name, Content: f.Content}
		m.emit(&n, Step{Does: "lists, and chooses", On: f.Name})
	}
	for i := range s.Commits {
		id := uint8(i + 1)
		if !s.Commits[i].Old || s.Commits[i].Gone || id == j.Ledger || id == j.Index || id == j.Pending {
			continue
		}
		if s.Commits[i].Seq >= j.Seq && m.mutant != JanitorTakesDrafts {
			continue // it may still become binding
		}
		n := *s
		n.Janitor = Janitor{At: janitorBook, Book: id}
		m.emit(&n, Step{Does: "lists, and chooses the bookkeeping of", On: made(id, 0)})
	}
	n := *s
	n.Janitor = Janitor{}
	m.emit(&n, Step{Does: "finds nothing more"})
}

func (m *machine) janitorDeletes(s *State) {
	r := Request{Kind: sendDelete, File: File{Name: s.Janitor.Name, Content: s.Janitor.Content}}
	n := *s
	n.Janitor = Janitor{}
	deleted := m.deliver(&n, &r)
	step := Step{Does: r.verb(), On: r.File.Name, Outcome: "refused"}
	if deleted {
		step.Outcome = "done"
	}
	m.emit(&n, step)
	n = *s
	n.Janitor = Janitor{}
	if m.mayFly(&n, r) {
		step.Outcome = "times out, still on its way"
		m.emit(&n, step)
	}
}
