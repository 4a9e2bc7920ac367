package render

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	yamlv2 "go.yaml.in/yaml/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// sourceFile begins the source of every fact that came from a facts file.
const sourceFile = "facts file "

// ParseFacts reads a facts file, YAML or JSON: each fact a bare value or
// {value, source, why} (values for apiVersions). An unknown or repeated field
// is a *problem.Error that names it. The source of each known fact becomes "facts
// file NAME", with the one in the file behind it. Numbers keep the digits they
// were written with: an account id may begin with a zero, unquoted.
func ParseFacts(data []byte, name string) (Facts, error) {
	document, err := factsDocument(data)
	if err != nil {
		return Facts{}, factsError(name, err)
	}
	var facts Facts
	for _, field := range fields() {
		node, given := document[field.key]
		delete(document, field.key)
		if !given {
			continue
		}
		if err := field.read(node, &facts); err != nil {
			return Facts{}, factsError(name, fmt.Errorf("%s: %w", field.key, err))
		}
		known, source, why := field.origin(&facts)
		*source, *why = loaded(known, *source, *why, name)
	}
	if unknown := slices.Sorted(maps.Keys(document)); len(unknown) > 0 {
		return Facts{}, factsError(name, unknownField(document[unknown[0]], unknown[0]))
	}
	return facts, nil
}

// factsDocument is the one mapping a facts file consists of.
func factsDocument(data []byte) (map[string]yaml.Node, error) {
	var document map[string]yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, errors.New("it is empty")
	} else if err != nil {
		return nil, mappingFault(err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("it holds more than one document")
	}
	if document == nil {
		return nil, errors.New("it is not a mapping of facts")
	}
	return document, nil
}

// read decodes a fact. Scalars are decoded into strings, which keep the text of a
// number: 012 stays 012, 1.30 stays 1.30.
func (f field) read(node yaml.Node, facts *Facts) error {
	_, source, why := f.origin(facts)
	into := map[string]any{"source": source, "why": why}
	name := "value"
	if f.list != nil {
		name = "values"
		into[name] = &f.list(facts).Values
	} else {
		into[name] = &f.one(facts).Value
	}
	parts := map[string]yaml.Node{name: node}
	if node.Kind == yaml.MappingNode {
		parts = nil
		if err := node.Decode(&parts); err != nil {
			return mappingFault(err)
		}
	}
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		node := parts[part]
		switch target, known := into[part]; {
		case !known:
			return unknownField(node, f.key+"."+part)
		case node.Decode(target) == nil:
		case part == "values":
			return fmt.Errorf("line %d: a list of plain values is expected", node.Line)
		default:
			return fmt.Errorf("line %d: a plain value is expected", node.Line)
		}
	}
	return nil
}

func unknownField(node yaml.Node, name string) error {
	return fmt.Errorf("line %d: unknown field %s", node.Line, quote(name))
}

// mappingFault says what is wrong with a mapping that the library does not decode.
func mappingFault(err error) error {
	twice := regexp.MustCompile(`(line \d+): mapping key "(.*)" already defined`).FindStringSubmatch(err.Error())
	key := regexp.MustCompile(`(line \d+): cannot unmarshal .* into string`).FindStringSubmatch(err.Error())
	switch {
	case twice != nil:
		return fmt.Errorf("%s: field %s comes twice", twice[1], quote(twice[2]))
	case key != nil:
		return fmt.Errorf("%s: a field name is expected", key[1])
	case strings.Contains(err.Error(), "into map"):
		return errors.New("it is not a mapping of facts")
	}
	return fmt.Errorf("it is neither YAML nor JSON: %s", yamlFault(err))
}

// loaded gives source and reason of a fact from a file. A file written from
// another file keeps the first source, not the chain of files.
func loaded(known bool, source, why, file string) (string, string) {
	if !known {
		return "", why
	}
	if rest, ok := strings.CutPrefix(source, sourceFile); ok {
		_, inner, _ := strings.Cut(rest, " (")
		source = strings.TrimSuffix(inner, ")")
	}
	if source == "" {
		return sourceFile + file, ""
	}
	return sourceFile + file + " (" + source + ")", ""
}

func factsError(name string, err error) error {
	return problem.Input(sourceFile+name, err.Error(),
		"the command facts with -o yaml writes one; its fields are "+strings.Join(fieldKeys(), " ")).Because(err)
}

func fieldKeys() []string {
	var keys []string
	for _, field := range fields() {
		keys = append(keys, field.key)
	}
	return keys
}

// MarshalFacts writes a facts file; format is "yaml" or "json". Facts stand in
// their usual order, unknown ones with the reason.
func MarshalFacts(f Facts, format string) ([]byte, error) {
	switch format {
	case "json":
		data, err := json.MarshalIndent(f, "", "  ")
		return append(data, '\n'), err
	case "yaml":
		return yaml.Marshal(f)
	}
	return nil, problem.Input("output format "+quote(format), "facts are written as yaml or json", "use -o yaml or -o json")
}

// Told is f with each source and reason as say gives it back.
func (f Facts) Told(say func(string) string) Facts {
	for _, field := range fields() {
		_, source, why := field.origin(&f)
		*source, *why = say(*source), say(*why)
	}
	return f
}

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
