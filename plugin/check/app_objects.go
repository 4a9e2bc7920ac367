package check

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
)

// IDAppObjects is the check that names the objects that do not exist and that no other
// check names.
const IDAppObjects = "app-objects"

// toldWhenMissing are the kinds of which another check tells that one is missing.
func toldWhenMissing() []string {
	return []string{"Bucket", "Deployment", "PersistentVolumeClaim", "ServiceAccount"}
}

// optional are the kinds that values leave out. What Git says of them is not known.
func optional() []string {
	return []string{"Secret", "Route", "Ingress", "NetworkPolicy", "RoleBinding"}
}

// objectsExist wants every object that install makes.
func objectsExist(ctx context.Context, a appLook) Finding {
	if a.objects == nil {
		return Leave("what install makes is not known")
	}
	left := toldWhenMissing()
	if (ownLook{a.World}).engines(ctx).Status == Skipped {
		left = append(left, optional()...)
	}
	wanted := slices.DeleteFunc(slices.Clone(a.objects), func(o *unstructured.Unstructured) bool { return slices.Contains(left, o.GetKind()) })
	type answer struct {
		there bool
		err   error
	}
	plan, _ := a.Plan(ctx) // what it has read is not read again
	answers := together(wanted, func(object *unstructured.Unstructured) answer {
		if item := planned(plan, object); item != nil && item.Err == nil {
			return answer{there: item.Live != nil}
		}
		there, err := exists(ctx, a.World, object)
		return answer{there, err}
	})
	var missing, unread []string
	for n, object := range wanted {
		switch name, one := apply.RefOf(object).String(), answers[n]; {
		case apierrors.IsForbidden(one.err):
			unread = append(unread, name)
		case one.err != nil:
			return Fail(a.Conn.Translate(one.err))
		case !one.there:
			missing = append(missing, name)
		}
	}
	all := []Finding{Pass()}
	if len(missing) > 0 {
		all = append(all, Refuse(phrase.Count(len(missing), "object")+" of the app not found: "+strings.Join(missing, ", "),
			"somebody deleted what is missing, or an install was interrupted", "to create it: "+installIn(a.World)+"\n"+sameFlags))
	}
	if len(unread) > 0 {
		all = append(all, Unseen("get "+strings.Join(unread, ", ")+" in "+a.Namespace, "whether these objects exist"))
	}
	return worstFirst(all)
}

// exists reports whether there is an object of that kind and name. Its content, which may be
// a Secret's, is dropped.
func exists(ctx context.Context, w *live.World, object *unstructured.Unstructured) (bool, error) {
	client, err := w.Conn.Resource(ctx, object.GroupVersionKind(), object.GetNamespace())
	if err != nil {
		return false, err
	}
	_, err = client.Get(ctx, object.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}
