package olm

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// CSV is a ClusterServiceVersion: an operator in one version
// (operators.coreos.com/v1alpha1).
type CSV struct {
	Name, Namespace string
	Version         string // spec.version, without v
	Phase           string // "Pending", "InstallReady", "Installing", "Succeeded", "Failed", "Replacing", "Deleting" or ""
	Reason          string // OLM's word for it, such as "InstallWaiting"
	Message         string
	Deployments     []string // names of what it installs
	Replaces        string   // the CSV before it, "" for none
	CopiedFrom      string   // namespace of the original: a copy only tells a namespace what serves it
	Unmet           []string // requirements that are not there, in words

	// Since is when OLM last changed the phase; zero if it does not say.
	Since time.Time

	needs []need // how each of them is met
}

// CSVOf reads a ClusterServiceVersion.
func CSVOf(object *unstructured.Unstructured) CSV {
	status := func(field string) string { return line(object.Object, "status", field) }
	csv := CSV{
		Name: object.GetName(), Namespace: object.GetNamespace(),
		Version:    bare(line(object.Object, "spec", "version")),
		Phase:      status("phase"),
		Reason:     status("reason"),
		Message:    said(status("message")),
		Replaces:   line(object.Object, "spec", "replaces"),
		CopiedFrom: object.GetLabels()["olm.copiedFrom"],
	}
	csv.Since, _ = time.Parse(time.RFC3339, status("lastTransitionTime")) // what cannot be read is not known
	for _, one := range health.Maps(object.Object, "spec", "install", "spec", "deployments") {
		csv.Deployments = append(csv.Deployments, line(one, "name"))
	}
	for _, one := range health.Maps(object.Object, "status", "requirementStatus") {
		if words, kind := requirement(one); kind != met {
			csv.Unmet, csv.needs = append(csv.Unmet, words), append(csv.needs, kind)
		}
	}
	return csv
}

// Succeeded reports whether OLM is done with the installation. That the operator
// works is not in it: OLM looks at the Deployments, not at what they do.
func (c CSV) Succeeded() bool { return c.Phase == "Succeeded" }

// Passing reports whether the version waits for nothing but what comes with every
// installation and upgrade, and passes: OLM has still to write the operator's rights,
// or the version before has still to give up the service account.
func (c CSV) Passing() bool {
	return c.Phase == "Pending" && c.Reason == "RequirementsNotMet" && len(c.Unmet) > 0 &&
		!slices.ContainsFunc(c.needs, func(n need) bool { return n != onItsWay })
}

// need is how a requirement is met.
type need int

const (
	met      need = iota
	onItsWay      // it comes with every installation or upgrade
	missing       // waiting may bring it
	lacking       // it never will be met
)

// requirement puts an entry of status.requirementStatus into words, and tells
// whether OLM lacks it and, if so, whether waiting may bring it. The words of
// OLM are those of its pkg/controller/operators/olm/requirements.go.
func requirement(one map[string]any) (words string, is need) {
	status, message := line(one, "status"), line(one, "message")
	switch status {
	case "Present", "Satisfied", "DeploymentFound":
		return "", met
	}
	is = missing
	words = line(one, "kind") + " " + line(one, "name") + " (" + status
	if message != "" && status != "NotPresent" {
		words += ": " + said(message)
	}
	for _, rule := range health.Maps(one, "dependents") {
		if line(rule, "status") == "NotSatisfied" {
			words += ": lacks " + said(line(rule, "message"))
			is = onItsWay
			break // one rule shows what it is about
		}
	}
	switch {
	case strings.Contains(message, "CSV version requirement not met"):
		is = lacking
	case strings.Contains(message, "owned by another ClusterServiceVersion"):
		is = lacking
		if line(one, "kind") == "ServiceAccount" { // of the version before
			is = onItsWay
		}
	}
	return words + ")", is
}

// Failure is why a version is not installed, or no longer, nil while it is on
// its way or done. healing reports that waiting may still help: OLM looks again
// at a version that failed, and takes up most of them when the reason is gone;
// what it does not, and what somebody has to mend first, is not healing. The
// reasons are those of the ClusterServiceVersion's API and of OLM's state
// machine (pkg/controller/operators/olm/operator.go). The kind is
// problem.NotReady.
func (c CSV) Failure() (p *problem.Error, healing bool) {
	switch c.Phase {
	case "", "Succeeded", "Replacing", "Deleting":
		return nil, false
	}
	cause, known := c.cause()
	if !known && c.Phase != "Failed" {
		return nil, false
	}
	what := "ClusterServiceVersion " + c.Name + " in " + c.Namespace + " is " + c.Phase
	return &problem.Error{Kind: problem.NotReady, What: what, Why: cause.why, Next: cause.next}, cause.healing
}

// cause is what a reason means to the reader.
type cause struct {
	why, next string
	healing   bool
}

// cause explains the reason; known is false for one that says nothing against
// the installation unless the phase is Failed.
func (c CSV) cause() (cause, bool) {
	why := cmp.Or(strings.Trim(c.Reason+", "+c.Message, ", "), "OLM does not say why")
	out := cause{why: why, next: describe("clusterserviceversions", c.Name, c.Namespace), healing: true}
	const operatorGroups = "operatorgroups." + group
	switch c.Reason {
	case "NoOperatorGroup":
		out.healing = false
		out.why += "; OLM installs nothing in a namespace without an OperatorGroup"
		out.next = "create an OperatorGroup: " + c.createGroup()
	case "TooManyOperatorGroups":
		out.healing = false
		out.next = listed(operatorGroups, c.Namespace) + "\nkeep one: " + advice.Command("oc delete", operatorGroups, "NAME", "-n", c.Namespace)
	case "UnsupportedOperatorGroup", "NoTargetNamespaces", "CannotModifyStaticOperatorGroupProvidedAPIs":
		out.healing = false
		out.next = listed(operatorGroups, c.Namespace, "-o", "yaml")
	case "InterOperatorGroupOwnerConflict", "OwnerConflict":
		out.healing = false
		out.why += "; another operator brings the same kinds"
		out.next = listed("clusterserviceversions."+group, "")
	case "RequirementsNotMet":
		out.healing = !slices.Contains(c.needs, lacking)
		if len(c.Unmet) > 0 {
			out.why += "; not met: " + someOf(c.Unmet, "")
		}
	case "OperatorConditionNotUpgradeable":
		out.next = describe("operatorconditions", c.Replaces, c.Namespace)
	case "InstallCheckFailed", "InstallComponentFailed", "ComponentUnhealthy":
		out.next = c.look() + "\n" + out.next
	case "InstallComponentFailedNoRetry", "InvalidInstallStrategy", "InvalidInstallModes", "InvalidWebhookDescription":
		out.healing = false
		out.why += "; OLM does not try again"
	default:
		return out, false
	}
	return out, true
}

// createGroup is the command that creates an OperatorGroup for all namespaces.
func (c CSV) createGroup() string {
	text, err := json.Marshal(map[string]any{
		"apiVersion": group + "/v1", "kind": "OperatorGroup",
		"metadata": map[string]string{"name": c.Namespace, "namespace": c.Namespace}, "spec": map[string]string{},
	})
	if err != nil { // texts alone can be written
		text = []byte(advice.Withheld)
	}
	return advice.Pipe(advice.Command("echo", string(text)), advice.Command("oc create -f -"))
}

// look is how to see why the Deployments do not become available.
func (c CSV) look() string {
	if len(c.Deployments) == 0 {
		return listed("deployments,pods", c.Namespace)
	}
	var words []string
	for _, name := range c.Deployments {
		words = append(words, "deployment/"+name)
	}
	return advice.Command("oc describe", append(words, "-n", c.Namespace)...) + "\n" + listed("pods", c.Namespace)
}
