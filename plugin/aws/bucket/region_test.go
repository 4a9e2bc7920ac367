package bucket

import (
	"errors"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// TestF2Region: a region that S3 answers with becomes a flag only if it is one.
func TestF2Region(t *testing.T) {
	const poison = "eu-west-1'; $(touch /tmp/pwned)"
	err := Guard(State{Kind: OtherRegion, Name: "demo-bucket", Region: poison}, facts(), false)
	wantProblem(t, err, problem.Refused, "oc ostoy-s3 install -n demo --region REGION --adopt=bucket", "(a value that is not a region of AWS)")
	var told *problem.Error
	if errors.As(err, &told) && strings.Contains(told.What+told.Why+told.Next, "touch") {
		t.Errorf("%+v", told)
	}
}
