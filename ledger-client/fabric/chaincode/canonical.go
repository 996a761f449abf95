// Reading JSON in the form of RFC 8785 (JCS), and nothing else: of each value there is exactly one text
// that is read. Numbers that are no integers are refused: nothing on the ledger has one.
package main

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

type kind int

const (
	kindNull kind = iota
	kindBoolean
	kindInteger
	kindString
	kindArray
	kindObject
)

// A value; which fields count follows from its kind. Members stand in canonical order.
type value struct {
	kind    kind
	boolean bool
	integer int64
	text    string
	items   []value
	members []member
}

type member struct {
	name  string
	value value
}

func (v *value) find(name string) *value {
	for i := range v.members {
		if v.members[i].name == name {
			return &v.members[i].value
		}
	}
	return nil
}

// textOf is the text of a member that is a string, or empty.
func (v *value) textOf(name string) string {
	if found := v.find(name); found != nil && found.kind == kindString {
		return found.text
	}
	return ""
}

// As gateway/base/json.h.
const maxDepth = 32

type reader struct {
	text string
	at   int
}

// parseCanonical reads a text; false if it is not the canonical form of a value.
func parseCanonical(text string) (value, bool) {
	if !utf8.ValidString(text) {
		return value{}, false
	}
	r := reader{text: text}
	v, ok := r.value(1)
	return v, ok && r.at == len(text)
}

func (r *reader) take(word string) bool {
	if !strings.HasPrefix(r.text[r.at:], word) {
		return false
	}
	r.at += len(word)
	return true
}

func (r *reader) value(depth int) (value, bool) {
	if depth > maxDepth || r.at == len(r.text) {
		return value{}, false
	}
	switch r.text[r.at] {
	case '{':
		return r.object(depth)
	case '[':
		return r.array(depth)
	case '"':
		text, ok := r.string()
		return value{kind: kindString, text: text}, ok
	case 'n':
		return value{kind: kindNull}, r.take("null")
	case 't':
		return value{kind: kindBoolean, boolean: true}, r.take("true")
	case 'f':
		return value{kind: kindBoolean}, r.take("false")
	}
	return r.integer()
}

func (r *reader) integer() (value, bool) {
	end := r.at
	for end < len(r.text) && strings.IndexByte("+-.0123456789Ee", r.text[end]) >= 0 {
		end++
	}
	word := r.text[r.at:end]
	number, err := strconv.ParseInt(word, 10, 64)
	if err != nil || strconv.FormatInt(number, 10) != word {
		return value{}, false
	}
	r.at = end
	return value{kind: kindInteger, integer: number}, true
}

func (r *reader) array(depth int) (value, bool) {
	v := value{kind: kindArray}
	r.at++
	if r.take("]") {
		return v, true
	}
	for {
		item, ok := r.value(depth + 1)
		if !ok {
			return v, false
		}
		v.items = append(v.items, item)
		if r.take("]") {
			return v, true
		}
		if !r.take(",") {
			return v, false
		}
	}
}

func (r *reader) object(depth int) (value, bool) {
	v := value{kind: kindObject}
	r.at++
	if r.take("}") {
		return v, true
	}
	for {
		name, ok := r.string()
		if !ok || !r.take(":") {
			return v, false
		}
		if n := len(v.members); n > 0 && !before(v.members[n-1].name, name) {
			return v, false
		}
		item, ok := r.value(depth + 1)
		if !ok {
			return v, false
		}
		v.members = append(v.members, member{name, item})
		if r.take("}") {
			return v, true
		}
		if !r.take(",") {
			return v, false
		}
	}
}

// before is the order of RFC 8785 §3.2.3: by UTF-16 code units.
func before(a, b string) bool {
	left, right := utf16.Encode([]rune(a)), utf16.Encode([]rune(b))
	for i := 0; i < len(left) && i < len(right); i++ {
		if left[i] != right[i] {
			return left[i] < right[i]
		}
	}
	return len(left) < len(right)
}

// The escapes of RFC 8785 §3.2.2.2; every other character stands as it is.
var escapes = map[byte]byte{'"': '"', '\\': '\\', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (r *reader) string() (string, bool) {
	if !r.take(`"`) {
		return "", false
	}
	var out strings.Builder
	for r.at < len(r.text) {
		c := r.text[r.at]
		r.at++
		switch {
		case c == '"':
			return out.String(), true
		case c < 0x20:
			return "", false
		case c != '\\':
			out.WriteByte(c)
		default:
			escaped, ok := r.escape()
			if !ok {
				return "", false
			}
			out.WriteByte(escaped)
		}
	}
	return "", false
}

func (r *reader) escape() (byte, bool) {
	if r.at == len(r.text) {
		return 0, false
	}
	c := r.text[r.at]
	r.at++
	if short, ok := escapes[c]; ok {
		return short, true
	}
	if c != 'u' || !r.take("00") || r.at+2 > len(r.text) {
		return 0, false
	}
	digits := r.text[r.at : r.at+2]
	code, err := strconv.ParseUint(digits, 16, 8)
	if err != nil || code >= 0x20 || digits != strings.ToLower(digits) {
		return 0, false
	}
	for _, short := range escapes {
		if byte(code) == short {
			return 0, false
		}
	}
	r.at += 2
	return byte(code), true
}
