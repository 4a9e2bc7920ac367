package plugin

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// frontend is the Deployment whose pods carry the identity.
const frontend = "ostoy-frontend"

// await watches everything that was applied until it is ready, and proves that it
// works.
func (i *install) await(ctx context.Context) error {
	if !i.request.Wait {
		return i.conclude(wait.Result{}, nil)
	}
	targets := i.targets()
	result, err := wait.Wait(ctx, i.conn.Dynamic, targets, func(state wait.State) {
		// A run that found nothing to change says no more than that, unless
		// something is not as it should be.
		if i.changedNothing && state.Level == wait.Info {
			return
		}
		i.board.Set(state.Name, markOf(state), inLine(state.Text))
		// Of all that may still pass, the controller alone is somebody else's to
		// mend: who waits must be told how before the time is over.
		if state.Kind == "Bucket" && state.Level == wait.Warn && state.Hint != "" {
			i.UI.Try(state.Hint)
		}
	})
	i.ready = err == nil
	if !i.ready {
		i.blameSecrets(ctx)
	}
	if err != nil || !i.request.Verify {
		return i.conclude(result, err)
	}
	return i.conclude(result, i.prove(ctx, result.URL))
}

func markOf(state wait.State) ui.Mark {
	switch {
	case state.Ready:
		return ui.Done
	case state.Level == wait.Fail:
		return ui.Failed
	case state.Level == wait.Warn:
		return ui.Warned
	}
	return ui.Busy
}

// targets are the objects of the set whose state means something.
func (i *install) targets() wait.Targets {
	targets := wait.Targets{
		Namespace:     i.facts.Namespace.Value,
		Live:          i.plan.Live(),
		Inventory:     i.plan.Recorded(),
		BucketWritten: i.bucketSpecWritten(),
		Webhook:       !projectsIdentity(i.objects),
		Identity:      []string{frontend},
		RoleARN:       i.role.Role.ARN,
		Unfinished:    i.behindStatus,
	}
	for _, object := range i.objects {
		switch object.GetKind() {
		case "Bucket":
			targets.Bucket = object.GetName()
		case "Deployment":
			targets.Deployments = append(targets.Deployments, object.GetName())
		case "PersistentVolumeClaim":
			targets.PVC = object.GetName()
		case "Route":
			targets.Route = object.GetName()
		case "Ingress":
			targets.Ingress = object.GetName()
		}
	}
	return targets
}

// behindStatus looks at what S3 has of a Bucket whose status stays unfinished.
func (i *install) behindStatus(ctx context.Context, object *unstructured.Unstructured) (wait.State, bool) {
	w := &live.World{Conn: i.conn, Namespace: i.facts.Namespace.Value, Facts: i.facts, Buckets: i.buckets}
	return w.StaleNow(ctx, object)
}

// projectsIdentity reports whether the frontend's pods carry their identity
// themselves, rather than get it from the cluster's webhook.
func projectsIdentity(objects []*unstructured.Unstructured) bool {
	for _, object := range objects {
		if object.GetKind() != "Deployment" || object.GetName() != frontend {
			continue
		}
		volumes, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "volumes")
		return slices.ContainsFunc(volumes, func(volume any) bool {
			fields, _ := volume.(map[string]any)
			return fields["name"] == "aws-iam-token"
		})
	}
	return false
}

// bucketSpecWritten reports whether this run gave ACK something to do: it looks
// at a Bucket again when the spec changes, not for an annotation or an owner.
func (i *install) bucketSpecWritten() bool {
	name := render.BucketName(i.facts.Namespace.Value)
	if !i.plan.Wrote("Bucket", name) {
		return false
	}
	return slices.ContainsFunc(i.plan.Items, func(item *apply.Item) bool {
		return item.Ref.Kind == "Bucket" && (item.Action == apply.Create || slices.ContainsFunc(item.Changes, func(c apply.FieldChange) bool {
			return strings.HasPrefix(c.Path, "spec")
		}))
	})
}
