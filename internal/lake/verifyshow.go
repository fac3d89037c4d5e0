package lake

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"sluice/internal/parquetedit"
)

// Difference is a key of which fold and lake have other rows.
type Difference struct {
	Kind     string             `json:"kind"` // missing, surplus, duplicate, different: as the counts of Verdict
	Key      string             `json:"key"`  // "id=5, line=2"; "" in a key-less table
	RowsRaw  int                `json:"rows_raw"`
	RowsLake int                `json:"rows_lake"`
	Columns  []ColumnDifference `json:"columns"`             // that differ; of a row that is in one place only, all
	LakeFile string             `json:"lake_file,omitempty"` // that has the first of its rows
	Input    string             `json:"input,omitempty"`     // last one that says something of the key
}

// ColumnDifference is a value as the fold and as the lake have it, cut to 60 characters.
type ColumnDifference struct {
	Column string `json:"column"`
	Raw    string `json:"raw,omitempty"`
	Lake   string `json:"lake,omitempty"`
}

// rowAt is where a row is.
type rowAt struct {
	role  roleOf
	file  int
	group int
	row   int64 // in the row group
}

// maxWitnessRows bounds the rows of one key that are looked up on either side.
const maxWitnessRows = 4

// witness gathers where the rows of one key are.
type witness struct {
	raw, load, lake []rowAt
	mention         *rowAt // in the last input
	nRaw, nLoad     int
	nLake           int
}

func (w *witness) changed(at rowAt, remove bool) {
	w.mention, w.raw, w.nRaw = &at, nil, 0
	if !remove {
		w.raw, w.nRaw = []rowAt{at}, 1
	}
}

func (w *witness) loaded(at rowAt) {
	if w.nLoad++; len(w.load) < maxWitnessRows {
		w.load = append(w.load, at)
	}
}

// settle says whether the load's rows are the fold's.
func (w *witness) settle(byLoad bool) {
	if !byLoad {
		return
	}
	w.raw, w.nRaw = w.load, w.nLoad
	if len(w.load) > 0 {
		w.mention = &w.load[len(w.load)-1]
	}
}

func (w *witness) inLake(at rowAt) {
	if w.nLake++; len(w.lake) < maxWitnessRows {
		w.lake = append(w.lake, at)
	}
}

func (w *witness) kind() string {
	switch {
	case w.nRaw == 0:
		return "surplus"
	case w.nLake < w.nRaw:
		return "missing"
	case w.nLake > w.nRaw:
		return "duplicate"
	}
	return "different"
}

// show finds the rows of the targets and describes how they differ.
func (v *verifier) show(ctx context.Context, targets map[hash128]*witness) error {
	if len(targets) == 0 {
		return nil
	}
	k := newRoom(v.MemoryBytes, int64(len(targets)), v.order >= 0, 1).table(0)
	p := &pass{verifier: v, keys: k, witness: targets, only: func(h hash128) bool { return targets[h] != nil }}
	if err := p.run(ctx); err != nil {
		return err
	}
	for _, w := range targets {
		d, err := v.describe(ctx, w)
		if err != nil {
			return err
		}
		v.verdict.Differences = append(v.verdict.Differences, d)
	}
	slices.SortFunc(v.verdict.Differences, func(a, b Difference) int {
		return cmp.Or(len(a.Key)-len(b.Key), cmp.Compare(a.Key, b.Key), cmp.Compare(a.LakeFile, b.LakeFile))
	})
	return nil
}

func (v *verifier) describe(ctx context.Context, w *witness) (Difference, error) {
	d := Difference{Kind: w.kind(), RowsRaw: w.nRaw, RowsLake: w.nLake, Columns: []ColumnDifference{}}
	raw, err := v.texts(ctx, w.raw)
	if err != nil {
		return d, err
	}
	lake, err := v.texts(ctx, w.lake)
	if err != nil {
		return d, err
	}
	if w.mention != nil {
		d.Input = v.list(w.mention.role)[w.mention.file].Name
	}
	odd := slices.IndexFunc(lake, func(row []shown) bool {
		return !slices.ContainsFunc(raw, func(r []shown) bool { return slices.Equal(r, row) })
	})
	if len(w.lake) > 0 {
		d.LakeFile = v.Lake[w.lake[max(odd, 0)].file].Name
	}
	switch {
	case len(lake) == 0:
		d.Key, d.Columns = v.keyText(raw[0]), v.columnsOf(raw[0], nil)
	case len(raw) == 0:
		d.Key, d.Columns = v.keyText(lake[0]), v.columnsOf(nil, lake[0])
	default:
		d.Key = v.keyText(raw[0])
		if odd >= 0 {
			d.Columns = v.columnsOf(raw[0], lake[odd])
		}
	}
	return d, nil
}

func (v *verifier) keyText(row []shown) string {
	var parts []string
	for _, k := range v.key {
		parts = append(parts, v.Schema.Columns[k].Name+"="+clipText(row[k].text))
	}
	return strings.Join(parts, ", ")
}

// columnsOf says how two rows differ; one that is nil is not there.
func (v *verifier) columnsOf(raw, lake []shown) []ColumnDifference {
	columns := []ColumnDifference{}
	for c := range len(v.Schema.Columns) + 1 {
		d := ColumnDifference{Column: OpColumn}
		if c < len(v.Schema.Columns) {
			d.Column = v.Schema.Columns[c].Name
		} else if !v.comparesOp() {
			continue
		}
		switch {
		case raw == nil:
			d.Lake = clipText(lake[c].text)
		case lake == nil:
			d.Raw = clipText(raw[c].text)
		case raw[c] == lake[c]:
			continue
		default:
			d.Raw, d.Lake = clipBoth(raw[c].text, lake[c].text)
		}
		columns = append(columns, d)
	}
	return columns
}

func (v *verifier) list(role roleOf) []ClaimFile {
	switch role {
	case changeFile:
		return v.Changes
	case loadFile:
		return v.Load
	case lakeFile:
	}
	return v.Lake
}

// shown is a value for people, with the canonical form that says whether two are the same.
type shown struct{ text, form string }

// texts reads rows, by column of the table; the op is the last.
func (v *verifier) texts(ctx context.Context, rows []rowAt) ([][]shown, error) {
	var all [][]shown
	for _, at := range rows {
		f, err := v.checkFile(ctx, v.list(at.role)[at.file], at.role, at.file)
		if err != nil {
			return nil, err
		}
		text, err := v.textsOf(ctx, f, at)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f.Name, err)
		}
		all = append(all, text)
	}
	return all, nil
}

func (v *verifier) textsOf(ctx context.Context, f *checked, at rowAt) ([]shown, error) {
	text := slices.Repeat([]shown{{text: "NULL"}}, len(v.Schema.Columns)+1)
	text[len(v.Schema.Columns)] = shown{text: "I"} // as in files without the column
	cell := func(place int, use func(value)) error {
		return pick(ctx, chunk{f.open, at.group, place}, []int64{at.row}, func(_ int, x value) error { use(x); return nil })
	}
	for i := range f.cells {
		r := &f.cells[i]
		if err := cell(r.place, func(x value) { text[r.column] = r.show(x) }); err != nil {
			return nil, err
		}
	}
	for c, x := range f.dir {
		r := cellReader{to: v.Schema.Columns[c].Type}
		text[c] = r.show(x)
	}
	if f.op < 0 || !v.comparesOp() {
		return text, nil
	}
	err := cell(f.op, func(x value) {
		if !x.IsNull() && len(x.ByteArray()) > 0 {
			text[len(text)-1] = shown{text: string(x.ByteArray())}
		}
	})
	return text, err
}

func (r *cellReader) show(x value) shown {
	form := string(r.appendTo(nil, x))
	x, ok := r.canonical(x)
	if !ok {
		return shown{textOf(r.from, x), form}
	}
	return shown{textOf(r.to, x), form}
}

// textOf writes a value for people.
func textOf(t parquetedit.Type, x value) string {
	if x.IsNull() {
		return "NULL"
	}
	switch familyOf(t) {
	case famFloat:
		return strconv.FormatFloat(floatOf(x), 'g', -1, 64)
	case famBytes:
		if isText(t) {
			return strconv.Quote(string(x.ByteArray()))
		}
		return fmt.Sprintf("%x", x.ByteArray())
	case famBool, famNumber, famDate, famTime, famTimestamp, famUUID, famOther:
	}
	text, err := FormatPartition(t, x)
	if err != nil {
		return x.String()
	}
	return text
}

// maxText is how many characters of a value are shown.
const maxText = 60

// clipText shortens a text, which is made UTF-8.
func clipText(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if utf8.RuneCountInString(text) <= maxText {
		return text
	}
	return string([]rune(text)[:maxText-1]) + "…"
}

// clipBoth shortens two texts that differ so that what is left differs.
func clipBoth(a, b string) (string, string) {
	const lead = 10
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	if same > maxText-lead {
		a, b = "…"+a[same-lead:], "…"+b[same-lead:]
	}
	return clipText(a), clipText(b)
}
