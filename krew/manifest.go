package krew

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

// Manifest is the part of krew's Plugin that this project uses. Fields outside
// it are refused when read: a typing error must not pass as an extension.
type Manifest struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       Spec     `json:"spec"`
}

// Metadata carries the plugin's name.
type Metadata struct {
	Name string `json:"name"`
}

// Spec describes the plugin and where its archives are.
type Spec struct {
	Version          string   `json:"version"`
	Homepage         string   `json:"homepage"`
	ShortDescription string   `json:"shortDescription"`
	Description      string   `json:"description"`
	Caveats          string   `json:"caveats"`
	Platforms        []Target `json:"platforms"`
}

// Target is one archive and the machines it is for.
type Target struct {
	Selector Selector `json:"selector"`
	URI      string   `json:"uri"`
	SHA256   string   `json:"sha256"`
	Bin      string   `json:"bin"`
}

// Selector names the machines by their labels os and arch.
type Selector struct {
	MatchLabels map[string]string `json:"matchLabels"`
}

// Parse reads a manifest; unknown and repeated fields are errors.
func Parse(data []byte) (Manifest, error) {
	var m Manifest
	if err := yaml.UnmarshalStrict(data, &m); err != nil {
		return Manifest{}, fmt.Errorf("the krew manifest does not parse: %w", err)
	}
	return m, nil
}
