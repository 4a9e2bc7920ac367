package bucket

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// OwnPrefix is where verify puts its objects. What is below it is ours and
// nobody's data.
const OwnPrefix = "ostoy-s3-verify/"

// What the caller decides on, with errors.Is. The error that carries one of
// them is explained (*problem.Error).
var (
	// ErrNotEmpty says that the bucket stays because something is in it.
	ErrNotEmpty = errors.New("the bucket is not empty")
	// ErrGone says that no bucket has the name (any more).
	ErrGone = errors.New("the bucket is not there")
)

// Target is the bucket that is meant. The account is asked for in every request,
// so that a bucket of the same name in another account is never counted,
// emptied or removed: S3 then answers AccessDenied.
type Target struct {
	Name      string
	Account   string // twelve digits
	Region    string // where the bucket is (State.Region)
	Partition string // for messages; "" is aws
}

// TargetOf is the app's bucket where the facts say it is. An inventory may
// know account and region better.
func TargetOf(f render.Facts) Target {
	return Target{
		Name:      render.BucketName(f.Namespace.Value),
		Account:   f.Account.Value,
		Region:    f.Region.Value,
		Partition: f.Partition.Value,
	}
}

// check refuses a target that could hit another's bucket.
func (t Target) check() error {
	bad := func(part, next string) error {
		return &problem.Error{
			Kind: problem.Usage, What: part + " of bucket " + t.Name + " is not known",
			Why: "without it the request could reach a bucket that is not ours", Next: next,
		}
	}
	switch {
	case t.Name == "":
		return &problem.Error{
			Kind: problem.Usage, What: "the bucket's name is not known",
			Why: "it is made of the namespace, and there is none", Next: "-n NAMESPACE",
		}
	case t.Account == "":
		return bad("the AWS account", "--account-id ID")
	case t.Region == "":
		return bad("the region", "--region REGION")
	}
	return nil
}

func (t Target) at(o *s3.Options) { o.Region = t.Region }

func (t Target) bucket() *string { return aws.String(t.Name) }

func (t Target) owner() *string { return aws.String(t.Account) }

func (t Target) arn() string {
	partition := t.Partition
	if partition == "" {
		partition = "aws"
	}
	return "arn:" + partition + ":s3:::" + t.Name
}
