package statestore

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// expression writes update and condition expressions. Every name and value goes through a placeholder, because
// attribute names such as path and Status are reserved words:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html.
type expression struct {
	names  map[string]string // placeholder → attribute
	values map[string]types.AttributeValue
	byAttr map[string]string // attribute → placeholder
}

func newExpression() *expression {
	return &expression{names: map[string]string{}, values: map[string]types.AttributeValue{}, byAttr: map[string]string{}}
}

func (e *expression) name(attr string) string {
	if n, ok := e.byAttr[attr]; ok {
		return n
	}
	n := fmt.Sprintf("#n%d", len(e.byAttr))
	e.byAttr[attr], e.names[n] = n, attr
	return n
}

func (e *expression) value(s string) string {
	v := fmt.Sprintf(":v%d", len(e.values))
	e.values[v] = &types.AttributeValueMemberS{Value: s}
	return v
}

// update returns the SET and REMOVE clauses of u, in the order of the attributes' names.
func (e *expression) update(u Update) string {
	var clauses, sets, removes []string
	for _, attr := range slices.Sorted(maps.Keys(u.Set)) {
		sets = append(sets, e.name(attr)+" = "+e.value(u.Set[attr]))
	}
	for _, attr := range slices.Sorted(slices.Values(u.Remove)) {
		removes = append(removes, e.name(attr))
	}
	if len(sets) > 0 {
		clauses = append(clauses, "SET "+strings.Join(sets, ", "))
	}
	if len(removes) > 0 {
		clauses = append(clauses, "REMOVE "+strings.Join(removes, ", "))
	}
	return strings.Join(clauses, " ")
}

// condition returns that the item exists, all of u.If and, when there are some, one of u.IfAny.
func (e *expression) condition(u Update) string {
	all := []string{e.test(Condition{Attr: Path, Test: Exists})}
	for _, c := range u.If {
		all = append(all, e.test(c))
	}
	var some []string
	for _, c := range u.IfAny {
		some = append(some, e.test(c))
	}
	if len(some) > 0 {
		all = append(all, "("+strings.Join(some, " OR ")+")")
	}
	return strings.Join(all, " AND ")
}

func (e *expression) test(c Condition) string {
	n := e.name(c.Attr)
	switch c.Test {
	case Equal:
		return n + " = " + e.value(c.Value)
	case Absent:
		return "attribute_not_exists(" + n + ")"
	case Exists:
		return "attribute_exists(" + n + ")"
	case Less:
		return n + " < " + e.value(c.Value)
	case Differs:
		return "(attribute_not_exists(" + n + ") OR " + n + " <> " + e.value(c.Value) + ")"
	case Blank:
		return "(attribute_not_exists(" + n + ") OR " + n + " = " + e.value("") + ")"
	}
	return ""
}

// decode returns the string attributes of a DynamoDB item. Attributes of other types are left out; ErrType, beside an
// item of the path alone, when this package knows the attribute.
func decode(attrs map[string]types.AttributeValue) (Item, error) {
	item := make(Item, len(attrs))
	var wrong []string
	for attr, value := range attrs {
		s, ok := value.(*types.AttributeValueMemberS)
		switch {
		case ok:
			item[attr] = s.Value
		case known(attr):
			wrong = append(wrong, attr)
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return Item{Path: item[Path]}, fmt.Errorf("%w: %s of %s", ErrType, strings.Join(wrong, ", "), item[Path])
	}
	return item, nil
}

func encode(item Item) map[string]types.AttributeValue {
	attrs := make(map[string]types.AttributeValue, len(item))
	for attr, value := range item {
		attrs[attr] = &types.AttributeValueMemberS{Value: value}
	}
	return attrs
}
