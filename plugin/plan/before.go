package plan

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// Before is what exists before a run and that the run makes readable, takes over or
// leaves as it is.
type Before struct {
	Bucket   *GivenBucket // the S3 bucket, if the run gives it to the app
	Exposing exposure.By  // a Route or Ingress that the run neither creates nor deletes
	Adoption *Adoption    // nil unless --adopt asks for the tutorial's
	Secrets  []string     // flaws of Secrets that others bring
	// Returning are the values that nobody has on record and that return to their defaults.
	Returning []string
	// Losing refuses, of a plan with Compare, a bucket that would lose settings.
	Losing error
}

// Adoption is what `install --adopt` brings in, as `install -o json` says it.
type Adoption struct {
	Objects []AdoptedObject `json:"objects"`
	Bucket  *GivenBucket    `json:"bucket,omitempty"`
	Role    *AdoptedRole    `json:"role,omitempty"`
}

// AdoptedObject is an object that somebody made by hand.
type AdoptedObject struct {
	Object   string   `json:"object"`
	Managers []string `json:"managers"` // people's tools: kubectl-client-side-apply
}

// GivenBucket is an S3 bucket that existed before the run.
type GivenBucket struct {
	Name     string           `json:"name"`
	Contents *bucket.Contents `json:"contents,omitempty"` // unless it may not be listed
	More     bool             `json:"more,omitempty"`     // there is more than was counted
	// Keeps are the settings and tags that stay because the Bucket resource states them.
	Keeps []string `json:"keeps,omitempty"`
	// Becomes are the settings that change because the app's bucket is private.
	Becomes []string `json:"becomes,omitempty"`
}

// AdoptedRole is a role that was there before.
type AdoptedRole struct {
	ARN       string   `json:"arn"`
	Policies  []string `json:"policies,omitempty"` // ARNs and names
	Tightened bool     `json:"tightened"`          // would be, in a dry run
}

// Amount is what is in the bucket.
func (b *GivenBucket) Amount() string {
	if b.More {
		return "more than " + bucket.Amount(b.Contents)
	}
	return bucket.Amount(b.Contents)
}

// givesBucket says, of an existing bucket, that the run gives it to the app although no
// role shows that it is the project's; "" if the run does not. A run gives it by a role
// that it creates or changes, or by a Bucket resource that it creates. A role that is used
// as it is, or from which --tighten-role takes every bucket, lets the app in already.
func givesBucket(ctx context.Context, p Plan) string {
	a := p.Desired.Adopted
	changesRole := !p.Role.Empty() && !(p.Desired.Request.Tighten && a.Found() && a.Wanted.FullAccess(a.Actual))
	if !p.BucketExists() || !changesRole && !p.CreatesBucketResource() {
		return ""
	}
	proof := p.Desired.ProvesBucket(ctx)
	if proof.Proven {
		return ""
	}
	return "no IAM role shows that it is this project's: " + proof.Why
}

// lookAtExisting counts what is in a bucket that exists already, if its Bucket resource is
// to be created or the run gives it to the app.
func lookAtExisting(ctx context.Context, p *Plan) {
	if !p.BucketExists() || !p.CreatesBucketResource() && givesBucket(ctx, *p) == "" {
		return
	}
	inside := p.Desired.Inside(ctx)
	p.Before.Bucket = &GivenBucket{Name: p.Bucket.Name, Contents: inside.Contents, More: inside.More}
}

// lookAtAdoption notes what of the plan is adopted, and looks into the bucket, as far as
// it may be looked into.
func lookAtAdoption(ctx context.Context, p *Plan) {
	found := &Adoption{Objects: []AdoptedObject{}}
	for _, item := range p.Objects.Items {
		if !item.Adopts() {
			continue
		}
		found.Objects = append(found.Objects, AdoptedObject{item.Ref.String(), people(item.Live)})
		if item.Ref.IsBucket() && p.Bucket.Exists() {
			inside := p.Desired.Inside(ctx)
			found.Bucket = &GivenBucket{Name: p.Bucket.Name, Contents: inside.Contents, More: inside.More}
		}
	}
	if a := p.Desired.Adopted; a.Found() {
		found.Role = &AdoptedRole{ARN: a.Wanted.ARN, Tightened: !a.AsIs}
		if a.Actual != nil {
			found.Role.Policies = policies(a.Actual)
		}
	}
	p.Before.Adoption = found
}

// people are the managers of an object that are somebody's own tools.
func people(live *unstructured.Unstructured) []string {
	return plain.InLines(slices.DeleteFunc(append([]string{}, apply.OtherManagers(live)...), func(name string) bool { return !apply.ByPerson(name) }))
}

// policies are the policies on a role: the ARNs of those attached, the names of the others.
func policies(actual *iam.Actual) []string {
	var all []string
	for _, arn := range actual.Attached {
		all = append(all, advice.PolicyARN(arn).String())
	}
	return append(all, plain.InLines(actual.Inlines)...)
}

// Exposes says what the run makes readable that existed before it, "" if nothing. Two
// things of a run need a confirmation: it gives the app an S3 bucket with objects that no
// IAM role shows to be the project's, or it creates a Route or an Ingress where none led
// to the objects of an app that exists, or to Secrets that are not the chart's samples.
// What can be written in the project, inventory, annotations and the tags of the bucket,
// answers for nobody.
func (p Plan) Exposes(ctx context.Context) string {
	e := p.Exposure()
	var about []string
	if text := exposesBucket(ctx, p, e); text != "" {
		about = append(about, text)
	}
	if names := exposesSecrets(p, e); len(names) > 0 {
		about = append(about, exposure.SecretsNamed(names)+" may have real values (secrets.existing=true): "+e.Who()+" will read them on OSToy's pages, without a password")
	}
	if len(about) == 0 {
		return ""
	}
	switch {
	case e.Public() && e.Managed:
		about = append(about, "--set expose=none keeps the app inside the cluster")
	case e.Public():
		about = append(about, e.NotManaged())
	}
	return strings.Join(about, "; ")
}

// exposesBucket says that the run gives the app an existing S3 bucket with objects, or
// creates the first Route or Ingress of an app with such a bucket. --adopt=bucket is your
// word for the first, unless a Route or an Ingress leads to the app. --adopt=tutorial is
// not: it names no bucket, and the tutorial's objects, which anybody can apply, decide
// which one.
func exposesBucket(ctx context.Context, p Plan, e exposure.Exposure) string {
	unproven := givesBucket(ctx, p)
	asked := e.Public()
	if unproven == "" {
		asked = asked && p.BucketExists() && len(running(p)) > 0 && !exposedAlready(p)
	} else {
		asked = asked || !p.Desired.Request.Adopt.Bucket()
	}
	if !asked {
		return ""
	}
	inside := p.Desired.Inside(ctx)
	if inside.Empty() {
		return ""
	}
	text := "the S3 bucket " + p.Bucket.Name + " exists already and " + holds(inside)
	if unproven != "" {
		text = "the S3 bucket " + p.Bucket.Name + " exists already (" + unproven + ") and " + holds(inside)
	}
	return text + ": " + e.Who() + " will list, read, write and overwrite every object in it, without a password"
}

// exposesSecrets are the Secrets that the app will show behind a Route or an Ingress, and
// that it does not show there yet.
func exposesSecrets(p Plan, e exposure.Exposure) []string {
	if !e.Public() {
		return nil
	}
	if !exposedAlready(p) {
		return e.Secrets
	}
	shown := slices.Collect(maps.Keys(exposure.ExpectedSecrets(running(p))))
	return slices.DeleteFunc(slices.Clone(e.Secrets), func(name string) bool { return slices.Contains(shown, name) })
}

// holds says how much is in a bucket that is not known to be empty.
func holds(inside bucket.Inside) string {
	switch {
	case inside.Contents == nil:
		why := "S3 did not list it"
		var told *problem.Error
		if errors.As(inside.Err, &told) {
			why = told.What
		}
		return "may have objects (not counted: " + why + ")"
	case inside.More:
		return "has more than " + bucket.Amount(inside.Contents)
	}
	return "has " + bucket.Amount(inside.Contents)
}
