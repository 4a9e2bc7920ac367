package operator

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF1Refused: what a Bucket may not be, each beside the nearest that it may. The
// end-to-end test of the same name asks the API server the same.
func TestF1Refused(t *testing.T) {
	policy := render.BucketPolicy(render.BucketARN("aws", "demo-bucket"))
	tags := func(pairs ...string) map[string]any {
		var set []any
		for n := 0; n < len(pairs); n += 2 {
			set = append(set, map[string]any{"key": pairs[n], "value": pairs[n+1]})
		}
		return map[string]any{"tagSet": set}
	}
	blocked := func(value any) map[string]any {
		return map[string]any{"blockPublicACLs": true, "blockPublicPolicy": true, "ignorePublicACLs": true, "restrictPublicBuckets": value}
	}
	owner := func(who string) map[string]any {
		return map[string]any{"rules": []any{map[string]any{"objectOwnership": who}}}
	}
	type fields = map[string]any
	for name, c := range map[string]struct {
		project     string // "" is demo
		spec        fields // name is demo-bucket unless it says otherwise
		annotations map[string]string
		says        string // "" is admitted
	}{
		"its own":                        {},
		"a second one":                   {spec: fields{"name": "demo--x-bucket"}},
		"of a longer project":            {spec: fields{"name": "demo-two-bucket"}, says: "spec.name must be demo-bucket"},
		"of another":                     {spec: fields{"name": "finance-reports-bucket"}, says: "spec.name must be demo-bucket or demo--NAME-bucket"},
		"an empty second name":           {spec: fields{"name": "demo---bucket"}, says: "spec.name"},
		"a second name with a dot":       {spec: fields{"name": "demo--a.b-bucket"}, says: "spec.name"},
		"a line after the name":          {spec: fields{"name": "demo--a-bucket\n"}, says: "spec.name"},
		"a project with two hyphens":     {project: "demo--x", spec: fields{"name": "demo--x-bucket"}, says: "a project whose name contains -- cannot have Buckets: demo--x"},
		"adopted by its own name":        {annotations: map[string]string{adoptionFields: `{"name":"demo-bucket"}`}},
		"adopted by another name":        {annotations: map[string]string{adoptionFields: `{"name":"x-bucket"}`}, says: "adoption-fields"},
		"adopted by its name, and space": {annotations: map[string]string{adoptionFields: `{"name": "demo-bucket"}`}, says: "adoption-fields"},
		"versioning and encryption":      {spec: fields{"versioning": fields{"status": "Enabled"}, "encryption": fields{}}},
		"a lifecycle":                    {spec: fields{"lifecycle": fields{}}, says: "spec may have only these fields: name, "},
		"a field of times to come":       {spec: fields{"abac": nil}, says: "spec may have only"},
		"all blocked":                    {spec: fields{"publicAccessBlock": blocked(true)}},
		"one not blocked":                {spec: fields{"publicAccessBlock": blocked(false)}, says: "publicAccessBlock"},
		"one blocked by a word":          {spec: fields{"publicAccessBlock": blocked("true")}, says: "publicAccessBlock"},
		"nothing blocked":                {spec: fields{"publicAccessBlock": fields{}}, says: "publicAccessBlock"},
		"owner enforced":                 {spec: fields{"ownershipControls": owner("BucketOwnerEnforced")}},
		"object writer":                  {spec: fields{"ownershipControls": owner("ObjectWriter")}, says: "ownershipControls"},
		"no owner rule":                  {spec: fields{"ownershipControls": fields{}}, says: "ownershipControls"},
		"the policy":                     {spec: fields{"policy": policy}},
		"the policy of China":            {spec: fields{"policy": render.BucketPolicy(render.BucketARN("aws-cn", "demo-bucket"))}},
		"the policy of another bucket":   {spec: fields{"policy": render.BucketPolicy(render.BucketARN("aws", "x-bucket"))}, says: "spec.policy"},
		"the policy and a blank":         {spec: fields{"policy": policy + " "}, says: "spec.policy"},
		"an escape in the policy":        {spec: fields{"policy": strings.Replace(policy, "Deny", `\u0044eny`, 1)}, says: "spec.policy"},
		"an empty policy":                {spec: fields{"policy": ""}, says: "spec.policy"},
		"tags of one's own":              {spec: fields{"tagging": tags("team", "x", "Name", "y")}},
		"our tags":                       {spec: fields{"tagging": tags(render.TagManagedBy, render.ManagedBy, render.TagNamespace, "demo", render.TagIssuer, "https://oidc.op1.openshiftapps.com/2abc", render.TagClusterID, "6d5c")}},
		"another project's tag":          {spec: fields{"tagging": tags(render.TagNamespace, "finance")}, says: "the tags "},
		"another cluster's tag":          {spec: fields{"tagging": tags(render.TagClusterID, "7")}, says: "the tags "},
		"our tag in capitals":            {spec: fields{"tagging": tags("OSToy-S3/namespace", "demo")}, says: "the tags "},
		"a tag of ours to come":          {spec: fields{"tagging": tags("ostoy-s3/new", "x")}, says: "the tags "},
	} {
		t.Run(name, func(t *testing.T) {
			bucket := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "s3.services.k8s.aws/v1alpha1", "kind": "Bucket"}}
			bucket.SetNamespace("demo")
			if c.project != "" {
				bucket.SetNamespace(c.project)
			}
			spec := map[string]any{"name": "demo-bucket"}
			for key, value := range c.spec {
				spec[key] = value
			}
			bucket.Object["spec"] = spec
			bucket.SetAnnotations(c.annotations)
			facts := factsIn("us-east-2")
			facts.ClusterID = render.Fact{Value: "6d5c"}
			why := Refused(facts, bucket)
			switch {
			case c.says == "" && why != nil:
				t.Errorf("refused: %v", why)
			case c.says != "" && (len(why) != 1 || !strings.Contains(why[0], c.says)):
				t.Errorf("%q, want one that says %q", why, c.says)
			}
		})
	}
}
