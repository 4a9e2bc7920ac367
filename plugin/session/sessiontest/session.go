// Package sessiontest makes sessions for tests: on a played cluster and a played account,
// writing to buffers.
package sessiontest

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// New is a session of the namespace demo, and what it writes to stdout and stderr. The
// environment leads every AWS client of the test to the played account.
func New(t *testing.T, cluster *clustertest.Server, account *awstest.Server) (s *session.Session, stdout, stderr *bytes.Buffer) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": account.URL, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEKEY123456", "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "",
		"AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none,
	} {
		t.Setenv(name, value)
	}
	streams, _, stdout, stderr := genericiooptions.NewTestIOStreams()
	return &session.Session{
		Streams: streams, UI: ui.New(stderr, ui.Style{}, time.Now), Report: ui.New(stdout, ui.Style{}, time.Now),
		Getter: cluster.Getter("demo"), Version: "v1", Now: time.Now,
	}, stdout, stderr
}

// Empty are a cluster with the project demo and an account, in which everything may be
// made and nothing is there; IAM knows the issuer https://oidc.example.com/one.
func Empty(t *testing.T) (*clustertest.Server, *awstest.Server) {
	t.Helper()
	account, server := awstest.New(t), clustertest.New(t, "v1.33.0",
		"v1/Namespace", "v1/ServiceAccount", "v1/ConfigMap", "v1/Secret", "v1/Service", "v1/PersistentVolumeClaim", "apps/v1/Deployment",
		"networking.k8s.io/v1/NetworkPolicy", "networking.k8s.io/v1/Ingress", "s3.services.k8s.aws/v1alpha1/Bucket",
		"authorization.k8s.io/v1/SelfSubjectAccessReview", "authorization.k8s.io/v1/SelfSubjectRulesReview")
	account.Answer("GetOpenIDConnectProvider", "<Url>oidc.example.com/one</Url><ClientIDList><member>sts.amazonaws.com</member></ClientIDList>")
	account.Answer("CreateRole", "<Role><Arn>arn:aws:iam::"+awstest.Account+":role/ostoy-s3/x</Arn></Role>")
	account.Answer("PutRolePolicy", "")
	server.Answer("GET /api/v1/namespaces/demo", map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "demo"}})
	for _, review := range []string{"selfsubjectaccessreviews", "selfsubjectrulesreviews"} {
		server.Answer("POST /apis/authorization.k8s.io/v1/"+review, map[string]any{
			"apiVersion": "authorization.k8s.io/v1", "kind": "Review", "spec": map[string]any{},
			"status": map[string]any{"allowed": true, "resourceRules": []any{map[string]any{"verbs": []any{"*"}, "apiGroups": []any{"*"}, "resources": []any{"*"}}}},
		})
	}
	for _, list := range []string{"/apis/apps/v1/deployments", "/api/v1/pods"} { // no controller
		server.Answer("GET "+list, map[string]any{"apiVersion": "v1", "kind": "List", "items": []any{}})
	}
	for _, path := range []string{
		"/api/v1/namespaces/demo/configmaps/ostoy-s3", "/api/v1/namespaces/demo/serviceaccounts/ostoy-sa",
		"/api/v1/namespaces/demo/configmaps/ostoy-configmap-env", "/api/v1/namespaces/demo/configmaps/ostoy-configmap-files",
		"/api/v1/namespaces/demo/secrets/ostoy-secret", "/api/v1/namespaces/demo/secrets/ostoy-secret-env",
		"/api/v1/namespaces/demo/services/ostoy-frontend-svc", "/api/v1/namespaces/demo/services/ostoy-microservice-svc",
		"/api/v1/namespaces/demo/persistentvolumeclaims/ostoy-pvc", "/apis/apps/v1/namespaces/demo/deployments/ostoy-frontend",
		"/apis/apps/v1/namespaces/demo/deployments/ostoy-microservice", "/apis/networking.k8s.io/v1/namespaces/demo/networkpolicies/ostoy-frontend",
		"/apis/networking.k8s.io/v1/namespaces/demo/networkpolicies/ostoy-microservice", "/apis/networking.k8s.io/v1/namespaces/demo/ingresses/ostoy-ingress",
		"/apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets/demo-bucket",
	} {
		server.Echo("PATCH " + path)
	}
	return server, account
}

// Given are all facts that such a project needs, but the account.
func Given() session.Facts {
	fact := func(value string) render.Fact { return render.Fact{Value: value, Source: "test"} }
	return session.Facts{Given: render.Facts{
		Namespace: fact("demo"), Region: fact(awstest.Region), Issuer: fact("https://oidc.example.com/one"), Platform: fact(render.PlatformKubernetes),
		ClusterID: fact("0b1f4f6e-6a3c-4f0e-9d5d-2f3a4b5c6d7e"), KubeVersion: fact("v1.33.0"), APIVersions: render.ListFact{Values: []string{"v1"}, Source: "test"},
	}}
}
