package gitops_test

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/relay"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// The tutorial's own name of its role, and a value of its that no command may tell.
const (
	theRole    = "ostoy-sa-role"
	itsSecret  = "VVNFUk5BTUU9bXlfdXNlcgpQQVNTV09SRD1AT3RCbCVYQXAhIzYzMlk1RndDQE1UUWsKU01UUD1sb2NhbGhvc3QKU01UUF9QT1JUPTI1"
	unprepared = "as the ROSA tutorial makes it by hand"
)

// TestAdopt brings in what a learner made with the ROSA tutorial: it is named first,
// nothing is touched before it is asked for, and nothing of the learner's is lost.
func TestAdopt(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "ostoy-by-hand"
	admin := byTutorial(t, namespace, theRole)
	role, claim := roleText(t, bed, theRole), uid(t, bed, namespace, "persistentvolumeclaims", "ostoy-pvc")
	before := world.Look(t, bed, namespace)
	install := func(flags ...string) run.Result {
		t.Helper()
		return admin.Run(t, append([]string{"install", "-n", namespace}, flags...)...)
	}
	adoptLooks(t, admin, namespace)
	before.WantSame(t, world.Look(t, bed, namespace))

	install("--adopt").WantCode(t, 0).WantTalk(t, "Found of the tutorial's", "by kubectl-client-side-apply, kubectl-patch", "1 object, 7 B: all of it stays",
		"used as it is", "AmazonS3FullAccess gives it every right", "it takes tokens for any audience", "--adopt --tighten-role", "not tested")
	wantAdopted(t, bed, namespace, theRole)
	if now := uid(t, bed, namespace, "persistentvolumeclaims", "ostoy-pvc"); now != claim {
		t.Error("the volume is another one")
	}
	if now := roleText(t, bed, theRole); now != role {
		t.Errorf("the role was\n%s\nand is\n%s", role, now)
	}
	adopted := world.Look(t, bed, namespace)
	install().WantCode(t, 0).WantTalk(t, "nothing to change", "--adopt --tighten-role")
	install("--adopt").WantCode(t, 0).WantTalk(t, "nothing to change")
	wantStdout(t, admin.Run(t, "diff", "-n", namespace).WantCode(t, none))
	adopted.WantSame(t, world.Look(t, bed, namespace))

	wantStdout(t, admin.Run(t, "status", "-n", namespace).WantCode(t, 0), theRole, "it was there before install", "drift            ✔ none")
	wantStdout(t, admin.Run(t, "check", "-n", namespace).WantCode(t, 0), "! role-excess", "! trust-audience", "--adopt --tighten-role", "not not ours")
	admin.Run(t, "verify", "-n", namespace).WantCode(t, refused).WantTalk(t, "NOT REFUSED: ", "s3:DeleteObject on the object it wrote", "--adopt --tighten-role narrows the role")
	admin.Run(t, "status", "-A").WantCode(t, 0).WantTalk(t, namespace+"  role: it was there before install")
	code, screen := run.AtTerminal(t, admin, "no\n", "install", "-n", namespace, "--adopt", "--tighten-role")
	if code != misused || !strings.Contains(screen, "type yes to go on") || !strings.Contains(screen, "AmazonS3FullAccess") {
		t.Errorf("exit code %d\n%s", code, screen)
	}
	if now := roleText(t, bed, theRole); now != role {
		t.Errorf("the role was\n%s\nand is\n%s", role, now)
	}

	// The page's commands, of which only the last is left with something to do.
	said := follow(t, admin, "## From the ROSA tutorial", namespace)
	if !strings.Contains(said, "nothing to change") || !strings.Contains(said, "-"+fullAccess) {
		t.Errorf("it says\n%s", said)
	}
	role = roleText(t, bed, theRole)
	if strings.Contains(role, fullAccess) {
		t.Errorf("the role is still wide\n%s", role)
	}
	admin.Run(t, "uninstall", "-n", namespace).WantCode(t, 0).WantTalk(t, "role "+theRole, "it was there before install", "1 object, 7 B")
	if now := roleText(t, bed, theRole); now != role {
		t.Errorf("the role was\n%s\nand is\n%s", role, now)
	}
	wantObject(t, bed, namespace)
}

// adoptLooks runs everything that only looks.
func adoptLooks(t *testing.T, admin run.User, namespace string) {
	t.Helper()
	admin.Run(t, "install", "-n", namespace).WantCode(t, refused).WantStdout(t, "").
		WantTalk(t, unprepared, "Deployment ostoy-frontend", "oc ostoy-s3 install -n "+namespace+" --adopt", "nothing was changed").WantNoTalk(t, "--adopt=bucket", "--force-conflicts")
	wantStdout(t, admin.Run(t, "check", "-n", namespace).WantCode(t, refused), "object-foreign", "--adopt")
	admin.Run(t, "diff", "-n", namespace).WantCode(t, refused).WantTalk(t, unprepared, "install would refuse")
	wantStdout(t, admin.Run(t, "diff", "-n", namespace, "--adopt", "--tighten-role").WantCode(t, some),
		"-arn:aws:iam::aws:policy/AmazonS3FullAccess", `:aud": "sts.amazonaws.com"`, "-    kubectl.kubernetes.io/last-applied-configuration", "not "+itsSecret)
	admin.Run(t, "install", "-n", namespace, "--adopt", "--tighten-role", "--dry-run=client").WantCode(t, 0).
		WantTalk(t, "merged/iam.role."+theRole, "nothing was changed: this was a dry run").WantNoTalk(t, itsSecret, "type yes")
	admin.Run(t, "install", "-n", namespace, "--adopt", "--tighten-role").WantCode(t, misused).WantTalk(t, "not confirmed: nothing was changed", "--yes")
	var document struct {
		Adopted struct {
			Objects []struct {
				Object   string
				Managers []string
			}
			Bucket struct {
				Name     string
				Contents struct{ Objects, Bytes int }
			}
			Role struct {
				ARN       string
				Policies  []string
				Tightened bool
			}
		}
		Changes []struct{ Object, Action string }
	}
	admin.Run(t, "install", "-n", namespace, "--adopt", "--dry-run=server", "-o", "json").WantCode(t, 0).JSON(t, &document)
	have := document.Adopted
	if len(have.Objects) != 11 || len(document.Changes) != 13 || have.Bucket.Name != namespace+"-bucket" || have.Bucket.Contents.Bytes != 7 {
		t.Errorf("document %+v", document)
	}
	if have.Role.ARN != "arn:aws:iam::"+testbed.Account+":role/"+theRole || !slices.Equal(have.Role.Policies, []string{fullAccess}) || have.Role.Tightened {
		t.Errorf("role %+v", have.Role)
	}
}

// wantAdopted: the objects are ours, kubectl's note is gone, the record says what was
// there before, and the learner's object is. beside are the tools that may still hold
// fields of ours.
func wantAdopted(t *testing.T, bed *testbed.Bed, namespace, role string, beside ...string) {
	t.Helper()
	ours := 0
	for _, kind := range objectKinds() {
		list, err := bed.Dynamic.Resource(kind).Namespace(namespace).List(t.Context(), metav1.ListOptions{})
		must(t, err)
		for _, o := range list.Items {
			if !slices.Contains(appliers(o), "ostoy-s3") || o.GetName() == "ostoy-s3" {
				continue
			}
			ours++
			wantHandedOver(t, o, beside)
			if _, there := o.GetAnnotations()["kubectl.kubernetes.io/last-applied-configuration"]; there {
				t.Errorf("%s %s still says what kubectl applied", o.GetKind(), o.GetName())
			}
		}
	}
	if ours != 13 {
		t.Errorf("%d objects are ours", ours)
	}
	record, err := bed.Client.CoreV1().ConfigMaps(namespace).Get(t.Context(), "ostoy-s3", metav1.GetOptions{})
	must(t, err)
	for key, want := range map[string]string{"bucketOrigin": "adopted", "roleOrigin": "adopted", "roleARN": "arn:aws:iam::" + testbed.Account + ":role/" + role} {
		if record.Data[key] != want {
			t.Errorf("the inventory says %s=%q, want %q", key, record.Data[key], want)
		}
	}
	wantObject(t, bed, namespace)
}

// wantHandedOver wants kubectl to have no field that we state: what is left to it are
// defaults that the API server filled in when it applied.
func wantHandedOver(t *testing.T, o unstructured.Unstructured, beside []string) {
	t.Helper()
	for _, entry := range o.GetManagedFields() {
		if !strings.HasPrefix(entry.Manager, "kubectl") || slices.Contains(beside, entry.Manager) {
			continue
		}
		fields := string(entry.FieldsV1.GetRawBytes())
		for _, stated := range []string{"f:metadata", "f:data", "f:selector", "f:image", "f:resources", "f:to", "f:ports", "f:accessModes", "f:serviceAccountName"} {
			if strings.Contains(fields, `"`+stated+`"`) {
				t.Errorf("%s %s: %s still has %s", o.GetKind(), o.GetName(), entry.Manager, fields)
			}
		}
	}
}

// uid is an object's.
func uid(t *testing.T, bed *testbed.Bed, namespace, resource, name string) string {
	t.Helper()
	for _, kind := range objectKinds() {
		if kind.Resource == resource {
			object, err := bed.Dynamic.Resource(kind).Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{})
			must(t, err)
			return string(object.GetUID())
		}
	}
	t.Fatalf("no kind %s", resource)
	return ""
}

// TestAdoptAndTighten in one run that is killed again and again: what is there then
// is what one run would have made, and the role is least-privilege.
func TestAdoptAndTighten(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace, role, enough = "ostoy-tight", "ostoy-sa-role-ostoy-tight", 20
	admin := byTutorial(t, namespace, role)
	command := []string{"install", "-n", namespace, "--adopt", "--tighten-role", "--yes", "--verify=false"}
	kills := 0
	for relay.Kill(t, admin, relay.Moment{N: 6, After: kills%2 == 0, Of: (*relay.Exchange).Writes}, command...) {
		if kills++; kills > enough {
			t.Fatal("it does not get on")
		}
	}
	if kills < 3 {
		t.Errorf("killed %d times only", kills)
	}
	wantAdopted(t, bed, namespace, role)
	text := roleText(t, bed, role)
	for _, want := range []string{"inline ostoy-s3", "%3Aaud%22%3A%22sts.amazonaws.com", "tag ostoy-s3/namespace=" + namespace} {
		if !strings.Contains(text, want) {
			t.Errorf("the role has no %s\n%s", want, text)
		}
	}
	if strings.Contains(text, fullAccess) {
		t.Errorf("still attached\n%s", text)
	}
	admin.Run(t, "install", "-n", namespace).WantCode(t, 0).WantTalk(t, "nothing to change", "forbidden things were refused").WantNoTalk(t, "tighten")
	admin.Run(t, append(command, "--diff")...).WantCode(t, 0).WantTalk(t, "nothing to change")
	run.Enforce(t, bed)
	for _, args := range [][]string{{"verify"}, {"diff"}} {
		admin.Run(t, append(args, "-n", namespace)...).WantCode(t, 0)
	}
	wantStdout(t, admin.Run(t, "check", "-n", namespace).WantCode(t, 0), "! app-image-mutable", ", 1 warned")
	admin.Run(t, "uninstall", "-n", namespace, "--delete-data", "--yes").WantCode(t, 0).WantTalk(t, "it was there before install")
	if roleText(t, bed, role) != text {
		t.Error("uninstall touched the role")
	}
}

// TestNotAdopted: what is somebody else's is refused, all of it together, and nothing
// is touched; so is a role that others need.
func TestNotAdopted(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace, role = "ostoy-mixed", "ostoy-sa-role-ostoy-mixed"
	const other = "system:serviceaccount:ostoy-of-somebody:ostoy-sa"
	admin := byTutorial(t, namespace, role, other)
	change := func(args ...string) { t.Helper(); admin.Kubectl(t, append(args, "-n", namespace)...).WantCode(t, 0) }
	change("label", "deployment", "ostoy-microservice", "app.kubernetes.io/managed-by=platform-team")
	change("annotate", "service", "ostoy-frontend-svc", "argocd.argoproj.io/tracking-id=app:/Service:demo/ostoy-frontend-svc")
	change("patch", "secret", "ostoy-secret", "--type=merge", "-p", `{"stringData":{"secret.txt":"their-own-password"}}`)
	before := world.Look(t, bed, namespace)
	tighten := []string{"install", "-n", namespace, "--adopt", "--tighten-role", "--yes"}
	admin.Run(t, tighten...).WantCode(t, refused).WantStdout(t, "").WantNoTalk(t, "their-own-password").WantTalk(t,
		"Deployment ostoy-microservice in "+namespace+" is not ours", `its label app.kubernetes.io/managed-by is "platform-team"`,
		"Service ostoy-frontend-svc in "+namespace+" is managed by Argo CD", "--force-owner",
		"Secret ostoy-secret in "+namespace+" is not ours", "its value is not the tutorial's sample", "--set secrets.existing=true",
		"the role "+role+" is shared and is not tightened", other, "nothing was changed")
	before.WantSame(t, world.Look(t, bed, namespace))

	// Put right, and with the Secret left to its owner, the role is used as it is.
	change("label", "deployment", "ostoy-microservice", "app.kubernetes.io/managed-by-")
	change("annotate", "service", "ostoy-frontend-svc", "argocd.argoproj.io/tracking-id-")
	was := roleText(t, bed, role)
	admin.Run(t, append(tighten, "--set", "secrets.existing=true")...).WantCode(t, refused).WantTalk(t, "is shared and is not tightened")
	own := []string{"install", "-n", namespace, "--set", "secrets.existing=true"}
	admin.Run(t, append(own, "--adopt", "--yes")...).WantCode(t, 0).WantTalk(t, "it also lets in "+other)
	admin.Run(t, own...).WantCode(t, 0).WantTalk(t, "nothing to change")
	if now := roleText(t, bed, role); now != was {
		t.Errorf("the role was\n%s\nand is\n%s", was, now)
	}
	secret, err := bed.Client.CoreV1().Secrets(namespace).Get(t.Context(), "ostoy-secret", metav1.GetOptions{})
	must(t, err)
	if string(secret.Data["secret.txt"]) != "their-own-password" {
		t.Error("the Secret was replaced")
	}
}

// TestAdoptWithoutItsRole, as an admin of the one project: the service account names a
// role that is another project's by now. It stays as it is, and the app gets one of its own.
func TestAdoptWithoutItsRole(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace, role = "ostoy-later", "ostoy-sa-role-of-the-first"
	admin := byTutorial(t, namespace, role)
	stolen := `[{"op":"replace","path":"/metadata/annotations/eks.amazonaws.com~1role-arn","value":"` + tutorialRole(t, bed, "ostoy-first", "ostoy-sa-role-taken") + `"}]`
	admin.Kubectl(t, "patch", "serviceaccount", "ostoy-sa", "-n", namespace, "--type=json", "-p", stolen).WantCode(t, 0)
	taken := roleText(t, bed, "ostoy-sa-role-taken")
	user := run.ProjectAdmin(t, bed, learner)
	user.Run(t, "install", "-n", namespace, "--adopt", "--tighten-role", "--yes").WantCode(t, refused).
		WantTalk(t, "is not the app's and is not tightened", "system:serviceaccount:ostoy-first:ostoy-sa")
	user.Run(t, "install", "-n", namespace, "--adopt").WantCode(t, misused).WantTalk(t, "no IAM role shows that it is this project's", "1 object, 7 B", "--yes")
	user.Run(t, "install", "-n", namespace, "--adopt", "--yes").WantCode(t, 0).WantTalk(t, "is not used, and stays as it is", "✔ role ", "created")
	user.Run(t, "install", "-n", namespace).WantCode(t, 0).WantTalk(t, "nothing to change")
	account, err := bed.Client.CoreV1().ServiceAccounts(namespace).Get(t.Context(), "ostoy-sa", metav1.GetOptions{})
	must(t, err)
	if arn := account.Annotations["eks.amazonaws.com/role-arn"]; !strings.Contains(arn, "role/ostoy-s3/"+namespace) {
		t.Errorf("the service account names %s", arn)
	}
	if now := roleText(t, bed, "ostoy-sa-role-taken"); now != taken {
		t.Errorf("the role was\n%s\nand is\n%s", taken, now)
	}
}
