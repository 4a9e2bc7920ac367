package bucket

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func target() Target { return TargetOf(facts()) }

// object is a current one.
func object(key string) entry { return entry{key: key, version: "null", size: 10, latest: true} }

// many are n objects below a prefix.
func many(prefix string, n int) []entry {
	list := make([]entry, n)
	for i := range list {
		list[i] = object(fmt.Sprintf("%s%06d", prefix, i))
	}
	return list
}

// history is a bucket with versions, markers, strange keys and things of ours.
func history() []entry {
	return []entry{
		{key: "a", version: "3", latest: true, marker: true},
		{key: "a", version: "2", size: 7},
		{key: "a", version: "1", marker: true},
		{key: "b c+d%e/ü", version: "5", size: 100, latest: true},
		{key: "b c+d%e/ü", version: "4", size: 20},
		object("line\rbreak"),
		object("nul\x01"),
		{key: OwnPrefix + "x", version: "7", size: 1000, latest: true},
		{key: OwnPrefix + "x", version: "6", size: 1000},
		{key: OwnPrefix + "y", version: "8", latest: true, marker: true},
		object("ostoy-s3-verify.txt"),
	}
}

func TestCount(t *testing.T) {
	all := Contents{Objects: 4, Versions: 2, DeleteMarkers: 2, Bytes: 157, Ours: 3}
	for page := 1; page <= 12; page++ {
		s := newShelf(t, history()...)
		s.page = page
		got, err := Count(t.Context(), s, target())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("page of %d: (-want +got)\n%s", page, diff)
		}
		if want := (len(history()) + page - 1) / page; len(s.asked) != want {
			t.Errorf("page of %d: %d requests, want %d", page, len(s.asked), want)
		}
	}
	for name, c := range map[string]struct {
		items []entry
		want  Contents
		data  bool
	}{
		"empty":         {nil, Contents{}, false},
		"ours only":     {[]entry{object(OwnPrefix + "x")}, Contents{Ours: 1}, false},
		"a marker only": {[]entry{{key: "a", version: "1", latest: true, marker: true}}, Contents{DeleteMarkers: 1}, true},
		"an object":     {[]entry{object("a")}, Contents{Objects: 1, Bytes: 10}, true},
	} {
		got, err := Count(t.Context(), newShelf(t, c.items...), target())
		if err != nil || got != c.want || got.Data() != c.data {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestCountWithFewRights(t *testing.T) {
	s := newShelf(t, history()...)
	s.page = 2
	refuse := func(calls ...string) func(string, int) error {
		return func(call string, _ int) error {
			if slices.Contains(calls, call) {
				return apiError("AccessDenied", "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: s3:ListBucketVersions on resource: \"arn:aws:s3:::demo-bucket\" because no identity-based policy allows the s3:ListBucketVersions action")
			}
			return nil
		}
	}
	s.before = refuse("ListObjectVersions")
	got, err := Count(t.Context(), s, target())
	if want := (Contents{Objects: 4, Bytes: 130, Ours: 1, Partial: true}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if want := []string{"ListObjectVersions", "ListObjectsV2", "ListObjectsV2", "ListObjectsV2"}; !slices.Equal(s.asked, want) {
		t.Errorf("asked %v", s.asked)
	}
	s.before = refuse("ListObjectVersions", "ListObjectsV2")
	if _, err = Count(t.Context(), s, target()); !awserr.Denied(err) {
		t.Error(err)
	}
	wantProblem(t, err, problem.Failed, "arn:aws:s3:::demo-bucket")
}
