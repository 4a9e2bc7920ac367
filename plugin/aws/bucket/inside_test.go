package bucket

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestF4LookInside: the look is bounded, and only a bucket that was counted to its end is
// called empty.
func TestF4LookInside(t *testing.T) {
	for name, c := range map[string]struct {
		things  []entry
		objects int64
		asked   int
		more    bool
		empty   bool
	}{
		"empty":                {nil, 0, 1, false, true},
		"one":                  {many("data/", 1), 1, 1, false, false},
		"much":                 {many("data/", 5000), 2000, 2, true, false},
		"what verify left":     {many(OwnPrefix, 3), 0, 1, false, true},
		"only deleted objects": {[]entry{{key: "a", version: "2", latest: true, marker: true}, {key: "a", version: "1"}}, 0, 1, false, true},
		"hidden behind verify": {append(many("a/", 0), append(many(OwnPrefix, 2000), object("z"))...), 0, 2, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			api := newShelf(t, c.things...)
			got := LookInside(t.Context(), api, target())
			if got.Err != nil || got.Contents == nil {
				t.Fatalf("%+v", got)
			}
			if got.Contents.Objects != c.objects || got.More != c.more || got.Empty() != c.empty || len(api.asked) != c.asked {
				t.Errorf("%+v, %+v, empty %t, %d requests", got, *got.Contents, got.Empty(), len(api.asked))
			}
		})
	}
	denied := LookInside(t.Context(), refusingLister{}, target())
	if denied.Contents != nil || denied.Err == nil || denied.Empty() {
		t.Errorf("%+v", denied)
	}
}

// refusingLister lists nothing.
type refusingLister struct{}

func (refusingLister) ListObjectVersions(context.Context, *s3.ListObjectVersionsInput, ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error) {
	return nil, errors.New("no")
}

func (refusingLister) ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	return nil, errors.New("no")
}
