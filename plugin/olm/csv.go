package olm

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
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

	final  bool // one of them never will be
	proper bool // one of them is more than what comes with every installation
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
			csv.Unmet = append(csv.Unmet, words)
			csv.final = csv.final || kind == lacking
			csv.proper = csv.proper || kind != onItsWay
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
	return c.Phase == "Pending" && c.Reason == "RequirementsNotMet" && len(c.Unmet) > 0 && !c.proper
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
