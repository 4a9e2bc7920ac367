package uninstall

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

// TestRun: everything goes in the safe order, but for data and the project, which are kept
// with the command that removes them.
func TestRun(t *testing.T) {
	p := newPlayed(t)
	p.request.Output = session.FormatJSON
	if err := Run(t.Context(), p.session, p.request); err != nil {
		t.Fatalf("%v\n%s", err, p.talk)
	}
	if got, want := p.gone(), "Deployment, ServiceAccount, Bucket, S3 bucket, role, ConfigMap"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var document struct {
		Removed, Kept, Left []struct{ Object, Next string }
	}
	if err := json.Unmarshal(p.out.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	if len(document.Removed) != 6 || len(document.Left) != 0 || len(document.Kept) != 2 ||
		document.Kept[0].Next != "oc ostoy-s3 uninstall -n demo --delete-data --oidc-issuer "+issuer ||
		document.Kept[1].Next != "oc ostoy-s3 uninstall -n demo --delete-namespace --oidc-issuer "+issuer {
		t.Errorf("%s", p.out)
	}
	for _, text := range []string{"to remove", "removed  ServiceAccount, Deployment, Bucket object, bucket demo-bucket", "it is data"} {
		if !strings.Contains(p.talk.String(), text) {
			t.Errorf("%s\ndoes not say %q", p.talk, text)
		}
	}
}

// TestRunKeepsOrder: what is kept on purpose or could not be removed decides about what
// comes after it.
func TestRunKeepsOrder(t *testing.T) {
	for name, c := range map[string]struct {
		with func(*played)
		gone string
		kind problem.Kind // 0: no error
		says string
	}{
		"a bucket with data": {func(p *played) { p.contains(anObject) }, "Deployment, ServiceAccount, Bucket, role, ConfigMap", 0, "1 object, 5 B"},
		"--keep-bucket --keep-role": {
			func(p *played) { p.request.KeepBucket, p.request.KeepRole = true, true },
			"Deployment, ServiceAccount, Bucket, ConfigMap", 0, "--keep-bucket",
		},
		"--role-only": {func(p *played) { p.request.RoleOnly = true }, "role", 0, "removed  role"},
		"--delete-data and the project": {func(p *played) {
			p.everything()
		}, "Deployment, ServiceAccount, Bucket, S3 bucket, PersistentVolumeClaim, role, ConfigMap, Namespace", 0, "volume ostoy-pvc"},
		"--delete-namespace, and data": {
			func(p *played) { p.request.DeleteNamespace = true },
			"Deployment, ServiceAccount, Bucket, S3 bucket, role, ConfigMap", 0, "it holds volume ostoy-pvc, which is data",
		},
		"others in the project": {func(p *played) {
			p.everything()
			p.request.DryRun = true
			p.putTheirs()
		}, "", 0, "others have something in it: Secret theirs"},
		"others in the project since": {func(p *played) {
			p.everything()
			p.aws.Handle("DeleteRole", func(http.ResponseWriter, *http.Request) { p.putTheirs() })
		}, "Deployment, ServiceAccount, Bucket, S3 bucket, PersistentVolumeClaim, ConfigMap", 0, "others have something in it: Secret theirs"},
		"an answer is lost": {func(p *played) {
			p.everything()
			p.cluster.Handle("DELETE /api/v1/namespaces/demo", func(w http.ResponseWriter, _ *http.Request) {
				p.remove("/api/v1/namespaces/demo", "Namespace")
				answer(w, http.StatusConflict, metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonConflict, Code: http.StatusConflict})
			})
		}, "Deployment, ServiceAccount, Bucket, S3 bucket, PersistentVolumeClaim, role, ConfigMap, Namespace", 0, "project demo"},
		"an inventory that is hidden in a project that does not exist": {func(p *played) {
			clear(p.objects)
			p.aws.Refuse("HEAD demo-bucket", http.StatusNotFound, "NotFound", "")
			p.cluster.Forbid("GET "+inDemo+"configmaps/ostoy-s3", "get", "configmaps", "", "")
		}, "", problem.Usage, ""},
		"an inventory that is hidden": {func(p *played) {
			p.cluster.Forbid("GET "+inDemo+"configmaps/ostoy-s3", "get", "configmaps", "", "")
		}, "", problem.Failed, ""},
		"--dry-run": {func(p *played) { p.request.DryRun = true }, "", 0, "nothing was changed: this was a dry run"},
		"a project that does not exist": {func(p *played) {
			clear(p.objects)
			p.aws.Refuse("HEAD demo-bucket", http.StatusNotFound, "NotFound", "")
		}, "", problem.Usage, ""},
		"a project that was deleted": {func(p *played) { clear(p.objects) }, "", 0, "project demo does not exist; this is what is left of it in AWS"},
		"nothing is there": {func(p *played) {
			project := p.objects["/api/v1/namespaces/demo"]
			clear(p.objects)
			p.objects["/api/v1/namespaces/demo"] = project
			p.aws.Refuse("HEAD demo-bucket", http.StatusNotFound, "NotFound", "")
		}, "", 0, "nothing to remove"},
		"the role is denied": {
			func(p *played) {
				p.aws.Refuse("DeleteRole", http.StatusForbidden, "AccessDenied", "not authorized to perform: iam:DeleteRole")
			},
			"Deployment, ServiceAccount, Bucket, S3 bucket", problem.Failed, "left for you",
		},
		"the bucket cannot be removed": {
			func(p *played) { p.aws.Refuse("DELETE demo-bucket", http.StatusBadRequest, "InvalidRequest", "no") },
			"Deployment, ServiceAccount, Bucket", problem.Failed, "it is deleted after the bucket",
		},
		"a Deployment is denied": {func(p *played) {
			p.cluster.Forbid("DELETE /apis/apps/v1/namespaces/demo/deployments/ostoy-frontend", "delete", "deployments", "apps", "")
		}, "", problem.Failed, "nothing was removed"},
		"the project is denied": {func(p *played) {
			p.everything()
			p.cluster.Forbid("DELETE /api/v1/namespaces/demo", "delete", "namespaces", "", "")
		}, "Deployment, ServiceAccount, Bucket, S3 bucket, PersistentVolumeClaim, role, ConfigMap", problem.Failed, "left for you"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayed(t)
			c.with(p)
			err := Run(t.Context(), p.session, p.request)
			var told *problem.Error
			if (err != nil) != (c.kind != 0) || err != nil && (!errors.As(err, &told) || told.Kind != c.kind) {
				t.Errorf("%v", err)
			}
			if p.gone() != c.gone || !strings.Contains(p.talk.String(), c.says) {
				t.Errorf("removed %s, want %s\n%s", p.gone(), c.gone, p.talk)
			}
		})
	}
}

// TestRunRefuses: nothing is changed in a run that is refused, or not confirmed.
func TestRunRefuses(t *testing.T) {
	no := func(context.Context, string) (string, error) { return "no\n", nil }
	for name, c := range map[string]struct {
		with func(*played)
		kind problem.Kind
		says string
	}{
		"data, in a script":   {func(p *played) { p.request.DeleteData = true }, problem.Usage, "--delete-data --yes"},
		"data, not confirmed": {func(p *played) { p.request.DeleteData, p.request.Ask = true, no }, problem.Usage, "nothing was removed"},
		"the wrong account":   {func(p *played) { p.request.Facts.Given.Account.Value = "222222222222" }, problem.Refused, "222222222222"},
		"another account": {func(p *played) {
			p.objects[inDemo+"configmaps/ostoy-s3"]["data"] = map[string]any{"account": "222222222222"}
		}, problem.Refused, "the inventory"},
		"no project name":    {func(p *played) { p.request.Facts.Given.Namespace.Value = "No Name" }, problem.Usage, "No Name"},
		"no such facts file": {func(p *played) { p.request.Facts.File = "/nonexistent" }, problem.Usage, "facts file"},
		"a role with policies": {func(p *played) {
			p.aws.Answer("ListRolePolicies", "<PolicyNames><member>theirs</member></PolicyNames><IsTruncated>false</IsTruncated>")
		}, problem.Refused, "theirs"},
		"a project of nobody": {func(p *played) {
			p.cluster.Forbid("GET /api/v1/namespaces/demo", "get", "namespaces", "", "")
		}, problem.Usage, "you have no access to it"},
		"an engine's app": {func(p *played) {
			clear(p.objects)
			p.put("/apis/apps/v1/namespaces/demo/deployments", "apps/v1", "Deployment", "ostoy-frontend", map[string]any{
				"labels":        map[string]any{"app.kubernetes.io/part-of": "ostoy", "app.kubernetes.io/instance": "demo"},
				"managedFields": []any{map[string]any{"manager": "helm", "operation": "Apply"}},
				"annotations":   map[string]any{"meta.helm.sh/release-name": "x"},
			})
		}, problem.Refused, "managed by Helm"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayed(t)
			c.with(p)
			err := Run(t.Context(), p.session, p.request)
			var told *problem.Error
			if !errors.As(err, &told) || told.Kind != c.kind || !strings.Contains(told.Error()+told.Next, c.says) {
				t.Errorf("%v", err)
			}
			if p.gone() != "" {
				t.Errorf("removed %s", p.gone())
			}
		})
	}
}

// TestRunEnds: an interrupted run, and one whose time is over, say what they have removed.
func TestRunEnds(t *testing.T) {
	p := newPlayed(t)
	ctx, cancel := context.WithCancel(t.Context())
	p.cluster.Handle("GET "+buckets+"/demo-bucket", func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	var told *problem.Error
	if err := Run(ctx, p.session, p.request); !errors.As(err, &told) || told.Kind != problem.Interrupted || told.Why != "removed so far: ServiceAccount, Deployment" {
		t.Errorf("%+v", told)
	}
	if err := Run(ctx, newPlayed(t).session, p.request); !errors.As(err, &told) || told.Kind != problem.Interrupted || told.Why != "nothing was removed" {
		t.Errorf("%+v", told)
	}
	late := newPlayed(t)
	late.request.Timeout = 1
	if err := Run(t.Context(), late.session, late.request); !errors.As(err, &told) || told.Kind != problem.Failed || !strings.Contains(told.What, "--timeout") {
		t.Errorf("%+v", told)
	}
}

// TestRunKeepsTheTaken: what something else has taken over or created again meanwhile is
// not deleted.
func TestRunKeepsTheTaken(t *testing.T) {
	p := newPlayed(t)
	account := inDemo + "serviceaccounts/ostoy-sa"
	p.cluster.Handle("DELETE "+account, func(w http.ResponseWriter, _ *http.Request) {
		p.get(account)["metadata"].(map[string]any)["managedFields"] = []any{map[string]any{"manager": "kubectl", "operation": "Apply"}}
		answer(w, http.StatusConflict, metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonConflict, Code: http.StatusConflict})
	})
	if err := Run(t.Context(), p.session, p.request); err != nil || strings.Contains(p.gone(), "ServiceAccount") || !strings.Contains(p.talk.String(), "managed by kubectl") {
		t.Errorf("%v, %s\n%s", err, p.gone(), p.talk)
	}

	p = newPlayed(t)
	p.cluster.Handle("PATCH "+buckets+"/demo-bucket", func(http.ResponseWriter, *http.Request) { p.remove("", "changed Bucket") })
	p.cluster.Handle("GET "+buckets+"/demo-bucket", func(w http.ResponseWriter, _ *http.Request) {
		object := p.get(buckets + "/demo-bucket")
		object["metadata"].(map[string]any)["uid"] = "another"
		object["metadata"].(map[string]any)["annotations"] = map[string]any{}
		answer(w, http.StatusOK, object)
	})
	if err := Run(t.Context(), p.session, p.request); !errors.Is(err, apply.ErrLostRace) || !strings.HasSuffix(p.gone(), "ServiceAccount") {
		t.Errorf("%v, %s", err, p.gone())
	}
}

// TestScriptIsRefusedFirst: a script that does not say --yes is refused before anything is
// looked at.
func TestScriptIsRefusedFirst(t *testing.T) {
	p := newPlayed(t)
	p.request.DeleteData = true
	if err := Run(t.Context(), p.session, p.request); !problem.IsInput(err) || len(p.cluster.Requests())+len(p.aws.Asked()) > 0 {
		t.Errorf("%v, %v", err, p.cluster.Requests())
	}
}

// TestPodsEndFirst: what the pods need is deleted when they have ended. A pod with the
// labels of the workload that is not of a Deployment is not waited for.
func TestPodsEndFirst(t *testing.T) {
	p := newPlayed(t)
	pod := func(name string, owners ...any) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{
			"name": name, "uid": name, "resourceVersion": "1", "deletionTimestamp": "2026-01-02T03:04:05Z",
			"labels": map[string]any{"app": "ostoy-frontend"}, "ownerReferences": append([]any{}, owners...),
		}}
	}
	ending := pod("ending", map[string]any{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x", "uid": "x"})
	p.cluster.Handle("GET "+inDemo+"pods", func(w http.ResponseWriter, r *http.Request) {
		p.watched(w, "v1", "Pod", pod("alone"), ending)
		p.remove("", "Pod")
		_ = json.NewEncoder(w).Encode(map[string]any{"type": "DELETED", "object": ending})
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	if err := Run(t.Context(), p.session, p.request); err != nil || !strings.HasPrefix(p.gone(), "Deployment, Pod, ServiceAccount, ") {
		t.Errorf("%v, %s", err, p.gone())
	}
}
