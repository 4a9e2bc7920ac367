package ack

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// Flaw is one thing that is wrong with a controller's settings.
type Flaw struct {
	Setting string // the key of the ConfigMap, or the flag, that it is about
	Why     string // what comes of it
	Put     string // a value that is right, where Putable
	Putable bool
}

// safe are values with which every version of the controller starts. Which region
// is right they do not know.
func safe() map[string]string {
	values := operator.SafeConfig("")
	delete(values, "AWS_REGION")
	return values
}

// flagVariables are the keys that OLM's bundle and the chart fill flags from.
func flagVariables() map[string]string {
	return map[string]string{
		"aws-region": "AWS_REGION", "aws-endpoint-url": "AWS_ENDPOINT_URL", "resource-tags": "ACK_RESOURCE_TAGS",
		"feature-gates": "FEATURE_GATES", "enable-carm": "ENABLE_CARM", "enable-leader-election": "ENABLE_LEADER_ELECTION",
		"enable-development-logging":             "ACK_ENABLE_DEVELOPMENT_LOGGING",
		"reconcile-default-max-concurrent-syncs": "RECONCILE_DEFAULT_MAX_CONCURRENT_SYNCS",
	}
}

// settings are what a controller is told, and how old it is.
type settings struct {
	Controller
	flags Flags
	flaws []Flaw
}

// Flaws are the things in a controller's environment and command line with which
// it does not start (pkg/config/config.go of ACK's runtime), or does nothing, the gravest
// first. region is the one its pods have from elsewhere, "" if from nowhere.
func (c Controller) Flaws(env Environment, region string) []Flaw {
	s := &settings{Controller: c, flags: FlagsOf(c.Container, env)}
	for _, name := range env.Missing {
		s.add(Flaw{Setting: "ConfigMap " + name, Why: "it is not there, and the pods do not start without it"})
	}
	if len(env.Missing) > 0 {
		return s.flaws // what should be in it is not there for that reason
	}
	s.unset(region)
	s.tags()
	s.gates()
	s.kinds()
	if env.Has("AWS_CA_BUNDLE") {
		s.add(Flaw{Setting: "AWS_CA_BUNDLE", Why: "with it in the environment the controller fails at every Bucket, and no condition says so"})
	}
	return s.flaws
}

// add keeps the texts in one line each: they repeat names and values from the Deployment
// and its ConfigMaps.
func (s *settings) add(f Flaw) {
	f.Setting, f.Why = plain.Line(f.Setting), plain.Line(f.Why)
	s.flaws = append(s.flaws, f)
}

// unset: what has no value stays $(NAME) on the command line.
func (s *settings) unset(region string) {
	values := safe()
	for _, name := range s.flags.Unset {
		if name == "AWS_REGION" && region != "" {
			continue
		}
		put, known := values[name]
		s.add(Flaw{
			Setting: name, Put: put, Putable: known,
			Why: "the command line passes $(" + name + "), which nothing gives a value: the controller takes it literally and does not start",
		})
	}
	if value, given := s.flags.Get("aws-region"); region == "" && (!given || value == "") {
		s.add(Flaw{Setting: "AWS_REGION", Why: "it is empty, and the controller does not start without a region"})
	}
	endpoint, _ := s.flags.Get("aws-endpoint-url")
	unsafe, _ := s.flags.Get("allow-unsafe-aws-endpoint-urls")
	if strings.HasPrefix(endpoint, "http://") && unsafe != "true" {
		s.add(Flaw{Setting: "AWS_ENDPOINT_URL", Why: "it is not https, which the controller refuses", Putable: true})
	}
}

// strictTags is the first version that refuses tags which are no pairs.
func strictTags() []int { return []int{1, 1, 3} }

func (s *settings) tags() {
	if s.Older(strictTags()...) {
		return
	}
	for _, tag := range s.flags.Pieces("resource-tags") {
		if strings.Count(tag, "=") != 1 && tag != "*" {
			s.add(Flaw{
				Setting: "ACK_RESOURCE_TAGS", Put: safe()["ACK_RESOURCE_TAGS"], Putable: true,
				Why: fmt.Sprintf("%q is no pair of key and value (key=value), which the controller refuses since 1.1.3", tag),
			})
			return
		}
	}
}

func (s *settings) gates() {
	for _, gate := range s.flags.Pieces("feature-gates") {
		name, value, pair := strings.Cut(gate, "=")
		_, err := strconv.ParseBool(value)
		switch {
		case gate == "*":
		case !pair || err != nil:
			s.add(Flaw{Setting: "FEATURE_GATES", Putable: true, Why: fmt.Sprintf("%q is not of the form Gate=true", gate)})
		case name == "IAMRoleSelector" && value == "true" && s.carm():
			s.add(Flaw{Setting: "ENABLE_CARM", Put: "false", Putable: true, Why: "the gate IAMRoleSelector is on, and the controller does not start with both"})
		}
	}
}

// carm is on unless it is switched off.
func (s *settings) carm() bool {
	value, given := s.flags.Get("enable-carm")
	on, err := strconv.ParseBool(value)
	return !given || err == nil && on
}

// kinds: flags that take a bool or a number, and nothing else.
func (s *settings) kinds() {
	variables, values := flagVariables(), safe()
	for _, flag := range []string{"enable-carm", "enable-leader-election", "enable-development-logging", "reconcile-default-max-concurrent-syncs"} {
		value, given := s.flags.Get(flag)
		if !given || strings.HasPrefix(value, "$(") || value == "*" {
			continue
		}
		_, noBool := strconv.ParseBool(value)
		_, noNumber := strconv.Atoi(value)
		kind, wrong := "true or false", noBool != nil
		if flag == "reconcile-default-max-concurrent-syncs" {
			kind, wrong = "a number", noNumber != nil
		}
		if wrong {
			name := variables[flag]
			s.add(Flaw{Setting: name, Put: values[name], Putable: true, Why: fmt.Sprintf("--%s takes %s, not %q", flag, kind, value)})
		}
	}
}

// Gate reports whether a feature gate is said to be on or off, and said at all.
func (f Flags) Gate(name string) (on, said bool) {
	for _, piece := range f.Pieces("feature-gates") {
		if gate, value, _ := strings.Cut(piece, "="); gate == name {
			on, _ = strconv.ParseBool(value)
			said = true
		}
	}
	return on, said
}

// Settings are the names of what flaws are about, each once.
func Settings(flaws []Flaw) []string {
	var names []string
	for _, f := range flaws {
		if !slices.Contains(names, f.Setting) {
			names = append(names, f.Setting)
		}
	}
	return names
}

// SafeConfig is the data of a UserConfig with which every version starts, as
// operator.SafeConfig gives it: what is judged here is what we would make.
func SafeConfig(region string) map[string]string { return operator.SafeConfig(region) }
