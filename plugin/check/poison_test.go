package check

import (
	"maps"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice/advicetest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// goodScene is an install in which little is wrong: what is poisoned is found by the
// check that looks at it.
const goodScene = `
# /api/v1/namespaces/demo
{apiVersion: v1, kind: Namespace, metadata: {name: demo, annotations: {services.k8s.aws/default-region: us-east-2}}}
# /apis/apps/v1/namespaces/demo/deployments
apiVersion: apps/v1
kind: DeploymentList
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: ostoy-frontend, namespace: demo, generation: 1}
  spec:
    replicas: 1
    strategy: {type: Recreate}
    selector: {matchLabels: {app: ostoy-frontend}}
    template:
      metadata: {labels: {app: ostoy-frontend}, annotations: {eks.amazonaws.com/skip-containers: sidecar}}
      spec:
        serviceAccountName: ostoy-sa
        containers: [{name: ostoy-frontend, image: quay.io/ostoy/frontend:1}]
        volumes: [{name: data, persistentVolumeClaim: {claimName: ostoy-pvc}}]
  status: {observedGeneration: 1, updatedReplicas: 1, replicas: 1, availableReplicas: 1}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: ostoy-microservice, namespace: demo, generation: 1}
  spec: {replicas: 1, selector: {matchLabels: {app: ostoy-microservice}}, template: {metadata: {labels: {app: ostoy-microservice}}, spec: {containers: [{name: m, image: m}]}}}
  status: {observedGeneration: 1, updatedReplicas: 1, replicas: 1, availableReplicas: 1}
# /api/v1/namespaces/demo/pods
apiVersion: v1
kind: PodList
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: ostoy-frontend-1, namespace: demo, labels: {app: ostoy-frontend, pod-template-hash: abc}}
  spec:
    serviceAccountName: ostoy-sa
    containers:
    - name: ostoy-frontend
      ports: [{name: http, containerPort: 8080}]
      env:
      - {name: AWS_ROLE_ARN, value: "arn:aws:iam::123456789012:role/ostoy-s3/demo-ostoy-sa-00000000"}
      - {name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /tokens/token}
      - {name: AWS_REGION, value: us-east-2}
      - {name: AWS_STS_REGIONAL_ENDPOINTS, value: regional}
      envFrom: [{prefix: x, configMapRef: {name: settings}}]
      volumeMounts: [{name: aws-iam-token, mountPath: /tokens}]
    volumes: [{name: aws-iam-token, projected: {sources: [{serviceAccountToken: {audience: sts.amazonaws.com, path: token}}]}}]
  status: {phase: Running, conditions: [{type: Ready, status: "True"}]}
# /api/v1/namespaces/demo/pods/ostoy-frontend-1/log
Bucket accessible, enabling ACK feature.
# /api/v1/namespaces/demo/services
apiVersion: v1
kind: ServiceList
items:
- {apiVersion: v1, kind: Service, metadata: {name: ostoy-frontend-svc, namespace: demo}, spec: {selector: {app: ostoy-frontend}, ports: [{targetPort: http}]}}
- {apiVersion: v1, kind: Service, metadata: {name: ostoy-microservice-svc, namespace: demo}, spec: {selector: {app: ostoy-frontend}, ports: [{targetPort: 8080}]}}
# /api/v1/namespaces/demo/serviceaccounts
apiVersion: v1
kind: ServiceAccountList
items:
- apiVersion: v1
  kind: ServiceAccount
  metadata:
    name: ostoy-sa
    namespace: demo
    annotations:
      eks.amazonaws.com/role-arn: arn:aws:iam::123456789012:role/ostoy-s3/demo-ostoy-sa-00000000
      eks.amazonaws.com/audience: sts.amazonaws.com
      eks.amazonaws.com/token-expiration: "3600"
      eks.amazonaws.com/sts-regional-endpoints: "true"
# /api/v1/namespaces/demo/configmaps
{apiVersion: v1, kind: ConfigMapList, items: []}
# /api/v1/namespaces/demo/configmaps/ostoy-s3
apiVersion: v1
kind: ConfigMap
metadata: {name: ostoy-s3, namespace: demo, labels: {app.kubernetes.io/managed-by: oc-ostoy-s3}}
data:
  roleARN: arn:aws:iam::123456789012:role/mine/own
  roleOrigin: existing
  policyARN: arn:aws:iam::123456789012:policy/p
  bucket: demo-bucket
  bucketOrigin: created
  account: "123456789012"
  partition: aws
  region: us-east-2
  issuer: https://oidc.op1.openshiftapps.com/2abc
  clusterID: c
  version: "1"
  objects: "v1 Service ostoy-frontend-svc\n"
# /apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets
apiVersion: s3.services.k8s.aws/v1alpha1
kind: BucketList
items:
- apiVersion: s3.services.k8s.aws/v1alpha1
  kind: Bucket
  metadata: {name: demo-bucket, namespace: demo, annotations: {services.k8s.aws/region: us-east-2, services.k8s.aws/deletion-policy: retain, services.k8s.aws/read-only: "false"}}
  spec: {name: demo-bucket}
  status: {ackResourceMetadata: {region: us-east-2, ownerAccountID: "123456789012"}, conditions: [{type: Ready, status: "True", message: ok}]}
# /apis/s3.services.k8s.aws/v1alpha1/buckets
apiVersion: s3.services.k8s.aws/v1alpha1
kind: BucketList
items:
- {apiVersion: s3.services.k8s.aws/v1alpha1, kind: Bucket, metadata: {name: demo-bucket, namespace: demo}, spec: {name: demo-bucket}}
- {apiVersion: s3.services.k8s.aws/v1alpha1, kind: Bucket, metadata: {name: finance, namespace: mallory}, spec: {name: finance-bucket}}
- {apiVersion: s3.services.k8s.aws/v1alpha1, kind: Bucket, metadata: {name: again, namespace: mallory}, spec: {name: demo-bucket}}
# /apis/route.openshift.io/v1/namespaces/demo/routes
apiVersion: route.openshift.io/v1
kind: RouteList
items:
- apiVersion: route.openshift.io/v1
  kind: Route
  metadata: {name: ostoy-route, namespace: demo}
  spec: {host: ostoy.apps.example.com, tls: {termination: edge, insecureEdgeTerminationPolicy: Redirect}}
  status: {ingress: [{host: ostoy.apps.example.com, conditions: [{type: Admitted, status: "True"}]}]}
# /api/v1/namespaces/demo/persistentvolumeclaims
apiVersion: v1
kind: PersistentVolumeClaimList
items:
- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: ostoy-pvc, namespace: demo}, spec: {storageClassName: gp3, volumeName: pv-1}, status: {phase: Bound}}
# /api/v1/namespaces/demo/resourcequotas
apiVersion: v1
kind: ResourceQuotaList
items:
- {apiVersion: v1, kind: ResourceQuota, metadata: {name: small, namespace: demo}, spec: {hard: {pods: "1"}}, status: {used: {pods: "1"}}}
# /apis/storage.k8s.io/v1/storageclasses
{apiVersion: storage.k8s.io/v1, kind: StorageClassList, items: [{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: gp3}}]}
# /api/v1/namespaces/demo/events
{apiVersion: v1, kind: EventList, items: []}
# /apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:openshift:scc:restricted
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "system:openshift:scc:restricted"}
subjects: [{kind: ServiceAccount, namespace: demo, name: ostoy-sa}]
# /apis/apps/v1/deployments
{apiVersion: apps/v1, kind: DeploymentList, items: []}
# /api/v1/namespaces/demo/configmaps/settings
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: demo}, data: {other: x}}
`

// endScene is what is different where the project is being deleted.
const endScene = `
# /api/v1/namespaces/demo
apiVersion: v1
kind: Namespace
metadata: {name: demo, deletionTimestamp: "2026-01-01T00:00:00Z"}
status: {conditions: [{type: NamespaceFinalizersRemaining, status: "True", message: some content}]}
# /apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets
apiVersion: s3.services.k8s.aws/v1alpha1
kind: BucketList
items:
- apiVersion: s3.services.k8s.aws/v1alpha1
  kind: Bucket
  metadata: {name: demo-bucket, namespace: demo, deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: [finalizers.s3.services.k8s.aws/Bucket]}
  spec: {name: demo-bucket}
  status: {conditions: [{type: ACK.Recoverable, status: "True", message: BucketNotEmpty}]}
`

// badScene is what is different where much is wrong.
const badScene = `
# /apis/apps/v1/namespaces/demo/deployments
apiVersion: apps/v1
kind: DeploymentList
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: ostoy-frontend, namespace: demo, generation: 1}
  spec:
    paused: true
    strategy: {type: RollingUpdate}
    selector: {matchLabels: {app: ostoy-frontend}}
    template:
      metadata: {labels: {app: ostoy-frontend}}
      spec: {serviceAccountName: other, containers: [{name: ostoy-frontend, image: x}]}
  status: {observedGeneration: 1, updatedReplicas: 1, replicas: 1}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: ostoy-microservice, namespace: demo, generation: 1}
  spec: {replicas: 1, selector: {matchLabels: {app: ostoy-microservice}}}
  status: {observedGeneration: 1, conditions: [{type: ReplicaFailure, status: "True", reason: x, message: "forbidden: unable to validate against any security context constraint"}]}
# /api/v1/namespaces/demo/pods
apiVersion: v1
kind: PodList
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: ostoy-frontend-1, namespace: demo, labels: {app: ostoy-frontend, pod-template-hash: abc}}
  spec:
    serviceAccountName: other
    containers:
    - name: ostoy-frontend
      env: [{name: AWS_ACCESS_KEY_ID, value: x}, {name: AWS_ROLE_ARN, value: "arn:aws:iam::123456789012:role/other"}, {name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /tokens/token}, {name: AWS_REGION, value: eu-west-1}]
      envFrom: [{configMapRef: {name: settings}}]
      volumeMounts: [{name: aws-iam-token, mountPath: /tokens}]
    volumes: [{name: aws-iam-token, projected: {defaultMode: 256, sources: [{serviceAccountToken: {audience: openshift, path: token}}]}}]
  status:
    phase: Pending
    initContainerStatuses: [{name: wait-for-bucket, state: {running: {}}, lastState: {terminated: {exitCode: 1, finishedAt: "2026-01-01T00:00:00Z", message: AccessDenied from GetObject}}}]
    containerStatuses: [{name: ostoy-frontend, image: x, state: {waiting: {reason: ImagePullBackOff, message: no such image}}}]
# /api/v1/namespaces/demo/pods/ostoy-frontend-1/log
ACK feature disabled.
# /apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets
apiVersion: s3.services.k8s.aws/v1alpha1
kind: BucketList
items:
- apiVersion: s3.services.k8s.aws/v1alpha1
  kind: Bucket
  metadata:
    name: demo-bucket
    namespace: demo
    deletionTimestamp: "2026-01-01T00:00:00Z"
    finalizers: [finalizers.s3.services.k8s.aws/Bucket, another]
    annotations: {services.k8s.aws/region: us-west-2, services.k8s.aws/deletion-policy: odd, services.k8s.aws/read-only: "true"}
  spec: {name: other-bucket}
  status: {ackResourceMetadata: {region: us-east-2, ownerAccountID: "222222222222"}, conditions: [{type: ACK.Recoverable, status: "True", message: BucketNotEmpty}]}
# /apis/route.openshift.io/v1/namespaces/demo/routes
apiVersion: route.openshift.io/v1
kind: RouteList
items:
- apiVersion: route.openshift.io/v1
  kind: Route
  metadata: {name: ostoy-route, namespace: demo}
  spec: {host: ostoy.apps.example.com, tls: {termination: passthrough}}
  status: {ingress: [{host: h, conditions: [{type: Admitted, status: "False", reason: HostAlreadyClaimed, message: taken}]}]}
# /api/v1/namespaces/demo/persistentvolumeclaims
apiVersion: v1
kind: PersistentVolumeClaimList
items:
- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: ostoy-pvc, namespace: demo}, spec: {storageClassName: gp3}, status: {phase: Pending}}
# /api/v1/namespaces/demo/events
{apiVersion: v1, kind: EventList, items: [{apiVersion: v1, kind: Event, metadata: {name: e}, type: Warning, reason: ProvisioningFailed, message: no space}]}
# /api/v1/namespaces/demo/configmaps/ostoy-s3
apiVersion: v1
kind: ConfigMap
metadata: {name: ostoy-s3, namespace: demo}
data: {roleARN: "arn:aws:iam::123456789012:role/mine/own", bucket: other-bucket, account: "222222222222", region: eu-west-1, objects: "v1 Service\n"}
# /api/v1/namespaces/demo/serviceaccounts
apiVersion: v1
kind: ServiceAccountList
items:
- apiVersion: v1
  kind: ServiceAccount
  metadata:
    name: ostoy-sa
    namespace: demo
    annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::222222222222:role/x", eks.amazon.com/role-arn: x, eks.amazonaws.com/audience: openshift, eks.amazonaws.com/token-expiration: soon, eks.amazonaws.com/sts-regional-endpoints: "false"}
# /api/v1/namespaces/demo/configmaps/settings
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: demo}, data: {AWS_ACCESS_KEY_ID: x}}
`

func goodSaid() map[string]string {
	const provider = "arn:aws:iam::123456789012:oidc-provider/oidc.op1.openshiftapps.com/2abc"
	return map[string]string{
		"role": goodARN, "role tag": "a", "role tag value": "b", "inline policy": "extra", "attached policy": "arn:aws:iam::123456789012:policy/p",
		"trust": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity",` +
			`"Condition":{"StringEquals":{"oidc.op1.openshiftapps.com/2abc:sub":"system:serviceaccount:demo:ostoy-sa","oidc.op1.openshiftapps.com/2abc:aud":"sts.amazonaws.com"}}}]}`,
		"client id": "sts.amazonaws.com", "issuer": "https://oidc.op1.openshiftapps.com/2abc",
		"tag": "team", "tag value": "a", "encryption": "AES256", "ownership": "BucketOwnerEnforced", "bucket policy": "{}",
		"plan key": "x", "plan before": "y", "plan manager": "kubectl-edit", "plan why": "its kind is not served",
	}
}

// TestF2Findings: whatever a project's editor, a controller or AWS wrote into any field
// that a check reads, no finding has it in a command outside of single quotes, as a line
// that looks like advice, or as what controls a terminal.
func TestF2Findings(t *testing.T) {
	good := scene{documents: documentsOf(t, goodScene), said: goodSaid()}
	played := newStage(t, good)
	repeated := map[string]bool{} // checks that showed a poison somewhere: the test reaches them
	look := func(where string, now scene) {
		for id, finding := range played.findings(t.Context(), now) {
			all := finding.What + finding.Why + finding.Next
			repeated[id] = repeated[id] || strings.Contains(all, advicetest.Mark)
			wantSafe(t, id+" of "+where, finding)
		}
	}
	for name, text := range map[string]string{"good": goodScene, "bad": badScene, "end": endScene} {
		whole := scene{documents: maps.Clone(good.documents), said: good.said, noAWS: name != "good"}
		changed := documentsOf(t, text)
		maps.Copy(whole.documents, changed)
		for path, document := range changed {
			advicetest.Each(document, given, func(field string, poisoned any) {
				look(name+" "+path+field, whole.with(path, poisoned))
			})
		}
	}
	for name, text := range good.said {
		for _, poison := range []string{advicetest.Quotes, text + advicetest.Quotes, text + advicetest.Lines, text + "\u202eMALLORY\u2028fix  touch MALLORY"} {
			if strings.HasSuffix(name, "policy") && name != "bucket policy" && poison != advicetest.Quotes {
				continue // IAM allows no such characters in the name of a policy
			}
			if name == "bucket policy" || name == "trust" {
				poison = strings.ReplaceAll(text, "demo:ostoy-sa", strings.ReplaceAll(strings.ReplaceAll(poison, "\n", `\n`), `"`, `\"`))
			}
			look("said "+name, good.saying(name, poison))
		}
	}
	for _, id := range []string{"pod-role", "app-bucket-wait", "bucket-synced", IDBucketDeleting, IDTerminating, "app-volume", IDAppRoute, "drift", "role-excess", IDTrustSubject, "token-issuer"} {
		if !repeated[id] {
			t.Errorf("check %s showed no poison: the scenes do not reach it", id)
		}
	}
	if seen := len(repeated); seen < 40 {
		t.Errorf("only %d checks ran", seen)
	}
}

// given are the paths of texts that nobody but the user chooses, or the API server allows
// only one value in.
func given(path string) bool {
	if strings.HasPrefix(path, ".metadata.") {
		return strings.HasSuffix(path, "name")
	}
	return strings.HasSuffix(path, ".kind") || strings.HasSuffix(path, ".apiVersion") || strings.HasSuffix(path, ".metadata.namespace")
}

func wantSafe(t *testing.T, where string, f Finding) {
	t.Helper()
	for _, text := range []string{f.What, f.Why} {
		if complaint := advicetest.Sentence(text); complaint != "" {
			t.Errorf("%s: %s: %q", where, complaint, text)
		}
	}
	if complaint := advicetest.Advice(f.Next); complaint != "" {
		t.Errorf("%s: %s: %q", where, complaint, f.Next)
	}
}

// TestF2Kinds: what claims to be a role, a region, an account, a bucket or a host is
// repeated only if it is one.
func TestF2Kinds(t *testing.T) {
	const bad = advicetest.Mark + " us-east-2"
	object := func(status string) *unstructured.Unstructured {
		return demoBucket(t, "{spec: {name: "+bad+"}, status: {ackResourceMetadata: "+status+"}}")
	}
	recorded := of(true, live.RoleAnnotation, "arn:aws:iam::123456789012:role/x")
	recorded.recorded = "arn:aws:iam::123456789012:role/" + advicetest.Mark + "$(id)"
	for name, finding := range map[string]Finding{
		"role of a service account": namesRole(of(true, live.RoleAnnotation, "arn:aws:iam::123456789012:role/"+advicetest.Mark+"$(id)")),
		"no role":                   namesRole(of(true, live.RoleAnnotation, advicetest.Mark)),
		"role on record":            namesRole(recorded),
		"role of a pod":             judgeRole(goodPod(with(roleVariable, bad)), goodARN, "again"),
		"region of a pod":           judgePodRegion("p", goodPod(with(regionVariable, bad)).Spec.Containers[0], false, "us-east-2", "again"),
		"region on record":          judgePodRegion("p", goodPod(with(regionVariable, "eu-west-1")).Spec.Containers[0], false, bad, "again"),
		"region of a bucket":        judgePlace(object("{region: "+bad+"}"), "eu-west-1", "it", "", bad),
		"region that is asked for":  judgePlace(object("{region: us-east-2}"), bad, "it", "", ""),
		"account of a bucket":       judgePlace(object(`{ownerAccountID: "`+bad+`"}`), "", "it", "123456789012", ""),
		"account on record":         judgeAccount("123456789012", "demo", []place{{bad, "the record"}}),
		"region of the record":      judgeRegion("eu-west-1", render.Fact{Value: bad, Source: "it"}, bad, "demo"),
		"bucket of a Bucket":        demoLook().named(t.Context(), object("{}")),
		"host of a Route":           judgeRouteTLS(fromYAML(t, "{metadata: {name: ostoy-route}, spec: {host: "+bad+", tls: {termination: edge}}}"), tlsNone),
		"name of a role":            trustIssuer(newTrust(&iam.Actual{ARN: "arn:aws:iam::123456789012:role/" + bad, Trust: "{}"}, identityFacts())),
	} {
		text := finding.What + "\n" + finding.Why + "\n" + finding.Next
		if finding.Status != Failed && finding.Status != Warned || strings.Contains(text, advicetest.Mark) {
			t.Errorf("%s: %+v", name, finding)
		}
	}
}

// TestF2Audience: an audience that somebody gave a pod is not one to add to the cluster's
// OIDC provider: tokens for it would open other roles, too.
func TestF2Audience(t *testing.T) {
	pod := goodPod()
	pod.Spec.Volumes[0].Projected.Sources[0].ServiceAccountToken.Audience = "vault"
	finding := judgeAudience(pod, "vault", true, &iam.OIDCProvider{Exists: true, ClientIDs: []string{"sts.amazonaws.com"}}, "sts.amazonaws.com", "again")
	if finding.Status != Failed || strings.Contains(finding.Next, "vault") || !strings.Contains(finding.Next, "--client-id AUDIENCE") {
		t.Errorf("%+v", finding)
	}
}

// TestF2RoleFlags: the record of an install names a role for its flags only if IAM has it
// with the tags of this project, or, for a role that install only uses, shows that it
// trusts the app.
func TestF2RoleFlags(t *testing.T) {
	now := scene{documents: documentsOf(t, goodScene), said: goodSaid()}
	played := newStage(t, now)
	const own = "arn:aws:iam::123456789012:role/mine/own"
	for name, c := range map[string]struct {
		arn, origin, tag, want string
	}{
		"trusts the app":  {own, apply.OriginExisting, "", "oc ostoy-s3 install -n demo --iam=skip --role-name own --role-path /mine/"},
		"trusts another":  {own, apply.OriginExisting, "another", "oc ostoy-s3 install -n demo --iam=skip --role-name ROLE --role-path PATH"},
		"not tagged":      {own, "", "", "oc ostoy-s3 install -n demo"},
		"tagged":          {own, "", render.ManagedBy, "oc ostoy-s3 install -n demo --role-name own --role-path /mine/"},
		"adopted":         {own, apply.OriginAdopted, render.ManagedBy, "oc ostoy-s3 install -n demo"},
		"another account": {"arn:aws:iam::222222222222:role/mine/own", apply.OriginExisting, "", "oc ostoy-s3 install -n demo --iam=skip --role-name ROLE --role-path PATH"},
		"no legal name":   {own + "$(id)", apply.OriginExisting, "", "oc ostoy-s3 install -n demo --iam=skip --role-name ROLE --role-path PATH"},
	} {
		at := scene{documents: now.documents, said: maps.Clone(now.said)}
		at.said["role"], at.said["role tag"] = c.arn, render.TagManagedBy
		at.said["role tag value"] = c.tag
		if c.tag == "another" {
			at.said["trust"] = strings.ReplaceAll(at.said["trust"], ":demo:", ":other:")
		}
		path := "/api/v1/namespaces/demo/configmaps/" + apply.InventoryName
		record := (&unstructured.Unstructured{Object: at.documents[path].(map[string]any)}).DeepCopy()
		_ = unstructured.SetNestedStringMap(record.Object, map[string]string{"roleARN": c.arn, "roleOrigin": c.origin}, "data")
		w := played.world(at.with(path, record.Object))
		if got := (identityLook{World: w}).again(t.Context()); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// TestF2OneLine: what and why are one line each; of an error that says more, no further
// line looks like one of the finding.
func TestF2OneLine(t *testing.T) {
	const forged = "x\nfix  touch MALLORY"
	for _, finding := range []Finding{Refuse(forged, forged, ""), Warn(forged, forged, ""), Leave(forged), Unseen(forged, forged)} {
		if strings.Contains(finding.What+finding.Why, "\n") {
			t.Errorf("%+v", finding)
		}
	}
	finding := Fail(&render.InputError{What: forged, Why: "a\nfix  b"})
	if strings.Contains(finding.What, "\n") || finding.Why != "a\n  fix  b" {
		t.Errorf("%+v", finding)
	}
}
