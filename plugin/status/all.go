package status

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/presence"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	// ofTheApp is the chart's label on everything it makes.
	ofTheApp = "app.kubernetes.io/part-of=ostoy"
	// ofInstall is install's own on the inventory.
	ofInstall = render.TagManagedBy + "=" + render.ManagedBy
)

// listedKind is a kind that the table of all installs is made of.
type listedKind struct {
	kind string
	live.Wanted
}

// listedKinds are what is listed: what package presence looks at, and pods.
func listedKinds() []listedKind {
	return []listedKind{
		{"", live.Wanted{Resource: kinds.ConfigMap.GVR(), Selector: ofInstall, Marks: true}},
		{"Bucket", live.Wanted{Resource: kinds.Bucket.GVR(), Selector: ofTheApp, Marks: true}},
		{"Deployment", live.Wanted{Resource: kinds.Deployment.GVR(), Selector: ofTheApp}},
		{"Service", live.Wanted{Resource: kinds.Service.GVR(), Selector: ofTheApp}},
		{"PersistentVolumeClaim", live.Wanted{Resource: kinds.PersistentVolumeClaim.GVR(), Selector: ofTheApp}},
		{"ServiceAccount", live.Wanted{Resource: kinds.ServiceAccount.GVR(), Selector: ofTheApp}},
		{"Route", live.Wanted{Resource: kinds.Route.GVR(), Selector: ofTheApp}},
		{"Ingress", live.Wanted{Resource: kinds.Ingress.GVR(), Selector: ofTheApp}},
		{"", live.Wanted{Resource: kinds.Pod.GVR(), Selector: appPods + "," + ofTheApp}},
	}
}

// all looks at every install of the cluster and prints them as a table: a request
// for each kind, whatever their number.
func all(ctx context.Context, s *session.Session, r Request) error {
	values, err := s.ReadValues(ctx, r.Chart)
	if err != nil {
		return err
	}
	o, err := lookAtAll(ctx, s, r)
	if err != nil {
		return err
	}
	found, err := o.projects(ctx, s, r, values)
	if err != nil {
		return err
	}
	seen, rest := installs(o, found)
	roles := listRoles(ctx, o.from)
	left := kept(ctx, o, rest, roles)
	o.lookAtRoles(ctx, seen, roles, r.detailed())
	rows := make([]Row, len(seen))
	for i := range seen {
		rows[i] = RowOf(seen[i])
	}
	if r.detailed() {
		o.count(ctx, seen, rows)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return printAll(s, r.Output, table{rows, left, len(o.lists.Unreadable), o.notes(rows, roles.err, r.detailed())})
}

// overview is what is asked once for all installs.
type overview struct {
	facts render.Facts // that they have in common
	lists live.Everywhere
	from  sources
}

// lookAtAll finds the facts and lists what is in the cluster, at the same time.
func lookAtAll(outer context.Context, s *session.Session, r Request) (o overview, err error) {
	given, err := s.Given(outer, r.Facts)
	if err != nil {
		return o, err
	}
	conn, err := s.Connect(outer)
	if err != nil {
		return o, err
	}
	current, _ := conn.Namespace()
	var p project.Project
	group, ctx := errgroup.WithContext(outer)
	group.Go(func() (err error) {
		p, err = inCommon(ctx, conn, r.Facts.Profile, given, current)
		return err
	})
	group.Go(func() (err error) {
		var wanted []live.Wanted
		for _, k := range listedKinds() {
			wanted = append(wanted, k.Wanted)
		}
		o.lists, err = live.Search(ctx, &live.World{Conn: conn}, wanted, current)
		return notEverywhere(conn, err)
	})
	if err := group.Wait(); err != nil {
		return o, err
	}
	if unseen := o.lists.Unseen; unseen[kinds.ConfigMap.GVR()] != nil && unseen[kinds.Bucket.GVR()] != nil {
		return o, conn.Translate(unseen[kinds.ConfigMap.GVR()])
	}
	o.facts = withIssuer(outer, p, o.namespaces())
	o.from = sourcesOf(p, o.facts)
	return o, outer.Err()
}

// inCommon finds what all installs have in common. What is not to be found is unknown in
// the table.
func inCommon(ctx context.Context, conn *cluster.Conn, profile string, given render.Facts, current string) (project.Project, error) {
	found, err := detect.Detect(ctx, detect.Request{
		Given:           given,
		Connect:         func() (*cluster.Conn, error) { return conn, nil },
		AWS:             detect.AWSOptions{Profile: profile, Region: given.Region.Value},
		TokenNamespaces: []string{current},
		Policy:          detect.AskNeeded,
	})
	p := project.Project{Conn: conn, Failures: project.Failures{AWS: found.AWSFailure, Issuer: err}}
	switch {
	case found.ClusterFailure != nil:
		return p, found.ClusterFailure
	case found.Conn == nil && err != nil:
		return p, err // what was given, not what was found
	case p.Failures.AWS == nil:
		p.Failures.AWS = project.Identify(ctx, &found, profile)
	}
	p.Found, p.Facts = found, found.Facts
	return p, nil
}

// withIssuer are the facts with the issuer of a token in a project with an install, where
// the user may ask for a token in none of those that detection tried.
func withIssuer(ctx context.Context, p project.Project, installs []string) render.Facts {
	facts := p.Facts
	if facts.Issuer.Known() || len(installs) == 0 {
		return facts
	}
	issuer, err := detect.IssuerFromToken(ctx, p.Conn, installs[0])
	if err != nil {
		return facts
	}
	facts.Issuer = issuer
	return facts.Complete()
}

// notEverywhere explains that not even the projects of the user are known.
func notEverywhere(conn *cluster.Conn, err error) error {
	switch {
	case err == nil:
		return nil
	case !apierrors.IsForbidden(err):
		return conn.Translate(err)
	}
	return problem.Fail("you may not look for installs in the whole cluster",
		"you may list neither the inventories of all projects, nor your projects, nor what is in the current one",
		"oc ostoy-s3 status -n PROJECT, for a project of yours").Because(err)
}

// namespaces are those in which something of the app was listed, sorted.
func (o overview) namespaces() []string {
	var names []string
	for _, inventory := range o.lists.Objects[kinds.ConfigMap.GVR()] {
		if inventory.GetName() == apply.InventoryName {
			names = append(names, inventory.GetNamespace())
		}
	}
	for _, objects := range o.lists.Objects {
		for _, object := range objects {
			if presence.Concerns(object) {
				names = append(names, object.GetNamespace())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// of are the listed objects of one namespace.
func (o overview) of(resource schema.GroupVersionResource, namespace string) []*unstructured.Unstructured {
	var mine []*unstructured.Unstructured
	for _, object := range o.lists.Objects[resource] {
		if object.GetNamespace() == namespace {
			mine = append(mine, object)
		}
	}
	return mine
}

// named is the listed object of that name in a namespace, nil without one.
func (o overview) named(resource schema.GroupVersionResource, namespace, name string) *unstructured.Unstructured {
	for _, object := range o.of(resource, namespace) {
		if object.GetName() == name {
			return object
		}
	}
	return nil
}

// unseen is why a resource of a namespace is not in the lists; nil if it is.
func (o overview) unseen(resource schema.GroupVersionResource, namespace string) error {
	if err := o.lists.Refused[namespace][resource]; err != nil {
		return err
	}
	return o.lists.Unseen[resource]
}

// projects compares each project with what install would make, by what was listed. It
// sends nothing. Where too little is known to say what install would make, RoleErr says so.
func (o overview) projects(ctx context.Context, s *session.Session, r Request, values render.Options) ([]Seen, error) {
	chart, err := render.New()
	if err != nil {
		return nil, err
	}
	namespaces, lists := o.namespaces(), o.snapshot("")
	all := make([]Seen, len(namespaces))
	for n, namespace := range namespaces {
		e, unknown := o.expect(ctx, r, namespace, values, chart)
		found := e.advise(e.found(s)) // lists do not show the tags of roles
		found.Pods, found.PodsErr = o.of(kinds.Pod.GVR(), namespace), o.unseen(kinds.Pod.GVR(), namespace)
		objects := lists
		if len(o.lists.Refused[namespace]) > 0 {
			objects = o.snapshot(namespace)
		}
		if found.Plan, err = e.plan(ctx, objects, apply.Inventory{}, s); err != nil {
			return nil, err
		}
		all[n] = Seen{Found: found, Desired: e.role, RoleErr: unknown}
	}
	return all, nil
}

// expect is what the install in a namespace is compared with, as far as it is known.
func (o overview) expect(ctx context.Context, r Request, namespace string, values render.Options, chart *render.Renderer) (expected, error) {
	e := expected{request: r, detected: o.facts}
	e.detected.Namespace = render.Fact{Value: namespace, Source: project.OnRecord}
	if inventory := o.named(kinds.ConfigMap.GVR(), namespace, apply.InventoryName); inventory != nil {
		e.inventory = apply.InventoryOf(inventory)
	}
	var role iam.RoleOptions
	e.facts, role = recorded(e.detected, r, e.inventory.Record)
	// Without an inventory the service account may name the role, if it is one that a role
	// has without flags.
	if account := o.named(kinds.ServiceAccount.GVR(), namespace, render.ServiceAccount); role.Name == "" && account != nil {
		role.Name = iam.UsualNameIn(account.GetAnnotations()[live.RoleAnnotation], e.facts)
	}
	if err := errors.Join(e.facts.Require(), e.facts.Validate()); err != nil {
		return e, err
	}
	if !values.Reset {
		values.Recorded = plan.RecallValues(chart, e.inventory, e.facts).Values
	}
	return e.rendered(ctx, role, values, listedOf(chart))
}

// listedOf renders what install would make, of the kinds that were listed.
func listedOf(chart *render.Renderer) renderer {
	return func(ctx context.Context, facts render.Facts, values render.Options) ([]*unstructured.Unstructured, error) {
		objects, err := interrupt.Run(ctx, 0, func() ([]*unstructured.Unstructured, error) { return chart.Objects(facts, values) })
		return slices.DeleteFunc(objects, func(object *unstructured.Unstructured) bool {
			return !slices.ContainsFunc(listedKinds(), func(k listedKind) bool { return k.kind == object.GetKind() })
		}), err
	}
}

// snapshot are the lists as a plan reads them, for a namespace in which some may be
// refused; "" is any other.
func (o overview) snapshot(namespace string) *apply.Snapshot {
	snapshot := &apply.Snapshot{}
	for _, k := range listedKinds() {
		if k.kind != "" {
			snapshot.Add(schema.GroupKind{Group: k.Resource.Group, Kind: k.kind}, o.lists.Objects[k.Resource], o.unseen(k.Resource, namespace))
		}
	}
	return snapshot
}
