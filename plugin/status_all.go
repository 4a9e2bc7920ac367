package plugin

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
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

// listedKinds are what is listed: by an inventory or a Bucket an install is known
// (what came from Git has no inventory), the others say how it is. Pods are no
// part of what install makes.
func listedKinds() []listedKind {
	return []listedKind{
		{"", live.Wanted{Resource: live.ConfigMaps(), Selector: ofInstall, Marks: true}},
		{"Bucket", live.Wanted{Resource: live.Buckets(), Selector: ofTheApp, Marks: true}},
		{"Deployment", live.Wanted{Resource: live.Deployments(), Selector: ofTheApp}},
		{"ServiceAccount", live.Wanted{Resource: live.ServiceAccounts(), Selector: ofTheApp}},
		{"Route", live.Wanted{Resource: live.Routes(), Selector: ofTheApp}},
		{"Ingress", live.Wanted{Resource: live.Ingresses(), Selector: ofTheApp}},
		{"", live.Wanted{Resource: live.Pods(), Selector: appPods + "," + ofTheApp}},
	}
}

// overview is the look at all installs.
type overview struct {
	*statusRun
	seen     live.Everywhere
	snapshot *apply.Snapshot
	roles    rolesSeen
	renderer *render.Renderer
}

// all looks at every install of the cluster and prints them as a table: a request
// for each kind, whatever their number.
func (s *statusRun) all(ctx context.Context) error {
	o := &overview{statusRun: s}
	if err := o.learn(ctx); err != nil {
		return err
	}
	o.file()
	installs := o.namespaces()
	seen := make([]status.Seen, len(installs))
	for i, namespace := range installs {
		var err error
		if seen[i], err = o.look(ctx, namespace); err != nil {
			return err
		}
	}
	o.lookAtRoles(ctx, seen)
	rows := make([]status.Row, len(seen))
	for i := range seen {
		rows[i] = status.RowOf(seen[i])
	}
	if s.request.detailed() {
		o.count(ctx, seen, rows)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return o.printAll(rows)
}

// learn finds the facts and lists what is in the cluster, at the same time.
func (o *overview) learn(outer context.Context) (err error) {
	if o.options, err = o.ReadValues(outer, o.request.Chart); err != nil {
		return err
	}
	given, err := o.Given(outer, o.request.Facts)
	if err != nil {
		return err
	}
	if o.conn, err = o.Connect(outer); err != nil {
		return err
	}
	if o.renderer, err = render.New(); err != nil {
		return err
	}
	o.world = &live.World{Conn: o.conn}
	group, ctx := errgroup.WithContext(outer)
	group.Go(func() error { return o.detect(ctx, given) })
	group.Go(func() (err error) {
		var wanted []live.Wanted
		for _, k := range listedKinds() {
			wanted = append(wanted, k.Wanted)
		}
		current, _ := o.conn.Namespace()
		if o.seen, err = o.world.Everywhere(ctx, wanted, current); err != nil {
			return o.notEverywhere(err)
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if o.seen.Unseen[live.ConfigMaps()] != nil && o.seen.Unseen[live.Buckets()] != nil {
		return o.conn.Translate(o.seen.Unseen[live.ConfigMaps()])
	}
	o.facts = o.checkup.found.Facts
	o.issuer(outer)
	o.clients()
	return outer.Err()
}

// detect finds what all installs have in common. What is not to be found is
// unknown in the table.
func (o *overview) detect(ctx context.Context, given render.Facts) error {
	var err error
	current, _ := o.conn.Namespace()
	o.checkup.found, err = detect.Detect(ctx, detect.Request{
		Given:           given,
		Connect:         func() (*cluster.Conn, error) { return o.conn, nil },
		AWS:             detect.AWSOptions{Profile: o.request.Facts.Profile, Region: given.Region.Value},
		TokenNamespaces: []string{current},
		Policy:          detect.AskNeeded,
	})
	o.sources.AWS, o.sources.Issuer = o.checkup.found.AWSFailure, err
	if failure := o.checkup.found.ClusterFailure; failure != nil {
		return failure
	}
	if o.checkup.found.Conn == nil && err != nil {
		return err // what was given, not what was found
	}
	if o.sources.AWS == nil {
		o.sources.AWS = o.identify(ctx, &o.checkup.found, o.request.Facts.Profile)
	}
	return nil
}

// issuer asks for it in a project with an install, where the user may ask for a
// token in none of those that detection tried.
func (o *overview) issuer(ctx context.Context) {
	installs := o.namespaces()
	if o.facts.Issuer.Known() || len(installs) == 0 {
		return
	}
	if issuer, err := detect.IssuerFromToken(ctx, o.conn, installs[0]); err == nil {
		o.facts.Issuer = issuer
		o.facts = o.facts.Complete()
	}
}

// file makes the lists what a plan reads.
func (o *overview) file() { o.snapshot = o.filed("") }

// filed are the lists for a namespace in which some may be refused; "" is any
// other.
func (o *overview) filed(namespace string) *apply.Snapshot {
	snapshot := &apply.Snapshot{}
	for _, k := range listedKinds() {
		if k.kind != "" {
			snapshot.Add(schema.GroupKind{Group: k.Resource.Group, Kind: k.kind}, o.seen.Objects[k.Resource], o.unseen(k.Resource, namespace))
		}
	}
	return snapshot
}

// unseen is why a resource of a namespace is not in the lists; nil if it is.
func (o *overview) unseen(resource schema.GroupVersionResource, namespace string) error {
	if err := o.seen.Refused[namespace][resource]; err != nil {
		return err
	}
	return o.seen.Unseen[resource]
}

// namespaces are those with an install, sorted: with an inventory, or with the
// Bucket of the app.
func (o *overview) namespaces() []string {
	var names []string
	for _, inventory := range o.seen.Objects[live.ConfigMaps()] {
		if inventory.GetName() == apply.InventoryName {
			names = append(names, inventory.GetNamespace())
		}
	}
	for _, bucket := range o.seen.Objects[live.Buckets()] {
		if bucket.GetName() == render.BucketName(bucket.GetNamespace()) {
			names = append(names, bucket.GetNamespace())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// of are the listed objects of one namespace.
func (o *overview) of(resource schema.GroupVersionResource, namespace string) []*unstructured.Unstructured {
	var mine []*unstructured.Unstructured
	for _, object := range o.seen.Objects[resource] {
		if object.GetNamespace() == namespace {
			mine = append(mine, object)
		}
	}
	return mine
}
