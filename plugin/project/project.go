// Package project is what there is before a use case begins: the namespace, what an
// earlier install recorded in it, the facts of cluster and account, and whose credentials
// they are. Look finds all of it, Create and Delete make a project and take it away again.
//
// It knows nothing of what is to be installed.
package project

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// State is the state of a namespace.
type State struct {
	Exists      bool
	Terminating bool
	Ours        bool // made by this tool
	Unseen      bool // not there, or not to be seen by this user
	Unknown     bool // the API server did not answer
}

// Missing reports whether the API server did not show the project.
func (s State) Missing() bool { return !s.Exists && !s.Unknown }

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
		return State{Unknown: true}, conn.Translate(err)
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
		return problem.Refuse("project "+name+" is being deleted", "nothing can be made in it any more",
			"wait until it is deleted ("+advice.Command("oc get namespace", name, "-w")+"), or install elsewhere: "+advice.Command("oc ostoy-s3 install --new-project"))
	case s.Exists && asNew && !s.Ours:
		return problem.Refuse("project "+name+" is there already", "--new-project makes a project, it does not take one over",
			advice.Command("oc ostoy-s3 install", "-n", name))
	}
	return nil
}

const group = "project.openshift.io"

// Create makes a project. created is false, and there is no error, if another run of this
// tool has made it since the caller looked: the caller can go on in it. With an error,
// unknown says that no final answer came: the project may have been created.
func Create(ctx context.Context, conn *cluster.Conn, name string) (created, unknown bool, err error) {
	object, err := Object(ctx, conn, name)
	if err != nil {
		return false, false, err
	}
	client, err := conn.Resource(ctx, object.GroupVersionKind(), "")
	if err != nil {
		return false, false, err
	}
	asked, inDoubt := cluster.InDoubt(ctx)
	_, err = client.Create(asked, object, metav1.CreateOptions{FieldManager: apply.Manager})
	// If no answer came to an earlier try, it may also have been this run.
	if err != nil && !(apierrors.IsAlreadyExists(err) && isOurs(ctx, conn, name)) {
		return false, !apply.Refused(err), refused(conn, name, err)
	}
	return err == nil || inDoubt(), false, nil
}

// Object is what makes the project: a ProjectRequest on OpenShift, a Namespace elsewhere.
func Object(ctx context.Context, conn *cluster.Conn, name string) (*unstructured.Unstructured, error) {
	served, err := conn.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	if served.ServesGroup(group) {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion":  group + "/v1",
			"kind":        "ProjectRequest",
			"metadata":    map[string]any{"name": name},
			"displayName": "OSToy with S3",
			"description": Mark(name),
		}}, nil
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "Namespace",
		"metadata": map[string]any{
			"name":   name,
			"labels": map[string]any{render.TagManagedBy: render.ManagedBy},
		},
	}}, nil
}

// isOurs reports whether a project is one that this tool made. Its maker may see it a
// moment later only: OpenShift binds the role after it has made it.
func isOurs(ctx context.Context, conn *cluster.Conn, name string) bool {
	const patience, pause = 5 * time.Second, 250 * time.Millisecond
	var now State
	_ = wait.PollUntilContextTimeout(ctx, pause, patience, true, func(ctx context.Context) (seen bool, err error) {
		now, err = LookAt(ctx, conn, name)
		return now.Exists, err
	})
	return now.Ours && !now.Terminating
}

func refused(conn *cluster.Conn, name string, err error) error {
	if !apierrors.IsAlreadyExists(err) {
		return conn.Translate(err)
	}
	return problem.Refuse("project "+name+" belongs to somebody else", "it exists, and you may not see it",
		"oc ostoy-s3 install --new-project").Because(err)
}

// Delete takes back a project that was made a moment ago and holds nothing yet, until ctx
// ends. The permissions in it may not have reached every API server yet, so a refusal is
// asked again.
func Delete(ctx context.Context, conn *cluster.Conn, name string) error {
	const pause = 250 * time.Millisecond
	client, err := Client(ctx, conn)
	if err == nil {
		_ = wait.PollUntilContextCancel(ctx, pause, true, func(ctx context.Context) (bool, error) {
			err = client.Delete(ctx, name, metav1.DeleteOptions{})
			return !apierrors.IsForbidden(err), nil
		})
	}
	if apierrors.IsConflict(err) { // on its way out: the answer to an earlier try was lost
		if now, lookErr := LookAt(ctx, conn, name); lookErr == nil && now.Terminating {
			return nil
		}
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// Client is for Projects on OpenShift, where their admins may delete them, and for
// Namespaces elsewhere.
func Client(ctx context.Context, conn *cluster.Conn) (dynamic.ResourceInterface, error) {
	served, err := conn.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	if served.ServesGroup(group) {
		return conn.Dynamic.Resource(kinds.Project.GVR()), nil
	}
	return conn.Dynamic.Resource(kinds.Namespace.GVR()), nil
}

// unansweredIAM is how long IAM is waited for. Some private networks reach STS and not IAM.
const unansweredIAM = 10 * time.Second

// Warning is what is not known, and what to do about it; the zero value is none.
type Warning struct{ What, Next string }

// Print prints it.
func (w Warning) Print(to *ui.UI) {
	if w != (Warning{}) {
		to.Warn(w.What, w.Next)
	}
}

// RecalledRole gives the options the name and path of the role that the inventory names,
// unless they have one. What is on record is a hint: a role of another account, or one that
// cannot be, is passed over.
func RecalledRole(facts render.Facts, asked iam.RoleOptions, recorded string) iam.RoleOptions {
	arn, legal := advice.Role(recorded)
	if !legal || arn.Account != facts.Account.Value || asked.Name != "" || asked.Path != "" {
		return asked
	}
	named := asked
	named.Name, named.Path = arn.Name(), arn.Path()
	if _, err := iam.Desired(facts, named); err != nil {
		return asked
	}
	return named
}

// UsualRole gives the options the name of the role that IAM has for the holder, unless they
// have a name: a role that an earlier version created has a shorter one and keeps it. IAM
// is asked only if AWS was asked for the account: if the facts are given, no server is
// asked anything. If IAM does not answer, it is the name of a new role, with a warning.
func UsualRole(ctx context.Context, found detect.Result, o iam.RoleOptions, holder iam.Holder) (iam.RoleOptions, Warning) {
	f := found.Facts
	return named(ctx, found, o, holder.Names(f.Issuer.Value, f.Namespace.Value)[1], func(ctx context.Context, api iam.Finder) (string, error) {
		return holder.UsualName(ctx, api, f)
	})
}

// named gives the options the name that ask returns. The warning says which name to give
// if an earlier version created the role.
func named(ctx context.Context, found detect.Result, o iam.RoleOptions, earlier string, ask func(context.Context, iam.Finder) (string, error)) (iam.RoleOptions, Warning) {
	askedAWS := found.AWS != nil && found.Caller != ""
	if o.Name != "" || !askedAWS || !found.Facts.Issuer.Known() {
		return o, Warning{}
	}
	asked, cancel := context.WithTimeout(ctx, unansweredIAM)
	defer cancel()
	var err error
	o.Name, err = ask(asked, iam.New(found.AWS.In(found.Facts.Region)))
	if err == nil || ctx.Err() != nil {
		return o, Warning{}
	}
	name := advice.RoleName(earlier)
	return o, Warning{
		What: "whether an earlier version created the role " + name.String() + " is not known: " + plain.InLine(err.Error()),
		Next: "if it did: " + advice.Command("--role-name", name.Word()),
	}
}
