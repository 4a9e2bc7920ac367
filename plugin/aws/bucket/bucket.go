// Package bucket looks at the app's bucket with the caller's own AWS rights
// before anything is touched, and says whose it is (Look) and whether the app
// may have it (Guard).
//
// Bucket names are global, and OSToy's can be guessed from the project's name.
// The Bucket object adopts whatever bucket of that name the account has, so this
// look is the guard that keeps a stranger's data from being adopted. In us-east-1
// there is no second one: there CreateBucket for a bucket one has already
// succeeds.
//
// When the app goes, it counts what is in the bucket (Count), removes the bucket
// if nothing is (Remove), and deletes data where it is told to (Empty). Every
// request names the account the bucket must be of. It never makes or changes a
// bucket, and does not know whether data may go: that is for its caller to ask.
package bucket

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
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
		return problem.Input(part+" of bucket "+t.Name+" is not known", "without it the request could reach a bucket that is not ours", next)
	}
	switch {
	case t.Name == "":
		return problem.Input("the bucket's name is not known", "it is made of the namespace, and there is none", "-n NAMESPACE")
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

func (t Target) arn() string { return render.BucketARN(cmp.Or(t.Partition, "aws"), t.Name) }

// Kind is what a look at the bucket found.
type Kind string

// What can be found.
const (
	Free           Kind = "free"            // no bucket has the name
	Ours           Kind = "ours"            // this namespace of this cluster made it
	Foreign        Kind = "foreign"         // of this account, with tags that are not ours, or none
	OtherAccount   Kind = "other-account"   // of another account, or hidden from the caller (see Sure)
	OtherRegion    Kind = "other-region"    // of this account, but in another region
	TagsUnreadable Kind = "tags-unreadable" // of this account, but the caller may not see whose
)

// State is what is known about the bucket.
type State struct {
	Kind   Kind              `json:"kind"`
	Name   string            `json:"name"`
	Region string            `json:"region,omitempty"` // where it is, "" if free or not told
	Tags   map[string]string `json:"tags,omitempty"`   // nil if they could not be read
	// Sure is false where OtherAccount may also be a bucket of this account that
	// the caller has no rights on: S3 answers both alike.
	Sure bool `json:"sure"`
	// Missing is the IAM action that would have told more, or "".
	Missing string `json:"missing,omitempty"`
}

// Exists reports whether a bucket has the name.
func (s State) Exists() bool { return s.Kind != Free }

// whose is the clause that says whose the bucket is.
func (s State) whose(f render.Facts) string {
	if s.Tags == nil {
		return "its tags cannot be read without " + s.Missing
	}
	return awserr.Whose(s.Tags, f)
}

// Unmarked reports whether S3 did not tell whose the bucket is: the caller may not see it,
// or nobody has put tags on it yet. The controller puts them last, so that a run right
// after one that was cut off may find none.
func (s State) Unmarked() bool {
	return s.Kind == TagsUnreadable || s.Kind == OtherAccount && !s.Sure || s.Kind == Foreign && len(s.Tags) == 0
}

// Names are the names of all buckets of the account, by one request: without a limit
// S3 gives all of them to accounts that may have up to 10,000 ("ListBuckets" in the
// Amazon S3 API Reference).
func Names(ctx context.Context, api s3.ListBucketsAPIClient) ([]string, error) {
	out, err := api.ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return nil, awserr.Translate(err, "s3:ListAllMyBuckets", "the account's buckets")
	}
	names := make([]string, 0, len(out.Buckets))
	for _, one := range out.Buckets {
		names = append(names, aws.ToString(one.Name))
	}
	return names, nil
}

// API is what looking at a bucket takes. *Client is the real one.
type API interface {
	s3.HeadBucketAPIClient
	GetBucketTagging(context.Context, *s3.GetBucketTaggingInput, ...func(*s3.Options)) (*s3.GetBucketTaggingOutput, error)
	s3.ListBucketsAPIClient
}

// Client is the real S3.
type Client struct{ *s3.Client }

// New gives a client for S3. At an endpoint of the user's (AWS_ENDPOINT_URL,
// AWS_ENDPOINT_URL_S3, endpoint_url: emulators, VPC endpoints) the bucket is in
// the path, because such a host has no subdomain for every bucket; at AWS's own
// it is in the host name, as AWS wants it.
func New(cfg aws.Config) *Client {
	return &Client{s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = o.UsePathStyle || o.BaseEndpoint != nil
		// A bucket that was made or changed a moment ago answers so for a while.
		o.Retryer = retry.AddWithErrorCodes(o.Retryer, "OperationAborted")
	})}
}

// notEmpty is how S3 answers DeleteBucket while something is in the bucket.
const notEmpty = "BucketNotEmpty"

// Remover is what removing takes.
type Remover interface {
	DeleteBucket(context.Context, *s3.DeleteBucketInput, ...func(*s3.Options)) (*s3.DeleteBucketOutput, error)
}

// Remove deletes the bucket if it is empty, in one request that S3 does or
// refuses as a whole; it never empties. The errors to expect, all of them
// explained: ErrGone where there is no bucket, ErrNotEmpty where something is
// in it, and one with awserr.Denied for a caller without s3:DeleteBucket and
// for a bucket of another account. Uploads that were begun and never ended are
// no obstacle and go with the bucket.
func Remove(ctx context.Context, api Remover, t Target) error {
	if err := t.check(); err != nil {
		return err
	}
	_, err := api.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
	if awserr.Code(err) != notEmpty {
		return explain(t, err, actionDeleteBucket, t.arn())
	}
	return problem.Refuse("bucket "+t.Name+" is not empty and stays",
		"S3 removes a bucket only when no object, no older version and no delete marker is in it",
		"delete what is in it first").Because(ErrNotEmpty)
}

// Remove is the package's Remove with the real S3.
func (c *Client) Remove(ctx context.Context, t Target) error { return Remove(ctx, c, t) }

// Count is the package's Count with the real S3.
func (c *Client) Count(ctx context.Context, t Target) (Contents, error) { return Count(ctx, c, t) }

// Look is the package's Look with the real S3.
func (c *Client) Look(ctx context.Context, f render.Facts) (State, error) { return Look(ctx, c, f) }

// Created is the package's Created with the real S3.
func (c *Client) Created(ctx context.Context, t Target) (time.Time, error) { return Created(ctx, c, t) }
