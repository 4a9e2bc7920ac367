package check_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// rule is a rule of a project under which the app cannot be created.
type rule struct {
	name  string
	check string   // that finds it
	says  []string // what the finding names: the object, the rule
	// makes is the rule, as the objects that it consists of; NS is the project.
	makes string
	// cure are flags under which the rule accepts the app; none if the finding cannot name
	// any. The finding names the first.
	cure []string
	// flags are those of the run that finds it.
	flags []string
}

func quotaOf(name, hard string, objects ...string) rule {
	return rule{
		name: name, check: "quota", says: append([]string{"ResourceQuota small allows"}, objects...),
		makes: "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: small, namespace: NS}\nspec: {hard: {" + hard + "}}\n",
	}
}

func limitOf(name, limit string, cure []string, objects ...string) rule {
	return rule{
		name: name, check: "limits", says: append([]string{"LimitRange bounds refuses"}, objects...), cure: cure,
		makes: "apiVersion: v1\nkind: LimitRange\nmetadata: {name: bounds, namespace: NS}\nspec: {limits: [" + limit + "]}\n",
	}
}

// policyOf is an admission policy of the project for some resources.
func policyOf(name, resources, expression, message string, cure []string, objects ...string) rule {
	return rule{
		name: name, check: "admission", says: append([]string{"ValidatingAdmissionPolicy NS-rule (binding NS-rule)"}, objects...), cure: cure,
		makes: `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: NS-rule}
spec:
  failurePolicy: Fail
  matchConstraints: {resourceRules: [{apiGroups: ["*"], apiVersions: ["*"], operations: [CREATE, UPDATE], resources: [` + resources + `], scope: Namespaced}]}
  matchConditions: [{name: people, expression: "request.userInfo.username.startsWith('system:serviceaccount:kube-system:') == false && request.resource.resource != 'endpointslices'"}]
  validations: [{expression: "` + expression + `"` + message + `}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: NS-rule}
spec:
  policyName: NS-rule
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NS}}}
`,
	}
}

const hasTeam = "has(object.metadata.labels) && 'team' in object.metadata.labels"

func rules() []rule {
	class := quotaOf("storage of a class", "gp3-csi.storageclass.storage.k8s.io/requests.storage: 100Mi", "PersistentVolumeClaim ostoy-pvc")
	class.cure = []string{"--set", "storage.size=50Mi"}
	return []rule{
		quotaOf("services together", "count/services: 1", "count/services", "Service ostoy-frontend-svc, Service ostoy-microservice-svc"),
		quotaOf("deployments", "count/deployments.apps: 1", "count/deployments.apps", "Deployment ostoy-frontend"),
		quotaOf("replica sets", "count/replicasets.apps: 1", "Deployment ostoy-frontend"),
		quotaOf("buckets", "count/buckets.s3.services.k8s.aws: 0", "Bucket NS-bucket"),
		quotaOf("secrets", "secrets: 1", "Secret ostoy-secret"),
		quotaOf("pods", "pods: 1", "Deployment ostoy-frontend"),
		quotaOf("limits", "limits.cpu: 100m", "limits.cpu", "--set frontend.resources.limits.cpu=AMOUNT"),
		quotaOf("requests", "requests.memory: 300Mi", "requests.memory"),
		quotaOf("volumes", "persistentvolumeclaims: 0", "PersistentVolumeClaim ostoy-pvc"),
		class,
		{
			name: "of the cluster", check: "quota", says: []string{"ClusterResourceQuota team allows 1 of pods, 1 is used by others"},
			makes: "apiVersion: quota.openshift.io/v1\nkind: AppliedClusterResourceQuota\nmetadata: {name: team, namespace: NS}\nspec: {quota: {hard: {pods: \"1\"}}}\nstatus: {total: {hard: {pods: \"1\"}, used: {pods: \"1\"}}}\n",
		},
		limitOf("maximum", "{type: Container, max: {cpu: 50m}}", []string{"--set", "frontend.resources.requests.cpu=50m", "--set", "frontend.resources.limits.cpu=50m", "--set", "microservice.resources.limits.cpu=50m"}, "container ostoy-frontend", "limits.cpu is 200m"),
		limitOf("minimum", "{type: Container, min: {memory: 1Gi}}", nil, "the minimum per Container is 1Gi"),
		limitOf("maximum of a pod", "{type: Pod, max: {memory: 300Mi}}", []string{"--set", "frontend.resources.limits.memory=300Mi"}, "the maximum per Pod is 300Mi"),
		limitOf("ratio", "{type: Container, maxLimitRequestRatio: {cpu: 1}}", nil, "at most 1 times the request"),
		limitOf("small volumes", "{type: PersistentVolumeClaim, min: {storage: 5Gi}}", []string{"--set", "storage.size=5Gi"}, "PersistentVolumeClaim ostoy-pvc", "the minimum is 5Gi"),
		policyOf("a label", `"*"`, hasTeam, ", message: 'every object needs the label team'", []string{"--set", "commonLabels.team=VALUE"}, "ConfigMap ostoy-s3", "Deployment ostoy-frontend", "the pods of Deployment ostoy-microservice", "Bucket NS-bucket"),
		policyOf("a label of pods", "pods", hasTeam, "", []string{"--set", "podLabels.team=VALUE"}, "the pods of Deployment ostoy-frontend"),
		policyOf("an annotation of Services", "services", "has(object.metadata.annotations) && 'example.com/owner' in object.metadata.annotations", "", []string{"--set", `commonAnnotations.example\.com/owner=VALUE`}, "Service ostoy-frontend-svc, Service ostoy-microservice-svc"),
		{
			name: "no such class", check: "storage-class", says: []string{"no storage class fast", "PersistentVolumeClaim ostoy-pvc"}, flags: []string{"--set", "storage.storageClassName=fast"},
			makes: "{}", cure: nil,
		},
	}
}

// TestRules: what the rules of a project refuse is found before the role is created, for a
// cluster admin and for a project admin, with the object, the rule and the cure; the cure
// works.
func TestRules(t *testing.T) {
	t.Parallel()
	bed := start(t, testbed.Options{Platform: testbed.ROSAHCP})
	for n, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			namespace := fmt.Sprintf("rule-%d", n)
			admin, learner := run.Admin(bed), run.ProjectAdmin(t, bed, "learner-"+namespace)
			world.NewNamespace(t, bed, namespace, "learner-"+namespace)
			if r.makes != "{}" {
				must(t, bed.Apply(t.Context(), strings.ReplaceAll(r.makes, "NS", namespace)))
			}
			for _, user := range []run.User{admin, learner} {
				r.wantFound(t, user, namespace)
			}
			before := world.Look(t, bed, namespace)
			for _, user := range []run.User{admin, learner} {
				user.Run(t, append([]string{"install", "-n", namespace}, r.flags...)...).WantCode(t, 4).WantTalk(t, append(r.named(namespace), "nothing was changed")...)
			}
			before.WantSame(t, world.Look(t, bed, namespace))
			if len(r.cure) > 0 {
				user := learner
				user.Run(t, append([]string{"install", "-n", namespace, "--verify=false"}, r.cure...)...).WantCode(t, 0)
				user.Run(t, "uninstall", "-n", namespace, "--yes").WantCode(t, 0)
			}
		})
	}
}

func (r rule) named(namespace string) []string {
	var all []string
	for _, one := range r.says {
		all = append(all, strings.ReplaceAll(one, "NS", namespace))
	}
	return all
}

// wantFound looks until a rule that was made a moment ago is in force: admission plugins
// learn of it through caches of their own.
func (r rule) wantFound(t *testing.T, user run.User, namespace string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		result := user.Run(t, append([]string{"check", "--pre", "-n", namespace, "-o", "json"}, r.flags...)...)
		complaint := r.missing(result, namespace)
		if complaint == "" {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%s\n%s", complaint, result)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (r rule) missing(result run.Result, namespace string) string {
	var document struct{ Checks []outcome }
	if err := json.Unmarshal([]byte(result.Stdout), &document); err != nil {
		return "no document: " + err.Error()
	}
	for _, o := range document.Checks {
		text := o.What + "\n" + o.Why + "\n" + o.Next
		switch {
		case o.ID != r.check && o.Status == "failed":
			return o.ID + " failed, too"
		case o.ID != r.check:
			continue
		case o.Status != "failed" || result.Code != 4:
			return "it is " + o.Status
		}
		wants := r.named(namespace)
		if len(r.cure) > 0 && r.check != "quota" {
			wants = append(wants, r.cure[1])
		}
		if at := slices.IndexFunc(wants, func(want string) bool { return !strings.Contains(text, want) }); at >= 0 {
			return "it does not say " + wants[at]
		}
	}
	return ""
}
