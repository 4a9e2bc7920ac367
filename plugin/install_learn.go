package plugin

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/tutorial"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// learn gathers everything the plan depends on: the user's files, the facts,
// the state of the project and what an earlier run left on record. The three
// questions to the cluster do not depend on each other.
func (i *install) learn(ctx context.Context) (err error) {
	if i.options, err = i.ReadValues(ctx, i.request.Chart); err != nil {
		return err
	}
	given, err := i.Given(ctx, i.request.Facts)
	if err != nil {
		return err
	}
	if i.conn, err = i.Connect(ctx); err != nil {
		return err
	}
	if given.Namespace, err = i.chooseNamespace(given.Namespace); err != nil {
		return err
	}
	if err := (render.Facts{Namespace: given.Namespace}).Validate(); err != nil {
		return err
	}
	if err := i.ask(ctx, given); err != nil {
		return err
	}
	i.facts = i.found.Facts
	if err := i.mayGoOn(); err != nil {
		return err
	}
	return i.checkFacts()
}

// ask asks the cluster and AWS everything that does not depend on an answer.
func (i *install) ask(ctx context.Context, given render.Facts) error {
	name := given.Namespace.Value
	group, ctx := errgroup.WithContext(ctx)
	inventory := sync.OnceValues(func() (apply.Inventory, error) {
		return i.applier(name, false).ReadInventory(ctx)
	})
	group.Go(func() (err error) {
		i.found, err = detect.Detect(ctx, detect.Request{
			Given:   given,
			Connect: func() (*cluster.Conn, error) { return i.conn, nil },
			AWS:     detect.AWSOptions{Profile: i.request.Facts.Profile, Region: given.Region.Value},
			Policy:  detect.AskMissing,
			RecordedClusterID: func(context.Context) (string, error) {
				found, err := inventory()
				return found.ClusterID, err
			},
		})
		if err != nil {
			return err
		}
		return i.identify(ctx, &i.found, i.request.Facts.Profile)
	})
	group.Go(func() (err error) {
		i.project, err = lookAtProject(ctx, i.conn, name)
		return err
	})
	// Told only when nothing else is wrong: that a server does not answer is
	// said better by those who ask for more than one object.
	var unreadable error
	group.Go(func() error {
		i.inventory, unreadable = inventory()
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	// Who has no rights in a project that is not there yet is refused everything
	// in it: that is no answer about the inventory.
	if apierrors.IsForbidden(unreadable) && !i.project.exists {
		return nil
	}
	return unreadable
}

// checkFacts ends the run where a fact is missing or cannot be, or where the
// role cannot be as asked. The issuer alone may still be to come.
func (i *install) checkFacts() error {
	if i.found.IssuerNeedsProject {
		return i.facts.Validate()
	}
	i.found.Facts = i.facts
	if err := i.found.Require(); err != nil {
		return err
	}
	if err := i.facts.Validate(); err != nil {
		return err
	}
	_, err := iam.Desired(i.facts, i.request.Role)
	return err
}

// chooseNamespace is the new project's name, or the namespace given, or the
// kubeconfig context's.
func (i *install) chooseNamespace(given render.Fact) (render.Fact, error) {
	switch name := i.request.ProjectName; name {
	case "":
		if given.Known() {
			return given, nil
		}
		name, _ := i.conn.Namespace()
		return render.Fact{Value: name, Source: i.conn.NamespaceSource()}, nil
	case AnyProject:
		name, err := randomProject()
		return render.Fact{Value: name, Source: "new project"}, err
	default:
		return render.Fact{Value: name, Source: "new project"}, nil
	}
}

// randomProject is a name that is hard to guess: bucket names are global, and
// the 65,536 names of the tutorial do collide.
func randomProject() (string, error) {
	var number [4]byte
	if _, err := rand.Read(number[:]); err != nil {
		return "", err
	}
	return "ostoy-" + hex.EncodeToString(number[:]), nil
}

func (i *install) applier(namespace string, fresh bool) *apply.Applier {
	var coming []schema.GroupKind
	if i.controllerComes() {
		coming = []schema.GroupKind{{Group: live.Buckets().Group, Kind: "Bucket"}}
	}
	return apply.New(i.conn, apply.Options{
		Namespace:      namespace,
		Look:           i.looks,
		Coming:         coming,
		ForceConflicts: i.request.ForceConflicts,
		Recognise:      tutorial.Differs,
		Adopt:          i.request.Adopt.Tutorial(),
		ForceOwner:     i.request.ForceOwner,
		Fresh:          fresh,
		Guess:          i.request.DryRun == DryRunClient,
		TryCreates:     i.request.DryRun == DryRunServer || i.request.Mode == ModeManual || i.request.Diff && i.request.DryRun == DryRunNone,
		Now:            i.Now,
	})
}
