package live

import (
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
)

// Hands are who manages the app's objects, as far as the next install depends on it: an
// install that does not say so is refused. The zero value is an app that ostoy-s3 manages,
// or none.
type Hands struct {
	Engine   string // Argo CD, Flux or Helm: "" if none of them manages an object
	Tutorial bool   // some were made by hand, as the ROSA tutorial does, and can be adopted
}

// Install is what brings an app to what install makes: the command, with the flag that it
// needs for who manages the objects, or where to change them in its place.
func (h Hands) Install(namespace string, flags ...string) string {
	words := append([]string{"-n", namespace}, flags...)
	if h.Engine != "" && !slices.Contains(flags, "--force-owner") {
		words = append(words, "--force-owner")
	}
	switch {
	case h.Engine == apply.Helm:
		return "upgrade the Helm release, or take the app over from Helm: " + advice.Command("oc ostoy-s3 install", words...)
	case h.Engine != "":
		return "change it in Git (" + advice.Command("oc ostoy-s3 render", "-n", namespace) + " prints the manifests), or take the app over from " + h.Engine + ": " +
			advice.Command("oc ostoy-s3 install", words...)
	}
	return advice.Command("oc ostoy-s3 install", append(words, h.adopting(flags)...)...)
}

// adopting is the flag of an install that adopts what the tutorial made, unless it is among
// the flags.
func (h Hands) adopting(flags []string) []string {
	if h.Tutorial && !slices.Contains(flags, "--adopt") {
		return []string{"--adopt"}
	}
	return nil
}
