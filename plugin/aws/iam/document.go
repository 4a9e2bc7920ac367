package iam

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	strictjson "sigs.k8s.io/json"
)

// policyVersion is the policy language's current version. A document without
// one has the older 2008-10-17.
const policyVersion = "2012-10-17"

// Document is an IAM policy document: a trust policy or a permissions policy.
type Document struct {
	Version   string     `json:"Version"`
	ID        string     `json:"Id,omitempty"`
	Statement statements `json:"Statement"`
}

type statements []Statement

// Statement is one statement of a Document. It has the elements this package
// writes; a document with any other (NotAction, NotPrincipal, ...) does not
// parse, and so differs from every document this package wants.
type Statement struct {
	Sid       string    `json:"Sid,omitempty"`
	Effect    string    `json:"Effect"`
	Principal principal `json:"Principal,omitempty"`
	Action    Strings   `json:"Action,omitempty"`
	Resource  Strings   `json:"Resource,omitempty"`
	Condition Condition `json:"Condition,omitempty"`
}

// principal is the kind of principal, and who.
type principal map[string]Strings

// allow is a statement that allows actions under all of the conditions.
func allow(sid string, actions, resources Strings, all ...Condition) Statement {
	return Statement{Sid: sid, Effect: "Allow", Action: actions, Resource: resources, Condition: merged(all...)}
}

// deny is its opposite.
func deny(sid string, actions, resources Strings, all ...Condition) Statement {
	return Statement{Sid: sid, Effect: "Deny", Action: actions, Resource: resources, Condition: merged(all...)}
}

// merged is all conditions in one.
func merged(all ...Condition) Condition {
	one := Condition{}
	for _, c := range all {
		for operator, keys := range c {
			if one[operator] == nil {
				one[operator] = map[string]Strings{}
			}
			maps.Copy(one[operator], keys)
		}
	}
	return one
}

// Condition is operator, condition key, values.
type Condition map[string]map[string]Strings

// Strings is a value that IAM takes as one string or as a list of them.
type Strings []string

// MarshalJSON writes a single string plainly, as IAM's own examples do.
func (s Strings) MarshalJSON() ([]byte, error) {
	if len(s) == 1 {
		return encode(s[0])
	}
	return encode(append([]string{}, s...))
}

// JSON is the document in one line, without blanks: they would count against
// IAM's size limits.
func (d Document) JSON() string {
	if d.Statement == nil {
		d.Statement = []Statement{}
	}
	b, err := encode(d)
	if err != nil { // strings, slices and maps of strings always encode
		return ""
	}
	return string(b)
}

// Pretty is the document for people, indented by two blanks.
func (d Document) Pretty() string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(d.JSON()), "", "  "); err != nil {
		return d.JSON()
	}
	return b.String()
}

// Equal reports whether two documents mean the same to IAM: the order of
// statements and of values, single value or list, repetition, statement ids,
// and the case of actions, condition operators and condition keys do not count.
// Source: "IAM JSON policy elements reference" of the IAM User Guide.
func (d Document) Equal(other Document) bool { return d.canonical() == other.canonical() }

// canonical is the same text for all documents that mean the same.
func (d Document) canonical() string {
	lines := make([]string, 0, len(d.Statement))
	for _, s := range d.Statement {
		lines = append(lines, s.canonical())
	}
	return cmp.Or(d.Version, "2008-10-17") + "\n" + strings.Join(sorted(lines), "\n")
}

func (s Statement) canonical() string {
	s.Sid = ""
	b, err := encode(s.ordered(strings.ToLower))
	if err != nil { // as in JSON
		return ""
	}
	return string(b)
}

// sorted is a sorted copy without repetitions.
func sorted(in []string) []string { return slices.Compact(slices.Sorted(slices.Values(in))) }

// encode is json.Marshal without the escapes that make sense in HTML only.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// keysOf are the keys of a map, sorted.
func keysOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// maxDocument is how long a document may be. IAM's own limits are lower by far
// (10,240 characters of inline policy a role); this one only bounds the work.
const maxDocument = 128 << 10

// ParseDocument reads a policy document as IAM gives it back: JSON, usually
// percent-encoded (RFC 3986), with single values or lists wherever IAM takes
// either. It fails on everything it does not know (other elements, repeated
// keys, other types), because a document it half understood could be taken for
// equal to one it is not.
func ParseDocument(text string) (Document, error) {
	raw, err := decodeText(text)
	if err != nil {
		return Document{}, err
	}
	var d Document
	if err := strictly([]byte(raw), &d); err != nil {
		return Document{}, fmt.Errorf("not a policy document: %w", err)
	}
	return d, nil
}

// decodeText undoes the percent-encoding. A text that begins like JSON has none,
// and a per cent sign in it is its own.
func decodeText(text string) (string, error) {
	if len(text) > maxDocument {
		return "", fmt.Errorf("not a policy document: longer than %d bytes", maxDocument)
	}
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return text, nil
	}
	raw, err := url.PathUnescape(text)
	if err != nil {
		return "", fmt.Errorf("not a policy document: %w", err)
	}
	return raw, nil
}

// strictly decodes one value. encoding/json would keep the last of repeated keys,
// ignore those that it does not know and the case of the others, and accept null.
func strictly(data []byte, into any) error {
	strict, err := strictjson.UnmarshalStrict(data, into)
	if len(strict) > 0 {
		err = strict[0]
	}
	if err != nil {
		return err
	}
	fields := map[string]json.RawMessage{}
	isObject := json.Unmarshal(data, &fields) == nil // null leaves none
	for name, value := range fields {
		if string(value) == "null" {
			return fmt.Errorf("%q is null", name)
		}
	}
	if isObject && fields == nil {
		return errors.New("null is not a value")
	}
	return nil
}

// asList is a JSON value as a list of one, a list as it is.
func asList(value []byte) []byte {
	if bytes.HasPrefix(value, []byte("[")) {
		return value
	}
	return slices.Concat([]byte("["), value, []byte("]"))
}

// UnmarshalJSON reads a list of statements or a single one.
func (s *statements) UnmarshalJSON(data []byte) error {
	return strictly(asList(data), (*[]Statement)(s))
}

// UnmarshalJSON is strict.
func (s *Statement) UnmarshalJSON(data []byte) error {
	type plain Statement
	return strictly(data, (*plain)(s))
}

// UnmarshalJSON reads the object form, and the bare "*" that means everybody.
func (p *principal) UnmarshalJSON(data []byte) error {
	if string(data) == `"*"` {
		*p = principal{"*": {"*"}}
		return nil
	}
	return strictly(data, (*map[string]Strings)(p))
}

// UnmarshalJSON also refuses operators and keys that differ in case only: IAM
// takes them for the same one.
func (c *Condition) UnmarshalJSON(data []byte) error {
	if err := strictly(data, (*map[string]map[string]Strings)(c)); err != nil {
		return err
	}
	for _, keys := range *c {
		if err := noneTwice(keys); err != nil {
			return err
		}
	}
	return noneTwice(*c)
}

func noneTwice[V any](object map[string]V) error {
	seen := map[string]bool{}
	for _, key := range keysOf(object) {
		lower := strings.ToLower(key)
		if seen[lower] {
			return fmt.Errorf("%q appears twice", key)
		}
		seen[lower] = true
	}
	return nil
}

// UnmarshalJSON reads one value or a list of them. Booleans and numbers, which
// condition values may be written as, are compared by their text, as in IAM.
func (s *Strings) UnmarshalJSON(data []byte) error {
	var all []json.RawMessage
	if err := json.Unmarshal(asList(data), &all); err != nil {
		return err
	}
	*s = make(Strings, len(all))
	for i, one := range all {
		switch one[0] {
		case '"':
			if err := json.Unmarshal(one, &(*s)[i]); err != nil {
				return err
			}
		case '{', '[', 'n':
			return errors.New("not a string")
		default:
			(*s)[i] = string(one)
		}
	}
	return nil
}
