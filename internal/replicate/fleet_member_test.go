package replicate_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"

	"sluice/internal/object"
	"sluice/scripts/dmsgen"
)

// member is one table of a fleet: a source that lives on within a bounded set of keys, as DMS writes it, and its oracle.
type member struct {
	fleet     *fleet
	rng       *rand.Rand
	table     dmsgen.Table
	partition string
	busy      float64 // probability that an hour brings changes
	out       *dmsgen.Writer
	oracle    *dmsgen.Oracle
	rows      map[int][]any // of the source, by key
	loads     []string
	held      []heldFile // written by DMS, arrive later
	holding   bool
	asleep    bool // the operator switched it off
}

// universe is how many keys a source has at most.
const universe = 120

func newMember(f *fleet, n int) *member {
	m := &member{fleet: f, rng: rand.New(rand.NewPCG(f.seed, uint64(n))), rows: map[int][]any{}}
	m.table = dmsgen.Table{
		Schema: "shop", Name: fmt.Sprintf("t%02d", n), Key: []string{"id"},
		Columns: []dmsgen.Column{{Name: "id", Type: "int"}, {Name: "value", Type: "text"}, {Name: "part", Type: "int"}, {Name: "at", Type: "timestamp"}},
	}
	m.partition = []string{"part", "part", ""}[n%3]
	m.busy = []float64{0.5, 0.1, 0.02, 0.2}[n%4]
	if n%10 == 9 {
		m.table.Key = nil
	}
	layout := [][2]string{{"", ""}, {"", ""}, {"YYYYMMDD", "SLASH"}, {"DDMMYYYY", "NONE"}}[m.rng.IntN(4)]
	var err error
	m.out, err = dmsgen.NewWriter(dmsgen.SinkFunc(m.put), dmsgen.Settings{
		RowsPerRowGroup: 1 + m.rng.IntN(40), Compression: "none", BeforeImages: dmsgen.KeyImages, BeforePrefix: "BI_",
		KeyOnlyDeletes: m.rng.IntN(2) == 0 && len(m.table.Key) > 0, OpInLoad: m.rng.IntN(2) == 0, RowsPerFile: []int{0, 40}[m.rng.IntN(2)],
		DateFolders: layout[0], DateDelimiter: layout[1],
	})
	if err != nil {
		f.t.Fatal(err)
	}
	m.oracle = dmsgen.NewOracle(m.table)
	return m
}

// put stores what the writer makes, or holds a CDC file back.
func (m *member) put(ctx context.Context, key string, body []byte, modified time.Time) error {
	if m.holding {
		m.held = append(m.held, heldFile{key, body})
		return nil
	}
	if strings.HasPrefix(path.Base(key), "LOAD") {
		m.loads = append(m.loads, key)
	}
	if _, err := m.fleet.raw.Put(ctx, key, body, object.PutInput{}); err != nil {
		return err
	}
	return m.fleet.raw.SetLastModified(key, modified)
}

func (m *member) row(id int) []any {
	row := []any{id, fmt.Sprintf("value %d", m.rng.IntN(1000)), m.rng.IntN(5), m.fleet.now().Format("2006-01-02 15:04:05.000000")}
	if m.rng.IntN(15) == 0 {
		row[1+m.rng.IntN(2)] = nil
	}
	return row
}

// reload writes a full load in the place of the one before.
func (m *member) reload() {
	for _, key := range m.loads {
		if err := m.fleet.raw.Delete(m.fleet.t.Context(), key, ""); err != nil {
			m.fleet.t.Fatal(err)
		}
	}
	m.loads = nil
	if len(m.rows) == 0 || len(m.table.Key) == 0 {
		clear(m.rows)
		for id := range 1 + m.rng.IntN(60) {
			m.rows[id] = m.row(id)
		}
	}
	var rows [][]any
	for id := range universe {
		if row, ok := m.rows[id]; ok {
			rows = append(rows, row)
		}
	}
	m.oracle.Load(rows...)
	m.fleet.note("%s: full load of %d rows", m.table.Name, len(rows))
	if _, err := m.out.WriteLoad(m.fleet.t.Context(), m.table, m.fleet.now(), rows...); err != nil {
		m.fleet.t.Fatal(err)
	}
}

// change writes a file of changes; held back it arrives hours later.
func (m *member) change(hold bool) {
	var changes []dmsgen.Change
	for range 1 + m.rng.IntN(8) {
		changes = append(changes, m.one())
	}
	m.oracle.Apply(changes...)
	m.holding = hold
	defer func() { m.holding = false }()
	m.fleet.note("%s: %d changes, held back: %v", m.table.Name, len(changes), hold)
	if _, err := m.out.WriteChanges(m.fleet.t.Context(), m.table, m.fleet.now(), changes...); err != nil {
		m.fleet.t.Fatal(err)
	}
}

// one is a change that the source can make.
func (m *member) one() dmsgen.Change {
	id := m.rng.IntN(universe)
	before, known := m.rows[id]
	switch n := m.rng.IntN(10); {
	case len(m.table.Key) == 0:
		return dmsgen.Change{Op: dmsgen.Insert, Row: m.row(id)}
	case !known:
		m.rows[id] = m.row(id)
		return dmsgen.Change{Op: dmsgen.Insert, Row: m.rows[id]}
	case n < 3:
		delete(m.rows, id)
		return dmsgen.Change{Op: dmsgen.Delete, Row: before}
	case n == 3:
		to := m.rng.IntN(universe)
		if _, taken := m.rows[to]; !taken {
			delete(m.rows, id)
			id = to
		}
	}
	m.rows[id] = m.row(id)
	return dmsgen.Change{Op: dmsgen.Update, Before: before, Row: m.rows[id]}
}

// arrive lets the files that were held back arrive.
func (m *member) arrive() {
	for _, f := range m.held {
		if err := m.put(m.fleet.t.Context(), f.key, f.body, m.fleet.now()); err != nil {
			m.fleet.t.Fatal(err)
		}
	}
	m.held = nil
}

// live lets an hour of the source pass.
func (m *member) live() {
	switch {
	case m.rng.IntN(24*60) == 0 && len(m.held) == 0:
		m.reload()
		return
	case len(m.held) > 0 && m.rng.IntN(4) == 0:
		m.arrive()
	}
	if m.rng.Float64() < m.busy {
		m.change(m.rng.IntN(25) == 0)
	}
}

// operate is what an operator does now and then.
func (m *member) operate() {
	switch name := "shop." + m.table.Name; {
	case m.asleep && m.rng.IntN(5) == 0:
		m.asleep = false
		m.fleet.activate(name, strings.Join(m.table.Key, ","), m.partition)
	case !m.asleep && m.rng.IntN(24*30) == 0:
		m.asleep = true
		if _, err := m.fleet.engine().Deactivate(m.fleet.t.Context(), name); err != nil {
			m.fleet.t.Fatal(err)
		}
	}
}

// expire deletes the change files that a lifecycle rule would: older than the horizon and merged long ago.
func (m *member) expire() {
	var old []string
	for entry, err := range m.fleet.raw.List(m.fleet.t.Context(), object.ListInput{Prefix: m.table.Folder()}) {
		if err != nil {
			m.fleet.t.Fatal(err)
		}
		if m.fleet.now().Sub(entry.LastModified) > 10*day && !slices.Contains(m.loads, entry.Key) {
			old = append(old, entry.Key)
		}
	}
	for _, key := range old {
		if err := m.fleet.raw.Delete(m.fleet.t.Context(), key, ""); err != nil {
			m.fleet.t.Fatal(err)
		}
	}
}
