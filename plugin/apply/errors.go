package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/secret"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// failure turns an error of a request for one object into three parts. verb is
// what was tried: "read", "applied", "deleted". A context's own end stays what it
// is; the end of a deadline says what was waited for.
func (a *Applier) failure(verb string, ref Ref, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return problem.While(fmt.Sprintf("%s to be %s", ref, verb), err)
	}
	p := &problem.Error{Kind: problem.Failed, What: fmt.Sprintf("%s could not be %s", ref, verb), Err: err}
	if meta.IsNoMatchError(err) {
		a.notServed(p, ref)
		return p
	}
	var api apierrors.APIStatus
	if !errors.As(err, &api) {
		var done *problem.Error
		if errors.As(err, &done) { // in three parts already
			return err
		}
		p.Why = "the API server did not answer: " + plain.Line(secret.Hide(err.Error()))
		p.Next = "try again; what was applied is kept, a second run goes on from there"
		return p
	}
	status := api.Status()
	if ref.Kind == "Secret" { // the server's text may quote values
		status = withoutValues(status)
		p.Err = &apierrors.StatusError{ErrStatus: status}
	}
	a.explain(p, ref, status)
	return p
}

func (a *Applier) notServed(p *problem.Error, ref Ref) {
	p.Kind = problem.Refused
	p.Why = fmt.Sprintf("the cluster does not serve the kind %s of %s", ref.Kind, ref.GVK().GroupVersion())
	switch {
	case ref.Kind == "Bucket":
		p.Why += ": the ACK S3 controller is not installed"
		p.Next = "a cluster admin installs it: " + advice.NewController(render.PatternFor(a.opts.Namespace))
	case ref.Kind == "Route":
		p.Why += ": it is not OpenShift"
		p.Next = advice.Command(a.opts.Set.Install, "--set", "expose=ingress")
	case ref.Group == olmGroup:
		p.Why += ": it has no Operator Lifecycle Manager"
		p.Next = advice.NewController("", "--chart", "PATH_OR_OCI_REF")
	default:
		p.Next = advice.Command("oc api-resources", "--api-group="+ref.Group)
	}
}

// explain fills in why the API server refused and what helps.
func (a *Applier) explain(p *problem.Error, ref Ref, s metav1.Status) {
	text := plain.Line(s.Message)
	ns := a.opts.Namespace
	switch {
	case hasCause(s, "NamespaceTerminating"):
		p.Why = fmt.Sprintf("the project %s is being deleted", ns)
		p.Next = "wait until it is deleted (" + advice.Command("oc get project", ns) + "), then run the same command again"
	case strings.Contains(text, "admission webhook"), strings.Contains(text, "ValidatingAdmissionPolicy"):
		p.Why = "a rule of this cluster denied it: " + text
		p.Next = "ask who runs the cluster what the rule wants" + a.hint("; values that differ go in with %s")
	case strings.Contains(text, "failed calling webhook"):
		p.Why = "a webhook of this cluster that must be asked does not answer: " + text
		p.Next = "ask who runs the cluster to repair or remove the webhook, then run the same command again"
	case strings.Contains(text, "exceeded quota"):
		p.Why = "the quota of the project is used up: " + after(text, "is forbidden: ")
		p.Next = advice.Command("oc describe quota", "-n", ns) + "; free something there, or ask for more"
	case strings.Contains(text, "violates PodSecurity"):
		p.Why = "the project's Pod Security level forbids it: " + after(text, "is forbidden: ")
		p.Next = advice.Command("oc get namespace", ns, "-o", "jsonpath={.metadata.labels}")
	case s.Reason == metav1.StatusReasonForbidden:
		a.explainForbidden(p, ref, text)
	case s.Reason == metav1.StatusReasonInvalid:
		a.explainInvalid(p, ref, s)
	case s.Reason == metav1.StatusReasonUnauthorized:
		p.Why = "the API server does not accept the login any more"
		p.Next = advice.Command("oc login") + ", then run the same command again"
	case s.Reason == metav1.StatusReasonNotFound && a.opts.Set.Cluster(ref):
		p.Why = text
		p.Next = advice.Command("oc api-resources", "--api-group="+ref.Group)
	case s.Reason == metav1.StatusReasonNotFound:
		p.Why = text
		p.Next = advice.Command("oc get project", ns)
	default:
		p.Why = text
		p.Next = "run the same command again; it goes on from where this one stopped"
	}
}

func (a *Applier) explainForbidden(p *problem.Error, ref Ref, text string) {
	reason := after(text, "is forbidden: ")
	wide := a.opts.Set.Cluster(ref) || ref.Group == olmGroup
	if wide || strings.Contains(reason, "attempting to grant RBAC permissions") {
		p.Why = reason
		p.Next = "ask a cluster admin to apply what this prints: " + a.opts.Set.Render
		return
	}
	if !strings.Contains(reason, " cannot ") { // not RBAC: LimitRange and its like
		p.Why = "the project's limits forbid it: " + reason
		p.Next = advice.Command("oc describe limitrange", "-n", a.opts.Namespace) + a.hint("; adapt the resources with %s")
		return
	}
	p.Why = reason
	p.Next = "ask an admin of the project: " + advice.Command("oc adm policy add-role-to-user admin YOU", "-n", a.opts.Namespace)
	if ref.Kind == "Bucket" {
		p.Next = "ask a cluster admin to run oc ostoy-s3 controller install, which allows project admins to create Buckets (docs/rights.md)"
	}
}

// explainInvalid names the fields. Many kinds have fields that are set once:
// the only way to change those is a new object.
func (a *Applier) explainInvalid(p *problem.Error, ref Ref, s metav1.Status) {
	var lines []string
	fixed := false
	if s.Details != nil {
		for _, c := range s.Details.Causes {
			lines = append(lines, strings.TrimSuffix(c.Field+": "+c.Message, ": "))
			fixed = fixed || immutable(c.Message)
		}
	}
	p.Why = plain.Line(strings.Join(lines, "; "))
	if len(lines) == 0 {
		p.Why, fixed = plain.Line(s.Message), immutable(s.Message)
	}
	p.Next = a.hint("mend the value with %s")
	if p.Next == "" {
		p.Next = advice.Command("oc explain", strings.ToLower(ref.Kind), "--api-version="+ref.GVK().GroupVersion().String())
	}
	if !fixed {
		return
	}
	p.What = ref.String() + " has a field that cannot be changed once it is set"
	p.Next = "restore the value it had, or recreate it: " + a.oc("oc delete", ref) + ", then run the same command again"
	if a.opts.Set.data(ref) {
		p.Next = "restore the value it had; it holds data, so it is never recreated for you (" + a.oc("oc get", ref, "-o", "yaml") + ")"
	}
}

// immutable recognises the ways in which API servers and CEL rules say that a
// field cannot change (FACTS 1.1 for the Bucket).
func immutable(text string) bool {
	return slices.ContainsFunc([]string{
		"immutable", "may not be changed", "may not change", "cannot be changed", "updates to",
	}, func(s string) bool { return strings.Contains(text, s) })
}

// withoutValues keeps the names of fields and drops what was said of them.
func withoutValues(s metav1.Status) metav1.Status {
	rbac := strings.Contains(s.Message, "is forbidden: User ") && strings.Contains(s.Message, " cannot ")
	if s.Code >= 500 || s.Reason == metav1.StatusReasonUnauthorized ||
		s.Reason == metav1.StatusReasonForbidden && (rbac || strings.Contains(s.Message, "exceeded quota:")) {
		return s // says who may not, or how many, never what is in it
	}
	out := metav1.Status{Reason: s.Reason, Code: s.Code, Message: "the API server refused it (" + string(s.Reason) + ")"}
	if s.Details == nil {
		return out
	}
	out.Details = &metav1.StatusDetails{}
	for _, c := range s.Details.Causes {
		msg := "invalid"
		if immutable(c.Message) {
			msg = "field is immutable"
		}
		out.Details.Causes = append(out.Details.Causes, metav1.StatusCause{Type: c.Type, Field: c.Field, Message: msg})
	}
	return out
}

func hasCause(s metav1.Status, cause metav1.CauseType) bool {
	return s.Details != nil && slices.ContainsFunc(s.Details.Causes, func(c metav1.StatusCause) bool { return c.Type == cause })
}

// after is what follows the first mark, or all of it.
func after(text, mark string) string {
	if _, rest, ok := strings.Cut(text, mark); ok {
		return rest
	}
	return text
}

// foreign says that an object is somebody else's.
func (a *Applier) foreign(ref Ref, live *unstructured.Unstructured, detail string) error {
	by := "managed by nobody on record"
	if names := managerNames(live); len(names) > 0 {
		by = "managed by " + plain.Line(strings.Join(names, ", "))
	}
	p := &problem.Error{
		Kind: problem.Refused,
		What: a.named(ref) + " is not ours",
		Why:  by + detail,
		Next: "delete or rename it (" + a.oc("oc get", ref, "-o", "yaml") + "), or take it over with --force-conflicts",
	}
	switch {
	case a.recognised(live) && !a.opts.Adopt:
		p.Next, p.Err = advice.Command(a.opts.Set.Install, "-n", a.opts.Namespace, "--adopt"), ErrAdoptable
	case a.opts.Adopt && a.opts.Recognise != nil && live != nil:
		p.Why += "; it is not adopted: " + a.opts.Recognise(live)
		if ref.Kind == "Secret" {
			p.Next = "--set secrets.existing=true to leave it as it is, or --force-conflicts to have our sample put into it"
		}
	}
	return p
}

func (a *Applier) conflicted(ref Ref, list []conflict, cause error) error {
	var lines []string
	for _, c := range list {
		if by, ok := delivererNamed(c.manager); ok {
			return a.delivered(ref, by)
		}
		lines = append(lines, c.String())
	}
	p := &problem.Error{
		Kind: problem.Refused,
		What: a.named(ref) + " has fields that others manage",
		Why:  plain.Line(strings.Join(lines, "; ")),
		Next: "let them have the fields" + a.hint(" (give the same values with %s)") + ", or take the fields over with --force-conflicts",
		Err:  cause,
	}
	if ref.Kind == "Secret" {
		p.Err = nil
	}
	replicas := slices.ContainsFunc(list, func(c conflict) bool { return c.field == "spec.replicas" })
	if replicas && a.opts.Set.Values != "" {
		p.Next = "leave the number to the autoscaler with " + advice.Command("--set", strings.TrimPrefix(ref.Name, "ostoy-")+".replicas=null") + ", or take it over with --force-conflicts"
	}
	return p
}

// combine makes one error of those of several objects: nil, the one, or a
// *problem.Several. The end of the context, or of the login, is the only cause
// worth telling where it is one.
func combine(errs []error) error {
	errs = slices.DeleteFunc(errs, func(e error) bool { return e == nil })
	for _, e := range errs {
		if errors.Is(e, context.Canceled) || errors.Is(e, context.DeadlineExceeded) || apierrors.IsUnauthorized(e) {
			return e
		}
	}
	if len(errs) <= 1 {
		return errors.Join(errs...)
	}
	all := &problem.Several{}
	for _, e := range errs {
		var p *problem.Error
		if !errors.As(e, &p) {
			p = &problem.Error{Kind: problem.Failed, What: e.Error(), Err: e}
		}
		all.Problems = append(all.Problems, p)
	}
	return all
}
