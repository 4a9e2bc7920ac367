package health

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	j, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(j); err != nil {
		t.Fatal(err)
	}
	return obj
}

const bucketHead = `
apiVersion: s3.services.k8s.aws/v1alpha1
kind: Bucket
metadata:
  name: demo-bucket
  namespace: demo
  uid: b1
  generation: 1
  annotations: {services.k8s.aws/region: us-east-2}
spec: {name: demo-bucket}
`

func bucketWith(t *testing.T, status string) *unstructured.Unstructured {
	return parse(t, bucketHead+status)
}

// conds writes a status as the ACK controller does: "Type=Status|message|reason".
func conds(lines ...string) string {
	out := "status:\n  conditions:\n"
	for _, l := range lines {
		head, rest, _ := strings.Cut(l, "|")
		msg, reason, _ := strings.Cut(rest, "|")
		typ, status, _ := strings.Cut(head, "=")
		out += "  - {type: " + typ + `, status: "` + status + `", message: '` + msg + `', reason: '` + reason + "'}\n"
	}
	return out
}

const (
	unsure   = "ACK.ResourceSynced=Unknown|Unable to determine if desired resource state matches latest observed state|"
	notReady = "Ready=False|x|ACK.Recoverable"
)

// TestBucketState has the conditions that the controller (v1.10) was seen to write, and
// those that its source has besides.
func TestBucketState(t *testing.T) {
	deleting := strings.Replace(bucketHead, "uid: b1", "uid: b1\n  deletionTimestamp: \"2026-01-01T00:00:00Z\"", 1)
	for name, tt := range map[string]struct {
		obj   string
		ready bool
		now   Level         // at once
		end   Level         // once it has lasted
		after time.Duration // for how long
		parts string
	}{
		"synced":           {bucketHead + conds("ACK.LateInitialized=True|Late initialization successful|", "ACK.ResourceSynced=True|Resource synced successfully|", "Ready=True|Resource synced successfully|"), true, Info, Info, 0, "synced"},
		"old controller":   {bucketHead + conds("ACK.ResourceSynced=True|Resource synced successfully|"), true, Info, Info, 0, "synced"},
		"old, not yet":     {bucketHead + conds("ACK.ResourceSynced=False|bucket created, requeue for updates|"), false, Info, Warn, UnfinishedAfter, "has not updated the Bucket's status"},
		"unfinished":       {bucketHead + conds("ACK.Recoverable=True|Reconciling to sync additional fields|", "Ready=False||"), false, Info, Warn, UnfinishedAfter, "has not updated the Bucket's status"},
		"on its way":       {bucketHead + conds("ACK.ResourceSynced=False|bucket created, requeue for updates|", "ACK.Recoverable=True|requeue|", "Ready=False||"), false, Info, Warn, 5 * time.Second, "requeue"},
		"synced not ready": {bucketHead + conds("ACK.ResourceSynced=True||", "Ready=False||"), false, Info, Info, 0, "being made"},
		"exists":           {bucketHead + conds("ACK.Terminal=True|Resource already exists|This resource already exists but is not managed by ACK.", "ACK.ResourceSynced=False|Resource not synced|", "Ready=False|Resource already exists|ACK.Terminal"), false, Fail, Fail, 0, "Resource already exists"},
		"another account":  {bucketHead + conds("ACK.Recoverable=True|BucketAlreadyExists: The requested bucket name is not available. The bucket namespace is shared.|", unsure, notReady), false, Fail, Fail, 0, "another AWS account"},
		"invalid name":     {bucketHead + conds("ACK.Recoverable=True|api error InvalidBucketName: The specified bucket is not valid.|", unsure, notReady), false, Fail, Fail, 0, "InvalidBucketName"},
		"denied":           {bucketHead + conds("ACK.Recoverable=True|api error AccessDenied: Access Denied|", "ACK.ResourceSynced=Unknown|Unable|operation error S3: CreateBucket, https response error StatusCode: 403, api error AccessDenied", notReady), false, Warn, Fail, deniedGrace, "s3:CreateBucket"},
		"denied for good":  {bucketHead + conds(`ACK.Recoverable=True|api error AccessDenied: User: arn:aws:sts::123456789012:assumed-role/ack/x is not authorized to perform: s3:PutBucketPublicAccessBlock on resource: "arn:aws:s3:::demo-bucket" with an explicit deny in a service control policy|`, unsure, notReady), false, Fail, Fail, 0, "may not make s3:PutBucketPublicAccessBlock: AccessDenied: a policy of the AWS organization forbids it"},
		"denied, given up": {bucketHead + conds(`ACK.Terminal=True|AccessDenied: User: x is not authorized to perform: s3:CreateBucket on resource: "y" with an explicit deny in a permissions boundary|`), false, Fail, Fail, 0, "may not make s3:CreateBucket: AccessDenied: the controller's permissions boundary forbids it"},
		"no role":          {bucketHead + conds("ACK.Recoverable=True|api error AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity|", unsure, notReady), false, Warn, Fail, deniedGrace, "may not make sts:AssumeRoleWithWebIdentity"},
		"controller down":  {bucketHead, false, Info, Warn, 30 * time.Second, "not running"},
		"adopt, missing":   {bucketHead + "status: {ackResourceMetadata: {region: us-east-2}}", false, Info, Warn, 30 * time.Second, "30 s"},
		"not empty":        {deleting + conds("ACK.ResourceSynced=True||", "Ready=True||", "ACK.Recoverable=True|api error BucketNotEmpty: The bucket you tried to delete is not empty|"), false, Fail, Fail, 0, "BucketNotEmpty"},
		"being deleted":    {deleting + conds("Ready=True||"), false, Fail, Fail, 0, "being deleted"},
		"bogus policy":     {bucketHead + conds(`ACK.Terminal=True|unrecognized adoption policy bogus. Supported policies are "adopt" and "adopt-or-create"|`), false, Fail, Fail, 0, "adoption policy"},
		"no CARM role":     {bucketHead + conds("ACK.ResourceSynced=Unknown|IAM Role is not available|x", notReady), false, Fail, Fail, 0, "IAM Role is not available"},
		"wrong region":     {bucketHead + conds("ACK.Terminal=True|PermanentRedirect: x|"), false, Fail, Fail, 0, "PermanentRedirect"},
		"region drift":     {bucketHead + "status: {ackResourceMetadata: {region: us-west-2}, conditions: [{type: Ready, status: \"True\"}]}", false, Fail, Fail, 0, "us-west-2"},
		"throttled":        {bucketHead + conds("ACK.Recoverable=True|SlowDown: reduce|", unsure, notReady), false, Info, Warn, 5 * time.Second, "SlowDown"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Bucket(parse(t, tt.obj), nil, false, Around{})
			end := s.Settled()
			if s.Ready != tt.ready || s.Level != tt.now || end.Level != tt.end || s.After != tt.after {
				t.Errorf("%+v, then %+v", s, end)
			}
			if !strings.Contains(end.Text, tt.parts) {
				t.Errorf("%q is not in %q", tt.parts, end.Text)
			}
			if end.Level != Info && end.Hint == "" {
				t.Errorf("no hint: %+v", end)
			}
		})
	}
}

func TestBucketOldConditions(t *testing.T) {
	ready := bucketWith(t, conds("Ready=True|ok|"))
	failed := bucketWith(t, conds("ACK.Terminal=True|Resource already exists|"))
	for name, tt := range map[string]struct {
		obj, before *unstructured.Unstructured
		written     bool
		after       time.Duration
	}{
		"not written":      {ready, ready, false, 0},
		"old ready":        {ready, ready, true, oldReadyGrace},
		"old failure":      {failed, failed, true, oldFailureGrace},
		"new ready":        {ready, failed, true, 0},
		"new after create": {failed, bucketWith(t, ""), true, 0},
	} {
		s := Bucket(tt.obj, Conditions(tt.before), tt.written, Around{})
		if s.After != tt.after || tt.after > 0 && (s.Ready || s.Level != Info) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

const deploymentHead = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ostoy-frontend, namespace: demo, uid: d1, generation: 2}
spec:
  replicas: 1
  selector: {matchLabels: {app: ostoy-frontend}}
`

func TestDeploymentState(t *testing.T) {
	failure := func(msg string) string {
		return "status: {observedGeneration: 2, conditions: [{type: ReplicaFailure, status: \"True\", reason: FailedCreate, message: '" + msg + "'}]}"
	}
	for name, tt := range map[string]struct {
		status string
		ready  bool
		end    Level
		after  time.Duration
		parts  string
	}{
		"new":             {"", false, Info, 0, "deployment controller"},
		"old status":      {"status: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1}", false, Info, 0, "deployment controller"},
		"available":       {"status: {observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1}", true, Info, 0, "1 of 1 available"},
		"old pod there":   {"status: {observedGeneration: 2, replicas: 2, updatedReplicas: 1, availableReplicas: 2}", false, Info, 0, "1 of 1"},
		"not updated":     {"status: {observedGeneration: 2, replicas: 1, availableReplicas: 1}", false, Info, 0, "0 of 1"},
		"deadline":        {"status: {observedGeneration: 2, replicas: 1, updatedReplicas: 1, conditions: [{type: Progressing, status: \"False\", reason: ProgressDeadlineExceeded}]}", false, Fail, 0, "deadline"},
		"quota":           {failure(`pods "x" is forbidden: exceeded quota: q, requested: pods=1`), false, Fail, deniedGrace, "exceeded quota: q"},
		"pod security":    {failure(`pods "x" is forbidden: violates PodSecurity "restricted:latest"`), false, Fail, deniedGrace, "violates PodSecurity"},
		"scc":             {failure(`pods "x" is forbidden: unable to validate against any security context constraint: []`), false, Fail, deniedGrace, "security context constraint"},
		"webhook is down": {failure(`Internal error occurred: failed calling webhook "x.example.com": connection refused`), false, Warn, 0, "tries again"},
		"webhook denies":  {failure(`admission webhook "x.example.com" denied the request: no`), false, Fail, createFailedGrace, "denied the request"},
		"service account": {failure(`pods "x" is forbidden: error looking up service account demo/ostoy-sa`), false, Fail, createFailedGrace, "service account"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Deployment(parse(t, deploymentHead+tt.status), nil, Around{})
			end := s.Settled()
			if s.Ready != tt.ready || end.Level != tt.end || s.After != tt.after || !strings.Contains(end.Text, tt.parts) {
				t.Errorf("%+v, then %+v", s, end)
			}
			if end.Level == Fail && end.Hint == "" {
				t.Error("no hint")
			}
		})
	}
}

func podWith(t *testing.T, status string) *unstructured.Unstructured {
	return parse(t, `
apiVersion: v1
kind: Pod
metadata:
  name: ostoy-frontend-abc-1
  namespace: demo
  uid: p1
  creationTimestamp: "2026-01-01T00:00:00Z"
  labels: {app: ostoy-frontend, pod-template-hash: abc}
status:
`+status)
}

func TestPodState(t *testing.T) {
	waiting := func(reason, msg string) string {
		return `  containerStatuses: [{name: ostoy-frontend, image: "q.io/x:1", state: {waiting: {reason: ` + reason + `, message: '` + msg + `'}}}]`
	}
	looking := func(state, last string) string {
		return `  initContainerStatuses: [{name: wait-for-bucket, image: "q.io/x:1", state: ` + state + `, lastState: ` + last + `}]`
	}
	gave := func(msg string) string {
		return `{terminated: {exitCode: 1, finishedAt: "2026-01-01T00:01:00Z", message: '` + msg + `'}}`
	}
	running := `{running: {startedAt: "2026-01-01T00:00:00Z"}}`
	for name, tt := range map[string]struct {
		status string
		bucket bool
		now    Level
		end    Level
		after  time.Duration
		parts  string
	}{
		"unschedulable":     {`  conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: "0/3 nodes are available: 3 Insufficient cpu."}]`, true, Warn, Warn, 0, "Insufficient cpu"},
		"no node fits":      {`  conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."}]`, true, Warn, Fail, noNodeGrace, "didn't match"},
		"gated":             {`  conditions: [{type: PodScheduled, status: "False", reason: SchedulingGated}]`, true, Info, Info, 0, ""},
		"pull":              {waiting("ErrImagePull", "not found"), true, Warn, Fail, imageGrace, "q.io/x:1 cannot be pulled: it does not exist in the registry (not found)"},
		"pull, passes":      {waiting("ErrImagePull", "received unexpected HTTP status: 502 Bad Gateway"), true, Warn, Warn, 0, "waiting for the registry: the image q.io/x:1 cannot be pulled: the registry has an error of its own (received unexpected HTTP status: 502 Bad Gateway)"},
		"no reason told":    {waiting("ImagePullBackOff", `Back-off pulling image "q.io/x:1"`), true, Warn, Fail, pullPause, "cannot be pulled: Back-off pulling image"},
		"signature":         {waiting("SignatureValidationFailed", "x"), true, Warn, Fail, imageGrace, "settings of the nodes"},
		"pull backs off":    {waiting("ImagePullBackOff", `Back-off pulling image "q.io/x:1": ErrImagePull: reading manifest 1 in q.io/x: manifest unknown`), true, Warn, Fail, imageGrace, "(reading manifest 1 in q.io/x: manifest unknown)"},
		"image name":        {waiting("InvalidImageName", ""), true, Fail, Fail, 0, "not valid"},
		"secret missing":    {waiting("CreateContainerConfigError", `secret "ostoy-secret-env" not found`), true, Warn, Fail, configGrace, `secret "ostoy-secret-env" not found`},
		"cannot start":      {waiting("RunContainerError", "exec: no such file or directory"), true, Warn, Fail, createFailedGrace, "exec"},
		"starts later":      {waiting("CreateContainerError", "context deadline exceeded"), true, Warn, Warn, 0, "deadline exceeded; kubelet tries again"},
		"cache behind":      {waiting("CreateContainerConfigError", "failed to sync secret cache: timed out waiting for the condition"), true, Warn, Warn, 0, "timed out"},
		"creating":          {waiting("ContainerCreating", ""), true, Info, Warn, startGrace, "not started yet"},
		"unknown":           {waiting("SomethingNew", "text"), true, Warn, Warn, 0, "SomethingNew: text"},
		"one crash":         {`  containerStatuses: [{name: a, restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}}]`, true, Warn, Warn, 0, "exit code 137, OOMKilled"},
		"crash loop":        {`  containerStatuses: [{name: a, restartCount: 3, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, message: "boom\nbang"}}}]`, true, Fail, Fail, 0, "crashed 3 times: boom bang"},
		"ended":             {`  containerStatuses: [{name: a, state: {terminated: {exitCode: 2}}}]`, true, Warn, Warn, 0, "exit code 2"},
		"not ready":         {`  containerStatuses: [{name: a, ready: false, state: {running: {}}}]`, true, Info, Info, 0, "a is starting"},
		"runs":              {`  containerStatuses: [{name: a, ready: true, state: {running: {}}}]`, true, Info, Info, 0, ""},
		"init done":         {`  initContainerStatuses: [{name: i, state: {terminated: {exitCode: 0}}}]`, true, Info, Info, 0, ""},
		"looking":           {looking(running, "{}"), false, Info, Info, 0, "looking for the bucket"},
		"looking, it is":    {looking(running, "{}"), true, Info, Warn, 5 * time.Second, "IAM is still spreading"},
		"found":             {looking("{terminated: {exitCode: 0}}", gave("NotFound from HeadBucket")), true, Info, Info, 0, ""},
		"found after crash": {looking("{terminated: {exitCode: 0}}", gave("Forbidden from HeadBucket")), true, Info, Info, 0, ""},
		"gave up":           {looking(gave("AccessDenied from AssumeRoleWithWebIdentity on demo-bucket: no (for 60 s)."), "{}"), true, Fail, Fail, 0, "AccessDenied from AssumeRole"},
		"gave up, again":    {looking("{waiting: {reason: CrashLoopBackOff}}", gave("Forbidden from HeadBucket")), true, Fail, Fail, 0, "wait-for-bucket: Forbidden"},
		"denied for good":   {looking(gave(`Forbidden from HeadBucket demo-bucket: User: x is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::demo-bucket" with an explicit deny in a resource-based policy. This does not pass by waiting.`), "{}"), true, Fail, Fail, 0, "explicit deny in a resource-based policy"},
		"no bucket yet":     {looking("{waiting: {reason: CrashLoopBackOff}}", gave("NotFound from HeadBucket")), false, Warn, Warn, 0, "NotFound"},
		"not for this pod":  {looking("{waiting: {reason: CrashLoopBackOff}}", gave("NotFound from HeadBucket")), true, Warn, Fail, spreadGrace, "NotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Pod(podWith(t, tt.status), Around{BucketReady: tt.bucket})
			end := s.Settled()
			if s.Level != tt.now || end.Level != tt.end || s.After != tt.after || !strings.Contains(end.Text, tt.parts) || tt.parts == "" && end.Text != "" {
				t.Errorf("%+v, then %+v", s, end)
			}
			if end.Level == Fail && end.Hint == "" {
				t.Error("no hint")
			}
		})
	}
}

// TestGaveUpForGood: install does not change what a policy of others denies.
func TestGaveUpForGood(t *testing.T) {
	for words, want := range map[string]string{
		"with an explicit deny in a service control policy":         "who administers the AWS organization",
		"with an explicit deny in a permissions boundary":           "owns the permissions boundary of the role",
		"because no identity-based policy allows the x:Y action":    "to restore role and trust policy: CHANGE IN GIT",
		"because no permissions boundary allows the s3:List action": "to restore role and trust policy: CHANGE IN GIT",
	} {
		pod := podWith(t, `  initContainerStatuses: [{name: wait-for-bucket, state: {terminated: {exitCode: 1, finishedAt: "2026-01-01T00:01:00Z", message: "AccessDenied from AssumeRoleWithWebIdentity r: User: x is not authorized to perform: s3:ListBucket on resource: y `+words+`"}}}]`)
		s := Pod(pod, Around{BucketReady: true, Install: byArgo})
		if s.Level != Fail || !strings.Contains(s.Hint, want) || strings.Contains(s.Hint, "GIT") != strings.Contains(want, "GIT") {
			t.Errorf("%s: %+v", words, s)
		}
		made := Pod(pod, Around{BucketReady: true, Install: byArgo, Role: func() string { return "HAVE IT MADE" }})
		if strings.Contains(made.Hint, "GIT") || strings.Contains(made.Hint, "HAVE IT MADE") != strings.Contains(want, "GIT") {
			t.Errorf("%s, of a role that another tool makes: %+v", words, made)
		}
	}
}

func TestOldGiveUpIsNoResult(t *testing.T) {
	pod := podWith(t, `  initContainerStatuses: [{name: wait-for-bucket, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, finishedAt: "2026-01-01T00:01:00Z", message: Forbidden}}}]`)
	before := map[string]string{string(pod.GetUID()): "2026-01-01T00:01:00Z"}
	in := Around{BucketReady: true, GaveUpBefore: func(pod *unstructured.Unstructured, finished string) bool {
		return before[string(pod.GetUID())] == finished
	}}
	if s := Pod(pod, in); s.Level != Warn {
		t.Errorf("%+v", s)
	}
	// A pod that was not there as the wait began has given up in it, even if
	// nothing of it was seen before.
	pod.SetUID("made-in-the-wait")
	if s := Pod(pod, in); s.Level != Fail {
		t.Errorf("%+v", s)
	}
	later := podWith(t, `  initContainerStatuses: [{name: wait-for-bucket, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, finishedAt: "2026-01-01T00:05:00Z", message: Forbidden}}}]`)
	if s := Pod(later, in); s.Level != Fail {
		t.Errorf("%+v", s)
	}
}

func TestCurrentPods(t *testing.T) {
	d := parse(t, deploymentHead)
	pod := func(name, hash, created string, change func(*unstructured.Unstructured)) *unstructured.Unstructured {
		p := podWith(t, "  phase: Running")
		p.SetName(name)
		p.SetLabels(map[string]string{"app": "ostoy-frontend", "pod-template-hash": hash})
		_ = unstructured.SetNestedField(p.Object, created, "metadata", "creationTimestamp")
		if change != nil {
			change(p)
		}
		return p
	}
	got := CurrentPods(d, []*unstructured.Unstructured{
		pod("old", "a", "2026-01-01T00:00:00Z", nil),
		pod("new", "b", "2026-01-02T00:00:00Z", nil),
		pod("evicted", "b", "2026-01-02T00:00:00Z", func(p *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(p.Object, "Failed", "status", "phase")
		}),
		pod("going", "c", "2026-01-03T00:00:00Z", func(p *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(p.Object, "2026-01-03T00:00:00Z", "metadata", "deletionTimestamp")
		}),
		pod("other", "d", "2026-01-04T00:00:00Z", func(p *unstructured.Unstructured) {
			p.SetLabels(map[string]string{"app": "x", "pod-template-hash": "d"})
		}),
	})
	if len(got) != 1 || got[0].GetName() != "new" {
		t.Errorf("%v", got)
	}
}

func TestVolumeAndRoutes(t *testing.T) {
	pvc := "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: ostoy-pvc, namespace: demo}\n"
	route := "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: r, namespace: demo}\n"
	ing := "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i, namespace: demo}\n"
	volume := func(obj *unstructured.Unstructured) State { return Volume(obj, nil, Around{}) }
	for name, tt := range map[string]struct {
		judge func(*unstructured.Unstructured) State
		obj   string
		ready bool
		end   Level
		after time.Duration
		parts string
		url   string
	}{
		"bound":      {volume, pvc + "status: {phase: Bound}", true, Info, 0, "bound", ""},
		"first pod":  {volume, pvc + "spec: {storageClassName: gp3-csi}\nstatus: {phase: Pending}", false, Info, 0, "(class gp3-csi)", ""},
		"no class":   {volume, pvc + "spec: {accessModes: [ReadWriteOnce]}\nstatus: {phase: Pending}", false, Fail, deniedGrace, "no storage class", ""},
		"lost":       {volume, pvc + "spec: {volumeName: pv1}\nstatus: {phase: Lost}", false, Fail, 0, "pv1", ""},
		"admitted":   {Route, route + "spec: {host: a.example.com}\nstatus: {ingress: [{host: b.example.com, conditions: [{type: Admitted, status: \"True\"}]}]}", true, Info, 0, "admitted", "http://b.example.com"},
		"tls":        {Route, route + "spec: {host: a.example.com, tls: {termination: edge}}\nstatus: {ingress: [{conditions: [{type: Admitted, status: \"True\"}]}]}", true, Info, 0, "admitted", "https://a.example.com"},
		"no router":  {Route, route + "spec: {host: a.example.com}", false, Info, 0, "waiting for a router", ""},
		"claimed":    {Route, route + "status: {ingress: [{conditions: [{type: Admitted, status: \"False\", reason: HostAlreadyClaimed, message: x}]}]}", false, Fail, 0, "HostAlreadyClaimed", ""},
		"refused":    {Route, route + "status: {ingress: [{conditions: [{type: Admitted, status: \"False\", reason: Other, message: x}]}]}", false, Fail, deniedGrace, "Other: x", ""},
		"ingress":    {Ingress, ing + "spec: {rules: [{host: a.example.com}]}", true, Info, 0, "there", "http://a.example.com"},
		"by address": {Ingress, ing + "spec: {tls: [{}]}\nstatus: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}", true, Info, 0, "there", "https://192.0.2.1"},
		"no address": {Ingress, ing + "spec: {}", true, Info, 0, "without an address", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := tt.judge(parse(t, tt.obj))
			end := s.Settled()
			if s.Ready != tt.ready || end.Level != tt.end || s.After != tt.after || s.URL != tt.url || !strings.Contains(end.Text, tt.parts) {
				t.Errorf("%+v, then %+v", s, end)
			}
			// A volume's class can be chosen, a Route's host cannot.
			if strings.Contains(end.Hint, "--set") && !strings.Contains(end.Hint, "--set storage.storageClassName=") {
				t.Errorf("names no value of the chart: %s", end.Hint)
			}
		})
	}
}
