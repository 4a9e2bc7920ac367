package live

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// Policies are the ValidatingAdmissionPolicies of the cluster.
func Policies() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: operator.AdmissionGroup, Version: "v1", Resource: "validatingadmissionpolicies"}
}

// PolicyBindings are the bindings of those.
func PolicyBindings() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: operator.AdmissionGroup, Version: "v1", Resource: "validatingadmissionpolicybindings"}
}

// Admission is the admission policy for Buckets as it is in the cluster.
type Admission struct {
	// Served reports whether the cluster has such policies at all.
	Served          bool
	Policy, Binding *unstructured.Unstructured // nil: does not exist
}

// Admission reads the policy and its binding at the same time. If you are not
// allowed to read one of them, the error is the server's refusal.
func (w *World) Admission(ctx context.Context) (a Admission, err error) {
	served, err := w.Conn.Discovery(ctx)
	if err != nil {
		return a, err
	}
	if a.Served = served.Serves(operator.AdmissionGroup+"/v1", "ValidatingAdmissionPolicy"); !a.Served {
		return a, nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		a.Policy, err = w.Get(ctx, Policies(), "", operator.PolicyName)
		return err
	})
	group.Go(func() (err error) {
		a.Binding, err = w.Get(ctx, PolicyBindings(), "", operator.PolicyName)
		return err
	})
	err = group.Wait()
	return a, err
}

// Unused are the accounts of a policy's exemption, by their user names, that no
// controller uses.
func Unused(exempt []string, controllers []ack.Controller) []string {
	return slices.DeleteFunc(slices.Clone(exempt), func(account string) bool {
		return slices.ContainsFunc(controllers, func(one ack.Controller) bool {
			return account == operator.AccountName(one.Namespace, one.Account())
		})
	})
}
