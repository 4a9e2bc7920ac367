package bucket

import (
	"errors"
	"slices"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func TestRemove(t *testing.T) {
	for _, c := range []struct {
		name  string
		items []entry
		code  string
		is    error
		kind  problem.Kind
		words []string
	}{
		{"empty", nil, "", nil, 0, nil},
		{"data", []entry{object("a")}, "", ErrNotEmpty, problem.Refused, []string{"demo-bucket is not empty and stays", "delete what is in it first"}},
		{"ours", []entry{object(OwnPrefix + "a")}, "", ErrNotEmpty, problem.Refused, nil},
		{"gone", nil, "NoSuchBucket", ErrGone, problem.Failed, []string{"demo-bucket is not there"}},
		{"no right, or another account's", nil, "AccessDenied", nil, problem.Failed, []string{"s3:DeleteBucket on arn:aws:s3:::demo-bucket"}},
		{"elsewhere", nil, "PermanentRedirect", nil, problem.Failed, []string{"--region"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShelf(t, c.items...)
			s.before = func(string, int) error {
				if c.code != "" {
					return apiError(c.code, "")
				}
				return nil
			}
			err := Remove(t.Context(), s, target())
			if !slices.Equal(s.asked, []string{"DeleteBucket"}) || len(s.items) != len(c.items) {
				t.Errorf("asked %v, left %v", s.asked, s.items)
			}
			if c.kind == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantProblem(t, err, c.kind, c.words...)
			if c.is != nil && !errors.Is(err, c.is) || awserr.Denied(err) != (c.code == "AccessDenied") {
				t.Errorf("%v: denied %v", err, awserr.Denied(err))
			}
		})
	}
}

// Without an account or a region a request could reach a stranger's bucket.
func TestTargetMustBeWhole(t *testing.T) {
	for _, spoil := range []func(*Target){
		func(x *Target) { x.Name = "" }, func(x *Target) { x.Account = "" }, func(x *Target) { x.Region = "" },
	} {
		s, bad := newShelf(t, object("a")), target()
		spoil(&bad)
		_, err := Count(t.Context(), s, bad)
		wantProblem(t, err, problem.Usage, "is not known")
		wantProblem(t, Empty(t.Context(), s, bad, false, nil), problem.Usage, "is not known")
		wantProblem(t, Remove(t.Context(), s, bad), problem.Usage, "is not known")
		if len(s.asked) != 0 {
			t.Errorf("asked %v", s.asked)
		}
	}
	if got := (Target{Name: "x", Partition: "aws-cn"}).arn() + (Target{Name: "x"}).arn(); got != "arn:aws-cn:s3:::xarn:aws:s3:::x" {
		t.Error(got)
	}
}
