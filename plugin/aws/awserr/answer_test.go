package awserr

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF2Answers: what AWS says of callers and resources is repeated only if it is made of
// what their names are made of, and what the tags of others say only if it is legal.
func TestF2Answers(t *testing.T) {
	const poison = "x`id`$(touch /tmp/pwned)"
	message := "User: arn:aws:iam::123456789012:user/" + poison + " is not authorized to perform: iam:GetRole on resource: role " + poison + " because no identity-based policy allows the iam:GetRole action"
	if err := Translate(answered(403, "AccessDenied", message), "iam:GetRole", "role demo"); strings.Contains(err.Error(), "touch") || !strings.Contains(err.Error(), "iam:GetRole on role demo") {
		t.Error(err)
	}
	facts := render.Facts{Namespace: render.Fact{Value: "demo"}, Issuer: render.Fact{Value: "https://oidc.example.com/2abc"}, ClusterID: render.Fact{Value: "11111111-aaaa"}}
	for _, tags := range []map[string]string{
		{render.TagManagedBy: render.ManagedBy, render.TagNamespace: poison, render.TagIssuer: facts.Issuer.Value},
		{render.TagManagedBy: render.ManagedBy, render.TagNamespace: "demo", render.TagIssuer: "https://a b/" + poison},
		{render.TagManagedBy: render.ManagedBy, render.TagNamespace: "demo", render.TagIssuer: facts.Issuer.Value, render.TagClusterID: poison},
	} {
		if got := Whose(tags, facts); strings.Contains(got, "touch") || !strings.Contains(got, "(a value that is not ") {
			t.Error(got)
		}
	}
}
