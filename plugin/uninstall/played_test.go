package uninstall

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	inDemo  = "/api/v1/namespaces/demo/"
	buckets = "/apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets"
	issuer  = "https://oidc.example.com/1"
)

// played is an install in the project demo of a played cluster and a played account, where
// what is deleted is gone.
type played struct {
	cluster   *clustertest.Server
	aws       *awstest.Server
	session   *session.Session
	talk, out *bytes.Buffer
	request   Request
	role      string

	mu      sync.Mutex
	objects map[string]map[string]any // by the path of the object
	deleted []string                  // kinds of objects, role and bucket, in order
}

func newPlayed(t *testing.T) *played {
	t.Helper()
	streams, _, out, talk := genericiooptions.NewTestIOStreams()
	p := &played{
		cluster: clustertest.New(t, "v1.33.0", "apps/v1/Deployment", "s3.services.k8s.aws/v1alpha1/Bucket"),
		aws:     awstest.New(t), talk: talk, out: out, objects: map[string]map[string]any{}, role: render.RoleName(issuer, "demo"),
	}
	p.session = &session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Getter: p.cluster.Getter("demo"), Now: time.Now}
	fact := func(value string) render.Fact { return render.Fact{Value: value, Source: "test"} }
	p.request = Request{Timeout: time.Minute, Facts: session.Facts{Given: render.Facts{
		Issuer: fact(issuer), ClusterID: fact("c1"), Region: fact(awstest.Region), Partition: fact("aws"),
		Platform: fact(render.PlatformEKS), KubeVersion: fact("v1.33.0"), APIVersions: render.ListFact{Values: []string{"v1"}, Source: "test"},
	}}}
	for key, value := range map[string]string{
		"AWS_ENDPOINT_URL": p.aws.URL, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEKEY123456", "AWS_SECRET_ACCESS_KEY": "x",
		"AWS_REGION": awstest.Region, "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "", "AWS_SESSION_TOKEN": "",
	} {
		t.Setenv(key, value)
	}
	p.playCluster()
	p.playAWS()
	return p
}

func (p *played) playCluster() {
	core := apidiscovery.APIVersionDiscovery{Version: "v1", Freshness: apidiscovery.DiscoveryFreshnessCurrent}
	for _, kind := range []string{"Namespace", "ServiceAccount", "ConfigMap", "Secret", "Service", "PersistentVolumeClaim", "Pod"} {
		scope := apidiscovery.ScopeNamespace
		if kind == "Namespace" {
			scope = apidiscovery.ScopeCluster
		}
		core.Resources = append(core.Resources, apidiscovery.APIResourceDiscovery{
			Resource: strings.ToLower(kind) + "s", Scope: scope, ResponseKind: &metav1.GroupVersionKind{Version: "v1", Kind: kind}, Verbs: []string{"list"},
		})
	}
	p.cluster.Discovery("GET /api", &apidiscovery.APIGroupDiscoveryList{Items: []apidiscovery.APIGroupDiscovery{{Versions: []apidiscovery.APIVersionDiscovery{core}}}})
	p.put("/api/v1/namespaces", "v1", "Namespace", "demo", map[string]any{"labels": map[string]any{render.TagManagedBy: render.ManagedBy}})
	p.put("/apis/apps/v1/namespaces/demo/deployments", "apps/v1", "Deployment", render.Frontend, nil)
	p.put(inDemo+"serviceaccounts", "v1", "ServiceAccount", render.ServiceAccount, nil)
	p.put(inDemo+"pods", "v1", "Pod", "not-of-the-workload", nil)
	p.put(inDemo+"persistentvolumeclaims", "v1", "PersistentVolumeClaim", "ostoy-pvc", nil)
	p.put(buckets, "s3.services.k8s.aws/v1alpha1", "Bucket", "demo-bucket",
		map[string]any{"annotations": map[string]any{"services.k8s.aws/deletion-policy": ack.Retain}})
	inventory := p.put(inDemo+"configmaps", "v1", "ConfigMap", apply.InventoryName, nil)
	inventory["data"] = map[string]any{"bucketOrigin": apply.OriginCreated, "account": awstest.Account}
	p.cluster.Echo("PATCH " + inDemo + "configmaps/" + apply.InventoryName)
}

// everything asks for all that can be removed.
func (p *played) everything() {
	p.request.DeleteData, p.request.DeleteNamespace, p.request.Yes = true, true, true
}

// putTheirs adds an object that ostoy-s3 does not manage.
func (p *played) putTheirs() {
	p.put(inDemo+"secrets", "v1", "Secret", "theirs", map[string]any{"managedFields": []any{map[string]any{"manager": "kubectl", "operation": "Apply"}}})
}

// put adds an object that ostoy-s3 manages, in the form that the server gives.
func (p *played) put(collection, apiVersion, kind, name string, metadata map[string]any) map[string]any {
	meta := map[string]any{
		"name": name, "uid": "uid-" + name, "resourceVersion": "1",
		"managedFields": []any{map[string]any{"manager": apply.Manager, "operation": "Apply", "apiVersion": apiVersion, "fieldsType": "FieldsV1", "fieldsV1": map[string]any{}}},
	}
	maps.Copy(meta, metadata)
	object := map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": meta}
	path := collection + "/" + name
	p.mu.Lock()
	p.objects[path] = object
	p.mu.Unlock()
	p.cluster.Handle("GET "+collection, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") != "" {
			p.watched(w, apiVersion, kind, p.get(path))
			<-r.Context().Done()
			return
		}
		items := []any{}
		if object := p.get(path); object != nil {
			items = append(items, object)
		}
		answer(w, http.StatusOK, map[string]any{"apiVersion": apiVersion, "kind": kind + "List", "metadata": map[string]any{"resourceVersion": "1"}, "items": items})
	})
	p.cluster.Handle("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
		if object := p.get(path); object != nil {
			answer(w, http.StatusOK, object)
			return
		}
		answer(w, http.StatusNotFound, metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonNotFound, Code: http.StatusNotFound})
	})
	p.cluster.Handle("DELETE "+path, func(w http.ResponseWriter, _ *http.Request) {
		p.remove(path, kind)
		answer(w, http.StatusOK, metav1.Status{Status: metav1.StatusSuccess})
	})
	return object
}

// watched answers a watch that begins with what there is.
func (p *played) watched(w http.ResponseWriter, apiVersion, kind string, objects ...map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	events := json.NewEncoder(w)
	for _, object := range objects {
		if object != nil {
			_ = events.Encode(map[string]any{"type": "ADDED", "object": object})
		}
	}
	end := map[string]any{"resourceVersion": "1", "annotations": map[string]any{"k8s.io/initial-events-end": "true"}}
	_ = events.Encode(map[string]any{"type": "BOOKMARK", "object": map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": end}})
	w.(http.Flusher).Flush()
}

func answer(w http.ResponseWriter, code int, object any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(object)
}

func (p *played) get(path string) map[string]any {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.objects[path]
}

func (p *played) remove(path, kind string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.objects, path)
	p.deleted = append(p.deleted, kind)
}

// playAWS has a role that names the bucket, and the bucket, which is empty and not older.
func (p *played) playAWS() {
	facts := render.Facts{Namespace: render.Fact{Value: "demo"}, Issuer: render.Fact{Value: issuer}, ClusterID: render.Fact{Value: "c1"}}
	tags := render.OwnershipTags(facts)
	p.tagBucket(tags)
	p.hasRole(withTag(tags, render.TagBucket, "demo-bucket"))
	p.aws.Handle("DeleteRole", func(w http.ResponseWriter, _ *http.Request) {
		p.remove("role", "role")
		_, _ = fmt.Fprint(w, "<DeleteRoleResponse></DeleteRoleResponse>")
	})
	p.aws.Answer("HEAD demo-bucket", "")
	p.contains("")
	p.aws.Answer("GET ?prefix", "<ListAllMyBucketsResult><Buckets><Bucket><Name>demo-bucket</Name><CreationDate>2026-01-02T03:04:05Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>")
	p.aws.Handle("DELETE demo-bucket", func(w http.ResponseWriter, _ *http.Request) {
		p.remove("bucket", "S3 bucket")
		w.WriteHeader(http.StatusNoContent)
	})
}

func (p *played) tagBucket(tags map[string]string) {
	p.aws.Answer("GET demo-bucket?tagging", "<Tagging><TagSet>"+members("Tag", tags)+"</TagSet></Tagging>")
}

func members(element string, tags map[string]string) string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		fmt.Fprintf(&text, "<%[1]s><Key>%[2]s</Key><Value>%[3]s</Value></%[1]s>", element, key, tags[key])
	}
	return text.String()
}

func (p *played) hasRole(tags map[string]string) {
	p.objects["role"] = map[string]any{}
	p.aws.Handle("GetRole", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("RoleName") != p.role || p.get("role") == nil {
			http.Error(w, "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>", http.StatusNotFound)
			return
		}
		_, _ = fmt.Fprintf(w, "<GetRoleResponse><GetRoleResult><Role><RoleName>%[1]s</RoleName><Path>/ostoy-s3/</Path><Arn>arn:aws:iam::%[2]s:role/ostoy-s3/%[1]s</Arn>"+
			"<CreateDate>2026-01-02T03:04:04Z</CreateDate><AssumeRolePolicyDocument></AssumeRolePolicyDocument><Tags>%[3]s</Tags></Role></GetRoleResult></GetRoleResponse>",
			p.role, awstest.Account, members("member", tags))
	})
	p.aws.Answer("ListRoles", "<Roles></Roles><IsTruncated>false</IsTruncated>")
	p.aws.Answer("ListRolePolicies", "<PolicyNames></PolicyNames><IsTruncated>false</IsTruncated>")
	p.aws.Answer("ListAttachedRolePolicies", "<AttachedPolicies></AttachedPolicies><IsTruncated>false</IsTruncated>")
}

// contains is what is in the bucket. The played S3 goes by any one parameter.
func (p *played) contains(versions string) {
	for _, parameter := range []string{"versions", "encoding-type", "max-keys"} {
		p.aws.Answer("GET demo-bucket?"+parameter, "<ListVersionsResult><IsTruncated>false</IsTruncated>"+versions+"</ListVersionsResult>")
	}
}

const anObject = "<Version><Key>photo</Key><VersionId>v1</VersionId><IsLatest>true</IsLatest><Size>5</Size></Version>"

// gone are the things that were deleted, in order.
func (p *played) gone() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.deleted, ", ")
}
