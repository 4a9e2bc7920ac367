package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
)

// cloud exchanges tokens for the role. Errors are as AWS gave them.
type cloud interface {
	assume(ctx context.Context, roleARN string, token secret) (asRole, error)
}

// asRole is what can be tried with the role's credentials. Errors are as AWS gave
// them.
type asRole interface {
	appUser
	trespasser
	// whoAmI is the ARN that STS knows the credentials by.
	whoAmI(ctx context.Context) (string, error)
}

// appUser does what the app does, on its bucket.
type appUser interface {
	headBucket(ctx context.Context) error
	listObjects(ctx context.Context, bucket string) error
	// put makes an object that must not be there: else awserr.Code is PreconditionFailed.
	put(ctx context.Context, key, content string) (version string, err error)
	get(ctx context.Context, key string) (content []byte, version string, err error)
	headObject(ctx context.Context, key string) error
}

// trespasser does what the app must not.
type trespasser interface {
	// deleteObject gives the version of the delete marker, "" if none was made.
	deleteObject(ctx context.Context, key string) (marker string, err error)
	listBuckets(ctx context.Context) error
	getRole(ctx context.Context, name string) error
}

// sessionName is how STS, S3 and CloudTrail know us.
const sessionName = "ostoy-s3-verify"

// attempts of one request: here nothing is half-way, so that who cannot be reached
// is given up sooner than by those who change something.
const attempts = 5

// realCloud is AWS. Its configuration is the caller's, for region, endpoints and
// transport; the caller's credentials are never used.
type realCloud struct {
	config  aws.Config
	bucket  string
	account string // that the bucket must be of
}

func newCloud(config aws.Config, bucket, account string) realCloud {
	config = quiet(config)
	config.Credentials = aws.AnonymousCredentials{}
	return realCloud{config, bucket, account}
}

// quiet is a configuration of which the SDK logs nothing, and by which AWS's own
// logs tell our requests from the app's.
func quiet(config aws.Config) aws.Config {
	config = config.Copy()
	config.Logger, config.ClientLogMode = logging.Nop{}, 0
	config.AppID = sessionName
	if config.RetryMaxAttempts == 0 || config.RetryMaxAttempts > attempts {
		config.RetryMaxAttempts = attempts
	}
	return config
}

// assume asks the STS of the region, as the app's pods do. No signature is
// needed: the token is all that counts.
func (c realCloud) assume(ctx context.Context, roleARN string, token secret) (asRole, error) {
	const shortest = 900 // seconds
	got, err := sts.NewFromConfig(c.config).AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
		RoleArn:          aws.String(roleARN),
		RoleSessionName:  aws.String(sessionName),
		WebIdentityToken: aws.String(string(token)),
		DurationSeconds:  aws.Int32(shortest),
	})
	if err != nil {
		return nil, err
	}
	config := c.config
	config.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		k := got.Credentials
		return aws.Credentials{
			AccessKeyID: aws.ToString(k.AccessKeyId), SecretAccessKey: aws.ToString(k.SecretAccessKey),
			SessionToken: aws.ToString(k.SessionToken), Source: "AssumeRoleWithWebIdentity",
		}, nil
	})
	return &realRole{realCloud: realCloud{config, c.bucket, c.account}, s3: newS3(config)}, nil
}

// newS3 is a client as package bucket makes them: at an endpoint of the user's
// the bucket is in the path.
func newS3(config aws.Config) *s3.Client {
	return s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = o.UsePathStyle || o.BaseEndpoint != nil })
}

// realRole is AWS with the role's credentials.
type realRole struct {
	realCloud
	s3 *s3.Client
}

func (r *realRole) whoAmI(ctx context.Context) (string, error) {
	out, err := sts.NewFromConfig(r.config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Arn), nil
}

func (r *realRole) headBucket(ctx context.Context) error {
	_, err := r.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &r.bucket, ExpectedBucketOwner: &r.account})
	return err
}

// listObjects is version 1 of the operation, and ten keys, as OSToy asks.
func (r *realRole) listObjects(ctx context.Context, bucket string) error {
	_, err := r.s3.ListObjects(ctx, &s3.ListObjectsInput{Bucket: &bucket, MaxKeys: aws.Int32(10)})
	return err
}

func (r *realRole) put(ctx context.Context, key, content string) (string, error) {
	out, err := r.s3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &r.bucket, ExpectedBucketOwner: &r.account, Key: &key, IfNoneMatch: aws.String("*"),
		ContentType: aws.String("text/plain"), Body: strings.NewReader(content),
	})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.VersionId), nil
}

// get asks again where the answer broke off: the SDK does so only up to its head.
func (r *realRole) get(ctx context.Context, key string) ([]byte, string, error) {
	for n := 1; ; n++ {
		content, version, err := r.getOnce(ctx, key)
		if n == attempts || !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, syscall.ECONNRESET) {
			return content, version, err
		}
	}
}

func (r *realRole) getOnce(ctx context.Context, key string) ([]byte, string, error) {
	out, err := r.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &r.bucket, ExpectedBucketOwner: &r.account, Key: &key})
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = out.Body.Close() }()
	content, err := readSome(out.Body)
	return content, aws.ToString(out.VersionId), err
}

func (r *realRole) headObject(ctx context.Context, key string) error {
	_, err := r.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &r.bucket, ExpectedBucketOwner: &r.account, Key: &key})
	return err
}

func (r *realRole) deleteObject(ctx context.Context, key string) (string, error) {
	out, err := r.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &r.bucket, ExpectedBucketOwner: &r.account, Key: &key})
	if err != nil || !aws.ToBool(out.DeleteMarker) {
		return "", err
	}
	return aws.ToString(out.VersionId), nil
}

func (r *realRole) listBuckets(ctx context.Context) error {
	_, err := r.s3.ListBuckets(ctx, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1)})
	return err
}

func (r *realRole) getRole(ctx context.Context, name string) error {
	_, err := iam.NewFromConfig(r.config).GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	return err
}

// caller is what the user's own AWS permissions are for. Errors are as AWS gave them.
type caller interface {
	// otherBucket is the name of a bucket of the account and the region that is
	// not this one; empty if there is none.
	otherBucket(ctx context.Context, bucket, region string) (string, error)
	// remove deletes objects; kept are the keys of those that stay, and the error
	// then says why.
	remove(ctx context.Context, bucket, account string, objects []object) (kept []string, err error)
}

// object is one that verify wrote. A version is known where the bucket keeps them.
type object struct{ key, version string }

// realCaller is AWS with the user's credentials.
type realCaller struct{ s3 *s3.Client }

// otherBucket looks at the first few buckets: in another region S3 would answer
// with a redirect, before it has looked at rights.
func (c realCaller) otherBucket(ctx context.Context, bucket, region string) (string, error) {
	out, err := c.s3.ListBuckets(ctx, &s3.ListBucketsInput{BucketRegion: &region, MaxBuckets: aws.Int32(10)})
	if err != nil {
		return "", err
	}
	for _, other := range out.Buckets {
		if name := aws.ToString(other.Name); name != bucket && (other.BucketRegion == nil || *other.BucketRegion == region) {
			return name, nil
		}
	}
	return "", nil
}

// remove names versions where there are any, or S3 would hide the object and keep it.
// An object without a known version leaves a delete marker where S3 keeps versions, or
// has kept some (versioning suspended): the markers go in a second request.
func (c realCaller) remove(ctx context.Context, bucket, account string, objects []object) ([]string, error) {
	markers, kept, err := c.removeOnce(ctx, bucket, account, objects)
	if len(markers) == 0 {
		return kept, err
	}
	_, marked, markedErr := c.removeOnce(ctx, bucket, account, markers)
	return append(kept, marked...), cmp.Or(err, markedErr)
}

// removeOnce is one request. It gives the delete markers that came of it.
func (c realCaller) removeOnce(ctx context.Context, bucket, account string, objects []object) (markers []object, kept []string, err error) {
	var ids []types.ObjectIdentifier
	var keys []string
	for _, o := range objects {
		id := types.ObjectIdentifier{Key: aws.String(o.key)}
		if o.version != "" {
			id.VersionId = aws.String(o.version)
		}
		ids, keys = append(ids, id), append(keys, o.key)
	}
	out, err := c.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &bucket, ExpectedBucketOwner: &account, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(false)},
	})
	if err != nil {
		return nil, keys, err
	}
	for _, gone := range out.Deleted {
		if aws.ToBool(gone.DeleteMarker) && aws.ToString(gone.VersionId) == "" && aws.ToString(gone.DeleteMarkerVersionId) != "" {
			markers = append(markers, object{aws.ToString(gone.Key), aws.ToString(gone.DeleteMarkerVersionId)})
		}
	}
	for _, refused := range out.Errors {
		kept = append(kept, aws.ToString(refused.Key))
		err = &smithy.GenericAPIError{Code: aws.ToString(refused.Code), Message: aws.ToString(refused.Message)}
	}
	if err != nil {
		err = fmt.Errorf("delete %d objects: %w", len(kept), err)
	}
	return markers, kept, err
}
