package plugin

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const exposingIssuer = "https://oidc.example.com/one"

// exposingInstall is a planned first install with --adopt=bucket over a bucket with three
// objects, behind a Route.
func exposingInstall(change func(*install)) *install {
	route := exposingObject("Route", map[string]any{})
	made := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "s3.services.k8s.aws/v1alpha1", "kind": "Bucket"}}
	i := &install{
		App: &App{&session.Session{UI: ui.New(&strings.Builder{}, ui.Style{}, time.Now)}}, objects: []*unstructured.Unstructured{route},
		plan: &apply.Plan{Items: []*apply.Item{
			{Ref: apply.RefOf(route), Action: apply.Create, Would: route},
			{Ref: apply.RefOf(made), Action: apply.Create, Would: made},
		}},
		role: &iam.Plan{Steps: []iam.Step{{Kind: iam.CreateRole}}}, project: project{exists: true},
		bucket: bucket.State{Kind: bucket.Foreign, Name: "demo-bucket"},
		before: foundBefore{
			role:   &roleOnce{desired: iam.Role{Name: "demo-role"}, asked: true, actual: &iam.Actual{}},
			inside: &bucket.Inside{Contents: &bucket.Contents{Objects: 3, Bytes: 30}},
		},
	}
	i.facts.Namespace, i.facts.Issuer = render.Fact{Value: "demo"}, render.Fact{Value: exposingIssuer}
	i.request = InstallRequest{DryRun: DryRunNone, Mode: ModeAuto, Adopt: AdoptBucket}
	change(i)
	return i
}

// together is one change of several.
func together(changes ...func(*install)) func(*install) {
	return func(i *install) {
		for _, change := range changes {
			change(i)
		}
	}
}

// TestF4F7ConfirmExposure: what existed before becomes readable only after a yes; a run
// that changes nothing about that asks nothing, and what the project says does not answer.
func TestF4F7ConfirmExposure(t *testing.T) {
	routeExists := func(i *install) { i.plan.Items[0].Live, i.plan.Items[0].Action = i.objects[0], apply.Update }
	bucketExists := func(i *install) { i.plan.Items[1].Live, i.plan.Items[1].Action = i.plan.Items[1].Would, apply.Update }
	notAsked := func(i *install) { i.request.Adopt = 0 }
	tagged := together(notAsked, func(i *install) { i.bucket.Kind = bucket.Ours }) // by this installation, or by mallory's Bucket resource
	running := func(i *install) {
		app := &unstructured.Unstructured{Object: map[string]any{"kind": "Deployment"}}
		i.plan.Items = append(i.plan.Items, &apply.Item{Ref: apply.RefOf(app), Live: app})
	}
	noRoute := func(i *install) { i.objects, i.plan.Items = nil, i.plan.Items[1:] }
	proven := func(i *install) {
		i.before.role.actual = &iam.Actual{Exists: true, Tags: map[string]string{
			render.TagManagedBy: render.ManagedBy, render.TagIssuer: exposingIssuer, render.TagNamespace: "demo", render.TagBucket: "demo-bucket",
		}}
		i.role.Steps = nil
	}
	otherRole := together(proven, func(i *install) {
		i.before.role.actual.Tags[render.TagBucket] = "other-bucket"
		i.role.Steps = []iam.Step{{Kind: iam.TagRole}}
	})
	asItIs := func(i *install) {
		i.adopted = adoptedRole{arn: "arn", asIs: true, actual: &iam.Actual{}}
		i.role.Steps = nil
	}
	tightens := func(i *install) { i.adopted.arn, i.request.Tighten = "arn", true }
	adopts := together(bucketExists, notAsked, func(i *install) { i.request.Adopt = AdoptTutorial })
	recorded := func(i *install) {
		i.inventory = apply.Inventory{Found: true, Record: apply.Record{Bucket: "demo-bucket", BucketOrigin: apply.OriginCreated}}
	}
	realSecrets := func(i *install) { i.bucket.Kind = bucket.Free; i.objects = append(i.objects, readsSecrets()) }
	const unproven = "(no IAM role shows that it is this project's: the role demo-role does not exist) and has 3 objects, 30 B"
	for name, c := range map[string]struct {
		change func(*install)
		asks   string // "": nothing
	}{
		"adopted": {together(), unproven + ": everybody who can reach the Route ostoy-route (http) will list"},
		"more":    {func(i *install) { i.before.inside.More = true }, "has more than 3 objects"},
		"unlisted": {func(i *install) {
			i.before.inside = &bucket.Inside{Err: &problem.Error{What: "you lack s3:ListBucket"}}
		}, "may have objects (not counted: you lack s3:ListBucket)"},
		"broken":                  {func(i *install) { i.before.inside = &bucket.Inside{Err: errors.New("x")} }, "may have objects"},
		"empty":                   {func(i *install) { i.before.inside.Contents.Objects = 0 }, ""},
		"adopted, a Route exists": {routeExists, "has 3 objects"},
		"adopted, no Route":       {noRoute, ""},
		"unreadable tags":         {func(i *install) { i.bucket.Kind = bucket.TagsUnreadable }, "has 3 objects"},
		"free":                    {func(i *install) { i.bucket.Kind = bucket.Free }, ""},

		"tags alone":       {tagged, unproven},
		"tags and a Route": {together(tagged, routeExists), unproven},
		"tags, Route, Bucket resource, inventory": {together(tagged, routeExists, bucketExists, recorded), unproven},
		"tags, no Route":               {together(tagged, noRoute), unproven + ": pods of the cluster, and users who are allowed to port-forward in project demo, will list"},
		"tags, role of another bucket": {together(tagged, otherRole, routeExists, bucketExists), "has the tag ostoy-s3/bucket=other-bucket"},
		"tags, role not readable":      {together(tagged, func(i *install) { i.before.role.err = errors.New("x") }), "cannot be read"},

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
		"tutorial's, tightened": {together(adopts, routeExists, tightens, func(i *install) {
			i.adopted.actual = &iam.Actual{Attached: []string{"arn:aws:iam::aws:policy/AmazonS3FullAccess"}}
		}), ""},
		"tutorial's, role without S3":    {together(adopts, routeExists, tightens), unproven},
		"role of others, another change": {together(tagged, asItIs, routeExists, bucketExists), ""},
		"role of others, kept bucket":    {together(tagged, asItIs, routeExists), "(no IAM role shows that it is this project's: the role demo-role does not exist)"},

		"Route that is not rendered": {together(noRoute, func(i *install) {
			i.before.exposing.object = exposingObject("Route", map[string]any{})
		}), "the installation does not manage the Route ostoy-route"},

		"Secrets":                      {realSecrets, "the Secret ostoy-secret may have real values"},
		"Secrets, shown already":       {together(realSecrets, routeExists, showsSecrets), ""},
		"Secrets, shown without Route": {together(realSecrets, showsSecrets), "the Secret ostoy-secret may"},
		"Secrets, first time":          {together(realSecrets, routeExists), "the Secret ostoy-secret may"},
		"Secrets, no Route":            {together(realSecrets, func(i *install) { i.objects, i.plan.Items = i.objects[1:], i.plan.Items[1:] }), ""},
		"both":                         {func(i *install) { i.objects = append(i.objects, readsSecrets()) }, "overwrite every object in it, without a password; the Secret ostoy-secret may"},
	} {
		t.Run(name, func(t *testing.T) { confirms(t, c.change, c.asks) })
	}
}

// showsSecrets has the frontend that exists show the Secrets.
func showsSecrets(i *install) {
	running := readsSecrets()
	i.plan.Items = append(i.plan.Items, &apply.Item{Ref: apply.RefOf(running), Live: running, Action: apply.Update})
}

// confirms wants a run to ask about something, and to go on after the right answer only.
func confirms(t *testing.T, change func(*install), asks string) {
	t.Helper()
	err := exposingInstall(change).confirmExposure(t.Context())
	var told *problem.Error
	switch {
	case asks == "" && err != nil:
		t.Errorf("asks %v", err)
	case asks != "" && (!errors.As(err, &told) || told.Kind != problem.Usage || !strings.Contains(told.Why, asks) || !strings.Contains(told.Next, "--yes")):
		t.Errorf("%+v, want %q", told, asks)
	}
	for about, answered := range map[string]func(*install){
		"--yes":  func(i *install) { i.request.Yes = true },
		"looks":  func(i *install) { i.request.DryRun = DryRunServer },
		"script": func(i *install) { i.request.Mode = ModeManual },
		"yes": func(i *install) {
			i.request.Ask = func(context.Context, string) (string, error) { return "yes\n", nil }
		},
	} {
		if err := exposingInstall(together(change, answered)).confirmExposure(t.Context()); err != nil {
			t.Errorf("%s: %v", about, err)
		}
	}
	i := exposingInstall(change)
	i.request.Ask = func(context.Context, string) (string, error) { return "y", nil }
	if err := i.confirmExposure(t.Context()); (err != nil) != (asks != "") {
		t.Errorf("a wrong word: %v", err)
	}
}
