package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/tutorial"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// adoption is what `install --adopt` brings in, as `install -o json` tells it.
type adoption struct {
	Objects []adoptedObject `json:"objects"`
	Bucket  *adoptedBucket  `json:"bucket,omitempty"`
	Role    *adoptedIAM     `json:"role,omitempty"`
}

type adoptedObject struct {
	Object   string   `json:"object"`
	Managers []string `json:"managers"` // people's tools: kubectl-client-side-apply
}

type adoptedBucket struct {
	Name     string           `json:"name"`
	Contents *bucket.Contents `json:"contents,omitempty"` // unless it may not be listed
	More     bool             `json:"more,omitempty"`     // there is more than was counted
}

type adoptedIAM struct {
	ARN       string   `json:"arn"`
	Policies  []string `json:"policies,omitempty"` // ARNs and names
	Tightened bool     `json:"tightened"`          // would be, in a dry run
}

// adoptableBucket reports whether the Bucket object of the project is what the tutorial
// made, or what an earlier run of ours has brought in, and the controller manages
// this account's bucket by it.
func (i *install) adoptableBucket(ctx context.Context) bool {
	object := i.bucketObject(ctx)
	if object == nil || object.GetDeletionTimestamp() != nil || i.bucket.Tags[render.TagManagedBy] != "" {
		return false
	}
	owner, _, _ := unstructured.NestedString(object.Object, "status", "ackResourceMetadata", "ownerAccountID")
	return owner == i.facts.Account.Value && (apply.Ours(object) || tutorial.Differs(object) == "")
}

// bucketObject is the project's Bucket, nil if there is none, or none to be seen.
func (i *install) bucketObject(ctx context.Context) *unstructured.Unstructured {
	kind := schema.FromAPIVersionAndKind(check.BucketAPI, "Bucket")
	client, err := i.conn.Resource(ctx, kind, i.facts.Namespace.Value)
	if err != nil {
		return nil
	}
	object, err := client.Get(ctx, render.BucketName(i.facts.Namespace.Value), metav1.GetOptions{})
	if err != nil {
		return nil
	}
	return object
}

// lookAtAdoption notes what of the plan is adopted, and looks into the bucket, as far
// as it may be looked into.
func (i *install) lookAtAdoption(ctx context.Context) {
	if !i.request.Adopt.Tutorial() {
		return
	}
	found := &adoption{Objects: []adoptedObject{}}
	for _, item := range i.plan.Items {
		if !item.Adopts() {
			continue
		}
		found.Objects = append(found.Objects, adoptedObject{item.Ref.String(), people(item.Live)})
		if item.Ref.IsBucket() && i.bucket.Exists() {
			found.Bucket = &adoptedBucket{Name: i.bucket.Name}
			inside := i.lookInside(ctx)
			found.Bucket.Contents, found.Bucket.More = inside.Contents, inside.More
		}
	}
	if r := i.adopted; r.found() {
		found.Role = &adoptedIAM{ARN: r.arn, Tightened: !r.asIs}
		if r.actual != nil {
			found.Role.Policies = policies(r.actual)
		}
	}
	i.adoption = found
}

// people are the managers of an object that are somebody's own tools.
func people(live *unstructured.Unstructured) []string {
	return inLines(slices.DeleteFunc(append([]string{}, apply.OtherManagers(live)...), func(name string) bool { return !apply.ByPerson(name) }))
}

// announceAdoption lists what was recognised, before the plan says what becomes of it.
func (i *install) announceAdoption() {
	found := i.adoption
	if found == nil || i.nothingToDo() {
		return
	}
	i.UI.Line("")
	if len(found.Objects) == 0 {
		i.UI.Line("Nothing of the tutorial's is left to adopt")
		return
	}
	i.UI.Line("Found of the tutorial's")
	width := 0
	for _, one := range found.Objects {
		width = max(width, len(one.Object))
	}
	for _, one := range found.Objects {
		text := one.Object
		if len(one.Managers) > 0 {
			text = fmt.Sprintf("%-*s   by %s", width, text, strings.Join(one.Managers, ", "))
		}
		i.planned(ui.Kept, "object", text)
	}
	if b := found.Bucket; b != nil {
		i.planned(ui.Kept, "bucket", b.Name+"   "+b.amount()+": all of it stays")
	}
	if r := found.Role; r != nil {
		text := i.adopted.desired.Label()
		if len(r.Policies) > 0 {
			text += "   with " + strings.Join(r.Policies, ", ")
		}
		i.planned(ui.Kept, "role", text)
	}
	i.UI.Line("  the pods are made anew, once; bucket and volume keep what is in them")
}

func (b *adoptedBucket) amount() string {
	if b.More {
		return "more than " + amount(b.Contents)
	}
	return amount(b.Contents)
}

// tutorialFirst makes one problem of all in a refusal that `install --adopt` would
// mend, and tells it first. That the S3 bucket is not managed by ostoy-s3 stays a problem
// of its own, unless a role lets the app in already: anybody who can edit the project can
// apply the tutorial's objects, with the name of a bucket of others.
func (i *install) tutorialFirst(ctx context.Context, refused error) error {
	var several *problem.Several
	if !errors.As(refused, &several) {
		return refused
	}
	return &problem.Several{Problems: tutorialFirst(several.Problems, i.facts.Namespace.Value, func() bool { return i.tutorialRoleFits(ctx) }), Note: several.Note}
}

func tutorialFirst(problems []*problem.Error, namespace string, roleFits func() bool) []*problem.Error {
	byHand := func(p *problem.Error) bool { return errors.Is(p.Err, apply.ErrAdoptable) }
	var names []string
	for _, p := range problems {
		if byHand(p) {
			name, _, _ := strings.Cut(p.What, " in "+namespace)
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return problems
	}
	one := &problem.Error{
		Kind: problem.Refused,
		What: "project " + namespace + " has OSToy as the ROSA tutorial makes it by hand",
		Why:  "not ours: " + strings.Join(names, ", "),
		Next: advice.Command("oc ostoy-s3 install", "-n", namespace, "--adopt") + " adopts it with its data; with --dry-run=server it only shows what would change",
		More: "docs/moving.md",
		Err:  apply.ErrAdoptable,
	}
	hasBucket := slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, "Bucket ") })
	rest := slices.DeleteFunc(slices.Clone(problems), func(p *problem.Error) bool {
		return byHand(p) || hasBucket && p.More == bucket.MoreForeign && roleFits()
	})
	return append([]*problem.Error{one}, rest...)
}
