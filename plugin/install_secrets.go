package plugin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// expectedSecrets are the Secrets without which a pod does not start and that
// are not among the objects: the keys wanted, by name of the Secret. They are
// somebody else's to bring (secrets.existing=true).
func expectedSecrets(objects []*unstructured.Unstructured) map[string][]string {
	wanted := map[string][]string{}
	for _, object := range objects {
		if object.GetKind() == "Deployment" {
			template, _, _ := unstructured.NestedMap(object.Object, "spec", "template", "spec")
			secretsIn(wanted, template)
		}
	}
	for _, object := range objects {
		if object.GetKind() == "Secret" {
			delete(wanted, object.GetName())
		}
	}
	return wanted
}

// secretsIn finds every reference to a Secret below a value: volumes (secret with
// secretName) and variables (secretKeyRef with name and key).
func secretsIn(wanted map[string][]string, value any) {
	switch value := value.(type) {
	case []any:
		for _, inner := range value {
			secretsIn(wanted, inner)
		}
	case map[string]any:
		for field, inner := range value {
			reference, _ := inner.(map[string]any)
			name, _ := reference["secretName"].(string)
			if field == "secretKeyRef" || field == "secretRef" {
				name, _ = reference["name"].(string)
			}
			known := slices.Contains([]string{"secret", "secretKeyRef", "secretRef"}, field)
			if !known || name == "" || reference["optional"] == true {
				secretsIn(wanted, inner)
				continue
			}
			wanted[name] = slices.Clip(wanted[name])
			if key, _ := reference["key"].(string); key != "" && !slices.Contains(wanted[name], key) {
				wanted[name] = append(wanted[name], key)
			}
		}
	}
}

// warnOfSecrets says which of the expected Secrets are not there. It is no more
// than a warning, because who brings them may come later; who may not read
// Secrets is told nothing.
func (i *install) warnOfSecrets(ctx context.Context) {
	expected := expectedSecrets(i.objects)
	client := i.conn.Dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).Namespace(i.facts.Namespace.Value)
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		secret, err := client.Get(ctx, name, metav1.GetOptions{})
		if why := secretFlaw(secret, err, expected[name]); why != "" {
			i.UI.Warn("Secret "+name+" "+why+": the values say that it is brought by somebody else, and no pod starts without it",
				"bring it, by SealedSecrets or External Secrets, say; or leave out secrets.existing, and the samples are made")
		}
	}
}

// blameSecrets says once more which Secrets are not there, after a wait in vain:
// kubelet tells of a missing one only in events, or not at all. The time of the
// run may be over by now, so it takes a little of its own; who pressed Ctrl-C
// waits for nothing.
func (i *install) blameSecrets(ctx context.Context) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	const limit = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	i.warnOfSecrets(ctx)
}

// secretFlaw says what a Secret lacks, empty if nothing, or nobody can tell.
func secretFlaw(secret *unstructured.Unstructured, err error, keys []string) string {
	if apierrors.IsNotFound(err) {
		return "is not there"
	}
	if err != nil {
		return ""
	}
	data, _, _ := unstructured.NestedMap(secret.Object, "data")
	var missing []string
	for _, key := range keys {
		if _, there := data[key]; !there {
			missing = append(missing, key)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("has no key %s", strings.Join(missing, ", "))
}
