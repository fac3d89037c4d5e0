package replicate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/contract"
	"sluice/internal/dms"
	"sluice/statestore"
)

// table is a control item, read and understood.
type table struct {
	item        statestore.Item
	path        string
	bucket      string // raw bucket
	raw         string // key prefix of the table's inputs: prefix + folder
	outBucket   string
	lake        string // key prefix of the lake files
	books       string // key prefix of all bookkeeping below the out_path
	book        string // key prefix of the table's bookkeeping
	key         []string
	partition   []string
	order       string
	zone        *time.Location
	lead        time.Duration
	dialect     dms.Dialect // of the inputs; "" = not known yet
	before      string      // prefix of before-image columns; "" = the default
	fenced      bool        // ReloadPolicy is fence
	compact     bool        // runs compact it by themselves
	strict      bool        // SchemaPolicy is strict: a change of columns halts
	csv         dms.CSVSettings
	contract    *contract.Contract // nil = none
	quarantined int64              // rows that contracts kept out so far
	seq         uint64
}

// settings are the attributes that a plan is made with: a commit is conditional on their values.
func settings() []string {
	return []string{
		statestore.PrimaryKey, statestore.PartitionKey, statestore.OutPath, statestore.OrderColumn,
		statestore.InputTimezone, statestore.LoadLead, statestore.ReloadPolicy, statestore.BeforeImagePrefix,
		statestore.SchemaPolicy, statestore.Dialect, statestore.Contract, statestore.Accept,
		statestore.CSVHeader, statestore.CSVDelimiter, statestore.CSVRowDelimiter, statestore.CSVNull, statestore.CSVNoSup, statestore.CSVQuotes, statestore.CSVSchema,
	}
}

// newTable reads a control item. A setting that cannot be is a halt with reason "settings".
func (e *Engine) newTable(item statestore.Item) (*table, error) {
	t := &table{
		item: item, path: item[statestore.Path], bucket: item[statestore.Bucket],
		raw:   item[statestore.Prefix] + item[statestore.Folder],
		order: noneIsEmpty(item[statestore.OrderColumn]), zone: time.UTC,
		key: columnList(item[statestore.PrimaryKey]), partition: columnList(item[statestore.PartitionKey]),
		dialect: dms.Dialect(item[statestore.Dialect]), before: item[statestore.BeforeImagePrefix], compact: e.cfg.Compact,
	}
	if t.bucket == "" || t.raw == "" {
		t.bucket, t.raw, _ = strings.Cut(t.path, "/")
	}
	out := item[statestore.OutPath]
	if out == "" {
		out = e.cfg.LakeBucket + "/" + e.cfg.LakePrefix
	}
	var prefix string
	t.outBucket, prefix, _ = strings.Cut(strings.TrimPrefix(out, "s3://"), "/")
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	t.lake = prefix + item[statestore.Folder]
	t.books = prefix + "_sluice/"
	t.book = t.books + item[statestore.Folder]
	return t, t.parse()
}

func (t *table) parse() error {
	var err error
	if t.seq, err = statestore.ParseSeq(t.item[statestore.Seq]); err != nil {
		return haltf("settings", "attribute Seq %q: %v; restore the control item from an export", t.item[statestore.Seq], err)
	}
	if name := t.item[statestore.InputTimezone]; name != "" {
		if t.zone, err = time.LoadLocation(name); err != nil {
			return haltf("settings", "attribute InputTimezone %q is not a time zone; set a name such as Europe/Berlin", name)
		}
	}
	if lead := t.item[statestore.LoadLead]; lead != "" {
		if t.lead, err = parseDuration(lead); err != nil {
			return haltf("settings", "attribute LoadLead %q is not a duration; set seconds or a value such as 90s", lead)
		}
	}
	switch t.item[statestore.ReloadPolicy] {
	case "", "auto":
	case "fence":
		t.fenced = true
	default:
		return haltf("settings", "attribute ReloadPolicy %q is neither auto nor fence", t.item[statestore.ReloadPolicy])
	}
	if t.dialect != "" && !slices.Contains(dms.Dialects(), t.dialect) {
		return haltf("settings", "attribute Dialect %q is neither dms nor debezium; set it with sluice activate --dialect", t.dialect)
	}
	switch v := t.item[statestore.Compact]; v {
	case "":
	case statestore.True, statestore.False:
		t.compact = v == statestore.True
	default:
		return haltf("settings", "attribute Compact %q is neither true nor false", v)
	}
	if err := t.schemaPolicy(t.item[statestore.SchemaPolicy]); err != nil {
		return err
	}
	if err := t.parseContract(t.item[statestore.Contract]); err != nil {
		return err
	}
	t.quarantined, _ = strconv.ParseInt(t.item[statestore.Quarantined], 10, 64)
	if t.csv, err = csvSettings(t.item); err != nil {
		return err
	}
	if t.outBucket == "" {
		return haltf("location", "attribute out_path %q names no bucket; set it with sluice activate --out-path", t.item[statestore.OutPath])
	}
	return nil
}

func parseDuration(s string) (time.Duration, error) {
	if d, err := time.ParseDuration(s); err == nil {
		return d, nil
	}
	return time.ParseDuration(s + "s")
}

// name is schema.table.
func (t *table) name() string { return tableName(t.item) }

func tableName(item statestore.Item) string {
	schema := strings.TrimSuffix(item[statestore.Prefix], "/")
	return schema[strings.LastIndexByte(schema, '/')+1:] + "." + strings.TrimSuffix(item[statestore.Folder], "/")
}

// values are the settings as the plan saw them.
func (t *table) values() map[string]string {
	values := map[string]string{}
	for _, name := range settings() {
		values[name] = t.item[name]
	}
	return values
}

// columnList splits a comma list; "null" and "" are none.
func columnList(s string) []string {
	if noneIsEmpty(s) == "" {
		return nil
	}
	list := strings.Split(s, ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

func noneIsEmpty(s string) string {
	if s == statestore.NoColumns {
		return ""
	}
	return s
}

// accepted says whether the operator has accepted this when acknowledging a halt.
func (t *table) accepted(what string) bool { return t.item[statestore.Accept] == what }

func (t *table) pending() string { return t.item[statestore.CommitID] }

func (t *table) String() string { return fmt.Sprintf("%s (%s)", t.name(), t.path) }
