package olm

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// csv as OLM writes it, with a status.
func csv(status string) string {
	return `
apiVersion: operators.coreos.com/v1alpha1
kind: ClusterServiceVersion
metadata: {name: ack-s3-controller.v1.10.0, namespace: ack-system}
spec:
  displayName: AWS Controllers for Kubernetes - Amazon S3
  version: 1.10.0
  replaces: ack-s3-controller.v1.9.0
  install: {strategy: deployment, spec: {deployments: [{name: ack-s3-controller, spec: {replicas: 1}}]}}
status: {` + status + "}"
}

func TestCSVOf(t *testing.T) {
	got := CSVOf(object(t, csv("phase: Succeeded, reason: InstallSucceeded, message: install strategy completed with no errors")))
	want := CSV{
		Name: "ack-s3-controller.v1.10.0", Namespace: "ack-system", Version: "1.10.0", Phase: "Succeeded", Reason: "InstallSucceeded",
		Message: "install strategy completed with no errors", Deployments: []string{"ack-s3-controller"}, Replaces: "ack-s3-controller.v1.9.0",
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(CSV{})); diff != "" {
		t.Error(diff)
	}
	copied := CSVOf(object(t, `
apiVersion: operators.coreos.com/v1alpha1
kind: ClusterServiceVersion
metadata: {name: ack-s3-controller.v1.10.0, namespace: demo, labels: {olm.copiedFrom: ack-system}}
spec: {displayName: lab, install: {strategy: deployment, spec: {deployments: []}}}
status: {phase: Succeeded, reason: Copied, message: The operator is running in ack-system but is managing this namespace}`))
	if copied.CopiedFrom != "ack-system" || len(copied.Deployments) != 0 || !copied.Succeeded() {
		t.Errorf("%+v", copied)
	}
}

func TestCSVFailure(t *testing.T) {
	const (
		missing = "phase: Pending, reason: RequirementsNotMet, message: one or more requirements couldn't be found, requirementStatus: "
		present = "{group: apiextensions.k8s.io, version: v1, kind: CustomResourceDefinition, name: buckets.s3.services.k8s.aws, status: Present}"
		account = "group: '', version: v1, kind: ServiceAccount, name: ack-s3-controller"
	)
	for name, c := range map[string]struct {
		status  string
		fails   bool
		healing bool
		words   []string
	}{
		"just made":          {"phase: ''", false, false, nil},
		"not looked at":      {"phase: Pending, reason: RequirementsUnknown, message: requirements not yet checked", false, false, nil},
		"to be installed":    {"phase: InstallReady, reason: AllRequirementsMet", false, false, nil},
		"being installed":    {"phase: Installing, reason: InstallWaiting, message: 'installing: waiting for deployment ack-s3-controller to become ready'", false, false, nil},
		"to be repaired":     {"phase: Pending, reason: NeedsReinstall, message: x", false, false, nil},
		"installed":          {"phase: Succeeded, reason: InstallSucceeded", false, false, nil},
		"being replaced":     {"phase: Replacing, reason: BeingReplaced", false, false, nil},
		"replaced":           {"phase: Deleting, reason: Replaced", false, false, nil},
		"no group":           {"phase: Failed, reason: NoOperatorGroup, message: csv in namespace with no operatorgroups", true, false, []string{"is Failed", "NoOperatorGroup, csv in namespace", `"kind":"OperatorGroup"`, "| oc create -f -"}},
		"two groups":         {"phase: Failed, reason: TooManyOperatorGroups, message: 'csv created in namespace with multiple operatorgroups, can''t pick one automatically'", true, false, []string{"TooManyOperatorGroups", "oc delete operatorgroups.operators.coreos.com NAME -n ack-system"}},
		"wrong group":        {"phase: Failed, reason: UnsupportedOperatorGroup, message: AllNamespaces InstallModeType not supported", true, false, []string{"oc get operatorgroups.operators.coreos.com -n ack-system -o yaml"}},
		"a rival elsewhere":  {"phase: Failed, reason: InterOperatorGroupOwnerConflict, message: intersecting operatorgroups provide the same apis", true, false, []string{"another operator", "oc get clusterserviceversions.operators.coreos.com -A"}},
		"a rival here":       {"phase: Failed, reason: OwnerConflict, message: CRD owned by another ClusterServiceVersion", true, false, []string{"another operator"}},
		"not available":      {"phase: Failed, reason: InstallCheckFailed, message: install timeout", true, true, []string{"install timeout", "oc describe deployment/ack-s3-controller -n ack-system"}},
		"not installable":    {"phase: Failed, reason: InstallComponentFailed, message: 'install strategy failed: quota'", true, true, []string{"quota"}},
		"not again":          {"phase: Failed, reason: InstallComponentFailedNoRetry, message: 'install strategy failed: x'", true, false, []string{"does not try again"}},
		"no longer well":     {"phase: Failed, reason: ComponentUnhealthy, message: 'installing: deployment changed'", true, true, []string{"oc get pods -n ack-system"}},
		"bad bundle":         {"phase: Failed, reason: InvalidInstallStrategy, message: x", true, false, nil},
		"operator says no":   {"phase: Pending, reason: OperatorConditionNotUpgradeable, message: operator is not upgradeable", true, true, []string{"oc describe operatorconditions.operators.coreos.com ack-s3-controller.v1.9.0 -n ack-system"}},
		"a reason not known": {"phase: Failed, reason: SomethingNew, message: words", true, true, []string{"SomethingNew, words", "oc describe clusterserviceversions.operators.coreos.com ack-s3-controller.v1.10.0 -n ack-system"}},
		"no reason":          {"phase: Failed", true, true, []string{"does not say why"}},
		"a kind lacks":       {missing + "[" + present + ", {kind: CustomResourceDefinition, name: fields.services.k8s.aws, status: NotPresent, message: CRD is not present}]", true, true, []string{"not met: CustomResourceDefinition fields.services.k8s.aws (NotPresent)"}},
		"a right lacks":      {missing + "[{" + account + ", status: PresentNotSatisfied, message: Policy rule not satisfied for service account, dependents: [{kind: PolicyRule, status: Satisfied, message: a}, {kind: PolicyRule, status: NotSatisfied, message: 'cluster rule:{\"verbs\":[\"get\"]}'}]}]", true, true, []string{"ServiceAccount ack-s3-controller (PresentNotSatisfied", `lacks cluster rule:{"verbs":["get"]}`}},
		"account of another": {missing + "[{" + account + ", status: PresentNotSatisfied, message: Service account is owned by another ClusterServiceVersion}]", true, true, []string{"owned by another"}},
		"kind of another":    {missing + "[{kind: CustomResourceDefinition, name: x, status: PresentNotSatisfied, message: CRD owned by another ClusterServiceVersion}]", true, false, []string{"owned by another"}},
		"cluster too old":    {missing + "[{kind: ClusterServiceVersion, name: x, status: PresentNotSatisfied, message: 'CSV version requirement not met: minKubeVersion (1.35.0) > server version (1.34.2)'}]", true, false, []string{"minKubeVersion (1.35.0)"}},
		"no longer met":      {"phase: Failed, reason: RequirementsNotMet, message: requirements no longer met, requirementStatus: [" + present + "]", true, true, []string{"no longer met"}},
	} {
		got, healing := CSVOf(object(t, csv(c.status))).Failure()
		if (got != nil) != c.fails || healing != c.healing {
			t.Errorf("%s: %v, healing %v", name, got, healing)
			continue
		}
		if got != nil {
			refusal(t, got, problem.NotReady, append(c.words, "ack-s3-controller.v1.10.0 in ack-system")...)
		}
	}
}

// TestCSVPassing: what comes with every installation and upgrade, and nothing else.
func TestCSVPassing(t *testing.T) {
	const (
		pending = "phase: Pending, reason: RequirementsNotMet, lastTransitionTime: '2026-03-01T10:00:00Z', requirementStatus: "
		present = "{kind: CustomResourceDefinition, name: buckets.s3.services.k8s.aws, status: Present}"
		owned   = "{kind: ServiceAccount, name: ack-s3-controller, status: PresentNotSatisfied, message: Service account is owned by another ClusterServiceVersion}"
		lacks   = "{kind: ServiceAccount, name: ack-s3-controller, status: PresentNotSatisfied, message: Policy rule not satisfied for service account, dependents: [{kind: PolicyRule, status: NotSatisfied, message: 'namespaced rule:{}'}]}"
		absent  = "{kind: CustomResourceDefinition, name: fields.services.k8s.aws, status: NotPresent}"
		old     = "{kind: ClusterServiceVersion, name: x, status: PresentNotSatisfied, message: 'CSV version requirement not met: minKubeVersion'}"
	)
	for name, c := range map[string]struct {
		status string
		want   bool
	}{
		"the account of another version": {pending + "[" + present + ", " + owned + "]", true},
		"a rule lacks":                   {pending + "[" + lacks + "]", true},
		"a kind lacks":                   {pending + "[" + owned + ", " + absent + "]", false},
		"the cluster is too old":         {pending + "[" + old + "]", false},
		"no longer met":                  {"phase: Failed, reason: RequirementsNotMet, requirementStatus: [" + lacks + "]", false},
		"being installed":                {"phase: Installing, reason: InstallWaiting", false},
	} {
		got := CSVOf(object(t, csv(c.status)))
		if got.Passing() != c.want {
			t.Errorf("%s: %v", name, !c.want)
		}
		if strings.Contains(c.status, "10:00") && got.Since.Format("15:04") != "10:00" {
			t.Errorf("%s: since %s", name, got.Since)
		}
	}
}

func TestCSVFailureWithoutDeployments(t *testing.T) {
	p, _ := CSV{Name: "x.v1", Namespace: "n", Phase: "Failed", Reason: "InstallCheckFailed"}.Failure()
	refusal(t, p, problem.NotReady, "oc get deployments,pods -n n")
}
