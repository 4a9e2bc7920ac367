package verify

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// advised are the messages with a command that installs again.
func advised(t *testing.T, r *run) map[string]string {
	t.Helper()
	next := func(err error) string {
		var told *problem.Error
		if !errors.As(err, &told) {
			t.Fatalf("%v", err)
		}
		return told.Next
	}
	_, noRole := roleOf(r, Pods{})
	return map[string]string{
		"no role":      next(noRole),
		"ARN":          r.badARN("x").Next,
		"another role": next(anotherRole(r, nil, nil)),
		"changed":      r.ifChanged("x"),
	}
}

// TestInstallAgainSkipsIAM: the command that installs again an install of --iam=skip has
// the flag if you gave it. The inventory gives no flag: it is said that it says so.
func TestInstallAgainSkipsIAM(t *testing.T) {
	const note = "if another tool manages the role, as the inventory says, add --iam=skip"
	for name, c := range map[string]struct {
		flags        Flags
		given        func(Flags) string
		command, say string
	}{
		"of install":       {nil, nil, "oc ostoy-s3 install -n demo", ""},
		"by flag":          {Flags{{"--profile", "p"}, IAMSkip()}, func(Flags) string { return "x" }, "oc ostoy-s3 install -n demo --profile p --iam=skip", ""},
		"by the inventory": {nil, func(Flags) string { return "x" }, "oc ostoy-s3 install -n demo", note},
	} {
		r, _ := started(t, newFake(nil))
		r.Flags, r.options.Given = c.flags, c.given
		for where, text := range advised(t, r) {
			if !strings.Contains(text, c.command) || strings.Contains(text, note) != (c.say != "") || strings.Contains(text, "--iam=skip") != (strings.Contains(c.command, "skip") || c.say != "") {
				t.Errorf("%s, %s: %s", name, where, text)
			}
		}
		if text := r.again(Flag{"--region", "eu-west-1"}); strings.Contains(text, "--iam") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// TestGivenNamesTheRole: what to do about a role that another tool manages names the role
// that IAM has confirmed.
func TestGivenNamesTheRole(t *testing.T) {
	r, _ := started(t, newFake(nil))
	arn, err := render.ParseARN("arn:aws:iam::123456789012:role/by/terraform")
	if err != nil {
		t.Fatal(err)
	}
	r.Target.Role = func(context.Context, string, render.ARN) (render.ARN, error) { return arn, nil }
	r.pods, r.Flags = Pods{Role: arn.String()}, Flags{IAMSkip()}
	r.options = Options{Given: func(flags Flags) string { return strings.Join(flags.Words(), " ") }}
	if err := checkRole(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	const want = "--role-name terraform --role-path /by/"
	if got := r.mendRole(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := r.mend("x"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestAdviceForAdoptedRole: install does not restore a role that was there before it.
func TestAdviceForAdoptedRole(t *testing.T) {
	r, _ := started(t, newFake(nil))
	r.options = Options{AsIs: true, Applied: true, Narrow: "NARROW"}
	for got, want := range map[string]string{
		r.mendPolicy(): "NARROW gives the role",
		r.mend("x"):    "NARROW narrows the role",
		r.mendRole():   "NARROW sets the trust policy of the role",
	} {
		if !strings.HasPrefix(got, want) || strings.Contains(got, "restores") {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestAdviceAfterInstall: at the end of an install, nothing advises the install that has
// just run.
func TestAdviceAfterInstall(t *testing.T) {
	for name, options := range map[string]Options{
		"its own role":                 {Applied: true},
		"a role that was there":        {Applied: true, AsIs: true, Narrow: "oc ostoy-s3 install -n demo --adopt --tighten-role"},
		"policies that nobody may see": {Applied: true, Cure: func(context.Context, string, string) string { return "" }},
	} {
		r, _ := started(t, newFake(nil))
		r.options = options
		advice := []string{r.mendRole(), r.mendPolicy(), r.mend(""), r.installs(""), r.ifChanged("")}
		for _, one := range trespasses(r) {
			advice = append(advice, r.cure(t.Context(), one.name, one.next))
		}
		for _, advised := range advice {
			for line := range strings.SplitSeq(advised, "\n") {
				if strings.HasSuffix(line, "install -n demo") || strings.Contains(line, "install -n demo ") && !strings.Contains(line, "--tighten-role") {
					t.Errorf("%s: %s", name, line)
				}
			}
		}
	}
}

// TestOneCauseOfTrespasses: what one policy lets the app do is one problem.
func TestOneCauseOfTrespasses(t *testing.T) {
	r, _ := started(t, newFake(nil))
	r.options = Options{Applied: true, Cure: func(context.Context, string, string) string { return "aws iam detach-role-policy" }}
	report := Report{Levels: []LevelReport{{Level: Isolation}}}
	for _, one := range byApp(r) {
		one.try = func(context.Context) error { return nil }
		report.Levels[0].Probes = append(report.Levels[0].Probes, trespassed(t.Context(), r, one))
	}
	several, ok := errors.AsType[*problem.Several](report.Err())
	if !ok || len(several.Problems) != 1 {
		t.Fatalf("%+v", report.Err())
	}
	if what := several.Problems[0].What; !strings.HasPrefix(what, "NOT REFUSED: s3:ListBucket on another bucket of the account; s3:DeleteObject on the object it wrote; ") {
		t.Error(what)
	}
}
