package live

import (
	"context"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
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

// ServesAdmission reports whether a cluster serves ValidatingAdmissionPolicies and
// their bindings: a policy without a binding checks nothing.
func ServesAdmission(served *cluster.Served) bool {
	return served.Serves(operator.AdmissionGroup+"/v1", "ValidatingAdmissionPolicy") &&
		served.Serves(operator.AdmissionGroup+"/v1", "ValidatingAdmissionPolicyBinding")
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
	if a.Served = ServesAdmission(served); !a.Served {
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
