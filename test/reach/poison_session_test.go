package reach

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestF5Poison is mallory's session against the admin's terminal and shell: what they
// write, and what a cluster or AWS may answer, reaches neither. Every command is run; one
// that has no scene fails the test. It is the test of F2, too: whatever is advised is
// copied into a shell.
func TestF5Poison(t *testing.T) {
	t.Parallel()
	bed := run.BedOfItsOwn(t, testbed.Options{})
	const project = "mallory"
	if err := bed.NewNamespace(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	admin := run.Admin(bed)
	admin.Run(t, "install", "-n", project).WantCode(t, 0)
	s := &stage{advice: newAdviser(t)}
	s.playAll(t, admin, project, others()...)
	t.Run("F2 answers", func(t *testing.T) { s.testAnswers(t, bed, project) })
	t.Run("refusals", func(t *testing.T) { s.testRefusals(t, bed, project) })
	t.Run("F2 edits", func(t *testing.T) { s.testEdits(t, bed, project) })
	s.wantAllCommands(t)
}

// testAnswers: every text that the API server and AWS send is mallory's, at its end or as
// a whole.
func (s *stage) testAnswers(t *testing.T, bed *testbed.Bed, project string) {
	for _, p := range []poison{{0, false}, {1, false}, {2, false}, {1, true}} {
		t.Run("kube, "+p.String(), func(t *testing.T) {
			t.Parallel()
			lines := looks()
			if p == (poison{1, false}) {
				lines = slices.Concat(lines, documents())
			}
			s.playAll(t, through(t, bed, p.between(p.kube), nil), project, lines...)
		})
		t.Run("AWS, "+p.String(), func(t *testing.T) {
			t.Parallel()
			lines := slices.DeleteFunc(slices.Concat(looks(), documents()), func(line string) bool {
				return strings.HasPrefix(line, "open") || strings.HasPrefix(line, "render") || strings.HasPrefix(line, "values") || strings.HasPrefix(line, "controller render") ||
					p != (poison{0, false}) && strings.Contains(line, " -o ")
			})
			s.playAll(t, through(t, bed, nil, p.between(p.aws)), project, lines...)
		})
	}
}

// testRefusals: the API server refuses, in mallory's words.
func (s *stage) testRefusals(t *testing.T, bed *testbed.Bed, project string) {
	for name, which := range map[string]string{
		"some": `/(pods|events|routes|buckets|leases|subscriptions)(/|$)`,
		"most": `/namespaces/|/(namespaces|projects|nodes)(/|$)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for rotation := range 2 {
				user := through(t, bed, poison{rotation, false}.refusing(regexp.MustCompile(which)), nil)
				s.playAll(t, user, project, looks()[rotation*len(looks())/2:][:len(looks())/2]...)
			}
		})
	}
}

// testEdits: what an editor of the project can write, and what the kubelet and the
// controllers write for them.
func (s *stage) testEdits(t *testing.T, bed *testbed.Bed, project string) {
	admin := run.Admin(bed)
	m := newMallory(t, bed, project)
	for rotation := range poisons() {
		p := poison{rotation, rotation > 0}
		m.write(t, p)
		m.fixture(t, p)
		lines := looks()
		if rotation == 0 {
			lines = slices.Concat(lines, documents())
		}
		s.playAll(t, admin, project, lines...)
		s.play(t, admin, project, "status -v=7")
		s.atTerminal(t, admin, project)
	}
	// The same as the ones that do it.
	s.play(t, admin, project, "install --yes --timeout=10s")
	s.play(t, admin, project, "uninstall --yes --delete-data --timeout=60s")
}

// atTerminal runs commands where colours are on and lines are rewritten.
func (s *stage) atTerminal(t *testing.T, user run.User, project string) {
	t.Helper()
	for _, line := range []string{"status", "status -A", "check", "install --dry-run=client --diff", "uninstall --dry-run", "controller status"} {
		args := strings.Fields(line)
		if inProject(line) {
			args = append(args, "-n", project)
		}
		code, screen := run.AtTerminal(t, user, "no\n", args...)
		plain := strings.ReplaceAll(screen, "\r\n", "\n")
		if colours.FindString(plain) == "" {
			t.Errorf("%s has no colours: %q", line, plain)
		}
		out := run.Result{Args: args, Stdout: colours.ReplaceAllString(plain, ""), Code: code}
		wantClean(t, out)
		s.advice.want(t, out)
	}
}
