package iam

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// policyVersion is the policy language's current version. A document without
// one has the older 2008-10-17.
const policyVersion = "2012-10-17"

// Document is an IAM policy document: a trust policy or a permissions policy.
type Document struct {
	Version   string      `json:"Version"`
	ID        string      `json:"Id,omitempty"`
	Statement []Statement `json:"Statement"`
}

// Statement is one statement of a Document. It has the elements this package
// writes; a document with any other (NotAction, NotPrincipal, ...) does not
// parse, and so differs from every document this package wants.
type Statement struct {
	Sid       string             `json:"Sid,omitempty"`
	Effect    string             `json:"Effect"`
	Principal map[string]Strings `json:"Principal,omitempty"`
	Action    Strings            `json:"Action,omitempty"`
	Resource  Strings            `json:"Resource,omitempty"`
	Condition Condition          `json:"Condition,omitempty"`
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
func (d Document) Equal(other Document) bool {
	return d.canonical() == other.canonical()
}

// canonical is the same text for all documents that mean the same.
func (d Document) canonical() string {
	lines := make([]string, 0, len(d.Statement))
	for _, s := range d.Statement {
		lines = append(lines, s.canonical())
	}
	version := d.Version
	if version == "" {
		version = "2008-10-17"
	}
	return version + "\n" + strings.Join(sorted(lines), "\n")
}

func (s Statement) canonical() string {
	c := Statement{Effect: s.Effect, Resource: sorted(s.Resource)}
	for _, a := range s.Action {
		c.Action = append(c.Action, strings.ToLower(a))
	}
	c.Action = sorted(c.Action)
	if len(s.Principal) > 0 {
		c.Principal = map[string]Strings{}
		for kind, who := range s.Principal {
			c.Principal[kind] = sorted(who)
		}
	}
	if len(s.Condition) > 0 {
		c.Condition = Condition{}
	}
	for op, keys := range s.Condition {
		lower := map[string]Strings{}
		for key, values := range keys {
			lower[strings.ToLower(key)] = sorted(values)
		}
		c.Condition[strings.ToLower(op)] = lower
	}
	b, err := encode(c)
	if err != nil { // as in JSON
		return ""
	}
	return string(b)
}

// sorted is a sorted copy without repetitions.
func sorted(in []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(in)))
}

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
