package contract

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Parse reads a contract. Its errors are [*Error]: YAML that is none, a field or a type that there is not, a field twice, a bound that
// its type cannot have, aliases, which a contract has no use for.
func Parse(text string) (*Contract, error) {
	if len(text) > MaxBytes {
		return nil, errorf(0, "it has %d bytes; at most %d KiB are taken", len(text), MaxBytes>>10)
	}
	var doc, more yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errorf(0, "it is empty")
		}
		return nil, errorf(0, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errorf(0, "it has more than one document")
	}
	c := &Contract{keys: uniqueKeys}
	quarantine := false
	fields, err := fieldsOf(doc.Content[0])
	if err != nil {
		return nil, err
	}
	var rules *yaml.Node
	for _, f := range fields {
		switch f.name {
		case "on_violation":
			quarantine, err = f.onViolation()
		case "rules":
			rules = f.value
		default:
			err = f.unknown("on_violation, rules")
		}
		if err != nil {
			return nil, err
		}
	}
	if rules == nil || rules.Kind != yaml.SequenceNode || len(rules.Content) == 0 {
		return nil, errorf(doc.Content[0].Line, "it has no list of rules")
	}
	for _, node := range rules.Content {
		r, err := parseRule(node, quarantine)
		if err != nil {
			return nil, err
		}
		c.rules = append(c.rules, *r)
	}
	return c, nil
}

// field is a key of a mapping and its value.
type field struct {
	name  string
	line  int
	value *yaml.Node
}

// fieldsOf returns the fields of a mapping, of which each comes once.
func fieldsOf(node *yaml.Node) ([]field, error) {
	if node.Kind != yaml.MappingNode {
		return nil, errorf(node.Line, "fields are wanted here, such as column: id")
	}
	var fields []field
	seen := map[string]bool{}
	for i := 0; i < len(node.Content); i += 2 {
		key := node.Content[i]
		if err := plain(key); err != nil {
			return nil, err
		}
		if key.Kind != yaml.ScalarNode {
			return nil, errorf(key.Line, "the name of a field is wanted here")
		}
		if seen[key.Value] {
			return nil, errorf(key.Line, "field %q comes twice", key.Value)
		}
		seen[key.Value] = true
		if err := plain(node.Content[i+1]); err != nil {
			return nil, err
		}
		fields = append(fields, field{key.Value, key.Line, node.Content[i+1]})
	}
	return fields, nil
}

// plain refuses anchors and aliases.
func plain(node *yaml.Node) error {
	if node.Kind == yaml.AliasNode || node.Anchor != "" {
		return errorf(node.Line, "a contract has no anchors and aliases")
	}
	return nil
}

func (f field) unknown(known string) error {
	return errorf(f.line, "there is no field %q; there are %s", f.name, known)
}

// scalar returns the text of a single value.
func (f field) scalar() (literal, error) { return scalar(f.name, f.value) }

func scalar(name string, node *yaml.Node) (literal, error) {
	if err := plain(node); err != nil {
		return literal{}, err
	}
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" || node.Tag == "!!binary" {
		return literal{}, errorf(node.Line, "%s wants a value here", name)
	}
	return literal{node.Value, node.Line}, nil
}

func (f field) onViolation() (quarantine bool, err error) {
	v, err := f.scalar()
	if err == nil && v.text != "halt" && v.text != "quarantine" {
		err = errorf(v.line, "on_violation is halt or quarantine")
	}
	return v.text == "quarantine", err
}

func (f field) flag() (bool, error) {
	v, err := f.scalar()
	if err == nil && v.text != "true" && v.text != "false" {
		err = errorf(v.line, "%s is true or false", f.name)
	}
	return v.text == "true", err
}

func (f field) count() (*int, error) {
	v, err := f.scalar()
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(v.text)
	if err != nil || n < 0 {
		return nil, errorf(v.line, "%s is a number of characters", f.name)
	}
	return &n, nil
}

func (f field) list() ([]literal, error) {
	if f.value.Kind != yaml.SequenceNode || len(f.value.Content) == 0 {
		return nil, errorf(f.line, "%s wants a list of values", f.name)
	}
	var list []literal
	for _, node := range f.value.Content {
		v, err := scalar(f.name, node)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

const ruleFields = "column, required, type, not_null, min, max, in, pattern, min_length, max_length, unique_key, on_violation"

func parseRule(node *yaml.Node, quarantine bool) (*rule, error) {
	if err := plain(node); err != nil {
		return nil, err
	}
	fields, err := fieldsOf(node)
	if err != nil {
		return nil, err
	}
	r := &rule{line: node.Line, quarantine: quarantine}
	for _, f := range fields {
		if err := r.take(f); err != nil {
			return nil, err
		}
	}
	return r, r.check()
}

// take sets what a field says.
func (r *rule) take(f field) (err error) {
	var v literal
	switch f.name {
	case "column":
		v, err = f.scalar()
		r.column = v.text
	case "required":
		r.required, err = f.flag()
	case "type":
		if v, err = f.scalar(); err == nil {
			r.typeName = v.text
			r.want, err = parseType(v)
		}
	case "not_null":
		r.notNull, err = f.flag()
	case "min":
		v, err = f.scalar()
		r.min = &v
	case "max":
		v, err = f.scalar()
		r.max = &v
	case "in":
		r.in, err = f.list()
	case "pattern":
		if v, err = f.scalar(); err == nil {
			r.pattern, err = parsePattern(v)
		}
	case "min_length":
		r.minLength, err = f.count()
	case "max_length":
		r.maxLength, err = f.count()
	case "unique_key":
		r.uniqueKey, err = f.flag()
	case "on_violation":
		r.quarantine, err = f.onViolation()
	default:
		err = f.unknown(ruleFields)
	}
	return err
}

func parsePattern(v literal) (*regexp.Regexp, error) {
	_, err := regexp.Compile(v.text) // by itself: "a)|(b" is none
	if err == nil {
		var whole *regexp.Regexp
		if whole, err = regexp.Compile(`^(?:` + v.text + `)$`); err == nil {
			return whole, nil
		}
	}
	return nil, errorf(v.line, "pattern: %v", err)
}

// check makes sure that the rule says something, and nothing that contradicts itself.
func (r *rule) check() error {
	conditions := r.required || r.typeName != "" || r.notNull || r.min != nil || r.max != nil || r.in != nil ||
		r.pattern != nil || r.minLength != nil || r.maxLength != nil
	switch {
	case r.uniqueKey && (conditions || r.column != ""):
		return errorf(r.line, "unique_key is a rule by itself: it is about the table's primary key")
	case r.uniqueKey:
		return nil
	case r.column == "":
		return errorf(r.line, "the rule names no column")
	case !conditions:
		return errorf(r.line, "the rule says nothing of column %q", r.column)
	case r.typeName != "":
		_, err := r.checks(r.want)
		return err
	}
	return nil
}
