package verify

import (
	"context"
	"errors"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	actionAssume   = "sts:AssumeRoleWithWebIdentity"
	actionIdentity = "sts:GetCallerIdentity"
)

// roleOf is the role that the pods have, or that the service account names: a claim.
func (r *run) roleOf(pods Pods) (render.ARN, error) {
	arn, err := render.ParseARNOf(pods.Role, "iam", "role")
	if err == nil && advice.RoleARN(pods.Role).Legal() {
		return arn, nil
	}
	refused := &problem.Error{
		Kind: problem.Refused,
		What: "service account " + render.ServiceAccount + " in project " + r.Namespace + " has no role",
		Why:  "neither the app's pods nor its annotation " + roleAnnotation + " name one",
		Next: r.installs(""),
	}
	if pods.Role != "" {
		refused.Why = "the app's pods, or its annotation " + roleAnnotation + ", name " + advice.RoleARN(pods.Role).String()
	}
	return render.ARN{}, refused
}

// cannotLook words what the API server answered to the first question.
func (t Target) cannotLook(err error) error {
	if !apierrors.IsNotFound(err) {
		return t.Conn.Translate(err)
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: "OSToy is not installed in project " + t.Namespace,
		Why:  "there is no service account " + render.ServiceAccount + " in it",
		Next: t.install() + "; or -n with the project it is in",
		Err:  err,
	}
}

// proveIdentity compares what the project says with the install, and then has the
// service account become the install's role. No token is requested for an audience that
// is not known.
func (r *run) proveIdentity(ctx context.Context) ([]Probe, string) {
	const self = render.ServiceAccount
	var token secret
	steps := []struct {
		name, not string
		do        func(context.Context) error
	}{
		{"audience", "the audience does not match the install's", func(context.Context) error { return r.checkAudience() }},
		{"region", "the region is not in the install's partition", func(context.Context) error { return r.checkRegion() }},
		{"token", "no token for " + self, func(ctx context.Context) (err error) {
			if token, err = r.token(ctx, r.Namespace, self, r.Audience); err != nil {
				return r.noToken(err)
			}
			r.claims = token.read()
			return nil
		}},
		{"role", "the role does not match the install's", r.checkRole},
		{"assume-role", self + " does not get its role", func(ctx context.Context) error { return r.assumeRole(ctx, token) }},
		{"caller-identity", self + " is not its role", r.checkCaller},
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
func (r *run) assumeRole(ctx context.Context, token secret) error {
	err := r.patiently(ctx, Identity, "STS refuses "+render.ServiceAccount, awserr.Denied, func(ctx context.Context) (err error) {
		r.credentials, err = r.ask.cloud.assume(ctx, r.role.String(), token)
		return err
	})
	if err != nil {
		return r.notAssumed(err)
	}
	return nil
}

// checkCaller has STS say whose the credentials are.
func (r *run) checkCaller(ctx context.Context) error {
	who, err := r.credentials.whoAmI(ctx)
	if err != nil {
		return awserr.Translate(err, actionIdentity, "")
	}
	if r.isRole(who) {
		return nil
	}
	return &problem.Error{
		Kind: problem.Refused, What: "AWS reports that " + render.ServiceAccount + " is " + plain.Line(who),
		Why: "its role is " + r.role.String(), Next: "check AWS_ENDPOINT_URL; then " + r.installs(""),
	}
}

// isRole reports whether the ARN of a session is of our role: sessions have the
// role's name without its path.
func (r *run) isRole(session string) bool {
	arn, err := render.ParseARN(session)
	return err == nil && arn.Account == r.role.Account && strings.HasPrefix(arn.Resource, "assumed-role/"+r.roleName()+"/")
}

// noToken says why the API server gave no token. That the user may not have one
// leaves nothing proven.
func (r *run) noToken(err error) error {
	if apierrors.IsNotFound(err) {
		return r.cannotLook(err)
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
