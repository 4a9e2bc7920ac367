package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// toDocument turns a decoded JSON value into a Document.
func toDocument(tree any) (Document, error) {
	object, ok := tree.(map[string]any)
	if !ok {
		return Document{}, errors.New("not a policy document: not an object")
	}
	var doc Document
	for _, key := range keysOf(object) {
		var err error
		switch key {
		case "Version":
			doc.Version, err = toString(object[key])
		case "Id":
			doc.ID, err = toString(object[key])
		case "Statement":
			doc.Statement, err = toStatements(object[key])
		default:
			err = errors.New("element not known")
		}
		if err != nil {
			return Document{}, fmt.Errorf("policy document: %q: %w", key, err)
		}
	}
	return doc, nil
}

// toStatements takes a list of statements or a single one.
func toStatements(v any) ([]Statement, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := make([]Statement, 0, len(list))
	for _, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			return nil, errors.New("a statement is not an object")
		}
		s, err := toStatement(object)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func toStatement(object map[string]any) (Statement, error) {
	var s Statement
	for _, key := range keysOf(object) {
		var err error
		switch value := object[key]; key {
		case "Sid":
			s.Sid, err = toString(value)
		case "Effect":
			s.Effect, err = toString(value)
		case "Principal":
			s.Principal, err = toPrincipal(value)
		case "Action":
			s.Action, err = toStrings(value)
		case "Resource":
			s.Resource, err = toStrings(value)
		case "Condition":
			s.Condition, err = toCondition(value)
		default:
			err = errors.New("element not known")
		}
		if err != nil {
			return Statement{}, fmt.Errorf("%q: %w", key, err)
		}
	}
	return s, nil
}

// toPrincipal takes the object form, and the bare "*" that means everybody.
func toPrincipal(v any) (map[string]Strings, error) {
	if everybody, ok := v.(string); ok {
		if everybody != "*" {
			return nil, errors.New(`neither an object nor "*"`)
		}
		return map[string]Strings{"*": {"*"}}, nil
	}
	return toStringMap(v, false)
}

// toCondition also refuses operators and keys that differ in case only: IAM
// takes them for the same one.
func toCondition(v any) (Condition, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("not an object")
	}
	out, seen := Condition{}, map[string]bool{}
	for _, op := range keysOf(object) {
		if lower := strings.ToLower(op); seen[lower] {
			return nil, fmt.Errorf("%q appears twice", op)
		}
		seen[strings.ToLower(op)] = true
		keys, err := toStringMap(object[op], true)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", op, err)
		}
		out[op] = keys
	}
	return out, nil
}

// toStringMap reads an object of strings or lists; with fold, keys that differ
// in case only are an error.
func toStringMap(v any, fold bool) (map[string]Strings, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("not an object")
	}
	out, seen := map[string]Strings{}, map[string]bool{}
	for _, key := range keysOf(object) {
		if lower := strings.ToLower(key); fold && seen[lower] {
			return nil, fmt.Errorf("%q appears twice", key)
		}
		seen[strings.ToLower(key)] = true
		values, err := toStrings(object[key])
		if err != nil {
			return nil, fmt.Errorf("%q: %w", key, err)
		}
		out[key] = values
	}
	return out, nil
}

// toStrings takes one value or a list of them.
func toStrings(v any) (Strings, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := make(Strings, 0, len(list))
	for _, item := range list {
		s, err := toScalar(item)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// toScalar takes a string, and the booleans and numbers that condition values
// may be written as; IAM compares them by their text.
func toScalar(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case json.Number:
		return v.String(), nil
	}
	return "", errors.New("not a string")
}

func toString(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", errors.New("not a string")
	}
	return s, nil
}
