package project

import (
	"cmp"
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// inS3 is the source of a region that S3 has confirmed.
const inS3 = "S3, where the bucket is"

// recallRegion has the project keep the region that its last install was given. Everybody
// who can edit the project can write the inventory and the Bucket resource, so they only
// say where to look: the region is used if S3 has the bucket there, in this account, or,
// as long as S3 has none, if the inventory and the Bucket resource of the install agree.
func (p Project) recallRegion(ctx context.Context, given render.Fact) (Project, Warning) {
	if given.Known() || !p.Inventory.Found || p.Inventory.Foreign || p.Found.AWS == nil || !p.Facts.Account.Known() {
		return p, Warning{}
	}
	recorded, stated := p.Inventory.Region, ""
	if recorded == "" || recorded != p.Facts.Region.Value {
		stated = p.statedRegion(ctx)
	}
	last := cmp.Or(recorded, stated) // an install that did not get to its end has recorded none
	if last == p.Facts.Region.Value {
		return p, Warning{}
	}
	facts := Recalled(p.Facts, last, func(f *render.Facts) *render.Fact { return &f.Region })
	if facts.Region.Value != last || !advice.Region(last).Legal() {
		return p, Warning{}
	}
	state, err := bucket.New(p.Found.AWS.In(facts.Region)).Look(ctx, facts)
	switch {
	case err == nil && state.Exists() && state.Kind != bucket.OtherAccount && state.Region == last:
		facts.Region.Source = inS3
	case err == nil && !state.Exists() && stated == last:
		facts.Region.Source = "buckets/" + render.BucketName(p.Name())
	case err == nil && state.Exists() && state.Kind != bucket.OtherAccount && state.Region == p.Facts.Region.Value: // it never was
		return p, Warning{}
	default:
		return p, p.otherRegion(last)
	}
	p.Facts = facts
	return p, Warning{}
}

// statedRegion is the region in the Bucket resource of an install, "" if there is none.
func (p Project) statedRegion(ctx context.Context) string {
	object, err := p.Conn.Dynamic.Resource(kinds.Bucket.GVR()).Namespace(p.Name()).Get(ctx, render.BucketName(p.Name()), metav1.GetOptions{})
	if err != nil || !apply.Ours(object) {
		return ""
	}
	return ack.Region(object)
}

// otherRegion says that the region of the last install is not used.
func (p Project) otherRegion(last string) Warning {
	return Warning{
		What: plain.InLine(fmt.Sprintf("the last install was for region %s, as its inventory (ConfigMap %s) says, and this is for %s (%s): S3 does not show bucket %s in %s",
			advice.Region(last), apply.InventoryName, p.Facts.Region.Value, p.Facts.Region.Source, render.BucketName(p.Name()), advice.Region(last))),
		Next: "to use another region than " + p.Facts.Region.Value + ", give it by --region",
	}
}
