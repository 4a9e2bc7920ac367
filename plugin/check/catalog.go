package check

import (
	"cmp"
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Sources says what asking for the facts came to: nil where it went well.
type Sources struct {
	Cluster error // the API server did not answer, or there is none to ask
	AWS     error // no credentials, or STS refused them
	Issuer  error // the cluster's tokens are of no use to AWS
}

// All are all checks: those before an install, and those of what it made. A nil
// World gives the list of them, not to be run.
func All(w *live.World, sources Sources, t Target) []Check {
	t.World = nil // the checks of the controller look closer
	t.Rules.World = w
	pre := Pre(t)
	for i := range pre {
		pre[i].Needs = append(slices.Clone(pre[i].Needs), IDServer, IDIssuer)
		if !slices.Contains([]string{IDBucketCRD, IDClusterRights, IDProjectRights}, pre[i].ID) {
			pre[i].Needs = append(pre[i].Needs, IDCredentials)
		}
		if pre[i].ID == IDObjects { // what these tell, planning would only refuse
			pre[i].Needs = append(pre[i].Needs, IDEngines)
			pre[i].Beside = []string{IDBucketObject}
			pre[i].Unless = bucketLook{w}.plannable()
		}
	}
	all := slices.Concat(
		sourceChecks(sources, t),
		pre,
		clusterChecks(w, t),
		awsChecks(w),
		controllerChecks(w),
		identityChecks(w),
		bucketChecks(w),
		appChecks(w, t.Objects),
		ownershipChecks(w),
	)
	for i, c := range all {
		// In another account everything looks wrong, for one reason.
		if slices.Contains(c.Needs, IDCredentials) && c.Group != AWS && c.Group != Cluster {
			all[i].Needs = append(slices.Clone(c.Needs), IDAccount)
		}
	}
	slices.SortStableFunc(all, func(a, b Check) int {
		return slices.Index(Groups(), a.Group) - slices.Index(Groups(), b.Group)
	})
	return all
}

// IDs of the checks that nearly all others need.
const (
	IDServer      = "api-server"
	IDCredentials = "aws-credentials"
	IDIssuer      = "cluster-issuer"
	IDInstalled   = "installed"
)

// sourceChecks tell what had to be found out before anything else could be.
func sourceChecks(s Sources, t Target) []Check {
	return []Check{
		{ID: IDServer, Group: Cluster, Severity: Error, Title: "the API server answers", Run: found(s.Cluster)},
		{ID: IDIssuer, Group: Cluster, Severity: Error, Needs: []string{IDServer}, Title: "the cluster's tokens are of use to AWS", Run: issuer(s, t)},
		{ID: IDCredentials, Group: AWS, Severity: Error, Title: "AWS takes your credentials", Run: found(s.AWS)},
	}
}

// issuer says whether AWS can verify the tokens. Before there is a project nothing else may
// show it: what does not depend on it is still looked at.
func issuer(s Sources, t Target) func(context.Context) Finding {
	if s.Issuer == nil && t.Facts.IssuerPending() {
		return func(context.Context) Finding {
			return Warn("the issuer of the cluster is "+t.Facts.Issuer.Source,
				"you cannot read the cluster's configuration, and a token can only be requested in a project that exists",
				advice.Command("oc ostoy-s3 install", "--new-project="+t.Facts.Namespace.Value)+" creates the project and looks at the issuer before anything else is created")
		}
	}
	return found(s.Issuer)
}

// inGroup are checks of one group.
func inGroup(group Group, checks []Check) []Check {
	for i := range checks {
		checks[i].Group = group
	}
	return checks
}

// Before are those of the checks that come before an install.
func Before(all []Check) []Check {
	before := []string{IDServer, IDIssuer, IDCredentials, IDController, IDControllerRole}
	for _, c := range Pre(Target{Namespace: NamespaceEither}) {
		before = append(before, c.ID)
	}
	return Only(all, before...)
}

// WithNeeds are the checks with these ids, all that they need, and all that tell what
// they leave out.
func WithNeeds(all []Check, chosen []string) []Check {
	wanted := slices.Clone(chosen)
	for n := 0; n < len(wanted); n++ {
		for _, c := range Only(all, wanted[n]) {
			wanted = distinct(slices.Concat(wanted, c.Needs, c.Beside))
		}
	}
	return Only(all, wanted...)
}

// IDs of the checks before an install.
const (
	IDBucketCRD     = "ack-crd"
	IDClusterRights = "cluster-rights"
	IDProjectRights = "project-rights"
	IDBucket        = "bucket-name-taken"
	IDProvider      = "oidc-provider"
	IDRole          = "role-foreign"
	IDObjects       = "object-foreign"
	IDAdmission     = "admission"
	IDLimits        = "limits"
	IDNodes         = "node-architecture"
	IDQuota         = "quota"
	IDStorageClass  = "storage-class"
)

// Target is what is about to be installed, and how to look at what is there.
// The funcs are the adapters' own questions; their errors have three parts.
type Target struct {
	Facts     render.Facts
	Conn      *cluster.Conn
	Objects   []*unstructured.Unstructured
	Namespace Namespace

	Bucket   func(context.Context) Finding // may the bucket be made or adopted
	Provider func(context.Context) Finding // does IAM know the issuer
	Role     func(context.Context) Finding // may the role be made or changed
	Plan     func(context.Context) error   // may the objects be made or changed
	Rules    Rules                         // of the cluster and the project

	// GivenRole, where it is not nil, takes the place of Role. It needs World.
	GivenRole *GivenRole
	// World, where it is given, is asked for a controller. The checks of what is
	// installed look at it more closely, so that theirs leave it out.
	World  *live.World
	Coming Prospect
}

// Prospect is what the checks need to know of the install that is about to happen.
type Prospect struct {
	// First says that nothing is installed yet: the controller's role is looked at
	// before the app's is made, and not again.
	First bool
	// ControllerComes says that one is installed before the objects are made.
	ControllerComes bool
}

// Namespace is the state of the project an install goes to.
type Namespace int

// The states.
const (
	NamespaceExists  Namespace = iota
	NamespaceMissing           // not there, or not to be seen by this user
	NamespaceEither            // for the list of checks, not to be run
)

// Pre are the checks that must pass before anything is touched.
func Pre(t Target) []Check {
	checks := []Check{
		{ID: IDBucketCRD, Group: Controller, Severity: Error, Title: "the cluster knows ACK's Bucket", Run: t.bucketCRD},
		{ID: IDBucket, Group: Bucket, Severity: Error, Title: "the bucket name is free or ours", Run: t.Bucket},
		{ID: IDProvider, Group: Identity, Severity: Error, Title: "IAM knows the cluster's issuer", Run: t.Provider},
	}
	if t.GivenRole != nil {
		checks = append(checks, t.givenRole()...)
	} else {
		checks = append(checks, Check{ID: IDRole, Group: Identity, Severity: Error, Title: "the role is free or ours", Run: t.Role})
	}
	add := func(c Check) { checks = append(checks, c) }
	if t.World != nil && !t.Coming.ControllerComes {
		add(Check{ID: IDController, Group: Controller, Severity: Warning, Needs: []string{IDBucketCRD}, Title: "an ACK S3 controller is installed", Run: t.controller})
		if t.Coming.First {
			judge := func(ctx context.Context) Finding { return judgeControllerRole(ctx, t.World) }
			add(Check{ID: IDControllerRole, Group: Controller, Severity: Error, Needs: []string{IDController}, Title: controllerRoleTitle, Run: judge})
		}
	}
	if t.Namespace != NamespaceExists {
		add(Check{ID: IDProjectRights, Group: Cluster, Severity: Error, Title: "you may make the project and Buckets in it", Run: t.projectRights})
	}
	if t.Namespace != NamespaceMissing {
		plan := func(ctx context.Context) Finding { return Fail(t.Plan(ctx)) }
		add(Check{ID: IDClusterRights, Group: Cluster, Severity: Error, Needs: []string{IDBucketCRD}, Title: "you may make every object", Run: t.clusterRights})
		add(Check{ID: IDObjects, Group: Ownership, Severity: Error, Needs: []string{IDBucketCRD}, Title: "the objects are free or ours", Run: plan})
	}
	return append(checks, t.ruleChecks()...)
}

// found is a check of something that is known already.
func found(err error) func(context.Context) Finding {
	return func(context.Context) Finding { return Fail(err) }
}

func (t Target) bucketCRD(ctx context.Context) Finding {
	served, err := t.Conn.Discovery(ctx)
	if err != nil {
		return Fail(err)
	}
	if t.Coming.ControllerComes || served.Has(kinds.Bucket) {
		return Pass()
	}
	what := "the cluster does not know Buckets (" + BucketAPI + ")"
	if proven := provenOf(ctx, cmp.Or(t.World, t.Rules.World)); len(proven) > 0 {
		return Refuse(what, namesOf(proven)+" is installed, and its CustomResourceDefinition is not: somebody deleted it, and every Bucket with it",
			"whoever installed the controller removes it and installs it again: OLM and Helm restore no CustomResourceDefinition that is deleted")
	}
	return Refuse(what, "the ACK S3 controller, which turns them into S3 buckets, is not installed",
		advice.ControllerFor(t.Facts.Namespace.Value))
}

// provenOf are the controllers that are known to be some; none where nobody is asked.
func provenOf(ctx context.Context, w *live.World) []ack.Controller {
	if w == nil {
		return nil
	}
	all, err := w.Controllers(ctx)
	if err != nil {
		return nil
	}
	return all.Proven
}

// controller looks for one, where this user may look. That there is none to be
// seen is no refusal: one may run outside of the cluster.
func (t Target) controller(ctx context.Context) Finding {
	all, err := t.World.Controllers(ctx)
	switch {
	case apierrors.IsForbidden(err):
		return Leave(findsController)
	case err != nil:
		return Fail(t.Conn.Translate(err))
	case len(all.Proven) > 0:
		return Pass()
	case len(all.Unverified) > 0:
		return Unseen(access.Reviewing, "whether "+namesOf(all.Unverified)+" is an ACK S3 controller: whether one runs is not verified")
	}
	finding := noController(ctx, t.World, all.Unproven)
	if finding.Status == Failed {
		finding.Status, finding.Why = Warned, finding.Why+"; without one the Bucket gets no status, and there is no bucket"
	}
	return finding
}
