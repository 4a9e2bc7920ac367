package plugin

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	waiting "k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
)

// decideProject lets a project go only if this tool made it, the user said so,
// and there is nothing in it that is not ours.
func (u *uninstall) decideProject(ctx context.Context) error {
	if !u.project.exists || !u.project.ours && !u.request.DeleteNamespace {
		return nil
	}
	if u.project.terminating {
		if u.project.ours && u.request.DeleteNamespace { // a run that was cut off may have come this far
			u.add(&line{Object: "project " + u.namespace(), about: theProject, fate: fateRemoved})
		}
		return nil
	}
	l := u.add(&line{Object: "project " + u.namespace(), about: theProject, fate: fateRemoved})
	byHand := u.deleteProjectCommand()
	switch {
	case !u.project.ours:
		l.keep("this tool did not make it", byHand)
		return nil
	case !u.request.DeleteNamespace:
		l.keep("made by this tool", u.again("--delete-namespace"))
		return nil
	}
	for _, volume := range u.of(aVolume) {
		if volume.fate == fateKept {
			l.keep("it holds "+volume.Object+", which is data", u.again("--delete-data", "--delete-namespace"))
			return nil
		}
	}
	others, err := u.others(ctx)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		l.keep("others have something in it: "+few(others), byHand)
	}
	return nil
}

// others names what is in the project besides our objects and what every project
// is given.
func (u *uninstall) others(ctx context.Context) ([]string, error) {
	return live.Others(ctx, u.conn, u.namespace(), func(*unstructured.Unstructured) bool { return false })
}

// few names some of many.
func few(names []string) string {
	const enough = 5
	if len(names) > enough {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:enough], ", "), len(names)-enough)
	}
	return strings.Join(names, ", ")
}

// executeProject looks once more whether the project is ours alone, deletes it
// unless that has begun already, and waits until it is gone.
func (u *uninstall) executeProject(ctx context.Context) error {
	l := u.one(theProject)
	if l == nil || l.fate != fateRemoved {
		return nil
	}
	u.board.Set("project", ui.Busy, "deleting "+u.namespace())
	if !u.project.terminating {
		if err := u.deleteProject(ctx, l); err != nil || l.fate != fateRemoved {
			return err
		}
	}
	if err := u.projectGone(ctx); err != nil {
		return err
	}
	l.done = true
	u.board.Set("project", ui.Done, "removed")
	return nil
}

// deleteProject has the project deleted, or says why it stays.
func (u *uninstall) deleteProject(ctx context.Context, l *line) error {
	others, err := u.others(ctx)
	if err != nil {
		return u.stopped(ctx, err)
	}
	if len(others) > 0 {
		u.board.Set("project", ui.Kept, "others have something in it")
		l.keep("others have something in it: "+few(others), u.deleteProjectCommand())
		return nil
	}
	client, err := projectClient(ctx, u.conn)
	if err != nil {
		return err
	}
	err = client.Delete(ctx, u.namespace(), metav1.DeleteOptions{})
	if err != nil && !u.projectGoes(ctx) {
		return u.couldNot(ctx, l, u.conn.Translate(err))
	}
	return nil
}

// projectClient is for Projects on OpenShift, where their admins may delete
// them, and for Namespaces elsewhere.
func projectClient(ctx context.Context, conn *cluster.Conn) (dynamic.ResourceInterface, error) {
	served, err := conn.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	gvk := schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}
	if served.ServesGroup("project.openshift.io") {
		gvk = schema.GroupVersionKind{Group: "project.openshift.io", Version: "v1", Kind: "Project"}
	}
	return conn.Resource(ctx, gvk, "")
}

// projectGoes reports whether the project is gone or about to be, whatever the
// answer to its deletion was: the answer to an earlier try may have been lost,
// and what is being deleted already may not be deleted once more (409, or 403
// to a user whose rights in it are gone).
func (u *uninstall) projectGoes(ctx context.Context) bool {
	now, err := lookAtProject(ctx, u.conn, u.namespace())
	return err == nil && (now.terminating || !now.exists)
}

// projectGone asks again and again: who is admin of one project may not watch
// projects. That one may not see it any more means that it is gone.
func (u *uninstall) projectGone(ctx context.Context) error {
	const pause = 500 * time.Millisecond
	err := waiting.PollUntilContextCancel(ctx, pause, true, func(ctx context.Context) (bool, error) {
		now, err := lookAtProject(ctx, u.conn, u.namespace())
		switch {
		case apierrors.IsUnauthorized(err): // it does not pass: the login is over
			return false, err
		case err != nil: // it passes, or the time does
			return false, nil
		}
		return !now.exists, nil
	})
	return problem.While("project "+u.namespace()+" to be gone", err)
}
