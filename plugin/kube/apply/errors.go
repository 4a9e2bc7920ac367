package apply

import (
	"cmp"
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
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apierr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/secret"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// failure turns an error of a request for one object into three parts. verb is
// what was tried: "read", "applied", "deleted". A context's own end stays what it
// is; the end of a deadline says what was waited for.
func failure(a *Applier, verb string, ref Ref, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return problem.While(fmt.Sprintf("%s to be %s", ref, verb), err)
	}
	what := fmt.Sprintf("%s could not be %s", ref, verb)
	var api apierrors.APIStatus
	switch {
	case meta.IsNoMatchError(err):
		return notServed(a, what, ref, err)
	case errors.As(err, &api):
	case errors.As(err, new(*problem.Error)): // in three parts already
		return err
	default:
		return alike(a, problem.Fail(what,
			"the API server did not answer: "+plain.Line(secret.Hide(err.Error())),
			"try again; what was applied is kept, a second run goes on from there").Because(err), ref, "could not be "+verb)
	}
	status := api.Status()
	rule, says := apierr.RuleOf(status)
	if ref.Kind == "Secret" { // the server's text may quote values
		status = withoutValues(status)
		err, says = &apierrors.StatusError{ErrStatus: status}, ""
	}
	err = refusal(err, status, Rejection{Ref: ref, Rule: rule, Says: says})
	p := apierr.Explain(status, apierr.About{What: what, Namespace: a.opts.Namespace}).Because(err)
	if p.Like != nil { // it is not about the object
		return p
	}
	next := adapt(a, p, ref, status)
	p = alike(a, p, ref, "could not be "+verb, causeOf(p, status)...)
	return forAll(p, next)
}

func notServed(a *Applier, what string, ref Ref, err error) error {
	p := problem.Refuse(what, fmt.Sprintf("the cluster does not serve the kind %s of %s", ref.Kind, ref.GVK().GroupVersion()), "").Because(err)
	switch {
	case ref.Kind == "Bucket":
		p.Why += ": the ACK S3 controller is not installed"
		p.Next = "a cluster admin installs it: " + advice.NewController(render.PatternFor(a.opts.Namespace))
	case ref.Kind == "Route":
		p.Why += ": it is not OpenShift"
		p.Next = advice.Command(a.opts.Set.Install, "-n", a.opts.Namespace, "--set", "expose=ingress")
	case ref.Group == olmGroup:
		p.Why += ": it has no Operator Lifecycle Manager"
		p.Next = advice.NewController("")
	default:
		p.Next = advice.Command("oc api-resources", "--api-group="+ref.Group)
	}
	return p
}

// adapt puts in what helps with an object of the set. The next step that it gives back, if
// any, names the objects.
func adapt(a *Applier, p *problem.Error, ref Ref, s metav1.Status) (next func(words []string) string) {
	wide := a.opts.Set.Cluster(ref) || ref.Group == olmGroup
	reason := apierr.ReasonOf(s)
	switch {
	case reason == apierr.Policy:
		p.Next += hint(a, "; values that differ go in with %s")
	case wide && (reason == apierr.Permission || reason == apierr.Limits), strings.Contains(s.Message, "attempting to grant RBAC permissions"):
		p.Why = apierr.Detail(s)
		p.Next = "ask a cluster admin to apply what this prints: " + advice.Command(a.opts.Set.Render, "-n", a.opts.Namespace)
	case reason == apierr.Permission && ref.Kind == "Bucket":
		p.Next = "ask a cluster admin to allow project admins to create Buckets (docs/rights.md):\n" + advice.Command("oc ostoy-s3 controller install") +
			"\non a cluster without ValidatingAdmissionPolicies, ask one to install the app:\n" + advice.Command(a.opts.Set.Install, "-n", a.opts.Namespace)
	case reason == apierr.Permission:
		p.Next = "ask an admin of the project: " + advice.Command("oc adm policy add-role-to-user admin YOU", "-n", a.opts.Namespace)
	case reason == apierr.Limits:
		p.Next += hint(a, "; adapt the resources with %s")
	case reason == apierr.Invalid:
		return explainInvalid(a, p, ref, s)
	case reason == apierr.Missing && a.opts.Set.Cluster(ref):
		p.Next = advice.Command("oc api-resources", "--api-group="+ref.Group)
	case reason == apierr.Missing:
		p.Next = advice.Command("oc get project", a.opts.Namespace)
	case reason == apierr.Other, reason == apierr.Conflict, reason == apierr.Busy:
		p.Next = "run the same command again; it goes on from where this one stopped"
	}
	return nil
}

// explainInvalid names the fields. Many kinds have fields that are set once:
// the only way to change those is a new object.
func explainInvalid(a *Applier, p *problem.Error, ref Ref, s metav1.Status) (next func(words []string) string) {
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
	p.Next = cmp.Or(hint(a, "mend the value with %s"), advice.Command("oc explain", strings.ToLower(ref.Kind), "--api-version="+ref.GVK().GroupVersion().String()))
	if !fixed {
		return nil
	}
	p.What = ref.String() + " has a field that cannot be changed once it is set"
	if a.opts.Set.data(ref) {
		return func(words []string) string {
			return "restore the value it had; it holds data, so it is never recreated for you (" + oc(a, ref, "oc get", words, "-o", "yaml") + ")"
		}
	}
	return func(words []string) string {
		return "restore the value it had, or recreate it: " + oc(a, ref, "oc delete", words) + ", then run the same command again"
	}
}

// immutable recognises the ways in which API servers and CEL rules say that a
// field cannot change: the Bucket's rule says "Value is immutable once set".
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
	if rule := apierr.Rule(s); rule != "" { // what it says of the Secret may quote it
		out.Message = "the " + rule + " denied it"
	}
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

// foreign says that an object is somebody else's.
func foreign(a *Applier, ref Ref, live *unstructured.Unstructured, detail string) error {
	p := problem.Refuse(inWords(a, ref)+" is not ours", "managed by "+managers(live)+detail, "")
	next := func(words []string) string {
		return "delete or rename it (" + oc(a, ref, "oc get", words, "-o", "yaml") + "), or take it over with --force-conflicts"
	}
	switch {
	case recognised(a, live) && !a.opts.Adopt:
		next = nil
		p.Next, p.Err = advice.Command(a.opts.Set.Install, "-n", a.opts.Namespace, "--adopt"), ErrAdoptable
	case a.opts.Adopt && a.opts.Recognise != nil && live != nil:
		p.Why += "; it is not adopted: " + a.opts.Recognise(live)
		if ref.Kind == "Secret" {
			next = nil
			p.Next = "--set secrets.existing=true to leave it as it is, or --force-conflicts to have our sample put into it"
		}
	}
	return forAll(alike(a, p, ref, "are not ours"), next)
}

func conflicted(a *Applier, it *Item, list []conflict, cause error) error {
	ref := it.Ref
	var lines []string
	for _, c := range list {
		if by := delivererNamed(c.manager); by != "" {
			return managedBy(a, ref, it.Live, by)
		}
		lines = append(lines, c.String())
	}
	p := problem.Refuse(inWords(a, ref)+" has fields that others manage",
		plain.Line(strings.Join(lines, "; ")),
		"let them have the fields"+hint(a, " (give the same values with %s)")+", or take the fields over with --force-conflicts").Because(cause)
	if ref.Kind == "Secret" {
		p.Err = nil
	}
	replicas := slices.ContainsFunc(list, func(c conflict) bool { return c.field == "spec.replicas" })
	if replicas && a.opts.Set.Values != "" {
		p.Next = "leave the number to the autoscaler with " + advice.Command("--set", strings.TrimPrefix(ref.Name, "ostoy-")+".replicas=null") + ", or take it over with --force-conflicts"
	}
	return alike(a, p, ref, "have fields that others manage")
}

// combine makes one error of those of several objects: nil, the one, or a
// *problem.Several. Those that have the same cause and the same cure are one. The end of the context, or of the login, is the only cause
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
	var all []*problem.Error
	for _, e := range errs {
		all = append(all, problem.InParts(e)...)
	}
	return problem.Join(all)
}

// inWords is an object as an error names it: "Route ostoy-route in demo"; without
// a namespace where it is in none: "ClusterRole ack-s3-buckets".
func inWords(a *Applier, ref Ref) string {
	if a.opts.Set.Cluster(ref) {
		return ref.String()
	}
	return ref.String() + " in " + a.opts.Namespace
}

// oc is a command of oc about objects, such as "oc get": "oc get route/ostoy-route -n
// demo -o yaml"; "oc get clusterrole/ack-s3-buckets -o yaml" if ref, one of them, is in no
// namespace.
func oc(a *Applier, ref Ref, command string, words []string, flags ...string) string {
	words = slices.Clone(words)
	if !a.opts.Set.Cluster(ref) {
		words = append(words, "-n", a.opts.Namespace)
	}
	return advice.Command(command, append(words, flags...)...)
}

// hint is a clause that names the flags that take values; "" where there are none.
func hint(a *Applier, format string) string {
	if a.opts.Set.Values == "" {
		return ""
	}
	return fmt.Sprintf(format, a.opts.Set.Values)
}
