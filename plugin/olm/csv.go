package olm

import (
	"strings"

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

	final bool // one of them never will be
}

// CSVOf reads a ClusterServiceVersion.
func CSVOf(object *unstructured.Unstructured) CSV {
	status := func(field string) string { return health.Text(object.Object, "status", field) }
	csv := CSV{
		Name: object.GetName(), Namespace: object.GetNamespace(),
		Version:    bare(health.Text(object.Object, "spec", "version")),
		Phase:      status("phase"),
		Reason:     status("reason"),
		Message:    said(status("message")),
		Replaces:   health.Text(object.Object, "spec", "replaces"),
		CopiedFrom: object.GetLabels()["olm.copiedFrom"],
	}
	for _, one := range health.Maps(object.Object, "spec", "install", "spec", "deployments") {
		csv.Deployments = append(csv.Deployments, health.Text(one, "name"))
	}
	for _, one := range health.Maps(object.Object, "status", "requirementStatus") {
		if words, final, unmet := requirement(one); unmet {
			csv.Unmet = append(csv.Unmet, words)
			csv.final = csv.final || final
		}
	}
	return csv
}

// Succeeded reports whether OLM is done with the installation. That the operator
// works is not in it: OLM looks at the Deployments, not at what they do.
func (c CSV) Succeeded() bool { return c.Phase == "Succeeded" }

// requirement puts an entry of status.requirementStatus into words, and tells
// whether OLM lacks it and, if so, whether waiting may bring it. The words of
// OLM are those of its pkg/controller/operators/olm/requirements.go.
func requirement(one map[string]any) (words string, final, unmet bool) {
	status, message := health.Text(one, "status"), health.Text(one, "message")
	switch status {
	case "Present", "Satisfied", "DeploymentFound":
		return "", false, false
	}
	words = health.Text(one, "kind") + " " + health.Text(one, "name") + " (" + status
	if message != "" && status != "NotPresent" {
		words += ": " + said(message)
	}
	for _, rule := range health.Maps(one, "dependents") {
		if health.Text(rule, "status") == "NotSatisfied" {
			words += ": lacks " + said(health.Text(rule, "message"))
			break // one rule shows what it is about
		}
	}
	final = strings.Contains(message, "owned by another ClusterServiceVersion") ||
		strings.Contains(message, "CSV version requirement not met")
	return words + ")", final, true
}
