package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// edited is an app in a project of which mallory is an editor, without any permission
// elsewhere. The admin is who verifies.
func edited(t *testing.T, namespace string) (app, run.User) {
	t.Helper()
	a := installed(t, namespace)
	a.user.Kubectl(t, "create", "rolebinding", "mallory", "--clusterrole=edit", "--user=mallory-"+namespace, "-n", namespace).WantCode(t, done)
	return a, run.ProjectAdmin(t, a.bed, "mallory-"+namespace)
}

// claim has mallory change something, and waits until a pod says it.
func (a app) claim(t *testing.T, mallory run.User, says string, command ...string) {
	t.Helper()
	mallory.Kubectl(t, append(command, "-n", a.namespace)...).WantCode(t, done)
	run.Eventually(t, "a pod with "+says, func(context.Context) error {
		pods := mallory.Kubectl(t, "get", "pods", "-l", "app=ostoy-frontend", "-n", a.namespace, "-o", "json").Stdout
		if !strings.Contains(pods, says) {
			return errors.New("there is none")
		}
		return nil
	})
}

// annotate has mallory change an annotation of the service account.
func (a app) annotate(t *testing.T, mallory run.User, key, value string) {
	t.Helper()
	mallory.Kubectl(t, "annotate", "serviceaccount/ostoy-sa", "--overwrite", "eks.amazonaws.com/"+key+"="+value, "-n", a.namespace).WantCode(t, done)
}

// tokens are the TokenRequests of the tool since a mark. The audit log has them when the
// request of kubectl that comes after them is in it.
func (a app) tokens(t *testing.T, mark int64) []string {
	t.Helper()
	last := fmt.Sprintf("/version?after=%s-%d", a.namespace, mark)
	a.user.Kubectl(t, "get", "--raw", last).WantCode(t, done)
	var tokens []string
	run.Eventually(t, "the audit log", func(context.Context) error {
		all, err := a.bed.KubeRequests(mark, "")
		if err != nil {
			return err
		}
		tokens = nil
		for _, r := range all {
			if r.Object != nil && r.Object.Subresource == "token" && r.Object.Namespace == a.namespace && strings.HasPrefix(r.UserAgent, run.Name) {
				tokens = append(tokens, r.URI)
			}
			if r.URI == last {
				return nil
			}
		}
		return errors.New("is not complete")
	})
	return tokens
}

// TestF9Claims: whatever a project's editor has pods and annotation say, verify compares
// it with the install, proves no other role, and requests no token for an audience that
// only the project names.
func TestF9Claims(t *testing.T) {
	t.Parallel()
	a, mallory := edited(t, "claims")
	other := installed(t, "claims-other")
	const stolen = "arn:aws:iam::999999999999:role/stolen"
	own := "arn:aws:iam::123456789012:role/ostoy-s3/" + a.role()
	others := "arn:aws:iam::123456789012:role/ostoy-s3/" + other.role()
	env := func(role string) func(*testing.T) {
		return func(t *testing.T) {
			a.claim(t, mallory, role, "set", "env", "deployment/ostoy-frontend", "AWS_ROLE_ARN="+role)
		}
	}
	annotation := func(key, value string) func(*testing.T) {
		return func(t *testing.T) { a.annotate(t, mallory, key, value) }
	}
	token := func(audience string) func(*testing.T) {
		return func(t *testing.T) {
			patch := `{"spec":{"template":{"spec":{"volumes":[{"name":"aws-iam-token","projected":{"sources":[{"serviceAccountToken":{"audience":"` + audience + `","expirationSeconds":3600,"path":"token"}}]}}]}}}}`
			a.claim(t, mallory, audience, "patch", "deployment/ostoy-frontend", "-p", patch)
		}
	}
	const notItsRole, notItsAudience = "the app's pods do not have the role of the install", "the app's pods do not have the audience of the install"
	for _, c := range []struct {
		name   string
		change func(*testing.T)
		fails  string
		tokens int
		says   []string
	}{
		{"annotation, another account", annotation("role-arn", stolen), "identity/role", 1, []string{notItsRole, "the annotation of service account ostoy-sa names " + stolen, "the role of the install is " + own}},
		{"annotation, another project", annotation("role-arn", others), "identity/role", 1, []string{notItsRole, "the annotation of service account ostoy-sa names " + others, "the role of the install is " + own}},
		{"annotation, not an ARN", annotation("role-arn", "x\x1b[2J\ntry   oc delete project demo"), "identity/role", 1, []string{notItsRole, "ostoy-sa names (a value that is not the ARN of an IAM role)"}},
		{"annotation, another audience", annotation("audience", "vault"), "identity/audience", 0, []string{notItsAudience, "the annotation of service account ostoy-sa names audience vault", "no token was requested"}},
		{"pods, another account", env(stolen), "identity/role", 1, []string{notItsRole, "pod ostoy-frontend-", " names " + stolen, "the role of the install is " + own}},
		{"pods, another project", env(others), "identity/role", 1, []string{notItsRole, " names " + others, "the role of the install is " + own}},
		{"pods, another audience", token("vault"), "identity/audience", 0, []string{notItsAudience, "names audience vault", "tokens are requested only for sts.amazonaws.com and openshift, or for the audience that --audience gives; none was requested"}},
		{"pods, the API server's", token("https://kubernetes.default.svc"), "identity/audience", 0, []string{notItsAudience, "names audience https://kubernetes.default.svc"}},
	} {
		t.Run(c.name, func(t *testing.T) { // one after the other: there is one project
			c.change(t)
			mark := a.bed.KubeMark()
			got, result := a.verify(t, refused)
			got.wantOnly(t, c.fails)
			result.WantTalk(t, append(c.says, "oc ostoy-s3 install -n claims", "not verified")...).WantNoTalk(t, "try   oc delete", "\x1b", "999999999999:role/ostoy-s3")
			if tokens := a.tokens(t, mark); len(tokens) != c.tokens {
				t.Errorf("%d tokens were requested, want %d: %v", len(tokens), c.tokens, tokens)
			}
			if outcome := got.outcomes()["identity/assume-role"]; outcome != "not tested" {
				t.Errorf("assume-role is %s", outcome)
			}
			a.user.Run(t, "install", "-n", a.namespace, "--force-conflicts", "--verify=false").WantCode(t, done)
		})
	}
	a.verify(t, done)
}

// TestF9RoleByName: a role whose name install did not compute is the project's if the
// user names it, or if IAM says so; that the project says so is not enough.
func TestF9RoleByName(t *testing.T) {
	t.Parallel()
	a := installed(t, "by-name", "--role-name=chosen-by-name", "--role-path=/team/")
	got, _ := a.verify(t, done)
	if want := "arn:aws:iam::123456789012:role/team/chosen-by-name"; got.Role != want {
		t.Errorf("the role is %s, want %s", got.Role, want)
	}
	orders(t, a.bed.AWS.Fail(t.Context(), testbed.Fault{Action: "iam:GetRole", Resource: "*chosen-by-name", Principal: "admin", Code: "AccessDenied", Status: 403, Message: "not authorized"}))
	got, result := a.verify(t, refused)
	got.wantOnly(t, "identity/role")
	result.WantTalk(t, "IAM was asked whether it is this project's", "iam:GetRole", "--role-name ROLE --role-path PATH")
	a.verify(t, done, "--role-name=chosen-by-name", "--role-path=/team/")
	got, result = a.verify(t, refused, "--role-name=another", "--account-id=123456789012")
	got.wantOnly(t, "identity/role")
	const flags = " -n by-name --account-id 123456789012 --role-name another"
	result.WantTalk(t, "oc ostoy-s3 verify -n by-name --account-id ACCOUNT --role-name ROLE --role-path PATH", "with the flags that the install had", "oc ostoy-s3 install"+flags)
	if verify, install := strings.Index(result.Stderr, "oc ostoy-s3 verify"), strings.Index(result.Stderr, "oc ostoy-s3 install"); verify > install {
		t.Errorf("install is the first advice:\n%s", result.Stderr)
	}
}

// TestF9NotTried: a level that lacks a probe it needs is not verified, with the reason,
// and what is out of scope is said.
func TestF9NotTried(t *testing.T) {
	t.Parallel()
	a := installed(t, "not-tried")
	const scope = "other IAM principals of the account with permissions on the bucket"
	nobody := a
	nobody.user = a.user.With("AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=")
	got, result := nobody.verify(t, refused)
	if got.Verified || got.outcomes()["identity"] != "not verified" || got.outcomes()["identity/role"] != "not tested" {
		t.Errorf("%+v", got)
	}
	result.WantTalk(t, "identity is not verified", "the role's account cannot be compared with the install's: you have no AWS credentials",
		"oc ostoy-s3 verify -n not-tried --account-id ACCOUNT", "not verified", scope)
	got, result = nobody.verify(t, done, "--account-id=123456789012")
	if !got.Verified || len(got.OutOfScope) != 4 {
		t.Errorf("%+v", got)
	}
	result.WantTalk(t, "not part of this verification: "+scope)
	nowhere := nobody
	nowhere.user = nobody.user.With("AWS_REGION=", "AWS_DEFAULT_REGION=")
	got, result = nowhere.verify(t, refused, "--account-id=123456789012")
	if got.Verified || got.outcomes()["identity"] != "not verified" {
		t.Errorf("%+v", got)
	}
	result.WantTalk(t, "identity is not verified", "neither --region nor your AWS configuration names a region",
		"oc ostoy-s3 verify -n not-tried --account-id 123456789012 --region REGION").WantNoTalk(t, "arn::iam")
	nowhere.verify(t, done, "--account-id=123456789012", "--region=us-east-2")

	// A user who may have tokens of ostoy-sa alone cannot try another service account.
	user := run.ProjectAdmin(t, a.bed, "one-token")
	role := `{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"one-token"},"rules":[
		{"apiGroups":[""],"resources":["serviceaccounts/token"],"resourceNames":["ostoy-sa"],"verbs":["create"]},
		{"apiGroups":[""],"resources":["pods/portforward"],"verbs":["create"]}]}`
	a.user.Typing(role).Kubectl(t, "apply", "-n", a.namespace, "-f", "-").WantCode(t, done)
	a.user.Kubectl(t, "create", "rolebinding", "one-token", "--role=one-token", "--user=one-token", "-n", a.namespace).WantCode(t, done)
	a.user.Kubectl(t, "create", "rolebinding", "one-view", "--clusterrole=view", "--user=one-token", "-n", a.namespace).WantCode(t, done)
	b := a
	b.user = user
	got, result = b.verify(t, refused)
	if got.Verified || got.outcomes()["isolation"] != "not verified" || got.outcomes()["app"] != "passed" {
		t.Errorf("%+v", got)
	}
	for _, level := range got.Levels {
		for _, probe := range level.Probes {
			if probe.Tried != (probe.Outcome != "not tested") {
				t.Errorf("%+v", probe)
			}
		}
		if level.Level == "isolation" && fmt.Sprint(level.Missing) != "[default-service-account]" {
			t.Errorf("missing are %v", level.Missing)
		}
	}
	result.WantTalk(t, "isolation is not verified", "you may not create a token of serviceaccounts/default in not-tried")
}
