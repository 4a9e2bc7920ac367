package check

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// What a pod's identity is made of: what the pod identity webhook injects.
const (
	roleVariable      = "AWS_ROLE_ARN"
	tokenVariable     = "AWS_WEB_IDENTITY_TOKEN_FILE"
	regionVariable    = "AWS_REGION"
	endpointsVariable = "AWS_STS_REGIONAL_ENDPOINTS"

	skipLabel      = annotationDomain + "skip-pod-identity-webhook"
	skipAnnotation = annotationDomain + "skip-containers"
)

// bucketWaiter is the init container that needs the identity first.
const bucketWaiter = "wait-for-bucket"

// appContainers are those that talk to AWS; all of them where none has the name
// that the chart gives it.
func appContainers(spec core.PodSpec) []core.Container {
	all := everyContainer(spec)
	own := slices.DeleteFunc(slices.Clone(all), func(c core.Container) bool { return c.Name != frontendName && c.Name != bucketWaiter })
	if !slices.ContainsFunc(own, func(c core.Container) bool { return c.Name == frontendName }) {
		return all
	}
	return own
}

// everyContainer are all of a pod, those that start first among them.
func everyContainer(spec core.PodSpec) []core.Container {
	return append(slices.Clone(spec.InitContainers), spec.Containers...)
}

// env is a variable in the container's own list, the last of that name. One
// whose value is somewhere else is set and has an empty value here.
func env(c core.Container, name string) (value string, set bool) {
	for _, e := range c.Env {
		if e.Name == name {
			value, set = e.Value, e.Value != "" || e.ValueFrom != nil
		}
	}
	return value, set
}

// tokenIn is the service account token that a volume projects, nil if none.
func tokenIn(v core.Volume) *core.ServiceAccountTokenProjection {
	if v.Projected == nil {
		return nil
	}
	for _, source := range v.Projected.Sources {
		if source.ServiceAccountToken != nil {
			return source.ServiceAccountToken
		}
	}
	return nil
}

// tokenVolume is the volume behind a container's token file, nil if there is
// none. A container without the variable has none.
func tokenVolume(spec core.PodSpec, c core.Container) *core.Volume {
	file, _ := env(c, tokenVariable)
	for _, mount := range c.VolumeMounts {
		rest, below := strings.CutPrefix(path.Clean(file), path.Clean(mount.MountPath)+"/")
		if file == "" || !below {
			continue
		}
		for n, v := range spec.Volumes {
			if token := tokenIn(v); v.Name == mount.Name && token != nil && path.Join(mount.SubPath, token.Path) == path.Join(mount.SubPath, rest) {
				return &spec.Volumes[n]
			}
		}
	}
	return nil
}

// partsOfIdentity are role, token file and token volume.
const partsOfIdentity = 3

// lacks says what a container has not got of an identity.
func lacks(spec core.PodSpec, c core.Container) []string {
	var missing []string
	for _, name := range []string{roleVariable, tokenVariable} {
		if _, set := env(c, name); !set {
			missing = append(missing, name)
		}
	}
	if tokenVolume(spec, c) == nil {
		missing = append(missing, "the token volume")
	}
	return missing
}

// missing says what a pod's containers have not got, empty if nothing.
func missing(spec core.PodSpec) string {
	var parts []string
	for _, c := range appContainers(spec) {
		if m := lacks(spec, c); len(m) > 0 {
			parts = append(parts, c.Name+" lacks "+strings.Join(m, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

func podAccount(ctx context.Context, i identityLook, pod core.Pod) Finding {
	if pod.Spec.ServiceAccountName == render.ServiceAccount {
		return Pass()
	}
	return Refuse(fmt.Sprintf("pod %s runs as service account %s", pod.Name, pod.Spec.ServiceAccountName),
		"the role lets only "+render.ServiceAccount+" in, and the webhook goes by the pod's own account",
		i.again(ctx))
}

// podSkipped looks at the template: what it says is true of every pod.
func podSkipped(ctx context.Context, i identityLook) Finding {
	d, err := i.frontend(ctx)
	if err != nil {
		return Fail(i.Conn.Translate(err))
	}
	injected, err := i.injected(ctx)
	if err != nil || d == nil || !injected {
		return Leave("the pods do not get their identity from the webhook")
	}
	why := skipped(d.Spec.Template)
	if why == "" {
		return Pass()
	}
	pods, err := i.pods(ctx)
	if err == nil && len(pods) > 0 && !slices.ContainsFunc(pods, func(p core.Pod) bool { return missing(p.Spec) != "" }) {
		return Warn("the frontend's pods tell the webhook to pass them by: "+why,
			"they have an identity all the same: this cluster's webhook does not heed it, or they are older than it", i.again(ctx))
	}
	return Refuse("the frontend's pods tell the webhook to pass them by: "+why, "so they get no AWS identity", i.again(ctx))
}

// skipped says by what a template keeps the webhook away, empty if by nothing.
func skipped(template core.PodTemplateSpec) string {
	if _, labelled := template.Labels[skipLabel]; labelled {
		return "label " + skipLabel
	}
	for name := range strings.SplitSeq(template.Annotations[skipAnnotation], ",") {
		if name = strings.TrimSpace(name); slices.ContainsFunc(appContainers(template.Spec), func(c core.Container) bool { return c.Name == name }) {
			return "annotation " + skipAnnotation + " names " + name
		}
	}
	return ""
}

func podIdentity(ctx context.Context, i identityLook, pod core.Pod) Finding {
	injected, err := i.injected(ctx)
	if err != nil {
		return Fail(i.Conn.Translate(err))
	}
	account, _ := i.Account(ctx) // without it nobody knows when it was annotated
	var since time.Time
	named := false
	if account != nil {
		since = annotatedAt(account.GetManagedFields())
		named = account.GetAnnotations()[live.RoleAnnotation] != ""
	}
	inventory, _ := i.Inventory(ctx)
	projected := installIn(i.World, append(i.roleFlags(ctx, inventory), "--set", "podIdentity=projected")...)
	return judgePodIdentity(pod, injected, named, since, i.again(ctx), projected)
}

// judgePodIdentity says of a pod without identity why that may be. since is when
// the service account was annotated, as far as known. again and projected are what installs
// again, and with podIdentity=projected.
func judgePodIdentity(pod core.Pod, injected, named bool, since time.Time, again, projected string) Finding {
	miss := missing(pod.Spec)
	if miss == "" {
		return Pass()
	}
	what := "pod " + pod.Name + " has no AWS identity: " + miss
	recreate := "to replace this pod: " + advice.Command("oc delete pod", pod.Name, "-n", pod.Namespace)
	born := pod.CreationTimestamp.Time
	switch {
	case !injected:
		return Refuse(what, "the Deployment's pods should carry it; somebody edited them, or they are of another install", again)
	case !named:
		return Refuse(what, "service account "+render.ServiceAccount+" names no role, so the webhook has nothing to give", again)
	case since.After(born):
		return Refuse(what, "it was made before its service account was annotated, and the webhook looks at pods only when they are made", recreate)
	}
	return Refuse(what, "the pod identity webhook missed it: it fails open when it is away, or slower than the pod",
		recreate+"\nif that one has none either, do without the webhook: "+projected)
}

// annotatedAt is when whoever set the role's annotation last wrote to the
// service account.
func annotatedAt(fields []metav1.ManagedFieldsEntry) time.Time {
	var last time.Time
	for _, entry := range fields {
		if entry.FieldsV1 != nil && entry.Time != nil && strings.Contains(entry.FieldsV1.GetRawString(), `"f:`+live.RoleAnnotation+`"`) && entry.Time.After(last) {
			last = entry.Time.Time
		}
	}
	return last
}

// roleARN is the ARN of the install's role: on record, by the service account,
// as IAM has it; empty where none of them says.
func roleARN(ctx context.Context, i identityLook) string {
	inventory, _ := i.Inventory(ctx)
	if _, err := render.ParseARNOf(inventory.RoleARN, "iam", "role"); err == nil {
		return inventory.RoleARN
	}
	if account, err := i.Account(ctx); err == nil && account != nil && account.GetAnnotations()[live.RoleAnnotation] != "" {
		return account.GetAnnotations()[live.RoleAnnotation]
	}
	if role, err := i.Role(ctx); err == nil {
		return role.ARN
	}
	return ""
}

func judgeRole(pod core.Pod, want, again string) Finding {
	if want == "" {
		return Leave("nothing says which role is the install's")
	}
	for _, c := range everyContainer(pod.Spec) {
		if is, _ := env(c, roleVariable); is != "" && is != want {
			return Refuse(fmt.Sprintf("pod %s assumes %s", pod.Name, advice.RoleARN(is)),
				fmt.Sprintf("%s in %s is not the role that the inventory or the service account names, %s", roleVariable, c.Name, advice.RoleARN(want)),
				again)
		}
	}
	return Pass()
}

// roleElsewhere judges a role that a container does not have in its own list, but by
// reference to a ConfigMap, or to something that is not read.
func roleElsewhere(ctx context.Context, i identityLook, pod core.Pod) Finding {
	want := roleARN(ctx, i)
	var all []Finding
	for _, c := range everyContainer(pod.Spec) {
		var last core.EnvVar // it wins over those of the same name
		for _, e := range c.Env {
			if e.Name == roleVariable {
				last = e
			}
		}
		if last.ValueFrom == nil || want == "" {
			continue
		}
		ref := last.ValueFrom.ConfigMapKeyRef
		if ref == nil {
			all = append(all, Unseen("the value of "+roleVariable+" in "+c.Name+", which is not in the pod itself and is not read", "which role pod "+pod.Name+" assumes"))
			continue
		}
		object, err := i.Get(ctx, kinds.ConfigMap.GVR(), i.Namespace, ref.Name)
		if err != nil {
			all = append(all, unreadable(i.Conn, err, "get configmaps "+ref.Name+" in "+i.Namespace, "which role pod "+pod.Name+" assumes"))
			continue
		}
		is := ""
		if object != nil {
			data, _ := object.Object["data"].(map[string]any)
			is, _ = data[ref.Key].(string)
		}
		resolved := core.Pod{ObjectMeta: pod.ObjectMeta, Spec: core.PodSpec{Containers: []core.Container{{Name: c.Name, Env: []core.EnvVar{{Name: roleVariable, Value: is}}}}}}
		all = append(all, judgeRole(resolved, want, "give ConfigMap "+ref.Name+" the role, or "+i.again(ctx)))
	}
	return worstFirst(all)
}
