package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/secret"
)

// Translate turns an error of a request into three parts. Errors that already
// have them, and a context's own end, pass unchanged. The original stays
// reachable with errors.As.
func (c *Conn) Translate(err error) error {
	var parts interface {
		Parts() (string, string, string)
	}
	var status apierrors.APIStatus
	switch {
	case err == nil, errors.As(err, &parts), errors.Is(err, context.Canceled):
		return err
	case asStatus(err, &status):
		return c.refusal(status.Status(), err)
	case strings.Contains(err.Error(), "getting credentials:"):
		return c.noCredentials(err)
	case isDeadline(err):
		return err
	case errors.Is(err, errTooMuch):
		return c.tooMuch(err)
	}
	return c.unreachable(err)
}

func asStatus(err error, status *apierrors.APIStatus) bool { return errors.As(err, status) }

// isDeadline is a deadline of the caller's own, not of the network.
func isDeadline(err error) bool {
	var quiet *silence
	return errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &quiet)
}

// refusal is for what the API server answered.
func (c *Conn) refusal(status metav1.Status, err error) error {
	p := &problem.Error{Kind: problem.Failed, What: object(status), Why: oneLineOf(status.Message), Err: err}
	switch status.Reason {
	case metav1.StatusReasonUnauthorized:
		p.What = "the API server " + c.Host() + " does not know you"
		p.Why = "your login has expired or was never made"
		p.Next = "log in again: " + advice.Command("oc login", c.Host())
	case metav1.StatusReasonForbidden:
		c.forbidden(p, status)
	case metav1.StatusReasonNotFound:
		p.Next = "look for it: " + advice.Command("oc get", resource(status))
	case metav1.StatusReasonInvalid, metav1.StatusReasonBadRequest:
		p.Next = "correct what it names, for example in the values given with -f or --set"
	case metav1.StatusReasonConflict, metav1.StatusReasonAlreadyExists:
		p.Next = "somebody else changed it at the same time: run the command again"
	case metav1.StatusReasonTooManyRequests, metav1.StatusReasonServerTimeout, metav1.StatusReasonTimeout,
		metav1.StatusReasonServiceUnavailable, metav1.StatusReasonInternalError:
		p.Next = "run the command again; oc get --raw /readyz?verbose shows how the API server is"
	default:
		p.Next = "run the command again, or show the message to a cluster admin"
	}
	return p
}

// forbidden names the missing right where RBAC is what refused, and gives the
// message of quotas and admission as it is.
func (c *Conn) forbidden(p *problem.Error, status metav1.Status) {
	user, verb, sub, scope, ok := missingRight(oneLineOf(status.Message))
	if !ok {
		p.Next = "change what the message names, or ask a cluster admin"
		return
	}
	what := resource(status) + sub
	p.What = fmt.Sprintf("%s may not %s %s", user, verb, what)
	if status.Details != nil && status.Details.Name != "" {
		p.What += fmt.Sprintf(" of %q", status.Details.Name)
		if sub == "" {
			p.What = fmt.Sprintf("%s may not %s %s", user, verb, object(status))
		}
	}
	p.Why = fmt.Sprintf("the right to %s %s %s is missing", verb, what, scope)
	can := []string{verb, what}
	if name, found := strings.CutPrefix(scope, `in the namespace "`); found {
		can = append(can, "-n", strings.TrimSuffix(name, `"`))
	}
	p.Next = "ask an admin for it; " + advice.Command("oc auth can-i", can...) + " shows when you have it"
}

// missingRight takes apart RBAC's text: ... User "U" cannot VERB resource "R"
// in API group "G" at the cluster scope: more. The text is all there is: the
// status itself carries neither the verb nor the sub-resource (which is given
// back with its slash).
func missingRight(message string) (user, verb, sub, scope string, ok bool) {
	_, rest, ok := strings.Cut(message, `User "`)
	if !ok {
		return "", "", "", "", false
	}
	user, rest, _ = strings.Cut(rest, `" cannot `)
	verb, rest, ok = strings.Cut(rest, ` resource "`)
	if !ok || user == "" {
		return "", "", "", "", false
	}
	named, rest, _ := strings.Cut(rest, `"`)
	if _, name, has := strings.Cut(named, "/"); has {
		sub = "/" + name
	}
	scope = "at the cluster scope"
	if _, name, in := strings.Cut(rest, ` in the namespace "`); in {
		name, _, _ = strings.Cut(name, `"`)
		scope = `in the namespace "` + name + `"`
	}
	return user, verb, sub, scope, true
}

// resource is what oc calls the thing: buckets.s3.services.k8s.aws.
func resource(status metav1.Status) string {
	if status.Details == nil || status.Details.Kind == "" {
		return "this"
	}
	if status.Details.Group == "" {
		return oneLineOf(status.Details.Kind)
	}
	return oneLineOf(status.Details.Kind + "." + status.Details.Group)
}

// object names the thing a status is about.
func object(status metav1.Status) string {
	if status.Details == nil || status.Details.Kind == "" {
		return "the request to the API server"
	}
	if status.Details.Name == "" {
		return resource(status)
	}
	return fmt.Sprintf("%s %q", resource(status), status.Details.Name)
}

// oneLineOf keeps multi-line texts of others from breaking the layout, and the
// credentials that they may quote from being shown.
func oneLineOf(s string) string { return secret.Hide(strings.Join(strings.Fields(s), " ")) }
