package olm

import (
	"encoding/json"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

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
	return &problem.Error{
		Kind: problem.NotReady,
		What: "ClusterServiceVersion " + c.Name + " in " + c.Namespace + " is " + c.Phase,
		Why:  cause.why,
		Next: cause.next,
	}, cause.healing
}

// cause is what a reason means to the reader.
type cause struct {
	why, next string
	healing   bool
}

// cause explains the reason; known is false for one that says nothing against
// the installation unless the phase is Failed.
func (c CSV) cause() (cause, bool) {
	out := cause{why: c.words(), next: describe("clusterserviceversions", c.Name, c.Namespace), healing: true}
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
		out.healing = !c.final
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

// words is the reason with OLM's message.
func (c CSV) words() string {
	if text := strings.Trim(c.Reason+", "+c.Message, ", "); text != "" {
		return text
	}
	return "OLM does not say why"
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
