package trouble_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestProjectGoing: a namespace that is being deleted takes nothing in.
func TestProjectGoing(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "project-going"
	world.NewNamespace(t, bed, namespace)
	maps := bed.Client.CoreV1().ConfigMaps(namespace)
	held := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "held", Finalizers: []string{"example.com/held"}}}
	if _, err := maps.Create(t.Context(), held, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := bed.Client.CoreV1().Namespaces().Delete(t.Context(), namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	result := run.Admin(bed).Run(t, "install", "-n", namespace)
	wantMessages(t, result, refused, message{"project project-going is being deleted", "nothing can be made in it any more", "oc get namespace project-going -w"})
	after := world.World{}
	after.Roles(t, bed, namespace)
	after.Bucket(t, bed.S3(), namespace+"-bucket")
	if len(after) > 0 {
		t.Errorf("left over: %v", after)
	}
	held.Finalizers = nil
	if _, err := maps.Update(context.WithoutCancel(t.Context()), held, metav1.UpdateOptions{}); err != nil {
		t.Error(err)
	}
}

// TestProjectOfOthers: on OpenShift a project of somebody else cannot be told
// from one that does not exist, until one tries to make it.
func TestProjectOfOthers(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "project-theirs"
	world.NewNamespace(t, bed, namespace, "owner")
	learner := run.ProjectAdmin(t, bed, "stranger")
	hidden := message{"project project-theirs does not exist, or you have no access to it", "it is not among the projects that you may see", "oc projects"}
	theirs := message{"project project-theirs belongs to somebody else", "you may not see it", "oc ostoy-s3 install --new-project"}
	for _, c := range []struct {
		args []string
		code int
		says message
	}{
		{[]string{"install", "-n", namespace}, misused, hidden},
		{[]string{"install", "-n", namespace, "--oidc-issuer", bed.Issuer}, misused, hidden},
		{[]string{"install", "--new-project=" + namespace}, refused, theirs},
		{[]string{"uninstall", "-n", namespace}, misused, hidden},
		{[]string{"check", "-n", namespace}, misused, hidden},
	} {
		before := world.Look(t, bed, namespace)
		result := learner.Run(t, c.args...)
		wantMessages(t, result, c.code, c.says)
		result.WantStdout(t, "")
		before.WantSame(t, world.Look(t, bed, namespace))
	}
}

func TestProjectThereAlready(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "project-there"
	world.NewNamespace(t, bed, namespace)
	before := world.Look(t, bed, namespace)
	result := run.Admin(bed).Run(t, "install", "--new-project="+namespace)
	wantMessages(t, result, refused, message{"project project-there is there already", "--new-project makes a project", "oc ostoy-s3 install -n project-there"})
	before.WantSame(t, world.Look(t, bed, namespace))
}

// testProjectNameTaken: the bucket of the first names is somebody's, so others
// are chosen. For a name of the user's there is no other: nothing stays.
func testProjectNameTaken(t *testing.T, bed *testbed.Bed) {
	bucketPath := regexp.MustCompile(`ostoy-[0-9a-f]{8}-bucket`)
	var lock sync.Mutex
	var taken []string
	answer := func(w http.ResponseWriter, r *http.Request) bool {
		name := bucketPath.FindString(r.Host + r.URL.Path)
		if name == "" {
			return false
		}
		lock.Lock()
		defer lock.Unlock()
		known := false
		for _, one := range taken {
			known = known || one == name
		}
		if !known && len(taken) < 2 {
			taken = append(taken, name)
			known = true
		}
		if known {
			w.WriteHeader(http.StatusForbidden)
		}
		return known
	}
	for who, user := range map[string]run.User{"admin": run.Admin(bed), "learner": run.ProjectAdmin(t, bed, "namer")} {
		t.Run(who, func(t *testing.T) {
			taken = nil
			result := user.With(awsThrough(t, bed, answer)).Run(t, "install", "--new-project").WantCode(t, done)
			if len(taken) != 2 {
				t.Errorf("%v were taken\n%s", taken, result)
			}
			for _, name := range taken {
				if now := world.Look(t, bed, strings.TrimSuffix(name, "-bucket")); !emptyOrGoing(now) {
					t.Errorf("left over of %s: %v", name, now)
				}
			}
		})
	}
}

// TestProjectNameGiven: for a name of the user's there is no other to choose,
// and what was made for it goes.
func TestProjectNameGiven(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	other, err := bed.OtherS3(t.Context(), "222222222222")
	if err != nil {
		t.Fatal(err)
	}
	for namespace, user := range map[string]run.User{"taken-admin": run.Admin(bed), "taken-learner": run.ProjectAdmin(t, bed, "namer")} {
		makeBucket(t, other, namespace, testbed.Region, nil)
		result := user.Run(t, "install", "--new-project="+namespace)
		wantMessages(t, result, refused, message{"bucket " + namespace + "-bucket belongs to another AWS account", namespace, "oc ostoy-s3 install --new-project"})
		if now := world.Look(t, bed, namespace); !emptyOrGoing(now) {
			t.Errorf("left over: %v", now)
		}
	}
}

// TestKnowledgeDiffers: an admin knows the cluster's id and a learner does not.
// They do not undo each other's work.
func TestKnowledgeDiffers(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "project-both"
	world.NewNamespace(t, bed, namespace, "both")
	learner, admin := run.ProjectAdmin(t, bed, "both"), run.Admin(bed)
	learner.Run(t, "install", "-n", namespace).WantCode(t, done)
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	wantHealthyTo(t, learner, namespace)
	wantHealthyTo(t, admin, namespace)
}

// emptyOrGoing reports whether there is nothing but a namespace on its way out.
func emptyOrGoing(w world.World) bool {
	for key := range w {
		if strings.HasPrefix(key, "role/") || strings.HasPrefix(key, "bucket/") {
			return false
		}
	}
	for key, text := range w {
		if strings.HasPrefix(key, "namespace/") && !strings.Contains(text, "deletionTimestamp") {
			return false
		}
	}
	return true
}
