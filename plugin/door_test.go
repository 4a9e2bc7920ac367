package plugin

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

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

// TestF4DoorWords: one line says exactly who reaches what, for each way to the app.
func TestF4DoorWords(t *testing.T) {
	edge := map[string]any{"termination": "edge"}
	rules := []any{map[string]any{"host": "a.example.com"}}
	const every = "lists, reads, writes and overwrites every object of demo-bucket"
	const inside = "; expose=none keeps it inside the cluster"
	const only = " (https encrypts the connection and asks for no password)"
	for name, c := range map[string]struct {
		exposed *unstructured.Unstructured
		secrets bool
		want    string
	}{
		"new Route":        {exposingObject("Route", map[string]any{}), false, "everybody who can reach the Route ostoy-route (http) " + every + ", without a password" + inside},
		"Route":            {exposingObject("Route", map[string]any{"host": "r.example.com"}), false, "everybody who can reach http://r.example.com " + every + ", without a password" + inside},
		"edge Route":       {exposingObject("Route", map[string]any{"host": "r.example.com", "tls": edge}), false, "everybody who can reach https://r.example.com " + every + ", without a password" + only + inside},
		"new edge Route":   {exposingObject("Route", map[string]any{"tls": edge}), false, "everybody who can reach the Route ostoy-route (https) " + every + ", without a password" + only + inside},
		"Route, Secrets":   {exposingObject("Route", map[string]any{}), true, "everybody who can reach the Route ostoy-route (http) " + every + ", and reads the Secret ostoy-secret, without a password" + inside},
		"Ingress":          {exposingObject("Ingress", map[string]any{"rules": rules}), false, "everybody who can reach http://a.example.com " + every + ", without a password" + inside},
		"Ingress, no host": {exposingObject("Ingress", map[string]any{}), false, "everybody who can reach the Ingress ostoy-ingress (http) " + every + ", without a password" + inside},
		"edge Ingress":     {exposingObject("Ingress", map[string]any{"rules": rules, "tls": []any{map[string]any{"secretName": "s"}}}), false, "everybody who can reach https://a.example.com " + every + ", without a password" + only + inside},
		"none":             {nil, false, "no Route or Ingress: pods of the cluster, and users who are allowed to port-forward in project demo, list, read, write and overwrite every object of demo-bucket, without a password"},
		"none, Secrets":    {nil, true, "no Route or Ingress: pods of the cluster, and users who are allowed to port-forward in project demo, list, read, write and overwrite every object of demo-bucket, and read the Secret ostoy-secret, without a password"},
		"host of mallory":  {exposingObject("Route", map[string]any{"host": "x'; id #\x1b[8m"}), false, "everybody who can reach the Route ostoy-route (http) " + every + ", without a password" + inside},
	} {
		var objects []*unstructured.Unstructured
		if c.secrets {
			objects = append(objects, readsSecrets())
		}
		d := doorOf("demo", objects, c.exposed)
		if got := d.words(); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
		if d.public() != (c.exposed != nil) {
			t.Errorf("%s: public is %t", name, d.public())
		}
	}
}

// opening is an install that is about to lead to the bucket, as planned.
func opening(change func(*install)) *install {
	exposed := exposingObject("Route", map[string]any{})
	i := &install{
		App: &App{UI: ui.New(&strings.Builder{}, ui.Style{}, time.Now)}, objects: []*unstructured.Unstructured{exposed},
		plan: &apply.Plan{Items: []*apply.Item{{Ref: apply.RefOf(exposed), Action: apply.Create, Would: exposed}}},
		role: &iam.Plan{}, project: project{exists: true},
		bucket: bucket.State{Kind: bucket.Foreign, Name: "demo-bucket"},
		inside: &bucket.Inside{Contents: &bucket.Contents{Objects: 3, Bytes: 30}},
	}
	i.facts.Namespace = render.Fact{Value: "demo"}
	i.request = InstallRequest{DryRun: DryRunNone, Mode: ModeAuto, AdoptBucket: true}
	change(i)
	return i
}

// TestF4MayOpen: what was there before becomes readable only after a yes; what becomes
// readable to nobody new is not asked about.
func TestF4MayOpen(t *testing.T) {
	live := func(i *install) { i.plan.Items[0].Live = i.objects[0] }
	for name, c := range map[string]struct {
		change func(*install)
		asks   string // "": nothing
	}{
		"adopted":                {func(*install) {}, "has 3 objects, 30 B: everybody who can reach the Route ostoy-route (http) will list"},
		"more":                   {func(i *install) { i.inside.More = true }, "has more than 3 objects"},
		"unlisted":               {func(i *install) { i.inside = &bucket.Inside{Err: &problem.Error{What: "you lack s3:ListBucket"}} }, "may have objects (not counted: you lack s3:ListBucket)"},
		"broken":                 {func(i *install) { i.inside = &bucket.Inside{Err: errors.New("x")} }, "may have objects"},
		"empty":                  {func(i *install) { i.inside.Contents.Objects = 0 }, ""},
		"adopted, Route there":   {live, "has 3 objects"},
		"unreadable tags":        {func(i *install) { i.bucket.Kind = bucket.TagsUnreadable }, "has 3 objects"},
		"free":                   {func(i *install) { i.bucket.Kind = bucket.Free }, ""},
		"managed by this":        {func(i *install) { i.bucket.Kind = bucket.Ours }, ""},
		"adopted before":         {func(i *install) { i.bucket.Kind, i.inventory.BucketOrigin = bucket.Ours, apply.OriginAdopted }, "has 3 objects"},
		"adopted before, opened": {func(i *install) { i.bucket.Kind, i.inventory.BucketOrigin = bucket.Ours, apply.OriginAdopted; live(i) }, ""},
		"tutorial's":             {func(i *install) { i.request.AdoptBucket, i.request.Adopt = false, true; live(i) }, ""},
		"tutorial's, no Route":   {func(i *install) { i.request.AdoptBucket, i.request.Adopt = false, true }, "has 3 objects"},
		"no Route":               {func(i *install) { i.objects, i.plan.Items = nil, nil; i.role.Steps = make([]iam.Step, 1) }, ""},
		"nothing to do":          {func(i *install) { i.plan.Items[0].Action = apply.Unchanged }, ""},
		"Secrets":                {func(i *install) { i.bucket.Kind = bucket.Free; i.objects = append(i.objects, readsSecrets()) }, "the Secret ostoy-secret may have real values"},
		"both":                   {func(i *install) { i.objects = append(i.objects, readsSecrets()) }, "overwrite every object in it, without a password; the Secret ostoy-secret may"},
	} {
		t.Run(name, func(t *testing.T) {
			err := opening(c.change).mayOpen(t.Context())
			var told *problem.Error
			switch {
			case c.asks == "" && err != nil:
				t.Errorf("asks %v", err)
			case c.asks != "" && (!errors.As(err, &told) || told.Kind != problem.Usage || !strings.Contains(told.Why, c.asks) ||
				!strings.Contains(told.Why, "expose=none") || !strings.Contains(told.Next, "--yes")):
				t.Errorf("%+v, want %q", told, c.asks)
			}
			for about, answered := range map[string]func(*install){
				"--yes":  func(i *install) { i.request.Yes = true },
				"looks":  func(i *install) { i.request.DryRun = DryRunServer },
				"script": func(i *install) { i.request.Mode = ModeManual },
				"yes": func(i *install) {
					i.request.Ask = func(context.Context, string) (string, error) { return "yes\n", nil }
				},
			} {
				i := opening(c.change)
				answered(i)
				if err := i.mayOpen(t.Context()); err != nil {
					t.Errorf("%s: %v", about, err)
				}
			}
			i := opening(c.change)
			i.request.Ask = func(context.Context, string) (string, error) { return "y", nil }
			if err := i.mayOpen(t.Context()); (err != nil) != (c.asks != "") {
				t.Errorf("a wrong word: %v", err)
			}
		})
	}
}
