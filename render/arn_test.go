package render

import "testing"

func TestParseARN(t *testing.T) {
	for in, want := range map[string]string{
		"arn:aws:iam::123456789012:role/ostoy-s3/x":           "",
		"arn:aws-us-gov:iam::123456789012:policy/boundary":    "",
		"arn:aws:iam::aws:policy/AmazonS3FullAccess":          "",
		"arn:aws:s3:::demo-bucket":                            "",
		"arn:aws:sts::123456789012:assumed-role/Admin/me@x.y": "",
		"arn:aws:logs:us-east-2:123456789012:log-group:a:b":   "",
		"":                                  "six parts",
		"arn:aws:iam::123456789012":         "six parts",
		"urn:aws:iam::123456789012:role/x":  "six parts",
		"arn:azure:iam::123456789012:r":     "partition",
		"arn:awsome:iam::123456789012:r":    "partition",
		"arn:aws-CN:iam::123456789012:r":    "partition",
		"arn:aws:::123456789012:r":          "service",
		"arn:aws:I AM::123456789012:r":      "service",
		"arn:aws:iam:US:123456789012:r":     "region",
		"arn:aws:iam::1234:role/x":          "twelve digits",
		"arn:aws:iam::123456789012:":        "resource",
		"arn:aws:iam::123456789012:role/\n": "resource",
		"arn:aws:iam::123456789012:role/a ": "resource",
	} {
		a, err := ParseARN(in)
		checkInput(t, in, err, want)
		if want == "" && a.String() != in {
			t.Errorf("%q became %q", in, a)
		}
	}
}

// TestPath: name and path are all of the resource but its kind.
func TestPath(t *testing.T) {
	for resource, want := range map[string]string{"role/r": "/", "role/a/b/r": "/a/b/", "role/r/": "/r/", "role": "/"} {
		if got := (ARN{Resource: resource}).Path(); got != want {
			t.Errorf("%s: %s", resource, got)
		}
	}
}

func TestParseARNOf(t *testing.T) {
	for in, want := range map[string]string{
		"arn:aws:iam::aws:policy/AmazonS3FullAccess": "",
		"arn:aws:s3:::policy/x":                      "of the service s3",
		"arn:aws:iam::123456789012:role/x":           "does not name a policy",
		"arn:aws:iam::123456789012:policy/":          "does not name a policy",
		"policy/x":                                   "six parts",
	} {
		_, err := ParseARNOf(in, "iam", "policy")
		checkInput(t, in, err, want)
	}
}

func FuzzParseARN(f *testing.F) {
	f.Add("arn:aws:iam::123456789012:role/ostoy-s3/x")
	f.Add("arn:aws:logs:us-east-2:123456789012:log-group:a:b")
	f.Add("arn:::::")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseARN(s)
		if err == nil && a.String() != s {
			t.Errorf("%q became %q", s, a)
		}
		if err == nil && (a.Partition == "" || a.Service == "" || a.Resource == "") {
			t.Errorf("%q lacks a part: %+v", s, a)
		}
	})
}
