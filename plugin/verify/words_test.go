package verify

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestAgain: a command that verifies or installs once more has the flags that say which
// install is meant, each once.
func TestAgain(t *testing.T) {
	r, _ := started(t, newFake(nil))
	if got := r.again() + "|" + r.install(); got != "oc ostoy-s3 verify -n demo|oc ostoy-s3 install -n demo" {
		t.Error(got)
	}
	r.Flags = Flags{{"--account-id", "123456789012"}, {"--region", "us-east-2"}, {"--role-name", "-odd"}, {"--role-path", "/a b/"}}
	const given = " --role-name=-odd --role-path '/a b/'"
	for got, want := range map[string]string{
		r.again():                              "oc ostoy-s3 verify -n demo --account-id 123456789012 --region us-east-2" + given,
		r.install():                            "oc ostoy-s3 install -n demo --account-id 123456789012 --region us-east-2" + given,
		r.again(Flag{"--region", "eu-west-1"}): "oc ostoy-s3 verify -n demo --account-id 123456789012" + given + " --region eu-west-1",
	} {
		if got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

// TestAgainEverywhere: so have all messages of a run that can repeat them.
func TestAgainEverywhere(t *testing.T) {
	r, _ := started(t, newFake(nil))
	r.Flags = Flags{{"--role-name", "given"}}
	stuck := LevelReport{Level: Isolation, Outcome: NotVerified, Missing: []string{"get-role"}, Probes: []Probe{{Name: "get-role", Outcome: NotTested}}}
	stuck.again = r.again()
	next := func(err error) string {
		var several *problem.Several
		var one *problem.Error
		if errors.As(err, &several) {
			return several.Problems[0].Next
		}
		if errors.As(err, &one) {
			return one.Next
		}
		return err.Error()
	}
	_, noRole := roleOf(r, Pods{})
	for name, text := range map[string]string{
		"not proven": next((Report{Levels: []LevelReport{stuck}}).Err()),
		"no role":    next(noRole),
		"trust":      r.notTrusted().Next,
		"ARN":        r.badARN("x").Next,
		"menu entry": next(noMenuEntry(r)),
		"bytes":      next(otherBytes(r, "k")),
	} {
		if !strings.Contains(text, "-n demo --role-name given") {
			t.Errorf("%s: %s", name, text)
		}
	}
	for _, one := range trespasses(r) {
		if !strings.Contains(one.next, "oc ostoy-s3 install -n demo --role-name given") {
			t.Errorf("%s: %s", one.name, one.next)
		}
	}
}

// TestAgainNamesTheRole: of an install whose role has another name than the one that
// install computes, which IAM has confirmed, the role is named.
func TestAgainNamesTheRole(t *testing.T) {
	computed := render.RoleName("https://issuer.example.com", "demo")
	for name, c := range map[string]struct {
		role    string
		flags   Flags
		options Options
		want    string
	}{
		"computed":      {"ostoy-s3/" + computed, nil, Options{}, ""},
		"another name":  {"ostoy-s3/x", nil, Options{}, " --role-name x"},
		"another path":  {"a/b/" + computed, nil, Options{}, " --role-path /a/b/"},
		"no path":       {"-x", nil, Options{}, " --role-name=-x --role-path /"},
		"given by user": {"ostoy-s3/x", Flags{{"--role-name", "x"}}, Options{}, " --role-name x"},
		"by install":    {"ostoy-s3/x", nil, Options{Applied: true}, ""},
		"adopted":       {"ostoy-s3/x", nil, Options{Narrow: "oc ostoy-s3 install"}, ""},
	} {
		r, _ := started(t, newFake(nil))
		arn, err := render.ParseARN("arn:aws:iam::123456789012:role/" + c.role)
		if err != nil {
			t.Fatal(err)
		}
		r.Target.Role = func(context.Context, string, render.ARN) (render.ARN, error) { return arn, nil }
		r.pods, r.Flags, r.options = Pods{Role: arn.String()}, c.flags, c.options
		if err := checkRole(t.Context(), r); err != nil || r.install() != "oc ostoy-s3 install -n demo"+c.want || r.again() != "oc ostoy-s3 verify -n demo"+c.want {
			t.Errorf("%s: %v, %s, %s", name, err, r.install(), r.again())
		}
	}
}

// TestF2RegionOff: a region that only a pod names does not lead to a command that enables
// it in the account.
func TestF2RegionOff(t *testing.T) {
	for name, c := range map[string]struct {
		flag, configured, pod string
		want                  string
		ofPods                bool
	}{
		"by flag":    {"eu-south-2", "us-east-2", "eu-west-1", "eu-south-2", false},
		"configured": {"", "us-east-2", "", "us-east-2", false},
		"a pod's":    {"", "us-east-2", "me-south-1", "me-south-1", true},
		"flag, pod":  {"us-east-2", "", "us-east-2", "us-east-2", false},
		"both":       {"", "us-east-2", "us-east-2", "us-east-2", false},
	} {
		r, _ := started(t, newFake(nil))
		r.Region, r.AWS.Region, r.pods.Region = c.flag, c.configured, c.pod
		r.complete()
		told := r.regionOff()
		if r.region != c.want || strings.Contains(told.Next, c.want) == c.ofPods || strings.Contains(told.Why, "only a pod's AWS_REGION") != c.ofPods ||
			c.ofPods && !strings.Contains(told.Next, "oc ostoy-s3 verify -n demo --region REGION\n") {
			t.Errorf("%s: %s, %+v", name, r.region, told)
		}
	}
}

// TestF2WrongAudience: an audience that only the project names does not lead to a command
// that has the cluster's OIDC provider accept it.
func TestF2WrongAudience(t *testing.T) {
	for flag, usual := range map[string]bool{"": false, "openshift": true} {
		r, _ := started(t, newFake(nil))
		r.Target.Audience, r.pods.Audience = flag, "openshift"
		if flag != "" {
			r.Flags = Flags{{"--audience", flag}}
		}
		r.complete()
		told := r.wrongAudience()
		if r.Audience != "openshift" || strings.Contains(told.Next, "--client-id openshift") != usual ||
			!usual && !strings.Contains(told.Next, "oc ostoy-s3 verify -n demo --audience AUDIENCE") {
			t.Errorf("%q: %s, %s", flag, r.Audience, told.Next)
		}
	}
}
