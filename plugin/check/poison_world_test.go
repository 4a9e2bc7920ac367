package check

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// scene is a project with an install in it, on a cluster and in an account: documents by
// the path that they are asked for, and what AWS, a token and the plan say, by a name.
type scene struct {
	documents map[string]any
	said      map[string]string
	noAWS     bool // there are no credentials to ask AWS with
}

// stage plays a scene. All scenes of a test are played on one.
type stage struct {
	mu     sync.Mutex
	now    scene
	read   map[string]bool // the documents that were asked for, by path
	server *clustertest.Server
	conn   *cluster.Conn
	aws    aws.Config
}

// newStage serves the kinds and the paths of a scene.
func newStage(t *testing.T, first scene) *stage {
	t.Helper()
	kinds := []string{
		"v1/Pod", "v1/Service", "v1/ServiceAccount", "v1/ConfigMap", "v1/Secret", "v1/Namespace", "v1/PersistentVolumeClaim", "v1/ResourceQuota", "v1/Event",
		"apps/v1/Deployment", BucketAPI + "/Bucket", "route.openshift.io/v1/Route", "security.openshift.io/v1/SecurityContextConstraints",
		"authorization.k8s.io/v1/SelfSubjectRulesReview", "authorization.k8s.io/v1/SelfSubjectAccessReview", "authorization.k8s.io/v1/SubjectAccessReview",
		"storage.k8s.io/v1/StorageClass", "rbac.authorization.k8s.io/v1/ClusterRoleBinding", policyAPI, policyAPI + "Binding",
	}
	s := &stage{now: first, read: map[string]bool{}, server: clustertest.New(t, "v1.33.0", kinds...)}
	for path := range first.documents {
		s.server.Handle("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			document := s.document(path)
			if text, is := document.(string); is { // a log
				_, _ = fmt.Fprint(w, text)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(document)
		})
	}
	s.server.Handle("POST /api/v1/namespaces/demo/serviceaccounts/ostoy-sa/token", s.token)
	var err error
	if s.conn, err = cluster.Connect(s.server.Getter("demo"), cluster.Options{}); err != nil {
		t.Fatal(err)
	}
	answers := httptest.NewServer(http.HandlerFunc(s.answerAWS))
	t.Cleanup(answers.Close)
	s.aws = aws.Config{
		Region: "us-east-2", BaseEndpoint: aws.String(answers.URL),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLEKEY123456", SecretAccessKey: "x"}, nil
		}),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
	return s
}

func (s *stage) play() scene {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// document is what the scene has at a path, and notes that it was asked for.
func (s *stage) document(path string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read[path] = true
	return s.now.documents[path]
}

// token answers with a token of the issuer that is said.
func (s *stage) token(w http.ResponseWriter, _ *http.Request) {
	claims, _ := json.Marshal(map[string]string{"iss": s.play().said["issuer"]})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
		"status": map[string]any{"token": "x." + base64.RawURLEncoding.EncodeToString(claims) + ".x"},
	})
}

// answerAWS answers what IAM and S3 are asked, with the texts of the scene.
func (s *stage) answerAWS(w http.ResponseWriter, r *http.Request) {
	said := maps.Clone(s.play().said)
	for name, text := range said {
		said[name] = html.EscapeString(text)
	}
	w.Header().Set("Content-Type", "text/xml")
	if action := r.FormValue("Action"); action != "" {
		answer, known := iamAnswers(said)[action]
		if !known {
			w.WriteHeader(http.StatusNotFound)
			_, _ = fmt.Fprint(w, `<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>none</Message></Error></ErrorResponse>`)
			return
		}
		_, _ = fmt.Fprintf(w, `<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>`, action, answer)
		return
	}
	query := r.URL.Query()
	for part, answer := range map[string]string{
		"tagging":           `<Tagging><TagSet><Tag><Key>` + said["tag"] + `</Key><Value>` + said["tag value"] + `</Value></Tag></TagSet></Tagging>`,
		"publicAccessBlock": `<PublicAccessBlockConfiguration></PublicAccessBlockConfiguration>`,
		"encryption": `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>` + said["encryption"] +
			`</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`,
		"ownershipControls": `<OwnershipControls><Rule><ObjectOwnership>` + said["ownership"] + `</ObjectOwnership></Rule></OwnershipControls>`,
	} {
		if query.Has(part) {
			_, _ = fmt.Fprint(w, answer)
			return
		}
	}
	if query.Has("policy") {
		_, _ = fmt.Fprint(w, s.play().said["bucket policy"])
		return
	}
	w.Header().Set("X-Amz-Bucket-Region", "us-east-2")
}

func iamAnswers(said map[string]string) map[string]string {
	role := `<RoleName>x</RoleName><Path>/ostoy-s3/</Path><Arn>` + said["role"] + `</Arn><AssumeRolePolicyDocument>` + said["trust"] + `</AssumeRolePolicyDocument>`
	tags := ""
	for key, value := range map[string]string{
		render.TagNamespace: "demo", render.TagIssuer: identityFacts().Issuer.Value, said["role tag"]: said["role tag value"],
	} {
		tags += `<member><Key>` + key + `</Key><Value>` + value + `</Value></member>`
	}
	return map[string]string{
		"GetRole":                  `<Role>` + role + `<Tags>` + tags + `</Tags></Role>`,
		"ListRolePolicies":         `<PolicyNames><member>` + said["inline policy"] + `</member></PolicyNames>`,
		"ListAttachedRolePolicies": `<AttachedPolicies><member><PolicyArn>` + said["attached policy"] + `</PolicyArn></member></AttachedPolicies>`,
		"GetOpenIDConnectProvider": `<ClientIDList><member>` + said["client id"] + `</member></ClientIDList>`,
	}
}

// world is what the checks look at.
func (s *stage) world(now scene) *live.World {
	s.mu.Lock()
	s.now, s.read = now, map[string]bool{}
	s.mu.Unlock()
	facts := identityFacts()
	facts.Region = render.Fact{Value: "us-east-2", Source: "infrastructures/cluster"}
	facts.Platform = render.Fact{Value: render.PlatformROSAHCP}
	facts.KubeVersion = render.Fact{Value: "v1.33.0"}
	w := &live.World{
		Conn: s.conn, Namespace: "demo", Facts: facts, AWSRegion: "eu-west-1",
		Planner: func(context.Context) (*apply.Plan, error) { return planSaying(now.said), nil },
	}
	if !now.noAWS {
		w.Roles, w.Buckets = iam.New(s.aws), bucket.New(s.aws)
	}
	return w
}

func planSaying(said map[string]string) *apply.Plan {
	ref := apply.Ref{Version: "v1", Kind: "ConfigMap", Name: "ostoy-configmap-files"}
	return &apply.Plan{
		Items: []*apply.Item{{Ref: ref, Action: apply.Update, Changes: []apply.FieldChange{
			{Path: "data." + said["plan key"], Before: said["plan before"], After: "x", Manager: said["plan manager"]},
		}}},
		Left: []*apply.Item{{Ref: apply.Ref{Version: "v1", Kind: "Service", Name: "old"}, Action: apply.Gone, Why: said["plan why"]}},
	}
}

// findings are those of all checks, each run whatever the others found, but of those of
// the controller, which can only run where one was found.
func (s *stage) findings(ctx context.Context, now scene) map[string]Finding {
	return s.findingsOf(ctx, now, eachCheck)
}

func eachCheck(Check) bool { return true }

// findingsOf are those of some of these checks.
func (s *stage) findingsOf(ctx context.Context, now scene, some func(Check) bool) map[string]Finding {
	found := map[string]Finding{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for _, c := range s.checks(now) {
		if !some(c) {
			continue
		}
		group.Go(func() {
			finding := c.Run(ctx)
			mu.Lock()
			defer mu.Unlock()
			found[c.ID] = finding
		})
	}
	group.Wait()
	return found
}

// checks are those that findings runs, with nothing read yet.
func (s *stage) checks(now scene) []Check {
	w := s.world(now)
	target := Target{
		Facts: w.Facts, Conn: s.conn, Objects: theApp(), Namespace: NamespaceExists,
		Bucket: func(context.Context) Finding { return Pass() }, Plan: func(context.Context) error { return nil },
		Provider: func(ctx context.Context) Finding { return Provider(ctx, w) },
		Role:     func(context.Context) Finding { return Pass() },
	}
	return slices.DeleteFunc(All(w, Sources{}, target), func(c Check) bool { return c.Group == Controller })
}

// readers are the checks that read each document, by its path and their ids. A check says
// the same of a scene that differs only in a document that it does not read.
func (s *stage) readers(ctx context.Context, now scene) map[string]map[string]bool {
	readers := map[string]map[string]bool{}
	for n := range s.checks(now) {
		one := s.checks(now)[n] // alone: what another has read is not asked for again
		one.Run(ctx)
		s.mu.Lock()
		for path := range s.read {
			if readers[path] == nil {
				readers[path] = map[string]bool{}
			}
			readers[path][one.ID] = true
		}
		s.mu.Unlock()
	}
	return readers
}

// with is the scene with another document, or another text that is said.
func (s scene) with(path string, document any) scene {
	changed := s
	changed.documents = maps.Clone(s.documents)
	changed.documents[path] = document
	return changed
}

func (s scene) saying(name, text string) scene {
	changed := s
	changed.said = maps.Clone(s.said)
	changed.said[name] = text
	return changed
}

// documentsOf reads YAML documents, each below a line "# PATH".
func documentsOf(t *testing.T, text string) map[string]any {
	t.Helper()
	documents := map[string]any{}
	for part := range strings.SplitSeq(text, "\n# ") {
		path, body, found := strings.Cut(part, "\n")
		if !found {
			continue
		}
		raw, err := yaml.YAMLToJSON([]byte(body))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		list := &unstructured.Unstructured{}
		if err := list.UnmarshalJSON(raw); err == nil {
			documents[path] = list.Object
			continue
		}
		var document any
		if err := yaml.Unmarshal([]byte(body), &document); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		documents[path] = document
	}
	return documents
}
