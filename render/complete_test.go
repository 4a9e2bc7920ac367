package render

import (
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func TestComplete(t *testing.T) {
	got := Facts{
		Issuer:      Fact{Value: "https://oidc.eks.eu-west-1.amazonaws.com/id/ABC/", Source: "flag"},
		Region:      Fact{Value: "cn-north-1", Source: "flag"},
		KubeVersion: Fact{Value: "1.31", Source: "flag"},
	}.Complete()
	for _, c := range []struct{ name, got, want string }{
		{"issuer", got.Issuer.Value, "https://oidc.eks.eu-west-1.amazonaws.com/id/ABC"},
		{"partition", got.Partition.Value, PartitionChina},
		{"partition source", got.Partition.Source, "follows from the region"},
		{"audience", got.Audience.Value, DefaultAudience},
		{"platform", got.Platform.Value, PlatformEKS},
		{"version", got.KubeVersion.Value, "v1.31.0"},
		{"version source", got.KubeVersion.Source, "flag"},
		{"api source", got.APIVersions.Source, "default of platform eks"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
	if slices.Contains(got.APIVersions.Values, "route.openshift.io/v1") {
		t.Error("EKS serves no Routes")
	}
}

func TestCompletePlatforms(t *testing.T) {
	for _, platform := range platforms() {
		facts := Facts{Platform: Fact{Value: platform, Source: "flag"}}.Complete()
		if err := facts.Validate(); err != nil {
			t.Errorf("%s: %v", platform, err)
		}
		routes := slices.Contains(facts.APIVersions.Values, "route.openshift.io/v1/Route")
		if want := platform != PlatformEKS && platform != PlatformKubernetes; routes != want {
			t.Errorf("%s: routes %t", platform, routes)
		}
		if !slices.IsSorted(facts.APIVersions.Values) {
			t.Errorf("%s: not sorted", platform)
		}
	}
	if facts := (Facts{}).Complete(); facts.APIVersions.Known() || facts.Platform.Known() || facts.Partition.Known() {
		t.Errorf("nothing known, and yet: %+v", facts)
	}
}

func TestCompleteKeepsWhatIsKnown(t *testing.T) {
	want := goodFacts()
	got := want.Complete()
	for i, row := range got.Rows() {
		if row != want.Rows()[i] {
			t.Errorf("%+v, want %+v", row, want.Rows()[i])
		}
	}
}

func TestRequire(t *testing.T) {
	enough := Facts{
		Namespace: Fact{Value: "demo"}, Issuer: Fact{Value: "https://oidc.example.com"}, Account: Fact{Value: "123456789012"},
		Region: Fact{Value: "us-east-2"}, Platform: Fact{Value: PlatformKubernetes},
	}
	if err := enough.Require(); err != nil {
		t.Error(err)
	}
	groups := enough
	groups.Platform, groups.APIVersions = Fact{}, ListFact{Values: []string{"v1"}}
	if err := groups.Require(); err != nil {
		t.Error(err)
	}
	one := enough
	one.Region = Fact{}
	checkInput(t, "one", one.Require(), "a fact is missing: region")

	none := Facts{Account: Fact{Why: "no AWS credentials"}, APIVersions: ListFact{Why: "no kubeconfig"}}
	err := none.Require()
	checkInput(t, "none", err, "5 facts are missing")
	input := err.(*problem.Error)
	for _, part := range []string{"no AWS credentials", "no kubeconfig", "not given", "namespace", "issuer", "accountID", "region", "platform"} {
		if !strings.Contains(input.Why, part) {
			t.Errorf("%q is missing in: %s", part, input.Why)
		}
	}
	for _, flag := range []string{"--namespace", "--oidc-issuer", "--account-id", "--region", "--platform", "--facts"} {
		if !strings.Contains(input.Next, flag) {
			t.Errorf("%q is missing in: %s", flag, input.Next)
		}
	}
}
