package chaos_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// things are all there is outside of any namespace: "roles/NAME", "buckets/NAME",
// "namespaces/NAME", "clusterroles/NAME".
type things []string

func everywhere(ctx context.Context, bed *testbed.Bed) (things, error) {
	var all things
	pages := iam.NewListRolesPaginator(bed.IAM(), &iam.ListRolesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, role := range page.Roles {
			all = append(all, "roles/"+*role.RoleName)
		}
	}
	buckets, err := bed.S3().ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return nil, err
	}
	for _, bucket := range buckets.Buckets {
		all = append(all, "buckets/"+aws.ToString(bucket.Name))
	}
	objects, err := ofCluster(ctx, bed)
	return append(all, objects...), err
}

// ofCluster are the objects that are in no namespace.
func ofCluster(ctx context.Context, bed *testbed.Bed) (things, error) {
	lists, err := discovery.ServerPreferredResources(bed.Client.Discovery())
	if err != nil {
		return nil, err
	}
	passing := []string{"projects", "componentstatuses"}
	var all things
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, one := range list.APIResources {
			if one.Namespaced || !slices.Contains(one.Verbs, "list") || slices.Contains(passing, one.Name) {
				continue
			}
			found, err := bed.Dynamic.Resource(version.WithResource(one.Name)).List(ctx, metav1.ListOptions{})
			if err != nil {
				return nil, err
			}
			for _, object := range found.Items {
				all = append(all, one.Name+"/"+object.GetName())
			}
		}
	}
	return all, nil
}

// leftovers are things that were not there before, when controllers have had
// their time to take away what belongs to what is gone.
func (before things) leftovers(t *testing.T, bed *testbed.Bed) []string {
	t.Helper()
	const patience, pause = 2 * time.Minute, time.Second
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var left []string
	err := testbed.Poll(ctx, pause, func(ctx context.Context) error {
		now, err := everywhere(ctx, bed)
		if err != nil {
			return err
		}
		left = slices.DeleteFunc(now, func(thing string) bool { return slices.Contains(before, thing) })
		if len(left) > 0 {
			return fmt.Errorf("left: %v", left)
		}
		return nil
	})
	if err != nil && len(left) == 0 {
		t.Errorf("what is left cannot be told: %v", err)
	}
	return left
}
