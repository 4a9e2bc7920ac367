package testbed

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"text/template"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kwok/kustomize/crd"
	"sigs.k8s.io/kwok/kustomize/stage/node/fast"
	heartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	pods "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
)

//go:embed manifests/*.yaml
var manifests embed.FS

// adminUser is the user of the bed's own parts, whom the audit log leaves out.
const adminUser = "testbed"

// connect writes the cluster admin's kubeconfig and makes the clients. The
// user's admin and the bed's own are two users, so that requests can be told
// apart.
func (b *Bed) connect(context.Context) error {
	var err error
	if b.Kubeconfig, err = b.userKubeconfig("cluster-admin", "system:masters"); err != nil {
		return err
	}
	if b.ProjectAdmin, err = b.ProjectAdminKubeconfig(ProjectUser); err != nil {
		return err
	}
	if b.own, err = b.ownKubeconfig(); err != nil {
		return err
	}
	if b.Config, err = clientcmd.BuildConfigFromFlags("", b.own); err != nil {
		return err
	}
	// The bed's parts are many; client-side limits are for strangers.
	b.Config.QPS, b.Config.Burst = 500, 1000
	if b.Client, err = kubernetes.NewForConfig(b.Config); err != nil {
		return err
	}
	b.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(b.Client.Discovery()))
	b.Dynamic, err = dynamic.NewForConfig(b.Config)
	return err
}

// furnish makes the cluster the platform's: kinds, rights, configuration,
// storage and a node.
func (b *Bed) furnish(ctx context.Context) error {
	kinds := []string{string(crd.Stage), string(crd.Logs), string(crd.ClusterLogs), string(crd.PortForward), string(crd.ClusterPortForward)}
	for _, text := range kinds {
		if err := b.Apply(ctx, text); err != nil {
			return err
		}
	}
	first, second := []string{}, []string{"storage", "stages-volumes", "stages-failures"}
	if b.Platform.OpenShift() {
		first = append(first, "crds-openshift", "crds-olm")
		second = append(second, "rights-openshift", "openshift", "stages-routes", "olm")
	}
	if b.furnished() {
		first = append(first, "crd-bucket")
		if !b.NoBucketRights {
			second = append(second, "rights-buckets")
		}
	}
	// The garbage collector looks for kinds, and so for owners, only every half
	// minute: those of the cluster come before it. kwok ends itself when a stage
	// names a kind not served yet, and the node has to come after kwok.
	if err := b.applyFiles(ctx, first...); err != nil {
		return err
	}
	if err := b.startControllers(); err != nil {
		return err
	}
	if err := b.applyFiles(ctx, second...); err != nil {
		return err
	}
	for _, text := range []string{nodeInit(), heartbeat.DefaultNodeHeartbeatWithLease, pods.DefaultPodComplete, pods.DefaultPodDelete, b.podReady()} {
		if err := b.Apply(ctx, text); err != nil {
			return err
		}
	}
	if err := b.startKwok(ctx); err != nil {
		return err
	}
	return b.applyFiles(ctx, "node")
}

// nodeInit is kwok's own stage, whose nodes have no ephemeral storage: the scheduler
// gives them no pod that requests some.
func nodeInit() string {
	const last = "        pods: 1M\n"
	return strings.ReplaceAll(fast.DefaultNodeInit, last, last+"        ephemeral-storage: 1Ti\n")
}

// podReady is kwok's own stage, but for pods that shall fail, and for those of
// the controller where its stand-in says how they are.
func (b *Bed) podReady() string {
	const list = "matchExpressions:\n"
	spare := list + "    - key: '.metadata.annotations[\"testbed/fail\"]'\n      operator: 'DoesNotExist'\n"
	if b.NoController {
		spare += "    - key: '.spec.containers[] | select(.image | contains(\"/s3-controller:\")) | .image'\n      operator: 'DoesNotExist'\n"
	}
	return strings.Replace(pods.DefaultPodReady, list, spare, 1)
}

// applyFiles applies embedded manifests, which are templates over the bed.
func (b *Bed) applyFiles(ctx context.Context, names ...string) error {
	for _, name := range names {
		text, err := manifests.ReadFile("manifests/" + name + ".yaml")
		if err != nil {
			return err
		}
		// Stages hold templates of kwok's; those files are taken as they are.
		if !strings.HasPrefix(name, "stages-") {
			if text, err = b.expand(name, string(text), nil); err != nil {
				return err
			}
		}
		if err := b.Apply(ctx, string(text)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// expand fills in a template; fields given are added to, or override, the bed's.
func (b *Bed) expand(name, text string, fields map[string]any) ([]byte, error) {
	parsed, err := template.New(name).Parse(text)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	all := map[string]any{
		"Issuer": b.Issuer, "Region": Region, "ClusterID": ClusterID,
		"HCP": b.Platform == ROSAHCP, "NoSelfProvisioner": b.NoSelfProvisioner,
		"OpenShift": b.Platform.OpenShift(), "Webhook": b.Webhook != nil,
		"Version": installedVersion, "Namespace": ControllerNamespace, "Owner": "",
	}
	maps.Copy(all, fields)
	err = parsed.Execute(&out, all)
	return out.Bytes(), err
}

// Apply applies YAML documents server-side, status included, and waits until
// kinds it defines are served.
func (b *Bed) Apply(ctx context.Context, text string) error { return b.ApplyAs(ctx, adminUser, text) }

// ApplyAs is Apply under the field manager of whoever would have applied it.
func (b *Bed) ApplyAs(ctx context.Context, manager, text string) error {
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	var defined []schema.GroupKind
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); errors.Is(err, io.EOF) {
			return b.served(ctx, defined)
		} else if err != nil {
			return err
		}
		if len(object.Object) == 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, startLimit)
		err := Poll(ctx, 100*time.Millisecond, func(ctx context.Context) error { return b.applyOne(ctx, manager, object) })
		cancel()
		if err != nil {
			return fmt.Errorf("apply %s %s: %w", object.GetKind(), object.GetName(), err)
		}
		if object.GetKind() == "CustomResourceDefinition" {
			group, _, _ := unstructured.NestedString(object.Object, "spec", "group")
			kind, _, _ := unstructured.NestedString(object.Object, "spec", "names", "kind")
			defined = append(defined, schema.GroupKind{Group: group, Kind: kind})
		}
	}
}

// served waits until discovery knows the kinds and OpenAPI their groups, which
// comes later. kwok looks only once for what its stages name, in both.
func (b *Bed) served(ctx context.Context, kinds []schema.GroupKind) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for _, kind := range kinds {
		err := Poll(ctx, 100*time.Millisecond, func(context.Context) error {
			mapping, err := b.mapper.RESTMapping(kind)
			if err != nil {
				b.mapper.Reset()
				return err
			}
			paths, err := b.Client.Discovery().OpenAPIV3().Paths()
			if err != nil {
				return err
			}
			path := "apis/" + mapping.GroupVersionKind.GroupVersion().String()
			if _, known := paths[path]; !known {
				return fmt.Errorf("no OpenAPI of %s yet", path)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Bed) applyOne(ctx context.Context, manager string, object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	mapping, err := b.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		// Perhaps defined a moment ago.
		b.mapper.Reset()
		return err
	}
	var client dynamic.ResourceInterface = b.Dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		client = b.Dynamic.Resource(mapping.Resource).Namespace(object.GetNamespace())
	}
	options := metav1.ApplyOptions{FieldManager: manager, Force: true}
	if _, err := client.Apply(ctx, object.GetName(), object, options); err != nil {
		return err
	}
	if _, has := object.Object["status"]; !has {
		return nil
	}
	_, err = client.ApplyStatus(ctx, object.GetName(), object, options)
	return err
}
