package check

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// winners are the variables by which OSToy's SDK finds credentials before the role's
// token, in its order: access keys, SSO and profiles of the shared files, the container
// credentials endpoint, a credential process of a profile (lib/node_loader.js of aws-sdk
// v2). EKS Pod Identity sets the last one. The SDK goes on to the next where one finds
// nothing, and reads the two files only with AWS_SDK_LOAD_CONFIG (tried with 2.1623.0);
// other SDKs stop there, and always read them.
func winners() []string {
	return []string{
		"AWS_ACCESS_KEY_ID", "AMAZON_ACCESS_KEY_ID", "AWS_PROFILE", sharedFile, configFile,
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", endpointURI,
	}
}

const (
	sharedFile  = "AWS_SHARED_CREDENTIALS_FILE"
	configFile  = "AWS_CONFIG_FILE"
	endpointURI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
)

// credentials looks at the pods as the cluster runs them: webhooks add to them. If there
// is none, the Deployment's template says what the next one has.
func (i identityLook) credentials(ctx context.Context) Finding {
	pods, err := i.pods(ctx)
	if err != nil || len(pods) > 0 {
		return i.eachPod(podCredentials)(ctx)
	}
	none := Leave("the frontend has no pod")
	d, err := i.frontend(ctx)
	if err != nil || d == nil {
		return none
	}
	if found := podCredentials(ctx, i, core.Pod{Spec: d.Spec.Template.Spec}); found.Status != Passed {
		return found
	}
	return none
}

// podCredentials wants that no container has credentials that win over the role's. A pod
// without a name is the template of one.
func podCredentials(ctx context.Context, i identityLook, pod core.Pod) Finding {
	where := "pod " + pod.Name
	if pod.Name == "" {
		where = "the pod template of deployment/" + frontendName
	}
	var all []Finding
	for _, c := range everyContainer(pod.Spec) {
		found, unseen := variables(ctx, i, c, winners())
		volumes := filesOfAWS(pod.Spec, c)
		if names := append(described(found), described(volumes)...); len(names) > 0 {
			all = append(all, Refuse(fmt.Sprintf("%s in %s has AWS credentials that win over the role: %s", c.Name, where, strings.Join(names, ", ")),
				"OSToy's SDK looks for access keys in the environment, then for profiles in files, then for the container credentials endpoint, and only then for the role's token. "+
					"It uses what it finds first, so the container can talk to S3 as somebody else, or not at all",
				lines(i.withoutCredentials(ctx, found, volumes))))
		}
		all = append(all, unseen...)
	}
	return worstFirst(all)
}

// variable is something that brings credentials into a container: a variable of its
// environment, or files of a volume.
type variable struct {
	name string
	from string // "Secret NAME" or "ConfigMap NAME"; "" is the container's own list
}

func (v variable) String() string {
	if v.from == "" {
		return v.name
	}
	return v.name + " of " + v.from
}

func described(all []variable) []string {
	var names []string
	for _, one := range all {
		names = append(names, one.String())
	}
	return names
}

// variables are those of some variables that a container has, as kubelet sets them: what
// its own list says wins over envFrom, also if it is empty. Of ConfigMaps and Secrets only
// the names of keys are read. Each that cannot be read is a finding.
func variables(ctx context.Context, i identityLook, c core.Container, names []string) (found []variable, unseen []Finding) {
	own := map[string]bool{}
	for _, name := range names {
		at := slices.IndexFunc(c.Env, func(e core.EnvVar) bool { return e.Name == name })
		if own[name] = at >= 0; !own[name] {
			continue
		}
		var last core.EnvVar
		for _, e := range c.Env {
			if e.Name == name {
				last = e
			}
		}
		set, from, problem := i.reference(ctx, c, last)
		if problem != nil {
			unseen = append(unseen, *problem)
		}
		if set {
			found = append(found, variable{name, from})
		}
	}
	for _, from := range c.EnvFrom {
		var object source
		switch {
		case from.ConfigMapRef != nil:
			object = source{kinds.ConfigMap, from.ConfigMapRef.Name}
		case from.SecretRef != nil:
			object = source{kinds.Secret, from.SecretRef.Name}
		default:
			continue
		}
		keys, problem := i.keys(ctx, c, object)
		if problem != nil {
			unseen = append(unseen, *problem)
		}
		for _, key := range keys {
			if name := from.Prefix + key; slices.Contains(names, name) && !own[name] {
				found = append(found, variable{name, object.String()})
			}
		}
	}
	return found, unseen
}

// source is a ConfigMap or a Secret.
type source struct {
	kind kinds.Kind
	name string
}

func (s source) String() string { return s.kind.GVK().Kind + " " + s.name }

// keys are the names of a source's keys, or the finding that they cannot be read.
func (i identityLook) keys(ctx context.Context, c core.Container, from source) ([]string, *Finding) {
	resource := from.kind.GVR()
	keys, err := i.KeysOf(ctx, resource, from.name)
	if err != nil {
		finding := unreadable(i.Conn, err, "get "+resource.Resource+" "+from.name+" in "+i.Namespace, "whether it brings AWS credentials into "+c.Name)
		return nil, &finding
	}
	return keys.Names, nil
}

// reference reports whether a variable of a container's own list is set, and from where.
// /dev/null is how a file of the SDK is switched off. A key that is optional and does not
// exist sets nothing.
func (i identityLook) reference(ctx context.Context, c core.Container, e core.EnvVar) (set bool, from string, unseen *Finding) {
	if e.ValueFrom == nil {
		off := (e.Name == sharedFile || e.Name == configFile) && e.Value == "/dev/null"
		return e.Value != "" && !off, "", nil
	}
	var object source
	var key string
	var optional *bool
	switch ref := e.ValueFrom; {
	case ref.SecretKeyRef != nil:
		object, key, optional = source{kinds.Secret, ref.SecretKeyRef.Name}, ref.SecretKeyRef.Key, ref.SecretKeyRef.Optional
	case ref.ConfigMapKeyRef != nil:
		object, key, optional = source{kinds.ConfigMap, ref.ConfigMapKeyRef.Name}, ref.ConfigMapKeyRef.Key, ref.ConfigMapKeyRef.Optional
	default:
		return true, "", nil
	}
	if optional == nil || !*optional {
		return true, object.String(), nil
	}
	keys, unseen := i.keys(ctx, c, object)
	return slices.Contains(keys, key), object.String(), unseen
}

// filesOfAWS are the volumes that put files where the SDK looks for profiles: the folder
// .aws of a home directory. What the image itself has there cannot be seen.
func filesOfAWS(spec core.PodSpec, c core.Container) []variable {
	var found []variable
	for _, mount := range c.VolumeMounts {
		at := slices.IndexFunc(spec.Volumes, func(v core.Volume) bool { return v.Name == mount.Name })
		if inFolder(mount.MountPath) || at >= 0 && mount.SubPath == "" && slices.ContainsFunc(pathsIn(spec.Volumes[at].VolumeSource), inFolder) {
			found = append(found, variable{"volume " + mount.Name + " at " + mount.MountPath, ""})
		}
	}
	return found
}

func inFolder(file string) bool {
	return slices.Contains(strings.Split(path.Clean(file), "/"), ".aws")
}

// pathsIn are the paths that a volume gives its files by name.
func pathsIn(v core.VolumeSource) []string {
	var paths []string
	add := func(items []core.KeyToPath) {
		for _, item := range items {
			paths = append(paths, item.Path)
		}
	}
	told := func(items []core.DownwardAPIVolumeFile) {
		for _, item := range items {
			paths = append(paths, item.Path)
		}
	}
	switch {
	case v.Secret != nil:
		add(v.Secret.Items)
	case v.ConfigMap != nil:
		add(v.ConfigMap.Items)
	case v.DownwardAPI != nil:
		told(v.DownwardAPI.Items)
	case v.Projected != nil:
		for _, one := range v.Projected.Sources {
			if one.Secret != nil {
				add(one.Secret.Items)
			}
			if one.ConfigMap != nil {
				add(one.ConfigMap.Items)
			}
			if one.DownwardAPI != nil {
				told(one.DownwardAPI.Items)
			}
		}
	}
	return paths
}

// withoutCredentials is what to do so that the next pods do not have them.
func (i identityLook) withoutCredentials(ctx context.Context, found, volumes []variable) []string {
	var steps, unset []string
	injected := false
	for _, one := range found {
		switch {
		case one.from != "":
			steps = append(steps, "remove the key "+one.name+" from "+one.from+", or the reference to it from the Deployment; then: "+
				advice.Command("oc rollout restart", "deployment/"+frontendName, "-n", i.Namespace))
		case !i.inTemplate(ctx, one.name):
			injected = true
			steps = append(steps, i.injector(one.name))
		default:
			unset = append(unset, one.name+"-")
			if key, is := strings.CutSuffix(one.name, "ACCESS_KEY_ID"); is {
				unset = append(unset, key+"SECRET_ACCESS_KEY-")
			}
		}
	}
	if len(unset) > 0 {
		steps = append(steps, advice.Command("oc set env", append(append([]string{"deployment/" + frontendName}, unset...), "-n", i.Namespace)...))
	}
	if injected {
		steps = append(steps, "then replace the pods: "+advice.Command("oc rollout restart", "deployment/"+frontendName, "-n", i.Namespace))
	}
	for _, one := range volumes {
		steps = append(steps, "remove the "+one.name+" from the Deployment: "+advice.Command("oc edit", "deployment/"+frontendName, "-n", i.Namespace))
	}
	return steps
}

// inTemplate reports whether the Deployment itself has the variable. If it has not,
// something adds it to the pods when they are created.
func (i identityLook) inTemplate(ctx context.Context, name string) bool {
	d, err := i.frontend(ctx)
	return err != nil || d == nil || slices.ContainsFunc(everyContainer(d.Spec.Template.Spec), func(c core.Container) bool {
		_, set := env(c, name)
		return set
	})
}

// injector is where to look for what adds a variable to pods.
func (i identityLook) injector(name string) string {
	if strings.HasPrefix(name, "AWS_CONTAINER_CREDENTIALS_") {
		return "the Deployment does not have " + name + ": an EKS Pod Identity association gives the pods another role. Find it and delete it: " +
			advice.Command("aws eks list-pod-identity-associations", "--cluster-name", "CLUSTER", "--namespace", i.Namespace, "--service-account", render.ServiceAccount)
	}
	return "the Deployment does not have " + name + ": the pod is older than it, or an admission webhook adds the variable: " + advice.Command("oc get mutatingwebhookconfigurations")
}
