package render

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	yamlv2 "go.yaml.in/yaml/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// Decode reads a stream of YAML documents; empty ones are passed over. It
// reads YAML as kubectl does, with the same library, but without the way
// through JSON, which takes as long as the reading. Whole numbers are int64, as
// the API machinery expects.
func Decode(data []byte) ([]*unstructured.Unstructured, error) {
	documents, err := split(data)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for _, document := range documents {
		var content any
		if err := yamlv2.Unmarshal(document, &content); err != nil {
			return nil, err
		}
		if content == nil {
			continue
		}
		object, ok := jsonValue(content).(map[string]any)
		if !ok {
			return nil, fmt.Errorf("a document holds %T, not an object", content)
		}
		if len(object) > 0 {
			objects = append(objects, &unstructured.Unstructured{Object: object})
		}
	}
	return objects, nil
}

// split takes a stream of documents apart where kubectl does. What has no
// separator is one document as it is: the reader goes line by line.
func split(data []byte) ([][]byte, error) {
	if !bytes.Contains(data, []byte("---")) {
		return [][]byte{data}, nil
	}
	var documents [][]byte
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
}

// jsonValue turns what the YAML library gives into what JSON would.
func jsonValue(value any) any {
	switch v := value.(type) {
	case map[any]any:
		object := make(map[string]any, len(v))
		for key, inner := range v {
			name, ok := key.(string)
			if !ok {
				name = fmt.Sprint(key)
			}
			object[name] = jsonValue(inner)
		}
		return object
	case []any:
		for n, inner := range v {
			v[n] = jsonValue(inner)
		}
		return v
	case int:
		return int64(v)
	case uint64: // larger than int64: as JSON would have it
		return float64(v)
	}
	return value
}
