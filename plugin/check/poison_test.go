package check

import (
	"maps"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice/advicetest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF2Findings: whatever a project's editor, a controller or AWS wrote into any field
// that a check reads, no finding has it in a command outside of single quotes, as a line
// that looks like advice, or as what controls a terminal.
func TestF2Findings(t *testing.T) {
	good := scene{documents: documentsOf(t, goodScene), said: goodSaid()}
	played := newStage(t, good)
	repeated := map[string]bool{} // checks that showed a poison somewhere: the test reaches them
	look := func(where string, now scene, of func(Check) bool) {
		for id, finding := range played.findingsOf(t.Context(), now, of) {
			all := finding.What + finding.Why + finding.Next
			repeated[id] = repeated[id] || strings.Contains(all, advicetest.Mark)
			wantSafe(t, id+" of "+where, finding)
		}
	}
	for name, text := range map[string]string{"good": goodScene, "bad": badScene, "end": endScene, "slow": slowScene} {
		whole := scene{documents: maps.Clone(good.documents), said: good.said, noAWS: name != "good"}
		changed := documentsOf(t, text)
		maps.Copy(whole.documents, changed)
		readers := played.readers(t.Context(), whole)
		for path, document := range changed {
			advicetest.Each(document, given, func(field string, poisoned any) {
				look(name+" "+path+field, whole.with(path, poisoned), func(c Check) bool { return readers[path][c.ID] })
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
			look("said "+name, good.saying(name, poison), eachCheck)
		}
	}
	for _, id := range []string{IDPodIdentity, IDAppAvailable, IDBucketSynced, IDBucketObject, IDTerminating, "app-volume", "route-admitted", "drift", IDRoleExcess, IDTrust, IDTokenIssuer, "app-image-mutable"} {
		if !repeated[id] {
			t.Errorf("check %s showed no poison: the scenes do not reach it", id)
		}
	}
	if seen := len(repeated); seen < 35 {
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
	for _, text := range append(strings.Split(f.Why, "\n"), f.What) {
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
		"region of a bucket":        judgePlace(object("{region: "+bad+"}"), "eu-west-1", "it", "", installWhere(&live.World{Namespace: "demo"}, bad)),
		"region that is asked for":  judgePlace(object("{region: us-east-2}"), bad, "it", "", installWhere(&live.World{Namespace: "demo"}, "")),
		"account of a bucket":       judgePlace(object(`{ownerAccountID: "`+bad+`"}`), "", "it", "123456789012", ""),
		"account on record":         judgeAccount("123456789012", "demo", []place{{bad, "the record"}}),
		"region of the record":      judgeRegion("eu-west-1", render.Fact{Value: bad, Source: "it"}, bad, "demo"),
		"bucket of a Bucket":        demoLook().named(t.Context(), object("{}")),
		"host of a Route":           judgeRouteTLS(&live.World{}, fromYAML(t, "{metadata: {name: ostoy-route}, spec: {host: "+bad+", tls: {termination: edge}}}"), tlsNone),
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
		"trusts another":  {own, apply.OriginExisting, "another", "oc ostoy-s3 install -n demo --role-name ROLE --role-path PATH" + "\n" + advice.ManagedByOthers},
		"tagged, used":    {own, apply.OriginExisting, render.ManagedBy, "oc ostoy-s3 install -n demo --role-name own --role-path /mine/" + "\n" + advice.ManagedByOthers},
		"not tagged":      {own, "", "", "oc ostoy-s3 install -n demo"},
		"tagged":          {own, "", render.ManagedBy, "oc ostoy-s3 install -n demo --role-name own --role-path /mine/"},
		"adopted":         {own, apply.OriginAdopted, render.ManagedBy, "oc ostoy-s3 install -n demo"},
		"another account": {"arn:aws:iam::222222222222:role/mine/own", apply.OriginExisting, "", "oc ostoy-s3 install -n demo --role-name ROLE --role-path PATH" + "\n" + advice.ManagedByOthers},
		"no legal name":   {own + "$(id)", apply.OriginExisting, "", "oc ostoy-s3 install -n demo --role-name ROLE --role-path PATH" + "\n" + advice.ManagedByOthers},
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
	finding := Fail(&problem.Error{Kind: problem.Usage, What: forged, Why: "a\nfix  b"})
	if strings.Contains(finding.What, "\n") || finding.Why != "a\n  fix  b" {
		t.Errorf("%+v", finding)
	}
}
