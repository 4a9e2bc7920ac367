package install

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// look finds out what there is, and makes the project early if the issuer can be learned
// only in it.
func (i *run) look(ctx context.Context) (project.Project, error) {
	wanted := project.Wanted{Facts: i.request.Facts, NewName: i.request.ProjectName, MustExist: i.request.ProjectName == ""}
	if wanted.NewName == AnyProject {
		name, err := project.RandomName()
		if err != nil {
			return project.Project{}, err
		}
		wanted.NewName = name
	}
	p, err := project.Look(ctx, i.Session, wanted)
	if err != nil {
		return p, err
	}
	if err := p.State.MayInstall(p.Name(), i.request.ProjectName != ""); err != nil {
		return p, err
	}
	if err := i.checkFacts(p); err != nil {
		return p, err
	}
	if i.request.ProjectName == AnyProject && !p.State.Exists {
		if p, i.free, err = freeName(ctx, p); err != nil {
			return p, err
		}
	}
	if c := i.request.Controller; c != nil {
		if err := c.MayPlan(ctx, p); err != nil {
			return p, err
		}
	}
	return i.learnIssuer(ctx, p)
}

// checkFacts ends the run if a fact is missing or cannot be, or if the role cannot be as
// asked. The issuer alone may still be to come.
func (i *run) checkFacts(p project.Project) error {
	if p.Found.IssuerNeedsProject {
		return p.Facts.Validate()
	}
	return plan.Possible(p, i.request.Role)
}

// freeName chooses the name of a new project again as long as S3 has a bucket for it.
// Only S3 is asked. It also gives what S3 said, so that nobody asks again.
func freeName(ctx context.Context, p project.Project) (project.Project, *bucket.State, error) {
	const tries = 5
	buckets := bucket.New(p.Found.AWS.In(p.Facts.Region))
	for range tries {
		state, err := buckets.Look(ctx, p.Facts)
		switch {
		case err != nil: // one of the findings of the checks, which ask, too
			return p, nil, nil
		case !state.Exists():
			return p, &state, nil
		}
		if p.Facts.Namespace.Value, err = project.RandomName(); err != nil {
			return p, nil, err
		}
	}
	return p, nil, nil
}

// learnIssuer makes the project early if the issuer can be learned only from a token, and
// a token only asked for in a project of one's own. A later refusal removes it again.
func (i *run) learnIssuer(ctx context.Context, p project.Project) (project.Project, error) {
	if !p.Found.IssuerNeedsProject {
		return p, nil
	}
	if i.request.onlyLooks() {
		p = p.Pending()
	}
	if i.request.onlyLooks() || p.State.Exists {
		p.Found.IssuerNeedsProject = false
		return p, i.checkFacts(p)
	}
	p.Found.IssuerNeedsProject = false
	early := check.Pre(check.Target{Facts: p.Facts, Conn: p.Conn, Namespace: check.NamespaceMissing})
	if err := plan.Refusal(check.Run(ctx, check.Only(early, check.IDBucketCRD, check.IDProjectRights), nil)); err != nil {
		return p, err
	}
	if err := makeProject(ctx, i, p); err != nil {
		return p, err
	}
	p.State = project.State{Exists: true, Ours: true}
	var err error
	if p.Facts.Issuer, err = detect.IssuerOfNewProject(ctx, p.Conn, p.Name()); err != nil {
		return p, err
	}
	return p, i.checkFacts(p)
}

// planBesideOthers plans. If the bucket exists and there was no inventory, another install
// of the same project may have begun since this one looked: then it looks again, and plans
// with what the other install has created so far.
func (i *run) planBesideOthers(ctx context.Context, found project.Project, wanted plan.Request) (plan.Plan, error) {
	p, err := planOnce(ctx, found, wanted)
	if !p.BucketExists() || found.Inventory.Found || i.request.ProjectName == AnyProject || ctx.Err() != nil {
		return p, err
	}
	now, begun := otherHasBegun(ctx, found)
	if !begun {
		return p, err
	}
	if err := now.State.MayInstall(now.Name(), i.request.ProjectName != ""); err != nil {
		return p, err
	}
	return planOnce(ctx, now, wanted)
}

func planOnce(ctx context.Context, found project.Project, wanted plan.Request) (plan.Plan, error) {
	desired, err := plan.Prepare(ctx, found, wanted)
	if err != nil {
		return plan.Plan{}, err
	}
	return desired.Plan(ctx)
}

// otherHasBegun reads project and inventory again, and reports whether there is an
// inventory now. If they cannot be read, nothing has changed.
func otherHasBegun(ctx context.Context, p project.Project) (project.Project, bool) {
	state, err := project.LookAt(ctx, p.Conn, p.Name())
	if err != nil || !state.Exists {
		return p, false
	}
	inventory, err := project.ReadInventory(ctx, p.Conn, p.Name())
	if err != nil || !inventory.Found || inventory.Foreign {
		return p, false
	}
	p.State, p.Inventory = state, inventory
	return p, true
}

// makeProject makes the project, and waits until its maker has the permissions in it.
func makeProject(ctx context.Context, i *run, p project.Project) error {
	name := p.Name()
	i.board.Set("project", ui.Busy, name)
	created, unknown, err := project.Create(ctx, p.Conn, name)
	if err != nil {
		if unknown {
			i.done.Unsure = append(i.done.Unsure, "project "+name)
		}
		return err
	}
	if created {
		i.done.Project, i.conn = name, p.Conn
	}
	if err := awaitRights(ctx, p.Conn, name); err != nil {
		removeProject(ctx, i)
		return err
	}
	text := "created"
	if !created {
		text = "created by another run; continuing in it"
	}
	i.board.Set("project", ui.Done, text)
	return nil
}

// awaitRights waits until the maker of a project may make Buckets in it: OpenShift binds
// the role after it has answered. Reviews cannot be watched.
func awaitRights(ctx context.Context, conn *cluster.Conn, name string) error {
	const patience, pause = 15 * time.Second, 250 * time.Millisecond
	var finding check.Finding
	err := wait.PollUntilContextTimeout(ctx, pause, patience, true, func(context.Context) (bool, error) {
		finding = check.MayMakeBuckets(ctx, conn, name)
		return finding.Status == check.Passed, nil
	})
	if err == nil || ctx.Err() != nil { // interrupted, or out of time: no answer
		return problem.While("your right to make Buckets in project "+name, ctx.Err())
	}
	return problem.Refuse(fmt.Sprintf("you were not given the right to make Buckets in project %s", name),
		finding.Why,
		finding.Next).See("docs/checks/" + check.IDProjectRights + ".md")
}

// removeProject takes back a project that this run made a moment ago and that holds
// nothing yet. A user who pressed Ctrl-C still wants it gone; one whose time is over does,
// too, but waits no longer for it than --timeout may be overrun.
func removeProject(ctx context.Context, i *run) {
	name := i.done.Project
	if name == "" {
		return
	}
	const patience, overrun = 10 * time.Second, 1500 * time.Millisecond
	end := i.Now().Add(patience)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(overrun).Before(end) {
		end = deadline.Add(overrun)
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
	defer cancel()
	err := project.Delete(ctx, i.conn, name)
	i.done.Project = ""
	if err != nil {
		i.done.LeftBehind = append(i.done.LeftBehind, name)
		i.UI.Warn(plain.InLine(fmt.Sprintf("project %s was created and could not be deleted: %v", name, err)), advice.Command("oc delete namespace", name))
		return
	}
	i.UI.Marked(ui.Removed, "project %s, made a moment ago, removed again", name)
}

// use makes a namespace the current one of the kubeconfig, as `oc project` does, if the
// user asked for it: once all checks have passed, so that a project that is taken back is
// never the current one.
func use(i *run, p project.Project) error {
	if !i.request.Use {
		return nil
	}
	namespace, name := p.Name(), p.Conn.Context()
	access := i.Getter.ToRawKubeConfigLoader().ConfigAccess()
	config, err := access.GetStartingConfig()
	if err == nil {
		current := config.Contexts[name]
		if current == nil {
			err = fmt.Errorf("there is no context %q", name)
		} else {
			current.Namespace = namespace
			err = clientcmd.ModifyConfig(access, *config, false)
		}
	}
	if err != nil {
		return problem.Fail("cannot switch the kubeconfig to project "+namespace,
			err.Error(),
			advice.Command("oc project", namespace)+", then "+advice.Command("oc ostoy-s3 install", "-n", namespace)).Because(err)
	}
	i.UI.Linef("kubeconfig context %s now uses project %s", name, namespace)
	return nil
}
