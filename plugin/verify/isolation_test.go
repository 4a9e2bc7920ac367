package verify

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func notFound(name string) error {
	return apierrors.NewNotFound(schema.GroupResource{Resource: "serviceaccounts"}, name)
}

func forbidden(name string) error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: "serviceaccounts"}, name, errors.New("no"))
}

// TestTrespassed: only AWS's own no is a refusal.
func TestTrespassed(t *testing.T) {
	const ours, defaults = "demo/ostoy-sa/openshift", "demo/default/sts.amazonaws.com"
	for name, c := range map[string]struct {
		probe   string
		answers map[string][]error
		want    Outcome
		kind    problem.Kind
		says    string
	}{
		"refused":                  {"list-buckets", map[string][]error{"list-buckets": {errDenied()}}, Passed, 0, ""},
		"let in":                   {"list-buckets", nil, Failed, problem.Refused, "NOT REFUSED: s3:ListAllMyBuckets"},
		"network":                  {"get-role", map[string][]error{"get-role": {errNetwork}}, Failed, problem.Failed, "cannot tell"},
		"throttled":                {"delete-object", map[string][]error{"delete": {says("SlowDown", "")}}, Failed, problem.Failed, "cannot tell"},
		"default let in":           {"default-service-account", nil, Failed, problem.Refused, "every pod in the project"},
		"default shut out":         {"default-service-account", map[string][]error{"assume " + defaults: {errDenied()}}, Passed, 0, ""},
		"no token to try with":     {"default-service-account", map[string][]error{"token " + defaults: {forbidden("default")}}, NotTested, 0, "you may not create a token of serviceaccounts/default"},
		"audience not in provider": {"other-audience", map[string][]error{"assume " + ours: {says("InvalidIdentityToken", "Incorrect token audience")}}, Passed, 0, ""},
		"token not understood":     {"other-audience", map[string][]error{"assume " + ours: {says("InvalidIdentityToken", "Couldn't retrieve verification key")}}, Failed, problem.Failed, "cannot tell"},
		"no other project":         {"other-project", map[string][]error{"others": {forbidden("")}}, NotTested, 0, "you may not see other projects"},
		"no right to see buckets":  {"other-bucket", map[string][]error{"other-bucket": {errDenied()}}, NotTested, 0, "you need s3:ListAllMyBuckets"},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := started(t, newFake(c.answers))
			r.written.objects = []object{{key: Prefix + "a.txt"}}
			tries := trespasses(r)
			at := slices.IndexFunc(tries, func(one trespass) bool { return one.name == c.probe })
			got := trespassed(t.Context(), r, tries[at])
			if got.Outcome != c.want || !strings.Contains(got.What+got.Why, c.says) {
				t.Errorf("%+v", got)
			}
			if c.kind != 0 && got.failure.Kind != c.kind {
				t.Errorf("kind %d, want %d", got.failure.Kind, c.kind)
			}
		})
	}
}

// TestOtherProject takes the first whose token may be had.
func TestOtherProject(t *testing.T) {
	f := newFake(map[string][]error{
		"token gone/ostoy-sa/sts.amazonaws.com":   {notFound("ostoy-sa")},
		"token theirs/ostoy-sa/sts.amazonaws.com": {forbidden("ostoy-sa")},
		"assume third/ostoy-sa/sts.amazonaws.com": {errDenied()},
	})
	f.elsewhere = []string{"gone", "theirs", "third", "fourth"}
	r, _ := started(t, f)
	if err := tryOtherProject(t.Context(), r); !awserr.Denied(err) || f.asked["token fourth/ostoy-sa/sts.amazonaws.com"] > 0 {
		t.Errorf("%v, asked %v", err, f.asked)
	}
	f.elsewhere = f.elsewhere[:2]
	var cannot *untestable
	if err := tryOtherProject(t.Context(), r); !errors.As(err, &cannot) {
		t.Errorf("%v", err)
	}
}

// TestSettling: right after the role was changed, also what is let in may be IAM's
// that has not heard of it.
func TestSettling(t *testing.T) {
	for settling, want := range map[bool]Outcome{true: Passed, false: Failed} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(map[string][]error{"list-buckets": {nil, nil, errDenied()}})
			r, _ := started(t, f)
			r.options.Settling = settling
			tries := byApp(r)
			if got := trespassed(t.Context(), r, tries[2]); got.Outcome != want {
				t.Errorf("settling %t: %+v", settling, got)
			}
		})
	}
}

// TestRoleThatIsNotKnownEverywhere: it was made by an earlier run, and works; that a
// part of IAM does not find it is no answer.
func TestRoleThatIsNotKnownEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unknown := says("NoSuchEntity", "The role with name x cannot be found.")
		f := newFake(map[string][]error{"get-role": {unknown, unknown, errDenied()}})
		r, _ := started(t, f)
		tries := byApp(r)
		if got := trespassed(t.Context(), r, tries[3]); got.Outcome != Passed {
			t.Errorf("%+v", got)
		}
	})
}

// TestChosenPolicyIsNotHeldAgainst: only what the policy may allow is left out.
func TestChosenPolicyIsNotHeldAgainst(t *testing.T) {
	f := newFake(map[string][]error{"assume demo/default/sts.amazonaws.com": {errDenied()}, "assume demo/ostoy-sa/openshift": {errDenied()}})
	r, _ := started(t, f)
	r.options.Policy = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
	probes, text := proveIsolation(t.Context(), r)
	if text != "2 of 2 forbidden things were refused, 5 not tested" || len(probes) != 7 {
		t.Errorf("%s: %+v", text, probes)
	}
	level := LevelReport{Level: Isolation, Text: text, Probes: probes}
	level.Outcome, level.Missing = judge(Isolation, probes)
	report := Report{ServiceAccount: "ostoy-sa", Levels: []LevelReport{level}}
	const want = "in part: put, list, get as ostoy-sa; isolation not verified, by choice; 2 of 2 forbidden things were refused, 5 not tested"
	if level.Outcome != NotVerified || report.Err() != nil || report.Summary() != want {
		t.Errorf("%s, %v, %s", level.Outcome, report.Err(), report.Summary())
	}
}
