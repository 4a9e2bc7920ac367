package verify

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// statement is one of a policy.
type statement struct {
	Effect    string
	Action    []string
	Resource  []string
	Condition map[string]map[string]string `json:",omitempty"`
}

func document(t *testing.T, statements ...statement) string {
	t.Helper()
	return inJSON(t, map[string]any{"Version": "2012-10-17", "Statement": statements})
}

// TestTooFewPermissions: the call that does not work is named, with the right.
func TestTooFewPermissions(t *testing.T) {
	t.Parallel()
	a := installed(t, "narrow")
	good := a.policy(t)
	arn := "arn:aws:s3:::narrow-bucket"
	for _, c := range []struct {
		name   string
		change func(string) string
		fails  string
		says   string
	}{
		{"no ListBucket", replace("s3:ListBucket", "s3:GetBucketLocation"), "access/head-bucket", "may not s3:ListBucket on " + arn},
		{"no PutObject", replace("s3:PutObject", "s3:PutObjectTagging"), "access/put-object", "may not s3:PutObject on " + arn + "/*"},
		{"no GetObject", replace("s3:GetObject", "s3:GetObjectAcl"), "access/get-object", "may not s3:GetObject on " + arn + "/*"},
		// The bucket is of our account; a policy for another's must not reach it.
		{"another account's", replace(`"aws:ResourceAccount":"123456789012"`, `"aws:ResourceAccount":"999999999999"`), "access/head-bucket", "may not s3:ListBucket"},
	} {
		t.Run(c.name, func(t *testing.T) {
			after := c.change(good)
			if after == good {
				t.Fatalf("nothing changes in %s", good)
			}
			a.permit(t, "ostoy-s3", after)
			got, result := a.verify(t, refused, soon)
			got.wantOnly(t, c.fails)
			result.WantTalk(t, c.says, "role "+a.role(), "oc ostoy-s3 install -n narrow", "not tested: needs access")
			a.wantEmpty(t)
		})
	}
	a.permit(t, "ostoy-s3", good)
	a.verify(t, done)
}

// TestTooManyPermissions: what the role may beyond what it needs is told, loudly.
func TestTooManyPermissions(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	user := run.ProjectAdmin(t, bed, "wide")
	installedBy(t, user, "wide-other")
	a := installedBy(t, user, "wide")
	for _, c := range []struct {
		allow statement
		fails []string
		says  []string
	}{
		{statement{Action: []string{"iam:GetRole"}, Resource: []string{"*"}}, []string{"isolation/get-role"}, []string{"NOT REFUSED: iam:GetRole on the role itself"}},
		{statement{Action: []string{"s3:DeleteObject"}, Resource: []string{"arn:aws:s3:::wide-bucket/*"}}, []string{"isolation/delete-object"}, []string{"NOT REFUSED: s3:DeleteObject", "the app can delete objects"}},
		{
			statement{Action: []string{"s3:*"}, Resource: []string{"*"}},
			[]string{"isolation/delete-object", "isolation/list-buckets", "isolation/other-bucket"},
			[]string{"NOT REFUSED: s3:ListBucket on another bucket", "NOT REFUSED: ", "s3:ListAllMyBuckets", "4 of 7 forbidden things were refused", "✔ app"},
		},
	} {
		c.allow.Effect = "Allow"
		a.permit(t, "too-wide", document(t, c.allow))
		got, result := a.verify(t, refused)
		got.wantOnly(t, c.fails...)
		result.WantTalk(t, c.says...)
		a.wantEmpty(t)
	}
}

// TestBucketGone: the cluster says that there is a bucket, and S3 knows better.
func TestBucketGone(t *testing.T) {
	t.Parallel()
	a := installed(t, "bucket-gone")
	_, err := a.bed.S3().DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String(a.bucket())})
	orders(t, err)
	got, result := a.verify(t, refused)
	got.wantOnly(t, "access/head-bucket")
	result.WantTalk(t, "bucket bucket-gone-bucket is not there", "oc get buckets.s3.services.k8s.aws").WantNoTalk(t, "spreading")
}

// TestTidying: objects that cannot be removed are named, and are nobody's data.
func TestTidying(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		namespace string
		env, args []string
		says      string
		deny      bool
	}{
		{"tidy-keep", nil, []string{"--keep"}, "--keep was given", false},
		{"tidy-denied", nil, nil, "AWS refused s3:DeleteObject", true},
		{"tidy-nobody", []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="}, []string{"--account-id=123456789012"}, "you have no AWS credentials", false},
	} {
		t.Run(c.namespace, func(t *testing.T) {
			t.Parallel()
			a := installed(t, c.namespace)
			admin := a.user
			a.user = a.user.With(c.env...)
			if c.deny {
				a.denyCaller(t, "s3:DeleteObjects")
			}
			got, result := a.verify(t, done, c.args...)
			keys := a.keys(t)
			slices.Sort(got.Left)
			if !got.Verified || len(keys) != 2 || !slices.Equal(got.Left, keys) {
				t.Errorf("in the bucket are %v\n%s", keys, result)
			}
			result.WantTalk(t, "object "+keys[0]+" stays in bucket "+a.bucket()+": "+c.says, "oc ostoy-s3 uninstall -n "+c.namespace)
			if outcome := got.outcomes()["isolation/other-bucket"]; c.env != nil && outcome != "not tested" {
				t.Errorf("without credentials the other bucket is %s", outcome)
			}
			if c.deny {
				return
			}
			admin.Run(t, "uninstall", "-n", c.namespace).WantCode(t, done).WantTalk(t, "✔ bucket    removed")
			list, err := a.bed.S3().ListBuckets(t.Context(), &s3.ListBucketsInput{Prefix: aws.String(a.bucket())})
			orders(t, err)
			if len(list.Buckets) > 0 {
				t.Errorf("the bucket is still there\n%s", result)
			}
		})
	}
}

// TestVersionedBucket: nothing stays of what was written, also where S3 keeps
// what is deleted.
func TestVersionedBucket(t *testing.T) {
	t.Parallel()
	for _, namespace := range []string{"versioned", "suspended"} {
		t.Run(namespace, func(t *testing.T) {
			t.Parallel()
			a := installed(t, namespace)
			become := func(status s3types.BucketVersioningStatus) {
				_, err := a.bed.S3().PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
					Bucket: aws.String(a.bucket()), VersioningConfiguration: versioning(status),
				})
				orders(t, err)
			}
			wantEmpty := func() {
				t.Helper()
				list, err := a.bed.S3().ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String(a.bucket())})
				orders(t, err)
				if len(list.Versions)+len(list.DeleteMarkers) > 0 {
					t.Errorf("versions %v, markers %v", list.Versions, list.DeleteMarkers)
				}
			}
			become(s3types.BucketVersioningStatusEnabled)
			if namespace == "suspended" {
				become(s3types.BucketVersioningStatusSuspended)
			}
			a.verify(t, done)
			wantEmpty()
			// The role may delete: its delete marker goes, too.
			a.permit(t, "too-wide", document(t, statement{Effect: "Allow", Action: []string{"s3:DeleteObject"}, Resource: []string{"arn:aws:s3:::" + a.bucket() + "/*"}}))
			got, _ := a.verify(t, refused)
			got.wantOnly(t, "isolation/delete-object")
			wantEmpty()
		})
	}
}
