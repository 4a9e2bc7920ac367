package reach

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func TestMain(m *testing.M) { os.Exit(run.MainAtOnce(m, 3)) }

const finalizer = ack.Finalizer

type fields = map[string]any

// session is one user in one project.
type session struct {
	*testbed.Bed
	user    run.User
	project string
	buckets dynamic.ResourceInterface
}

// sessionOf is a user who has a ClusterRole in a project.
func sessionOf(t *testing.T, bed *testbed.Bed, user, project, role string) session {
	t.Helper()
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
	if _, err := bed.Client.RbacV1().RoleBindings(project).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	s := session{Bed: bed, user: run.ProjectAdmin(t, bed, user), project: project}
	s.buckets = bucketsAs(t, s.user.Kubeconfig, "", project)
	run.Eventually(t, user+" is allowed to list Buckets", func(ctx context.Context) error {
		_, err := s.buckets.List(ctx, metav1.ListOptions{})
		return err
	})
	return s
}

// bucketsAs are the Buckets of a project as a kubeconfig sees them, or a token.
func bucketsAs(t *testing.T, kubeconfig, token, project string) dynamic.ResourceInterface {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		config.BearerToken = token
		config.CertData, config.KeyData = nil, nil
	}
	config.QPS, config.Burst = 500, 1000
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client.Resource(ack.Resource()).Namespace(project)
}

// bucket is a Bucket; a nil spec leaves it out.
func bucket(name string, spec fields, annotations ...string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: fields{"apiVersion": "s3.services.k8s.aws/v1alpha1", "kind": "Bucket"}}
	if spec != nil {
		object.Object["spec"] = spec
	}
	object.SetName(name)
	notes := map[string]string{}
	for n := 0; n < len(annotations); n += 2 {
		notes["services.k8s.aws/"+annotations[n]] = annotations[n+1]
	}
	if len(notes) > 0 {
		object.SetAnnotations(notes)
	}
	// As it comes over the wire: lists and numbers of JSON.
	text, err := object.MarshalJSON()
	if err != nil {
		panic(err)
	}
	clean := &unstructured.Unstructured{}
	if err := clean.UnmarshalJSON(text); err != nil {
		panic(err)
	}
	return clean
}

// enforce applies the policy and waits until the API server judges by it.
func enforce(t *testing.T, s session) {
	t.Helper()
	run.Enforce(t, s.Bed)
	run.Eventually(t, "the policy is enforced", func(ctx context.Context) error {
		_, err := s.buckets.Create(ctx, bucket("probe", fields{"name": "nobody-bucket"}), metav1.CreateOptions{DryRun: []string{"All"}})
		return wantDenied(err)
	})
}

// wantDenied is nil if the policy, and nothing else, refused something.
func wantDenied(err error) error {
	if err == nil {
		return fmt.Errorf("admitted")
	}
	if !strings.Contains(err.Error(), "ValidatingAdmissionPolicy '"+run.PolicyName+"'") {
		return fmt.Errorf("not refused by the policy: %w", err)
	}
	if strings.Contains(err.Error(), "evaluation error") || strings.Contains(err.Error(), "resulted in error") {
		return fmt.Errorf("refused because an expression failed: %w", err)
	}
	return nil
}

// condition waits for a condition of a Bucket.
func (s session) condition(t *testing.T, name, kind, status string) {
	t.Helper()
	run.Eventually(t, name+" "+kind+"="+status, func(ctx context.Context) error {
		object, err := s.buckets.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		list, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
		for _, one := range list {
			if c, _ := one.(fields); c["type"] == kind && c["status"] == status {
				return nil
			}
		}
		text, _ := json.Marshal(object.Object)
		return fmt.Errorf("is %s", text)
	})
}

func (s session) create(t *testing.T, object *unstructured.Unstructured) {
	t.Helper()
	if _, err := s.buckets.Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}
