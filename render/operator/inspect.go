package operator

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Inspection is what the policy and the binding in a cluster are, compared with
// AdmissionPolicy.
type Inspection struct {
	// Found and Bound: the policy exists, and its binding denies what it refuses.
	Found, Bound bool
	// Changed says what is not as AdmissionPolicy renders it; "" is nothing.
	Changed string
	// Warned is what the API server warns of in the expressions of the policy, on one
	// line; "" is nothing.
	Warned string
	// Exempt are the user names of the service accounts that the policy does not check.
	Exempt []string
}

// Unchanged reports whether the policy is enforced as it was rendered. Whether the
// accounts in Exempt are controllers is for the caller to find out.
func (i Inspection) Unchanged() bool { return i.Found && i.Bound && i.Changed == "" }

// Inspect compares what is in a cluster, nil for what is not there, with what
// AdmissionPolicy renders. The exempt accounts, the issuer and the cluster id are those
// of the policy: with a wrong one fewer Buckets are admitted, not more.
func Inspect(policy, binding *unstructured.Unstructured) Inspection {
	if policy == nil {
		return Inspection{}
	}
	i := Inspection{Found: true, Bound: bound(binding), Warned: warnedIn(policy)}
	exempt, readable := exemptIn(policy)
	i.Exempt = exempt
	if !readable {
		i.Changed = "its conditions do not name the exempt controllers as rendered"
		return i
	}
	rendered := AdmissionPolicy(render.Facts{
		Issuer:    render.Fact{Value: tagValueIn(policy, render.TagIssuer)},
		ClusterID: render.Fact{Value: tagValueIn(policy, render.TagClusterID)}, // "" accepts any
	}, exempt)
	i.Changed = firstDifference(asJSON(rendered[0].Object["spec"]), undefaulted(asJSON(policy.Object["spec"])))
	return i
}

// bound reports whether a binding applies the policy everywhere and denies. A
// binding can be narrowed by matchResources.
func bound(binding *unstructured.Unstructured) bool {
	if binding == nil {
		return false
	}
	spec, _, _ := unstructured.NestedMap(binding.Object, "spec")
	actions, _ := spec["validationActions"].([]any)
	match, _ := spec["matchResources"].(map[string]any)
	return spec["policyName"] == PolicyName && slices.Contains(actions, any("Deny")) && len(undefaultedMatch(match)) == 0 && spec["paramRef"] == nil
}

// exemptIn reads the accounts out of the condition that AdmissionPolicy writes.
func exemptIn(policy *unstructured.Unstructured) (accounts []string, readable bool) {
	conditions, _, _ := unstructured.NestedSlice(policy.Object, "spec", "matchConditions")
	for _, one := range conditions {
		condition, _ := one.(map[string]any)
		text, _ := condition["expression"].(string)
		list, begins := strings.CutPrefix(text, exemptBefore)
		list, ends := strings.CutSuffix(list, exemptAfter)
		if condition["name"] == exemptCondition && begins && ends && json.Unmarshal([]byte(list), &accounts) == nil {
			return accounts, true
		}
	}
	return nil, false
}

// tagValueIn reads the value that the policy wants a tag to have, "" if it accepts
// any.
func tagValueIn(policy *unstructured.Unstructured, tag string) string {
	rules, _, _ := unstructured.NestedSlice(policy.Object, "spec", "validations")
	for _, one := range rules {
		rule, _ := one.(map[string]any)
		text, _ := rule["expression"].(string)
		_, after, found := strings.Cut(text, tagKey+" == "+celString(tag)+" && "+tagValue+" == ")
		if !found {
			continue
		}
		if quoted, err := strconv.QuotedPrefix(after); err == nil {
			value, _ := strconv.Unquote(quoted)
			return value
		}
	}
	return ""
}

// undefaulted is the spec of a policy without what the API server fills in.
func undefaulted(spec any) any {
	fields, _ := spec.(map[string]any)
	if match, ok := fields["matchConstraints"].(map[string]any); ok {
		fields["matchConstraints"] = undefaultedMatch(match)
	}
	return fields
}

func undefaultedMatch(match map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range match {
		selector, _ := value.(map[string]any)
		all := (key == "namespaceSelector" || key == "objectSelector") && len(selector) == 0
		if key == "resourceRules" {
			value = unscoped(value)
		}
		if !all {
			out[key] = value
		}
	}
	if out["matchPolicy"] == "Equivalent" && len(out) == 1 {
		return nil
	}
	return out
}

// unscoped leaves out the scope that covers every resource.
func unscoped(rules any) any {
	list, _ := rules.([]any)
	for _, one := range list {
		if rule, ok := one.(map[string]any); ok && rule["scope"] == "*" {
			delete(rule, "scope")
		}
	}
	return rules
}

// firstDifference names the field of a policy's spec that differs.
func firstDifference(want, have any) string {
	wanted, _ := want.(map[string]any)
	found, _ := have.(map[string]any)
	for _, field := range []string{"failurePolicy", "matchConstraints", "matchConditions", "variables", "validations"} {
		if !reflect.DeepEqual(wanted[field], found[field]) {
			return "spec." + field + " is not as rendered"
		}
	}
	for field := range found {
		if _, rendered := wanted[field]; !rendered {
			return "spec." + field + " was added"
		}
	}
	return ""
}

// asJSON is a copy as JSON has it.
func asJSON(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	var out any
	if json.Unmarshal(text, &out) != nil {
		return nil
	}
	return out
}

// warnedIn reads what the API server found when it checked the types in the policy's
// expressions ("Type checking" in the Kubernetes documentation of Validating Admission
// Policy): the first warning, and how many more there are.
func warnedIn(policy *unstructured.Unstructured) string {
	warnings, _, err := unstructured.NestedSlice(policy.Object, "status", "typeChecking", "expressionWarnings")
	switch {
	case err != nil:
		return "status.typeChecking cannot be read"
	case len(warnings) == 0:
		return ""
	}
	first, _ := warnings[0].(map[string]any)
	field, text := textIn(first, "fieldRef"), textIn(first, "warning")
	said := plain.Said(field + ": " + text)
	if more := len(warnings) - 1; more > 0 {
		said += fmt.Sprintf(" (and %d more)", more)
	}
	return said
}

// PolicyState is the state of the admission policy in a cluster.
type PolicyState string

// The states of the policy.
const (
	PolicyEnforced  PolicyState = "enforced"  // bound, and as it is rendered
	PolicyMissing   PolicyState = "missing"   // the policy does not exist
	PolicyUnbound   PolicyState = "unbound"   // its binding does not deny everywhere
	PolicyChanged   PolicyState = "changed"   // differs from the rendered one
	PolicyWarned    PolicyState = "warned"    // the API server warns of its expressions
	PolicyNotServed PolicyState = "notServed" // the cluster has no such API
	PolicyUnknown   PolicyState = "unknown"   // you are not allowed to read it
)

// AnyBucket is what follows where Buckets are not restricted.
const AnyBucket = "everybody who is allowed to create Buckets, in any project, can change every S3 bucket that the controller's role covers, and delete it if it is empty"

// What a warning of the API server means, and what to do about it: a later version may
// render other expressions, and the kind Bucket may be that of another version.
const (
	WarnedMeans = "an expression that cannot be evaluated refuses every Bucket, or does not check what it should"
	WarnedNext  = "its status shows all of them: oc get validatingadmissionpolicies.admissionregistration.k8s.io ostoy-s3-buckets -o yaml\n" +
		"update the ACK S3 controller or oc ostoy-s3, then: oc ostoy-s3 controller install"
)

// State tells the states of a policy that was read apart. what is the predicate of a
// sentence about the policy, and why what is behind it, "" if there is no more to say.
func (i Inspection) State() (state PolicyState, what, why string) {
	switch {
	case !i.Found:
		return PolicyMissing, "does not exist", ""
	case !i.Bound:
		return PolicyUnbound, "is not enforced", "its binding does not exist, or does not deny in all projects"
	case !i.Unchanged():
		return PolicyChanged, "differs from the rendered one", i.Changed
	case i.Warned != "":
		return PolicyWarned, "has expressions that the API server warns of", i.Warned
	}
	return PolicyEnforced, "is enforced", ""
}

// OfOtherProjects names the Buckets whose S3 bucket is not their project's, as
// PROJECT/NAME and the S3 bucket, sorted. It is the policy's rule about spec.name.
func OfOtherProjects(buckets []*unstructured.Unstructured) []string {
	var some []string
	for _, one := range buckets {
		if name, _, _ := unstructured.NestedString(one.Object, "spec", "name"); !nameOfProject(one.GetNamespace(), name) {
			some = append(some, one.GetNamespace()+"/"+one.GetName()+" ("+legalName(name)+")")
		}
	}
	slices.Sort(some)
	return some
}

// legalName is the name of an S3 bucket. One that S3 would refuse is not repeated:
// it is a text that somebody else wrote.
func legalName(name string) string {
	if regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`).MatchString(name) {
		return "S3 bucket " + name
	}
	return "not a valid name of an S3 bucket"
}
