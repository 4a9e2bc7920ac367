package ostoys3_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// edges says for each package which of our own it may import. Imports run one
// way: cmd, plugin, the adapters below plugin, render, charts. A package that
// is not in the table has no place yet: think where it belongs, and add it.
func edges() map[string][]string {
	return map[string][]string{
		// the command line
		"cmd/kubectl-ostoy_s3": {"cmd"},
		"cmd":                  {"plugin", "plugin/advice", "plugin/interrupt", "plugin/plain", "plugin/problem", "plugin/secret", "plugin/ui", "render"},

		// the use cases: they join the adapters
		"plugin": {
			"plugin/ack", "plugin/advice", "plugin/apply", "plugin/audit", "plugin/awserr", "plugin/bucket", "plugin/check", "plugin/cluster", "plugin/controller",
			"plugin/detect", "plugin/differ", "plugin/folder", "plugin/forward", "plugin/health", "plugin/iam", "plugin/interrupt", "plugin/live", "plugin/manual", "plugin/olm", "plugin/plain", "plugin/problem", "plugin/registry", "plugin/rolecode", "plugin/shell", "plugin/status", "plugin/tutorial", "plugin/ui", "plugin/verify", "plugin/wait", "render", "render/gitops", "render/layout", "render/operator",
		},

		// the adapters: one outside world each, and none of the others' worlds
		"plugin/detect":  {"plugin/advice", "plugin/awserr", "plugin/cluster", "plugin/interrupt", "plugin/problem", "render"},
		"plugin/iam":     {"plugin/advice", "plugin/awserr", "plugin/problem", "plugin/shell", "render"},
		"plugin/bucket":  {"plugin/advice", "plugin/awserr", "plugin/problem", "render"},
		"plugin/audit":   {"plugin/awserr", "plugin/problem", "render"},
		"plugin/apply":   {"plugin/advice", "plugin/cluster", "plugin/plain", "plugin/problem", "plugin/secret", "render", "render/operator"},
		"plugin/ack":     {"plugin/advice", "plugin/cluster", "plugin/plain", "plugin/problem", "render", "render/operator"},
		"plugin/wait":    {"plugin/advice", "plugin/cluster", "plugin/health", "plugin/plain", "plugin/problem", "render"},
		"plugin/verify":  {"plugin/advice", "plugin/awserr", "plugin/cluster", "plugin/plain", "plugin/problem", "render"},
		"plugin/access":  {"plugin/cluster"},
		"plugin/forward": {"plugin/cluster"},
		// what others leave, told by its looks: no outside world
		"plugin/tutorial": {"plugin/apply", "render"},
		"plugin/olm":      {"plugin/advice", "plugin/cluster", "plugin/health", "plugin/plain", "plugin/problem", "plugin/secret", "render"},

		"plugin/registry": {"plugin/advice", "plugin/interrupt", "plugin/plain", "plugin/problem"},

		// a role as code: no outside world at all
		"plugin/rolecode": {"plugin/iam", "plugin/shell", "render"},

		// an install as commands: no outside world either
		"plugin/manual": {"plugin/apply", "plugin/iam", "plugin/rolecode", "plugin/shell", "render"},

		"plugin/folder": {"plugin/problem", "render", "render/layout"},

		// what is there, asked once: the adapters' questions for those who judge
		"plugin/live":  {"plugin/access", "plugin/ack", "plugin/advice", "plugin/apply", "plugin/awserr", "plugin/bucket", "plugin/cluster", "plugin/health", "plugin/iam", "plugin/plain", "plugin/problem", "plugin/shell", "render", "render/operator"},
		"plugin/check": {"plugin/access", "plugin/ack", "plugin/advice", "plugin/apply", "plugin/awserr", "plugin/bucket", "plugin/cluster", "plugin/health", "plugin/iam", "plugin/live", "plugin/olm", "plugin/plain", "plugin/problem", "plugin/shell", "render", "render/operator"},

		// the controller as a whole: it joins adapters, as plugin does for the app
		"plugin/controller": {
			"plugin/access", "plugin/ack", "plugin/advice", "plugin/apply", "plugin/awserr", "plugin/cluster", "plugin/health", "plugin/iam", "plugin/interrupt", "plugin/live", "plugin/olm", "plugin/plain", "plugin/problem", "plugin/shell", "plugin/status", "plugin/wait", "render", "render/operator",
		},

		"plugin/status": {"plugin/ack", "plugin/advice", "plugin/apply", "plugin/audit", "plugin/awserr", "plugin/bucket", "plugin/health", "plugin/iam", "plugin/plain", "render", "render/operator"},

		// what the adapters share
		"plugin/advice":  {"plugin/plain", "plugin/secret", "plugin/shell", "render"},
		"plugin/awserr":  {"plugin/advice", "plugin/plain", "plugin/problem", "plugin/secret", "render"},
		"plugin/cluster": {"plugin/advice", "plugin/problem", "plugin/secret", "render"},
		"plugin/ui":      {"plugin/plain", "plugin/problem", "plugin/secret", "plugin/shell"},
		"plugin/differ":  {"plugin/plain"},
		"plugin/health":  {"plugin/advice", "plugin/plain"},
		"plugin/plain":   {},
		"plugin/problem": {},
		"plugin/secret":  {},
		"plugin/shell":   {},

		// how work that takes no context is left
		"plugin/interrupt": {},

		// for tests only: no package above lists it
		"plugin/cluster/clustertest": {"plugin/cluster"},
		"plugin/advice/advicetest":   {"plugin/plain", "plugin/shell"},

		// pure
		"render": {"charts"},

		"render/operator": {"render"},

		"render/layout": {"render"},
		"render/gitops": {"render"},

		"charts": {},

		// the release
		"krew":          {},
		"krew/pack":     {"krew"},
		"krew/cmd/pack": {"krew/pack"},
	}
}

// homes says where a dependency with weight or with an outside world behind it
// may be imported. Everything below the path given is meant.
func homes() map[string][]string {
	return map[string][]string{
		// one room for each thing asked of AWS
		"github.com/aws": {"plugin/audit", "plugin/awserr", "plugin/bucket", "plugin/detect", "plugin/iam", "plugin/verify"},
		// the command line's own
		"github.com/spf13": {"cmd"},
		// Helm and kustomize turn the chart into objects; plugin lends kustomize the disk
		"helm.sh/helm":                   {"render"},
		"sigs.k8s.io/kustomize":          {"plugin", "render"},
		"oras.land":                      {"plugin/registry"},
		"k8s.io/cli-runtime":             {"cmd", "cmd/kubectl-ostoy_s3", "plugin", "plugin/cluster", "plugin/cluster/clustertest"},
		"k8s.io/client-go":               {"cmd/kubectl-ostoy_s3", "plugin", "plugin/ack", "plugin/apply", "plugin/check", "plugin/cluster", "plugin/cluster/clustertest", "plugin/controller", "plugin/detect", "plugin/forward", "plugin/olm", "plugin/verify", "plugin/wait"},
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

// direction holds the imports of our own packages against edges.
func direction(s source) []string {
	allowed, known := edges()[s.dir()]
	if !known {
		return []string{fmt.Sprintf("package %s is not in the table of edges: decide what it may import, and who may import it", s.dir())}
	}
	var complaints []string
	for _, imported := range s.imports() {
		own, ok := strings.CutPrefix(imported, module+"/")
		if ok && !slices.Contains(allowed, own) {
			complaints = append(complaints, fmt.Sprintf("%s may not import %s (allowed: %s)", s.dir(), own, strings.Join(allowed, ", ")))
		}
	}
	return complaints
}

// rooms holds the imports of other modules against homes.
func rooms(s source) []string {
	var complaints []string
	for _, imported := range s.imports() {
		for root, rooms := range homes() {
			if under(imported, root) && !slices.Contains(rooms, s.dir()) {
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
