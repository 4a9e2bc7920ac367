package detect

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
)

const (
	infraPath   = "GET /apis/config.openshift.io/v1/infrastructures/cluster"
	authPath    = "GET /apis/config.openshift.io/v1/authentications/cluster"
	versionPath = "GET /apis/config.openshift.io/v1/clusterversions/version"
	docPath     = "GET /.well-known/openid-configuration"
	recordPath  = "GET /api/v1/namespaces/demo/configmaps/ostoy-s3"
	tokenPath   = "POST /api/v1/namespaces/demo/serviceaccounts/default/token"

	rosaIssuer = "https://oidc.op1.openshiftapps.com/2abc"
	eksIssuer  = "https://oidc.eks.eu-west-1.amazonaws.com/id/ABC"
	signature  = "c2lnbmF0dXJl"
)

func object(fields map[string]any) map[string]any {
	fields["apiVersion"], fields["kind"] = "config.openshift.io/v1", "Config"
	fields["metadata"] = map[string]any{"name": "cluster"}
	return fields
}

func infra(topology string, rosa bool) map[string]any {
	aws := map[string]any{"region": "us-east-2"}
	if rosa {
		aws["resourceTags"] = []any{map[string]any{"key": "red-hat-clustertype", "value": "rosa"}}
	}
	return object(map[string]any{"status": map[string]any{
		"controlPlaneTopology": topology,
		"platformStatus":       map[string]any{"type": "AWS", "aws": aws},
	}})
}

func authentication(issuer string) map[string]any {
	return object(map[string]any{"spec": map[string]any{"serviceAccountIssuer": issuer}})
}

// openshift plays a cluster for its admin.
func openshift(t *testing.T, topology string, rosa bool) *clustertest.Server {
	s := clustertest.New(t, "v1.33.4", "v1/Pod", "config.openshift.io/v1/Infrastructure", "route.openshift.io/v1/Route")
	s.Answer(infraPath, infra(topology, rosa))
	s.Answer(authPath, authentication(rosaIssuer))
	s.Answer(versionPath, object(map[string]any{"spec": map[string]any{"clusterID": "6c1f-cluster"}}))
	s.Answer(docPath, map[string]string{"issuer": rosaIssuer})
	return s
}

// projectAdmin forbids all that OpenShift forbids to whom it gave a project.
func projectAdmin(s *clustertest.Server) *clustertest.Server {
	const scope = "at the cluster scope"
	s.Forbid(infraPath, "get", "infrastructures", "config.openshift.io", scope)
	s.Forbid(authPath, "get", "authentications", "config.openshift.io", scope)
	s.Forbid(versionPath, "get", "clusterversions", "config.openshift.io", scope)
	s.Forbid(docPath, "get", "", "", scope)
	s.Answer(tokenPath, token(rosaIssuer))
	return s
}

// token answers a TokenRequest; a real one would also be signed.
func token(issuer string) map[string]any {
	claims, _ := json.Marshal(map[string]string{"iss": issuer})
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`))
	return map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
		"status": map[string]any{"token": header + "." + base64.RawURLEncoding.EncodeToString(claims) + "." + signature},
	}
}

// plainCluster plays a cluster that is not OpenShift.
func plainCluster(t *testing.T, version, issuer string) *clustertest.Server {
	s := clustertest.New(t, version, "v1/Pod", "apps/v1/Deployment")
	s.Answer(docPath, map[string]string{"issuer": issuer})
	return s
}

func connector(s *clustertest.Server) func() (*cluster.Conn, error) {
	return func() (*cluster.Conn, error) { return cluster.Connect(s.Getter("demo"), cluster.Options{}) }
}

// stsServer plays STS, and makes the AWS SDK find it and nothing else.
type stsServer struct {
	hold func(*http.Request)

	mu       sync.Mutex
	requests []http.Header
}

func (s *stsServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// noAWS leaves the AWS SDK without any configuration.
func noAWS(t *testing.T) {
	dir := t.TempDir()
	for name, value := range map[string]string{
		"HOME": dir, "AWS_CONFIG_FILE": filepath.Join(dir, "config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "credentials"),
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_ENDPOINT_URL": "",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_ENDPOINT_URL_STS": "",
		"AWS_CA_BUNDLE": "", "AWS_MAX_ATTEMPTS": "",
	} {
		t.Setenv(name, value)
	}
}

func fakeSTS(t *testing.T, arn string) *stsServer {
	noAWS(t)
	s := &stsServer{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.Header.Clone())
		s.mu.Unlock()
		if s.hold != nil {
			s.hold(r)
		}
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
			`<Arn>%s</Arn><UserId>X</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`, arn)
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	return s
}
