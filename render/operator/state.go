package operator

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
