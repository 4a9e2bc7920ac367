package operator

import (
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// PolicyName is the name of the ValidatingAdmissionPolicy for Buckets and of its
// binding.
const PolicyName = "ostoy-s3-buckets"

// AdmissionGroup is the API group of both. Clusters serve it from Kubernetes 1.30
// (OpenShift 4.17) on.
const AdmissionGroup = "admissionregistration.k8s.io"

// AccountName is the user name of a service account.
func AccountName(namespace, name string) string {
	return "system:serviceaccount:" + namespace + ":" + name
}

// Account is the user name of the controller's service account in the namespace of
// the facts.
func Account(f render.Facts) string { return AccountName(namespace(f), ServiceAccount) }

// Serving is whether a cluster serves ValidatingAdmissionPolicies.
type Serving int

// The answers.
const (
	ServingUnknown Serving = iota
	Serves
	ServesNot
)

// AdmissionServed goes by what a cluster serves, where kinds are listed, or else by its
// version: 1.30 is the first with the v1 API. A list of API versions without kinds does
// not say it, because other kinds of the group are older.
func AdmissionServed(f render.Facts) Serving {
	const version1 = AdmissionGroup + "/v1/"
	served := f.APIVersions.Values
	switch {
	case slices.Contains(served, version1+"ValidatingAdmissionPolicy"):
		return Serves
	case slices.ContainsFunc(served, func(v string) bool { return strings.HasPrefix(v, version1) }):
		return ServesNot
	}
	is, err := version.ParseGeneric(f.KubeVersion.Value)
	switch {
	case err != nil:
		return ServingUnknown
	case is.AtLeast(version.MajorMinor(1, 30)):
		return Serves
	}
	return ServesNot
}

// wavePolicy is before the ClusterRoles and before the Subscription: no Bucket can be
// written that is not checked.
const wavePolicy = -4

// AdmissionPolicy returns the ValidatingAdmissionPolicy that keeps a Bucket to the
// S3 buckets of its own project, and its binding. The controller acts on a Bucket
// with its own AWS permissions, which cover the buckets of all projects: without
// the policy, whoever may create a Bucket decides about every bucket that the
// controller reaches.
//
// controllers are the user names of the controllers' service accounts,
// system:serviceaccount:NAMESPACE:NAME. They are exempt, because a controller fills
// in the spec and removes its finalizer. So is everybody with the verb "bypass" on
// the policy itself, a cluster-scoped permission: OLM gives project admins every
// verb on Buckets.
//
// What the expressions may use: "CEL in Kubernetes" and "Validating Admission
// Policy" in the Kubernetes documentation.
func AdmissionPolicy(f render.Facts, controllers []string) []*unstructured.Unstructured {
	policy := newObject(AdmissionGroup+"/v1", "ValidatingAdmissionPolicy", "", PolicyName, wavePolicy)
	policy.Object["spec"] = map[string]any{
		"failurePolicy": "Fail",
		"matchConstraints": map[string]any{
			"matchPolicy": "Equivalent",
			// The status is a subresource, and the controller's own to write.
			"resourceRules": []any{map[string]any{
				"apiGroups": []any{"s3.services.k8s.aws"}, "apiVersions": []any{"*"},
				"operations": []any{"CREATE", "UPDATE"}, "resources": []any{"buckets"},
			}},
		},
		"matchConditions": []any{
			map[string]any{"name": exemptCondition, "expression": exemptBefore + celList(controllers) + exemptAfter},
			map[string]any{"name": "may-not-bypass", "expression": "!authorizer.group(" + celString(AdmissionGroup) +
				").resource('validatingadmissionpolicies').name(" + celString(PolicyName) + ").check('bypass').allowed() || " + isProbe},
		},
		"variables":   admissionVariables(),
		"validations": admissionRules(f),
	}
	binding := newObject(AdmissionGroup+"/v1", "ValidatingAdmissionPolicyBinding", "", PolicyName, wavePolicy)
	binding.Object["spec"] = map[string]any{"policyName": PolicyName, "validationActions": []any{"Deny"}}
	return []*unstructured.Unstructured{policy, binding}
}

// isProbe is true for Probe, which nobody but a controller is exempt for: a cluster admin
// could not see otherwise whether the API server has the policy in effect.
const isProbe = "has(request.dryRun) && request.dryRun && has(object.metadata.name) && object.metadata.name == '" + probeName + "'"

const probeName = "ostoy-s3-policy-probe"

// Probe is a Bucket that the policy refuses for every user, if it is created as a dry
// run.
func Probe() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "s3.services.k8s.aws/v1alpha1", "kind": "Bucket",
		"metadata": map[string]any{"name": probeName, "namespace": "default"},
		"spec":     map[string]any{"name": probeName},
	}}
}

// admissionVariables name what the rules are about. On an update a Bucket "acts" if
// it gives the controller something new to do: with the spec, with an annotation of
// ACK's, or by the finalizer, which makes the controller treat an S3 bucket that it
// refused to touch ("Resource already exists") as managed, and delete it with the
// Bucket (IsManaged in pkg/resource/bucket/descriptor.go of
// aws-controllers-k8s/s3-controller).
// All of ACK's annotations count, so that those of controllers to come are closed.
// To set deletion-policy to retain is always possible.
//
// A Bucket without a spec is legal for the API server, and "adopt" fills one in.
func admissionVariables() []any {
	const news = "variables.notes.exists(k, k.startsWith(" + ackAnnotations + ") && !(k in variables.noted && variables.noted[k] == variables.notes[k]) && " +
		"!(k == 'services.k8s.aws/deletion-policy' && variables.notes[k] == 'retain'))"
	const gone = "variables.noted.exists(k, k.startsWith(" + ackAnnotations + ") && !(k in variables.notes))"
	const taken = "object.metadata.?finalizers.orValue([]).exists(f, f.startsWith('finalizers.s3.services.k8s.aws/') && !(f in oldObject.metadata.?finalizers.orValue([])))"
	return []any{
		celVariable("project", "request.namespace"),
		celVariable("created", "request.operation == 'CREATE'"),
		celVariable("spec", "object.?spec.orValue({})"),
		celVariable("before", "variables.created ? {} : oldObject.?spec.orValue({})"),
		celVariable("name", "variables.spec.?name.orValue('')"),
		celVariable("notes", "object.metadata.?annotations.orValue({})"),
		celVariable("noted", "variables.created ? {} : oldObject.metadata.?annotations.orValue({})"),
		celVariable("acts", "variables.created || variables.spec != variables.before || "+news+" || "+gone+" || "+taken),
		celVariable("fields", "variables.notes[?"+celString(adoptionFields)+"].orValue('')"),
		celVariable("tags", "variables.spec.?tagging.?tagSet.orValue([])"),
	}
}

// How the policy names the exempt controllers, and a tag that it looks at: Inspect
// reads both.
const (
	exemptCondition = "not-a-controller"
	exemptBefore    = "!(request.userInfo.username in "
	exemptAfter     = ")"

	tagKey, tagValue = "t.?key.orValue('')", "t.?value.orValue('')"
)

// ackAnnotations is what the annotations begin with by which a Bucket tells the
// controller what to do with its S3 bucket.
const ackAnnotations = "'services.k8s.aws/'"

// admissionRules are what a Bucket must be like. On an update a field is judged only
// if it changed, so that a Bucket from before the policy can still be labelled,
// released and deleted; the name is judged whenever the Bucket acts.
func admissionRules(f render.Facts) []any {
	rules := []any{
		admitted("!variables.acts || !variables.project.contains('--') && (variables.name == variables.project + '-bucket' || "+
			"variables.name.startsWith(variables.project + '--') && "+
			"variables.name.substring(size(variables.project) + 2).matches("+celString(bucketSuffix)+"))",
			"variables.project.contains('--') ? "+celMessage(wrongProject, "variables.project")+" : "+celMessage(wrongBucket, "variables.project")),
		// The controller takes the bucket's name from this annotation, too.
		admitted("!variables.acts || variables.fields == '' || variables.fields == '{\"name\":\"' + variables.name + '\"}'",
			celMessage(wrongAdoptionOf, "variables.name")),
		admitted("variables.spec.all(k, k in "+celList(allowedFields())+" || k in variables.before && variables.spec[k] == variables.before[k])",
			celString(wrongFields())),
		fieldRule("publicAccessBlock", celList(accessBlocks())+".all(k, k in variables.spec.publicAccessBlock && variables.spec.publicAccessBlock[k] == true)",
			wrongAccessBlock),
		// No rule at all has the controller remove the ownership controls.
		fieldRule("ownershipControls", "size(variables.spec.ownershipControls.?rules.orValue([])) > 0 && "+
			"variables.spec.ownershipControls.rules.all(r, r.?objectOwnership.orValue('') == 'BucketOwnerEnforced')",
			wrongOwnership),
		fieldRule("policy", "variables.spec.policy in "+policyTexts(),
			wrongPolicy),
	}
	return append(rules, tagRules(f)...)
}

// allowedFields are those of a Bucket's spec that the chart writes, and versioning:
// fields of controllers to come are not allowed until somebody has thought of what
// they can do.
func allowedFields() []string {
	return []string{"name", "publicAccessBlock", "encryption", "ownershipControls", "tagging", "policy", "versioning"}
}

// policyTexts are the policies that the chart writes for the name in the Bucket, one
// for each partition, byte for byte: CEL has no JSON parser, and looking for words
// in the text is evaded by escapes, white space and repeated keys.
func policyTexts() string {
	const at = "\x00"
	var texts []string
	for _, partition := range render.Partitions() {
		parts := strings.Split(render.BucketPolicy(render.BucketARN(partition, at)), at)
		for i, part := range parts {
			parts[i] = celString(part)
		}
		texts = append(texts, strings.Join(parts, " + variables.name + "))
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// tagRules keep the tags by which this tool tells whose a bucket is: they may say
// only what is true of the project. IAM compares the keys of tags without case.
func tagRules(f render.Facts) []any {
	const key, value = tagKey, tagValue
	is := func(tag, want string) string {
		return key + " == " + celString(tag) + " && " + value + " == " + want
	}
	cluster := value // unknown: any
	if f.ClusterID.Known() {
		cluster = celString(f.ClusterID.Value)
	}
	ours := "(" + key + ".lowerAscii().startsWith('ostoy-s3/') || " + key + ".lowerAscii() == " + celString(render.TagManagedBy) + ")"
	rule := strings.Join([]string{
		"!" + ours,
		is(render.TagManagedBy, celString(render.ManagedBy)),
		is(render.TagIssuer, celString(f.Issuer.Value)),
		is(render.TagNamespace, "variables.project"),
		is(render.TagClusterID, cluster),
	}, " || ")
	return []any{fieldRule("tagging", "variables.tags.all(t, "+rule+")",
		wrongTags())}
}

// fieldRule holds where the field is there and new, or changed.
func fieldRule(field, expression, message string) any {
	is := celString(field)
	return admitted("!("+is+" in variables.spec) || "+is+" in variables.before && variables.spec["+is+"] == variables.before["+is+"] || "+expression, celString(message))
}

// admitted is a validation; message is an expression, too.
func admitted(expression, message string) any {
	return map[string]any{"expression": expression, "messageExpression": message, "message": "this Bucket is not allowed by " + PolicyName}
}

func celVariable(name, expression string) any {
	return map[string]any{"name": name, "expression": expression}
}

// celString is a string literal of CEL: its escapes are Go's.
func celString(s string) string { return strconv.QuoteToASCII(s) }

func celList(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = celString(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
