package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// sourceFile begins the source of every fact that came from a facts file.
const sourceFile = "facts file "

// ParseFacts reads a facts file, YAML or JSON: each fact a bare value or
// {value, source, why} (values for apiVersions). An unknown or repeated field
// is an *InputError that names it. The source of each known fact becomes "facts
// file NAME", with the one in the file behind it. Numbers keep the digits they
// were written with: an account id may begin with a zero, unquoted.
func ParseFacts(data []byte, name string) (Facts, error) {
	root, err := factsDocument(data)
	if err != nil {
		return Facts{}, factsError(name, err)
	}
	var facts Facts
	known := map[string]field{}
	for _, field := range fields() {
		known[field.key] = field
	}
	err = eachKey(root, func(key string, value *yaml.Node) error {
		field, ok := known[key]
		switch {
		case !ok:
			return fmt.Errorf("line %d: unknown field %s", value.Line, quote(key))
		case field.list != nil:
			return parseList(field.list(&facts), key, value, name)
		default:
			return parseOne(field.one(&facts), key, value, name)
		}
	})
	if err != nil {
		return Facts{}, factsError(name, err)
	}
	return facts, nil
}

// factsDocument is the one mapping a facts file consists of.
func factsDocument(data []byte) (*yaml.Node, error) {
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, errors.New("it is empty")
	} else if err != nil {
		return nil, fmt.Errorf("it is neither YAML nor JSON: %s", yamlFault(err))
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("it holds more than one document")
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("it is not a mapping of facts")
	}
	return document.Content[0], nil
}

// eachKey walks a mapping; a key that comes twice is an error.
func eachKey(mapping *yaml.Node, visit func(key string, value *yaml.Node) error) error {
	seen := map[string]bool{}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d: a field name is expected", key.Line)
		}
		if seen[key.Value] {
			return fmt.Errorf("line %d: field %s comes twice", key.Line, quote(key.Value))
		}
		seen[key.Value] = true
		if err := visit(key.Value, value); err != nil {
			return err
		}
	}
	return nil
}

func parseOne(fact *Fact, key string, node *yaml.Node, file string) error {
	value, err := scalar(node)
	if err == nil {
		fact.Value = value
	} else if node.Kind == yaml.MappingNode {
		err = eachKey(node, func(part string, value *yaml.Node) error {
			return parsePart(map[string]*string{"value": &fact.Value, "source": &fact.Source, "why": &fact.Why}, key, part, value)
		})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	fact.Source, fact.Why = loaded(fact.Known(), fact.Source, fact.Why, file)
	return nil
}

func parseList(list *ListFact, key string, node *yaml.Node, file string) error {
	var err error
	if node.Kind == yaml.MappingNode {
		err = eachKey(node, func(part string, value *yaml.Node) error {
			if part == "values" {
				list.Values, err = scalars(value)
				return err
			}
			return parsePart(map[string]*string{"source": &list.Source, "why": &list.Why}, key, part, value)
		})
	} else {
		list.Values, err = scalars(node)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	list.Source, list.Why = loaded(list.Known(), list.Source, list.Why, file)
	return nil
}

func parsePart(parts map[string]*string, key, part string, node *yaml.Node) error {
	into, ok := parts[part]
	if !ok {
		return fmt.Errorf("line %d: unknown field %s", node.Line, quote(key+"."+part))
	}
	value, err := scalar(node)
	if err == nil {
		*into = value
	}
	return err
}

// scalar is a value as it is written: 012 stays 012, 1.30 stays 1.30.
func scalar(node *yaml.Node) (string, error) {
	if node.Kind != yaml.ScalarNode {
		return "", fmt.Errorf("line %d: a plain value is expected", node.Line)
	}
	if node.Tag == "!!null" {
		return "", nil
	}
	return node.Value, nil
}

func scalars(node *yaml.Node) ([]string, error) {
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return nil, nil
	}
	if node.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("line %d: a list is expected", node.Line)
	}
	var values []string
	for _, item := range node.Content {
		value, err := scalar(item)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
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
	return &InputError{
		What: sourceFile + name,
		Why:  err.Error(),
		Next: "the command facts with -o yaml writes one; its fields are " + strings.Join(fieldKeys(), " "),
		Err:  err,
	}
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
		return marshalFactsYAML(f)
	}
	return nil, &InputError{What: "output format " + quote(format), Why: "facts are written as yaml or json", Next: "use -o yaml or -o json"}
}

// Told is f with each source and reason as say gives it back.
func (f Facts) Told(say func(string) string) Facts {
	for _, field := range fields() {
		if field.list != nil {
			list := field.list(&f)
			list.Source, list.Why = say(list.Source), say(list.Why)
		} else {
			one := field.one(&f)
			one.Source, one.Why = say(one.Source), say(one.Why)
		}
	}
	return f
}
