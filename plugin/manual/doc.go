// Package manual writes an install as the commands that a person would type: a
// bash script that reads like instructions, for who reviews and runs them in
// place of install. The use case install --mode manual calls it.
//
// It is one more printer of the plans that install carries out (apply.Plan by its
// Writes, iam.Plan by package rolecode): what it is given is printed, and nothing
// is added but waiting and looking. It is pure. It never asks a cluster or AWS,
// never decides whether something is to be done, and runs nothing.
package manual

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// The programs that can speak to a cluster.
const (
	OC      = "oc"      // on OpenShift
	Kubectl = "kubectl" // elsewhere
)

// Source is an install to be printed. Without Project, Writes and steps of the
// Role there is nothing to print.
type Source struct {
	Tool    string   // OC or Kubectl
	Flags   []string // of the tool, which lead to the cluster: "--context=prod"
	Server  string   // URL of the API server that they lead to; "": not held against
	Profile string   // of the AWS configuration; "": the usual one
	Facts   render.Facts

	// Project is a ProjectRequest or a Namespace, to be created; nil if it is there.
	Project *unstructured.Unstructured
	Mark    Mark
	Use     string // kubeconfig context that is to use the project; "": none

	Writes []apply.Write
	Role   *iam.Plan

	Wait    bool                       // print the commands that wait
	Timeout time.Duration              // of each of them
	Verify  bool                       // tell of the proof
	Expose  *unstructured.Unstructured // Route or Ingress; nil: there is none
}

// Mark is what tells a project that was made by this: a field of the namespace
// and its value.
type Mark struct {
	Field string // as kubectl's JSONPath has it: metadata.labels.team
	Value string
}
