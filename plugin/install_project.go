package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// project is the state of the namespace an install goes to.
type project struct {
	exists      bool
	terminating bool
	ours        bool // made by this tool
	unseen      bool // not there, or not to be seen by this user
}

// origin is what the inventory remembers about the namespace. One that is not
// there yet is made by this run.
func (p project) origin() string {
	if p.ours || !p.exists {
		return apply.OriginCreated
	}
	return apply.OriginExisting
}

// madeByUs is the mark on a project of ours. OpenShift's ProjectRequest keeps
// name, display name and description and nothing else, so the mark is a
// description; the digits tie it to the name, a copied text does not count.
func madeByUs(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "made by " + advice.Command("oc ostoy-s3") + " (" + hex.EncodeToString(sum[:4]) + ")"
}

const descriptionAnnotation = "openshift.io/description"

func namespaces() schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
}

// lookAtProject reads the namespace. Who may not see it is told the same as
// for one that is not there: OpenShift's answer to a project of somebody else.
func lookAtProject(ctx context.Context, conn *cluster.Conn, name string) (project, error) {
	live, err := conn.Dynamic.Resource(namespaces()).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		return project{unseen: apierrors.IsForbidden(err)}, nil
	case err != nil:
		return project{}, conn.Translate(err)
	}
	return project{
		exists:      true,
		terminating: live.GetDeletionTimestamp() != nil,
		ours: live.GetAnnotations()[descriptionAnnotation] == madeByUs(name) ||
			live.GetLabels()[render.TagManagedBy] == render.ManagedBy,
	}, nil
}

// mayGoOn refuses a project that is on its way out, and a new one that is not
// new. One of ours may be what a run that was cut off has left: that goes on.
func (i *install) mayGoOn() error {
	name := i.facts.Namespace.Value
	switch {
	case i.project.terminating:
		return &problem.Error{
			Kind: problem.Refused,
			What: "project " + name + " is being deleted",
			Why:  "nothing can be made in it any more",
			Next: "wait until it is deleted (" + advice.Command("oc get namespace", name, "-w") + "), or install elsewhere: " + advice.Command("oc ostoy-s3 install --new-project"),
		}
	case i.project.exists && i.request.ProjectName != "" && !i.project.ours:
		return &problem.Error{
			Kind: problem.Refused,
			What: "project " + name + " is there already",
			Why:  "--new-project makes a project, it does not take one over",
			Next: advice.Command("oc ostoy-s3 install", "-n", name),
		}
	}
	return nil
}

// projectForIssuer makes the project early where the issuer can be learned
// only from a token, and a token only asked for in a project of one's own. A
// later refusal removes it again.
func (i *install) projectForIssuer(ctx context.Context) (err error) {
	if !i.found.IssuerNeedsProject {
		return nil
	}
	i.found.IssuerNeedsProject = false
	if i.onlyLooks() || i.project.exists {
		return i.checkFacts()
	}
	early := check.Pre(check.Target{Facts: i.facts, Conn: i.conn, Namespace: check.NamespaceMissing})
	if err := refusal(check.Run(ctx, check.Only(early, check.IDBucketCRD, check.IDProjectRights), nil)); err != nil {
		return err
	}
	if err := i.makeProject(ctx); err != nil {
		return err
	}
	i.facts.Issuer, err = detect.IssuerOfNewProject(ctx, i.conn, i.facts.Namespace.Value)
	if err != nil {
		return err
	}
	return i.checkFacts()
}

// makeProject makes the project where it is missing, and waits until its
// maker has been given the rights in it.
func (i *install) makeProject(ctx context.Context) error {
	if i.project.exists {
		return nil
	}
	name := i.facts.Namespace.Value
	object, err := i.projectObject(ctx)
	if err != nil {
		return err
	}
	i.board.Set("project", ui.Busy, name)
	client, err := i.conn.Resource(ctx, object.GroupVersionKind(), "")
	if err != nil {
		return err
	}
	asked, inDoubt := cluster.InDoubt(ctx)
	_, err = client.Create(asked, object, metav1.CreateOptions{FieldManager: apply.Manager})
	// Another install may have created it since this one looked. Where no answer
	// came to an earlier try, it may also have been this one.
	if err != nil && !(apierrors.IsAlreadyExists(err) && i.isOurs(ctx, name)) {
		return i.projectRefused(name, err)
	}
	i.project = project{exists: true, ours: true}
	i.madeProject = err == nil || inDoubt()
	if err := i.awaitRights(ctx, name); err != nil {
		if i.madeProject {
			i.removeProject(ctx)
		}
		return err
	}
	if !i.madeProject {
		i.board.Set("project", ui.Done, "created by another run; continuing in it")
		return nil
	}
	i.board.Set("project", ui.Done, "created")
	return nil
}

// projectObject is what makes the project: a ProjectRequest on OpenShift, a
// Namespace elsewhere.
func (i *install) projectObject(ctx context.Context) (*unstructured.Unstructured, error) {
	served, err := i.conn.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	if served.ServesGroup("project.openshift.io") {
		return projectRequest(i.facts.Namespace.Value), nil
	}
	return namespaceObject(i.facts.Namespace.Value), nil
}

// isOurs reports whether a project is one that this tool made. Its maker may
// see it a moment later only: OpenShift binds the role after it has made it.
func (i *install) isOurs(ctx context.Context, name string) bool {
	const patience, pause = 5 * time.Second, 250 * time.Millisecond
	var now project
	_ = wait.PollUntilContextTimeout(ctx, pause, patience, true, func(ctx context.Context) (seen bool, err error) {
		now, err = lookAtProject(ctx, i.conn, name)
		return now.exists, err
	})
	return now.ours && !now.terminating
}

func (i *install) projectRefused(name string, err error) error {
	if !apierrors.IsAlreadyExists(err) {
		return i.conn.Translate(err)
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: "project " + name + " belongs to somebody else",
		Why:  "it exists, and you may not see it",
		Next: "oc ostoy-s3 install --new-project",
		Err:  err,
	}
}

func projectRequest(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion":  "project.openshift.io/v1",
		"kind":        "ProjectRequest",
		"metadata":    map[string]any{"name": name},
		"displayName": "OSToy with S3",
		"description": madeByUs(name),
	}}
}

func namespaceObject(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "Namespace",
		"metadata": map[string]any{
			"name":   name,
			"labels": map[string]any{render.TagManagedBy: render.ManagedBy},
		},
	}}
}

// awaitRights waits until the maker of a project may make Buckets in it:
// OpenShift binds the role after it has answered. Reviews cannot be watched.
func (i *install) awaitRights(ctx context.Context, name string) error {
	const patience, pause = 15 * time.Second, 250 * time.Millisecond
	var finding check.Finding
	err := wait.PollUntilContextTimeout(ctx, pause, patience, true, func(context.Context) (bool, error) {
		finding = check.MayMakeBuckets(ctx, i.conn, name)
		return finding.Status == check.Passed, nil
	})
	if err == nil || ctx.Err() != nil { // interrupted, or out of time: no answer
		return problem.While("your right to make Buckets in project "+name, ctx.Err())
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: fmt.Sprintf("you were not given the right to make Buckets in project %s", name),
		Why:  finding.Why,
		Next: finding.Next,
		More: "docs/checks/" + check.IDProjectRights + ".md",
	}
}

// removeProject takes back a project that was made a moment ago and holds
// nothing yet. A user who pressed Ctrl-C still wants it gone; one whose time is
// over does, too, but waits no longer for it than --timeout may be overrun.
func (i *install) removeProject(ctx context.Context) {
	const patience, overrun, pause = 10 * time.Second, 1500 * time.Millisecond, 250 * time.Millisecond
	end := i.Now().Add(patience)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(overrun).Before(end) {
		end = deadline.Add(overrun)
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
	defer cancel()
	name := i.facts.Namespace.Value
	client, err := projectClient(ctx, i.conn)
	if err == nil {
		// The rights in it may not have reached every API server yet.
		_ = wait.PollUntilContextCancel(ctx, pause, true, func(ctx context.Context) (bool, error) {
			err = client.Delete(ctx, name, metav1.DeleteOptions{})
			return !apierrors.IsForbidden(err), nil
		})
	}
	if apierrors.IsConflict(err) { // on its way out, where the answer to an earlier try was lost
		if now, lookErr := lookAtProject(ctx, i.conn, name); lookErr == nil && now.terminating {
			err = nil
		}
	}
	i.project, i.madeProject = project{}, false
	if err != nil && !apierrors.IsNotFound(err) {
		i.leftBehind = append(i.leftBehind, name)
		i.UI.Warn(inLine(fmt.Sprintf("project %s was created and could not be deleted: %v", name, err)), advice.Command("oc delete namespace", name))
		return
	}
	i.UI.Marked(ui.Removed, "project %s, made a moment ago, removed again", name)
}
