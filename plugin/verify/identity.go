package verify

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	actionAssume   = "sts:AssumeRoleWithWebIdentity"
	actionIdentity = "sts:GetCallerIdentity"
)

// roleOf is the role that the pods have, or that the service account names.
func roleOf(pods Pods, namespace string) (render.ARN, error) {
	arn, err := render.ParseARNOf(pods.Role, "iam", "role")
	if err == nil {
		return arn, nil
	}
	refused := &problem.Error{
		Kind: problem.Refused,
		What: "service account " + render.ServiceAccount + " in project " + namespace + " has no role",
		Why:  "neither the app's pods nor its annotation " + roleAnnotation + " name one",
		Next: "oc ostoy-s3 install -n " + namespace,
		Err:  err,
	}
	if pods.Role != "" {
		refused.What = fmt.Sprintf("the role %q of service account %s is no role", pods.Role, render.ServiceAccount)
		refused.Why = err.Error()
	}
	return render.ARN{}, refused
}

// cannotLook words what the API server answered to the first question.
func cannotLook(conn *cluster.Conn, namespace string, err error) error {
	if !apierrors.IsNotFound(err) {
		return conn.Translate(err)
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: "OSToy is not installed in project " + namespace,
		Why:  "there is no service account " + render.ServiceAccount + " in it",
		Next: "oc ostoy-s3 install -n " + namespace + "; or -n with the project it is in",
		Err:  err,
	}
}

// proveIdentity has the service account become the role.
func (r *run) proveIdentity(ctx context.Context) ([]Probe, string) {
	const token, assume, caller = "token", "assume-role", "caller-identity"
	began := time.Now()
	got, err := r.issuer.token(ctx, r.Namespace, render.ServiceAccount, r.Audience)
	if err != nil {
		return []Probe{fail(token, began, r.noToken(err))}, "no token for " + render.ServiceAccount
	}
	r.claims = got.read()
	probes := []Probe{pass(token, began)}

	began = time.Now()
	err = r.patiently(ctx, Identity, "STS refuses "+render.ServiceAccount, awserr.Denied, func(ctx context.Context) (err error) {
		r.credentials, err = r.cloud.assume(ctx, r.role.String(), got)
		return err
	})
	if err != nil {
		return append(probes, fail(assume, began, r.notAssumed(err))), render.ServiceAccount + " does not get its role"
	}
	probes = append(probes, pass(assume, began))

	began = time.Now()
	who, err := r.credentials.whoAmI(ctx)
	switch {
	case err != nil:
		err = awserr.Translate(err, actionIdentity, "")
	case !r.isRole(who):
		err = &problem.Error{
			Kind: problem.Refused, What: "AWS takes " + render.ServiceAccount + " for " + who,
			Why: "its role is " + r.role.String(), Next: "check AWS_ENDPOINT_URL; then oc ostoy-s3 install -n " + r.Namespace,
		}
	}
	if err != nil {
		return append(probes, fail(caller, began, err)), render.ServiceAccount + " is not its role"
	}
	return append(probes, pass(caller, began)), render.ServiceAccount + " is role " + r.roleName()
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
		return cannotLook(r.Conn, r.Namespace, err)
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
