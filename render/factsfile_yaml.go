package render

import (
	"bytes"
	"fmt"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// marshalFactsYAML writes the facts in their usual order, which a map would lose.
func marshalFactsYAML(f Facts) ([]byte, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	for _, field := range fields() {
		node := &yaml.Node{Kind: yaml.MappingNode}
		if field.list != nil {
			list := field.list(&f)
			values := &yaml.Node{Kind: yaml.SequenceNode}
			for _, v := range list.Values {
				values.Content = append(values.Content, text(v))
			}
			node.Content = append(node.Content, text("values"), values)
			addPart(node, "source", list.Source)
			addPart(node, "why", list.Why)
		} else {
			one := field.one(&f)
			node.Content = append(node.Content, text("value"), text(one.Value))
			addPart(node, "source", one.Source)
			addPart(node, "why", one.Why)
		}
		root.Content = append(root.Content, text(field.key), node)
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("writing facts: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return nil, fmt.Errorf("writing facts: %w", err)
	}
	return out.Bytes(), nil
}

func addPart(node *yaml.Node, key, value string) {
	if value != "" {
		node.Content = append(node.Content, text(key), text(value))
	}
}

// text is a string that stays one: what looks like a number is quoted.
func text(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}
