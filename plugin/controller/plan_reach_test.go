package controller

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// TestF1Narrowing: Buckets that would stop syncing are told by the S3 bucket they name.
func TestF1Narrowing(t *testing.T) {
	bucket := func(namespace, name string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"metadata": map[string]any{"namespace": namespace, "name": "b"}, "spec": map[string]any{"name": name},
		}}
	}
	objects := []*unstructured.Unstructured{
		bucket("shop", "shop-bucket"), bucket("demo", "demo-bucket"), bucket("ostoy-1", "ostoy-1-bucket"), bucket("other", "other"),
		{Object: map[string]any{"metadata": map[string]any{"namespace": "odd", "name": "b"}}},
	}
	for _, c := range []struct {
		before  string // patterns, with a blank between two
		now     iam.Reach
		narrows bool
		stops   []string
	}{
		{"demo-* shop-*", iam.Reach{Patterns: []string{"demo-*"}}, true, []string{"shop/b (shop-bucket)"}},
		{"demo-* shop-*", iam.Reach{Patterns: []string{"*"}}, false, nil},
		{"*-bucket", iam.Reach{Patterns: []string{"ostoy-*-bucket"}}, true, []string{"demo/b (demo-bucket)", "shop/b (shop-bucket)"}},
		{"ostoy-*-bucket", iam.Reach{Patterns: []string{"*-bucket"}}, false, nil},
		{"ostoy-*-bucket", iam.Reach{Any: true}, false, nil},
		{"ostoy-*-bucket", iam.Reach{Patterns: []string{"demo-*", "ostoy-*"}}, false, nil},
		{"demo-*", iam.Reach{Patterns: []string{"demo-bucket"}}, true, nil},
		{"demo-*", iam.Reach{Unknown: "no"}, true, []string{"demo/b (demo-bucket)"}},
	} {
		r, before := &Reach{Reach: c.now}, iam.Reach{Patterns: strings.Fields(c.before)}
		if got := r.narrows(before.Patterns); got != c.narrows {
			t.Errorf("%s: narrows %t", c.before, got)
		}
		if got := r.stopping(objects, before); !slices.Equal(got, c.stops) {
			t.Errorf("%s: %q, want %q", c.before, got, c.stops)
		}
	}
	for want, r := range map[bool]*Reach{true: {Narrows: true, Unseen: "forbidden"}, false: {Narrows: true}} {
		if r.Asks() != want {
			t.Errorf("%+v: asks %t", r, r.Asks())
		}
	}
	if (*Reach)(nil).Asks() {
		t.Error("asks about nothing")
	}
}

func TestReachCounts(t *testing.T) {
	r := &Reach{Reach: iam.Reach{Patterns: []string{"ostoy-*-bucket"}}}
	if r.count([]string{"ostoy-1-bucket", "demo-bucket", "finance"}); r.Existing != 3 || r.Covered != 1 {
		t.Errorf("%+v", r)
	}
}

// TestF1WritesBuckets: to read Buckets is no permission to have the controller act.
func TestF1WritesBuckets(t *testing.T) {
	for _, role := range operator.Rights() {
		if got := writesBuckets(role); got != (role.GetName() == operator.EditRole) {
			t.Errorf("%s: %t", role.GetName(), got)
		}
	}
}
