package project

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// State is the state of a namespace.
type State struct {
	Exists      bool
	Terminating bool
	Ours        bool // made by this tool
	Unseen      bool // not there, or not to be seen by this user
}

// Origin is what the inventory remembers about the namespace. One that is not there yet
// is made by this run.
func (s State) Origin() string {
	if s.Ours || !s.Exists {
		return apply.OriginCreated
	}
	return apply.OriginExisting
}

// Mark is the description by which a project is recognised as made by this tool.
// OpenShift's ProjectRequest keeps name, display name and description and nothing else;
// the digits tie the mark to the name, so that a copied text does not count.
func Mark(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "made by " + advice.Command("oc ostoy-s3") + " (" + hex.EncodeToString(sum[:4]) + ")"
}

const descriptionAnnotation = "openshift.io/description"

// RandomName is a name for a project that is hard to guess: bucket names are global, and
// the 65,536 names of the tutorial do collide.
func RandomName() (string, error) {
	var number [4]byte
	if _, err := rand.Read(number[:]); err != nil {
		return "", err
	}
	return "ostoy-" + hex.EncodeToString(number[:]), nil
}

// LookAt reads the namespace. Who may not see it gets the same answer as for one that
// does not exist: OpenShift's to a project of somebody else.
func LookAt(ctx context.Context, conn *cluster.Conn, name string) (State, error) {
	found, err := conn.Dynamic.Resource(kinds.Namespace.GVR()).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		return State{Unseen: apierrors.IsForbidden(err)}, nil
	case err != nil:
		return State{}, conn.Translate(err)
	}
	return State{
		Exists:      true,
		Terminating: found.GetDeletionTimestamp() != nil,
		Ours: found.GetAnnotations()[descriptionAnnotation] == Mark(name) ||
			found.GetLabels()[render.TagManagedBy] == render.ManagedBy,
	}, nil
}

// MayInstall refuses a project that is on its way out, and a new one that is not new. One
// that this tool made may be what a run that was cut off has left: that goes on.
func (s State) MayInstall(name string, asNew bool) error {
	switch {
	case s.Terminating:
		return &problem.Error{
			Kind: problem.Refused,
			What: "project " + name + " is being deleted",
			Why:  "nothing can be made in it any more",
			Next: "wait until it is deleted (" + advice.Command("oc get namespace", name, "-w") + "), or install elsewhere: " + advice.Command("oc ostoy-s3 install --new-project"),
		}
	case s.Exists && asNew && !s.Ours:
		return &problem.Error{
			Kind: problem.Refused,
			What: "project " + name + " is there already",
			Why:  "--new-project makes a project, it does not take one over",
			Next: advice.Command("oc ostoy-s3 install", "-n", name),
		}
	}
	return nil
}
