package plugin

import (
	"context"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// UninstallRequest is what is to go, and what leave was given.
type UninstallRequest struct {
	Facts FactsRequest

	DeleteData      bool // the objects in the bucket, and the volume
	KeepBucket      bool
	KeepRole        bool
	RoleOnly        bool // nothing in the cluster is touched
	DeleteNamespace bool
	ForceOwner      bool  // also what Argo CD, Flux or Helm bring
	Adopt           Adopt // a role with policies of others on it; a bucket that no role names

	Yes     bool
	DryRun  bool
	Timeout time.Duration // of everything together
	Output  Format        // FormatJSON, or empty for talk

	// Ask asks whoever is at the terminal and gives the line that was typed. Nil:
	// nobody is there.
	Ask func(ctx context.Context, question string) (string, error)
}

// buckets is what S3 is asked and told.
type bucketClient interface {
	Look(context.Context, render.Facts) (bucket.State, error)
	Count(context.Context, bucket.Target) (bucket.Contents, error)
	Created(context.Context, bucket.Target) (time.Time, error)
	Empty(ctx context.Context, t bucket.Target, onlyOurs bool, progress func(deleted int64)) error
	Remove(context.Context, bucket.Target) error
}

// roleRemover is what IAM is asked and told.
type roleRemover interface {
	iam.Remover
	iam.Finder
}

// uninstall is one run. Its fields are filled phase by phase: learn, look,
// decide, execute.
type uninstall struct {
	*App
	request UninstallRequest
	started time.Time

	// learned
	conn    *cluster.Conn // nil with RoleOnly where there is no cluster to ask
	applier *apply.Applier
	project project
	removal *apply.Removal
	found   detect.Result
	facts   render.Facts

	// looked at
	buckets  bucketClient
	bucket   bucket.State
	contents *bucket.Contents // nil: not looked at, or not to be seen
	roles    roleRemover
	role     *iam.Removal
	hidden   string   // name of a role that AWS refuses to show, where none was found
	missing  []string // names of roles that do not exist
	named    []*line  // roles that only the project names, and that are not managed by ostoy-s3
	proof    iam.Proof
	unread   []string // names of roles that were to prove something and may not be read
	doubts   []string // what the user has to say yes to

	// decided, and what became of it
	lines   []*line
	board   *ui.Board
	emptied int64 // versions and delete markers in the bucket
}

// Uninstall removes what install made, in the safe order: the workload, then,
// when its pods are gone, the bucket, then the role, which shows that the bucket is this
// project's, and the inventory last, so that a run that was cut off can be continued by
// another. What is not ours, and data that nobody gave up, stays.
func (a *App) Uninstall(ctx context.Context, request UninstallRequest) error {
	u := &uninstall{App: a, request: request, started: a.Now(), board: a.UI.Board("workload")}
	return u.run(ctx)
}

func (u *uninstall) run(ctx context.Context) error {
	if err := u.mayDeleteData(); err != nil {
		return err
	}
	timeout := u.request.Timeout
	if err := session.InTime(ctx, timeout, timeout, u.doneSoFar, u.prepare); err != nil {
		return err
	}
	u.announce()
	if u.request.DryRun || !u.somethingToDo() {
		return u.conclude()
	}
	// The time that a person takes to answer is not the run's.
	left := timeout - u.Now().Sub(u.started)
	if err := u.confirm(ctx); err != nil {
		return session.CutOff(ctx, err, timeout, u.doneSoFar)
	}
	if err := session.InTime(ctx, left, timeout, u.doneSoFar, u.execute); err != nil {
		return err
	}
	return u.conclude()
}

// prepare finds out what there is and decides what is to become of it. It
// touches nothing.
func (u *uninstall) prepare(ctx context.Context) error {
	for _, phase := range []func(context.Context) error{u.learn, u.look, u.decide} {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	return nil
}
