// The schemas of the OpenAPI document, compiled once at the start: the subset of openapi/schema.h. What is
// not part of it is an error at the start, never read over.
package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

type rule struct {
	kind       kind
	any        bool // Every kind.
	nullable   bool
	closed     bool
	enum       []value
	properties map[string]*rule
	required   []string
	items      *rule
	minimum    *int64
	maximum    *int64
	minLength  int
	maxLength  int // -1: no bound; as of items.
	minItems   int
	maxItems   int
	unique     bool
	pattern    *regexp.Regexp
	format     func(string) bool
	oneOf      []*rule
	anyOf      []*rule
	allOf      []*rule
}

var kinds = map[string]kind{"null": kindNull, "boolean": kindBoolean, "integer": kindInteger,
	"string": kindString, "array": kindArray, "object": kindObject}

var formats = map[string]func(string) bool{"date": isDate, "date-time": isDateTime, "uuid": isUUID,
	"int32": nil, "int64": nil}

var annotations = map[string]bool{"title": true, "description": true, "example": true, "examples": true,
	"default": true, "deprecated": true, "readOnly": true, "writeOnly": true}

// compiler compiles what stands below root; a reference is compiled once.
type compiler struct {
	root map[string]any
	done map[string]*rule
}

func (c *compiler) at(pointer string) (*rule, error) {
	if found, ok := c.done[pointer]; ok {
		if found == nil {
			return nil, fmt.Errorf("%s leads in a circle", pointer)
		}
		return found, nil
	}
	path, ok := strings.CutPrefix(pointer, "#/")
	if !ok {
		return nil, fmt.Errorf("%s leads out of the document", pointer)
	}
	var node any = c.root
	for _, name := range strings.Split(path, "/") {
		members, ok := node.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s leads to nothing", pointer)
		}
		node = members[name]
	}
	c.done[pointer] = nil
	made, err := c.rule(node)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pointer, err)
	}
	c.done[pointer] = made
	return made, nil
}

func (c *compiler) rule(node any) (*rule, error) {
	schema, ok := node.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a schema must be a mapping")
	}
	if reference, ok := schema["$ref"].(string); ok {
		return c.at(reference)
	}
	made := &rule{any: true, maxLength: -1, maxItems: -1}
	for keyword, content := range schema {
		if annotations[keyword] || strings.HasPrefix(keyword, "x-") {
			continue
		}
		if err := c.keyword(made, keyword, content); err != nil {
			return nil, fmt.Errorf("%s: %w", keyword, err)
		}
	}
	return made, nil
}

func (c *compiler) keyword(made *rule, keyword string, content any) (err error) {
	switch keyword {
	case "type":
		return readType(made, content)
	case "properties":
		return c.properties(made, content)
	case "required":
		made.required, err = texts(content)
	case "additionalProperties":
		made.closed = content == false
	case "items":
		made.items, err = c.rule(content)
	case "uniqueItems":
		made.unique = content == true
	case "oneOf":
		made.oneOf, err = c.branches(content)
	case "anyOf":
		made.anyOf, err = c.branches(content)
	case "allOf":
		made.allOf, err = c.branches(content)
	case "enum":
		made.enum, err = scalars(content)
	case "const":
		made.enum, err = scalars([]any{content})
	case "pattern":
		text, _ := content.(string)
		made.pattern, err = regexp.Compile(text)
	case "format":
		text, _ := content.(string)
		format, known := formats[text]
		if !known {
			return fmt.Errorf("not part of the subset")
		}
		made.format = format
	default:
		return readBound(made, keyword, content)
	}
	return err
}

func readType(made *rule, content any) error {
	name := content
	if pair, ok := content.([]any); ok {
		if len(pair) != 2 || pair[1] != "null" {
			return fmt.Errorf("must be one name, or a name and null")
		}
		name, made.nullable = pair[0], true
	}
	text, _ := name.(string)
	known, ok := kinds[text]
	if !ok {
		return fmt.Errorf("not part of the subset")
	}
	made.kind, made.any = known, false
	return nil
}

func readBound(made *rule, keyword string, content any) error {
	number, ok := content.(int)
	if !ok {
		return fmt.Errorf("not part of the subset")
	}
	wide := int64(number)
	switch keyword {
	case "minimum":
		made.minimum = &wide
	case "maximum":
		made.maximum = &wide
	case "minLength":
		made.minLength = number
	case "maxLength":
		made.maxLength = number
	case "minItems":
		made.minItems = number
	case "maxItems":
		made.maxItems = number
	default:
		return fmt.Errorf("not part of the subset")
	}
	return nil
}

func (c *compiler) properties(made *rule, content any) error {
	members, ok := content.(map[string]any)
	if !ok {
		return fmt.Errorf("must be a mapping")
	}
	made.properties = map[string]*rule{}
	for name, node := range members {
		property, err := c.rule(node)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		made.properties[name] = property
	}
	return nil
}

func (c *compiler) branches(content any) ([]*rule, error) {
	nodes, _ := content.([]any)
	if len(nodes) == 0 {
		return nil, fmt.Errorf("must be a list of schemas")
	}
	var made []*rule
	for _, node := range nodes {
		branch, err := c.rule(node)
		if err != nil {
			return nil, err
		}
		made = append(made, branch)
	}
	return made, nil
}

func texts(content any) ([]string, error) {
	nodes, _ := content.([]any)
	var out []string
	for _, node := range nodes {
		text, ok := node.(string)
		if !ok {
			return nil, fmt.Errorf("must be a list of texts")
		}
		out = append(out, text)
	}
	return out, nil
}

func scalars(content any) ([]value, error) {
	nodes, _ := content.([]any)
	var out []value
	for _, node := range nodes {
		switch scalar := node.(type) {
		case string:
			out = append(out, value{kind: kindString, text: scalar})
		case int:
			out = append(out, value{kind: kindInteger, integer: int64(scalar)})
		case bool:
			out = append(out, value{kind: kindBoolean, boolean: scalar})
		default:
			return nil, fmt.Errorf("must be a list of texts, integers and booleans")
		}
	}
	return out, nil
}

// accepts says whether a value keeps every rule.
func (r *rule) accepts(v *value) bool {
	null := r.nullable && v.kind == kindNull
	if !r.any && !null && v.kind != r.kind {
		return false
	}
	return r.inEnum(v) && r.acceptsKind(v) && r.acceptsBranches(v)
}

func (r *rule) inEnum(v *value) bool {
	for _, one := range r.enum {
		if same(&one, v) {
			return true
		}
	}
	return r.enum == nil
}

func (r *rule) acceptsKind(v *value) bool {
	switch v.kind {
	case kindString:
		return r.acceptsText(v.text)
	case kindInteger:
		return (r.minimum == nil || v.integer >= *r.minimum) && (r.maximum == nil || v.integer <= *r.maximum)
	case kindArray:
		return r.acceptsArray(v)
	case kindObject:
		return r.acceptsObject(v)
	}
	return true
}

func (r *rule) acceptsText(text string) bool {
	length := utf8.RuneCountInString(text)
	if length < r.minLength || (r.maxLength >= 0 && length > r.maxLength) {
		return false
	}
	return (r.format == nil || r.format(text)) && (r.pattern == nil || r.pattern.MatchString(text))
}

func (r *rule) acceptsArray(v *value) bool {
	if len(v.items) < r.minItems || (r.maxItems >= 0 && len(v.items) > r.maxItems) {
		return false
	}
	for i := range v.items {
		if r.items != nil && !r.items.accepts(&v.items[i]) {
			return false
		}
		for j := 0; r.unique && j < i; j++ {
			if same(&v.items[i], &v.items[j]) {
				return false
			}
		}
	}
	return true
}

func (r *rule) acceptsObject(v *value) bool {
	for i := range v.members {
		property, known := r.properties[v.members[i].name]
		if known && !property.accepts(&v.members[i].value) {
			return false
		}
		if !known && r.closed {
			return false
		}
	}
	for _, name := range r.required {
		if v.find(name) == nil {
			return false
		}
	}
	return true
}

func (r *rule) acceptsBranches(v *value) bool {
	for _, branch := range r.allOf {
		if !branch.accepts(v) {
			return false
		}
	}
	if r.anyOf != nil && matches(r.anyOf, v) == 0 {
		return false
	}
	return r.oneOf == nil || matches(r.oneOf, v) == 1
}

func matches(branches []*rule, v *value) int {
	count := 0
	for _, branch := range branches {
		if branch.accepts(v) {
			count++
		}
	}
	return count
}

// same compares canonical values; their members are in order.
func same(a, b *value) bool {
	equal := a.kind == b.kind && a.boolean == b.boolean && a.integer == b.integer && a.text == b.text &&
		len(a.items) == len(b.items) && len(a.members) == len(b.members)
	for i := 0; equal && i < len(a.items); i++ {
		equal = same(&a.items[i], &b.items[i])
	}
	for i := 0; equal && i < len(a.members); i++ {
		equal = a.members[i].name == b.members[i].name && same(&a.members[i].value, &b.members[i].value)
	}
	return equal
}
