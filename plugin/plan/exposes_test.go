package plan

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const exposingIssuer = "https://oidc.example.com/one"

// exposingObject is a Route or an Ingress as the chart names it.
func exposingObject(kind string, spec map[string]any) *unstructured.Unstructured {
	api, name := "route.openshift.io/v1", "ostoy-route"
	if kind == "Ingress" {
		api, name = "networking.k8s.io/v1", "ostoy-ingress"
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": api, "kind": kind, "metadata": map[string]any{"name": name}, "spec": spec,
	}}
}

func readsSecrets() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"kind": "Deployment", "spec": map[string]any{"template": map[string]any{
		"spec": map[string]any{"volumes": []any{map[string]any{"secret": map[string]any{"secretName": "ostoy-secret"}}}},
	}}}}
}

// insideIs has a bucket counted already.
func insideIs(inside bucket.Inside) *counted {
	c := &counted{inside: inside}
	c.once.Do(func() {})
	return c
}

// exposingPlan is the plan of a first install with --adopt=bucket over a bucket with
// three objects, behind a Route.
func exposingPlan(change func(*Plan)) Plan {
	route := exposingObject("Route", map[string]any{})
	made := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "s3.services.k8s.aws/v1alpha1", "kind": "Bucket"}}
	facts := render.Facts{Namespace: render.Fact{Value: "demo"}, Issuer: render.Fact{Value: exposingIssuer}}
	p := Plan{
		Desired: Desired{
			Project: project.Project{Facts: facts, State: project.State{Exists: true}},
			Request: Request{Adopt: adopt.Bucket},
			Objects: []*unstructured.Unstructured{route},
			reading: &reading{desired: iam.Role{Name: "demo-role"}, asked: true, actual: &iam.Actual{}},
			counted: insideIs(bucket.Inside{Contents: &bucket.Contents{Objects: 3, Bytes: 30}}),
		},
		Objects: &apply.Plan{Items: []*apply.Item{
			{Ref: apply.RefOf(route), Action: apply.Create, Would: route},
			{Ref: apply.RefOf(made), Action: apply.Create, Would: made},
		}},
		Role:   &iam.Plan{Steps: []iam.Step{{Kind: iam.CreateRole}}},
		Bucket: bucket.State{Kind: bucket.Foreign, Name: "demo-bucket"},
	}
	change(&p)
	return p
}

// together is one change of several.
func together(changes ...func(*Plan)) func(*Plan) {
	return func(p *Plan) {
		for _, change := range changes {
			change(p)
		}
	}
}

// TestF4F7Exposes: what existed before and becomes readable is said; of a run that changes
// nothing about that nothing is, and what the project says does not answer.
func TestF4F7Exposes(t *testing.T) {
	routeExists := func(p *Plan) { p.Objects.Items[0].Live, p.Objects.Items[0].Action = p.Desired.Objects[0], apply.Update }
	bucketExists := func(p *Plan) {
		p.Objects.Items[1].Live, p.Objects.Items[1].Action = p.Objects.Items[1].Would, apply.Update
	}
	notAsked := func(p *Plan) { p.Desired.Request.Adopt = 0 }
	tagged := together(notAsked, func(p *Plan) { p.Bucket.Kind = bucket.Ours }) // by this installation, or by mallory's Bucket resource
	running := func(p *Plan) {
		app := &unstructured.Unstructured{Object: map[string]any{"kind": "Deployment"}}
		p.Objects.Items = append(p.Objects.Items, &apply.Item{Ref: apply.RefOf(app), Live: app})
	}
	noRoute := func(p *Plan) { p.Desired.Objects, p.Objects.Items = nil, p.Objects.Items[1:] }
	proven := func(p *Plan) {
		p.Desired.reading.actual = &iam.Actual{Exists: true, Tags: map[string]string{
			render.TagManagedBy: render.ManagedBy, render.TagIssuer: exposingIssuer, render.TagNamespace: "demo", render.TagBucket: "demo-bucket",
		}}
		p.Role.Steps = nil
	}
	otherRole := together(proven, func(p *Plan) {
		p.Desired.reading.actual.Tags[render.TagBucket] = "other-bucket"
		p.Role.Steps = []iam.Step{{Kind: iam.TagRole}}
	})
	asItIs := func(p *Plan) {
		p.Desired.Adopted = Adopted{Wanted: iam.Role{ARN: "arn"}, AsIs: true, Actual: &iam.Actual{}}
		p.Role.Steps = nil
	}
	tightens := func(p *Plan) { p.Desired.Adopted.Wanted.ARN, p.Desired.Request.Tighten = "arn", true }
	adopts := together(bucketExists, notAsked, func(p *Plan) { p.Desired.Request.Adopt = adopt.Tutorial })
	recorded := func(p *Plan) {
		p.Desired.Project.Inventory = apply.Inventory{Found: true, Record: apply.Record{Bucket: "demo-bucket", BucketOrigin: apply.OriginCreated}}
	}
	realSecrets := func(p *Plan) {
		p.Bucket.Kind = bucket.Free
		p.Desired.Objects = append(p.Desired.Objects, readsSecrets())
	}
	const unproven = "(no IAM role shows that it is this project's: the role demo-role does not exist) and has 3 objects, 30 B"
	for name, c := range map[string]struct {
		change func(*Plan)
		asks   string // "": nothing
	}{
		"adopted": {together(), unproven + ": everybody who can reach the Route ostoy-route (http) will list"},
		"more":    {func(p *Plan) { p.Desired.counted.inside.More = true }, "has more than 3 objects"},
		"unlisted": {func(p *Plan) {
			p.Desired.counted = insideIs(bucket.Inside{Err: &problem.Error{What: "you lack s3:ListBucket"}})
		}, "may have objects (not counted: you lack s3:ListBucket)"},
		"broken":                  {func(p *Plan) { p.Desired.counted = insideIs(bucket.Inside{Err: errors.New("x")}) }, "may have objects"},
		"empty":                   {func(p *Plan) { p.Desired.counted.inside.Contents.Objects = 0 }, ""},
		"adopted, a Route exists": {routeExists, "has 3 objects"},
		"adopted, no Route":       {noRoute, ""},
		"unreadable tags":         {func(p *Plan) { p.Bucket.Kind = bucket.TagsUnreadable }, "has 3 objects"},
		"free":                    {func(p *Plan) { p.Bucket.Kind = bucket.Free }, ""},

		"tags alone":       {tagged, unproven},
		"tags and a Route": {together(tagged, routeExists), unproven},
		"tags, Route, Bucket resource, inventory": {together(tagged, routeExists, bucketExists, recorded), unproven},
		"tags, no Route":               {together(tagged, noRoute), unproven + ": pods of the cluster, and users who are allowed to port-forward in project demo, will list"},
		"tags, role of another bucket": {together(tagged, otherRole, routeExists, bucketExists), "has the tag ostoy-s3/bucket=other-bucket"},
		"tags, role not readable":      {together(tagged, func(p *Plan) { p.Desired.reading.err = errors.New("x") }), "cannot be read"},

		"proven, everything exists":     {together(tagged, proven, routeExists, bucketExists), ""},
		"proven, the Bucket is missing": {together(tagged, proven, routeExists), ""},
		"proven, first Route":           {together(tagged, proven, running), "exists already and has 3 objects, 30 B: everybody who can reach"},
		"proven, first Route, recorded": {together(tagged, proven, bucketExists, running, recorded), "has 3 objects"},
		"proven, a new project":         {together(tagged, proven), ""},
		"proven, no Route":              {together(tagged, proven, bucketExists, noRoute), ""},
		"tags are missing, proven":      {together(proven, routeExists), ""}, // the resolution of bucket-tags

		"tutorial's":                    {together(adopts, asItIs, routeExists), ""},
		"tutorial's, later":             {together(tagged, bucketExists, asItIs, routeExists), ""},
		"tutorial's, first Route":       {together(adopts, asItIs, running), "has 3 objects"},
		"tutorial's, another role":      {together(adopts, routeExists), unproven},
		"tutorial's, no role, no Route": {together(adopts, noRoute), unproven + ": pods of the cluster, and users who are allowed to port-forward in project demo, will list"},
		"tutorial's, tightened": {together(adopts, routeExists, tightens, func(p *Plan) {
			p.Desired.Adopted.Actual = &iam.Actual{Attached: []string{"arn:aws:iam::aws:policy/AmazonS3FullAccess"}}
		}), ""},
		"tutorial's, role without S3":    {together(adopts, routeExists, tightens), unproven},
		"role of others, another change": {together(tagged, asItIs, routeExists, bucketExists), ""},
		"role of others, kept bucket":    {together(tagged, asItIs, routeExists), "(no IAM role shows that it is this project's: the role demo-role does not exist)"},

		"Route that is not rendered": {together(noRoute, func(p *Plan) {
			p.Before.Exposing.Object = exposingObject("Route", map[string]any{})
		}), "the installation does not manage the Route ostoy-route"},

		"Secrets":                      {realSecrets, "the Secret ostoy-secret may have real values"},
		"Secrets, shown already":       {together(realSecrets, routeExists, showsSecrets), ""},
		"Secrets, shown without Route": {together(realSecrets, showsSecrets), "the Secret ostoy-secret may"},
		"Secrets, first time":          {together(realSecrets, routeExists), "the Secret ostoy-secret may"},
		"Secrets, no Route":            {together(realSecrets, func(p *Plan) { p.Desired.Objects, p.Objects.Items = p.Desired.Objects[1:], p.Objects.Items[1:] }), ""},
		"both":                         {func(p *Plan) { p.Desired.Objects = append(p.Desired.Objects, readsSecrets()) }, "overwrite every object in it, without a password; the Secret ostoy-secret may"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := exposingPlan(c.change).Exposes(t.Context()); (c.asks == "") != (got == "") || !strings.Contains(got, c.asks) {
				t.Errorf("says %q, want %q", got, c.asks)
			}
		})
	}
}

// showsSecrets has the frontend that exists show the Secrets.
func showsSecrets(p *Plan) {
	running := readsSecrets()
	p.Objects.Items = append(p.Objects.Items, &apply.Item{Ref: apply.RefOf(running), Live: running, Action: apply.Update})
}
