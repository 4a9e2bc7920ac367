package detect

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func writeJSON(w http.ResponseWriter, object any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(object)
}

// TestRegionForSTS looks at the region the request was signed for: credentials
// of one partition mean nothing in another.
func TestRegionForSTS(t *testing.T) {
	for name, c := range map[string]struct {
		environment, given string
		forbidden          bool
		want               string
	}{
		"configured":        {environment: "eu-west-1", want: "eu-west-1"},
		"given":             {environment: "eu-west-1", given: "us-west-2", want: "us-west-2"},
		"the cluster's":     {want: "us-east-2"},
		"nobody knows one":  {forbidden: true, want: "us-east-1"},
		"given, none there": {given: "us-west-2", forbidden: true, want: "us-west-2"},
	} {
		t.Run(name, func(t *testing.T) {
			identity := fakeSTS(t, adminARN)
			t.Setenv("AWS_REGION", c.environment)
			s := openshift(t, "External", true)
			if c.forbidden {
				projectAdmin(s)
			}
			req := Request{Connect: connector(s), AWS: AWSOptions{Region: c.given}}
			if c.given != "" {
				req.Given.Region = render.Fact{Value: c.given, Source: "flag"}
			}
			result, err := Detect(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			signed := identity.requests[0].Get("Authorization")
			if !strings.Contains(signed, "/"+c.want+"/sts/") || result.AWS.Config.Region == "" {
				t.Errorf("%s", signed)
			}
		})
	}
}

func TestPartitionOfTheCaller(t *testing.T) {
	fakeSTS(t, "arn:aws-us-gov:iam::123456789012:user/path/bob")
	s := openshift(t, "External", true) // in us-east-2
	result, err := Detect(t.Context(), Request{Connect: connector(s)})
	if err != nil || result.Caller != "user/bob" {
		t.Fatalf("%+v, %v", result, err)
	}
	err = result.Facts.Validate()
	if err == nil || !strings.Contains(err.Error(), "partition aws (from infrastructures/cluster), and the account in aws-us-gov (from sts:GetCallerIdentity)") {
		t.Errorf("%v", err)
	}
}

func TestCaller(t *testing.T) {
	for resource, want := range map[string]string{
		"assumed-role/Admin/me": "role/Admin", "user/bob": "user/bob", "user/a/b/bob": "user/bob", "root": "root", "federated-user/x": "federated-user/x",
	} {
		if got := caller(render.ARN{Resource: resource}); got != want {
			t.Errorf("%s: %s, want %s", resource, got, want)
		}
	}
}

func TestIdentityIsAskedOnce(t *testing.T) {
	identity := fakeSTS(t, adminARN)
	loaded, err := LoadAWS(t.Context(), AWSOptions{Region: "us-east-2"})
	if err != nil {
		t.Fatal(err)
	}
	if identity.count() != 0 {
		t.Error("loading asks STS")
	}
	for range 3 {
		if who, err := loaded.Identity(t.Context()); err != nil || who.Account != "123456789012" || who.Partition != "aws" {
			t.Errorf("%+v, %v", who, err)
		}
	}
	if identity.count() != 1 {
		t.Errorf("asked %d times", identity.count())
	}
}

func TestStrangeCaller(t *testing.T) {
	fakeSTS(t, "nonsense")
	loaded, err := LoadAWS(t.Context(), AWSOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loaded.Identity(t.Context()); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("%v", err)
	}
}
