package chart_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// initContainer is wait-for-bucket as the rendered Deployment has it.
type initContainer struct {
	command []string
	env     map[string]string
}

// waitContainer renders the chart for a namespace and reads the container out
// of the frontend's Deployment.
func waitContainer(t *testing.T, namespace string, set ...string) initContainer {
	t.Helper()
	args := []string{"template", "any-name", chartDir(t), "--namespace", namespace}
	for _, value := range append([]string{
		"aws.region=" + region, "aws.roleARN=arn:aws:iam::" + accountID + ":role/" + namespace,
	}, set...) {
		args = append(args, "--set", value)
	}
	text, err := helm(t, append(args, "--set-string", "aws.accountID="+accountID)...)
	if err != nil {
		t.Fatalf("helm template: %v\n%s", err, text)
	}
	deployment := decode(t, text)["Deployment "+namespace+"/ostoy-frontend"]
	containers, ok := lookup(deployment, "spec", "template", "spec", "initContainers").([]any)
	if !ok || len(containers) != 1 {
		t.Fatalf("init containers: %v", containers)
	}
	got := initContainer{env: map[string]string{}}
	for _, list := range []string{"command", "args"} {
		words, _ := lookup(containers[0], list).([]any)
		for _, word := range words {
			got.command = append(got.command, word.(string))
		}
	}
	variables, _ := lookup(containers[0], "env").([]any)
	for _, v := range variables {
		name, _ := lookup(v, "name").(string)
		value, _ := lookup(v, "value").(string)
		if lookup(v, "valueFrom", "fieldRef", "fieldPath") == "metadata.namespace" {
			value = namespace
		}
		got.env[name] = value
	}
	return got
}

// lookup follows field names into decoded YAML; nil where there is nothing.
func lookup(node any, path ...string) any {
	for _, name := range path {
		table, _ := node.(map[string]any)
		node = table[name]
	}
	return node
}

// machine is the image of the frontend, as far as the script can see it.
type machine struct {
	node string // folder with node
	sdk  string // folder with node_modules/aws-sdk
	sh   string
}

func newMachine(t *testing.T) machine {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	env, err := testbed.Node(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	return machine{node: filepath.Dir(env.Node), sdk: filepath.Dir(env.Modules), sh: sh}
}

// ended is how a run of the script ended.
type ended struct {
	code   int    // exit code, -1 for a signal
	log    string // stdout
	noise  string // stderr
	reason string // what it left in the termination log
	took   time.Duration
}

// script is one run: the container, the changes to its environment and what
// happens outside meanwhile.
type script struct {
	container initContainer
	dir       string            // working directory
	env       map[string]string // "" takes a variable away
	meanwhile func(ctx context.Context, log *lines) error
}

// run runs the script as the kubelet would: the container's command in an
// environment of nothing but the container's.
func (s script) run(t *testing.T, m machine) ended {
	t.Helper()
	reason := filepath.Join(t.TempDir(), "termination-log")
	env := map[string]string{
		"PATH": m.node, "HOME": t.TempDir(), "HOSTNAME": "ostoy-frontend-abc12",
		"WAIT_FOR_BUCKET_TERMINATION_LOG": reason,
	}
	maps.Copy(env, s.container.env)
	maps.Copy(env, s.env)
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, m.sh, s.container.command[1:]...)
	cmd.Dir = s.dir
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if env[name] != "" {
			cmd.Env = append(cmd.Env, name+"="+env[name])
		}
	}
	var noise bytes.Buffer
	log := &lines{changed: make(chan struct{}, 1), signal: func(sig os.Signal) error { return cmd.Process.Signal(sig) }}
	cmd.Stdout, cmd.Stderr = log, &noise
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if s.meanwhile != nil {
		if err := s.meanwhile(ctx, log); err != nil {
			cancel()
			t.Errorf("meanwhile: %v", err)
		}
	}
	if err := cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	text, err := os.ReadFile(reason)
	if err != nil && !os.IsNotExist(err) {
		t.Error(err)
	}
	return ended{
		code: cmd.ProcessState.ExitCode(), log: log.String(), noise: noise.String(),
		reason: string(text), took: time.Since(begin),
	}
}

// lines collects output and lets a test wait for a text in it.
type lines struct {
	mutex   sync.Mutex
	text    strings.Builder
	changed chan struct{}
	signal  func(os.Signal) error
}

func (l *lines) Write(data []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	select {
	case l.changed <- struct{}{}:
	default:
	}
	return l.text.Write(data)
}

func (l *lines) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}

// await returns when the text is in the output.
func (l *lines) await(ctx context.Context, text string) error {
	for !strings.Contains(l.String(), text) {
		select {
		case <-l.changed:
		case <-ctx.Done():
			return fmt.Errorf("no %q in the output:\n%s", text, l.String())
		}
	}
	return nil
}

// expect complains of an ending that is not as it should be. Whatever happens
// nothing goes to stderr and no token is told.
func (e ended) expect(t *testing.T, code int, log, reason []string) {
	t.Helper()
	if e.code != code {
		t.Errorf("exit code %d, want %d", e.code, code)
	}
	rest := e.log
	for _, want := range log {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Errorf("the log lacks %q, or has it too early", want)
		}
		rest = after
	}
	for _, want := range reason {
		if !strings.Contains(e.reason, want) {
			t.Errorf("the termination log lacks %q", want)
		}
	}
	if len(reason) == 0 && e.reason != "" {
		t.Error("something is in the termination log")
	}
	if strings.Count(strings.TrimSpace(e.reason), "\n") > 0 || len(e.reason) > 4096 {
		t.Error("the termination log is not one line that the kubelet keeps whole")
	}
	if e.noise != "" {
		t.Errorf("stderr: %s", e.noise)
	}
	for _, text := range []string{e.log, e.reason} {
		if strings.Contains(text, "eyJ") {
			t.Error("a token is told")
		}
	}
	for line := range strings.Lines(e.log) {
		if !strings.HasPrefix(line, "wait-for-bucket: ") {
			t.Errorf("a line does not say whose it is: %q", line)
		}
	}
	if t.Failed() {
		t.Logf("log:\n%stermination log: %q", e.log, e.reason)
	}
}

// Against AWS: what is not there yet may still come.
func TestWaitForBucketSucceeds(t *testing.T) {
	m, aws := newMachine(t), newAccount(t)
	for _, tc := range []struct {
		namespace string
		roles     bool // role and permission are there
		bucket    bool // the bucket is there
		meanwhile func(ctx context.Context, namespace string, log *lines) error
		log       []string
		lines     int
	}{
		{
			namespace: "ready", roles: true, bucket: true, lines: 1,
			log: []string{"ready-bucket answers after "},
		},
		{
			namespace: "late-bucket", roles: true, lines: 2,
			meanwhile: func(ctx context.Context, namespace string, log *lines) error {
				if err := log.await(ctx, "NotFound"); err != nil {
					return err
				}
				return aws.addBucket(ctx, namespace)
			},
			log: []string{"NotFound from HeadBucket late-bucket-bucket: HTTP 404; trying for ", " s more\n", "late-bucket-bucket answers after "},
		},
		{
			// The role is made beside the bucket, and gets its permission last.
			namespace: "late-role", bucket: true, lines: 3,
			meanwhile: func(ctx context.Context, namespace string, log *lines) error {
				if err := log.await(ctx, "AccessDenied"); err != nil {
					return err
				}
				if err := aws.addRole(ctx, namespace); err != nil {
					return err
				}
				if err := log.await(ctx, "Forbidden"); err != nil {
					return err
				}
				return aws.allowList(ctx, namespace)
			},
			log: []string{
				"AccessDenied from AssumeRoleWithWebIdentity arn:aws:iam::123456789012:role/late-role: Not authorized to perform sts:AssumeRoleWithWebIdentity; trying for ",
				"Forbidden from HeadBucket late-role-bucket: HTTP 403; trying for ",
				"late-role-bucket answers after ",
			},
		},
	} {
		t.Run(tc.namespace, func(t *testing.T) {
			t.Parallel()
			aws.prepare(t, tc.namespace, tc.roles, tc.bucket)
			s := script{
				container: waitContainer(t, tc.namespace), dir: m.sdk,
				env: aws.env(t, tc.namespace, audience),
			}
			if tc.meanwhile != nil {
				s.meanwhile = func(ctx context.Context, log *lines) error { return tc.meanwhile(ctx, tc.namespace, log) }
			}
			got := s.run(t, m)
			got.expect(t, 0, tc.log, nil)
			if lines := strings.Count(got.log, "\n"); lines != tc.lines {
				t.Errorf("%d lines, want %d: one for each change\n%s", lines, tc.lines, got.log)
			}
		})
	}
}

// refusing is the URL of an STS that refuses everything with one code.
func refusing(t *testing.T, code string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>said by a test</Message></Error></ErrorResponse>", code)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// Against AWS: what does not come is told with code, text and a way out.
func TestWaitForBucketGivesUp(t *testing.T) {
	m, aws := newMachine(t), newAccount(t)
	for _, tc := range []struct {
		namespace string
		roles     bool
		bucket    bool
		audience  string
		env       map[string]string
		reason    []string
	}{
		{
			namespace: "no-bucket", roles: true,
			reason: []string{"NotFound from HeadBucket no-bucket-bucket: HTTP 404 (for ", "oc describe buckets.s3.services.k8s.aws no-bucket-bucket -n no-bucket"},
		},
		{
			namespace: "forbidden", bucket: true,
			reason: []string{"Forbidden from HeadBucket forbidden-bucket: HTTP 403 (for ", "s3:ListBucket", "oc ostoy-s3 install -n forbidden"},
		},
		{
			// Keys that happen to be in the environment are not the pod's identity,
			// whatever they could open.
			namespace: "stray-keys", bucket: true,
			env:    map[string]string{"AWS_ACCESS_KEY_ID": helperKey, "AWS_SECRET_ACCESS_KEY": "not-a-secret"},
			reason: []string{"Forbidden from HeadBucket stray-keys-bucket: HTTP 403 (for "},
		},
		{
			namespace: "no-role", bucket: true,
			env:    map[string]string{"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/nobody"},
			reason: []string{"AccessDenied from AssumeRoleWithWebIdentity arn:aws:iam::123456789012:role/nobody: Not authorized to perform sts:AssumeRoleWithWebIdentity (for ", "system:serviceaccount:no-role:ostoy-sa", "oc ostoy-s3 install -n no-role"},
		},
		{
			namespace: "audience", roles: true, bucket: true, audience: "openshift",
			reason: []string{"InvalidIdentityToken from AssumeRoleWithWebIdentity", "Incorrect token audience (for ", "OIDC provider"},
		},
		{
			namespace: "unreachable", env: map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
			reason: []string{"UnknownEndpoint from AssumeRoleWithWebIdentity", "does not reach STS or S3"},
		},
		{
			// A code for which there is no advice of its own.
			namespace: "region-off", env: map[string]string{"AWS_ENDPOINT_URL": refusing(t, "RegionDisabledException")},
			reason: []string{"RegionDisabledException from AssumeRoleWithWebIdentity", "said by a test (for ", "oc ostoy-s3 install -n region-off"},
		},
	} {
		t.Run(tc.namespace, func(t *testing.T) {
			t.Parallel()
			aws.prepare(t, tc.namespace, tc.roles, tc.bucket)
			if !tc.roles {
				if err := aws.addRole(t.Context(), tc.namespace); err != nil {
					t.Fatal(err)
				}
			}
			if tc.audience == "" {
				tc.audience = audience
			}
			env := aws.env(t, tc.namespace, tc.audience)
			maps.Copy(env, tc.env)
			got := script{
				container: waitContainer(t, tc.namespace, "waitForBucket.propagationSeconds=2"), dir: m.sdk, env: env,
			}.run(t, m)
			got.expect(t, 1, tc.reason[:1], tc.reason)
			if code, _, _ := strings.Cut(tc.reason[0], " "); !strings.HasPrefix(got.reason, code) {
				t.Errorf("the reason does not begin with its code: %s", got.reason)
			}
			// It asks several times, and says what it hears once and at the end.
			if lines := strings.Count(got.log, "\n"); lines > 2 {
				t.Errorf("%d lines for one reason:\n%s", lines, got.log)
			}
			if got.took < 2*time.Second {
				t.Errorf("gave up after %s of 2 s", got.took)
			}
		})
	}
}

// organised is an AWS in which a policy denies one call explicitly: "" is the assumption of
// the role, else listing the bucket. Answers to a HEAD have no words.
func organised(t *testing.T, words, denied string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		const refusal = "User: arn:aws:sts::123456789012:assumed-role/x/y is not authorized to perform: %s on resource: z %s"
		switch {
		case r.Method == http.MethodPost && denied != "":
			fmt.Fprint(w, `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>x</SecretAccessKey><SessionToken>y</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`)
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>"+refusal+"</Message></Error></ErrorResponse>", "sts:AssumeRoleWithWebIdentity", words)
		default:
			w.WriteHeader(http.StatusForbidden)
			if r.Method != http.MethodHead {
				fmt.Fprintf(w, "<Error><Code>AccessDenied</Code><Message>"+refusal+"</Message></Error>", denied, words)
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// What a policy denies explicitly does not pass, so it is not waited out; that no policy
// allows a call yet is.
func TestWaitForBucketDenied(t *testing.T) {
	m := newMachine(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	const scp = "with an explicit deny in a service control policy"
	for _, tc := range []struct {
		name, words, denied string
		reason              []string
	}{
		{"role", scp, "", []string{"AccessDenied from AssumeRoleWithWebIdentity", scp + ". This does not pass by waiting."}},
		{"list", scp, "s3:ListBucket", []string{"Forbidden from HeadBucket demo-bucket: ", "s3:ListBucket", scp + ". This does not pass by waiting."}},
		{"spreading", "because no identity-based policy allows the s3:ListBucket action", "s3:ListBucket", []string{"Forbidden from HeadBucket demo-bucket: HTTP 403 (for "}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			// Of an explicit deny nothing is repeated: it ends at the first answer.
			seconds := "waitForBucket.propagationSeconds=600"
			if tc.words != scp {
				seconds = "waitForBucket.propagationSeconds=2"
			}
			got := script{
				container: waitContainer(t, "demo", seconds), dir: m.sdk,
				env: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ENDPOINT_URL": organised(t, tc.words, tc.denied)},
			}.run(t, m)
			got.expect(t, 1, tc.reason[:1], tc.reason)
			if tc.words == scp && strings.Contains(got.log, "trying for") {
				t.Errorf("tried again:\n%s", got.log)
			}
		})
	}
}

// A pod the webhook missed never gets an identity: that is said at once.
func TestWaitForBucketWithoutIdentity(t *testing.T) {
	m := newMachine(t)
	token := filepath.Join(t.TempDir(), "token")
	for _, tc := range []struct {
		name   string
		mode   string
		env    map[string]string
		reason []string
	}{
		{
			name: "missed by the webhook", mode: "webhook",
			reason: []string{"NoIdentity: ", "AWS_WEB_IDENTITY_TOKEN_FILE is not set", "webhook missed it", "oc delete pod ostoy-frontend-abc12 -n demo", "podIdentity=projected"},
		},
		{
			name: "token without a role", mode: "webhook", env: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": token},
			reason: []string{"NoIdentity: ", "AWS_ROLE_ARN is not set"},
		},
		{
			name: "no token", mode: "projected", env: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": token},
			reason: []string{"NoIdentity: ", "there is no file " + token, "oc ostoy-s3 install -n demo"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := script{container: waitContainer(t, "demo", "podIdentity="+tc.mode), dir: m.sdk, env: tc.env}.run(t, m)
			got.expect(t, 1, tc.reason[:1], tc.reason)
			if got.took > 30*time.Second {
				t.Errorf("took %s: waiting is in vain", got.took)
			}
		})
	}
}

// An image that cannot wait is no reason to keep OSToy from starting; one that
// has the SDK elsewhere can wait.
func TestWaitForBucketFailsOpen(t *testing.T) {
	m := newMachine(t)
	closed := map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": filepath.Join(t.TempDir(), "none")}
	for _, tc := range []struct {
		name string
		dir  string
		env  map[string]string
		code int
		log  string
	}{
		{"node missing", m.sdk, map[string]string{"PATH": t.TempDir()}, 0, "this image has no node"},
		{"SDK missing", t.TempDir(), nil, 0, "no usable aws-sdk in "},
		{"SDK broken", brokenSDK(t), nil, 0, "no usable aws-sdk in "},
		{"SDK in NODE_PATH", t.TempDir(), map[string]string{"NODE_PATH": filepath.Join(m.sdk, "node_modules")}, 1, "NoIdentity"},
		{"SDK in the working directory", m.sdk, nil, 1, "NoIdentity"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			env := maps.Clone(closed)
			maps.Copy(env, tc.env)
			var reason []string
			if tc.code != 0 {
				reason = []string{tc.log}
			}
			script{container: waitContainer(t, "demo"), dir: tc.dir, env: env}.run(t, m).
				expect(t, tc.code, []string{tc.log}, reason)
		})
	}
}

// brokenSDK is a folder whose aws-sdk cannot be loaded.
func brokenSDK(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	module := filepath.Join(dir, "node_modules", "aws-sdk")
	if err := os.MkdirAll(module, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(module, "index.js"), []byte("this is no JavaScript"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// parrot is an STS that repeats the token in its refusal, as no STS should.
func parrot(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>InvalidIdentityToken</Code><Message>not a token: %s</Message></Error></ErrorResponse>`, r.FormValue("WebIdentityToken"))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestWaitForBucketNeverTellsTheToken(t *testing.T) {
	m := newMachine(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := script{
		container: waitContainer(t, "demo", "waitForBucket.propagationSeconds=1"), dir: m.sdk,
		env: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ENDPOINT_URL": parrot(t)},
	}.run(t, m)
	got.expect(t, 1, []string{"not a token: <token>"}, []string{"not a token: <token>"})
}

// A reason that cannot be written down is still told, and still ends the run.
func TestWaitForBucketWithoutTerminationLog(t *testing.T) {
	m := newMachine(t)
	got := script{
		container: waitContainer(t, "demo", "podIdentity=webhook"), dir: m.sdk,
		env: map[string]string{"WAIT_FOR_BUCKET_TERMINATION_LOG": filepath.Join(t.TempDir(), "missing", "log")},
	}.run(t, m)
	got.expect(t, 1, []string{"NoIdentity", "cannot write ", "ENOENT"}, nil)
}

// A pod that is deleted while it waits goes at once: node as process 1 would
// not hear SIGTERM unless it listens.
func TestWaitForBucketEndsWhenAsked(t *testing.T) {
	m := newMachine(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := script{
		container: waitContainer(t, "demo"), dir: m.sdk,
		env: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
		meanwhile: func(ctx context.Context, log *lines) error {
			if err := log.await(ctx, "trying for"); err != nil {
				return err
			}
			return log.signal(syscall.SIGTERM)
		},
	}.run(t, m)
	// 143 by its own hand; the signal itself would leave no exit code.
	got.expect(t, 143, []string{"UnknownEndpoint"}, nil)
}

// prepare makes what is there before the pod starts.
func (a *account) prepare(t *testing.T, namespace string, roles, bucket bool) {
	t.Helper()
	if roles {
		if err := errors.Join(a.addRole(t.Context(), namespace), a.allowList(t.Context(), namespace)); err != nil {
			t.Fatal(err)
		}
	}
	if bucket {
		if err := a.addBucket(t.Context(), namespace); err != nil {
			t.Fatal(err)
		}
	}
}

// env points the container of a namespace to this account, with a token where
// the test can put one.
func (a *account) env(t *testing.T, namespace, audience string) map[string]string {
	t.Helper()
	return map[string]string{
		"AWS_ENDPOINT_URL":            a.url,
		"AWS_WEB_IDENTITY_TOKEN_FILE": a.token(t, namespace, audience),
	}
}
