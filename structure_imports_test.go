package ostoys3_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// layer is a row of the house: what is in it may import what is in the rows below it.
type layer struct {
	name     string
	packages []string // folders; "x/*" is all packages directly below x
	apart    bool     // its packages do not import each other either
}

// layers are the rows from top to bottom. A package that is in none of them has no place
// yet: think where it belongs, and add it.
func layers() []layer {
	return []layer{
		{"the executable", []string{"cmd/kubectl-ostoy_s3"}, true},
		{"the command line: flags become requests", []string{"cmd"}, true},
		{"use cases: one package for each command", []string{
			"plugin/install", "plugin/diff", "plugin/checkup", "plugin/uninstall", "plugin/open", "plugin/release",
			"plugin/manifests", "plugin/role", "plugin/facts", "plugin/controller/*",
		}, true},
		{"engines: what use cases share", []string{
			"plugin/plan", "plugin/announce", "plugin/exposure", "plugin/project", "plugin/presence", "plugin/session", "plugin/removal", "plugin/report",
			"plugin/check", "plugin/status", "plugin/verify", "plugin/controller", "plugin/manual", "plugin/tutorial", "plugin/folder",
		}, false},
		{"adapters: one outside world each", []string{"plugin/kube/*", "plugin/aws/*", "plugin/detect", "plugin/advice"}, false},
		{"pure: facts and values become objects", []string{"render", "render/*"}, false},
		{"the chart", []string{"charts"}, true},
		{"support: knows nothing of this project", []string{"plugin/text/*", "plugin/problem", "plugin/adopt", "plugin/interrupt", "plugin/once", "plugin/waiting"}, false},
	}
}

// besides are the packages outside of the rows: the release, and what only tests import.
func besides() map[string][]string {
	return map[string][]string{
		"krew":                            {},
		"krew/pack":                       {"krew"},
		"krew/cmd/pack":                   {"krew/pack"},
		"plugin/kube/cluster/clustertest": {"plugin/kube/cluster"},
		"plugin/aws/awstest":              {},
		"plugin/session/sessiontest":      {"plugin/session", "plugin/aws/awstest", "plugin/kube/cluster/clustertest", "plugin/text/ui", "render"},
		"plugin/advice/advicetest":        {"plugin/text/plain", "plugin/text/shell"},
	}
}

// useCase reports whether a package is one.
func useCase(dir string) bool {
	row := level(dir)
	return row >= 0 && strings.HasPrefix(layers()[row].name, "use cases")
}

// level is the row of a package, from the top; -1 if it is in none.
func level(dir string) int {
	return slices.IndexFunc(layers(), func(l layer) bool { return within(l.packages, dir) })
}

// homes says where a dependency with weight or with an outside world behind it
// may be imported. Everything below the path given is meant.
func homes() map[string][]string {
	return map[string][]string{
		// one room for each thing asked of AWS
		"github.com/aws": {"plugin/aws/*", "plugin/detect", "plugin/verify"},
		// the command line's own
		"github.com/spf13": {"cmd"},
		// Helm and kustomize turn the chart into objects; manifests lends kustomize the disk
		"helm.sh/helm":                   {"render"},
		"sigs.k8s.io/kustomize":          {"plugin/manifests", "render"},
		"k8s.io/cli-runtime":             {"cmd", "cmd/kubectl-ostoy_s3", "plugin/session", "plugin/session/sessiontest", "plugin/kube/cluster", "plugin/kube/cluster/clustertest"},
		"k8s.io/client-go":               {"cmd/kubectl-ostoy_s3", "plugin/kube/*", "plugin/kube/cluster/clustertest", "plugin/check", "plugin/controller", "plugin/detect", "plugin/install", "plugin/project", "plugin/verify"},
		"k8s.io/apiextensions-apiserver": {},
	}
}

// banned says what is imported nowhere, and why.
func banned() map[string]string {
	return map[string]string{
		"helm.sh/helm/v3/pkg/action":     "Helm renders and nothing else: it makes no releases, and actions weigh ten megabytes",
		"helm.sh/helm/v3/pkg/cli/values": "drags the registry client in: strvals and chartutil do",
		"k8s.io/kubectl":                 "use client-go and cli-runtime: kubectl's packages are no library",
		"math/rand":                      "names that must be free and hard to guess come from crypto/rand",
		"io/ioutil":                      "deprecated: os and io have it",
	}
}

// under reports whether an import path is root or below it.
func under(imported, root string) bool {
	return imported == root || strings.HasPrefix(imported, root+"/")
}

// within reports whether a folder is one of the patterns of a table.
func within(patterns []string, dir string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		below, all := strings.CutSuffix(pattern, "/*")
		return pattern == dir || all && path.Dir(dir) == below
	})
}

// direction holds the imports of our own packages against the layers.
func direction(s source) []string {
	var complaints []string
	for _, imported := range s.imports() {
		own, ok := strings.CutPrefix(imported, module+"/")
		if !ok {
			continue
		}
		if why := mayImport(s.dir(), own); why != "" {
			complaints = append(complaints, fmt.Sprintf("%s may not import %s: %s", s.dir(), own, why))
		}
	}
	if _, beside := besides()[s.dir()]; !beside && level(s.dir()) < 0 {
		complaints = append(complaints, fmt.Sprintf("package %s is in no layer: decide where it belongs", s.dir()))
	}
	return complaints
}

// mayImport says why a package may not import another, "" if it may.
func mayImport(from, to string) string {
	if allowed, beside := besides()[from]; beside {
		if !slices.Contains(allowed, to) {
			return "allowed are " + strings.Join(allowed, ", ")
		}
		return ""
	}
	if _, beside := besides()[to]; beside {
		return "it is for tests, or for the release"
	}
	above, below := level(from), level(to)
	switch {
	case below < 0:
		return "it is in no layer"
	case below < above:
		return "it is in a layer above, " + layers()[below].name
	case below == above && layers()[above].apart && from != to:
		return layers()[above].name + "; they do not import each other"
	case (from == "render" || strings.HasPrefix(from, "render/")) && strings.HasPrefix(to, "plugin/") && to != "plugin/problem" && to != "plugin/text/plain":
		return "rendering knows nothing of clusters, of AWS or of terminals"
	}
	return ""
}

// rooms holds the imports of other modules against homes.
func rooms(s source) []string {
	var complaints []string
	for _, imported := range s.imports() {
		for root, rooms := range homes() {
			if under(imported, root) && !within(rooms, s.dir()) {
				complaints = append(complaints, fmt.Sprintf("%s may not import %s (its rooms: %s)", s.dir(), imported, strings.Join(rooms, ", ")))
			}
		}
	}
	return complaints
}

// forbidden holds the imports against banned.
func forbidden(s source) []string {
	var complaints []string
	for _, imported := range s.imports() {
		for root, why := range banned() {
			if under(imported, root) {
				complaints = append(complaints, fmt.Sprintf("imports %s: %s", imported, why))
			}
		}
	}
	return complaints
}

// oneHelmFile asks that the move to another Helm be one file's work.
func oneHelmFile(files []source) []string {
	var users []string
	for _, f := range files {
		if slices.ContainsFunc(f.imports(), func(i string) bool { return under(i, "helm.sh/helm") }) {
			users = append(users, f.path)
		}
	}
	if len(users) > 1 || len(users) == 1 && path.Dir(users[0]) != "render" {
		return []string{"Helm is imported by " + strings.Join(users, ", ") + ": one file of render is enough"}
	}
	return nil
}
