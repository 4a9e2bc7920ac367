package cmd

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// ran is what a command line printed.
type ran struct {
	code      int
	out, talk string
}

// runOffline runs a command line with neither a cluster nor AWS credentials.
func runOffline(t *testing.T, args ...string) ran {
	t.Helper()
	return runWith(t, nil, args...)
}

// runWith is runOffline with more in the environment.
func runWith(t *testing.T, environment map[string]string, args ...string) ran {
	t.Helper()
	for name, value := range map[string]string{
		"KUBECONFIG": "/nonexistent", "HOME": t.TempDir(), "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
	} {
		t.Setenv(name, value)
	}
	for name, value := range environment {
		t.Setenv(name, value)
	}
	var out, talk bytes.Buffer
	code := Run(t.Context(), args, Process{
		Streams: genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: &out, ErrOut: &talk},
		Now:     time.Now,
		Getenv:  func(string) string { return "" },
	})
	return ran{code, out.String(), talk.String()}
}

const (
	here     = " --account-id 123456789012 --partition aws"
	boundary = " --permissions-boundary arn:aws:iam::123456789012:policy/class"
	issuer   = " --oidc-issuer https://oidc.example.com/x"
)

// TestF8PolicyOffline: with the facts given, neither cluster nor AWS is asked.
func TestF8PolicyOffline(t *testing.T) {
	for flags, want := range map[string]string{
		"--for install" + here: "arn:aws:iam::123456789012:role/ostoy-s3/*-ostoy-sa-*",
		"--for controller --account-id 123456789012 --region cn-north-1":          "arn:aws-cn:iam::123456789012:role/ostoy-s3-controller/*",
		"--for boundary -n demo -o json" + here:                                   "arn:aws:s3:::demo-bucket",
		"--for class -n demo" + here + boundary + issuer:                          "arn:aws:iam::123456789012:role/ostoy-s3/demo-ostoy-sa-",
		"--for class --project demo --project ostoy-*" + here + boundary + issuer: "role/ostoy-s3/ostoy-*-ostoy-sa-*",
	} {
		got := runOffline(t, append([]string{"iam", "policy"}, strings.Fields(flags)...)...)
		if got.code != 0 || !json.Valid([]byte(got.out)) || !strings.Contains(got.out, want) {
			t.Errorf("%s: exit %d\n%s%s", flags, got.code, got.out, got.talk)
		}
	}
}

// TestF8PolicyRefuses: bad flags are code 2, name the flag, and print no policy.
func TestF8PolicyRefuses(t *testing.T) {
	for flags, want := range map[string]string{
		"":                               "--for must be one of install, class, controller, boundary",
		"--for learner":                  "--for must be one of",
		"--for class -n demo":            "--for class requires --permissions-boundary ARN",
		"--for class" + boundary:         "--for class requires --project NAME",
		"--for install -n demo":          "--project (or -n) cannot be used with --for install",
		"--for class --bucket-pattern *": "--bucket-pattern cannot be used with --for class",
		"--for boundary --project a --bucket-pattern *":    "not both",
		"--for boundary" + boundary:                        "--permissions-boundary cannot be used with --for boundary",
		"--for boundary" + here:                            "--for boundary requires --project NAME or --bucket-pattern PATTERN",
		"--for class --with-controller":                    "--with-controller cannot be used with --for class",
		"--for controller --tag-key team":                  "--tag-key cannot be used with --for controller",
		"--for class --role-name x":                        "--role-name and --role-path cannot be used",
		"--for install -o yaml":                            "unknown output format yaml",
		"--for install --account-id 123456789012":          "--partition",
		"--for boundary --project ${aws:username}*" + here: "invalid project pattern",
		"--for install --partition aws --account-id 12":    "12",
		"--for class -n demo" + here + " --permissions-boundary arn:aws:iam::999999999999:policy/x" + issuer: "another account",
	} {
		got := runOffline(t, append([]string{"iam", "policy"}, strings.Fields(flags)...)...)
		if got.code != 2 || got.out != "" || !strings.Contains(got.talk, want) {
			t.Errorf("%q: exit %d, want %q\n%s%s", flags, got.code, want, got.out, got.talk)
		}
	}
}

// TestF8PolicyAsksSTS: without the flags the account is that of the credentials, and
// a partition that is another's is refused.
func TestF8PolicyAsksSTS(t *testing.T) {
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws-us-gov:iam::210987654321:user/ann</Arn>` +
			`<UserId>U</UserId><Account>210987654321</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`))
	}))
	t.Cleanup(sts.Close)
	credentials := map[string]string{"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": sts.URL}
	got := runWith(t, credentials, "iam", "policy", "--for", "install")
	if got.code != 0 || !strings.Contains(got.out, "arn:aws-us-gov:iam::210987654321:role/ostoy-s3/*-ostoy-sa-*") {
		t.Errorf("%+v", got)
	}
	got = runWith(t, credentials, "iam", "policy", "--for", "install", "--partition", "aws-cn")
	if got.code != 2 || got.out != "" || !strings.Contains(got.talk, "the AWS credentials are of partition aws-us-gov") {
		t.Errorf("%+v", got)
	}
}

// TestForIsCompleted: the shell offers the values of --for.
func TestForIsCompleted(t *testing.T) {
	for command, want := range map[string]string{
		"policy": "install\nclass\ncontroller\nboundary\n", "plan": "app\ncontroller\n", "render": "app\ncontroller\n",
	} {
		if got := runOffline(t, "__complete", "iam", command, "--for", ""); !strings.HasPrefix(got.out, want) {
			t.Errorf("%s: %+v", command, got)
		}
	}
}
