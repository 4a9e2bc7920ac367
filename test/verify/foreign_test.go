package verify

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestBucketOfAStranger: bucket names are global and OSToy's can be guessed. Where
// somebody in another account has taken the name, and opened the bucket to all
// the world, the app still cannot write its data there, because the policy of its
// role names the account; without that it could. verify tells either way.
func TestBucketOfAStranger(t *testing.T) {
	t.Parallel()
	a := installed(t, "squatted")
	stranger, err := a.bed.OtherS3(t.Context(), "222222222222")
	orders(t, err)
	_, err = a.bed.S3().DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String(a.bucket())})
	orders(t, err)
	_, err = stranger.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket:                    aws.String(a.bucket()),
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: testbed.Region},
	})
	orders(t, err)
	_, err = stranger.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{
		Bucket: aws.String(a.bucket()),
		Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::squatted-bucket","arn:aws:s3:::squatted-bucket/*"]}]}`),
	})
	orders(t, err)

	verified := func() {
		t.Helper()
		got, result := a.verify(t, refused, soon)
		got.wantOnly(t, "access/head-bucket")
		result.WantTalk(t, "may not s3:ListBucket on arn:aws:s3:::squatted-bucket", "the bucket is another account's")
	}
	verified()
	if page := a.upload(t, "kept"); !strings.Contains(page, "AccessDenied") {
		t.Errorf("the app writes into a stranger's bucket: %s", page)
	}
	a.permit(t, "ostoy-s3", replace(`"aws:ResourceAccount":"123456789012"`, `"aws:SecureTransport":"true"`)(a.policy(t)))
	verified()
	if page := a.upload(t, "lost"); page != "" {
		t.Errorf("the bed does not let it write without the condition: %s", page)
	}
	list, err := stranger.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(a.bucket())})
	orders(t, err)
	if len(list.Contents) != 1 || *list.Contents[0].Key != "lost" {
		t.Errorf("the stranger has %v", list.Contents)
	}
}

// upload has the app itself write an object; it gives the page of an error.
func (a app) upload(t *testing.T, key string) string {
	t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	form := url.Values{"filename": {key}, "content": {"data"}}
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, a.frontend(t)+"/s3upload", strings.NewReader(form.Encode()))
	orders(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(request)
	orders(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	orders(t, err)
	if answer.StatusCode == http.StatusFound {
		return ""
	}
	return fmt.Sprintf("%d %s", answer.StatusCode, text)
}
