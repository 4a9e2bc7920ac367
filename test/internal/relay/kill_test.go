package relay

import (
	"net/http/httptest"
	"testing"
)

func TestWrites(t *testing.T) {
	for _, c := range []struct {
		service, method, at string // at: a path, or an action
		want                bool
	}{
		{"kube", "GET", "/api/v1/pods", false},
		{"kube", "PATCH", "/api/v1/namespaces/a?fieldManager=x", true},
		{"kube", "PATCH", "/api/v1/namespaces/a?dryRun=All", false},
		{"kube", "DELETE", "/api/v1/namespaces/a", true},
		{"kube", "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", false},
		{"iam", "POST", "GetRole", false},
		{"iam", "POST", "ListRoles", false},
		{"iam", "POST", "DeleteRole", true},
		{"sts", "POST", "GetCallerIdentity", false},
		{"s3", "HEAD", "/bucket", false},
		{"s3", "PUT", "/bucket/key", true},
	} {
		e := &Exchange{AWS: c.service != "kube", Service: c.service, HTTP: httptest.NewRequest(c.method, "/", nil)}
		if e.Action = c.at; c.at[0] == '/' {
			e.HTTP = httptest.NewRequest(c.method, c.at, nil)
		}
		if e.Writes() != c.want {
			t.Errorf("%s %s %s: %t", c.service, c.method, c.at, !c.want)
		}
	}
}

func TestMomentsHaveNames(t *testing.T) {
	if name := (Moment{N: 7}).String(); name != "007-before" {
		t.Error(name)
	}
	if name := (Moment{N: 12, After: true}).String(); name != "012-after" {
		t.Error(name)
	}
}
