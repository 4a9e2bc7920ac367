package check

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	authorization "k8s.io/api/authorization/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/shell"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// BucketAPI is the group and version of ACK's Bucket.
const BucketAPI = "s3.services.k8s.aws/v1alpha1"

const bucketGroup = "s3.services.k8s.aws"

// clusterRights asks what this user may do in the namespace.
func (t Target) clusterRights(ctx context.Context) Finding {
	needed, err := t.neededRights(ctx)
	if err != nil {
		return Fail(err)
	}
	missing, err := access.Missing(ctx, t.Conn, t.Facts.Namespace.Value, needed)
	if err != nil {
		return Fail(err)
	}
	return t.missingRights(ctx, missing)
}

func (t Target) missingRights(ctx context.Context, missing []access.Right) Finding {
	if len(missing) == 0 {
		return Pass()
	}
	names := make([]string, len(missing))
	for i, r := range missing {
		names[i] = r.String()
	}
	var next string
	if slices.ContainsFunc(missing, func(r access.Right) bool { return r.Group == bucketGroup }) {
		next = grantsBuckets(ctx, t.Conn, t.again())
	} else {
		next = "a project or cluster admin grants it: " + advice.Command("oc adm policy add-role-to-user admin", self(ctx, t.Conn), "-n", t.Facts.Namespace.Value)
	}
	return Refuse("you may not make everything in project "+t.Facts.Namespace.Value, "not allowed: "+strings.Join(names, ", "), next)
}

// self is the name of this user for a command that gives them a permission, YOU if it is
// not known.
func self(ctx context.Context, conn *cluster.Conn) string {
	name, err := access.Self(ctx, conn)
	if err != nil {
		return "YOU"
	}
	return cmp.Or(name, "YOU")
}

func makeBuckets(namespace string) access.Right {
	return access.Right{Verb: "create", Group: bucketGroup, Resource: "buckets", Namespace: namespace}
}

// MayMakeBuckets asks whether this user may make Buckets in a namespace.
func MayMakeBuckets(ctx context.Context, conn *cluster.Conn, namespace string) Finding {
	missing, err := access.Denied(ctx, conn, []access.Right{makeBuckets(namespace)})
	if err != nil {
		return Fail(err)
	}
	if len(missing) > 0 {
		return Refuse("you may not make Buckets in project "+namespace, "not allowed: "+missing[0].String(), grantsBuckets(ctx, conn, live.Hands{}.Install(namespace)))
	}
	return Pass()
}

// neededRights follow from the objects and from what is watched afterwards.
func (t Target) neededRights(ctx context.Context) ([]access.Right, error) {
	served, err := t.Conn.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	watched := []string{"Bucket", "Deployment", "PersistentVolumeClaim", "Route", "Ingress"}
	namespace := t.Facts.Namespace.Value
	needed := []access.Right{{Verb: "list", Resource: "pods", Namespace: namespace}, {Verb: "watch", Resource: "pods", Namespace: namespace}}
	for _, object := range t.Objects {
		resource, err := t.resourceOf(served, object.GroupVersionKind())
		if err != nil {
			return nil, err
		}
		verbs := []string{"get", "create", "patch"}
		if slices.Contains(watched, object.GetKind()) {
			verbs = append(verbs, "list", "watch")
		}
		for _, verb := range verbs {
			r := access.Right{Verb: verb, Group: resource.Group, Resource: resource.Resource, Namespace: namespace}
			if !slices.Contains(needed, r) {
				needed = append(needed, r)
			}
		}
	}
	return needed, nil
}

// resourceOf is a kind's resource, also of the Buckets that are still to be
// served.
func (t Target) resourceOf(served *cluster.Served, gvk schema.GroupVersionKind) (schema.GroupVersionResource, error) {
	if t.Coming.ControllerComes && gvk.Group == bucketGroup {
		return kinds.Bucket.GVR(), nil
	}
	mapping, err := served.Mapping(gvk)
	if err != nil {
		return schema.GroupVersionResource{}, err
	}
	return mapping.Resource, nil
}

// projectRights asks whether a project can be made and will let its maker make
// Buckets. A review in a namespace that is not there says no to everybody, so
// the ClusterRole admin is read instead, which everybody on OpenShift may read.
func (t Target) projectRights(ctx context.Context) Finding {
	served, err := t.Conn.Discovery(ctx)
	if err != nil {
		return Fail(err)
	}
	make := access.Right{Verb: "create", Resource: "namespaces"}
	if served.ServesGroup("project.openshift.io") {
		make = access.Right{Verb: "create", Group: "project.openshift.io", Resource: "projectrequests"}
	}
	buckets := makeBuckets("")
	var refused []access.Right
	var admin *rbac.ClusterRole
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		refused, err = access.Denied(groupCtx, t.Conn, []access.Right{make, buckets})
		return err
	})
	group.Go(func() error {
		admin = t.adminRole(groupCtx)
		return nil
	})
	if err := group.Wait(); err != nil {
		return Fail(err)
	}
	if slices.Contains(refused, make) {
		return Refuse("you may not make a project", "project "+t.Facts.Namespace.Value+" is not there, or you may not see it; not allowed: "+make.String(),
			t.askForProject(ctx, served))
	}
	if !slices.Contains(refused, buckets) {
		return Pass()
	}
	return judgeAdminRole(admin, grantsBuckets(ctx, t.Conn, t.again()))
}

// askForProject is how you get a project if you are not allowed to create one.
func (t Target) askForProject(ctx context.Context, served *cluster.Served) string {
	next := "ask for a project and give it with -n"
	if served.ServesGroup("project.openshift.io") {
		next += "; a cluster admin creates one for you: " + advice.Command("oc adm new-project", t.Facts.Namespace.Value, "--admin="+self(ctx, t.Conn))
	}
	return next + "\nor ask a cluster admin for the permission to request projects"
}

func judgeAdminRole(admin *rbac.ClusterRole, grant string) Finding {
	switch {
	case admin == nil:
		return Warn("cannot tell whether you may make Buckets in a new project", "the ClusterRole admin cannot be read", "")
	case roleHoldsBuckets(admin):
		return Pass()
	default:
		return Refuse("project admins may not make Buckets on this cluster", "the ClusterRole admin does not hold create buckets.s3.services.k8s.aws",
			grant)
	}
}

// adminRole is the ClusterRole admin, or nil where this user may not read it.
func (t Target) adminRole(ctx context.Context) *rbac.ClusterRole {
	role := &rbac.ClusterRole{}
	client, err := t.Conn.Resource(ctx, kinds.ClusterRole.GVK(), "")
	if err != nil {
		return nil
	}
	object, err := client.Get(ctx, "admin", metav1.GetOptions{})
	if err != nil || !into(object, role) {
		return nil
	}
	return role
}

func roleHoldsBuckets(role *rbac.ClusterRole) bool {
	rules := make([]authorization.ResourceRule, 0, len(role.Rules))
	for _, rule := range role.Rules {
		rules = append(rules, authorization.ResourceRule{
			Verbs: rule.Verbs, APIGroups: rule.APIGroups, Resources: rule.Resources, ResourceNames: rule.ResourceNames,
		})
	}
	return access.Shown(rules, makeBuckets(""))
}

// grantBuckets is what a cluster admin types so that project admins can create
// Buckets. OLM gives them the permission for the CRDs of an operator for all
// namespaces (ensureProvidedAPIClusterRole in its pkg/controller/operators/olm);
// ACK's chart does not.
const grantBuckets = `a cluster admin allows project admins to create Buckets: oc ostoy-s3 controller install
(if a controller exists, only the admission policy and the ClusterRoles are added; docs/controller.md)`

// grantsBuckets is how a project gets its Bucket if you are not allowed to create
// one. On a cluster without ValidatingAdmissionPolicies nothing can keep a Bucket to
// its own project, so controller install gives projects read access only, and a
// cluster admin creates the Bucket, by installing again.
func grantsBuckets(ctx context.Context, conn *cluster.Conn, again string) string {
	served, err := conn.Discovery(ctx)
	if err != nil || live.ServesAdmission(served) {
		return grantBuckets
	}
	return "ask a cluster admin to run: " + again + `
(this cluster does not serve ValidatingAdmissionPolicies, so project admins and editors can only read Buckets; docs/controller.md)`
}

// again is what installs the app in this project.
func (t Target) again() string {
	if t.Rules.World == nil { // nothing is known of the project
		return live.Hands{}.Install(t.Facts.Namespace.Value)
	}
	return installIn(t.Rules.World)
}

// GivenRole is a role that somebody else makes: install uses it, if it is what the
// app needs, and changes nothing about it.
type GivenRole struct {
	ARN  string // that the manifests name
	Mend string // command that prints how the role has to be
}

// givenRole are the checks of an installed app's role, asked before it is
// installed: the same judgement, of the tokens that the app is going to have.
func (t Target) givenRole() []Check {
	i := identityLook{World: t.World, coming: t.GivenRole.Mend}
	checks := i.roleChecks()
	for n := range checks {
		if checks[n].ID == IDRoleExists {
			checks[n].Needs = nil
			checks[n].Run = func(ctx context.Context) Finding { return givenRole(ctx, i, t.GivenRole.ARN) }
		}
	}
	return checks
}

// givenRole asks for the very role that the manifests name.
func givenRole(ctx context.Context, i identityLook, arn string) Finding {
	if finding := roleThere(ctx, i); finding.Status != Passed {
		return finding
	}
	role, err := i.Role(ctx)
	if err != nil {
		return Fail(err)
	}
	if role.ARN == arn {
		return Pass()
	}
	next := "--role-name NAME and --role-path PATH of the role that is meant"
	if is, err := render.ParseARNOf(role.ARN, "iam", "role"); err == nil && advice.RoleARN(role.ARN).Legal() {
		next = shell.Words(advice.RoleFlags(is.Name(), is.Path())...)
	}
	return Refuse("the role "+i.RoleName(ctx)+" is "+advice.RoleARN(role.ARN).String()+", not "+arn,
		"the service account names its role by ARN, so path and account have to be the same", next)
}
