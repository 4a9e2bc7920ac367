package project

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// ErrAbsent is the cause of the error for a project that does not exist.
var ErrAbsent = errors.New("the project does not exist")

// NewProject is the command that installs in a project that does not exist.
func NewProject(name string) string {
	return advice.Command("oc ostoy-s3 install", "--new-project="+name)
}

// Absent is the error for a project that was named and that was not found, nil if it exists
// after all. next are the lines of advice after the projects with a similar name.
//
// A name that no project has is wrong input. If the API server does not show whether the
// project exists, that is a failure of another kind, unless the server lists your projects
// and it is not among them: OpenShift refuses to show a project that does not exist in the
// same words as one that you have no access to.
func Absent(ctx context.Context, conn *cluster.Conn, named render.Fact, state State, next ...string) error {
	name := named.Value
	names, listed := visible(ctx, conn)
	why := ""
	if current, _ := conn.Namespace(); current == name {
		named.Source = cmp.Or(named.Source, conn.NamespaceSource())
	}
	if named.Source != "" {
		why = named.Source + " names it"
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case slices.Contains(names, name):
		return nil
	case state.Unseen && !listed:
		return problem.Fail("you are not allowed to read project "+name,
			"the API server does not show whether it exists",
			"ask an admin of the project for the view role, or choose another project with -n")
	}
	what := "project " + name + " does not exist"
	if state.Unseen {
		what += ", or you have no access to it"
		why = strings.TrimPrefix(why+"; it is not among the projects that you may see", "; ")
		next = append(next, advice.Command("oc projects")+" lists the projects that you may see")
	}
	if similar := phrase.Similar(name, names); len(similar) > 0 {
		next = append([]string{"did you mean " + phrase.Either(similar) + "?"}, next...)
	}
	return problem.Input(what, why, strings.Join(next, "\n")).Because(ErrAbsent)
}

// WarnOfAbsent says that a project was not found, of a command that goes on without it: so
// is what it shows. The name may be mistyped.
func WarnOfAbsent(ctx context.Context, to *ui.UI, conn *cluster.Conn, named render.Fact, state State, so string) {
	var absent *problem.Error
	if errors.As(Absent(ctx, conn, named, state, toCreate(named.Value)), &absent) {
		to.Warn(absent.What+": "+so, absent.Next)
	}
}

// Pending is the project with a pending issuer, if it does not exist and the issuer is only
// known once it does: see render.PendingIssuer.
func (p Project) Pending() Project {
	if p.Found.IssuerNeedsProject && p.State.Missing() {
		p.Found = Pending(p.Found)
		p.Facts = p.Found.Facts
	}
	return p
}

// Pending are facts with a pending issuer.
func Pending(found detect.Result) detect.Result {
	known := "known once project " + found.Facts.Namespace.Value + " exists"
	found.Notes = append(slices.Clone(found.Notes), "the issuer, and with it the end of the role's name, is "+known+": "+found.Facts.Issuer.Why)
	found.Facts.Issuer = render.Fact{Value: render.PendingIssuer, Source: known}
	found.IssuerNeedsProject = false
	return found
}

// visible are the projects that you may see: on OpenShift the list of your projects,
// elsewhere all namespaces, if you may list them.
func visible(ctx context.Context, conn *cluster.Conn) (names []string, listed bool) {
	client, err := Client(ctx, conn)
	if err != nil {
		return nil, false
	}
	all, err := cluster.ListAll(ctx, client, metav1.ListOptions{})
	if err != nil {
		return nil, false
	}
	for _, one := range all {
		if advice.Project(one.GetName()).Legal() && one.GetDeletionTimestamp() == nil {
			names = append(names, one.GetName())
		}
	}
	return names, true
}

// Explain is an error that the API server gave for something in a project, or that there is
// no such project, if that is the reason.
func Explain(ctx context.Context, conn *cluster.Conn, named render.Fact, err error) error {
	if !apierrors.IsNotFound(err) && !apierrors.IsForbidden(err) {
		return err
	}
	if absent := MustExist(ctx, conn, named); errors.Is(absent, ErrAbsent) {
		return absent
	}
	return err
}

// MustExist looks whether a project exists: the error is Absent's, or the API server's.
func MustExist(ctx context.Context, conn *cluster.Conn, named render.Fact) error {
	state, err := LookAt(ctx, conn, named.Value)
	if err != nil || state.Exists {
		return err
	}
	return Absent(ctx, conn, named, state, toCreate(named.Value))
}
