package verify

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// secret is a text that no print shows.
type secret string

func (secret) String() string   { return "(hidden)" }
func (secret) GoString() string { return "(hidden)" }

// issuer gives tokens. Errors are as the API server gave them.
type issuer interface {
	token(ctx context.Context, namespace, account, audience string) (secret, error)
	// others are namespaces, but for this one, that have, or may have, a service
	// account of that name.
	others(ctx context.Context, namespace, account string) ([]string, error)
}

// tokenFor requests one for an audience that is the run's, or known; no other audience
// reaches the API server, whoever names it.
func tokenFor(ctx context.Context, r *run, namespace, account, audience string) (secret, error) {
	if audience == "" || audience != r.Audience && !slices.Contains(Audiences(), audience) {
		return "", errAudience
	}
	return r.ask.issuer.token(ctx, namespace, account, audience)
}

// errAudience is a fault of this package: checkAudience comes before any token.
var errAudience = errors.New("tokens are requested only for audiences that are known")

// kube is the real issuer.
type kube struct{ client dynamic.Interface }

// tokenFor asks for the shortest token there is, as a dry run: nothing persists, and
// the API server answers a token that works.
func (k kube) token(ctx context.Context, namespace, account, audience string) (secret, error) {
	request := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authentication.k8s.io/v1",
		"kind":       "TokenRequest",
		"metadata":   map[string]any{"name": account, "namespace": namespace},
		"spec":       map[string]any{"expirationSeconds": int64(600), "audiences": []any{audience}},
	}}
	answer, err := k.client.Resource(kinds.ServiceAccount.GVR()).Namespace(namespace).
		Create(ctx, request, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}, "token")
	if err != nil {
		return "", err
	}
	token, _, _ := unstructured.NestedString(answer.Object, "status", "token")
	return secret(token), nil
}

// others asks for the service accounts of the whole cluster, which is an
// administrator's right. Everybody on OpenShift may list their own projects, of
// which a few are given back unseen.
func (k kube) others(ctx context.Context, namespace, account string) ([]string, error) {
	const few = 5
	found, err := k.client.Resource(kinds.ServiceAccount.GVR()).List(ctx, metav1.ListOptions{
		FieldSelector: "metadata.name=" + account, Limit: few + 1,
	})
	name := (*unstructured.Unstructured).GetNamespace
	if err != nil {
		projects := kinds.Project.GVR()
		name = (*unstructured.Unstructured).GetName
		if found, err = k.client.Resource(projects).List(ctx, metav1.ListOptions{Limit: few + 1}); err != nil {
			return nil, err
		}
	}
	var all []string
	for i := range found.Items {
		if other := name(&found.Items[i]); other != namespace && len(all) < few {
			all = append(all, other)
		}
	}
	return all, nil
}

// claims are what a token says of itself.
type claims struct {
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
}

// read takes the claims out of a token, nothing of which gets into an error:
// that is why there is none.
func (s secret) read() claims {
	var c claims
	parts := strings.Split(string(s), ".")
	if len(parts) != 3 {
		return c
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &c) != nil {
		return claims{}
	}
	return c
}

const (
	actionAssume   = "sts:AssumeRoleWithWebIdentity"
	actionIdentity = "sts:GetCallerIdentity"
)

// roleOf is the role that the pods have, or that the service account names: a claim.
func roleOf(r *run, pods Pods) (render.ARN, error) {
	arn, err := render.ParseARNOf(pods.Role, "iam", "role")
	if err == nil && advice.RoleARN(pods.Role).Legal() {
		return arn, nil
	}
	refused := problem.Refuse("service account "+render.ServiceAccount+" in project "+r.Namespace+" has no role",
		"neither the app's pods nor its annotation "+roleAnnotation+" name one",
		r.installs(""))
	if pods.Role != "" {
		refused.Why = "the app's pods, or its annotation " + roleAnnotation + ", name " + advice.RoleARN(pods.Role).String()
	}
	return render.ARN{}, refused
}

// cannotLook words what the API server answered to the first question.
func cannotLook(r *run, err error) error {
	if !apierrors.IsNotFound(err) {
		return r.Conn.Translate(err)
	}
	return problem.Refuse("OSToy is not installed in project "+r.Namespace,
		"there is no service account "+render.ServiceAccount+" in it",
		r.install()+"; or -n with the project it is in").Because(err)
}

// proveIdentity compares what the project says with the install, and then has the
// service account become the install's role. No token is requested for an audience that
// is not known.
func proveIdentity(ctx context.Context, r *run) ([]Probe, string) {
	const self = render.ServiceAccount
	var token secret
	steps := []struct {
		name, not string
		do        func(context.Context) error
	}{
		{"audience", "the audience does not match the install's", func(context.Context) error { return checkAudience(r) }},
		{"region", "the region is not in the install's partition", func(context.Context) error { return checkRegion(r) }},
		{"token", "no token for " + self, func(ctx context.Context) (err error) {
			if token, err = tokenFor(ctx, r, r.Namespace, self, r.Audience); err != nil {
				return noToken(r, err)
			}
			r.claims = token.read()
			return nil
		}},
		{"role", "the role does not match the install's", func(ctx context.Context) error { return checkRole(ctx, r) }},
		{"assume-role", self + " does not get its role", func(ctx context.Context) error { return assumeRole(ctx, r, token) }},
		{"caller-identity", self + " is not its role", func(ctx context.Context) error { return checkCaller(ctx, r) }},
	}
	var probes []Probe
	for _, s := range steps {
		began := time.Now()
		err := s.do(ctx)
		var cannot *untestable
		switch {
		case errors.As(err, &cannot):
			return append(probes, skip(s.name, began, cannot)), "not verified: " + s.name + " was not tested"
		case err != nil:
			if s.name == "role" && r.role == (render.ARN{}) {
				s.not = "the role of the install is not known"
			}
			return append(probes, fail(s.name, began, err)), s.not
		}
		probes = append(probes, pass(s.name, began))
	}
	return probes, self + " is role " + r.roleName()
}

// assumeRole exchanges the token for the role.
func assumeRole(ctx context.Context, r *run, token secret) error {
	err := r.pace.patiently(ctx, Identity, "STS refuses "+render.ServiceAccount, spreading, func(ctx context.Context) (err error) {
		r.credentials, err = r.ask.cloud.assume(ctx, r.role.String(), token)
		return err
	})
	if err != nil {
		return r.notAssumed(ctx, err)
	}
	return nil
}

// checkCaller has STS say whose the credentials are.
func checkCaller(ctx context.Context, r *run) error {
	who, err := r.credentials.whoAmI(ctx)
	if err != nil {
		return awserr.Translate(err, actionIdentity, "")
	}
	if isRole(r, who) {
		return nil
	}
	return problem.Refuse("AWS reports that "+render.ServiceAccount+" is "+plain.Line(who),
		"its role is "+r.role.String(),
		"check AWS_ENDPOINT_URL; then "+r.installs(""))
}

// isRole reports whether the ARN of a session is of our role: sessions have the
// role's name without its path.
func isRole(r *run, session string) bool {
	arn, err := render.ParseARN(session)
	return err == nil && arn.Account == r.role.Account && strings.HasPrefix(arn.Resource, "assumed-role/"+r.roleName()+"/")
}

// noToken says why the API server gave no token. That the user may not have one
// leaves nothing proven.
func noToken(r *run, err error) error {
	if apierrors.IsNotFound(err) {
		return cannotLook(r, err)
	}
	told, ok := r.Conn.Translate(err).(*problem.Error) //nolint:errorlint // made there, not wrapped
	if !ok || !apierrors.IsForbidden(err) {
		return r.Conn.Translate(err)
	}
	refused := *told
	refused.Kind = problem.Refused
	refused.Why += ": without a token of " + render.ServiceAccount + " nothing can be proven"
	return &refused
}
