package check_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func ownershipFaults() []fault {
	inventory := func(says, patch string) fault {
		return fault{check: "inventory", status: "warning", says: says, make: func(t *testing.T, s *scene) {
			s.patch(t, "configmap", "ostoy-s3", patch)
		}}
	}
	return append([]fault{
		{check: "object-foreign", says: "Service ostoy-microservice-svc", make: func(t *testing.T, s *scene) {
			s.kubectl(t, "delete", "service", "ostoy-microservice-svc")
			s.kubectl(t, "create", "service", "clusterip", "ostoy-microservice-svc", "--tcp=8080:8080")
			s.patch(t, "service", "ostoy-microservice-svc", `{"spec":{"selector":{"app":"ostoy-microservice"}}}`)
		}},
		{check: "two-engines", says: "Argo CD", make: func(t *testing.T, s *scene) {
			s.kubectl(t, "annotate", "deployment", "ostoy-microservice", "argocd.argoproj.io/tracking-id=app:apps/Deployment:x/y")
		}},
		{check: "inventory", status: "warning", says: "is not there", make: func(t *testing.T, s *scene) {
			s.kubectl(t, "delete", "configmap", "ostoy-s3")
		}},
		inventory("it lists no objects", `{"data":{"objects":null}}`),
		inventory("other-bucket", `{"data":{"bucket":"other-bucket"}}`),
		{check: "inventory", status: "warning", says: "Service nothing-here, which is not there", admin: true, make: func(t *testing.T, s *scene) {
			objects, err := s.Client.CoreV1().ConfigMaps(s.Namespace).Get(t.Context(), "ostoy-s3", metav1.GetOptions{})
			must(t, err)
			s.patch(t, "configmap", "ostoy-s3", fmt.Sprintf(`{"data":{"objects":%q}}`, objects.Data["objects"]+"v1 Service nothing-here\n"))
		}},
		{check: "drift", status: "warning", says: "(changed by kubectl-patch)", make: func(t *testing.T, s *scene) {
			s.patch(t, "configmap", "ostoy-configmap-files", `{"data":{"config.json":"{}"}}`)
		}},
		{check: "drift", status: "warning", says: "service/ostoy-old", make: leaveService},
	}, tutorialFaults()...)
}

// leaveService leaves a Service that an earlier version of the tool made.
func leaveService(t *testing.T, s *scene) {
	service := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Service",
		"metadata": map[string]any{"name": "ostoy-old", "namespace": s.Namespace},
		"spec": map[string]any{
			"selector": map[string]any{"app": "ostoy-frontend"}, "ports": []any{map[string]any{"port": int64(80)}},
		},
	}}
	services := s.Dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "services"}).Namespace(s.Namespace)
	_, err := services.Apply(t.Context(), "ostoy-old", service, metav1.ApplyOptions{FieldManager: "ostoy-s3"})
	must(t, err)
}

func tutorialFaults() []fault {
	return []fault{
		{check: "tutorial-leftovers", status: "warning", says: "ostoy-sa-role", make: func(t *testing.T, s *scene) {
			host := strings.TrimPrefix(s.Issuer, "https://")
			_, err := s.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{
				RoleName: aws.String("ostoy-sa-role"),
				AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/` + host +
					`"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"` + host + `:sub":"system:serviceaccount:` + s.Namespace + `:ostoy-sa"}}}]}`),
			})
			must(t, err)
		}},
		{check: "tutorial-leftovers", status: "warning", says: "remove-scc-from-user", make: func(t *testing.T, s *scene) {
			must(t, s.Apply(t.Context(), `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "system:openshift:scc:restricted"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:openshift:scc:restricted"}
subjects:
- {kind: ServiceAccount, name: ostoy-sa, namespace: `+s.Namespace+`}
`))
		}},
		{check: "tutorial-leftovers", status: "not allowed", admin: true},
	}
}
