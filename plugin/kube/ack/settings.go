package ack

import (
	"maps"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// Environment is what the controller's container finds in its environment, as
// far as it can be known from outside.
type Environment struct {
	// Values are those that are plain to see.
	Values map[string]string
	// Hidden are the names that have a value nobody needs to see: of a Secret, or
	// filled in by kubelet.
	Hidden []string
	// Missing are the ConfigMaps without which the container does not start, and
	// that are not there.
	Missing []string
}

// Sources are the ConfigMaps and Secrets that a container's environment is made
// of, by name. A nil one is not there. Of Secrets only the keys are told.
type Sources struct {
	ConfigMaps map[string]map[string]string
	Secrets    map[string][]string
}

// Needs are the names of the ConfigMaps and Secrets that a container's
// environment is made of.
func Needs(c core.Container) (configMaps, secrets []string) {
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef != nil {
			configMaps = append(configMaps, from.ConfigMapRef.Name)
		}
		if from.SecretRef != nil {
			secrets = append(secrets, from.SecretRef.Name)
		}
	}
	for _, env := range c.Env {
		if env.ValueFrom != nil && env.ValueFrom.ConfigMapKeyRef != nil {
			configMaps = append(configMaps, env.ValueFrom.ConfigMapKeyRef.Name)
		}
	}
	slices.Sort(configMaps)
	slices.Sort(secrets)
	return slices.Compact(configMaps), slices.Compact(secrets)
}

// EnvironmentOf puts a container's environment together as kubelet does: what
// comes later wins, and env wins over envFrom.
func EnvironmentOf(c core.Container, from Sources) Environment {
	e := Environment{Values: map[string]string{}}
	for _, source := range c.EnvFrom {
		if ref := source.ConfigMapRef; ref != nil {
			data := from.ConfigMaps[ref.Name]
			if data == nil && (ref.Optional == nil || !*ref.Optional) {
				e.Missing = append(e.Missing, ref.Name)
			}
			for _, key := range slices.Sorted(maps.Keys(data)) {
				e.set(source.Prefix+key, data[key])
			}
		}
		if ref := source.SecretRef; ref != nil {
			for _, key := range from.Secrets[ref.Name] {
				e.hide(source.Prefix + key)
			}
		}
	}
	for _, env := range c.Env {
		switch {
		case env.ValueFrom == nil:
			value, _ := expand(env.Value, e)
			e.set(env.Name, value)
		case env.ValueFrom.ConfigMapKeyRef != nil:
			ref := env.ValueFrom.ConfigMapKeyRef
			if value, there := from.ConfigMaps[ref.Name][ref.Key]; there {
				e.set(env.Name, value)
			}
		default:
			e.hide(env.Name)
		}
	}
	return e
}

func (e *Environment) set(name, value string) {
	e.Hidden = slices.DeleteFunc(e.Hidden, func(hidden string) bool { return hidden == name })
	e.Values[name] = value
}

func (e *Environment) hide(name string) {
	delete(e.Values, name)
	if !slices.Contains(e.Hidden, name) {
		e.Hidden = append(e.Hidden, name)
	}
}

// Has reports whether a variable is set to something.
func (e Environment) Has(name string) bool {
	return e.Values[name] != "" || slices.Contains(e.Hidden, name)
}

// expand replaces $(NAME) as kubelet does: what has no value stays as it is
// written ($$ is a dollar), and is named. What is hidden becomes "*".
func expand(text string, e Environment) (string, []string) {
	var out strings.Builder
	var unset []string
	for text != "" {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			break
		}
		name, after, closed := strings.Cut(strings.TrimPrefix(rest, "("), ")")
		switch value, there := e.Values[name]; {
		case strings.HasPrefix(rest, "$"):
			out.WriteString("$")
			text = rest[1:]
			continue
		case !strings.HasPrefix(rest, "(") || !closed:
			out.WriteString("$")
			text = rest
			continue
		case there:
			out.WriteString(value)
		case slices.Contains(e.Hidden, name):
			out.WriteString("*")
		default:
			out.WriteString("$(" + name + ")")
			unset = append(unset, name)
		}
		text = after
	}
	return out.String(), unset
}

// Flags are what the controller is told on its command line.
type Flags struct {
	values map[string]string
	// Unset are the variables that the command line names and that have no value:
	// the controller is told $(NAME), literally.
	Unset []string
}

// FlagsOf reads a container's command line in an environment.
func FlagsOf(c core.Container, e Environment) Flags {
	f := Flags{values: map[string]string{}}
	words := make([]string, 0, len(c.Command)+len(c.Args))
	for _, word := range slices.Concat(c.Command, c.Args) {
		text, unset := expand(word, e)
		words = append(words, text)
		f.Unset = append(f.Unset, unset...)
	}
	for n, word := range words {
		name, is := strings.CutPrefix(word, "--")
		if !is {
			continue
		}
		name, value, given := strings.Cut(name, "=")
		if !given && n+1 < len(words) && !strings.HasPrefix(words[n+1], "--") {
			value, given = words[n+1], true
		}
		if !given {
			value = "true"
		}
		f.values[name] = value
	}
	slices.Sort(f.Unset)
	f.Unset = slices.Compact(f.Unset)
	return f
}

// Get is the value of a flag, and whether it is given.
func (f Flags) Get(name string) (value string, given bool) {
	value, given = f.values[name]
	return value, given
}

// Pieces are the parts of a flag that is a comma-separated list. A variable that
// nothing gives a value is none.
func (f Flags) Pieces(name string) []string {
	var pieces []string
	for _, piece := range strings.Split(f.values[name], ",") {
		if piece = plain.Line(piece); piece != "" && !strings.HasPrefix(piece, "$(") {
			pieces = append(pieces, piece)
		}
	}
	return pieces
}

// Watches reports whether the controller looks at a namespace. None named is
// all of them.
func (f Flags) Watches(namespace string) bool {
	named := f.Pieces("watch-namespace")
	return len(named) == 0 || slices.Contains(named, namespace)
}
