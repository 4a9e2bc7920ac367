package check

import (
	"context"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

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
