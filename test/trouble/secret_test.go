package trouble_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// What a user has in the environment, in files and in a Secret, and wants to
// read nowhere.
const (
	secretKey    = "wJalrXUtnFEMISECRETSECRETKEY"
	sessionToken = "FwoGZXIvYXdzSESSIONSESSIONTOKEN"
	secretData   = "the-data-of-a-secret-of-theirs"
	password     = "pa55w0rd-of-somebody"
)

// TestNoSecretIsTold, not even in the most talkative log: keys and tokens of
// the user, tokens asked for on the way, what Secrets hold, signatures. Every
// command is run; one that has no scene here fails the test.
func TestNoSecretIsTold(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "secret"
	world.NewNamespace(t, bed, namespace)
	user, token := bearer(t, bed, namespace)
	user = user.With("AWS_SECRET_ACCESS_KEY="+secretKey, "AWS_SESSION_TOKEN="+sessionToken)
	run.Eventually(t, "rights", func(context.Context) error {
		if said := user.Kubectl(t, "auth", "can-i", "create", "routes.route.openshift.io", "-n", namespace); said.Code != 0 {
			return fmt.Errorf("%s", said.Stderr)
		}
		return nil
	})
	user.Kubectl(t, "create", "secret", "generic", "ostoy-secret", "--from-literal=secret.txt="+secretData, "-n", namespace).WantCode(t, 0)
	k := &keeper{secrets: encoded(secretKey, sessionToken, token, secretData, password)}

	k.run(t, user, refused, "install") // a Secret of theirs is in the way
	k.run(t, user, refused, "install", "--adopt").WantTalk(t, "its value is not the tutorial's sample")
	installed := k.run(t, user, done, "install", "--force-conflicts")
	if !strings.Contains(installed.Stderr, `verb="PATCH" url="https://`) {
		t.Errorf("the log is not talkative\n%s", installed)
	}
	k.samples = secretsOf(t, bed, namespace)
	k.run(t, user, done, "install", "-o", "json")
	// What verify itself is given is looked for in its own tests.
	k.run(t, user, done, "verify")
	k.run(t, user, done, "verify", "-o", "json")
	k.run(t, user, done, "open", "--print")
	for _, args := range [][]string{{"check"}, {"check", "-o", "json"}, {"check", "-o", "junit"}, {"status"}, {"status", "-o", "yaml"}, {"status", "--audit"}} {
		k.run(t, user, done, args...)
	}
	// Somebody edits a Secret: its values are not in what is to change.
	user.Kubectl(t, "patch", "secret", "ostoy-secret-env", "-n", namespace, "--type=merge", "-p", `{"stringData":{"ENV_TOY_SECRET":"`+password+`"}}`).WantCode(t, 0)
	k.run(t, user, done, "install", "--dry-run=client", "-o", "json")
	k.run(t, user, done, "install", "--dry-run=server", "--diff").WantTalk(t, "*** (after)")
	if printed := k.run(t, user, done, "install", "--mode=manual"); !strings.Contains(printed.Stdout, "\nkind: Secret\n") {
		t.Errorf("the Secret is not in the script\n%s", printed)
	}
	k.run(t, user, differs, "diff")
	k.run(t, user.With("KUBECTL_EXTERNAL_DIFF=diff -r"), differs, "diff")
	k.run(t, user, done, "install", "--dry-run=server", "-o", "json").WantTalk(t, "(secret)")
	k.run(t, user, misused, "install", "--set", "secrets.password="+password)
	k.run(t, user, misused, "install", "--set", "frontend.image.tag="+password+","+password+"=x,y[")
	deny(t, bed, namespace)
	k.run(t, user, refused, "install").WantTalk(t, "Secret ostoy-secret")
	k.run(t, user, refused, "install", "--dry-run=server")
	k.run(t, user, undecided, "diff")
	allow(t, bed)
	k.run(t, user.With("AWS_ENDPOINT_URL="+telltale(t)), failed, "install")
	k.run(t, user.With("AWS_ENDPOINT_URL=http://"+run.Refusing(t)), failed, "install")
	for _, args := range [][]string{{"facts"}, {"facts", "-o", "yaml"}, {"values"}, {"version"}, {"version", "-o", "json"}} {
		k.run(t, user, done, args...)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell", "kubectl", "oc"} {
		k.run(t, user, done, "completion", shell)
	}
	k.run(t, user, done, "render")
	for _, format := range []string{"text", "aws", "json", "cloudformation", "terraform", "ack"} {
		k.run(t, user, done, "iam", "render", "--format", format)
	}
	k.run(t, user, done, "iam", "plan")
	k.run(t, user, done, "iam", "plan", "-o", "json")
	for _, purpose := range []string{"install", "controller"} {
		k.run(t, user, done, "iam", "policy", "--for", purpose)
	}
	const boundary = "arn:aws:iam::123456789012:policy/" + namespace
	k.run(t, user, done, "iam", "policy", "--for", "boundary", "--project", namespace)
	k.run(t, user, done, "iam", "policy", "--for", "class", "--project", namespace, "--permissions-boundary", boundary)
	k.run(t, user, done, "render", "--output-dir", filepath.Join(t.TempDir(), "out"))
	k.run(t, user, misused, "render", "--format", "flux", "--revision", "main", "--path", "apps", "--repo-url", "https://bob:"+password+"@git.example.com/apps")
	k.run(t, user, misused, "render", "--format", "flux", "--revision", "main", "--path", "apps", "--repo-url", "bob:"+password+"@git.example.com:apps")
	k.run(t, user, done, "install", "--dry-run=client", "--set", "secrets.existing=true")
	k.controller(t, user, run.Admin(bed).With("AWS_SECRET_ACCESS_KEY="+secretKey, "AWS_SESSION_TOKEN="+sessionToken))
	k.run(t, user, done, "uninstall", "--dry-run", "-o", "json")
	k.run(t, user, done, "install") // puts the edit back
	k.run(t, user, done, "release", "--to", "none", "--dry-run")
	k.run(t, user, done, "release", "--to", "none", "-o", "json")
	k.run(t, user, done, "install") // joins what it finds as it would make it
	k.run(t, user, done, "uninstall")
	k.run(t, user, done, "install")
	k.run(t, user, done, "uninstall", "--delete-data", "--yes", "-o", "json")
	k.wantAllCommands(t)
}

// controller plays what there is for the controller, as who may not do any of it
// and as a cluster admin; other tests need the one that is there.
func (k *keeper) controller(t *testing.T, learner, admin run.User) {
	t.Helper()
	k.secrets = append(k.secrets, keysOf(t, admin.Kubeconfig)...)
	k.run(t, learner, refused, "controller", "install", "--bucket-pattern", "*-bucket")
	k.run(t, learner, refused, "controller", "uninstall")
	k.run(t, learner, done, "controller", "render", "--version", "1.13.0", "--oidc-issuer", learner.Bed.Issuer)
	k.run(t, admin, done, "controller", "render", "--values")
	k.run(t, admin, done, "controller", "install", "--bucket-pattern", "*-bucket", "--dry-run=server", "-o", "json")
	k.run(t, admin, done, "controller", "status")
	k.run(t, admin, done, "controller", "status", "-o", "json")
	k.run(t, admin, refused, "controller", "uninstall", "--dry-run")
}

// TestNoSecretOfFilesIsTold: what stands in files that are not what they were
// taken for, in addresses, and in kubeconfigs that do not work.
func TestNoSecretOfFilesIsTold(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	admin := run.Admin(bed)
	k := &keeper{secrets: append(encoded(secretKey, sessionToken, password), keysOf(t, bed.Kubeconfig)...)}
	const in = "--namespace=nowhere-at-all"
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	k.run(t, admin, done, "facts", in) // with a client key
	for name, text := range map[string]string{
		"env":         "AWS_SECRET_ACCESS_KEY=" + secretKey + "\n",
		"credentials": "[default]\naws_secret_access_key = " + secretKey + "\n",
		"values":      "region: us-east-2\npassword: " + password + "\n",
		"alias":       "password: *" + password + "\n",
		"tag":         "password: !!int " + password + "\n",
	} {
		path := file(name, text, 0o600)
		k.run(t, admin, misused, "facts", in, "--facts", path)
		k.run(t, admin, misused, "render", in, "-f", path)
		k.run(t, admin, misused, "install", in, "--facts", path)
	}
	// A profile whose program says too much, and one that is no profile.
	broken := file("says", "#!/bin/sh\necho '{\"SecretAccessKey\": \""+secretKey+"\", '\n", 0o700)
	config := file("config", "[profile p]\ncredential_process = "+broken+"\n[profile q]\naws_secret_access_key = "+secretKey+"\n", 0o600)
	nobody := admin.With("AWS_CONFIG_FILE="+config, "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=", "AWS_EC2_METADATA_DISABLED=true")
	k.run(t, nobody, misused, "facts", in, "--profile", "p")
	k.run(t, nobody, misused, "facts", in, "--profile", "q")
	at := "bob:" + password + "@" + run.Refusing(t)
	for name, env := range map[string][]string{
		"endpoint gone":     {"AWS_ENDPOINT_URL=http://" + at},
		"endpoint misspelt": {"AWS_ENDPOINT_URL=http://bob:" + password + "@ho st"},
		"no endpoint":       {"AWS_ENDPOINT_URL=bob:" + password},
		"proxy gone":        {"AWS_ENDPOINT_URL=http://aws.invalid", "HTTP_PROXY=http://" + at},
		"proxy misspelt":    {"AWS_ENDPOINT_URL=http://aws.invalid", "HTTP_PROXY=http://bob:" + password + "@ho st"},
	} {
		t.Run(name, func(t *testing.T) { // AWS is tried several times: they wait together
			t.Parallel()
			code := failed
			if !strings.HasSuffix(name, "gone") { // it is wrong without asking anybody
				code = misused
			}
			k.run(t, admin.With(append(env, "AWS_MAX_ATTEMPTS=1")...), code, "facts", in)
		})
	}
	for name, c := range brokenKubeconfigs(t, bed, file) {
		t.Run(name, func(t *testing.T) {
			broken := run.User{Bed: bed, Name: name, Kubeconfig: c.path}
			k.run(t, broken, c.code, "facts", in)
			k.run(t, broken, c.code, "install", in)
		})
	}
}

// telltale is an AWS that repeats the request in its refusal, as S3 and IAM do
// when a signature is wrong.
func telltale(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		canonical := r.Method + "\n" + r.URL.Path + "\n"
		for name, values := range r.Header {
			canonical += strings.ToLower(name) + ":" + strings.Join(values, ",") + "\n"
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>The Canonical String for this request should have been '%s'</Message></Error></ErrorResponse>", canonical)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// commands are those of the tool, as its list of commands and flags has them,
// but for those that only hold others.
func commands(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "cmd", "testdata", "commands.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "oc ostoy-s3 "); ok {
			name, _, _ = strings.Cut(name, ":")
			all = append(all, name)
		}
	}
	if !slices.Contains(all, "install") {
		t.Fatalf("no list of commands: %q", all)
	}
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool {
		return slices.ContainsFunc(all, func(other string) bool { return strings.HasPrefix(other, name+" ") })
	})
}
