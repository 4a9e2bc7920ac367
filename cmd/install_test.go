package cmd

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// TestFlagsOfInstallThatExcludeEachOther: they are refused before anybody is asked
// anything, with a reason.
func TestFlagsOfInstallThatExcludeEachOther(t *testing.T) {
	for flags, why := range map[string]string{
		"-n demo --iam=skip --with-controller":    "nothing is written to IAM",
		"-n demo --iam=skip --adopt=role":         "it is not made",
		"--new-project --iam=skip":                "needs the name of the project",
		"-n demo --new-project=other":             "name two projects",
		"-n demo --iam=skip --tags team=platform": "it is not made",
		"-n demo --bucket-pattern *-bucket":       "can only be used with --with-controller",
		"-n demo --allow-any-bucket":              "can only be used with --with-controller",
	} {
		var out, talk bytes.Buffer
		code := Run(t.Context(), append([]string{"install"}, strings.Fields(flags)...), Process{
			Streams: genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: &out, ErrOut: &talk},
			Now:     time.Now,
			Getenv:  func(string) string { return "" },
		})
		if code != 2 || out.Len() > 0 || !strings.Contains(talk.String(), why) {
			t.Errorf("%s: exit %d, stdout %q\n%s", flags, code, &out, &talk)
		}
	}
}
