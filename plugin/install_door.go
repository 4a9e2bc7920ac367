package plugin

import (
	"context"
	"errors"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// door is by which way the app will be reached once the plan is carried out.
func (i *install) door() door {
	exposed := exposing(i.objects)
	if item := i.exposingItem(); item != nil && item.Would != nil {
		exposed = item.Would
	}
	return doorOf(i.facts.Namespace.Value, i.objects, exposed)
}

// doorNow is the door in the end: where something was applied, as the server answered and
// at the address that was waited for, if any.
func (i *install) doorNow(address string) door {
	d := i.door()
	if i.onlyLooks() {
		return d
	}
	for _, live := range i.plan.Live() {
		if isExposing(live) {
			d = doorOf(i.facts.Namespace.Value, i.objects, live)
		}
	}
	if host := hostOf(address); d.public() && host != "" {
		d.host, d.encrypted = host, strings.HasPrefix(address, "https://")
	}
	return d
}

// exposingItem is what the plan says about the Route or Ingress, nil if there is none.
func (i *install) exposingItem() *apply.Item {
	for _, item := range i.plan.Items {
		if kind := item.Ref.Kind; kind == "Route" || kind == "Ingress" {
			return item
		}
	}
	return nil
}

func isExposing(object *unstructured.Unstructured) bool {
	return object.GetKind() == "Route" || object.GetKind() == "Ingress"
}

// mayOpen asks before the app makes readable what was there before it: the objects of an
// adopted S3 bucket, and Secrets that are not the chart's samples. A run that only looks
// shows what will be asked.
func (i *install) mayOpen(ctx context.Context) error {
	about := i.opens(ctx)
	switch {
	case about == "":
		return nil
	case i.request.DryRun != DryRunNone:
		i.UI.Warn(about, "the installation itself asks for confirmation; a script needs --yes")
		return nil
	case i.request.Mode == ModeManual:
		i.UI.Warn(about, "the script does not ask for confirmation")
		return nil
	case i.request.Yes:
		return nil
	}
	return i.confirmed(ctx, i.request.Ask, question{about: about, word: "yes", flags: "--yes", nothing: nothingChanged})
}

// opens says what becomes readable for everybody who can reach the app from outside the
// cluster, "" if nothing does that was there before.
func (i *install) opens(ctx context.Context) string {
	d := i.door()
	if !d.public() || i.nothingToDo() {
		return ""
	}
	var about []string
	if i.opensBucket() {
		if inside := i.lookInside(ctx); !inside.Empty() {
			about = append(about, "the S3 bucket "+i.bucket.Name+" existed before the installation and "+holds(inside)+
				": everybody who can reach "+d.address()+" will list, read, write and overwrite every object in it, without a password")
		}
	}
	if len(d.secrets) > 0 {
		about = append(about, d.secretNames()+" may have real values (secrets.existing=true): everybody who can reach "+
			d.address()+" will read them on OSToy's pages, without a password")
	}
	if len(about) == 0 {
		return ""
	}
	return strings.Join(about, "; ") + ". --set expose=none keeps the app inside the cluster"
}

// opensBucket reports whether the plan leads from outside the cluster to an S3 bucket
// that install did not create: one that it adopts now, or one that it has adopted and to
// which nothing led so far. The tutorial's app leads to its bucket by its own Route.
func (i *install) opensBucket() bool {
	if !i.bucket.Exists() {
		return false
	}
	item := i.exposingItem()
	leads := item != nil && item.Live != nil
	if i.bucket.Kind == bucket.Ours {
		return i.inventory.BucketOrigin == apply.OriginAdopted && !leads
	}
	return i.request.AdoptBucket || i.request.Adopt && !leads
}

// lookInside counts what is in the bucket, once for a run.
func (i *install) lookInside(ctx context.Context) bucket.Inside {
	if i.inside == nil {
		inside := bucket.LookInside(ctx, i.buckets, bucket.TargetOf(i.facts))
		i.inside = &inside
	}
	return *i.inside
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
		return "has more than " + amount(inside.Contents)
	}
	return "has " + amount(inside.Contents)
}
