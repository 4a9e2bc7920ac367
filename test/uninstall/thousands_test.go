package uninstall

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testThousands: --delete-data empties a bucket of more than one listing and one
// batch, of objects, older versions and delete markers, in batches of 1,000 and
// with progress; then the bucket is gone.
func testThousands(t *testing.T, bed *testbed.Bed) {
	const (
		namespace = "thousands"
		objects   = 1100
		twice     = 100 // of them have a second version
		hidden    = 50  // and other ones a delete marker
		all       = objects + twice + hidden
		batch     = 1000
	)
	admin := installed(t, bed, namespace, "--verify=false") // whose objects are one more request
	name := aws.String(namespace + "-bucket")
	_, err := bed.S3().PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket:                  name,
		VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})
	orders(t, err)
	fill(t, bed, name, objects, twice, hidden)
	uninstall(t, admin, 0, namespace, "--keep-role").WantTalk(t, fmt.Sprintf("%d objects, %d older versions, %d delete markers", objects-hidden, twice+hidden, hidden))

	result := uninstall(t, admin, 0, namespace, "--delete-data", "--yes")
	wantLeft(t, bed, namespace)
	deletions := requestsFor(t, bed, *name)
	// A listing is one batch at the most, and there are two of them.
	if deletions["DeleteObjects"] != (all+batch-1)/batch || deletions["DeleteObject"] != 0 || deletions["DeleteBucket"] == 0 {
		t.Errorf("%d objects and versions were deleted by %v", all, deletions)
	}
	told := regexp.MustCompile(`emptying: (\d+) deleted`).FindAllStringSubmatch(result.Stderr, -1)
	last := 0
	for _, found := range told {
		n, err := strconv.Atoi(found[1])
		if err != nil || n <= last {
			t.Errorf("%s after %d", found[0], last)
		}
		last = n
	}
	if len(told) == 0 || last > all {
		t.Errorf("progress is told %d times, last of %d\n%s", len(told), last, result)
	}
}

// fill puts objects, many at the same time.
func fill(t *testing.T, bed *testbed.Bed, bucket *string, objects, twice, hidden int) {
	t.Helper()
	const atOnce = 16
	client := bed.S3()
	key := func(n int) *string { return aws.String(fmt.Sprintf("folder/%04d", n)) }
	each := func(from, to int, do func(key *string) error) {
		var group errgroup.Group
		group.SetLimit(atOnce)
		for n := from; n < to; n++ {
			group.Go(func() error { return do(key(n)) })
		}
		orders(t, group.Wait())
	}
	write := func(key *string) error {
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("data")})
		return err
	}
	each(0, objects, write)
	each(0, twice, write)
	each(twice, twice+hidden, func(key *string) error {
		_, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: key})
		return err
	})
}

// requestsFor counts the user's requests for a bucket, by operation.
func requestsFor(t *testing.T, bed *testbed.Bed, bucket string) map[string]int {
	t.Helper()
	log, err := bed.AWS.Log(t.Context(), "admin")
	orders(t, err)
	count := map[string]int{}
	for _, request := range log {
		if rest, ok := strings.CutPrefix(request.Resource, "arn:aws:s3:::"+bucket); ok && (rest == "" || rest[0] == '/') {
			count[request.Operation]++
		}
	}
	return count
}
