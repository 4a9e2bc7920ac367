package trouble_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/relay"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// Two runs on one project at the same time. Where the order matters, the first
// request of a sort waits until the test passes it on.

// paused is a user whose requests of one sort wait from the first one on.
type paused struct {
	user    run.User
	reached chan struct{}
	passed  chan struct{}
	first   sync.Once
	once    sync.Once
}

func pause(t *testing.T, user run.User, at func(*relay.Exchange) bool) *paused {
	t.Helper()
	p := &paused{reached: make(chan struct{}), passed: make(chan struct{})}
	relayed, err := relay.Open(t.Context(), user.Bed, user.Kubeconfig, func(e *relay.Exchange) {
		if at(e) {
			p.first.Do(func() { close(p.reached) })
			select {
			case <-p.passed:
			case <-e.HTTP.Context().Done():
			}
		}
		e.Pass()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.pass)
	p.user = relayed.User(user)
	return p
}

func (p *paused) pass() { p.once.Do(func() { close(p.passed) }) }

func (p *paused) wait(t *testing.T) {
	t.Helper()
	run.Eventually(t, "the request that is to wait", func(context.Context) error {
		select {
		case <-p.reached:
			return nil
		default:
			return errors.New("it did not come")
		}
	})
}

// firstWrite is the first request that changes something in the project.
func firstWrite(e *relay.Exchange) bool {
	return e.Writes() && strings.Contains(e.HTTP.URL.Path, "/namespaces/") && !strings.HasSuffix(e.HTTP.URL.Path, "/token")
}

func kubeGet(suffix string) func(*relay.Exchange) bool {
	return func(e *relay.Exchange) bool {
		return !e.AWS && e.HTTP.Method == http.MethodGet && strings.HasSuffix(e.HTTP.URL.Path, suffix)
	}
}

// installed is a project with an install of which one object was deleted, so that
// the next install has something to do.
func installed(t *testing.T, bed *testbed.Bed, namespace string, missing ...string) run.User {
	t.Helper()
	world.NewNamespace(t, bed, namespace)
	admin := run.Admin(bed)
	admin.Run(t, "install", "--verify=false", "-n", namespace).WantCode(t, done)
	for _, one := range missing {
		admin.Kubectl(t, "delete", "-n", namespace, one).WantCode(t, 0)
	}
	return admin
}

// wantRecord wants an inventory that says that install created the bucket.
func wantRecord(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	if record := inventory(t, bed, namespace); !holds(record, "bucketOrigin:created") {
		t.Errorf("the inventory does not say that install created the bucket: %s", record)
	}
}

// wantNothingLost wants that what there is of an install has an inventory.
func wantNothingLost(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	_, err := bed.Client.CoreV1().ConfigMaps(namespace).Get(t.Context(), "ostoy-s3", metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		wantGone(t, bed, namespace)
	case err != nil:
		t.Fatal(err)
	default:
		wantRecord(t, bed, namespace)
	}
}

// wantBothWork wants that another install, and then an uninstall, end well.
func wantBothWork(t *testing.T, user run.User, namespace string) {
	t.Helper()
	user.Run(t, "install", "-n", namespace).WantCode(t, done)
	wantRecord(t, user.Bed, namespace)
	wantHealthyTo(t, user, namespace)
	// The bucket can be older than the role by then, so a plain uninstall may keep it.
	user.Run(t, "uninstall", "-n", namespace, "--adopt=bucket", "--yes").WantCode(t, done)
	wantGone(t, user.Bed, namespace)
}

// TestUninstallBeforeInstallWrites: an uninstall begins and ends after an install has
// made its plan. The install creates nothing any more.
func TestUninstallBeforeInstallWrites(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "beside-plan"
	admin := installed(t, bed, namespace, "route/ostoy-route")
	p := pause(t, admin, firstWrite)
	install := run.Begin(t, p.user, "install", "-n", namespace)
	p.wait(t)
	admin.Run(t, "uninstall", "-n", namespace).WantCode(t, done)
	p.pass()
	wantMessages(t, install.Ends(t), failed, message{
		"another run of oc ostoy-s3 deleted the inventory of project " + namespace + " while this one was running",
		"does not exist any more", "run the same command again; oc ostoy-s3 status -n " + namespace,
	})
	wantGone(t, bed, namespace)
	wantBothWork(t, admin, namespace)
}

// TestInstallBeforeUninstallDeletes: an install begins and ends after an uninstall has
// made its plan. The uninstall deletes nothing.
func TestInstallBeforeUninstallDeletes(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "beside-list"
	admin := installed(t, bed, namespace, "route/ostoy-route")
	p := pause(t, admin, firstWrite)
	uninstall := run.Begin(t, p.user, "uninstall", "-n", namespace)
	p.wait(t)
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	p.pass()
	wantMessages(t, uninstall.Ends(t), failed, message{
		"another run of oc ostoy-s3 changed the inventory of project " + namespace + " while this one was running",
		"it is not the inventory that this run had read", "run the same command again",
	})
	wantRecord(t, bed, namespace)
	wantHealthy(t, bed, namespace)
	wantBothWork(t, admin, namespace)
}

// TestInstallWhileUninstallWaits: an install creates the Deployments again while an
// uninstall waits for their pods to end.
func TestInstallWhileUninstallWaits(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "beside-pods"
	admin := installed(t, bed, namespace)
	p := pause(t, admin, kubeGet("/namespaces/"+namespace+"/pods"))
	uninstall := run.Begin(t, p.user, "uninstall", "-n", namespace, "--timeout", "2m")
	p.wait(t)
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	p.pass()
	wantMessages(t, uninstall.Ends(t), failed, message{
		"Deployment ostoy- … in " + namespace + " was created again while this run was removing it",
		"another run of oc ostoy-s3 created it", "wait until the other run has ended",
	})
	wantRecord(t, bed, namespace)
	wantHealthy(t, bed, namespace)
	wantBothWork(t, admin, namespace)
}

// TestUninstallWhileInstallWaits: the wait of an install sees that the inventory is
// deleted. It sees nothing else here.
func TestUninstallWhileInstallWaits(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "beside-wait"
	admin := installed(t, bed, namespace)
	p := pause(t, admin, func(e *relay.Exchange) bool {
		return !e.AWS && e.Watch() && !strings.HasSuffix(e.HTTP.URL.Path, "/configmaps")
	})
	install := run.Begin(t, p.user, "install", "-n", namespace)
	p.wait(t)
	admin.Run(t, "uninstall", "-n", namespace).WantCode(t, done)
	wantMessages(t, install.Ends(t), failed, message{
		"another run of oc ostoy-s3 removed the inventory of project " + namespace + " while this one was waiting",
		"an uninstall removed what this run had applied", "run the same command again",
	})
	wantGone(t, bed, namespace)
	wantBothWork(t, admin, namespace)
}

// TestTwoInstallsOfNewProject: the slower one finds that the other has created the
// project, and what is in it, since it looked.
func TestTwoInstallsOfNewProject(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for who, user := range map[string]run.User{"admin": run.Admin(bed), "learner": run.ProjectAdmin(t, bed, "two-new")} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			namespace := "beside-new-" + who
			p := pause(t, user, func(e *relay.Exchange) bool {
				return !e.AWS && e.HTTP.Method == http.MethodPost && strings.HasSuffix(e.HTTP.URL.Path, "/projectrequests")
			})
			slower := run.Begin(t, p.user, "install", "--new-project="+namespace)
			p.wait(t)
			user.Run(t, "install", "--new-project="+namespace).WantCode(t, done)
			p.pass()
			slower.Ends(t).WantCode(t, done).WantTalk(t, "created by another run")
			wantRecord(t, bed, namespace)
			wantHealthyTo(t, user, namespace)

			// And both at once, in whatever order.
			namespace += "-2"
			one := run.Begin(t, user, "install", "--new-project="+namespace)
			two := run.Begin(t, user, "install", "--new-project="+namespace)
			for _, result := range []run.Result{one.Ends(t), two.Ends(t)} {
				if result.Code != done {
					wantMessages(t, result, failed, message{"another run of oc ostoy-s3", "", "run the same command again"})
				}
			}
			user.Run(t, "install", "-n", namespace).WantCode(t, done)
			wantRecord(t, bed, namespace)
			wantHealthyTo(t, user, namespace)
		})
	}
}

// TestTwoInstallsOfOneProject: the slower one meets a bucket that did not exist when it
// read the inventory, and that has no tags yet.
func TestTwoInstallsOfOneProject(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for name, tagged := range map[string]bool{"beside-tagged": true, "beside-untagged": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world.NewNamespace(t, bed, name)
			admin := run.Admin(bed)
			p := pause(t, admin, func(e *relay.Exchange) bool { return e.Service == "s3" && e.HTTP.Method == http.MethodHead })
			slower := run.Begin(t, p.user, "install", "-n", name)
			p.wait(t)
			admin.Run(t, "install", "-n", name).WantCode(t, done)
			if !tagged {
				if _, err := bed.S3().DeleteBucketTagging(t.Context(), &s3.DeleteBucketTaggingInput{Bucket: aws.String(name + "-bucket")}); err != nil {
					t.Fatal(err)
				}
			}
			p.pass()
			slower.Ends(t).WantCode(t, done)
			wantRecord(t, bed, name)
		})
	}
}

// TestInstallAgainstUninstall: in whatever order, nothing of an install is left without
// an inventory, both say what happened, and both work afterwards.
func TestInstallAgainstUninstall(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const seed, rounds = 10, 3
	dice := rand.New(rand.NewPCG(seed, 0))
	for round := range rounds {
		first, later := "install", "uninstall"
		if dice.IntN(2) == 0 {
			first, later = later, first
		}
		delay := time.Duration(dice.IntN(4000)) * time.Millisecond
		var missing []string
		if dice.IntN(2) == 0 {
			missing = []string{"route/ostoy-route"}
		}
		t.Run(fmt.Sprintf("%d-%s-%s", round, first, delay), func(t *testing.T) {
			t.Parallel()
			namespace := fmt.Sprintf("against-%d", round)
			admin := installed(t, bed, namespace, missing...)
			one := run.Begin(t, admin, first, "-n", namespace, "--timeout", "2m")
			time.Sleep(delay) // any moment will do
			two := run.Begin(t, admin, later, "-n", namespace, "--timeout", "2m")
			for _, result := range []run.Result{one.Ends(t), two.Ends(t)} {
				wantEnd(t, result)
				if strings.Contains(result.Stderr, "--timeout") {
					t.Errorf("it waited to the end of its time\n%s", result)
				}
			}
			wantNothingLost(t, bed, namespace)
			wantBothWork(t, admin, namespace)
		})
	}
}
