package plan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

const (
	// controllerTags are the tags that the controller adds (ACK_RESOURCE_TAGS).
	controllerTags = 2
	// mostTags are those that S3 allows a bucket beside them.
	mostTags = 50 - controllerTags
)

// carry has a plan that creates the Bucket resource of an S3 bucket that exists keep the
// bucket's settings: the controller deletes what the resource does not state. It is an
// error if a setting cannot be kept, or if you are not allowed to state it.
func carry(ctx context.Context, p *Plan) error {
	if !p.BucketExists() || !p.CreatesBucketResource() || p.Desired.Buckets == nil {
		return nil
	}
	d := p.Desired
	found, err := bucket.ReadExisting(ctx, d.Buckets, bucket.TargetOf(d.Facts()), policyIn(d.Objects))
	if err != nil {
		return err
	}
	tags, lost := othersTags(p.Bucket.Tags)
	lost = append(slices.Clone(found.Lost), lost...)
	if most := mostTags - len(render.OwnershipTags(d.Facts())); len(tags) > most {
		lost = append(lost, fmt.Sprintf("%d of its %d tags: S3 allows %d, and the app and the controller need the others", len(tags)-most, len(tags), mostTags+controllerTags))
	}
	var unread []string
	if p.Bucket.Kind != bucket.Ours { // of one that is, nobody else is known to have changed settings
		unread = found.Unread
		if p.Bucket.Tags == nil {
			unread = append(unread, "tags (needs s3:GetBucketTagging)")
		}
	}
	keeps := found.Kept()
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		keeps = append(keeps, "tag "+plain.Line(key))
	}
	if len(lost)+len(unread) > 0 {
		return losing(*p, lost, unread, keeps)
	}
	if p.Before.Bucket != nil {
		p.Before.Bucket.Keeps, p.Before.Bucket.Becomes = keeps, append(found.Becomes, replacedTags(p.Bucket.Tags, render.OwnershipTags(d.Facts()))...)
	}
	if len(keeps) == 0 {
		return nil
	}
	if err := mayCarry(ctx, *p, found.Spec, tags); err != nil {
		return err
	}
	return apply.Carry(ctx, p.Objects, found.Spec, tags)
}

// policyIn is the bucket policy that the app states.
func policyIn(objects []*unstructured.Unstructured) string {
	for _, object := range objects {
		if object.GetKind() == "Bucket" {
			policy, _, _ := unstructured.NestedString(object.Object, "spec", "policy")
			return policy
		}
	}
	return ""
}

// othersTags are the tags of a bucket that are neither this tool's nor the controller's,
// and what is lost of them: those of AWS nobody can write.
func othersTags(all map[string]string) (tags map[string]string, lost []string) {
	tags = map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		switch {
		case render.OwnTag(key), strings.HasPrefix(key, "services.k8s.aws/"):
		case strings.HasPrefix(key, "aws:"):
			lost = append(lost, "tag "+plain.Line(key)+", which only AWS writes")
		default:
			tags[key] = all[key]
		}
	}
	return tags, lost
}

// replacedTags says which of the tags that only this tool writes get another value.
func replacedTags(has, want map[string]string) []string {
	var said []string
	for _, key := range slices.Sorted(maps.Keys(has)) {
		if value, stated := want[key]; stated && value != has[key] {
			said = append(said, "tag "+key+": "+plain.Line(has[key])+" → "+value)
		}
	}
	return said
}

// losing refuses to take over a bucket that would lose settings, or that may, because you
// are not allowed to read some.
func losing(p Plan, lost, unread, keeps []string) error {
	what := "bucket " + p.Bucket.Name + " would lose settings"
	why := "The controller deletes what the Bucket resource does not state"
	next := advice.Command("oc ostoy-s3 install", "--new-project") + " uses another bucket"
	if len(lost) > 0 {
		why += ", and these settings it cannot state beside the app's own: " + strings.Join(lost, "; ")
		next += "\nif nobody needs these settings, remove them from the bucket and run the same command again"
	} else {
		what = "bucket " + p.Bucket.Name + " may lose settings that you are not allowed to read"
	}
	why += "."
	if len(unread) > 0 {
		why += " Not known, because AWS does not let you read them: " + strings.Join(unread, ", ") + "."
		next += "\nto be allowed to read them: " + advice.Command("oc ostoy-s3 iam policy", "--for", "install") + " prints a policy with these permissions"
	}
	if len(keeps) > 0 {
		why += " These would stay: " + strings.Join(keeps, ", ") + "."
	}
	return problem.Refuse(what, why, next).See(bucket.MoreForeign)
}

// mayCarry asks whether you may state the settings: the admission policy allows a Bucket
// few beside the app's, unless you may bypass it. Without a policy everybody may who
// may create the Bucket.
func mayCarry(ctx context.Context, p Plan, spec map[string]any, tags map[string]string) error {
	d := p.Desired
	whole := apply.Whole(p.Objects, spec, tags)
	if whole == nil || len(operator.Refused(d.Facts(), whole)) == 0 {
		return nil
	}
	policy, err := live.ReadAdmission(ctx, d.World)
	if err == nil && (policy.Policy == nil || policy.Binding == nil) {
		return nil
	}
	bypass := access.Right{Verb: "bypass", Group: operator.AdmissionGroup, Resource: kinds.ValidatingAdmissionPolicy.GVR().Resource, Name: operator.PolicyName}
	refused, err := access.Denied(ctx, d.Project.Conn, []access.Right{bypass})
	if err != nil || len(refused) == 0 {
		return err
	}
	names := append(slices.Sorted(maps.Keys(spec)), plain.InLines(slices.Sorted(maps.Keys(tags)))...)
	return problem.Refuse("bucket "+p.Bucket.Name+" would lose settings that you are not allowed to carry over",
		"The controller deletes what the Bucket resource does not state. These settings and tags can be stated: "+strings.Join(names, ", ")+
			"; but the admission policy "+operator.PolicyName+" does not allow all of them, and you are not allowed to bypass it.",
		"ask a cluster admin to run: "+advice.Command("oc ostoy-s3 install", "-n", d.Project.Name(), "--adopt=bucket")).See(bucket.MoreForeign)
}
