package render

import (
	"errors"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func TestValidateNamespace(t *testing.T) {
	longest := strings.Repeat("a", 56)
	for name, want := range map[string]string{
		"demo":             "",
		"ostoy-3f9a1c20":   "",
		"1a":               "",
		"kubefoo":          "",
		"openshifty":       "",
		"banana":           "",
		longest:            "",
		longest + "a":      "57 characters",
		"":                 "empty",
		"Demo":             "lower case",
		"a.b":              "lower case",
		"-a":               "begins and ends",
		"a-":               "begins and ends",
		"a b":              "lower case",
		"ünï":              "lower case",
		"default":          "belongs to the cluster",
		"openshift":        "belongs to the cluster",
		"openshift-x":      "belongs to the cluster",
		"kube-system":      "belongs to the cluster",
		"kube":             "belongs to the cluster",
		"kubernetes":       "belongs to the cluster",
		"kubernetes-x":     "belongs to the cluster",
		"xn--a":            "begin with xn--",
		"sthree-a":         "begin with sthree-",
		"sthree":           "begin with sthree-", // sthree-bucket
		"amzn-s3-demo-a":   "begin with amzn-s3-demo-",
		"amzn-s3-demo":     "begin with amzn-s3-demo-",
		"a-s3alias":        "end in -s3alias",
		"a--ol-s3":         "end in --ol-s3",
		"a--x-s3":          "end in --x-s3",
		"a--table-s3":      "end in --table-s3",
		"ostoy-an":         "end in -an",
		"a.mrap":           "lower case",
		"sthree-configure": "begin with sthree-",
	} {
		checkInput(t, name, ValidateNamespace(name), want)
	}
}

// checkInput wants no error, or a *problem.Error with a text and all its parts.
func checkInput(t *testing.T, name string, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("%q: unexpected error: %v", name, err)
		}
		return
	}
	var input *problem.Error
	if !problem.IsInput(err) || !errors.As(err, &input) {
		t.Errorf("%q: want a *problem.Error with %q, got %v", name, want, err)
		return
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("%q: want %q in: %v", name, want, err)
	}
	if input.What == "" || input.Why == "" || input.Next == "" {
		t.Errorf("%q: a part is missing: %+v", name, input)
	}
}

func TestNormalizeIssuer(t *testing.T) {
	for in, want := range map[string]string{
		"https://oidc.op1.openshiftapps.com/2abc":                "",
		"https://oidc.eks.us-east-2.amazonaws.com/id/ABCDEF0123": "",
		"https://prefix-oidc-x.s3.us-east-1.amazonaws.com":       "",
		"https://d111.cloudfront.net/a_b~c.d":                    "",
		"http://oidc.example.com":                                "https://",
		"oidc.example.com/2abc":                                  "https://",
		"HTTPS://oidc.example.com":                               "https://",
		"https://oidc.example.com?":                              "query",
		"https://oidc.example.com/a?b=c":                         "query",
		"https://oidc.example.com/a#b":                           "fragment",
		"https://oidc.example.com:443/a":                         "port",
		"https://oidc.example.com:/a":                            "port",
		"https://u:p@oidc.example.com/a":                         "user",
		"https://OIDC.example.com":                               "DNS name",
		"https:///a":                                             "DNS name",
		"https://a b.example.com":                                "not a URL",
		"https://oidc.example.com/a//b":                          "path",
		"https://oidc.example.com/../b":                          "path",
		"https://oidc.example.com/*":                             "path",
		"https://oidc.example.com/${aws:username}":               "path",
		"https://oidc.example.com/%2e%2e":                        "path",
		"https://oidc.example.com/" + strings.Repeat("a", 255):   "255",
		"https://kubernetes.default.svc.example":                 "STS",
		"https://kubernetes.default.svc":                         "STS",
		"https://kubernetes.default.svc/":                        "STS",
		"https://kubernetes.default.svc.cluster.local":           "STS",
		"":  "STS",
		"/": "STS",
		"https://kubernetes.default.svcs.example.com/not-in-family": "",
	} {
		got, err := NormalizeIssuer(in)
		checkInput(t, in, err, want)
		if want == "" && got != in {
			t.Errorf("%q became %q", in, got)
		}
		if (want == "STS") != errors.Is(err, ErrNotSTS) {
			t.Errorf("%q: ErrNotSTS is %t", in, errors.Is(err, ErrNotSTS))
		}
	}
	if got, err := NormalizeIssuer("https://oidc.example.com/a//"); err != nil || got != "https://oidc.example.com/a" {
		t.Errorf("slashes at the end are dropped: %q, %v", got, err)
	}
}

func TestPartitionOf(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-2": PartitionAWS, "ap-southeast-5": PartitionAWS, "mx-central-1": PartitionAWS, "il-central-1": PartitionAWS,
		"us-gov-west-1": PartitionGov, "cn-north-1": PartitionChina, "eusc-de-east-1": PartitionEUSC,
		"us-iso-east-1": "", "us-isob-east-1": "", "eu-isoe-west-1": "",
		"": "", "useast2": "", "us-east": "", "us-east-": "", "us-east-0": "", "us-east-2a": "", "US-EAST-2": "", "u-east-1": "", "us--1": "",
	} {
		if got := PartitionOf(region); got != want {
			t.Errorf("%q: %q, want %q", region, got, want)
		}
	}
}

func goodFacts() Facts {
	return Facts{
		Namespace:   Fact{Value: "demo", Source: "flag"},
		ClusterID:   Fact{Value: "6c1f2f0e-8a8e-4d3c-9b1a-0f0f0f0f0f0f", Source: "clusterversions/version"},
		Platform:    Fact{Value: PlatformROSAHCP, Source: "infrastructures/cluster"},
		Issuer:      Fact{Value: "https://oidc.op1.openshiftapps.com/2abc", Source: "authentications/cluster"},
		Audience:    Fact{Value: DefaultAudience, Source: "default"},
		Account:     Fact{Value: "012345678901", Source: "sts:GetCallerIdentity"},
		Partition:   Fact{Value: PartitionAWS, Source: "sts:GetCallerIdentity"},
		Region:      Fact{Value: "us-east-2", Source: "infrastructures/cluster"},
		KubeVersion: Fact{Value: "v1.33.4", Source: "version"},
		APIVersions: ListFact{Values: []string{"route.openshift.io/v1", "route.openshift.io/v1/Route", "v1"}, Source: "discovery"},
	}
}

func TestValidateOneFact(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Facts)
		want   string
	}{
		"good":              {func(*Facts) {}, ""},
		"nothing known":     {func(f *Facts) { *f = Facts{} }, ""},
		"namespace":         {func(f *Facts) { f.Namespace.Value = "kube-x" }, "belongs to the cluster"},
		"issuer":            {func(f *Facts) { f.Issuer.Value = "http://x.example" }, "https://"},
		"issuer slash":      {func(f *Facts) { f.Issuer.Value += "/" }, ""},
		"source is told":    {func(f *Facts) { f.Issuer.Value = "http://x.example" }, "(from authentications/cluster)"},
		"account short":     {func(f *Facts) { f.Account.Value = "1234" }, "twelve digits"},
		"account letters":   {func(f *Facts) { f.Account.Value = "12345678901x" }, "twelve digits"},
		"partition":         {func(f *Facts) { f.Partition.Value = "aws-iso" }, "known are aws, aws-us-gov, aws-cn, aws-eusc"},
		"region":            {func(f *Facts) { f.Region.Value = "useast2" }, "not a region"},
		"region elsewhere":  {func(f *Facts) { f.Region.Value = "us-gov-west-1" }, "partition aws-us-gov"},
		"region china":      {func(f *Facts) { f.Region.Value = "cn-north-1" }, "partition aws-cn"},
		"region unknown":    {func(f *Facts) { f.Region = Fact{}; f.Partition.Value = PartitionGov }, ""},
		"platform":          {func(f *Facts) { f.Platform.Value = "rosa" }, "rosa-hcp"},
		"version":           {func(f *Facts) { f.KubeVersion.Value = "1" }, "v1.33.4"},
		"version short":     {func(f *Facts) { f.KubeVersion.Value = "1.33" }, ""},
		"version of EKS":    {func(f *Facts) { f.KubeVersion.Value = "v1.33.4-eks-abc123+x.1" }, ""},
		"version tail":      {func(f *Facts) { f.KubeVersion.Value = "v1.33.4-" }, "v1.33.4"},
		"version zero":      {func(f *Facts) { f.KubeVersion.Value = "v1.033" }, "v1.33.4"},
		"audience":          {func(f *Facts) { f.Audience.Value = "a b" }, "audience"},
		"audience wildcard": {func(f *Facts) { f.Audience.Value = "sts.*" }, "audience"},
		"cluster id":        {func(f *Facts) { f.ClusterID.Value = "a/b" }, "cluster id"},
		"api":               {func(f *Facts) { f.APIVersions.Values = []string{"a/b/c/d"} }, "group/version/Kind"},
		"api empty":         {func(f *Facts) { f.APIVersions.Values = []string{""} }, "group/version/Kind"},
	} {
		facts := goodFacts()
		c.change(&facts)
		checkInput(t, name, facts.Validate(), c.want)
	}
}

func TestValidateListsEverything(t *testing.T) {
	facts := goodFacts()
	facts.Namespace.Value, facts.Account.Value, facts.Region.Value = "default", "1", "mars"
	err := facts.Validate()
	checkInput(t, "three", err, "3 facts cannot be used")
	for _, part := range []string{`namespace "default"`, `account id "1"`, `region "mars"`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s is missing in: %v", part, err)
		}
	}
}

func FuzzNamespace(f *testing.F) {
	for _, seed := range []string{"demo", "xn--a", "kube-system", "", strings.Repeat("a", 57), "a-an"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if ValidateNamespace(name) != nil {
			return
		}
		bucket := BucketName(name)
		if len(bucket) < 3 || len(bucket) > 63 || !dnsLabel.MatchString(bucket) {
			t.Errorf("%q gives the impossible bucket %q", name, bucket)
		}
		if role := RoleName("https://oidc.example.com", name); len(role) > 64 {
			t.Errorf("%q gives the role %q", name, role)
		}
	})
}

func FuzzIssuer(f *testing.F) {
	for _, seed := range []string{"https://oidc.op1.openshiftapps.com/2abc/", "https://a.b:1", "https://a?b", "https://kubernetes.default.svc", "https://a/%2e", "https://[::1]/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		issuer, err := NormalizeIssuer(s)
		if err != nil {
			return
		}
		again, err := NormalizeIssuer(issuer)
		if err != nil || again != issuer {
			t.Errorf("%q became %q, and that %q, %v", s, issuer, again, err)
		}
		if strings.TrimRight(s, "/") != issuer || strings.ContainsAny(issuer, "*?$#@% \"'\\") {
			t.Errorf("%q became %q", s, issuer)
		}
		if a, err := ParseARN(ProviderARN(PartitionAWS, "123456789012", issuer)); err != nil || a.Service != "iam" {
			t.Errorf("%q gives a provider ARN that is none: %v", s, err)
		}
	})
}
