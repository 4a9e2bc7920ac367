package project

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Wanted is which project to look at, and how.
type Wanted struct {
	Facts session.Facts
	// NewName is the name of a project to be made; "" for the one of -n or of the
	// kubeconfig context.
	NewName string
	// Tolerant goes on without what could not be found out: Failures says why. For those
	// who report what is wrong rather than work on it.
	Tolerant bool
}

// Project is what there is. It is not changed once Look has returned it.
type Project struct {
	Conn      *cluster.Conn
	Facts     render.Facts // complete, not validated
	Found     detect.Result
	State     State
	Inventory apply.Inventory
	Failures  Failures // only of a tolerant look
}

// Failures are why something could not be found out.
type Failures struct {
	Cluster, AWS, Issuer error
}

// Name is the name of the project.
func (p Project) Name() string { return p.Facts.Namespace.Value }

// Look asks the cluster and AWS for everything that does not depend on an answer, at the
// same time. Wrong input is an error, also to a tolerant look.
func Look(ctx context.Context, s *session.Session, w Wanted) (Project, error) {
	given, err := s.Given(ctx, w.Facts)
	if err != nil {
		return Project{}, err
	}
	conn, err := s.Connect(ctx)
	if err != nil {
		return Project{}, err
	}
	given.Namespace = namespace(conn, given.Namespace, w.NewName)
	if err := (render.Facts{Namespace: given.Namespace}).Validate(); err != nil {
		return Project{}, err
	}
	p, err := look(ctx, conn, w, given)
	p.Facts = p.Found.Facts
	return p, err
}

// namespace is the new project's name, or the namespace given, or the kubeconfig
// context's.
func namespace(conn *cluster.Conn, given render.Fact, newName string) render.Fact {
	switch {
	case newName != "":
		return render.Fact{Value: newName, Source: "new project"}
	case given.Known():
		return given
	}
	name, _ := conn.Namespace()
	return render.Fact{Value: name, Source: conn.NamespaceSource()}
}

func look(outer context.Context, conn *cluster.Conn, w Wanted, given render.Facts) (Project, error) {
	p, name := Project{Conn: conn}, given.Namespace.Value
	group, ctx := errgroup.WithContext(outer)
	inventory := sync.OnceValues(func() (apply.Inventory, error) { return ReadInventory(ctx, conn, name) })
	group.Go(func() (err error) {
		p.Found, p.Failures, err = facts(ctx, w, detect.Request{
			Given:   given,
			Connect: func() (*cluster.Conn, error) { return conn, nil },
			AWS:     detect.AWSOptions{Profile: w.Facts.Profile, Region: given.Region.Value},
			RecordedClusterID: func(context.Context) (string, error) {
				found, err := inventory()
				return found.ClusterID, err
			},
		})
		return err
	})
	group.Go(func() (err error) {
		if p.State, err = LookAt(ctx, conn, name); w.Tolerant {
			return nil // said by the checks that want to know the same
		}
		return err
	})
	// Told only when nothing else is wrong: that a server does not answer is said better
	// by those who ask for more than one object.
	var unreadable error
	group.Go(func() error {
		p.Inventory, unreadable = inventory()
		return nil
	})
	if err := group.Wait(); err != nil {
		return p, err
	}
	if w.Tolerant {
		return p, outer.Err()
	}
	// Who has no permissions in a project that does not exist yet is refused everything
	// in it: that is no answer about the inventory.
	if apierrors.IsForbidden(unreadable) && !p.State.Exists {
		return p, nil
	}
	return p, unreadable
}

// ReadInventory is what an install recorded in a project.
func ReadInventory(ctx context.Context, conn *cluster.Conn, name string) (apply.Inventory, error) {
	return apply.New(conn, apply.Options{Namespace: name}).ReadInventory(ctx)
}

// facts finds the facts, and whose the credentials are.
func facts(ctx context.Context, w Wanted, request detect.Request) (detect.Result, Failures, error) {
	if !w.Tolerant {
		found, err := detect.Detect(ctx, request)
		if err == nil {
			err = Identify(ctx, &found, w.Facts.Profile)
		}
		return found, Failures{}, err
	}
	request.Policy = detect.AskNeeded
	found, err := detect.Detect(ctx, request)
	failures := Failures{Cluster: found.ClusterFailure, AWS: found.AWSFailure, Issuer: err}
	if input := (*render.InputError)(nil); errors.As(err, &input) && found.Conn == nil {
		return found, failures, err // what was given, not what was found
	}
	if failures.AWS == nil {
		failures.AWS = Identify(ctx, &found, w.Facts.Profile)
	}
	if apierrors.IsForbidden(failures.Cluster) {
		failures.Cluster = nil // it answers
	}
	return found, failures, nil
}

// Identify makes sure that the credentials are those of the account that the manifests
// name, if the account was given by hand: a role made in another account would be of no
// use, and nobody would look for it there.
func Identify(ctx context.Context, found *detect.Result, profile string) (err error) {
	if found.AWS == nil {
		options := detect.AWSOptions{Profile: profile, Region: found.Facts.Region.Value}
		if found.AWS, err = detect.LoadAWS(ctx, options); err != nil {
			return err
		}
	}
	if found.Caller != "" {
		return nil
	}
	identity, err := found.AWS.Identity(ctx)
	if err != nil {
		return err
	}
	found.Caller = identity.Caller
	account, partition := found.Facts.Account, found.Facts.Partition
	if account.Known() && (account.Value != identity.Account || partition.Known() && partition.Value != identity.Partition) {
		return &problem.Error{
			Kind: problem.Refused,
			What: fmt.Sprintf("the AWS credentials are of account %s in partition %s", identity.Account, identity.Partition),
			Why:  fmt.Sprintf("the install is for account %s in partition %s (%s)", account.Value, partition.Value, account.Source),
			Next: "choose other credentials with --profile, or leave out --account-id and --partition",
		}
	}
	return nil
}
