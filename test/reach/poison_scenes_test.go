package reach

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// stage runs commands as an admin and looks at all that they print.
type stage struct {
	advice *adviser

	mu     sync.Mutex
	played []string
}

// looks are the commands that read a project, the cluster and AWS, as a person runs them.
func looks() []string {
	return []string{
		"check", "check --pre -o junit", "status -o wide", "status --audit", "status -A -o wide",
		"diff", "facts", "open --print",
		"install --dry-run=client", "install --dry-run=server --diff --adopt", "install --mode=manual",
		"install --dry-run=server --with-controller --bucket-pattern=*-bucket",
		"uninstall --dry-run", "uninstall --dry-run --delete-data --delete-namespace",
		"release --to=argocd --dry-run", "verify --timeout=5s",
		"iam plan", "iam plan --for=controller", "iam render --format=aws", "controller status",
		"controller install --dry-run=server --bucket-pattern=*-bucket", "controller install --upgrade --dry-run=server",
		"controller uninstall --dry-run",
	}
}

// documents are the commands that print what other programs read.
func documents() []string {
	return []string{
		"check -o json", "check -o junit", "status -o json", "status -o yaml", "status -A -o json", "status -A -o yaml",
		"facts -o json", "facts -o yaml", "values", "render", "render --format=flux --revision=main --path=apps --repo-url=https://git.example.com/apps",
		"install --dry-run=server -o json", "install --dry-run=client -o json", "uninstall --dry-run -o json", "release --to=none --dry-run -o json",
		"verify -o json --timeout=5s", "iam plan -o json", "iam policy --for=install", "iam render --format=terraform",
		"controller status -o json", "controller status -o yaml", "controller install --dry-run=server -o json --bucket-pattern=*-bucket",
		"controller uninstall --dry-run -o json", "controller render", "controller render --values",
	}
}

// others print what nobody but the build or the user wrote.
func others() []string {
	return []string{"version", "version -o json", "completion bash", "completion oc", "check --list", "check --list -o json"}
}

// play runs one command. Whether it succeeds is not the question.
func (s *stage) play(t *testing.T, user run.User, project, line string) run.Result {
	t.Helper()
	args := strings.Fields(line)
	if inProject(line) {
		args = append(args, "-n", project)
	}
	var out run.Result
	if strings.HasPrefix(line, "open") { // where it sees no Route, it keeps a port-forward open
		out = user.Shell(t, filepath.Dir(run.Tool()), "timeout -s INT 5 "+run.Name+" "+strings.Join(args, " "))
		out.Args = args
	} else {
		out = user.Run(t, args...)
	}
	s.mu.Lock()
	s.played = append(s.played, line+" ")
	s.mu.Unlock()
	if strings.Contains(out.Stderr, "✗ yaml: ") {
		t.Errorf("mallory keeps the admin from reading the project: %s", out)
	}
	wantClean(t, out)
	s.advice.want(t, out)
	return out
}

// inProject reports whether a command is about one project.
func inProject(line string) bool {
	for _, other := range []string{"controller", "version", "completion", "check --list", "status -A", "iam policy", "iam plan --for=controller", "render --format=flux"} {
		if strings.HasPrefix(line, other) {
			return line == "render --format=flux"
		}
	}
	return true
}

// playAll runs commands one after the other.
func (s *stage) playAll(t *testing.T, user run.User, project string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		s.play(t, user, project, line)
	}
}

// wantAllCommands wants every command of the tool to have been run.
func (s *stage) wantAllCommands(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "cmd", "testdata", "commands.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "oc ostoy-s3 "); ok {
			name, _, _ = strings.Cut(name, ":")
			names = append(names, name)
		}
	}
	if len(names) < 10 {
		t.Fatalf("no list of commands: %q", names)
	}
	for _, name := range names {
		group := slices.ContainsFunc(names, func(other string) bool { return strings.HasPrefix(other, name+" ") })
		if !group && !slices.ContainsFunc(s.played, func(line string) bool { return strings.HasPrefix(line, name+" ") }) {
			t.Errorf("%q has no scene here: run it, and look at what it prints", name)
		}
	}
}
