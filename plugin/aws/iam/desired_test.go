package iam

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func TestDesired(t *testing.T) {
	r := desired(t, facts(), RoleOptions{Tags: map[string]string{"team": "blue"}})

	if want := "demo-ostoy-sa-" + vector; r.Name != want {
		t.Errorf("name %s, want %s", r.Name, want)
	}
	if want := "arn:aws:iam::123456789012:role/ostoy-s3/" + r.Name; r.ARN != want || r.ARN != ARN(facts(), RoleOptions{}) {
		t.Errorf("ARN %s, want %s", r.ARN, want)
	}
	if r.Trust.JSON() != trustJSON {
		t.Errorf("trust policy\n%s\nwant\n%s", r.Trust.JSON(), trustJSON)
	}
	if r.Policy.JSON() != policyJSON {
		t.Errorf("permissions\n%s\nwant\n%s", r.Policy.JSON(), policyJSON)
	}
	for k, v := range map[string]string{
		"team": "blue", render.TagManagedBy: "ostoy-s3", render.TagNamespace: "demo",
		render.TagIssuer: "https://oidc.op1.openshiftapps.com/2abc", render.TagClusterID: "11111111-aaaa-4bbb-8ccc-222222222222",
	} {
		if r.Tags[k] != v {
			t.Errorf("tag %s is %q, want %q", k, r.Tags[k], v)
		}
	}
	if got, want := r.Label(), "ostoy-s3/"+r.Name; got != want {
		t.Errorf("label %s, want %s", got, want)
	}
	if got, want := r.Allows(), "s3:ListBucket s3:GetObject s3:PutObject on demo-bucket, in this account only"; got != want {
		t.Errorf("allows %s, want %s", got, want)
	}
	if got, want := r.Trusts(), "system:serviceaccount:demo:ostoy-sa  (audience sts.amazonaws.com)"; got != want {
		t.Errorf("trusts %s, want %s", got, want)
	}
}

// vector is computed apart from this program:
// printf 'https://oidc.op1.openshiftapps.com/2abc\ndemo' | sha256sum | cut -c1-8.
const vector = "7560009f8082"

func TestDesiredInEveryPartition(t *testing.T) {
	for _, p := range []string{"aws", "aws-us-gov", "aws-cn", "aws-eusc"} {
		f := facts()
		f.Partition.Value = p
		r := desired(t, f, RoleOptions{
			Boundary: "arn:" + p + ":iam::123456789012:policy/limits/edge",
		})
		text := r.ARN + r.Provider + r.Trust.JSON() + r.Policy.JSON()
		if got := strings.Count(text, "arn:"); got != strings.Count(text, "arn:"+p+":") {
			t.Errorf("%s: an ARN of another partition: %s", p, text)
		}
		if !strings.Contains(r.Trust.JSON(), `:aud":"sts.amazonaws.com"`) {
			t.Errorf("%s: the audience is %s", p, r.Audience)
		}
		managed := desired(t, f, RoleOptions{PolicyARN: "arn:" + p + ":iam::aws:policy/AmazonS3FullAccess"})
		if managed.Policy != nil || managed.PolicyARN == "" {
			t.Errorf("%s: not the managed policy alone", p)
		}
	}
}

func TestIssuerForms(t *testing.T) {
	for issuer, host := range map[string]string{
		"https://oidc.eks.us-east-2.amazonaws.com/id/ABC": "oidc.eks.us-east-2.amazonaws.com/id/ABC", // two segments
		"https://my-oidc.s3.us-east-1.amazonaws.com":      "my-oidc.s3.us-east-1.amazonaws.com",      // no path
	} {
		f := facts()
		f.Issuer.Value = issuer
		r := desired(t, f, RoleOptions{})
		if want := "arn:aws:iam::123456789012:oidc-provider/" + host; r.Provider != want {
			t.Errorf("provider %s, want %s", r.Provider, want)
		}
		if _, ok := r.Trust.Statement[0].Condition["StringEquals"][host+":sub"]; !ok {
			t.Errorf("no condition on %s:sub: %s", host, r.Trust.JSON())
		}
	}
}

func TestNameAndPathOfTheUser(t *testing.T) {
	o := RoleOptions{Name: "my.role+x=1,@_-", Path: "/a/b/"}
	r := desired(t, facts(), o)
	if r.ARN != "arn:aws:iam::123456789012:role/a/b/my.role+x=1,@_-" || ARN(facts(), o) != r.ARN {
		t.Errorf("ARN %s", r.ARN)
	}
	if r := desired(t, facts(), RoleOptions{Path: "/"}); r.ARN != "arn:aws:iam::123456789012:role/"+r.Name {
		t.Errorf("ARN %s", r.ARN)
	}
	long := facts()
	long.Namespace.Value = strings.Repeat("n", 56)
	if r := desired(t, long, RoleOptions{}); len(r.Name) > maxRoleName {
		t.Errorf("%s has %d characters", r.Name, len(r.Name))
	}
}

func TestDesiredRefuses(t *testing.T) {
	with := func(set func(*render.Facts)) render.Facts { f := facts(); set(&f); return f }
	many := map[string]string{}
	for i := range maxTags - 3 {
		many[fmt.Sprint("k", i)] = "v"
	}
	const policy = "arn:aws:iam::123456789012:policy/p"
	for _, c := range []struct {
		name  string
		facts render.Facts
		o     RoleOptions
		word  string
	}{
		{"no namespace", with(func(f *render.Facts) { f.Namespace.Value = "" }), RoleOptions{}, "namespace"},
		{"no issuer", with(func(f *render.Facts) { f.Issuer.Value = "" }), RoleOptions{}, "--oidc-issuer"},
		{"no audience", with(func(f *render.Facts) { f.Audience.Value = "" }), RoleOptions{}, "--audience"},
		{"no account", with(func(f *render.Facts) { f.Account.Value = "" }), RoleOptions{}, "--account-id"},
		{"no partition", with(func(f *render.Facts) { f.Partition.Value = "" }), RoleOptions{}, "--partition"},
		{"long name", facts(), RoleOptions{Name: strings.Repeat("n", 65)}, "this has 65"},
		{"blank in the name", facts(), RoleOptions{Name: "my role"}, "--role-name"},
		{"slash in the name", facts(), RoleOptions{Name: "my/role"}, "--role-name"},
		{"umlaut in the name", facts(), RoleOptions{Name: "rölle"}, "this has 5"},
		{"newline after the name", facts(), RoleOptions{Name: "role\n"}, "--role-name"},
		{"path without beginning", facts(), RoleOptions{Path: "a/"}, "--role-path /a/"},
		{"path without end", facts(), RoleOptions{Path: "/a"}, "--role-path /a/"},
		{"path with an empty part", facts(), RoleOptions{Path: "/a//b/"}, "--role-path"},
		{"path with a blank", facts(), RoleOptions{Path: "/a b/"}, "--role-path /ab/"},
		{"long path", facts(), RoleOptions{Path: "/" + strings.Repeat("p", 511) + "/"}, "512"},
		{"boundary no ARN", facts(), RoleOptions{Boundary: "edge"}, "--permissions-boundary arn:aws:iam::123456789012:policy/NAME"},
		{"boundary of S3", facts(), RoleOptions{Boundary: "arn:aws:s3:::demo-bucket"}, `this one is of "s3"`},
		{"boundary a role", facts(), RoleOptions{Boundary: "arn:aws:iam::123456789012:role/x"}, "policy/NAME"},
		{"boundary without name", facts(), RoleOptions{Boundary: "arn:aws:iam::123456789012:policy/"}, "policy/NAME"},
		{"boundary with region", facts(), RoleOptions{Boundary: "arn:aws:iam:us-east-1:123456789012:policy/x"}, "--permissions-boundary"},
		{"policy of another partition", facts(), RoleOptions{PolicyARN: "arn:aws-us-gov:iam::aws:policy/AmazonS3FullAccess"}, "--policy-arn arn:aws:iam::aws:policy/AmazonS3FullAccess"},
		{"policy of another account", facts(), RoleOptions{PolicyARN: "arn:aws:iam::210987654321:policy/p"}, "another account"},
		{"policy of STS", facts(), RoleOptions{PolicyARN: "arn:aws:sts::123456789012:policy/p"}, "--policy-arn"},
		{"policy with a newline", facts(), RoleOptions{PolicyARN: policy + "\nx"}, "--policy-arn"},
		{"empty tag key", facts(), RoleOptions{Tags: map[string]string{"": "v"}}, "empty"},
		{"long tag key", facts(), RoleOptions{Tags: map[string]string{strings.Repeat("k", 129): ""}}, "128"},
		{"long tag value", facts(), RoleOptions{Tags: map[string]string{"k": strings.Repeat("ü", 257)}}, "256"},
		{"aws: tag", facts(), RoleOptions{Tags: map[string]string{"AWS:x": "v"}}, "belong to AWS"},
		{"our tag", facts(), RoleOptions{Tags: map[string]string{"ostoy-s3/Issuer": "v"}}, "recognised as ours"},
		{"our unknown tag", with(func(f *render.Facts) { f.ClusterID.Value = "" }), RoleOptions{Tags: map[string]string{render.TagClusterID: "v"}}, "recognised as ours"},
		{"tag twice", facts(), RoleOptions{Tags: map[string]string{"Team": "a", "team": "b"}}, "same key"},
		{"odd tag", facts(), RoleOptions{Tags: map[string]string{"k": "a;b"}}, "letters, digits"},
		{"many tags", facts(), RoleOptions{Tags: many}, "at most 50"},
		{"issuer no tag can hold", with(func(f *render.Facts) { f.Issuer.Value = "https://x.example.com/" + strings.Repeat("p", 250) }), RoleOptions{}, "256"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Desired(c.facts, c.o)
			var in *problem.Error
			if !problem.IsInput(err) || !errors.As(err, &in) {
				t.Fatalf("not an input error: %v", err)
			}
			if all := in.What + "\n" + in.Why + "\n" + in.Next; in.Next == "" || !strings.Contains(all, c.word) {
				t.Errorf("does not say %q:\n%s", c.word, all)
			}
		})
	}
}

// A long audience is the one way to a long trust policy: the issuer must fit a tag.
func TestTrustPolicySize(t *testing.T) {
	f := facts()
	f.Audience.Value = strings.Repeat("a", 2048-len(trustJSON)+len(render.DefaultAudience))
	if got := len(desired(t, f, RoleOptions{}).Trust.JSON()); got != maxTrust {
		t.Fatalf("%d characters, want %d", got, maxTrust)
	}
	f.Audience.Value += "a"
	if _, err := Desired(f, RoleOptions{}); err == nil || !strings.Contains(err.Error(), "2049") {
		t.Errorf("2049 characters were taken: %v", err)
	}
}

func TestTagsAtTheLimits(t *testing.T) {
	tags := map[string]string{strings.Repeat("ü", 128): strings.Repeat("ß", 256), "a b_.:/=+-@": ""}
	desired(t, facts(), RoleOptions{Tags: tags})
	for i := range maxTags - 6 - len(tags) {
		tags[fmt.Sprint("k", i)] = "v"
	}
	if r := desired(t, facts(), RoleOptions{Tags: tags, PolicyARN: managedARN}); len(r.Tags) != maxTags {
		t.Errorf("%d tags, want %d", len(r.Tags), maxTags)
	}
}

func FuzzDesired(f *testing.F) {
	f.Add("name", "/path/", "arn:aws:iam::123456789012:policy/p", "arn:aws:iam::aws:policy/AmazonS3FullAccess", "k", "v")
	f.Add("", "", "", "", "", "")
	f.Add("x\n", "//", "arn:::::", "arn:aws:iam::123456789012:policy/\x00", "aws:", "\xff")
	f.Fuzz(func(t *testing.T, name, path, boundary, policy, key, value string) {
		o := RoleOptions{Name: name, Path: path, Boundary: boundary, PolicyARN: policy, Tags: map[string]string{key: value}}
		r, err := Desired(facts(), o)
		var in *problem.Error
		if err != nil {
			if !problem.IsInput(err) || !errors.As(err, &in) {
				t.Fatalf("not an input error: %v", err)
			}
			return
		}
		if strings.ContainsAny(r.ARN+r.Boundary+r.PolicyARN, " \n\x00\"") {
			t.Fatalf("taken: %q %q %q", r.ARN, r.Boundary, r.PolicyARN)
		}
	})
}
