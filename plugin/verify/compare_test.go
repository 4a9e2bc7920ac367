package verify

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	installed = "arn:aws:iam::123456789012:role/ostoy-s3/the-role"
	stolen    = "arn:aws:iam::999999999999:role/stolen"
)

// TestF9Role: what pods and annotations name is compared with the install's role, and
// never taken over. STS is not asked if they differ.
func TestF9Role(t *testing.T) {
	for name, c := range map[string]struct {
		claims []Claim
		says   []string
	}{
		"the same":            {[]Claim{{Source: "pod a", Role: installed}, {Source: "the annotation", Role: installed}}, nil},
		"none named":          {[]Claim{{Source: "pod a", Audience: "sts.amazonaws.com"}}, nil},
		"another account":     {[]Claim{{Source: "pod a", Role: stolen}}, []string{"pod a names " + stolen, "the role of the install is " + installed}},
		"another role":        {[]Claim{{Source: "pod a", Role: installed + "2"}}, []string{"pod a names " + installed + "2"}},
		"another path":        {[]Claim{{Source: "pod a", Role: "arn:aws:iam::123456789012:role/the-role"}}, []string{"names arn:aws:iam::123456789012:role/the-role"}},
		"another partition":   {[]Claim{{Source: "pod a", Role: strings.Replace(installed, "aws", "aws-cn", 1)}}, []string{"names arn:aws-cn:"}},
		"the annotation only": {[]Claim{{Source: "pod a", Role: installed}, {Source: "the annotation", Role: stolen}}, []string{"the annotation names " + stolen}},
		"another pod":         {[]Claim{{Source: "pod a", Role: installed}, {Source: "pod b", Role: stolen}}, []string{"pod b names " + stolen}},
		"from elsewhere":      {[]Claim{{Source: "pod a", Hidden: true}}, []string{"the environment of pod a refers to another object: its AWS_ROLE_ARN is not known"}},
		"no ARN":              {[]Claim{{Source: "pod a", Role: "x\ntry oc delete project demo"}}, []string{"pod a names (a value that is not the ARN of an IAM role)"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(nil)
			r, _ := started(t, f)
			r.pods.Role, r.pods.Claims = c.claims[0].Role, c.claims
			if !strings.HasPrefix(r.pods.Role, "arn:") {
				r.pods.Role = installed
			}
			r.role = render.ARN{}
			probes, _ := proveIdentity(t.Context(), r)
			last := probes[len(probes)-1]
			if c.says == nil {
				if last.Outcome != Passed || len(probes) != len(Needed(Identity)) {
					t.Errorf("%+v", probes)
				}
				return
			}
			if last.Name != "role" || last.Outcome != Failed || last.failure.Kind != problem.Refused ||
				!installLast(last.Next, "oc ostoy-s3 verify -n demo --account-id ACCOUNT --role-name ROLE --role-path PATH") || strings.Contains(last.Next, "999999999999") {
				t.Errorf("%+v", last)
			}
			for _, text := range c.says {
				if !strings.Contains(last.Why, text) {
					t.Errorf("%q is not in %q", text, last.Why)
				}
			}
			if strings.Contains(last.Why, "try oc") || f.asked["assume demo/ostoy-sa/sts.amazonaws.com"] > 0 {
				t.Errorf("%q, asked %v", last.Why, f.asked)
			}
		})
	}
}

// installLast reports whether advice begins with the question which install is meant, and
// has install after it, for pods that somebody changed.
func installLast(advice, asks string) bool {
	asked, install := strings.Index(advice, asks), strings.Index(advice, "oc ostoy-s3 install -n demo")
	return asked >= 0 && asked < install && strings.Contains(advice[:install], "with the flags that the install had")
}

// TestF9Unasked: IAM is asked about a role of the install's account only, and its
// refusal is told.
func TestF9Unasked(t *testing.T) {
	for claimed, want := range map[string]string{stolen: "", strings.Replace(installed, "aws", "aws-cn", 1): "", installed + "2": installed + "2"} {
		r, _ := started(t, newFake(nil))
		r.pods.Role, r.pods.Claims = claimed, []Claim{{Source: "pod a", Role: claimed}}
		r.Target.Role = func(_ context.Context, _ string, asked render.ARN) (render.ARN, error) {
			if got := asked.String(); got != want && (want != "" || asked != (render.ARN{})) {
				t.Errorf("asked about %s for %s", got, claimed)
			}
			return r.role, &problem.Error{What: "AWS refused iam:GetRole"}
		}
		var told *problem.Error
		if err := checkRole(t.Context(), r); !errors.As(err, &told) || !strings.Contains(told.Why, "AWS refused iam:GetRole") {
			t.Errorf("%s: %v", claimed, err)
		}
	}
}

// TestF9NoAccount: without an account to compare with, nothing is proven, and it is said
// what helps.
func TestF9NoAccount(t *testing.T) {
	f := newFake(nil)
	r, _ := started(t, f)
	r.Account, r.Partition, r.CallerAccount, r.NoCaller = "", "", "", "expired"
	r.Target.Role = func(context.Context, string, render.ARN) (render.ARN, error) { return render.ARN{}, nil }
	report, err := r.prove(t.Context())
	if err != nil || report.Verified || report.Level(Identity).Outcome != NotVerified || f.asked["assume demo/ostoy-sa/sts.amazonaws.com"] > 0 {
		t.Errorf("%+v, %v, asked %v", report, err, f.asked)
	}
	var several *problem.Several
	if !errors.As(report.Err(), &several) || several.Kind() != problem.Refused ||
		!strings.Contains(several.Problems[0].Why, "expired") || !strings.Contains(several.Problems[0].Next, "--account-id ACCOUNT") {
		t.Errorf("%v", report.Err())
	}
	r.Target.Role = func(context.Context, string, render.ARN) (render.ARN, error) {
		return render.ARN{}, &problem.Error{Kind: problem.Failed, What: "no answer"}
	}
	report, err = r.prove(t.Context())
	if err != nil || report.Verified || !errors.As(report.Err(), &several) || several.Kind() != problem.Failed {
		t.Errorf("%v, %v", report.Err(), err)
	}
}

// TestF9NoPartition: an account alone, without a region that the user or their AWS
// configuration names, is not enough; the pods' region is not used in its place.
func TestF9NoPartition(t *testing.T) {
	r, _ := started(t, newFake(nil))
	r.Partition, r.Target.Region, r.pods.Region = "", "", "cn-north-1"
	r.Flags = Flags{{"--account-id", "123456789012"}}
	r.Target.Role = func(context.Context, string, render.ARN) (render.ARN, error) { return render.ARN{}, nil }
	r.complete()
	var cannot *untestable
	if err := checkRole(t.Context(), r); !errors.As(err, &cannot) || !strings.Contains(cannot.why, "neither --region nor your AWS configuration") ||
		!strings.Contains(cannot.next, "oc ostoy-s3 verify -n demo --account-id 123456789012 --region REGION") {
		t.Errorf("%v, %+v", err, cannot)
	}
}

// TestF9Audience: a token is requested for an audience that is known, or that the user
// names, and for no other, whoever names it.
func TestF9Audience(t *testing.T) {
	for name, c := range map[string]struct {
		flag, pod, annotation string
		want                  string // the audience of the token; "" if none is requested
		says                  string
	}{
		"nothing named":           {"", "", "", "sts.amazonaws.com", ""},
		"only annotated":          {"", "", "openshift", "openshift", ""},
		"only annotated, unknown": {"", "", "vault", "", "the annotation names audience vault"},
		"the default":             {"", "sts.amazonaws.com", "sts.amazonaws.com", "sts.amazonaws.com", ""},
		"the webhook's":           {"", "openshift", "", "openshift", ""},
		"another":                 {"", "vault", "", "", "pod a names audience vault"},
		"the API server's":        {"", "https://kubernetes.default.svc", "", "", "pod a names audience https://kubernetes.default.svc"},
		"another, by flag":        {"vault", "vault", "", "vault", ""},
		"not the flag's":          {"openshift", "sts.amazonaws.com", "", "", "the audience of the install is openshift"},
		"only the annotation's":   {"", "sts.amazonaws.com", "vault", "", "the annotation names audience vault"},
		"two that are known":      {"", "sts.amazonaws.com", "openshift", "", "the annotation names audience openshift"},
		"what is not an audience": {"", "x\ntry oc delete project demo", "", "", "pod a names audience (a value that is not a name or a URL)"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(map[string][]error{"head-bucket": {errNetwork}})
			r, _ := started(t, f)
			r.Target.Audience, r.pods.Audience = c.flag, c.pod
			r.pods.Claims = []Claim{{Source: "pod a", Audience: c.pod}, {Source: "the annotation", Audience: c.annotation}}
			r.complete()
			probes, _ := proveIdentity(t.Context(), r)
			for asked := range f.asked {
				if strings.HasPrefix(asked, "token ") && asked != "token demo/ostoy-sa/"+c.want {
					t.Errorf("asked for %s", asked)
				}
			}
			if last := probes[len(probes)-1]; c.want == "" && (last.Name != "audience" || last.Outcome != Failed || !strings.Contains(last.Why, c.says) ||
				!installLast(last.Next, "oc ostoy-s3 verify -n demo --audience AUDIENCE")) {
				t.Errorf("%+v", last)
			}
			if c.want != "" && f.asked["token demo/ostoy-sa/"+c.want] != 1 {
				t.Errorf("asked %v, %+v", f.asked, probes)
			}
		})
	}
	r, _ := started(t, newFake(nil))
	for _, audience := range []string{"", "vault"} {
		if _, err := tokenFor(t.Context(), r, "demo", "ostoy-sa", audience); !errors.Is(err, errAudience) {
			t.Errorf("%q: %v", audience, err)
		}
	}
}

// TestF9Region: AWS is not asked in a place that only a pod names, unless it is a region
// of the install's partition.
func TestF9Region(t *testing.T) {
	for region, fits := range map[string]bool{"": true, "eu-west-1": true, "cn-north-1": false, "x@example.com/": false, "mars": false} {
		r, _ := started(t, newFake(nil))
		r.Region, r.AWS.Region, r.pods.Region = "", "us-east-2", region
		r.complete()
		if err := checkRegion(r); (err == nil) != fits || !fits && strings.Contains(err.Error(), "example.com") {
			t.Errorf("%q: %v", region, err)
		}
		if want := map[bool]string{true: region, false: "us-east-2"}[fits && region != ""]; r.region != want {
			t.Errorf("%q: AWS is asked in %s", region, r.region)
		}
	}
}
