package live

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// ControllerEnvironment is what a controller finds in its environment by its
// Deployment, ConfigMaps and Secrets. Of the latter the keys alone are told; one
// that may not be read counts as empty.
func ControllerEnvironment(ctx context.Context, w *World, c ack.Controller) (ack.Environment, error) {
	names, secrets := ack.Needs(c.Container)
	sources := ack.Sources{ConfigMaps: map[string]map[string]string{}, Secrets: map[string][]string{}}
	var mu sync.Mutex
	group, groupCtx := errgroup.WithContext(ctx)
	read := func(kind kinds.Kind, name string, keep func(data map[string]string)) error {
		object, err := w.Get(groupCtx, kind.GVR(), c.Namespace, name)
		if err == nil && object != nil {
			mu.Lock()
			defer mu.Unlock()
			keep(dataOf(object))
		}
		return err
	}
	for _, name := range names {
		group.Go(func() error {
			return read(kinds.ConfigMap, name, func(data map[string]string) { sources.ConfigMaps[name] = data })
		})
	}
	for _, name := range secrets {
		group.Go(func() error { // who may not read it knows no keys
			_ = read(kinds.Secret, name, func(data map[string]string) { sources.Secrets[name] = slices.Collect(maps.Keys(data)) })
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return ack.Environment{}, err
	}
	return ack.EnvironmentOf(c.Container, sources), nil
}

func dataOf(object *unstructured.Unstructured) map[string]string {
	data, _, _ := unstructured.NestedStringMap(object.Object, "data")
	if data == nil {
		data = map[string]string{}
	}
	return data
}

// ControllerRoles are the roles that a controller has or is to have.
type ControllerRoles struct {
	// ARNs are those of its environment or its service account, and of each pod, which
	// may be older than both; sorted.
	ARNs []string
	// Unsure says why it may work with other AWS credentials, "" if it does not. The
	// roles then show neither the least nor the most that it can do.
	Unsure string
}

// RolesOf looks for the roles of a controller: in its Deployment, in the
// ConfigMaps and Secrets that its environment is made of, at its service account and in
// its pods.
func RolesOf(ctx context.Context, w *World, c ack.Controller) (ControllerRoles, error) {
	told, annotated, hidden := ack.Told{Controller: c}, "", ""
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { told.Env, err = ControllerEnvironment(groupCtx, w, c); return err })
	group.Go(func() (err error) { told.Pods, err = c.Pods(groupCtx, w); return err })
	group.Go(func() (err error) { annotated, err = annotatedRole(groupCtx, w, c); return err })
	group.Go(func() error { hidden = unreadSecret(groupCtx, w, c); return nil })
	if err := group.Wait(); err != nil {
		return ControllerRoles{}, err
	}
	roles := ControllerRoles{Unsure: unsure(told, hidden)}
	switch told.CredentialsFrom() {
	case ack.FromPod:
		roles.ARNs = append(roles.ARNs, told.Env.Values[roleVariable])
	case ack.FromAnnotation:
		roles.ARNs = append(roles.ARNs, annotated)
	}
	for _, pod := range told.Pods {
		role, _ := pod.Variable(c.Container.Name, roleVariable)
		roles.ARNs = append(roles.ARNs, role)
	}
	roles.ARNs = sorted(slices.DeleteFunc(roles.ARNs, func(role string) bool { return role == "" }))
	if len(roles.ARNs) == 0 && roles.Unsure == "" {
		roles.Unsure = "neither its pods nor its service account name a role"
	}
	return roles, nil
}

const roleVariable = "AWS_ROLE_ARN"

// otherCredentials are the variables by which AWS's SDK for Go finds credentials
// beside, and mostly before, those of a role with a token (config.EnvConfig and
// resolveCredentialChain in its config package).
func otherCredentials() []string {
	return []string{
		"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
		"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	}
}

// unsure says why a controller may not work as the role that it names.
func unsure(told ack.Told, unread string) string {
	for _, name := range otherCredentials() {
		inPod := func(p ack.Pod) bool {
			return slices.ContainsFunc(p.Spec.Containers, func(c corev1.Container) bool {
				return c.Name == told.Container.Name && ack.EnvironmentOf(c, ack.Sources{}).Has(name)
			})
		}
		if told.Env.Has(name) || slices.ContainsFunc(told.Pods, inPod) {
			return "it has AWS credentials that are not those of a role (" + name + ")"
		}
	}
	switch {
	case slices.Contains(told.Env.Hidden, roleVariable):
		return "its role is in a Secret"
	case unread != "":
		return "the Secret " + unread + " of its environment, which may have access keys, cannot be read"
	}
	return ""
}

// unreadSecret is the first Secret of a controller's environment that cannot be read.
func unreadSecret(ctx context.Context, w *World, c ack.Controller) string {
	_, secrets := ack.Needs(c.Container)
	for _, name := range secrets {
		if _, err := w.Get(ctx, kinds.Secret.GVR(), c.Namespace, name); err != nil {
			return name
		}
	}
	return ""
}

func annotatedRole(ctx context.Context, w *World, c ack.Controller) (string, error) {
	account, err := w.Get(ctx, kinds.ServiceAccount.GVR(), c.Namespace, c.Account())
	if err != nil || account == nil {
		return "", err
	}
	return account.GetAnnotations()[ack.RoleAnnotation], nil
}

// ServesAdmission reports whether a cluster serves ValidatingAdmissionPolicies and
// their bindings: a policy without a binding checks nothing.
func ServesAdmission(served *cluster.Served) bool {
	return served.Has(kinds.ValidatingAdmissionPolicy) && served.Has(kinds.ValidatingAdmissionPolicyBinding)
}

// Admission is the admission policy for Buckets as it is in the cluster.
type Admission struct {
	// Served reports whether the cluster has such policies at all.
	Served          bool
	Policy, Binding *unstructured.Unstructured // nil: does not exist
}

// Restore is what creates the policy and its binding, and reverts what was changed of them;
// state is the state that they are in. An apply leaves what others have added: then the
// object is deleted first.
func (a Admission) Restore(state operator.PolicyState) string {
	managed := func(object *unstructured.Unstructured) bool { return object == nil || apply.Ours(object) }
	recreates := state == operator.PolicyUnbound && a.Binding != nil
	var force []string
	if !managed(a.Policy) || !recreates && !managed(a.Binding) {
		force = []string{"--force-conflicts"}
	}
	install := advice.Command("oc ostoy-s3 controller install", force...)
	switch {
	case recreates:
		return advice.Command("oc delete validatingadmissionpolicybindings.admissionregistration.k8s.io", operator.PolicyName) + "; " + install
	case state == operator.PolicyChanged:
		return install + "\nif others have added to the policy, which that leaves, recreate it: " +
			advice.Command("oc delete validatingadmissionpolicies.admissionregistration.k8s.io", operator.PolicyName) + "; " + install
	}
	return install
}

// ReadAdmission reads the policy and its binding at the same time. If you are not
// allowed to read one of them, the error is the server's refusal.
func ReadAdmission(ctx context.Context, w *World) (a Admission, err error) {
	served, err := w.Conn.Discovery(ctx)
	if err != nil {
		return a, err
	}
	if a.Served = ServesAdmission(served); !a.Served {
		return a, nil
	}
	group, ctx := errgroup.WithContext(ctx)
	read := func(into **unstructured.Unstructured, kind kinds.Kind) {
		group.Go(func() (err error) { *into, err = w.Get(ctx, kind.GVR(), "", operator.PolicyName); return err })
	}
	read(&a.Policy, kinds.ValidatingAdmissionPolicy)
	read(&a.Binding, kinds.ValidatingAdmissionPolicyBinding)
	err = group.Wait()
	return a, err
}

// Stale gives the State of a Bucket whose status the controller has not finished,
// if S3 has the bucket with all settings that the Bucket asks for. It reports
// false where the status is not of that kind or not yet old, where S3 does not
// have everything, and where that cannot be known.
func Stale(ctx context.Context, w *World, object *unstructured.Unstructured, now time.Time) (health.State, bool) {
	if object == nil || !health.Unfinished(object) || health.UnfinishedFor(object, now) < health.UnfinishedAfter {
		return health.State{}, false
	}
	return StaleNow(ctx, w, object)
}

// StaleNow is Stale for a status that is known to be old.
func StaleNow(ctx context.Context, w *World, object *unstructured.Unstructured) (health.State, bool) {
	if kind, is := confirmed(ctx, w, object); !is || kind != bucket.Ours && kind != bucket.Foreign {
		return health.State{}, false
	}
	return health.Stale(object, restart(ctx, w)), true
}

// confirmed reports whether S3 has the bucket of a Bucket with all settings that it asks
// for, and whose that bucket is.
func confirmed(ctx context.Context, w *World, object *unstructured.Unstructured) (bucket.Kind, bool) {
	spec, _, _ := unstructured.NestedMap(object.Object, "spec")
	state, err := w.BucketState(ctx)
	if err != nil || health.Text(spec, "name") != state.Name || state.Tags == nil {
		return state.Kind, false
	}
	settings, err := bucketHas(ctx, w)
	settings.Tags = state.Tags
	return state.Kind, err == nil && len(settings.Differ(spec)) == 0
}

// Worked is the name of the project's Bucket if it is synced and S3 confirms its bucket:
// it is in the caller's account, and its tags, unless they may not be read, are those of
// this install. A controller has worked on it, whether or not one can be found. "" if
// that is not so, or S3 cannot be asked: the status alone, which an editor of the project
// may have written, shows nothing. What the settings of the bucket are does not matter:
// they may have been changed since.
func Worked(ctx context.Context, w *World) string {
	object, err := w.One(ctx, kinds.Bucket.GVR(), render.BucketName(w.Namespace))
	if err != nil || object == nil || !health.Bucket(object, nil, false, health.Around{}).Ready {
		return ""
	}
	state, err := w.BucketState(ctx)
	if err != nil || health.Text(object.Object, "spec", "name") != state.Name || state.Kind != bucket.Ours && state.Kind != bucket.TagsUnreadable {
		return ""
	}
	return object.GetName()
}

// bucketHas asks S3 for all settings, at the same time.
func bucketHas(ctx context.Context, w *World) (s bucket.Settings, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { s.Public, err = w.PublicAccess(ctx); return err })
	group.Go(func() (err error) { s.Policy, err = w.BucketPolicy(ctx); return err })
	group.Go(func() (err error) { s.Encryption, err = w.Encryption(ctx); return err })
	group.Go(func() (err error) { s.Ownership, err = w.Ownership(ctx); return err })
	return s, group.Wait()
}

// restart is the command that restarts the controller, "" if it is not proven which
// one it is.
func restart(ctx context.Context, w *World) string {
	found, err := w.Controllers(ctx)
	if err != nil || len(found.Proven) != 1 {
		return ""
	}
	return found.Proven[0].Restart()
}
