package denied

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

const (
	app      = "ostoy-sa"
	audience = "sts.amazonaws.com"
	stranger = "222222222222"
)

// TestWhoGetsTheRole: the app's service account, and no other token.
func TestWhoGetsTheRole(t *testing.T) {
	t.Parallel()
	own, other := install(t, "own"), install(t, "other")
	token := func(namespace, account, audience string) string {
		t.Helper()
		text, err := own.Token(t.Context(), namespace, account, audience)
		must(t, err)
		return text
	}
	good := token(own.name, app, audience)
	_, err := own.Assume(t.Context(), own.roleARN(), good)
	must(t, err)

	const unauthorized = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
	for name, text := range map[string]string{
		"another project":                            token(other.name, app, audience),
		"another service account":                    token(own.name, "default", audience),
		"another audience":                           token(own.name, app, "openshift"),
		"an issuer of which IAM knows, not the role": signed(t, keyOf(t, own.Bed), claims(secondIssuer(t, own.Bed), own.name, audience)),
	} {
		_, err := own.Assume(t.Context(), own.roleARN(), text)
		wantDenied(t, name, err, unauthorized)
	}
	for name, text := range map[string]string{
		"another key":              signed(t, anyKey(t), claims(own.Issuer, own.name, audience)),
		"an issuer unknown to IAM": signed(t, keyOf(t, own.Bed), claims("https://elsewhere.example.com", own.name, audience)),
		"an unknown audience":      signed(t, keyOf(t, own.Bed), claims(own.Issuer, own.name, "vault")),
		"no token":                 "nothing",
	} {
		_, err := own.Assume(t.Context(), own.roleARN(), text)
		wantCode(t, name, err, "InvalidIdentityToken", 400)
	}
	_, err = own.Assume(t.Context(), other.roleARN(), good)
	wantDenied(t, "another project's role", err, unauthorized)
}

// secondIssuer registers another cluster in IAM.
func secondIssuer(t *testing.T, bed *testbed.Bed) string {
	t.Helper()
	const url = "https://oidc.op1.openshiftapps.com/2second"
	made, err := bed.IAM().CreateOpenIDConnectProvider(t.Context(), &iam.CreateOpenIDConnectProviderInput{
		Url: aws.String(url), ClientIDList: []string{audience}, ThumbprintList: []string{strings.Repeat("0", 40)},
	})
	must(t, err)
	t.Cleanup(func() {
		_, err := bed.IAM().DeleteOpenIDConnectProvider(context.Background(), &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: made.OpenIDConnectProviderArn})
		must(t, err)
	})
	return url
}

// objects are the calls that a test tries on a bucket.
type objects struct {
	*s3.Client
	bucket string
}

func (o objects) list(t *testing.T) error {
	_, err := o.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &o.bucket})
	return err
}

func (o objects) put(t *testing.T) error {
	_, err := o.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &o.bucket, Key: aws.String("k"), Body: strings.NewReader("v")})
	return err
}

func (o objects) get(t *testing.T, key string) error {
	got, err := o.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &o.bucket, Key: &key})
	if err == nil {
		_, err = io.ReadAll(got.Body)
		_ = got.Body.Close()
	}
	return err
}

func (o objects) head(t *testing.T) error {
	_, err := o.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &o.bucket})
	return err
}

func (o objects) remove(t *testing.T, version *string) error {
	_, err := o.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &o.bucket, Key: aws.String("k"), VersionId: version})
	return err
}

// session is the app's.
func (p project) session(t *testing.T) testbed.Identity {
	t.Helper()
	token, err := p.Token(t.Context(), p.name, app, audience)
	must(t, err)
	session, err := p.Assume(t.Context(), p.roleARN(), token)
	must(t, err)
	return session
}

// TestWhatTheRoleMay: put, list and get in its bucket, and nothing else.
func TestWhatTheRoleMay(t *testing.T) {
	t.Parallel()
	own, other := install(t, "own"), install(t, "other")
	session := own.session(t)
	mine := objects{session.S3(), own.bucket()}
	for name, err := range map[string]error{"put": mine.put(t), "head": mine.head(t), "list": mine.list(t), "get": mine.get(t, "k")} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantCode(t, "a key that does not exist", mine.get(t, "absent"), "NoSuchKey", 404)

	role := own.roleARN()[strings.LastIndex(own.roleARN(), "/")+1:]
	who := "User: arn:aws:sts::" + testbed.Account + ":assumed-role/" + role + "/testbed is not authorized to perform: "
	wantDenied(t, "delete", mine.remove(t, nil), who+`s3:DeleteObject on resource: "arn:aws:s3:::own-bucket/k" because no identity-based policy allows the s3:DeleteObject action`)
	wantDenied(t, "delete a version", mine.remove(t, aws.String("null")), "s3:DeleteObjectVersion")
	gone, err := mine.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{
		Bucket: &mine.bucket, Delete: &s3types.Delete{Objects: []s3types.ObjectIdentifier{{Key: aws.String("k")}}},
	})
	if err != nil || len(gone.Errors) != 1 || *gone.Errors[0].Code != "AccessDenied" {
		t.Errorf("delete many: %+v, %v", gone, err)
	}
	_, err = mine.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &mine.bucket})
	wantDenied(t, "policy", err, "s3:GetBucketPolicy")
	_, err = mine.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &mine.bucket})
	wantDenied(t, "versions", err, "s3:ListBucketVersions")
	_, err = mine.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	wantDenied(t, "all buckets", err, "s3:ListAllMyBuckets")
	_, err = session.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &role})
	wantDenied(t, "its role", err, "iam:GetRole on resource: role "+role)

	theirs := objects{session.S3(), other.bucket()}
	for name, err := range map[string]error{"put": theirs.put(t), "list": theirs.list(t), "get": theirs.get(t, "k"), "delete": theirs.remove(t, nil)} {
		wantDenied(t, name+" in another project's bucket", err, "arn:aws:s3:::other-bucket")
	}
	wantCode(t, "head another project's bucket", theirs.head(t), "Forbidden", 403)
	if err := (objects{own.S3(), own.bucket()}).get(t, "k"); err != nil {
		t.Errorf("the object is lost: %v", err)
	}
}

// TestBucketOfAnotherAccount: a bucket of the right name that has another owner, who
// lets everybody in, does not get the app's data.
func TestBucketOfAnotherAccount(t *testing.T) {
	t.Parallel()
	p := install(t, "squatted")
	bucket := p.bucket()
	_, err := p.S3().DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &bucket})
	must(t, err)
	theirs := createOpen(t, p.Bed, bucket)
	t.Cleanup(func() {
		ctx := context.Background()
		_, err := theirs.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("k")})
		must(t, err)
		_, err = theirs.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &bucket})
		must(t, err)
		// The controller may be first.
		_, err = p.S3().CreateBucket(ctx, bucketInput(bucket))
		if own := (*s3types.BucketAlreadyOwnedByYou)(nil); err != nil && !errors.As(err, &own) {
			t.Error(err)
		}
	})
	if err := (objects{p.S3(), bucket}).put(t); err != nil {
		t.Errorf("the account's root user is let in by the policy: %v", err)
	}
	mine := objects{p.session(t).S3(), bucket}
	for name, err := range map[string]error{"put": mine.put(t), "list": mine.list(t), "get": mine.get(t, "k")} {
		wantDenied(t, name, err, "Access Denied")
	}
}

// createOpen creates a bucket in another account that lets in the account of the bed.
func createOpen(t *testing.T, bed *testbed.Bed, bucket string) *s3.Client {
	t.Helper()
	theirs, err := bed.OtherS3(t.Context(), stranger)
	must(t, err)
	_, err = theirs.CreateBucket(t.Context(), bucketInput(bucket))
	must(t, err)
	_, err = theirs.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + testbed.Account + `"},"Action":"s3:*","Resource":["arn:aws:s3:::` + bucket + `","arn:aws:s3:::` + bucket + `/*"]}]}`)})
	must(t, err)
	return theirs
}

// TestAnotherAccountIsNobody: neither the root user of another account nor a role of
// it assumes the app's role or reads its bucket.
func TestAnotherAccountIsNobody(t *testing.T) {
	t.Parallel()
	own := install(t, "own")
	root, err := own.Other(t.Context(), stranger)
	must(t, err)
	role, err := root.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("strangers"), AssumeRolePolicyDocument: aws.String(everybody)})
	must(t, err)
	t.Cleanup(func() {
		ctx, name, policy := context.Background(), role.Role.RoleName, aws.String("wide")
		_, err := root.IAM().DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: policy})
		must(t, err)
		_, err = root.IAM().DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
		must(t, err)
	})
	_, err = root.IAM().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: role.Role.RoleName, PolicyName: aws.String("wide"), PolicyDocument: aws.String(everything)})
	must(t, err)
	session, err := own.AssumeRole(t.Context(), *role.Role.Arn)
	must(t, err)
	for name, who := range map[string]testbed.Identity{"root": root, "a role": session} {
		_, err = who.STS().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(own.roleARN()), RoleSessionName: aws.String("x")})
		wantDenied(t, name+" assumes the app's role", err, "not authorized to perform: sts:AssumeRole")
		theirs := objects{who.S3(), own.bucket()}
		for call, err := range map[string]error{"put": theirs.put(t), "list": theirs.list(t), "get": theirs.get(t, "k"), "delete": theirs.remove(t, nil)} {
			wantDenied(t, name+": "+call, err, "Access Denied")
		}
	}
	token, err := own.Token(t.Context(), own.name, app, audience)
	must(t, err)
	_, err = own.Assume(t.Context(), *role.Role.Arn, token)
	wantCode(t, "the app's token for a role of another account", err, "InvalidIdentityToken", 400, "No OpenIDConnect provider found in your account")
}

// TestVerifyTellsAll: nothing is left untested where AWS evaluates every policy.
func TestVerifyTellsAll(t *testing.T) {
	t.Parallel()
	own := install(t, "own")
	install(t, "other")
	result := run.Admin(own.Bed).Run(t, "verify", "-n", own.name, "-o", "json").WantCode(t, done)
	var document struct {
		Verified bool
		Levels   []struct {
			Level, Outcome string
			Probes         []struct{ Name, Outcome string }
		}
	}
	result.JSON(t, &document)
	probes := 0
	for _, level := range document.Levels {
		for _, probe := range level.Probes {
			if probes++; probe.Outcome != "passed" {
				t.Errorf("%s/%s is %s\n%s", level.Level, probe.Name, probe.Outcome, result)
			}
		}
	}
	if !document.Verified || probes < 19 {
		t.Errorf("verified %t by %d probes\n%s", document.Verified, probes, result)
	}
	t.Log(run.Admin(own.Bed).Run(t, "verify", "-n", own.name).WantCode(t, done))
}
