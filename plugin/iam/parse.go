package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// What a document may at most be. IAM's own limits are lower by far (10,240
// characters of inline policy a role); these only bound the work.
const (
	maxDocument = 128 << 10
	maxDepth    = 16
)

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
	dec := json.NewDecoder(strings.NewReader(raw))
	dec.UseNumber()
	tree, err := readValue(dec, 0)
	if err != nil {
		return Document{}, fmt.Errorf("not a policy document: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Document{}, errors.New("not a policy document: more text after its end")
	}
	return toDocument(tree)
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

// readValue reads one JSON value token by token: encoding/json alone would
// silently keep the last of repeated keys.
func readValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("nested too deeply")
	}
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := tok.(json.Delim)
	if !ok {
		return tok, nil
	}
	if delim == '[' {
		list := []any{}
		for dec.More() {
			v, err := readValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := dec.Token()
		return list, err
	}
	return readObject(dec, depth)
}

func readObject(dec *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, err
		}
		key, ok := tok.(string)
		if !ok {
			return nil, errors.New("a key is not a string")
		}
		if _, twice := object[key]; twice {
			return nil, fmt.Errorf("%q appears twice", key)
		}
		if object[key], err = readValue(dec, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return object, err
}
