package controller

import (
	"errors"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF2CommandsAboutRoles: names and issuers come from a ConfigMap and from tags. A
// printed command repeats them only if they are legal.
func TestF2CommandsAboutRoles(t *testing.T) {
	r := &Removal{found: &Found{}}
	r.found.Inventory.RoleARN = "arn:aws:iam::123456789012:role/x$(id)"
	r.KeepRole()
	if len(r.lines) != 1 || r.lines[0].Next != "aws iam get-role --role-name ROLE" {
		t.Errorf("%+v", r.lines)
	}
	several := []iam.Found{
		{Name: "a", Tags: map[string]string{render.TagIssuer: "https://a.example.com"}},
		{Name: "b", Tags: map[string]string{render.TagIssuer: "https://b.example.com;id"}},
	}
	var told *problem.Error
	if !errors.As(whichRole(several), &told) || !strings.Contains(told.Next, "--oidc-issuer https://a.example.com\nor --oidc-issuer ISSUER") {
		t.Errorf("%+v", told)
	}
}
