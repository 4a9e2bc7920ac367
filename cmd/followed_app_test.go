package cmd

import (
	"encoding/json"
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// stays has a project that install creates be deleted at the second request only, and no
// issuer of the cluster be known.
func stays(w typed) {
	w.cluster.Forbid("GET /.well-known/openid-configuration", "get", "", "", "at the cluster scope")
	asked := 0
	w.cluster.Handle("DELETE /api/v1/namespaces/other", func(out http.ResponseWriter, _ *http.Request) {
		answer := metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess, Code: http.StatusOK}
		if asked++; asked == 1 {
			answer.Status, answer.Reason, answer.Code, answer.Message = metav1.StatusFailure, metav1.StatusReasonConflict, http.StatusConflict, "not now"
		}
		out.Header().Set("Content-Type", "application/json")
		out.WriteHeader(int(answer.Code))
		_ = json.NewEncoder(out).Encode(answer)
	})
}

// mayNotMakeBuckets has the cluster let nobody make Buckets before it has the ClusterRole
// that controller install applies.
func mayNotMakeBuckets(w typed) {
	prepared(w)
	const role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/ostoy-s3-buckets-edit"
	w.request(http.MethodDelete, role, "", nil)
	allowed := false
	w.store.Refuse(func(r *http.Request) bool {
		allowed = allowed || r.Method == http.MethodPatch && r.URL.Path == role && r.URL.Query().Get("dryRun") == ""
		return !allowed && r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/buckets/demo-bucket")
	})
}

// ofOthersNow has the bucket of the app belong to another account.
func ofOthersNow(w typed) {
	installed(w)
	w.account.Refuse("HEAD demo-bucket", http.StatusForbidden, "", "")
	w.account.Refuse("GET demo-bucket?tagging", http.StatusForbidden, "AccessDenied", "no")
	w.account.Answer("GET ?prefix", "<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>")
}

// withAnotherSelector has somebody have made the frontend anew, with a selector of theirs:
// the server does not let it be changed.
func withAnotherSelector(w typed) {
	installed(w)
	w.store.Edit(frontend, func(object map[string]any) {
		object["spec"].(map[string]any)["selector"] = map[string]any{"matchLabels": map[string]any{"app": "another"}}
	})
}

// inTwoRegions has the annotation of the Bucket name another region than its status.
func inTwoRegions(w typed) {
	bucketIn("us-west-2", true)(w)
	w.done("oc ostoy-s3 install -n demo --region us-west-2")
	w.store.Edit(bucketPath, func(object map[string]any) {
		object["metadata"].(map[string]any)["annotations"].(map[string]any)["services.k8s.aws/region"] = "us-east-2"
		object["status"] = map[string]any{"ackResourceMetadata": map[string]any{"region": "us-west-2"}}
	})
}

// appScenes are scenes of TestAdviceIsFollowed about one app.
func appScenes() []followed {
	return []followed{
		{name: "the bucket belongs to another account", state: ofOthersNow, command: "status -n demo", advised: "oc ostoy-s3 install --new-project", instead: true},
		{name: "nobody may make Buckets", state: mayNotMakeBuckets, command: "install -n demo", advised: "oc ostoy-s3 controller install"},
		{name: "the Bucket names two regions", state: inTwoRegions, command: "status -n demo", advised: "oc ostoy-s3 install -n demo --region us-west-2"},
	}
}

// appScenesOfOthers are scenes of TestAdviceForOthersIsFollowed about one app.
func appScenesOfOthers() []byOthers {
	return []byOthers{
		{"the new project stays", stays, "install --new-project=other", []string{"oc delete namespace"}},
		{"a field cannot be changed", withAnotherSelector, "install -n demo", []string{"oc delete deployment", "=oc ostoy-s3 install -n demo"}},
	}
}
