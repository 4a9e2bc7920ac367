package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// Annotations that ACK reads (apis/core/v1alpha1/annotations.go of its runtime).
const (
	defaultRegionNote  = "services.k8s.aws/default-region" // of a namespace
	readOnlyNote       = "services.k8s.aws/read-only"
	deletionPolicyNote = "services.k8s.aws/deletion-policy"
)

// place compares where the controller found the bucket with where it is told to
// look for it. If the two differ it does nothing, not even delete, and says so
// in its log only.
func (b bucketLook) place(ctx context.Context, object *unstructured.Unstructured) Finding {
	wanted, from := ack.Region(object), "its annotation services.k8s.aws/region"
	if wanted == "" {
		if project, err := b.Project(ctx); err == nil && project != nil {
			wanted, from = project.GetAnnotations()[defaultRegionNote], "the project's annotation "+defaultRegionNote
		}
	}
	inS3 := ""
	if state, err := b.BucketState(ctx); err == nil && state.Kind != bucket.OtherAccount {
		inS3 = state.Region
	}
	return judgePlace(object, wanted, from, awsLook(b).callers(ctx), installWhere(b.World, inS3))
}

// judgePlace: an empty region or account is not known, and compared with nothing. Status
// and annotations can be written in the project, so the cure is not made of them.
func judgePlace(object *unstructured.Unstructured, wanted, from, account, cure string) Finding {
	const ignored = "the ACK controller then leaves the object alone, deletion included, and says so nowhere but in its log"
	if is := health.Text(object.Object, "status", "ackResourceMetadata", "region"); is != "" && wanted != "" && is != wanted {
		return Refuse(fmt.Sprintf("the status of the Bucket resource says %s, and %s says %s", advice.Region(is), from, advice.Region(wanted)), ignored, cure)
	}
	if owner := ack.Account(object); owner != "" && account != "" && owner != account {
		return Refuse(fmt.Sprintf("the controller has the bucket in account %s, and you look with account %s", advice.Account(owner), account),
			"either your credentials are of the wrong account, or the controller's role is: it leaves every object alone whose bucket is in another account than its role",
			"aws sts get-caller-identity shows yours (--profile selects another); a cluster admin looks at the role of the service account of the controller")
	}
	return Pass()
}

// installWhere is the install with the region that S3 says.
func installWhere(w *live.World, inS3 string) string {
	next := installIn(w, "--region", advice.Region(inS3).Word())
	if advice.Region(inS3).Legal() {
		return next
	}
	return health.WhereIs(render.BucketName(w.Namespace)) + "\nthen: " + next
}

// gone: the controller looks again only every ten hours.
func (b bucketLook) gone(ctx context.Context) Finding {
	state, err := b.BucketState(ctx)
	switch {
	case errors.Is(err, live.ErrNoAWS):
		return Leave("there are no AWS credentials")
	case err != nil:
		return Fail(err)
	case state.Exists():
		return Pass()
	}
	return Refuse("the bucket "+b.name()+" is not in S3 any more, though its object says that it is",
		"somebody deleted it behind the controller's back, which looks again only every ten hours",
		"to create both again (what was in the bucket is lost):\n"+b.remove()+"\n"+b.again())
}

// tagged: without tags nobody knows next time that the bucket is ours. Others'
// tags are what bucket-name-taken is for.
func (b bucketLook) tagged(ctx context.Context) Finding {
	state, err := b.BucketState(ctx)
	switch {
	case err != nil:
		return Fail(err)
	case state.Kind == bucket.TagsUnreadable:
		return Unseen(state.Missing+" on it", "whether the bucket's tags say whose it is")
	case state.Tags == nil || render.Ours(state.Tags, b.Facts):
		return Pass()
	}
	return Warn("the bucket "+b.name()+" has lost the tags that say whose it is",
		"only its object shows that it is ours; once that is gone, install takes the bucket for a stranger's",
		"to tag it again, "+b.anew("--adopt=bucket"))
}

// retained: unless the policy is to retain, the bucket goes with its object, or
// keeps the project from going if something is in it.
func (b bucketLook) retained(object *unstructured.Unstructured) Finding {
	policy := object.GetAnnotations()[deletionPolicyNote]
	if policy == ack.Retain {
		return Pass()
	}
	what := "its deletion policy is " + policy
	switch policy {
	case "":
		what = "it has no deletion policy, and the controller's own is usually to delete"
	case ack.Delete:
	default:
		what += ", which the controller does not know and takes for retain as yet"
	}
	return Warn("the bucket "+b.name()+" does not outlive its object: "+what,
		"deleting the project deletes the bucket if it is empty, and hangs for ever if it is not",
		b.again())
}

func writable(object *unstructured.Unstructured) Finding {
	if object.GetAnnotations()[readOnlyNote] != "true" {
		return Pass()
	}
	return Warn("Bucket "+object.GetName()+" is read-only for the controller",
		"its annotation "+readOnlyNote+" is true: the controller neither makes the bucket nor puts its protection back",
		advice.Command("oc annotate buckets.s3.services.k8s.aws", object.GetName(), "-n", object.GetNamespace(), readOnlyNote+"-"))
}

// reach judges all Buckets. A user who is not allowed to list them gets the answer for
// those of this project.
func (b bucketLook) reach(ctx context.Context) Finding {
	all, everywhere := b.List(ctx, kinds.Bucket.GVR(), "", "")
	if apierrors.IsForbidden(everywhere) {
		var err error
		if all, err = b.Here(ctx, kinds.Bucket.GVR()); err != nil {
			return unreadable(b.Conn, err, "list buckets.s3.services.k8s.aws in "+b.Namespace, "which S3 buckets the Buckets of this project name")
		}
	} else if everywhere != nil {
		return Fail(b.Conn.Translate(everywhere))
	}
	found := []Finding{ofOtherProjects(all), b.once(all)}
	if everywhere != nil {
		found = append(found, Unseen("list buckets.s3.services.k8s.aws in all projects",
			"whether a Bucket of another project names an S3 bucket that is not that project's, or this project's"))
	}
	return worstFirst(found)
}

// ofOtherProjects wants every Bucket to have a name of its own project.
func ofOtherProjects(all []*unstructured.Unstructured) Finding {
	others := operator.OfOtherProjects(all)
	if len(others) == 0 {
		return Pass()
	}
	return Warn(fmt.Sprintf("Buckets that name an S3 bucket of another project: %d", len(others)),
		phrase.Few(others)+": the users of that project decide about its settings, and can delete it; a Bucket of a project names PROJECT-bucket or PROJECT--NAME-bucket",
		"find out who needs each; to release one and keep the S3 bucket:\n"+health.DeleteRetained("NAME", "PROJECT"))
}

// once looks for other objects of the project's S3 bucket: they undo each other's
// settings, and whichever is deleted with the policy delete deletes the bucket.
func (b bucketLook) once(all []*unstructured.Unstructured) Finding {
	var others []string
	own := false
	for _, one := range all {
		switch {
		case one.GetNamespace() == b.Namespace && one.GetName() == b.name():
			own = true
		case health.Text(one.Object, "spec", "name") == b.name():
			others = append(others, one.GetNamespace()+"/"+one.GetName())
		}
	}
	if !own || len(others) == 0 {
		return Pass()
	}
	return Warn("the bucket "+b.name()+" is managed by "+strings.Join(others, ", ")+" as well",
		"each object puts its own settings on the bucket, and any of them deletes it unless its deletion policy is retain",
		"delete one of them; the bucket stays:\n"+health.DeleteRetained("NAME", "PROJECT"))
}

// IDAccount is the check that AWS is asked in the right account: in another one,
// nothing is found, and all of it looks wrong.
const IDAccount = "aws-account"

// awsLook are the checks of what AWS tells of the caller.
type awsLook struct{ *live.World }

// awsChecks are about what AWS tells of the caller.
func awsChecks(w *live.World) []Check {
	a := awsLook{w}
	return inGroup(AWS, []Check{
		{ID: IDAccount, Severity: Error, Needs: []string{IDServer, IDCredentials}, Title: "your AWS account is that of the install", Run: a.account},
		{ID: "aws-region", Severity: Warning, Needs: []string{IDServer, IDCredentials, IDAccount}, Title: "your region is that of the bucket", Run: a.region},
	})
}

// onRecord are the places that name an account, and which.
func (a awsLook) onRecord(ctx context.Context) []place {
	var places []place
	add := func(value, where string) {
		if value != "" {
			places = append(places, place{value, where})
		}
	}
	if inventory, err := a.Inventory(ctx); err == nil && !inventory.Foreign {
		add(inventory.Account, "the record of the install")
	}
	if account, err := a.One(ctx, kinds.ServiceAccount.GVR(), render.ServiceAccount); err == nil && account != nil {
		if role, err := render.ParseARNOf(account.GetAnnotations()[live.RoleAnnotation], "iam", "role"); err == nil {
			add(role.Account, "the role of service account "+render.ServiceAccount)
		}
	}
	if object, err := a.One(ctx, kinds.Bucket.GVR(), render.BucketName(a.Namespace)); err == nil && object != nil {
		add(ack.Account(object), "the bucket as the ACK controller found it")
	}
	return places
}

// place is a value and where it stands.
type place struct{ value, where string }

func (a awsLook) account(ctx context.Context) Finding {
	return judgeAccount(a.Facts.Account.Value, a.Namespace, a.onRecord(ctx))
}

// callers is the account of your credentials; "" if it is not known, or is not the
// install's, in which everything else looks wrong.
func (a awsLook) callers(ctx context.Context) string {
	if a.account(ctx).Status == Failed {
		return ""
	}
	return a.Facts.Account.Value
}

// judgeAccount: one place that agrees is enough. That the others do not is for
// the checks of what they are about.
func judgeAccount(caller, namespace string, places []place) Finding {
	if caller == "" || len(places) == 0 || slices.ContainsFunc(places, func(p place) bool { return p.value == caller }) {
		return Pass()
	}
	texts := make([]string, len(places))
	for i, p := range places {
		texts[i] = p.where + " (" + advice.Account(p.value).String() + ")"
	}
	return Refuse("your AWS credentials are of account "+caller+", project "+namespace+" names another account",
		"another account is named by "+strings.Join(texts, ", "),
		"if that is right, with the NAME of a profile of that account: "+advice.Command("oc ostoy-s3 check", "-n", namespace, "--profile", "NAME")+"\n"+
			"your profiles: "+advice.Command("aws configure list-profiles"))
}

// region is a note: each Bucket names its region, so nothing breaks. Where the bucket is,
// only S3 says: inventory and Bucket can be written in the project. That the next install
// would ask for another one is bucket-name-taken's to tell.
func (a awsLook) region(ctx context.Context) Finding {
	state, err := a.BucketState(ctx)
	switch {
	case err != nil:
		return Leave("S3 does not say where the bucket is")
	case state.Kind == bucket.OtherAccount:
		return Leave("the bucket is of another account")
	}
	return judgeRegion(a.AWSRegion, a.Facts.Region, state.Region, a.Namespace)
}

func judgeRegion(configured string, used render.Fact, inS3, namespace string) Finding {
	if inS3 == "" || configured == "" || configured == inS3 || used.Value != inS3 {
		return Pass()
	}
	of := advice.Region(inS3)
	return Warn("your AWS configuration says "+configured+", the bucket of project "+namespace+" is in "+of.String(),
		"no harm here: the region is taken from "+used.Source+"; but commands of the AWS CLI that you type go to "+configured+", and do not find it",
		"for those: "+advice.Words("--region", of.Word())+", or in the environment "+advice.Words("AWS_REGION="+of.Word()))
}
