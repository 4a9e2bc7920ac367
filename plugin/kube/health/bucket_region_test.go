package health

import (
	"strings"
	"testing"
)

// TestF2RegionOfABucket: neither the region of the status nor that of the annotation is
// one to install with: both can be written in the project.
func TestF2RegionOfABucket(t *testing.T) {
	is := bucketWith(t, "status: {ackResourceMetadata: {region: us-west-2}}")
	got := Bucket(is, nil, false, Around{})
	if want := "aws s3api get-bucket-location --bucket demo-bucket "; !strings.HasPrefix(got.Hint, want) || strings.Contains(got.Hint, "--region us-") {
		t.Errorf("%+v, want %s", got, want)
	}
	if !InTwoRegions(is) || InTwoRegions(bucketWith(t, "status: {ackResourceMetadata: {region: us-east-2}}")) || InTwoRegions(bucketWith(t, "")) {
		t.Error("which Buckets name two regions")
	}
}

// TestInstallOfABucket: what is advised with an install goes through that of whoever
// manages the app, with what the user fills in as flags.
func TestInstallOfABucket(t *testing.T) {
	in := Around{Install: func(flags ...string) string { return strings.Join(append([]string{"INSTALL"}, flags...), " ") }}
	for conditions, want := range map[string]string{
		"status: {ackResourceMetadata: {region: us-west-2}}":                                   "\nINSTALL --region REGION",
		conds("ACK.Terminal=True|PermanentRedirect: x|"):                                       "\nINSTALL --region REGION",
		conds("ACK.Recoverable=True|api error IllegalLocationConstraintException: x|"):         "\nINSTALL --region REGION",
		conds("ACK.Recoverable=True|api error OptInRequired: x|"):                              "\nINSTALL --region REGION",
		conds("ACK.Recoverable=True|api error MalformedPolicy: x|"):                            "\nINSTALL",
		conds("ACK.Terminal=True|Resource already exists|"):                                    "\nINSTALL",
		conds("ACK.Terminal=True|unrecognized adoption policy bogus. Supported policies are|"): "\nINSTALL",
	} {
		if got := Bucket(bucketWith(t, conditions), nil, false, in).Hint; !strings.HasSuffix(got, want) {
			t.Errorf("%s: %q, want it to end in %q", conditions, got, want)
		}
		if got := Bucket(bucketWith(t, conditions), nil, false, Around{}).Hint; !strings.Contains(got, "install") {
			t.Errorf("%s: %q", conditions, got)
		}
	}
}

// TestInstallOfPodsThatAreRefused: the other SCC is given by an install of the app, and not
// to a Deployment that is not the app's.
func TestInstallOfPodsThatAreRefused(t *testing.T) {
	refused := parse(t, rollingHead+"  conditions: [{type: ReplicaFailure, status: \"True\", reason: x, message: 'pods \"x\" is forbidden: unable to validate against any security context constraint'}]\n")
	in := Around{Install: func(flags ...string) string { return strings.Join(append([]string{"INSTALL"}, flags...), " ") }}
	if got := Deployment(refused, nil, in).Settled().Hint; !strings.HasSuffix(got, "\nINSTALL --set scc.restricted=true") {
		t.Error(got)
	}
	if got := Deployment(refused, nil, Around{}).Settled().Hint; got == "" || strings.Contains(got, "install") {
		t.Error(got)
	}
}
